"""Export: every exported file can be imported again without loss, and no cell runs as a formula."""

import csv
import json
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.commands import context
from crm.commands.context import CRM
from crm.errors import CRMError, FieldError, FileError, RefusedError, RuleError
from crm.model import Client, Conventions, typed_fields
from tests.commands.conftest import Office, display_path
from tests.support.clocks import TODAY, standing_on

BY = Conventions(clock=standing_on(TODAY))

# Fields as people fill them, and as they are filled to do harm.

ODD = [
    "=1+1", "+43 and more", "-5", "@SUM(A1)", "'quoted", "'=x", "''", '"', "a,b;c\td|e", "007", "1e5", "TRUE",
    "x" * 150, "[bold]", "Zoë", "עברית", "😀", "\\n", "a\\,b", "sep=;", "#N/A", "12/11/2026", "1-2", "\uff1d1", "a:b",
    "BEGIN:VCARD", "N;X=1:y", "Ben, Anna", "nan", "None", "0",
]  # fmt: skip
LETTERS = st.characters(codec="utf-8", exclude_categories=["Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"])
TEXT = st.one_of(st.just(""), st.sampled_from(ODD), st.text(LETTERS, max_size=12))
NOTES = st.lists(TEXT, max_size=4).map("\n".join)


def read(name: str, typed: str) -> Any:
    """The stored value of what was typed; None if it is refused."""
    check = typed_fields(Client)[name].check
    try:
        return check.read(typed[:18] if name in ("postcode", "reference") else typed, BY)
    except FieldError:
        return check.empty


@st.composite
def clients(draw: st.DrawFn) -> dict[str, Any]:
    """The typed fields of one client, each as it would be stored."""
    fields: dict[str, Any] = {
        name: read(name, draw(TEXT)) for name in ("company", "address", "city", "postcode", "source", "owner")
    }
    fields |= {name: read(name, draw(TEXT)) for name in ("first_name", "last_name")}
    if not (fields["first_name"] or fields["last_name"]):
        fields["last_name"] = "Berg"
    fields["kind"] = draw(st.sampled_from(["person", "company"])) if fields["company"] else "person"
    fields["notes"] = read("notes", draw(NOTES))
    fields["email"] = draw(st.sampled_from(["", "anna@example.com", "o'brien+x@example.org", "zoë@exämple.de"]))
    fields["phone"] = draw(st.sampled_from(["", "+436601234567", "+12015550123"]))
    fields["country"] = draw(st.sampled_from(["", "AT", "GB", "NA"]))
    # A star before a tag is how Google marks a group of its own, and goes.
    fields["tags"] = read("tags", ",".join(tag.lstrip("* ") for tag in draw(st.lists(TEXT, max_size=3))))
    fields["marketing_consent"] = draw(st.booleans())
    # The first day of 1900 is how databases write that there is none.
    fields["date_of_birth"] = draw(st.none() | st.dates(date(1900, 1, 2), TODAY))
    return fields


def by_reference(office: Office, crm: CRM, names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The stored values of some fields of each client, by reference."""
    return {client.reference: {name: getattr(client, name) for name in names} for client in office.clients(crm)}


def differing(number: int, fields: dict[str, Any]) -> dict[str, Any]:
    """The same, told apart from all others by its reference."""
    return {**fields, "reference": f"R{number:04}"}


@pytest.mark.many
@pytest.mark.parametrize("ending", ["csv", "xlsx"])
@given(several=st.lists(clients(), min_size=1, max_size=5), own=st.lists(TEXT, min_size=5, max_size=5))
def test_an_exported_table_of_clients_is_imported_without_loss(
    ending: str, several: list[dict[str, Any]], own: list[str]
) -> None:
    parent = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(dir=parent) as folder, closing(Office(Path(folder))) as office:
        for number, fields in enumerate(several):
            text = " ".join(own[number].split())
            extra = {"Hat, or cap": text} if text and not text.isspace() else {}
            office("clients add", {**differing(number, fields), "extra": extra}, duplicate_ok=True)
        before = office.clients()
        file = office.folder / f"out.{ending}"
        assert office("export", file).records == len(several)
        empty = office.open("empty")
        used = any(client.extra for client in before)
        report = office(
            "import", file, "clients", ["Hat, or cap=extra:Hat, or cap"] if used else [], crm=empty
        )  # fmt: skip
        assert (report.new, report.refused) == (len(several), 0), report.refusals
        answer = by_reference(office, empty, typed_fields(Client))
        assert answer == by_reference(office, office.crm, typed_fields(Client))


IN_CARDS = [
    "reference", "kind", "first_name", "last_name", "company", "date_of_birth", "email", "phone", "address", "city",
    "postcode", "country", "tags", "notes",
]  # fmt: skip


@given(several=st.lists(clients(), min_size=1, max_size=4))
def test_exported_contact_cards_are_imported_without_loss(several: list[dict[str, Any]]) -> None:
    parent = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(dir=parent) as folder, closing(Office(Path(folder))) as office:
        for number, fields in enumerate(several):
            office("clients add", differing(number, fields), duplicate_ok=True)
        file = office.folder / "out.vcf"
        assert office("export", file).records == len(several)
        empty = office.open("empty")
        assert office("import", file, crm=empty).new == len(several)
        assert by_reference(office, empty, IN_CARDS) == by_reference(office, office.crm, IN_CARDS)


def some_store(office: Office) -> None:
    """A bit of everything."""
    anna = office.add(first_name="Anna", last_name="=1+1", reference="00042", email="a@example.com", tags=("x", "y"))
    acme = office.add(company="Acme & Söhne", notes="one\ntwo", extra={"hat": "L", "=x": "@y"})
    office.sell(anna, "35000.10", date(2026, 1, 2))
    office.sell(anna, "0.05")
    office("sales add", acme, Decimal("12.50"), None, "=HYPERLINK(1)")
    office("clients pin", office.client(acme), "Friend", date(2026, 12, 24))
    office("views save", "Big", "total_spend > 10", "-total_spend")
    office("rules add", "Gold when total_spend >= 10")
    office("settings set", "currency", "CHF", recount_ok=True)
    office("clients edit", office.client(anna), {"city": "Graz"})
    office("history undo")


def test_an_exported_spreadsheet_has_no_formulas(office: Office) -> None:
    some_store(office)
    for what in ("clients", "sales"):
        file = office.folder / f"{what}.csv"
        office("export", file, what)
        with file.open(encoding="utf-8-sig", newline="") as opened:
            cells = [cell for row in csv.reader(opened) for cell in row]
        assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t"))] == []
    book = office.folder / "all.xlsx"
    assert office("export", book, "all").records == 5
    loaded = openpyxl.load_workbook(book)
    assert loaded.sheetnames[:2] == ["Clients", "Sales"]
    cells = [cell for sheet in loaded for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert not [cell for cell in cells if cell.data_type == "f" or cell.hyperlink]
    assert "=1+1" in [cell.value for cell in cells]


def test_exported_sales_can_be_imported(office: Office) -> None:
    some_store(office)
    office("clients edit", office.client(2), {"reference": "A1"})
    for ending in ("csv", "xlsx"):
        file = office.folder / f"sales.{ending}"
        office("export", file, "sales")
        other = office.open(f"other-{ending}")
        report = office("import", file, "sales", create_clients=True, crm=other)
        assert (report.new, report.refused, report.clients_created) == (3, 0, 2)
        rows = [(sale.on, sale.amount, sale.note) for sale in office.sales(other)]
        assert sorted(rows) == sorted((sale.on, sale.amount, sale.note) for sale in office.sales())
        assert sorted(client.total_spend for client in office.clients(other)) == [Decimal("12.50"), Decimal("35000.15")]
        assert office("import", file, "sales", crm=office.crm).new == 0


def test_each_kind_of_record_is_exported_with_names_for_numbers(office: Office) -> None:
    client = office("clients add", {"company": "=Acme", "reference": "A1", "kind": "company"})
    contact = office("contacts add", client, "Olga")
    deal = office("deals add", client, "Roof", Decimal(1200))
    office("interactions add", client, "call", "about the roof", contact=contact)
    office("follow-ups add", client, "send the quote", due=TODAY, deal=deal)
    office("deals win", deal)
    wanted = {
        "contacts": {"Name": "Olga", "Primary": "yes"},
        "deals": {"Title": "Roof", "Stage": "Won", "Value": "1200.00", "Closed": "2026-11-21"},
        "interactions": {"Contact": "Olga", "Kind": "call", "Subject": "about the roof"},
        "follow-ups": {"Deal": "Roof", "What": "send the quote", "Due": "2026-11-21", "Done": ""},
        "sales": {"Deal": "Roof", "Amount": "1200.00"},
    }
    for what, expected in wanted.items():
        file = office.folder / f"{what}.csv"
        assert office("export", file, what).records == 1
        with file.open(encoding="utf-8-sig", newline="") as opened:
            (row,) = csv.DictReader(opened)
        assert expected.items() <= row.items()
        assert (row["Client number"], row["Client reference"], row["Client"]) == (str(client.id), "A1", "'=Acme")
    book = office.folder / "all.xlsx"
    assert office("export", book, "all").records == 1 + len(wanted)
    assert set(openpyxl.load_workbook(book).sheetnames) >= {"Clients", "Sales", *(name.capitalize() for name in wanted)}


@pytest.mark.parametrize(
    ("name", "what"),
    [("a.vcf", "sales"), ("a.vcf", "all"), ("a.csv", "all"), ("a.pdf", ""), ("a", ""), ("a.json.gz", "")],
)
def test_an_export_that_its_format_cannot_hold_is_refused(office: Office, name: str, what: str) -> None:
    office.add()
    with pytest.raises((FieldError, FileError)):
        office("export", office.folder / name, what)
    assert not (office.folder / name).exists()


def test_a_file_that_cannot_be_written_leaves_what_was_there(office: Office) -> None:
    office.add()
    with pytest.raises(FileError):
        office("export", office.folder / "nowhere" / "a.csv")
    (office.folder / "taken.csv").mkdir()
    with pytest.raises(FileError):
        office("export", office.folder / "taken.csv")
    assert [path.name for path in office.folder.glob("*.csv")] == ["taken.csv"]


def test_lists_as_json_have_the_models_names(office: Office) -> None:
    some_store(office)
    for what, records in (("clients", office.clients()), ("sales", office.sales())):
        file = office.folder / f"{what}.json"
        assert office("export", file, what).records == len(records)
        written = json.loads(file.read_text("utf-8"))
        assert sorted(record["id"] for record in written) == [record.id for record in records]
    assert {sale["amount"] for sale in written} == {"35000.10", "0.05", "12.50"}


# A whole store


def test_a_whole_store_goes_into_an_empty_one_and_comes_out_the_same_to_the_byte(office: Office) -> None:
    some_store(office)
    file, again = office.folder / "all.json", office.folder / "again.json"
    office("export", file)
    other = office.open("other")
    preview = office("import", file, preview=True, crm=other)
    assert office.clients(other) == []
    report = office("import", file, crm=other)
    assert report.applied
    assert not preview.applied
    assert report.objects == preview.objects
    assert report.objects["client"] == 2
    assert report.objects["sale"] == 3
    assert office.everything(other) == office.everything()
    assert office.is_sound(other)
    office("export", again, crm=other)
    assert again.read_bytes() == file.read_bytes()
    # It goes on there as it would have here.
    assert other.conventions.currency == "CHF"
    assert office("clients search", "söhne", crm=other)[0].id == 2
    assert office.add(crm=other, last_name="New").id == 3
    assert office.sell(office.client(1, other), "1", crm=other).sale.id == 4
    office("history undo", crm=other)
    office("history undo", crm=other)
    assert [display_path(client) for client in office.clients(other)] == [
        display_path(client) for client in office.clients()
    ]
    assert office.is_sound(other)


def test_a_dump_is_imported_only_into_an_empty_store(office: Office) -> None:
    some_store(office)
    file = office.folder / "all.json"
    office("export", file)
    other = office.open("other")
    office.add(crm=other)
    before = office.everything(other)
    with pytest.raises(RefusedError):
        office("import", file, crm=other)
    assert office.everything(other) == before


def broken(office: Office) -> dict[str, str]:
    """Whole stores that somebody cut or changed."""
    file = office.folder / "all.json"
    office("export", file)
    whole = file.read_text("utf-8")

    def changed(name: str, **fields: Any) -> str:
        written = json.loads(whole)
        which = max(at for at, entry in enumerate(written["objects"]) if entry[0] == name)
        written["objects"][which][1].update(fields)
        return json.dumps(written)

    return {
        "cut": whole[: len(whole) // 2],
        "empty": "",
        "no store": "[]",
        "newer": whole.replace('"version": 1', '"version": 99', 1),
        "no objects": json.dumps({"format": "crm store", "version": 1}),
        "objects that are none": json.dumps({"format": "crm store", "version": 1, "objects": 5}),
        "an object that is none": json.dumps({"format": "crm store", "version": 1, "objects": [5]}),
        "an unknown record": json.dumps({"format": "crm store", "version": 1, "objects": [["parcel", {}]]}),
        "nested without end": "[" * 100_000,
        "a sale of nobody": changed("sale", client=99),
        "an amount that is none": changed("sale", amount="many"),
        "a day that is none": changed("sale", on="2026-02-30"),
        "a client twice": changed("client", id=1),
        "a reference twice": changed("client", reference="00042"),
        "a field that is not": changed("client", shoe="42"),
        "a number for a name": changed("client", company=5),
        "a rule that cannot be read": changed("rule", when="total_spent > 1"),
        "a time that is none": changed("transaction", at="noon"),
    }


@pytest.mark.parametrize(
    "damage",
    ["cut", "empty", "no store", "newer", "no objects", "objects that are none", "an object that is none",
     "an unknown record", "nested without end", "a sale of nobody", "an amount that is none", "a day that is none",
     "a client twice", "a reference twice", "a field that is not", "a number for a name", "a rule that cannot be read",
     "a time that is none"],
)  # fmt: skip
def test_a_broken_file_is_refused_and_changes_nothing(office: Office, damage: str) -> None:
    some_store(office)
    file = office.write("broken.json", broken(office)[damage])
    other = office.open("other")
    before = office.everything(other)
    with pytest.raises((FileError, RuleError)) as error:
        office("import", file, crm=other)
    assert isinstance(error.value, CRMError)
    assert office.everything(other) == before
    assert other.repository.is_empty()
    office.add(crm=other)
    assert office.is_sound(other)


def test_an_export_shows_progress(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context, "_REPORTED_EVERY", 1)
    some_store(office)
    reports: list[tuple[int, int]] = []

    @contextmanager
    def progress(_: str) -> Iterator[Any]:
        yield lambda done, of: reports.append((done, of))

    office.crm.progress = progress
    for name, what in (("a.xlsx", "clients"), ("a.csv", "sales"), ("a.vcf", "clients"), ("a.json", "clients")):
        reports.clear()
        count = office("export", office.folder / name, what).records
        assert reports == [(done, count) for done in range(1, count + 1)]
        assert reports
    reports.clear()
    report = office("export", office.folder / "all.xlsx", "all")
    assert reports == [(done, report.records) for done in range(1, report.records + 1)]
    reports.clear()
    office("export", office.folder / "all.json")
    assert reports

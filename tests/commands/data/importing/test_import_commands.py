"""Import: the records a file becomes, the clients it matches, the rows it refuses, and a preview that is accurate."""

import csv
import os
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from crm.errors import CRMError, FieldError, FileError, UsageError
from tests.commands.conftest import Office

REPORTED = ("new", "updated", "unchanged", "refused")


def counts(report: Any) -> tuple[int, ...]:
    return tuple(getattr(report, name) for name in REPORTED)


def names(office: Office) -> list[str]:
    return [client.name for client in office.clients()]


def rows_of(path: str) -> list[list[str]]:
    with Path(path).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


# Matching and modes

KNOWN = [
    {"first_name": "Anna", "last_name": "Berg", "reference": "R1", "email": "anna@example.com"},
    {"first_name": "Ben", "last_name": "Cole", "phone": "+436601234567", "date_of_birth": date(1990, 2, 3)},
]
LIST = (
    "reference,first_name,last_name,email,phone,city,date_of_birth\n"
    "R1,Anna,Berg,anna@example.com,,Wien,\n"  # known, and a city that is not
    ",Ben,Cole,,+43 660 1234567,,1990-02-03\n"  # known, nothing new
    "R3,Mia,Dorn,mia@example.com,,Graz,\n"  # new
)


@pytest.mark.parametrize(
    ("mode", "expected", "stored"), [("both", (1, 1, 1, 0), 3), ("add", (1, 0, 2, 0), 3), ("update", (0, 1, 1, 1), 2)]
)
def test_modes_add_update_or_do_both(office: Office, mode: str, expected: tuple[int, ...], stored: int) -> None:
    for known in KNOWN:
        office.add(**known)
    report = office("import", office.write("list.csv", LIST), mode=mode)
    assert counts(report) == expected
    assert len(office.clients()) == stored
    assert office.client(1).city == ("" if mode == "add" else "Wien")
    again = office("import", office.write("list.csv", LIST), mode=mode)
    assert (again.new, again.updated) == (0, 0)


@pytest.mark.parametrize(
    ("match", "row", "hit"),
    [
        ("reference", "R1,Somebody,Else,,", True),
        ("reference", "R2,Anna,Berg,anna@example.com,", False),
        ("email", ",Somebody,Else,ANNA@example.com,", True),
        ("email", ",Anna,Berg,other@example.com,", False),
        ("phone", ",Somebody,Else,,0660 1234567", True),
        ("phone", ",Anna,Berg,anna@example.com,0660 7654321", False),
        ("name", "R2,ANNA,bérg,other@example.com,", True),
        ("name", ",Anna,Other,anna@example.com,", False),
        # By everything that both tell, unless one thing is named.
        ("", "R1,Somebody,Else,,", True),
        ("", "R2,Anna,Berg,anna@example.com,", False),
        ("", ",Anna,Berg,anna@example.com,", True),
        ("", ",Anna,Berg,,", True),
        ("", ",Anna,Berg,other@example.com,", False),
        ("", ",Berta,Berg,anna@example.com,", False),
        ("", ",Berta,Berg,,0660 1234567", False),
    ],
)
def test_a_row_updates_the_client_that_matches(office: Office, match: str, row: str, hit: bool) -> None:
    office("settings set", "country", "AT")
    office.add(first_name="Anna", last_name="Berg", reference="R1", email="anna@example.com", phone="+436601234567")
    file = office.write("one.csv", f"reference,first_name,last_name,email,phone,city\n{row},Graz\n")
    report = office("import", file, match=match)
    assert counts(report) == ((0, 1, 0, 0) if hit else (1, 0, 0, 0))
    assert office.client(1).city == ("Graz" if hit else "")
    assert counts(office("import", file, match=match)) == (0, 0, 1, 0)


def test_the_reference_decides_a_match(office: Office) -> None:
    office.add(first_name="Anna", last_name="Berg", email="anna@example.com")
    office.add(first_name="Ben", last_name="Cole", reference="R1")
    file = office.write("one.csv", "reference,first_name,last_name,email,city\nR1,Anna,Berg,anna@example.com,Graz\n")
    assert counts(office("import", file)) == (0, 1, 0, 0)
    assert [client.city for client in office.clients()] == ["", "Graz"]


@pytest.mark.parametrize("match", ["email", "phone", "name"])
def test_a_match_that_could_be_several_is_refused_and_changes_nobody(office: Office, match: str) -> None:
    for _ in range(2):
        office.add(first_name="Anna", last_name="Berg", email="a@example.com", phone="+12015550123")
    text = "first_name,last_name,email,phone,city\nAnna,Berg,a@example.com,+1 201 555 0123,Graz\nBen,Cole,,,\n"
    report = office("import", office.write("two.csv", text), match=match)
    assert counts(report) == (1, 0, 0, 1)
    assert "1, 2" in report.refusals[0].reason
    assert [client.city for client in office.clients()] == ["", "", ""]


@pytest.mark.parametrize("match", ["reference", "email", "phone", "name", ""])
def test_rows_without_the_matched_field_are_not_added_again(office: Office, match: str) -> None:
    text = "reference,first_name,last_name,email,phone\nR1,A,One,a@example.com,+12015550123\n,B,Two,,\n,Mono,,,\n"
    file = office.write("gaps.csv", text)
    assert counts(office("import", file, match=match)) == (3, 0, 0, 0)
    assert counts(office("import", file, match=match)) == (0, 0, 3, 0)
    assert len(office.clients()) == 3


def test_a_match_by_a_missing_column_is_refused(office: Office) -> None:
    office.add(first_name="Anna")
    clients = office.write("clients.csv", "first_name\nBen\n")
    sales = office.write("sales.csv", "email,date,amount\na@example.com,2026-01-02,5\n")
    for match in ("reference", "email", "phone"):
        with pytest.raises(FieldError):
            office("import", clients, "clients", match=match)
    for match in ("reference", "phone", "name"):
        with pytest.raises(FieldError):
            office("import", sales, "sales", ["email=client.email"], match=match, create_clients=True)
    assert (names(office), office.sales()) == (["Anna"], [])


def test_only_the_row_with_another_clients_reference_is_refused(office: Office) -> None:
    office.add(first_name="Anna", last_name="Berg", email="anna@example.com")
    office.add(first_name="Ben", last_name="Cole", reference="R1")
    text = (
        "reference,first_name,last_name,email\n"
        "R1,Anna,Berg,anna@example.com\n"  # of Ben
        "R1,Mia,Dorn,mia@example.com\n"  # new, and of Ben
        "R7,Zoe,Ems,zoe@example.com\n"
        "R7,Uli,Fox,uli@example.com\n"  # of Zoe, two lines above
    )
    report = office("import", office.write("clash.csv", text), match="email")
    assert counts(report) == (1, 0, 0, 3)
    assert [refusal.row for refusal in report.refusals] == [2, 3, 5]
    assert names(office) == ["Anna Berg", "Ben Cole", "Zoe Ems"]
    assert office.is_sound()


def test_a_client_listed_twice_in_a_file_is_one_client(office: Office) -> None:
    rows = ["Anna,Berg,a@example.com,,x", "Anna,Berg,A@Example.com,Graz,y", "Anna,Berg,,,"]
    text = "\n".join(["first_name,last_name,email,city,tags", *rows])
    report = office("import", office.write("twice.csv", text))
    assert (report.new, len(office.clients())) == (1, 1)
    assert (office.client(1).city, office.client(1).tags) == ("Graz", ("x", "y"))
    assert counts(office("import", office.write("twice.csv", text)))[:2] == (0, 0)


def test_a_client_listed_twice_far_apart_is_one_client(office: Office) -> None:
    """Rows are taken in batches; where one ends must not matter."""
    rows = [f"R{at},Name {at},c{at}@example.com," for at in range(2500)]
    rows += ["R3,,,Graz", ",Name 4,c4@example.com,Linz"]
    file = office.write("many.csv", "reference,last_name,email,city\n" + "\n".join(rows) + "\n")
    report = office("import", file)
    assert (report.new, report.refused) == (2500, 0)
    assert [office.client(at).city for at in (4, 5)] == ["Graz", "Linz"]
    assert len(office.clients()) == 2500


def test_blank_cells_erase_nothing_and_tags_and_own_fields_are_added(office: Office) -> None:
    before = office.add(
        reference="R1", first_name="Anna", last_name="Berg", city="Wien", notes="n", tags=("a",), extra={"hat": "L"},
        date_of_birth=date(1990, 2, 3), marketing_consent=True,
    )  # fmt: skip
    blank = office.write(
        "blank.csv",
        "reference,first_name,last_name,city,notes,tags,date_of_birth,marketing consent,hat\nR1,, ,,\t,,,,\n",
    )
    assert counts(office("import", blank, map=["hat=extra:hat"])) == (0, 0, 1, 0)
    assert office.client(before) == before
    more = office.write("more.csv", "reference,tags,shoe\nR1,b,42\n")
    with pytest.raises(FileError):
        office("import", more)
    more = office.write("more.csv", 'reference,first_name,tags,shoe\nR1,Anna,"b, a",42\n')
    assert counts(office("import", more, map=["shoe=extra:shoe"])) == (0, 1, 0, 0)
    after = office.client(before)
    assert (after.tags, after.extra, after.city) == (("a", "b"), {"hat": "L", "shoe": "42"}, "Wien")


# Columns


def test_columns_are_mapped_by_hand_and_to_fields_of_ones_own(office: Office) -> None:
    file = office.write("odd.csv", "Alpha,Beta,Gamma,Delta\nAnna,Berg,42,Wien\n")
    report = office("import", file, "clients", ["alpha=first-name", "Beta=last_name", "GAMMA=extra:Shoe size"])
    assert report.columns == {"Alpha": "first_name", "Beta": "last_name", "Gamma": "extra:Shoe size", "Delta": ""}
    (client,) = office.clients()
    assert (client.name, client.extra, client.city) == ("Anna Berg", {"Shoe size": "42"}, "")


@pytest.mark.parametrize(
    ("map", "error"),
    [("Nowhere=city", UsageError), ("first_name", UsageError), ("first_name=frob", FieldError),
     ("first_name=extra:", FieldError), ("first_name=extra: ", FieldError), ("first_name=total_spend", FieldError)],
)  # fmt: skip
def test_a_map_that_cannot_be_is_refused(office: Office, map: str, error: type[CRMError]) -> None:
    with pytest.raises(error):
        office("import", office.write("one.csv", "first_name\nAnna\n"), "clients", [map])
    assert office.clients() == []


def test_sales_have_no_fields_of_ones_own(office: Office) -> None:
    office.add(reference="R1")
    file = office.write("sales.csv", "client,date,amount,cds\nR1,2026-01-02,5,3\n")
    with pytest.raises(FieldError) as error:
        office("import", file, "sales", ["cds=extra:cds"])
    assert "note" in error.value.sentence


# Refused rows

# Too long for a name.
LONG = "x" * 300


def test_refused_rows_go_to_a_file_to_be_mended_and_imported(office: Office) -> None:
    text = (
        "first_name,last_name,city,country\n"
        f"Anna,{LONG},Graz,AT\nBen,{LONG},Bonn,DE\n,,Graz,AT\nMia,Dorn,Graz,AT\n"
        f'"Zoe, the ""Great""",{LONG},Graz,AT\n'
    )
    report = office("import", office.write("list.csv", text))
    assert counts(report) == (1, 0, 0, 4)
    assert [refusal.row for refusal in report.refusals] == [2, 3, 4, 6]
    written = rows_of(report.refused_file)
    assert Path(report.refused_file).name == "list-refused.csv"
    assert written[0][:4] == ["first_name", "last_name", "city", "country"]
    assert [row[0] for row in written[1:]] == ["Anna", "Ben", "", 'Zoe, the "Great"']
    assert all(row[4] for row in written)
    # Imported as they are they are refused again, into another file; nothing is overwritten.
    again = office("import", Path(report.refused_file))
    assert counts(again) == (0, 0, 0, 4)
    assert again.refused_file != report.refused_file
    mended = Path(report.refused_file).read_text("utf-8-sig")
    for wrong, right in ((LONG, "Berg"), (LONG, "Cole"), (",,Graz", "Uli,Fox,Graz"), (LONG, "Ems")):
        assert wrong in mended
        mended = mended.replace(wrong, right, 1)
    assert counts(office("import", office.write("mended.csv", mended))) == (4, 0, 0, 0)
    assert names(office) == ["Mia Dorn", "Anna Berg", "Ben Cole", "Uli Fox", 'Zoe, the "Great" Ems']
    assert all(client.extra == {} for client in office.clients())


def test_all_that_is_to_be_checked_goes_to_a_file_with_its_rows(office: Office) -> None:
    many = "".join(f"Anna {number},0151 {number:02}\n" for number in range(30))
    file = office.write("list.csv", f'first_name,phone\n{many}"Ben, Jr.",+43 1 5880 1234\nCy,=1+2\n')
    preview = office("import", file, preview=True)
    assert not preview.doubts_file.exists()
    report = office("import", file)
    assert (preview.doubts_file, preview.refused_file) == (report.doubts_file, None)
    assert (report.new, len(report.doubts) < report.doubtful) == (32, True)
    assert Path(report.doubts_file).name == "list-check.csv"
    head, *written = rows_of(report.doubts_file)
    assert head == ["Row", "Field", "Value", "Please check", "first_name", "phone"]
    assert len(written) == report.doubtful == 31
    assert [written[3][at] for at in (0, 1, 2, 4)] == ["5", "phone", "0151 03", "Anna 3"]
    assert all(row[3] for row in written)
    # Nothing that a spreadsheet would take for a formula.
    assert not any(cell.startswith("=") for row in written for cell in row)
    # Again there is nothing to check.
    assert office("import", file).doubts_file is None


@pytest.mark.parametrize(("name", "row"), [("check", "Anna,0151 00"), ("refused", f"{LONG},")])
def test_the_files_of_an_import_take_the_place_of_no_other(office: Office, name: str, row: str) -> None:
    file = office.write("list.csv", f"first_name,phone\nZoe,+436601234567\n{row}\n")

    def imported(*, preview: bool = False) -> Path:
        report = office("import", file, preview=preview)
        if not preview:
            office("history undo")
        return Path(report.doubts_file or report.refused_file)

    first = imported()
    assert first.name == f"list-{name}.csv"
    # The same rows again need no other file.
    assert imported() == first
    # Somebody has written in it.
    whole = first.read_bytes()
    for changed in (whole + b"call her\r\n", whole[:-2]):
        first.write_bytes(changed)
        assert imported().name == f"list-{name}-2.csv"
        assert first.read_bytes() == changed
    office.write("list.csv", f"first_name,phone\nZoe,+436601234567\n{row}1\n")
    assert imported(preview=True).name == imported().name == f"list-{name}-3.csv"
    assert sorted(path.name for path in first.parent.glob(f"list-{name}*")) == [
        f"list-{name}-2.csv", f"list-{name}-3.csv", f"list-{name}.csv",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["n" * 251, "\N{GRINNING FACE}" * 62, os.fsdecode(b"caf\xe9")])
def test_a_file_of_any_name_is_imported_and_its_refused_rows_are_kept(office: Office, name: str) -> None:
    report = office("import", office.write(f"{name}.csv", f"first_name,last_name\nAnna,Berg\nBen,{LONG}\n"))
    assert counts(report) == (1, 0, 0, 1)
    assert Path(report.refused_file).name.endswith("-refused.csv")
    assert len(rows_of(report.refused_file)) == 2
    assert "imported clients from " in office("history list")[0].what


def test_a_row_comes_in_without_a_value_that_it_does_not_need_and_that_cannot_be_read(office: Office) -> None:
    anna = office.add(first_name="Anna", email="anna@example.com", date_of_birth=date(1980, 1, 2), country="AT")
    text = (
        "first_name,email,birthday,country,payment days,tags\n"
        "Anna,anna@example.com,31.02.1980,Nowhere,30,vip\nBen,ben@example.com,1990-13-03,AT,soon,\n"
    )
    report = office("import", office.write("list.csv", text), match="email")
    assert counts(report) == (1, 1, 0, 0)
    assert report.flagged == 2
    assert {(doubt.row, doubt.field, doubt.value) for doubt in report.doubts} == {
        (2, "date_of_birth", "31.02.1980"), (2, "country", "Nowhere"), (3, "date_of_birth", "1990-13-03"),
        (3, "payment_days", "soon"),
    }  # fmt: skip
    assert {doubt.field for doubt in report.doubts if not doubt.why.startswith("left out: ")} == {"country"}
    # What is known stays.
    known = office.client(anna)
    assert (known.date_of_birth, known.country, known.payment_days, known.tags) == (
        date(1980, 1, 2), "AT", 30, ("vip",),
    )  # fmt: skip


def test_an_invalid_number_or_address_is_kept_with_a_warning(office: Office) -> None:
    rows = ["Anna,anna at home,call me", "Ben,ben@example.couk,", "Mia,mia@example.com,+43 660 1234567"]
    text = "\n".join(["first_name,email,phone", *rows])
    report = office("import", office.write("list.csv", text))
    assert (report.new, report.refused, report.flagged) == (3, 0, 2)
    assert {(doubt.row, doubt.field, doubt.value) for doubt in report.doubts} == {
        (2, "email", "anna at home"), (2, "phone", "call me"), (3, "email", "ben@example.couk"),
    }  # fmt: skip
    assert [(client.email, client.phone) for client in office.clients()] == [
        ("anna at home", "call me"), ("ben@example.couk", ""), ("mia@example.com", "+436601234567"),
    ]  # fmt: skip
    assert {finding.record_id for finding in office("check").odd} == {1, 2}
    assert report.maybe_foreign == 0


def test_check_doubts_a_number_for_the_country_of_the_team(office: Office) -> None:
    office("settings set", "country", "FR")
    office("import", office.write("one.csv", "Name,Phone\nAnna Berg,12\n"), "clients")
    (odd,) = office("check").odd
    assert "not a phone number in France" in odd.what


def test_numbers_of_another_country_are_counted_and_leave_room_for_other_doubts(office: Office) -> None:
    rows = [f"Client {number},0660 12{number:05},client{number}@example.com" for number in range(40)]
    text = "\n".join(["last_name,phone,email", *rows, "Odd,+43 1,odd", "Ben,,ben@example.couk"])
    report = office("import", office.write("list.csv", text), preview=True)
    assert (report.flagged, report.maybe_foreign) == (42, 40)
    assert [doubt.value for doubt in report.doubts if not doubt.maybe_foreign] == ["+43 1", "odd", "ben@example.couk"]


# Previews


@pytest.mark.parametrize("what", ["clients", "sales"])
def test_a_preview_says_what_the_import_then_does_and_changes_nothing(office: Office, what: str) -> None:
    for known in KNOWN:
        office.add(**known)
    text = LIST + ",,,,,Nowhere,\n" if what == "clients" else (
        "client,date,amount\nR1,2026-01-02,5\nR1,2026-01-02,5\nR9,2026-01-03,6\nR9,2026-02-30,6\n"
    )  # fmt: skip
    file = office.write("list.csv", text)
    before = office.everything()
    options: dict[str, Any] = {"create_clients": True} if what == "sales" else {}
    preview = office("import", file, what, preview=True, **options)
    assert office.everything() == before
    assert [path.name for path in office.folder.glob("*refused*")] == []
    assert not preview.applied
    done = office("import", file, what, **options)
    assert done.applied
    assert counts(preview) == counts(done)
    assert counts(done) == ((1, 1, 1, 1) if what == "clients" else (3, 0, 0, 1))
    for same in ("rows", "flagged", "clients_created", "refusals", "doubts", "columns", "read_as"):
        assert getattr(preview, same) == getattr(done, same), same
    assert len(preview.first_records) == len(done.first_records) == done.new
    assert len(office.history()) == len(KNOWN) + 1
    office("history undo")
    assert [client.name for client in office.clients()] == ["Anna Berg", "Ben Cole"]
    assert office.sales() == []


# Sales


def test_sales_find_their_clients_by_reference_address_or_name(office: Office) -> None:
    office.add(reference="00042", first_name="Anna", last_name="Berg", email="anna@example.com")
    for header, value in (
        ("client=00042", "00042"),
        ("client.email", "Anna@Example.com"),
        ("client.last_name", "Berg"),
    ):
        target = header.partition("=")[0]
        extra = (
            ["who=" + target] if target != "client.last_name" else ["who=client.last_name", "first=client.first_name"]
        )
        text = f"who,first,date,amount\n{value},Anna,2026-01-02,{len(target)}\n"
        report = office("import", office.write("one.csv", text), "sales", extra)
        assert counts(report) == (1, 0, 0, 0), header
    assert [sale.client for sale in office.sales()] == [1, 1, 1]
    assert len(office.clients()) == 1


def test_sales_of_nobody_are_refused_unless_clients_are_to_be_made(office: Office) -> None:
    text = (
        "client,date,amount\nR1,2026-01-02,5\nR1,2026-01-03,6\n,2026-01-03,6\nR2,,5\nR2,2026-01-02,\nR2,2026-01-02,-5\n"
    )
    file = office.write("sales.csv", text)
    report = office("import", file, "sales")
    assert counts(report) == (0, 0, 0, 6)
    assert "R1" in report.refusals[0].reason
    assert office.history() == []
    report = office("import", file, "sales", create_clients=True)
    assert counts(report) == (2, 0, 0, 4)
    assert report.clients_created == 1
    assert [(client.reference, client.total_spend) for client in office.clients()] == [("R1", Decimal("11.00"))]
    named = office.write("named.csv", "client,date,amount\nNobody Else,2026-01-02,5\n")
    assert "no client Nobody Else;" in office("import", named, "sales").refusals[0].reason


def test_each_sale_counts_as_often_as_the_file_has_it_and_no_more(office: Office) -> None:
    once = "client,date,amount\nR1,2026-01-02,5\n"
    twice = once + "R1,2026-01-02,5.00\n"
    assert counts(office("import", office.write("a.csv", once), "sales", create_clients=True)) == (1, 0, 0, 0)
    assert counts(office("import", office.write("b.csv", twice), "sales")) == (1, 0, 1, 0)
    assert counts(office("import", office.write("c.csv", once), "sales")) == (0, 0, 1, 0)
    office("sales undo", office.sales()[0])
    assert counts(office("import", office.write("d.csv", twice), "sales")) == (1, 0, 1, 0)
    assert office.client(1).total_spend == Decimal("10.00")


def test_rows_with_and_without_reference_in_one_file_are_each_found_again(office: Office) -> None:
    text = "who,mail,date,amount\nC1,,2026-01-01,5\n,mia@example.com,2026-01-02,6\n,mia@example.com,2026-01-03,7\n"
    file = office.write("mixed.csv", text)
    options: dict[str, Any] = {"map": ["who=client", "mail=client.email"], "create_clients": True}
    assert office("import", file, "sales", **options).clients_created == 2
    assert counts(office("import", file, "sales", **options)) == (0, 0, 3, 0)
    assert len(office.clients()) == 2


def test_sales_are_never_updated(office: Office) -> None:
    office.add(reference="R1")
    with pytest.raises(FieldError):
        office("import", office.write("s.csv", "client,date,amount\nR1,2026-01-02,5\n"), "sales", mode="update")
    assert office.sales() == []


# Files as they come

TABLE = [
    ["Vorname", "Nachname", "Ort", "Geburtsdatum"],
    ["Jürgen", "Groß", "Köln", "13.02.1990"],
    ["Zoë", "Ångström", "Malmö", "01.03.1991"],
]


def text_of(delimiter: str) -> str:
    return "".join(delimiter.join(row) + "\r\n" for row in TABLE)


def is_read_well(office: Office) -> bool:
    rows = [(client.first_name, client.last_name, client.city, client.date_of_birth) for client in office.clients()]
    return rows == [
        ("Jürgen", "Groß", "Köln", date(1990, 2, 13)),
        ("Zoë", "Ångström", "Malmö", date(1991, 3, 1)),
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_encoding_and_delimiter_are_detected(office: Office, encoding: str, delimiter: str) -> None:
    report = office("import", office.write("list.csv", text_of(delimiter), encoding))
    assert counts(report) == (2, 0, 0, 0)
    assert is_read_well(office)
    assert report.read_as.startswith(("CSV", "TSV"))


def test_encoding_and_delimiter_can_be_given(office: Office) -> None:
    file = office.write("list.txt", text_of("#"), "cp850")
    assert counts(office("import", file, "clients", encoding="cp850", delimiter="#")) == (2, 0, 0, 0)
    assert is_read_well(office)
    for wrong in ({"encoding": "klingon"}, {"delimiter": "###"}):
        with pytest.raises(CRMError):
            office("import", file, "clients", **wrong)


def test_a_workbook_is_read_with_its_types(office: Office) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Vorname", "Nachname", "Ort", "Geburtsdatum"])
    sheet.append(["Jürgen", "Groß", "Köln", date(1990, 2, 13)])
    sheet.append(["Zoë", "Ångström", "Malmö", date(1991, 3, 1)])
    path = office.folder / "list.xlsx"
    book.save(path)
    assert counts(office("import", path)) == (2, 0, 0, 0)
    assert is_read_well(office)
    assert counts(office("import", path)) == (0, 0, 2, 0)


def test_cards_are_read(office: Office) -> None:
    one = "VERSION:4.0|N:Groß;Jürgen;;;|FN:Jürgen Groß|ADR:;;;Köln;;;|BDAY:19900213"
    other = "VERSION:3.0|N:Ångström;Zoë;;;|FN:Zoë Ångström|ADR:;;;Malmö;;;|BDAY:1991-03-01"
    card = "".join(f"BEGIN:VCARD|{text}|END:VCARD|" for text in (one, other)).replace("|", "\r\n")
    assert counts(office("import", office.write("book.vcf", card))) == (2, 0, 0, 0)
    assert is_read_well(office)


@pytest.mark.parametrize(
    ("dates", "written", "meant", "order"),
    [("", "13/02/1990", (2, 13), "dmy"), ("", "02/13/1990", (2, 13), "mdy"),
     ("dmy", "03/02/1990", (2, 3), "dmy"), ("mdy", "03/02/1990", (3, 2), "mdy"),
     ("", "1990-03-02", (3, 2), ""), ("", "3. 2. 1990", (2, 3), "dmy")],
)  # fmt: skip
def test_the_order_of_dates_is_detected_or_given(
    office: Office, dates: str, written: str, meant: tuple[int, int], order: str
) -> None:
    report = office(
        "import", office.write("list.csv", f"first_name,date of birth\nAnna,{written}\n"), "clients", dates=dates
    )
    # The order is said, so that a wrong one is noticed.
    assert report.date_orders == ({"date of birth": order} if order else {})
    assert office.client(1).date_of_birth == date(1990, *meant)


@pytest.mark.parametrize("content", ["", "\n\n", "\x00\x01\x02", "first_name\n", "a\n1\n", "PK\x03\x04 no workbook"])
@pytest.mark.parametrize("name", ["list.csv", "list.xlsx", "list.vcf", "list.json"])
def test_a_file_without_anything_in_it_adds_nobody(office: Office, name: str, content: str) -> None:
    file = office.write(name, content)
    with pytest.raises(FileError) as error:
        office("import", file)
    assert name in error.value.sentence
    assert office.clients() == []


def test_a_long_import_shows_progress(office: Office) -> None:
    reports: list[tuple[str, int, int]] = []

    @contextmanager
    def progress(what: str) -> Any:
        yield lambda done, of: reports.append((what, done, of))

    office.crm.progress = progress
    rows = "\n".join(f"Name {at}" for at in range(3500))
    office("import", office.write("many.csv", f"last_name\n{rows}\n"))
    assert len(reports) >= 4
    assert {what for what, _, _ in reports} == {"Importing"}
    assert [done for _, done, _ in reports] == sorted(done for _, done, _ in reports)
    assert reports[-1][1] == reports[-1][2] > 0


@pytest.mark.parametrize(
    ("rows", "match"),
    [
        # Another number, another address, a consent that a later row denies, and cities that differ.
        (("Anna,Berg,a@x.at,0316 111111,Graz,yes", "Anna,Berg,a@x.at,0316 222222,Wien,no"), ""),
        (("Anna,Berg,a@x.at,0316 111111 / 0316 333333,,", "Anna,Berg,a@x.at,0316 222222,,"), ""),
        (("Anna,Berg,a@x.at; b@x.at,,,", "Anna,Berg,c@x.at,,Graz,"), "name"),
        (("Anna,Berg,a@x.at,,,", "Anna,Berg,a@x.at,,,yes"), ""),
        (("Anna,Berg,a@x.at,,,no", "Anna,Berg,a@x.at,,,yes"), ""),
        (("Anna,Berg,a@x.at,,,yes", "Anna,Berg,a@x.at,,,no", "Anna,Berg,a@x.at,,,yes"), ""),
    ],
)
def test_rows_that_were_joined_change_nothing_when_they_come_again(
    office: Office, rows: tuple[str, ...], match: str
) -> None:
    office("settings set", "country", "AT")
    file = office.write("list.csv", "\n".join(("First name,Last name,E-mail,Phone,City,Marketing consent", *rows)))
    first = office("import", file, match=match)
    assert (first.new, first.joined + first.unchanged) == (1, len(rows) - 1)
    before = office.client(1)
    again = office("import", file, match=match)
    assert (*counts(again), again.joined) == (0, 0, len(rows), 0, 0)
    assert office.client(1) == before


def test_a_later_row_updates_what_no_earlier_row_says(office: Office) -> None:
    office.add(first_name="Anna", last_name="Berg", email="a@x.at", city="Linz")
    report = office("import", office.write("list.csv", "Name,E-mail,City\nAnna Berg,a@x.at,\nAnna Berg,a@x.at,Graz\n"))
    assert (report.joined, report.conflicting, office.client(1).city) == (1, 0, "Graz")


def test_a_row_with_the_e_mail_of_another_client_says_so(office: Office) -> None:
    client = office.add(company="Müller & Söhne", email="info@mueller.de")

    file = office.write(
        "people.csv", "Name;E-mail\ninfo;info@mueller.de\nBo Fox;bo@example.com\nJo Fox;bo@example.com\n"
    )
    seen = office("import", file, preview=True)
    (doubt,) = [doubt for doubt in seen.doubts if doubt.field == "email"]
    assert (doubt.row, doubt.value) == (2, "info@mueller.de")
    assert f"is the e-mail of Müller & Söhne (no. {client.id}): this row becomes a new client" in doubt.why
    same = office("import", file, preview=True, match="email")
    assert (same.new, [doubt for doubt in same.doubts if doubt.field == "email"]) == (1, [])
    assert office("import", file).new == 3
    again = office("import", file)
    assert (again.new, again.unchanged, again.doubts) == (0, 3, [])


@pytest.mark.parametrize("preview", [False, True])
def test_a_heading_without_rows_imports_nothing_and_says_so(office: Office, preview: bool) -> None:
    with pytest.raises(FileError, match=r"k\.csv has a heading, but no rows below it. Nothing was imported\."):
        office("import", office.write("k.csv", "Name,Email\n"), preview=preview)
    assert office.clients() == []

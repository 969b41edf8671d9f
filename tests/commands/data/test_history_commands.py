"""The history: filtered, shown in full, and exported to files in which no cell runs as a formula."""

import csv
import io
import json
import tracemalloc
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from crm.accounts import SignedIn
from crm.commands.context import CRM
from crm.commands.data.change_details import RecordChange
from crm.commands.data.history import my_last, my_last_undo, passed_over_message, undo_preview, undo_title_of
from crm.errors import FieldError, FileError, NotFoundError, Question, RefusedError
from crm.model import Client, User
from crm.repository import HistoryEntry
from crm.terminal.drawing.render import show
from crm.terminal.drawing.screen import Screen
from tests.commands.conftest import TODAY, Office

NOTES = " ".join(["word"] * 60)


def listed(office: Office, **given: Any) -> list[str]:
    """The changes that the filters leave."""
    return [entry.what for entry in office("history list", **given)]


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def anna(office: Office) -> Client:
    """A client who has bought, moved, and bought again; beside another one."""
    anna = office.add(first_name="Anna", last_name="Berg", city="Graz")
    office.add(last_name="Other")
    office.sell(anna, "40000")
    office("clients edit", office.client(anna), {"city": "Wien", "marketing_consent": True, "notes": NOTES})
    office.sell(anna, "5")
    return anna


# Previewed


def test_an_undo_says_first_what_it_will_change(office: Office) -> None:
    def preview() -> list[str]:
        mine = my_last(office.crm)
        assert mine is not None
        return list(undo_preview(office.crm, mine[0]))

    anna, other = office.add(first_name="Anna", last_name="Berg"), office.add(last_name="Other")
    assert preview() == ["Removes: Other"]
    sale = office.sell(anna, "40000").sale
    assert preview() == ["Removes: 1 sale", "Anna Berg after this: $0.00 in 0 sales. Status becomes Regular."]
    office("sales edit", sale, {}, client=other)
    assert preview() == [
        "$40,000.00, Nov 21, 2026: Client back to Anna Berg",
        "Anna Berg after this: $40,000.00 in 1 sale. Status becomes VIP.",
        "Other after this: $0.00 in 0 sales. Status becomes Regular.",
    ]
    office("clients edit", office.client(anna), {"city": "Wien", "notes": "[red]"})
    assert preview() == ["Anna Berg: City empty again; Notes empty again"]
    follow_up = office("follow-ups add", anna, "call", date(2026, 11, 25))
    office("follow-ups done", follow_up.follow_up)
    assert any(line.endswith(": open again") for line in preview()), preview()
    office("clients delete", office.client(other), yes=True)
    assert preview() == ["Restores: Other, 1 sale"]
    office("history undo")
    redo = my_last_undo(office.crm)
    assert redo is not None
    assert list(undo_preview(office.crm, redo)) == ["Removes: Other, 1 sale"]
    # A setting and a field are called as they are where the team is.
    office("settings set", "country", "US")
    office("settings set", "vat_id", "12-3456789")
    assert preview() == ["Tax ID empty again"]
    assert office.history()[0] == "set tax ID to 12-3456789"
    office("clients edit", office.client(anna), {"postcode": "10001"})
    assert preview() == ["Anna Berg: ZIP code empty again"]
    # To look is not to do.
    assert [client.name for client in office.clients()] == ["Anna Berg", "Other"]


def test_an_undo_of_very_much_is_only_counted(office: Office, tmp_path: Path) -> None:
    table = tmp_path / "many.csv"
    table.write_text("Name\n" + "".join(f"Client No{number}\n" for number in range(501)))
    office("import", table)
    mine = my_last(office.crm)
    assert mine is not None
    assert list(undo_preview(office.crm, mine[0])) == [
        "Removes: 501 clients (Client No0, Client No1, Client No2, Client No3, Client No4 and 496 more)"
    ]
    office("history undo")
    redo = my_last_undo(office.crm)
    assert redo is not None
    assert list(undo_preview(office.crm, redo)) == [
        "Restores: 501 clients (Client No0, Client No1, Client No2, Client No3, Client No4 and 496 more)"
    ]
    office("import", table)
    office("clients tag", all_=True, tag=("vip",), yes=True)
    mine = my_last(office.crm)
    assert mine is not None
    assert list(undo_preview(office.crm, mine[0])) == ["501 records will be as they were before."]


# Listed


def test_each_filter_narrows_the_list(office: Office, anna: Client) -> None:
    assert listed(office, client=anna) == [
        "recorded a sale to Anna Berg", "edited Anna Berg", "recorded a sale to Anna Berg", "added Anna Berg"
    ]  # fmt: skip
    assert listed(office, about="sale") == ["recorded a sale to Anna Berg"] * 2
    assert listed(office, about="sale", number=1) == ["recorded a sale to Anna Berg"]
    assert listed(office, text="wien") == ["edited Anna Berg"]
    assert listed(office, by="ANN", limit=1) == ["recorded a sale to Anna Berg"]
    assert listed(office, by="ben") == []
    assert listed(office, sort="id", limit=2) == ["added Anna Berg", "added Other"]
    assert listed(office, offset=3, limit=1, sort="at") == ["edited Anna Berg"]
    office("history undo", 4)
    assert listed(office, only="undone") == ["edited Anna Berg"]
    assert "edited Anna Berg" not in listed(office, only="standing")


@pytest.mark.usefixtures("anna")
def test_days_are_local_and_both_ends_belong_to_them(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setenv("TZ", "Pacific/Auckland")
    time.tzset()
    try:
        with office.crm.read() as snapshot:
            day = snapshot.history(1)[0].at.astimezone().date()
        assert len(listed(office, since=day, until=day)) >= 1
        assert listed(office, since=day + timedelta(days=1)) == []
        assert listed(office, until=day - timedelta(days=1)) == []
        assert len(listed(office, until=date(9999, 12, 31))) == 5
    finally:
        monkeypatch.delenv("TZ")
        time.tzset()


def test_contradictory_filters_are_refused(office: Office) -> None:
    with pytest.raises(FieldError, match="before the first"):
        listed(office, since=date(2026, 11, 2), until=date(2026, 11, 1))
    with pytest.raises(FieldError, match="what kind of record"):
        listed(office, number=1)


# Shown


@pytest.mark.usefixtures("anna")
def test_a_change_is_found_by_the_name_that_an_error_gave_it(office: Office) -> None:
    def change(tx: Any) -> str:
        tx.change(tx.get(Client, 1), city="Linz")
        return str(tx.uid)

    name = office.crm.repository.transact(change, "moved to Linz")
    assert office("history find", name).what == "moved to Linz"
    with pytest.raises(NotFoundError, match=r"This change is not in the history\. .* it may still arrive"):
        office("history find", "0" * 32)
    with pytest.raises(FieldError, match="give the name"):
        office("history find", " ")


@pytest.mark.usefixtures("anna")
def test_a_transaction_is_shown_with_values_as_people_see_them(office: Office) -> None:
    shown = office("history show", 3)
    assert (shown.entry.id, shown.entry.what, shown.entry.user) == (3, "recorded a sale to Anna Berg", "anna")
    sale, client = shown.records
    assert (sale.record, sale.id, sale.operation, sale.fields) == ("sale", 1, "create", [])
    assert sale.name.startswith("$40,000.00, ")
    assert (client.record, client.id, client.name, client.operation) == ("client", 1, "Anna Berg", "update")
    by_name = {field.name: field for field in client.fields}
    assert (by_name["total_spend"].label, by_name["total_spend"].was, by_name["total_spend"].now) == (
        "Total spend", "$0.00", "$40,000.00"
    )  # fmt: skip
    assert (by_name["first_sale_on"].was, by_name["first_sale_on"].now) == ("", "Nov 21, 2026")
    (edited,) = office("history show", 4).records
    rows = {field.name: (field.was, field.now) for field in edited.fields}
    assert rows["marketing_consent"] == ("no", "yes")
    assert rows["notes"] == ("", NOTES)


@pytest.mark.usefixtures("anna")
def test_in_json_a_transaction_holds_everything(office: Office) -> None:
    written = office("history show", 4).as_json()
    assert written["id"] == 4
    assert datetime.fromisoformat(written["at"]).tzinfo is not None
    notes = next(field for field in written["records"][0]["fields"] if field["name"] == "notes")
    assert (notes["before"], notes["after"]) == ("", NOTES)
    json.dumps(written)


def test_deleted_records_keep_their_names_in_the_history(office: Office, anna: Client) -> None:
    other = office.clients()[1]
    office("clients merge", office.client(other), office.client(anna))
    merged = office("history show", 6)
    gone = next(record for record in merged.records if record.operation == "delete")
    assert (gone.name, gone.id) == ("Anna Berg", anna.id)
    assert ("City", "Wien", "") in [(field.label, field.was, field.now) for field in gone.fields]
    moved = next(record for record in merged.records if record.record == "sale")
    assert [(field.was, field.now) for field in moved.fields if field.name == "client"] == [
        ("Anna Berg (1)", "Anna Other (2)")
    ]
    assert office("history show", 1).records[0].name == "Anna Berg"


def test_the_number_of_records_shown_can_be_limited(office: Office) -> None:
    office.crm.transact(lambda tx: tx.add_all([Client(kind="person", last_name=f"C{at}") for at in range(30)]), "many")
    shown = office("history show", 1, limit=4)
    assert (shown.entry.changes, [record.name for record in shown.records]) == (30, ["C0", "C1", "C2", "C3"])
    with pytest.raises(NotFoundError, match="No change 2 "):
        office("history show", 2)


# Written to a file


def test_a_file_has_a_row_for_each_field_that_was_changed(office: Office, anna: Client) -> None:
    report = office("history export", office.folder / "h.csv", client=anna)
    rows = read_csv(report.file)
    assert report.records == len(rows)
    assert list(rows[0]) == [
        "transaction", "at", "user", "what", "record", "id", "operation", "field", "before", "after"
    ]  # fmt: skip
    assert [int(row["transaction"]) for row in rows] == sorted((int(row["transaction"]) for row in rows), reverse=True)
    assert {row["id"] for row in rows if row["record"] == "client"} == {"1"}
    moved = next(row for row in rows if row["field"] == "city")
    assert (moved["before"], moved["after"], moved["operation"], moved["user"]) == ("Graz", "Wien", "update", "anna")
    assert datetime.fromisoformat(moved["at"]).utcoffset() == timedelta(0)
    assert ("marketing_consent", "no", "yes") in [(row["field"], row["before"], row["after"]) for row in rows]
    assert ("total_spend", "0.00", "40000.00") in [(row["field"], row["before"], row["after"]) for row in rows]
    assert [row["operation"] for row in rows if not row["field"]] == ["create"] * 3


@pytest.mark.usefixtures("anna")
def test_every_format_has_the_same_rows(office: Office) -> None:
    office("sales undo", office.sales()[0])
    office("history undo")
    report = read_csv(office("history export", office.folder / "h.csv").file)
    as_json = json.loads(office("history export", office.folder / "h.json").file.read_text("utf-8"))
    book = openpyxl.load_workbook(office("history export", office.folder / "h.xlsx").file)
    header, *sheet = book.active.iter_rows(values_only=True)
    assert list(header) == list(report[0]) == list(as_json[0])
    names = [
        (int(entry["transaction"]), entry["at"], entry["record"], entry["operation"], entry["field"])
        for entry in report
    ]
    assert names == [(row[0], row[1], row[4], row[6], row[7] or "") for row in sheet]
    assert names == [
        tuple(row[name] for name in ("transaction", "at", "record", "operation", "field")) for row in as_json
    ]
    amounts = [row[9] for row in sheet if row[7] == "total_spend"]
    assert all(isinstance(amount, int | float) for amount in amounts)
    assert {row["after"] for row in as_json if row["field"] == "marketing_consent"} == {True}


def test_the_same_filters_narrow_the_file(office: Office, anna: Client) -> None:
    file = office.folder / "h.json"

    def rows(**given: Any) -> set[int]:
        office("history export", file, yes=True, **given)
        return {record["transaction"] for record in json.loads(file.read_text("utf-8"))}

    assert rows(about="sale") == {3, 5}
    assert rows(transaction=2) == {2}
    assert rows(text="wien") == {4}
    assert rows(by="nobody") == set()
    assert rows(only="undone") == set()
    assert rows(client=anna) == {1, 3, 4, 5}


def test_an_exported_history_has_no_formulas(office: Office) -> None:
    evil = office.add(last_name="=HYPERLINK(1)", city="@SUM(A1)")
    office("clients edit", evil, {"city": "+cmd|' /C calc'!A0", "notes": "-1+1"})
    rows = read_csv(office("history export", office.folder / "h.csv").file)
    for value in (value for row in rows for value in row.values()):
        assert value[:1] not in "=+-@\t\r" or value == ""
    assert any(row["after"] == "'+cmd|' /C calc'!A0" for row in rows)
    book = openpyxl.load_workbook(office("history export", office.folder / "h.xlsx").file)
    cells = [cell for row in book.active.iter_rows(min_row=2) for cell in row if isinstance(cell.value, str)]
    assert cells
    assert {cell.data_type for cell in cells} == {"s"}


def test_the_history_shows_only_that_a_secret_exists(office: Office) -> None:
    office("users add", "ada@example.com", "Ada", "admin")
    user = office("users list")[0]
    office("users reset-password", user.user if hasattr(user, "user") else user)
    rows = read_csv(office("history export", office.folder / "h.csv", about="user").file)
    passwords = [(row["before"], row["after"]) for row in rows if row["field"] == "password"]
    assert passwords
    assert {value for pair in passwords for value in pair} <= {"(set)", ""}
    assert not any("argon2" in value for row in rows for value in row.values())


@pytest.mark.usefixtures("anna")
def test_a_file_of_another_kind_or_in_no_folder_is_refused(office: Office) -> None:
    with pytest.raises(FieldError, match="extension"):
        office("history export", office.folder / "h.pdf")
    with pytest.raises(FileError):
        office("history export", office.folder / "nowhere" / "h.csv")


@pytest.mark.slow
@pytest.mark.in_turn
def test_a_long_history_is_written_without_being_held(office: Office) -> None:
    def rows() -> Any:
        at = datetime(2026, 1, 1, tzinfo=UTC).isoformat()
        yield "transaction", {"id": 1, "at": at, "user": "x", "what": "long", "undoes": None, "undone_by": None}
        for number in range(1, 2_501):
            fields = {"notes": "x" * 2400, "total_spend": "5.00"}
            yield "audit", {
                "id": number, "transaction": 1, "record": "client", "record_id": number, "operation": "update",
                "before": fields, "after": fields,
            }  # fmt: skip

    office.crm.repository.fill(rows())
    for ending in ("csv", "json", "xlsx"):
        office("history export", office.folder / f"warm.{ending}", about="sale")
        tracemalloc.start()
        try:
            assert office("history export", office.folder / f"h.{ending}").records == 5_000
            held = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        # The texts alone are 12 MB.
        assert held < 6_000_000, ending


# From one to the other


def test_a_listed_change_can_be_shown_and_undone(office: Office, anna: Client) -> None:
    (entry,) = office("history list", text="wien")
    assert isinstance(entry, HistoryEntry)
    assert office("history show", entry.id).records[0].name == "Anna Berg"
    office("history undo", entry.id)
    assert office.client(anna).city == "Graz"
    assert office("history show", entry.id).entry.undone_by == 6
    assert office.client(anna).total_spend == Decimal(40005)


# What an undo says is what is so now


def undone(office: Office, number: int | None = None) -> list[str]:
    screen = Screen(io.StringIO(), plain=True, environment={"COLUMNS": "150"})
    show(screen, office("history undo", number), office.crm.conventions)
    return [line.strip() for line in screen.console.file.getvalue().splitlines()]  # type: ignore[attr-defined]


def test_an_undo_says_the_new_state_and_an_undo_of_it_is_a_redo(office: Office) -> None:
    anna = office.add(first_name="Anna", last_name="Berg")
    office.sell(anna, "10000")
    office.sell(anna, "25000")
    sold = office("history list", 1)[0].id
    assert undone(office) == [
        "✓ Undone: sale of $25,000.00 to Anna Berg", "Removed: 1 sale",
        "Anna Berg: Total spend back to $10,000.00; Sales back to 1; Status back to Regular",
    ]  # fmt: skip
    assert undone(office, sold + 1) == [
        "✓ Redone: sale of $25,000.00 to Anna Berg", "Restored: 1 sale",
        "Anna Berg: Total spend back to $35,000.00; Sales back to 2; Status back to VIP",
    ]  # fmt: skip
    assert office("history list", 1)[0].what == f"redid {sold}: recorded a sale to Anna Berg"
    office("follow-ups add", office.client(anna), "call", due=TODAY)
    office("deals add", office.client(anna), "Roof")
    office("clients delete", office.client(anna), yes=True)
    answer = undone(office)
    assert answer[:2] == ["✓ Undone: deleted Anna Berg", "Restored: Anna Berg, 1 deal, 2 sales, 1 follow-up"]
    assert not any("deleted" in line for line in answer[1:])
    # Of many it is a number.
    for number in range(5):
        office.add(last_name=f"Fox {number}")
    office("clients delete-many", all_=True, yes=True)
    assert undone(office)[1].startswith("Restored: 6 clients (Fox 4, Fox 3, Fox 2, Fox 1, Fox 0 and 1 more), 1 deal")


# What stands on what


def of_field(records: list[RecordChange], name: str) -> list[Any]:
    """A field of the deals among records that were changed."""
    return [field for record in records if record.record == "deal" for field in record.fields if field.name == name]


def test_records_in_a_field_are_shown_by_name(office: Office, anna: Client) -> None:
    bo = office.add(last_name="Bo")
    olga = office("contacts add", anna, "Olga")
    deal = office("deals add", anna, "Roof")
    talked = office("interactions add", anna, "call", "about the roof", contact=olga)
    office("deals move", deal, office("stages list")[1])
    moved = office("history show", office("history list", 1)[0].id)
    (stage,) = of_field(moved.records, "stage")
    assert (stage.label, stage.was, stage.now) == ("Stage", "Lead (1)", "Qualified (2)")
    (back,) = of_field(office("history undo").records, "stage")
    assert (back.was, back.now) == ("Qualified (2)", "Lead (1)")
    office("interactions edit", talked, {"client": bo.id})
    edited = office("history show", office("history list", 1)[0].id).records[0]
    rows = {field.name: (field.was, field.now) for field in edited.fields}
    assert rows["client"] == (f"Anna Berg ({anna.id})", f"Bo ({bo.id})")
    assert rows["contact"] == (f"Olga ({olga.id})", "")


def test_my_last_change_is_found_among_changes_that_cannot_be_undone(office: Office) -> None:
    assert my_last(office.crm) is None
    office.add(last_name="Berg")
    office("settings set", "company_name", "Acme")
    ada = signed_in(office, office.crm)
    # Of the one who signed in it is nothing: not that, nor what the owner did.
    assert my_last(ada) is None
    assert last_summary(my_last(office.crm)) == "set company name to Acme"
    office("clients add", {"last_name": "Ode"}, crm=ada)
    office("profile edit", name="Ada A.", crm=ada)
    with office.crm.read() as snapshot:
        office("users edit", snapshot.find_all(User)[0], phone="+43123456789")
    office("people add", "Cy")
    # To accounts nothing is taken back, and what was done before is mine, whatever I was called.
    assert last_summary(my_last(ada)) == "added Ode"
    assert last_summary(my_last(office.crm)) == "set company name to Acme"
    assert office("history undo", yes=True).undone.what == "set company name to Acme"
    # It goes on to what was done before; that a change was taken back is no change to take back.
    assert last_summary(my_last(office.crm)) == "added Berg"
    office("sales add", office.client(1), Decimal(5))
    assert last_summary(my_last(office.crm)) == "recorded a sale to Berg"


def last_summary(found: tuple[HistoryEntry, Sequence[HistoryEntry]] | None) -> str:
    return found[0].what if found else ""


def signed_in(office: Office, crm: CRM) -> CRM:
    """The same store as an admin has it who has just signed in."""
    password = office("users add", "ada@example.com", "Ada", "admin", crm=crm).password
    who = crm.accounts.open().authentication.sign_in("ada@example.com", password, device="of a test")
    assert isinstance(who, SignedIn)
    return crm.enter(crm, who)


def test_undo_without_a_number_undoes_my_own_last_change(office: Office) -> None:
    anna, bo = office.open(), office.open(user="Bo")
    office("settings set", "company_name", "Acme", crm=anna)
    office.add(last_name="Later", crm=bo)
    for crm in (anna, signed_in(office, anna)):
        office("settings set", "company_name", f"By {crm.me}", crm=crm)
        office.add(last_name="Later still", crm=bo)
        assert last_summary(my_last(crm)) == f"set company name to By {crm.me}"
        assert office("history undo", crm=crm).undone.user == crm.me
        assert crm.settings["company_name"] == "Acme"
    assert len(office.clients()) == 3
    with pytest.raises(NotFoundError, match="Nothing of yours"):
        office("history undo", crm=office.open(user="Cy"))


def test_staff_cannot_undo_hidden_changes(office: Office) -> None:
    admin = signed_in(office, office.crm)
    password = office("users add", "sam@example.com", "Sam", crm=admin).password
    who = office.crm.accounts.open().authentication.sign_in("sam@example.com", password, device="of a test")
    assert isinstance(who, SignedIn)
    sam = office.crm.enter(office.crm, who)
    with office.crm.read() as snapshot:
        last = snapshot.history(limit=1)[0].id
    shown = {entry.id for entry in office("history list", crm=sam)}
    concealed = set(range(1, last + 1)) - shown
    assert concealed
    for number in (*concealed, last + 5):
        for words in ("history show", "history undo"):
            with pytest.raises(NotFoundError, match=f"No change {number} in the history"):
                office(words, number, crm=sam)


def test_undo_skips_changes_of_the_program_and_says_so(office: Office) -> None:
    office.set_rules("At risk when days_since_last_sale > 180", "Regular otherwise")
    office.sell(office.add(), "5")
    later = office.open(today=TODAY + timedelta(days=181))
    later.repository.daily_review()
    found = my_last(later)
    assert found is not None
    assert [entry.what for entry in found[1]] == ["reviewed statuses for the day"]
    done = office("history undo", crm=later)
    assert (done.undone, list(done.passed_over)) == found
    assert passed_over_message(done.passed_over) == "Skipped: reviewed statuses for the day."
    assert office.sales() == []


def test_undo_skips_changes_that_later_ones_depend_on_and_says_so(office: Office) -> None:
    anna, bo = office.open(), office.open(user="Bo")
    client = office.add(last_name="Berg")
    office.sell(client, "5")
    office("clients edit", office.client(client), {"city": "Wien"}, crm=anna)
    office("clients edit", office.client(client), {"city": "Graz"}, crm=bo)
    found = my_last(anna)
    assert found is not None
    assert [entry.what for entry in (found[0], *found[1])] == ["recorded a sale to Berg", "edited Berg"]
    with pytest.raises(
        Question, match=r"edited Berg \(3\), cannot be undone.*\n.*\nBefore that: sale of \$5.00 to Berg"
    ):
        office("history undo", crm=anna)
    done = office("history undo", crm=anna, yes=True)
    assert (done.undone, list(done.passed_over)) == found
    assert (office.sales(), office.client(client).city) == ([], "Graz")
    # Nothing else is left but what added the client, on which the edits stand: the refusal names them.
    for _ in range(2):
        with pytest.raises(
            RefusedError, match=r"“edited Berg” .* later changes: .*“edited Berg” \([^;]*; `history show 4`\)"
        ):
            office("history undo", crm=anna)
    # As soon as they are gone, it is the last one again.
    office("history undo", crm=bo)
    assert office("history undo", crm=anna).undone.what == "edited Berg"


def test_a_redo_does_again_what_was_just_undone(office: Office) -> None:
    client = office.add(first_name="Anna")
    office("clients edit", client, {"city": "Graz"})
    with pytest.raises(NotFoundError, match="Nothing to redo"):
        office("history redo")
    office("history undo")
    assert office.client(client).city == ""
    office("history redo")
    assert office.client(client).city == "Graz"
    office("history undo")
    office("clients edit", office.client(client), {"city": "Wien"})
    with pytest.raises(NotFoundError, match="Nothing to redo"):
        office("history redo")


def test_old_history_is_moved_to_a_file(office: Office, anna: Client) -> None:
    file = office.folder / "old.csv"
    before = office.client(anna)
    with pytest.raises(NotFoundError, match="has nothing from"):
        office("history archive", file, until=TODAY - timedelta(days=1))
    with pytest.raises(Question, match="0 later ones stay"):
        office("history archive", file, until=TODAY)
    assert not file.exists()
    count = len(listed(office))
    report = office("history archive", file, until=TODAY, yes=True)
    assert (report.transactions, len({row["transaction"] for row in read_csv(file)})) == (count, count)
    assert listed(office) == [f"moved the history up to {TODAY} to old.csv"]
    assert office.client(anna) == before
    with pytest.raises(RefusedError, match="can no longer be undone"):
        office("history undo", 1)
    with pytest.raises(RefusedError, match=r"“moved the history up .*” changed no records"):
        office("history undo", office("history list", 1)[0].id)
    office.sell(anna, "7")
    office("history undo")
    assert not office("check").wrong


def test_the_question_of_an_undo_names_what_was_added(office: Office) -> None:
    anna = office.client(office.add(first_name="Anna", last_name="Berg"))

    def title() -> str:
        mine = my_last(office.crm)
        assert mine is not None
        return undo_title_of(office.crm, mine[0])

    assert title() == "added Anna Berg"
    office("interactions add", anna, "call", "rang")
    assert title() == "call with Anna Berg"
    office("interactions add", anna, "note", "likes tea")
    assert title() == "note on Anna Berg"
    office("follow-ups add", anna, "send the offer", due=TODAY)
    assert title() == "follow-up send the offer for Anna Berg"
    # A long one is cut between words, and shows that it is.
    office("follow-ups add", anna, "send the offer " * 20, due=TODAY)
    assert title() == f"follow-up {'send the offer ' * 6}send the… for Anna Berg"
    deal = office("deals add", anna, "Roof", Decimal(500))
    assert title() == "deal Roof with Anna Berg"
    # What changed another record as well is named by what was done.
    office("deals win", deal)
    assert title() == "won the deal Roof"
    office("history undo")
    redo = my_last_undo(office.crm)
    assert redo is not None
    assert undo_title_of(office.crm, redo) == "won the deal Roof"

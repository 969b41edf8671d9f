"""Edits by hand in the spreadsheet: each becomes a change of the store, or is reported with the reason."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from crm.errors import ConflictError, FieldError, RefusedError
from crm.model import Client, Sale, Setting, StatusRule, User, View
from crm.model.fields import FOREVER
from crm.repository.sheets.grid import cells
from crm.repository.sheets.grid.layout import letters
from tests.support.by_hand import EDITED, Sheet, last, undo, wrong
from tests.support.google_sheets.document import READER, WRITER
from tests.support.sheets_team import CLIENTS, SALES, Team

pytestmark = pytest.mark.in_turn


# New rows


@pytest.mark.many
@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ({"last_name": "Berg"}, {"kind": "person", "last_name": "Berg"}),
        ({"company": "Berg & Co"}, {"kind": "company", "company": "Berg & Co"}),
        (
            {
                "reference": 17, "kind": "Person", "first_name": " Ada ", "last_name": "Berg", "company": "Berg",
                "date_of_birth": 30000, "email": "ADA@Example.com", "phone": "(202) 555-0123", "address": "Ring 1",
                "city": "Wien", "postcode": 1010, "country": "Austria", "tags": "Gold; new", "source": "fair",
                "owner": "anna", "marketing_consent": True, "notes": "first\nsecond",
            },
            {
                "reference": "17", "kind": "person", "first_name": "Ada", "last_name": "Berg", "company": "Berg",
                "date_of_birth": date(1982, 2, 18), "email": "ada@example.com", "phone": "+12025550123",
                "address": "Ring 1", "city": "Wien", "postcode": "1010", "country": "AT", "tags": ("gold", "new"),
                "source": "fair", "owner": "anna", "marketing_consent": True, "notes": "first\nsecond",
            },
        ),
    ],
    ids=["only a last name", "a company", "everything"],
)  # fmt: skip
def test_a_row_typed_by_hand_becomes_a_client(team: Team, typed: dict[str, Any], expected: dict[str, Any]) -> None:
    Sheet(team, Client).add(**typed)
    (client,) = team.stored()[Client].values()
    assert {name: getattr(client, name) for name in expected} == expected
    assert (client.id, client.version, client.status) == (1, 1, "Regular")
    assert last(team) == ("the spreadsheet", EDITED, [("client", 1, "create")])
    team.agreed()
    undo(team)
    assert team.agreed()[Client] == {}


def test_rows_typed_anywhere_become_records_once(team: Team) -> None:
    clients, sales = Sheet(team, Client), Sheet(team, Sale)
    ada, ben = team.store.add(last_name="Ada"), team.store.add(last_name="Ben")
    other = team.another()
    team.stored(other)
    clients.add(2, last_name="Between")
    clients.add(12, last_name="Far below")
    clients.add(14, last_name="Further")
    sales.add(client=ada.id, amount=40000)
    sales.add(8, client=str(ben.id), amount="12.50", on=46000, note="typed")
    found = team.stored()
    team.stored(other)
    assert sorted(record.last_name for record in found[Client].values()) == [
        "Ada", "Ben", "Between", "Far below", "Further",
    ]  # fmt: skip
    assert [(record.client, record.amount, record.on) for record in found[Sale].values()] == [
        (ada.id, Decimal("40000.00"), team.store.today),
        (ben.id, Decimal("12.50"), date(2025, 12, 9)),
    ] or wrong(team)
    assert team.store.client(ada).status == "VIP"
    assert team.store.client(ben).total_spend == Decimal("12.50")
    assert team.summaries().count(EDITED) == 1
    assert clients.cell(found[Client][3], "last_name") == "Between"
    team.agreed()


@pytest.mark.slow
def test_rules_and_views_are_typed_into_the_sheet(team: Team) -> None:
    rules, views = Sheet(team, StatusRule), Sheet(team, View)
    rules.add(position=1, status="Big", when="total_spend >= 500")
    rules.add(position=1, status="Odd", when="total_spend => 500")
    views.add(name="Vienna", condition="country = 'DE'", sort="-total_spend")
    views.add(name="Odd", condition="town = 'Wien'")
    found = team.stored()
    assert {status_rule.status for status_rule in found[StatusRule].values()} == {"VIP", "Regular", "Big"}
    assert [view.name for view in found[View].values()] == ["Vienna"]
    odd_rule, odd_view = wrong(team)
    assert odd_rule.startswith("rules!D5: ")
    assert odd_view.startswith("views!C3: ")
    team.person.type(team.id, rules.title, "D5", "total_spend > 9")
    team.person.type(team.id, views.title, "C3", "country = 'AT'")
    assert len(team.stored()[StatusRule]) == 4
    assert len(team.agreed()[View]) == 2


@pytest.mark.slow
def test_an_incomplete_row_waits_until_it_is_complete(team: Team) -> None:
    client = team.store.add()
    sales = Sheet(team, Sale)
    row = sales.add(client=client.id, note="how much?")
    assert wrong(team) == ["sales!D2: a sale needs its amount."] or wrong(team)[0].endswith("a sale needs its amount.")
    assert team.stored()[Sale] == {}
    team.person.set_cells(team.id, SALES, row, sales.column("amount"), [[5]])
    assert len(team.agreed()[Sale]) == 1
    sales.add(client=7, amount=5)
    assert [finding.partition(": ")[2] for finding in wrong(team)] == ["no client 7."]
    # Once there is such a client the sale is taken.
    for _ in range(6):
        team.store.add()
    assert team.store.client(7).total_spend == Decimal("5.00") or wrong(team)
    team.agreed()


@pytest.mark.slow
def test_rows_of_blanks_and_checkboxes_are_not_records(team: Team) -> None:
    clients = Sheet(team, Client)
    for _ in range(3):
        clients.add(marketing_consent=False)
    clients.add(notes="   ")
    team.person.insert_rows(team.id, CLIENTS, 1, 5)
    assert team.stored()[Client] == {}
    assert wrong(team) == []
    assert team.store.add().id == 1
    assert team.stored(team.another())[Client].keys() == {1}


@pytest.mark.slow
def test_a_typed_status_is_pinned_and_a_typed_total_is_reported(team: Team) -> None:
    clients = Sheet(team, Client)
    clients.add(last_name="Ada", status="VIP", total_spend=500)
    (client,) = team.stored()[Client].values()
    assert (client.status, client.status_pinned_until) == ("VIP", FOREVER)
    assert wrong(team) == [
        f"clients!{clients.a1(client, 'total_spend')}: this follows from the sales and is not read;"
        " the program says $0.00."
    ]
    team.store.change(lambda tx: tx.change(client, city="Wien"))
    assert clients.cell(client, "total_spend") == 500
    team.store.sell(client.id, "10.00")
    assert clients.cell(client, "total_spend") == 10
    team.agreed()


@pytest.mark.parametrize("copied", [{"status_reason": "VIP: total_spend >= 35000"}, {"status_before": "Regular"}])
def test_a_row_copied_without_its_id_is_the_same_on_every_computer(team: Team, copied: dict[str, str]) -> None:
    clients = Sheet(team, Client)
    clients.add(last_name="Ada", status="VIP", status_since=46_000, **copied)
    (client,) = team.agreed()[Client].values()
    # Nobody has chosen this status: the rules had set it for another client.
    assert (client.status, client.status_pinned_until) == ("Regular", None)
    assert [clients.cell(client, name) for name in ("status", "status_reason", "status_before")] == [
        "Regular",
        client.status_reason,
        "",
    ]


# Columns


def test_a_status_typed_beside_a_cell_that_cannot_be_taken_is_pinned(team: Team) -> None:
    ada = team.store.add(last_name="Ada")
    sheet = Sheet(team, Client)
    sheet.put(ada, "last_name", None)
    sheet.put(ada, "status", "VIP")
    client = team.stored()[Client][ada.id]
    assert (client.last_name, client.status, client.status_pinned_until) == ("Ada", "VIP", FOREVER)  # type: ignore[attr-defined]
    assert [fault for fault in wrong(team) if "give a name" in fault] != []


@pytest.mark.slow
def test_a_new_column_becomes_a_custom_field(team: Team) -> None:
    clients = Sheet(team, Client)
    ada, ben = team.store.add(last_name="Ada"), team.store.add(last_name="Ben")
    other = team.another()
    team.stored(other)
    team.person.insert_column(team.id, CLIENTS, 2, 1)
    team.person.set_cells(team.id, CLIENTS, 0, 2, [["Shoe size"], [42], [True]])
    team.person.set_cells(team.id, SALES, 0, 20, [["Anything"], ["at all"]])
    assert team.store.client(ada).extra == {"Shoe size": "42"}
    assert team.store.client(ben).extra == {"Shoe size": "yes"}
    assert last(team) == ("the spreadsheet", EDITED, [("client", 1, "update"), ("client", 2, "update")])
    assert team.stored(other) == team.stored()
    # What shows the same is left as it is: a number stays a number, a box a box.
    team.store.change(lambda tx: tx.change(tx.get(Client, 2), extra={"Shoe size": "yes", "Hat": "M"}))
    assert clients.cell(ben, "=Shoe size") is True
    assert clients.cell(ben, "=Hat") == "M"
    team.person.set_cells(team.id, CLIENTS, 1, clients.column("=Shoe size"), [[None]])
    assert team.store.client(ada).extra == {}
    assert team.stored()[Sale] == {}
    assert team.cells(Sale)[1][20] == "at all"


@pytest.mark.slow
def test_columns_of_custom_fields_can_be_renamed_moved_and_removed(team: Team) -> None:
    clients = Sheet(team, Client)
    ada = team.store.add(last_name="Ada", extra={"Hat": "M", "Shoe": "42"})
    at = clients.column("=Hat")
    team.person.set_cells(team.id, CLIENTS, 0, at, [["Cap"]])
    team.person.move_column(team.id, CLIENTS, clients.column("=Shoe"), 1)
    assert team.store.client(ada).extra == {"Cap": "M", "Shoe": "42"}
    team.person.delete_column(team.id, CLIENTS, clients.column("=Cap"))
    assert team.store.client(ada).extra == {"Shoe": "42"}
    undo(team)
    assert team.agreed()[Client][1].extra == {"Cap": "M", "Shoe": "42"}


@pytest.mark.slow
def test_a_change_of_format_alone_changes_nothing(team: Team) -> None:
    people = [team.store.add(first_name=name, last_name="Client", city=f"City {name}") for name in "ABCD"]
    team.store.sell(people[1], "12.00")
    before, whats = team.stored(), team.summaries()
    person, id = team.person, team.id
    person.move_column(id, CLIENTS, 0, 9)
    person.move_column(id, CLIENTS, 4, 1, 2)
    person.insert_column(id, CLIENTS, 3, 2)
    person.hide_columns(id, CLIENTS, 5, 3)
    person.sort(id, CLIENTS, Sheet(team, Client).column("first_name"), True)
    person.filter(id, CLIENTS, 1, ["A"])
    person.hide_rows(id, CLIENTS, 2, 2)
    person.insert_rows(id, CLIENTS, 3, 4)
    person.insert_rows(id, SALES, 1, 1)
    person.rename_tab(id, CLIENTS, "Our clients")
    person.copy_tab(id, "Our clients")
    person.move_tab(id, "Our clients", 0)
    assert (team.stored(), team.summaries()) == (before, whats)
    for client in people:
        team.store.change(lambda tx, client=client: tx.change(client, notes=f"of {client.first_name}"))
        team.store.sell(client, "1.00")
    team.store.add(last_name="New")
    for client in people:
        assert Sheet(team, Client).cell(client, "notes") == f"of {client.first_name}"
        assert Sheet(team, Client).cell(client, "city") == client.city
    team.agreed()


# Changed cells

CHANGES: dict[str, tuple[str, Any, Any]] = {
    "text": ("city", "Graz", "Graz"),
    "a number for text": ("postcode", 80_331, "80331"),
    "a word that Google takes for a truth": ("last_name", True, "TRUE"),
    "a real date": ("date_of_birth", 30000, date(1982, 2, 18)),
    "a date with a time": ("date_of_birth", 30000.75, date(1982, 2, 18)),
    "a date as text": ("date_of_birth", "2/18/1982", date(1982, 2, 18)),
    "a truth": ("marketing_consent", True, True),
    "a truth as text": ("marketing_consent", "yes", True),
    "a phone number": ("phone", "202-555-0123", "+12025550123"),
    "a phone number as a number": ("phone", 2025550123, "+12025550123"),
    "one of elsewhere whose plus is gone": ("phone", 436601234567, "+436601234567"),
    "an address": ("email", " Ada@EXAMPLE.com", "ada@example.com"),
    "a country": ("country", "germany", "DE"),
    "tags": ("tags", "B, a;b", ("b", "a")),
    "several lines": ("notes", "one\r\ntwo ", "one\ntwo"),
    "what looks like a formula": ("notes", "=1+1", "=1+1"),
    "nothing": ("city", None, ""),
}


@pytest.mark.slow
def test_a_changed_cell_is_a_change(team: Team) -> None:
    clients = Sheet(team, Client)
    client = team.store.add(first_name="Ada", city="Wien", notes="old")
    other = team.another()
    before = team.stored(other)[Client][client.id]
    for count, (case, (name, typed, value)) in enumerate(CHANGES.items(), start=1):
        clients.put(client, name, typed)
        after = team.stored(other)[Client][client.id]
        assert getattr(after, name) == value, case
        assert team.stored()[Client][client.id] == after, case
        assert last(team)[:2] == ("the spreadsheet", EDITED), case
        assert team.summaries().count(EDITED) == count, case
        with team.repository.read() as snapshot:
            (entry,) = snapshot.changes(limit=1)
        assert entry.after.keys() == entry.before.keys() == {name}, case
        undo(team)
        assert clients.cell(client, name) == cells.cell_of(getattr(before, name)), case
    found = team.agreed()[Client][client.id]
    assert replace(found, version=before.version, updated_at=before.updated_at) == before


@pytest.mark.slow
def test_values_are_read_as_the_team_writes_them(team: Team) -> None:
    team.store.change(
        lambda tx: [tx.add(Setting(key="language", value="de_DE")), tx.add(Setting(key="country", value="DE"))]
    )
    client = team.store.add()
    sale = team.store.sell(client, "1.00")
    Sheet(team, Sale).put(sale, "amount", "1.234,50")
    Sheet(team, Client).put(client, "date_of_birth", "3.4.1980")
    Sheet(team, Client).put(client, "phone", "030 123456")
    found = team.store.client(client)
    assert (found.total_spend, found.date_of_birth) == (Decimal("1234.50"), date(1980, 4, 3))
    assert found.phone == "+4930123456"
    assert Sheet(team, Sale).cell(sale, "amount") == 1234.5
    fresh = team.another()
    assert team.stored(fresh) == team.stored()
    # A new machine reads what is typed as the team writes, too.
    Sheet(team, Sale).put(sale, "amount", "2.000,75")
    assert team.stored(team.another())[Sale][sale.id].amount == Decimal("2000.75")


@pytest.mark.slow
def test_the_time_zone_is_that_of_the_spreadsheet(team: Team) -> None:
    team.store.change(lambda tx: tx.add(Setting(key="time_zone", value="Europe/Vienna")))
    other = team.another()
    team.stored(other)
    assert other.clock.zone.key == "Europe/Vienna"
    (setting,) = (setting for setting in team.stored()[Setting].values() if setting.key == "time_zone")
    Sheet(team, Setting).put(setting, "value", "Asia/Tokyo")
    for repository in (other, team.another()):
        team.stored(repository)
        assert repository.clock.zone.key == "Asia/Tokyo"


@pytest.mark.slow
def test_totals_and_statuses_follow(team: Team) -> None:
    sales = Sheet(team, Sale)
    ada, ben = team.store.add(last_name="Ada"), team.store.add(last_name="Ben")
    one, two = team.store.sell(ada, "100.00"), team.store.sell(ada, "50.00")
    sales.put(one, "amount", 40000)
    assert (team.store.client(ada).total_spend, team.store.client(ada).status) == (Decimal("40050.00"), "VIP")
    sales.put(one, "client", ben.id)
    assert (team.store.client(ada).total_spend, team.store.client(ada).status) == (Decimal("50.00"), "Regular")
    assert (team.store.client(ben).total_spend, team.store.client(ben).status) == (Decimal("40000.00"), "VIP")
    sales.delete(two)
    assert (team.store.client(ada).total_spend, team.store.client(ada).sales_count) == (Decimal("0.00"), 0)
    team.agreed()
    undo(team)
    undo(team)
    assert team.store.client(ada).total_spend == Decimal("40050.00")
    team.agreed()


@pytest.mark.slow
def test_a_status_chosen_in_the_sheet_is_pinned_until_it_is_emptied(team: Team) -> None:
    clients = Sheet(team, Client)
    client = team.store.add()
    clients.type(client, "status", "VIP")
    found = team.store.client(client)
    assert (found.status, found.status_pinned_until, found.status_before) == ("VIP", FOREVER, "Regular")
    team.store.sell(client, "5.00")
    assert team.store.client(client).status == "VIP"
    clients.put(client, "status", None)
    found = team.store.client(client)
    assert (found.status, found.status_pinned_until) == ("Regular", None)
    assert clients.cell(client, "status") == "Regular"
    # Emptied where nothing was pinned, it is filled in again.
    clients.put(client, "status", None)
    team.stored()
    assert clients.cell(client, "status") == "Regular"
    clients.put(client, "status", "Gold")
    assert wrong(team) == [f"clients!{clients.a1(client, 'status')}: no status “Gold”; use one of Regular, VIP."]
    clients.put(client, "status", "Regular")
    team.agreed()


def test_edits_of_different_cells_merge_and_of_the_same_cell_conflict(team: Team) -> None:
    clients = Sheet(team, Client)
    shown = team.store.add(first_name="Ada", city="Wien")
    clients.put(shown, "notes", "by hand")
    team.store.change(lambda tx: tx.change(shown, city="Graz"))
    found = team.store.client(shown)
    assert (found.city, found.notes) == ("Graz", "by hand")
    clients.put(shown, "city", "Linz")
    with pytest.raises(ConflictError) as refused:
        team.store.change(lambda tx: tx.change(found, city="Bonn"))
    assert refused.value.clashes == {"city": ("Graz", "Linz", "Bonn")}
    assert team.agreed()[Client][shown.id].city == "Linz"


@pytest.mark.slow
def test_two_machines_apply_an_edit_by_hand_once(team: Team) -> None:
    client = team.store.add()
    others = [team.another() for _ in range(3)]
    for other in others:
        team.stored(other)
    Sheet(team, Client).put(client, "city", "Graz")
    Sheet(team, Client).add(last_name="New")
    seen = [team.stored(other) for other in (*others, team.repository, *others)]
    assert seen[-1] == seen[-4] == team.stored()
    assert team.summaries().count(EDITED) == 1
    team.agreed()


@pytest.mark.parametrize("edited", ["city", "an account"])
def test_an_edit_that_a_viewer_cannot_apply_is_read_once(team: Team, edited: str) -> None:
    client = team.store.add(city="Wien")
    team.store.change(lambda tx: tx.add(User(name="Ada", email="ada@example.com", role="staff")))
    viewer = team.another()
    viewer.refresh()

    def edit(*values: str) -> None:
        if edited == "city":
            Sheet(team, Client).put(client, "city", values[0])
        else:
            Sheet(team, User).put(User(id=1), "email", values[1])

    def looks(times: int) -> int:
        team.person.reset_counts()
        for _ in range(times):
            viewer.refresh()
        return int(team.person.counts(team.id)["reads"])

    edit("Linz", "eve@example.com")
    team.person.set_access(team.id, READER)
    assert looks(1) >= 1
    # Each look reads the revision, and nothing else.
    assert looks(3) == 3
    # What is changed after that is seen.
    edit("Graz", "bob@example.com")
    assert looks(1) >= 1
    assert looks(3) == 3
    # Whoever may write takes it over.
    team.person.set_access(team.id, WRITER)
    team.stored()
    team.agreed()
    with viewer.read() as snapshot:
        assert snapshot.get(Client, client.id).city == ("Graz" if edited == "city" else "Wien")


# Deleted rows


def test_a_deleted_row_is_a_deletion(team: Team) -> None:
    ada, ben = team.store.add(last_name="Ada"), team.store.add(last_name="Ben")
    sales = [team.store.sell(ada, "10.00"), team.store.sell(ben, "1.00"), team.store.sell(ada, "20.00")]
    before = team.stored()
    other = team.another()
    team.stored(other)
    Sheet(team, Client).delete(ada)
    assert team.stored(other)[Client].keys() == {ben.id}
    assert team.stored()[Sale].keys() == {sales[1].id}
    assert last(team) == (
        "the spreadsheet", EDITED,
        [("client", ada.id, "delete"), ("sale", sales[0].id, "delete"), ("sale", sales[2].id, "delete")],
    )  # fmt: skip
    team.agreed()
    undo(team)
    assert team.agreed() == before


@pytest.mark.slow
def test_a_row_restored_by_hand_is_the_same_record(team: Team) -> None:
    ada = team.store.add(last_name="Ada", extra={"Hat": "M"})
    team.store.sell(ada, "10.00")
    before = team.stored()
    other = team.another()
    team.stored(other)
    row = Sheet(team, Client).cut(ada)
    assert team.stored(other)[Client] == {}
    assert team.stored()[Sale] == {}
    Sheet(team, Client).paste(row, at=5)
    assert team.stored() == before
    assert team.stored(other) == before
    assert last(team)[1:] == (EDITED, [("client", 1, "create"), ("sale", 1, "create")])
    team.agreed()


@pytest.mark.slow
def test_a_row_that_is_cut_and_pasted_has_only_moved(team: Team) -> None:
    people = [team.store.add(last_name=name) for name in "ABC"]
    before, whats = team.stored(), team.summaries()
    Sheet(team, Client).paste(Sheet(team, Client).cut(people[0]))
    assert (team.stored(), team.summaries()) == (before, whats)
    team.agreed()


# Formulas


@pytest.mark.slow
def test_text_that_looks_like_a_formula_stays_text(team: Team) -> None:
    texts = [
        '=HYPERLINK("http://x";"y")',
        "=1+1",
        "+1",
        "-1",
        "@x",
        "'quoted",
        "'",
        "0049",
        "1/2/2026",
        "TRUE",
        "#REF!",
    ]
    for text in texts:
        team.store.add(last_name=text, notes=text, city=text, extra={"Own": text})
    found = sorted(team.agreed()[Client].values(), key=lambda client: client.id)
    assert [client.last_name for client in found] == texts
    assert [client.notes for client in found] == texts
    assert [client.extra for client in found] == [{"Own": text} for text in texts]
    assert all(cell == text for cell, text in zip(_column(team, "last_name"), texts, strict=True))


def _column(team: Team, name: str) -> list[Any]:
    at = Sheet(team, Client).column(name)
    return [row[at] for row in team.person.formulas(team.id, CLIENTS)[1:]]


@pytest.mark.slow
def test_a_formula_in_a_column_of_a_field_is_read_as_its_value(team: Team) -> None:
    client = team.store.add()
    sale = team.store.sell(client, "5.00")
    Sheet(team, Sale).type(sale, "amount", "=19.99*3")
    assert team.store.client(client).total_spend == Decimal("59.97")
    Sheet(team, Sale).type(sale, "amount", "=1/0")
    assert [finding.partition(": ")[2] for finding in wrong(team)] == ["the formula in this cell fails."]
    assert team.store.client(client).total_spend == Decimal("59.97")


@pytest.mark.slow
def test_a_formula_in_a_custom_column_makes_no_history(team: Team) -> None:
    clients = Sheet(team, Client)
    client = team.store.add(extra={"Rank": "1", "Hat": "M"})
    other = team.another()
    team.stored(other)
    clients.type(client, "=Rank", "=1+1")
    whats = team.summaries()
    for rank in range(3, 6):
        assert team.store.client(client).extra == {"Rank": str(rank - 1), "Hat": "M"}
        assert team.stored(other)[Client][1].extra["Rank"] == str(rank - 1)
        clients.type(client, "=Rank", f"=1+{rank - 1}")
    assert team.summaries() == whats
    # It stands in no other change's way, and stays a formula.
    team.store.change(lambda tx: tx.change(tx.get(Client, 1), extra={**tx.get(Client, 1).extra, "Hat": "L"}))
    clients.type(client, "=Rank", "=1/0")
    assert [finding.partition(": ")[2] for finding in wrong(team)] == ["the formula in this cell fails."]
    team.store.change(lambda tx: tx.change(tx.get(Client, 1), city="Graz"))
    assert _column(team, "=Rank") == ["=1/0"]
    assert clients.cell(client, "=Hat") == "L"
    clients.type(client, "=Rank", "7")
    assert team.agreed()[Client][1].extra == {"Rank": "7", "Hat": "L"}
    assert team.summaries().count(EDITED) == 1


# What happened while no mirror lived


@pytest.mark.slow
def test_a_new_machine_finds_what_was_deleted_meanwhile(team: Team) -> None:
    ada, ben = team.store.add(last_name="Ada"), team.store.add(last_name="Ben")
    gone, kept = team.store.sell(ada, "40000.00"), team.store.sell(ada, "5.00")
    orphan = team.store.sell(ben, "6.00")
    Sheet(team, Sale).delete(gone)
    row = Sheet(team, Client).cut(ben)
    fresh = team.another()
    found = team.stored(fresh)
    assert found[Sale].keys() == {kept.id}
    assert found[Client][1].total_spend == Decimal("5.00")
    assert found[Client][1].status == "Regular"
    assert last(team, fresh)[1:] == (
        EDITED,
        [("client", 1, "update"), ("client", 2, "delete"), ("sale", gone.id, "delete"), ("sale", orphan.id, "delete")],
    )  # fmt: skip
    assert wrong(team, fresh) == []
    with pytest.raises(RefusedError, match="is not known"):
        fresh.transact(lambda tx: tx.undo(tx.history(1)[0].id), "undo")
    # Once the client's row is back, the sale is there as well.
    Sheet(team, Client).paste(row)
    assert team.stored(fresh)[Client].keys() == {1, 2}
    assert team.stored(fresh)[Sale].keys() == {kept.id, orphan.id}
    assert wrong(team, fresh) == []


@pytest.mark.slow
def test_a_new_machine_keeps_totals_that_it_cannot_check(team: Team) -> None:
    client = team.store.add()
    sale = team.store.sell(client, "40000.00")
    # Otherwise the history would say when it was.
    with team.repository.read() as snapshot:
        team.repository.forget_history(snapshot.history(limit=1)[0].id + 1, "moved old history")
    Sheet(team, Sale).put(sale, "on", "someday")
    fresh = team.another()
    found = team.stored(fresh)
    assert found[Sale] == {}
    assert found[Client][1].total_spend == Decimal("40000.00")
    assert EDITED not in team.summaries(fresh)
    Sheet(team, Sale).put(sale, "on", 46_000)
    Sheet(team, Sale).put(sale, "amount", 7)
    assert team.stored(fresh)[Client][1].total_spend == Decimal("7.00")
    assert wrong(team, fresh) == []
    assert team.stored() == team.stored(fresh)


@pytest.mark.slow
def test_settings_typed_into_the_sheet_are_checked(team: Team) -> None:
    def check(key: str, value: str, _: Any) -> None:
        if (key, value) != ("language", "de_DE"):
            raise FieldError("no such language")

    for machine in (team.repository, fresh := team.another()):
        machine._check_setting = check
    team.store.change(lambda tx: tx.add(Setting(key="language", value="de_DE")))
    setting = team.stored()[Setting][1]
    Sheet(team, Setting).put(setting, "value", "Klingon")
    assert team.stored()[Setting][1] == setting
    assert team.stored(fresh)[Setting] == {}
    for machine in (team.repository, fresh):
        assert [finding.partition(": ")[2] for finding in wrong(team, machine)] == ["no such language."]


@pytest.mark.many
@pytest.mark.parametrize("above", [True, False])
@pytest.mark.parametrize("first", ["knows", "fresh"])
def test_machines_agree_on_which_of_two_rows_with_one_id_is_the_record(team: Team, above: bool, first: str) -> None:
    """A row is copied, and the copy changed: what one machine decides stands in the sheet for the others."""
    ames = team.store.add(first_name="Ames", city="Bonn")
    team.store.sell(ames, "10.00")
    team.stored()
    sheet = Sheet(team, Client)
    copy = [*team.cells(Client)[1]]
    sheet.paste(copy, 1 if above else None)
    at = 1 if above else 2
    team.person.set_cells(team.id, sheet.title, at, sheet.column("first_name"), [["Ames junior"]])
    fresh = team.another()
    machines = [team.repository, fresh] if first == "knows" else [fresh, team.repository]
    seen = [team.stored(machine)[Client][1].first_name for machine in machines]  # type: ignore[attr-defined]
    assert len(set(seen)) == 1
    assert seen[0] == ("Ames junior" if first == "fresh" and above else "Ames")
    assert wrong(team) == wrong(team, fresh)
    assert len(wrong(team)) == 1
    fresh.transact(lambda tx: tx.change(tx.get(Client, 1), city="Ulm"), "edited")
    assert [team.stored(machine)[Client][1].city for machine in machines] == ["Ulm", "Ulm"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("amount", [10, 25])
def test_an_amount_in_a_date_cell_is_read_once_the_cell_is_formatted_as_an_amount(team: Team, amount: int) -> None:
    sold = team.store.sell(team.store.add(), "10.00")
    sheet = Sheet(team, Sale)
    place = sheet.a1(sold, "amount")
    team.person.set_format(team.id, sheet.title, place, "DATE")
    for cell in (46_027, amount):
        sheet.put(sold, "amount", cell)
        assert team.stored()[Sale][1].amount == 10  # type: ignore[attr-defined]
        assert len(wrong(team)) == 1
    team.person.set_format(team.id, sheet.title, place, "NUMBER")
    assert team.stored()[Sale][1].amount == amount  # type: ignore[attr-defined]
    assert wrong(team) == []
    assert team.agreed()[Client][1].total_spend == amount  # type: ignore[attr-defined]


def _sell_into_a_date_cell(team: Team) -> None:
    """Record a sale whose amount somebody then types into a cell that is formatted as a date."""
    sold = team.store.sell(team.store.add(), "20.00")
    sheet = Sheet(team, Sale)
    team.person.set_format(team.id, sheet.title, sheet.a1(sold, "amount"), "DATE")
    sheet.put(sold, "amount", 46_027)


def test_an_amount_written_over_a_date_is_an_amount_for_everybody(team: Team) -> None:
    _sell_into_a_date_cell(team)
    assert len(wrong(team)) == 1
    team.store.change(lambda tx: tx.change(tx.get(Sale, 1), amount=Decimal("50000.00")))
    assert wrong(team) == []
    assert team.agreed()[Client][1].total_spend == 50_000  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("kind", "amount"), [("PERCENT", "7.00"), pytest.param("DATE", "45000.00", marks=pytest.mark.slow)]
)
def test_a_sale_recorded_into_a_column_of_another_format_is_an_amount_for_everybody(
    team: Team, kind: str, amount: str
) -> None:
    team.store.sell(team.store.add(), "10.00")
    sheet = Sheet(team, Sale)
    column = letters(sheet.column("amount"))
    team.person.set_format(team.id, sheet.title, f"{column}2:{column}100", kind)
    team.store.sell(1, amount)
    assert team.agreed()[Client][1].total_spend == 10 + Decimal(amount)  # type: ignore[attr-defined]


@pytest.mark.slow
def test_a_sale_typed_for_a_client_whose_row_is_deleted_stays_until_the_client_is_back(team: Team) -> None:
    for name in ("Ames", "Berg"):
        team.store.sell(team.store.add(last_name=name), "10.00")
    team.stored()
    Sheet(team, Client).delete(team.stored()[Client][2])
    for client, amount in (("Berg", 99), ("2.0", 98), ("#1", 7), ("1.0", 8)):
        Sheet(team, Sale).add(client=client, amount=amount)
    assert [sale.client for sale in team.stored()[Sale].values()] == [1, 1, 1]  # type: ignore[attr-defined]
    assert [line.partition(": ")[2] for line in wrong(team)] == [
        "no client “Berg”; write the client's ID or its name.",
        "no client 2.",
    ]
    undo(team)
    amounts = [sale.amount for sale in team.agreed()[Sale].values() if sale.client == 2]  # type: ignore[attr-defined]
    assert sorted(amounts) == [10, 98, 99]


def test_a_column_deleted_from_the_history_is_reported_once(team: Team) -> None:
    for _ in range(3):
        team.store.add()
    team.person.delete_column(team.id, "history", 5)
    (line,) = wrong(team)
    assert line.startswith("history!A2:A4: these rows of the history cannot be read")


@pytest.mark.slow
def test_machines_agree_on_totals_while_an_amount_is_unclear(team: Team) -> None:
    _sell_into_a_date_cell(team)
    fresh = team.another("ben")
    assert wrong(team, fresh) == wrong(team)
    fresh.transact(lambda tx: tx.add(Sale(client=1, on=tx.today, amount=Decimal(5))), "sold")
    machines = [team.repository, fresh, team.another()]
    totals = [team.stored(machine)[Client][1].total_spend for machine in machines]  # type: ignore[attr-defined]
    assert totals == [25, 25, 25]
    fresh.transact(lambda tx: tx.delete(tx.get(Client, 1)), "deleted")
    undo(team)
    for machine in machines:
        assert [str(sale.amount) for sale in team.stored(machine)[Sale].values()] == ["5.00", "20.00"]  # type: ignore[attr-defined]


@pytest.mark.many
@pytest.mark.parametrize(("kind", "cell"), [("DATE", 25), ("PERCENT", 15)])
def test_machines_agree_on_a_small_number_in_a_cell_for_a_date(team: Team, kind: str, cell: float) -> None:
    client = team.store.add()
    sales = [team.store.sell(client, amount) for amount in ("20.00", "102.00")]
    sheet = Sheet(team, Sale)
    team.person.set_format(team.id, sheet.title, sheet.a1(sales[1], "amount"), kind)
    sheet.put(sales[1], "amount", cell)
    fresh = team.another("ben")
    for machine in (fresh, team.repository, team.another(), fresh):
        stored = team.stored(machine)
        assert sorted(sale.amount for sale in stored[Sale].values()) == [20, 102]  # type: ignore[attr-defined]
        assert stored[Client][client.id].total_spend == 122  # type: ignore[attr-defined]
        assert len(wrong(team, machine)) == 1
    sheet.put(sales[1], "amount", 60)
    team.person.set_format(team.id, sheet.title, "A1:Z9", "NUMBER")
    assert sorted(sale.amount for sale in team.agreed()[Sale].values()) == [20, 60]  # type: ignore[attr-defined]


def test_a_date_does_not_become_an_amount_by_its_format_alone(team: Team) -> None:
    sold = team.store.sell(team.store.add(), "10.00")
    sheet = Sheet(team, Sale)
    place = sheet.a1(sold, "amount")
    team.person.set_format(team.id, sheet.title, place, "DATE")
    sheet.put(sold, "amount", 46_027)
    assert len(wrong(team)) == 1
    team.person.set_format(team.id, sheet.title, place, "NUMBER")
    assert team.stored()[Sale][1].amount == 10  # type: ignore[attr-defined]
    assert len(wrong(team)) == 1
    sheet.put(sold, "amount", 12)
    assert team.agreed()[Sale][1].amount == 12  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("kind", "cell", "what"),
    [("DATE", 46_027, "a date"), pytest.param("PERCENT", 0.15, "a percentage", marks=pytest.mark.slow)],
)
def test_an_amount_that_google_turned_into_a_date_is_not_an_amount(
    team: Team, kind: str, cell: float, what: str
) -> None:
    sold = team.store.sell(team.store.add(), "10.00")
    sheet = Sheet(team, Sale)
    sheet.put(sold, "amount", cell)
    team.person.set_format(team.id, sheet.title, sheet.a1(sold, "amount"), kind)
    at = sheet.add(client=1, amount=cell)
    team.person.set_format(team.id, sheet.title, f"{letters(sheet.column('amount'))}{at + 1}", kind)
    assert [sale.amount for sale in team.stored()[Sale].values()] == [Decimal("10.00")]  # type: ignore[attr-defined]
    listed = wrong(team)
    assert len(listed) == 2
    assert all(f"this is {what} for Google" in line for line in listed)
    # One that reads the spreadsheet for the first time takes neither for an amount, also when it looks again.
    fresh = team.another()
    for _ in range(2):
        assert [sale.amount for sale in team.stored(fresh)[Sale].values()] == [10]  # type: ignore[attr-defined]
        assert [line for line in wrong(team, fresh) if "for Google" in line] == listed
        sheet.put(sold, "note", "a note")
    other = team.another()
    team.stored(other)
    other.transact(lambda tx: tx.change(tx.get(Client, 1), city="Ulm"), "edited")
    assert [list(team.stored(machine)[Sale]) for machine in (other, fresh)] == [[1], [1]]
    team.person.set_format(team.id, sheet.title, "A1:Z9", "NUMBER")
    sheet.put(sold, "amount", 12)
    team.person.set_cells(team.id, sheet.title, at, sheet.column("amount"), [[7]])
    assert sorted(sale.amount for sale in team.agreed()[Sale].values()) == [7, 12]  # type: ignore[attr-defined]

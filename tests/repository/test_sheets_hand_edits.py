"""What people do in the spreadsheet by hand becomes a change of the store, or is told where it cannot."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.errors import ConflictError, FieldError, NotFoundError, RefusedError
from crm.model import Client, Record, Sale, Setting, StatusRule, View
from crm.model.fields import FOREVER
from crm.repository.sheets.layout import TABS, header, letters
from crm.repository.sheets.repository import SheetsRepository
from tests.repository.sheets_team import CLIENTS, SALES, Team, new_team

EDITED = "edited in the sheet"


@pytest.fixture
def team() -> Iterator[Team]:
    with new_team() as team:
        yield team


class Sheet:
    """The tab of one kind of record, as a person sees and edits it."""

    def __init__(self, team: Team, kind: type[Record]) -> None:
        self.team = team
        self.kind = kind

    @property
    def title(self) -> str:
        tabs = self.team.person.tabs(self.team.id)
        return next(str(tab["title"]) for tab in tabs if tab["sheetId"] == TABS[self.kind].sheet_id)

    @property
    def heading(self) -> list[str]:
        return [str(cell) for cell in self.team.cells(self.kind)[0]]

    def column(self, name: str) -> int:
        """The column of a field, '=Name' for one of the team's own."""
        return self.heading.index(name[1:] if name.startswith("=") else header(self.kind, name))

    def a1(self, record: Record, name: str) -> str:
        row, _ = self.team.place(record)
        return f"{letters(self.column(name))}{row + 1}"

    def type(self, record: Record, name: str, text: str) -> None:
        """Types into the cell of a field, as Google reads what is typed."""
        self.team.person.type(self.team.id, self.title, self.a1(record, name), text)

    def put(self, record: Record, name: str, value: Any) -> None:
        """Puts a value into the cell of a field as it is; None empties it."""
        row, _ = self.team.place(record)
        self.team.person.set_cells(self.team.id, self.title, row, self.column(name), [[value]])

    def cell(self, record: Record, name: str) -> Any:
        row, _ = self.team.place(record)
        cells = [*self.team.cells(self.kind)[row], *[""] * 60]
        return cells[self.column(name)]

    def add(self, at: int | None = None, **given: Any) -> int:
        """Types a new row, below the others unless told; where it stands."""
        place = len(self.team.cells(self.kind)) if at is None else at
        if at is not None:
            self.team.person.insert_rows(self.team.id, self.title, at, 1)
        for name, value in given.items():
            self.team.person.set_cells(self.team.id, self.title, place, self.column(name), [[value]])
        return place

    def delete(self, record: Record) -> None:
        row, _ = self.team.place(record)
        self.team.person.delete_rows(self.team.id, self.title, row, 1)

    def cut(self, record: Record) -> list[Any]:
        """Deletes the row, and remembers it."""
        row, _ = self.team.place(record)
        cells = self.team.cells(self.kind)[row]
        self.delete(record)
        return cells

    def paste(self, cells: list[Any], at: int | None = None) -> int:
        """Puts a row back."""
        place = self.add(at)
        self.team.person.set_cells(self.team.id, self.title, place, 0, [cells])
        return place


def wrong(team: Team, repository: SheetsRepository | None = None) -> list[str]:
    """What `check` finds broken."""
    return [finding.what for finding in (repository or team.repository).check() if finding.wrong]


def last(team: Team, repository: SheetsRepository | None = None) -> tuple[str, str, list[tuple[str, int, str]]]:
    """The last entry of the history: who, what, and to which records."""
    with (repository or team.repository).read() as snapshot:
        entry = snapshot.history(limit=1)[0]
        changes = snapshot.changes(transaction=entry.id)
        return entry.user, entry.what, sorted((each.record, each.record_id, each.operation) for each in changes)


def undo(team: Team) -> None:
    team.store.change(lambda tx: tx.undo(), "undo")


# New rows


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
def test_a_new_row_becomes_a_client(team: Team, typed: dict[str, Any], expected: dict[str, Any]) -> None:
    Sheet(team, Client).add(**typed)
    (client,) = team.stored()[Client].values()
    assert {name: getattr(client, name) for name in expected} == expected
    assert (client.id, client.version, client.status) == (1, 1, "Regular")  # type: ignore[attr-defined]
    assert last(team) == ("the spreadsheet", EDITED, [("client", 1, "create")])
    team.agreed()
    undo(team)
    assert team.agreed()[Client] == {}


def test_new_rows_anywhere_become_records_once(team: Team) -> None:
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
    assert sorted(each.last_name for each in found[Client].values()) == [  # type: ignore[attr-defined]
        "Ada", "Ben", "Between", "Far below", "Further",
    ]  # fmt: skip
    assert [(each.client, each.amount, each.on) for each in found[Sale].values()] == [  # type: ignore[attr-defined]
        (ada.id, Decimal("40000.00"), team.store.today),
        (ben.id, Decimal("12.50"), date(2025, 12, 9)),
    ] or wrong(team)
    assert team.store.client(ada).status == "VIP"
    assert team.store.client(ben).total_spend == Decimal("12.50")
    assert team.whats().count(EDITED) == 1
    assert clients.cell(found[Client][3], "last_name") == "Between"
    team.agreed()


def test_rules_and_views_are_typed_into_the_sheet(team: Team) -> None:
    rules, views = Sheet(team, StatusRule), Sheet(team, View)
    rules.add(position=1, status="Big", when="total_spend >= 500")
    rules.add(position=1, status="Odd", when="total_spend => 500")
    views.add(name="Vienna", condition="country = 'DE'", sort="-total_spend")
    views.add(name="Odd", condition="town = 'Wien'")
    found = team.stored()
    assert {each.status for each in found[StatusRule].values()} == {"VIP", "Regular", "Big"}  # type: ignore[attr-defined]
    assert [each.name for each in found[View].values()] == ["Vienna"]  # type: ignore[attr-defined]
    odd_rule, odd_view = wrong(team)
    assert odd_rule.startswith("rules!D5: ")
    assert odd_view.startswith("views!C3: ")
    team.person.type(team.id, rules.title, "D5", "total_spend > 9")
    team.person.type(team.id, views.title, "C3", "country = 'AT'")
    assert len(team.stored()[StatusRule]) == 4
    assert len(team.agreed()[View]) == 2


def test_a_row_that_says_too_little_waits_until_it_says_enough(team: Team) -> None:
    client = team.store.add()
    sales = Sheet(team, Sale)
    row = sales.add(client=client.id, note="how much?")
    assert wrong(team) == ["sales!D2: a sale needs its amount."] or wrong(team)[0].endswith("a sale needs its amount.")
    assert team.stored()[Sale] == {}
    team.person.set_cells(team.id, SALES, row, sales.column("amount"), [[5]])
    assert len(team.agreed()[Sale]) == 1
    sales.add(client=7, amount=5)
    assert [each.partition(": ")[2] for each in wrong(team)] == ["there is no client 7."]
    # Once there is such a client the sale is taken.
    for _ in range(6):
        team.store.add()
    assert team.store.client(7).total_spend == Decimal("5.00") or wrong(team)
    team.agreed()


def test_rows_of_blanks_and_boxes_are_no_records(team: Team) -> None:
    clients = Sheet(team, Client)
    for _ in range(3):
        clients.add(marketing_consent=False)
    clients.add(notes="   ")
    team.person.insert_rows(team.id, CLIENTS, 1, 5)
    assert team.stored()[Client] == {}
    assert wrong(team) == []
    assert team.store.add().id == 1
    assert team.stored(team.another())[Client].keys() == {1}


def test_a_new_row_with_a_status_is_pinned_and_one_with_a_sum_is_told(team: Team) -> None:
    clients = Sheet(team, Client)
    clients.add(last_name="Ada", status="VIP", total_spend=500)
    (client,) = team.stored()[Client].values()
    assert (client.status, client.status_pinned_until) == ("VIP", FOREVER)  # type: ignore[attr-defined]
    assert wrong(team) == [
        f"clients!{clients.a1(client, 'total_spend')}: this follows from the sales and is not read;"
        " the program says $0.00."
    ]
    team.store.change(lambda tx: tx.change(client, city="Wien"))
    assert clients.cell(client, "total_spend") == 500
    team.store.sell(client.id, "10.00")
    assert clients.cell(client, "total_spend") == 10
    team.agreed()


# Columns


def test_a_new_column_becomes_a_field_of_the_teams_own(team: Team) -> None:
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


def test_columns_of_the_teams_own_are_renamed_moved_and_taken_away(team: Team) -> None:
    clients = Sheet(team, Client)
    ada = team.store.add(last_name="Ada", extra={"Hat": "M", "Shoe": "42"})
    at = clients.column("=Hat")
    team.person.set_cells(team.id, CLIENTS, 0, at, [["Cap"]])
    team.person.move_column(team.id, CLIENTS, clients.column("=Shoe"), 1)
    assert team.store.client(ada).extra == {"Cap": "M", "Shoe": "42"}
    team.person.delete_column(team.id, CLIENTS, clients.column("=Cap"))
    assert team.store.client(ada).extra == {"Shoe": "42"}
    undo(team)
    assert team.agreed()[Client][1].extra == {"Cap": "M", "Shoe": "42"}  # type: ignore[attr-defined]


def test_what_only_looks_different_changes_nothing(team: Team) -> None:
    people = [team.store.add(first_name=name, last_name="Client", city=f"City {name}") for name in "ABCD"]
    team.store.sell(people[1], "12.00")
    before, whats = team.stored(), team.whats()
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
    assert (team.stored(), team.whats()) == (before, whats)
    for client in people:
        team.store.change(lambda tx, each=client: tx.change(each, notes=f"of {each.first_name}"))
        team.store.sell(client, "1.00")
    team.store.add(last_name="New")
    for client in people:
        assert Sheet(team, Client).cell(client, "notes") == f"of {client.first_name}"
        assert Sheet(team, Client).cell(client, "city") == client.city
    team.agreed()


# Changed cells

CHANGES: dict[str, tuple[str, Any, Any]] = {
    "text": ("city", "Graz", "Graz"),
    "a number for text": ("postcode", 8010, "8010"),
    "a word that Google takes for a truth": ("last_name", True, "TRUE"),
    "a real date": ("date_of_birth", 30000, date(1982, 2, 18)),
    "a date with a time": ("date_of_birth", 30000.75, date(1982, 2, 18)),
    "a date as text": ("date_of_birth", "2/18/1982", date(1982, 2, 18)),
    "a truth": ("marketing_consent", True, True),
    "a truth as text": ("marketing_consent", "yes", True),
    "a telephone number": ("phone", "202-555-0123", "+12025550123"),
    "a telephone number as a number": ("phone", 2025550123, "+12025550123"),
    "one of elsewhere whose plus is gone": ("phone", 436601234567, "+436601234567"),
    "an address": ("email", " Ada@EXAMPLE.com", "ada@example.com"),
    "a country": ("country", "germany", "DE"),
    "tags": ("tags", "B, a;b", ("b", "a")),
    "several lines": ("notes", "one\r\ntwo ", "one\ntwo"),
    "what looks like a formula": ("notes", "=1+1", "=1+1"),
    "nothing": ("city", None, ""),
}


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_a_changed_cell_is_a_change(team: Team, change: str) -> None:
    name, typed, value = CHANGES[change]
    clients = Sheet(team, Client)
    before = team.store.add(first_name="Ada", city="Wien", notes="old")
    other = team.another()
    team.stored(other)
    clients.put(before, name, typed)
    after = team.stored(other)[Client][before.id]
    assert team.stored()[Client][before.id] == after
    assert getattr(after, name) == value
    assert last(team)[:2] == ("the spreadsheet", EDITED)
    assert team.whats().count(EDITED) == 1
    with team.repository.read() as snapshot:
        (entry,) = snapshot.changes(limit=1)
    assert entry.after.keys() == entry.before.keys() == {name}
    team.agreed()
    was = getattr(before, name)
    undo(team)
    assert getattr(team.agreed()[Client][before.id], name) == was


def test_typed_as_the_team_writes(team: Team) -> None:
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
    assert team.stored(team.another())[Sale][sale.id].amount == Decimal("2000.75")  # type: ignore[attr-defined]


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
    assert wrong(team) == [f"clients!{clients.a1(client, 'status')}: there is no status “Gold”; one of Regular, VIP."]
    clients.put(client, "status", "Regular")
    team.agreed()


def test_edits_of_other_cells_merge_and_of_the_same_one_clash(team: Team) -> None:
    clients = Sheet(team, Client)
    shown = team.store.add(first_name="Ada", city="Wien")
    clients.put(shown, "notes", "by hand")
    team.store.change(lambda tx: tx.change(shown, city="Graz"))
    found = team.store.client(shown)
    assert (found.city, found.notes) == ("Graz", "by hand")
    clients.put(shown, "city", "Linz")
    with pytest.raises(ConflictError) as refused:
        team.store.change(lambda tx: tx.change(found, city="Bonn"))
    assert refused.value.clashes == {"city": ("Graz", "Linz", "Bonn")}  # type: ignore[attr-defined]
    assert team.agreed()[Client][shown.id].city == "Linz"  # type: ignore[attr-defined]


def test_two_machines_that_notice_make_one_change(team: Team) -> None:
    client = team.store.add()
    others = [team.another() for _ in range(3)]
    for other in others:
        team.stored(other)
    Sheet(team, Client).put(client, "city", "Graz")
    Sheet(team, Client).add(last_name="New")
    seen = [team.stored(other) for other in (*others, team.repository, *others)]
    assert seen[-1] == seen[-4] == team.stored()
    assert team.whats().count(EDITED) == 1
    team.agreed()


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


def test_a_row_put_back_by_hand_is_the_same_record_again(team: Team) -> None:
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


def test_a_row_cut_and_pasted_at_once_has_only_moved(team: Team) -> None:
    people = [team.store.add(last_name=name) for name in "ABC"]
    before, whats = team.stored(), team.whats()
    Sheet(team, Client).paste(Sheet(team, Client).cut(people[0]))
    assert (team.stored(), team.whats()) == (before, whats)
    team.agreed()


# Cells that cannot be taken


BAD: dict[str, tuple[type[Record], str, Any, str]] = {
    "not a date": (Client, "date_of_birth", "soon", "write the date"),
    "a future birthday": (Client, "date_of_birth", 99999, "in the future"),
    "no e-mail": (Client, "email", "ada at home", "not an e-mail address"),
    "no telephone number": (Client, "phone", 12, "no such telephone number"),
    "no country": (Client, "country", "Narnia", "no country has that name"),
    "no truth": (Client, "marketing_consent", "perhaps", "answer yes or no"),
    "no status": (Client, "status", "Gold", "there is no status “Gold”"),
    "a duplicate reference": (Client, "reference", "A-1", "another client already has this reference"),
    "no name": (Client, "last_name", None, "a name is needed"),
    "a failed formula": (Client, "city", "#REF!", "the formula in this cell fails"),
    "a total": (Client, "total_spend", 5, "this follows from the sales and is not read; the program says $7.00"),
    "a reason": (Client, "status_reason", "because", "this follows from the rules and is not read"),
    "a time of the program's": (Client, "created_at", 46000, "this column is the program's own"),
    "a mark of the program's": (Client, "version", "mine", "this column is the program's own"),
    "no mark": (Client, "version", None, "this column is the program's own"),
    "no client": (Sale, "client", 99, "there is no client 99"),
    "a client's name": (Sale, "client", "Ada", "write a whole number"),
    "a negative amount": (Sale, "amount", -5, "an amount cannot be negative"),
    "three decimals": (Sale, "amount", 1.234, "at most two decimals"),
    "no amount": (Sale, "amount", None, "an amount is needed"),
    "no day": (Sale, "on", None, "a sale needs its date"),
    "a broken rule": (StatusRule, "when", "total_spend >=", ""),
    "a rule without a status": (StatusRule, "status", None, ""),
    "a cleared id": (Client, "id", None, "the ID of this row is 2; write it into this cell"),
    "an id of nobody": (Client, "id", 77, "the ID of this row is 2; write it into this cell"),
    "a text for an id": (Client, "id", "two", "the ID of this row is 2; write it into this cell"),
    "the id of another": (Client, "id", 1, "the ID of this row is 2; write it into this cell"),
}  # fmt: skip


# What a machine cannot tell that has never seen the value before: a text is a text, and its clock may be wrong; a
# total that is none of the sales is put right.
_NOT_SEEN_AT_FIRST = {"a future birthday", "no e-mail", "a failed formula", "a total", "a reason"}


@pytest.mark.parametrize("case", BAD, ids=str)
def test_a_bad_value_is_told_kept_and_mended(team: Team, case: str) -> None:
    kind, name, value, told = BAD[case]
    sheet = Sheet(team, kind)
    team.store.add(last_name="First", reference="A-1")
    client = team.store.add(last_name="Second", city="Wien", date_of_birth=date(1980, 1, 2))
    sale = team.store.sell(client, "7.00")
    before = team.stored()
    record = {Client: client, Sale: sale}.get(kind) or before[StatusRule][1]
    record = before[kind][record.id]
    other = team.another()
    team.stored(other)
    good, cell = sheet.cell(record, name), sheet.a1(record, name)
    sheet.put(record, name, value)
    for machine in (team.repository, other):
        assert team.stored(machine) == before
        (found,) = wrong(team, machine)
        assert found.lower().startswith(f"{TABS[kind].title}!{cell}: ".lower())
        assert told.lower() in found.lower()
    assert EDITED not in team.whats()
    # A new machine, which never saw a good value, opens and says the same.
    fresh = team.another()
    team.stored(fresh)
    if case not in _NOT_SEEN_AT_FIRST:
        assert any(each.startswith(f"{TABS[kind].title}!") for each in wrong(team, fresh))
    # Another field of the record is changed: the cell stays.
    if kind is Client and name not in ("version", "created_at", "total_spend"):
        team.store.change(lambda tx: tx.change(tx.get(Client, 2), source="fair"))
        row = next(each for each in team.cells(Client) if "Second" in each or "fair" in each)
        assert (row[sheet.column(name)] if value is not None else None) == value
        assert len(wrong(team)) == 1
        assert len(wrong(team, other)) == 1
    if name == "id":
        column = sheet.column("version")
        row_at = next(at for at, row in enumerate(team.cells(Client)) if row and str(row[column]).startswith("2/"))
        team.person.set_cells(team.id, CLIENTS, row_at, 0, [[good]])
    else:
        sheet.put(record, name, good if good != "" else None)
    for machine in (team.repository, other, fresh):
        team.stored(machine)
        assert wrong(team, machine) == []
    assert team.stored(other) == team.stored()
    assert team.stored(fresh) == team.stored()
    if kind is Client:
        assert replace(team.store.client(2), source="", version=1, updated_at=client.updated_at) == replace(
            before[Client][2], version=1, updated_at=client.updated_at
        )


def test_a_copied_row_is_told_until_it_gets_an_id_of_its_own(team: Team) -> None:
    clients = Sheet(team, Client)
    client = team.store.add(first_name="Ada", extra={"Hat": "M"})
    team.store.sell(client, "40000.00")
    other = team.another()
    team.stored(other)
    row = team.cells(Client)[1]
    at = clients.paste(row, at=1)
    clients_before = team.stored()[Client]
    assert clients_before.keys() == {1}
    for machine in (team.repository, other, team.another()):
        (found,) = wrong(team, machine)
        assert "the ID 1 stands in row" in found
        assert "empty this cell to make the row a new client" in found
    team.person.set_cells(team.id, CLIENTS, at, 0, [[None]])
    found = team.agreed()[Client]
    assert found.keys() == {1, 2}
    assert (found[2].first_name, found[2].total_spend, found[2].status) == ("Ada", 0, "Regular")  # type: ignore[attr-defined]
    assert found[2].extra == {"Hat": "M"}  # type: ignore[attr-defined]


def test_an_edited_copy_never_takes_the_place_of_the_record(team: Team) -> None:
    clients = Sheet(team, Client)
    client = team.store.add(first_name="Ada")
    at = clients.paste(team.cells(Client)[1], at=1)
    team.person.set_cells(team.id, CLIENTS, at, clients.column("first_name"), [["Copy"]])
    assert team.store.client(client).first_name == "Ada"
    team.store.change(lambda tx: tx.change(client, city="Graz"))
    assert [row[clients.column("city")] for row in team.cells(Client)[2:]] == ["Graz"]


def test_rows_that_mix_two_records_are_told_and_left_alone(team: Team) -> None:
    people = [team.store.add(first_name=name, city=f"City {name}") for name in "ABC"]
    team.store.sell(people[0], "5.00")
    before = team.stored()
    other = team.another()
    team.stored(other)
    rows = team.cells(Client)
    # Only the first two columns are sorted.
    for at, row in enumerate(reversed(rows[1:]), start=1):
        team.person.set_cells(team.id, CLIENTS, at, 0, [row[:2]])
    assert team.stored() == before
    assert team.stored(other) == before
    assert len(wrong(team)) == 2
    assert all("mixes the records" in each for each in wrong(team))
    with pytest.raises(RefusedError, match="mixes the records"):
        team.store.change(lambda tx: tx.change(tx.get(Client, 1), notes="lost?"))
    assert team.store.change(lambda tx: tx.change(tx.get(Client, 2), notes="kept")).notes == "kept"
    # A new machine takes neither for the other.
    fresh = team.another()
    assert team.stored(fresh)[Client].keys() == {2}
    assert len(wrong(team, fresh)) == 3
    for at, row in enumerate(rows[1:], start=1):
        team.person.set_cells(team.id, CLIENTS, at, 0, [row[:2]])
    assert team.whats().count(EDITED) == 0
    assert team.stored(fresh) == team.stored() == team.stored(other)
    team.agreed()


# Formulas


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
    found = sorted(team.agreed()[Client].values(), key=lambda each: each.id)
    assert [each.last_name for each in found] == texts  # type: ignore[attr-defined]
    assert [each.notes for each in found] == texts  # type: ignore[attr-defined]
    assert [each.extra for each in found] == [{"Own": text} for text in texts]  # type: ignore[attr-defined]
    assert all(cell == text for cell, text in zip(_column(team, "last_name"), texts, strict=True))


def _column(team: Team, name: str) -> list[Any]:
    at = Sheet(team, Client).column(name)
    return [row[at] for row in team.person.formulas(team.id, CLIENTS)[1:]]


def test_a_formula_in_one_of_our_columns_is_read_as_its_value(team: Team) -> None:
    client = team.store.add()
    sale = team.store.sell(client, "5.00")
    Sheet(team, Sale).type(sale, "amount", "=19.99*3")
    assert team.store.client(client).total_spend == Decimal("59.97")
    Sheet(team, Sale).type(sale, "amount", "=1/0")
    assert [each.partition(": ")[2] for each in wrong(team)] == ["the formula in this cell fails."]
    assert team.store.client(client).total_spend == Decimal("59.97")


def test_a_formula_in_a_column_of_the_teams_own_makes_no_history(team: Team) -> None:
    clients = Sheet(team, Client)
    client = team.store.add(extra={"Rank": "1", "Hat": "M"})
    other = team.another()
    team.stored(other)
    clients.type(client, "=Rank", "=1+1")
    whats = team.whats()
    for rank in range(3, 6):
        assert team.store.client(client).extra == {"Rank": str(rank - 1), "Hat": "M"}
        assert team.stored(other)[Client][1].extra["Rank"] == str(rank - 1)  # type: ignore[attr-defined]
        clients.type(client, "=Rank", f"=1+{rank - 1}")
    assert team.whats() == whats
    # It stands in no other change's way, and stays a formula.
    team.store.change(lambda tx: tx.change(tx.get(Client, 1), extra={**tx.get(Client, 1).extra, "Hat": "L"}))
    clients.type(client, "=Rank", "=1/0")
    assert [each.partition(": ")[2] for each in wrong(team)] == ["the formula in this cell fails."]
    team.store.change(lambda tx: tx.change(tx.get(Client, 1), city="Graz"))
    assert _column(team, "=Rank") == ["=1/0"]
    assert clients.cell(client, "=Hat") == "L"
    clients.type(client, "=Rank", "7")
    assert team.agreed()[Client][1].extra == {"Rank": "7", "Hat": "L"}  # type: ignore[attr-defined]
    assert team.whats().count(EDITED) == 1


# What happened while no mirror lived


def test_a_new_machine_finds_what_was_deleted_meanwhile(team: Team) -> None:
    ada, ben = team.store.add(last_name="Ada"), team.store.add(last_name="Ben")
    gone, kept = team.store.sell(ada, "40000.00"), team.store.sell(ada, "5.00")
    orphan = team.store.sell(ben, "6.00")
    Sheet(team, Sale).delete(gone)
    row = Sheet(team, Client).cut(ben)
    fresh = team.another()
    found = team.stored(fresh)
    assert found[Sale].keys() == {kept.id}
    assert found[Client][1].total_spend == Decimal("5.00")  # type: ignore[attr-defined]
    assert found[Client][1].status == "Regular"  # type: ignore[attr-defined]
    assert last(team, fresh)[1:] == (
        EDITED, [("client", 1, "update"), ("client", 2, "delete"), ("sale", gone.id, "delete")],
    )  # fmt: skip
    (told,) = wrong(team, fresh)
    assert told.endswith(f": there is no client {ben.id}.")
    with pytest.raises(RefusedError, match="is not known"):
        fresh.transact(lambda tx: tx.undo(), "undo")
    assert Sheet(team, Sale).cell(orphan, "amount") == 6
    # Once the client's row is back, the sale is there as well.
    Sheet(team, Client).paste(row)
    assert team.stored(fresh)[Client].keys() == {1, 2}
    assert team.stored(fresh)[Sale].keys() == {kept.id, orphan.id}
    assert wrong(team, fresh) == []


def test_a_new_machine_leaves_totals_alone_that_it_cannot_prove(team: Team) -> None:
    client = team.store.add()
    sale = team.store.sell(client, "40000.00")
    Sheet(team, Sale).put(sale, "amount", "much")
    fresh = team.another()
    found = team.stored(fresh)
    assert found[Sale] == {}
    assert found[Client][1].total_spend == Decimal("40000.00")  # type: ignore[attr-defined]
    assert EDITED not in team.whats(fresh)
    Sheet(team, Sale).put(sale, "amount", 7)
    assert team.stored(fresh)[Client][1].total_spend == Decimal("7.00")  # type: ignore[attr-defined]
    assert wrong(team, fresh) == []
    assert team.stored() == team.stored(fresh)


def test_settings_typed_into_the_sheet_are_checked(team: Team) -> None:
    def check(key: str, value: str, _: Any) -> None:
        if (key, value) != ("language", "de_DE"):
            raise FieldError("no such language")

    for machine in (team.repository, fresh := team.another()):
        machine._check_setting = check  # type: ignore[assignment]
    team.store.change(lambda tx: tx.add(Setting(key="language", value="de_DE")))
    setting = team.stored()[Setting][1]
    Sheet(team, Setting).put(setting, "value", "Klingon")
    assert team.stored()[Setting][1] == setting
    assert team.stored(fresh)[Setting] == {}
    for machine in (team.repository, fresh):
        assert [each.partition(": ")[2] for each in wrong(team, machine)] == ["no such language."]


# All of it, in any order


class Interleaving:
    """Two programs and a person at work on one spreadsheet; `notes` is what the programs wrote last, by client."""

    def __init__(self, team: Team) -> None:
        self.team = team
        self.machines = [team.repository, team.another("ben")]
        self.notes: dict[int, str] = {}
        self.sales: dict[int, int] = {}
        self.gone: set[int] = set()
        self.gone_sales: set[int] = set()
        self.written = 0

    # What a program does; it may be told that a record is not there any more.

    def adds(self, machine: int, _: int) -> None:
        client = self._transact(machine, lambda tx: tx.add(Client(kind="person", last_name="x", notes="new")))
        self.notes[client.id] = "new"

    def sells(self, machine: int, which: int) -> None:
        client = self._one(self.notes, which)
        sold = Sale(client=client, on=self.team.store.today, amount=Decimal(which + 1))
        if (sale := self._transact(machine, lambda tx: tx.add(sold))) is not None:
            self.sales[sale.id] = client

    def edits(self, machine: int, which: int) -> None:
        client, text = self._one(self.notes, which), f"note {self.written}"
        if self._transact(machine, lambda tx: tx.change(tx.get(Client, client), notes=text)) is not None:
            self.notes[client] = text

    def removes(self, machine: int, which: int) -> None:
        client = self._one(self.notes, which)
        if client > 1 and self._transact(machine, lambda tx: tx.delete(tx.get(Client, client)) or client) is not None:
            self.gone.add(client)

    def starts_anew(self, machine: int, _: int) -> None:
        self.machines[machine] = self.team.another("new")

    def _transact(self, machine: int, change: Callable[[Any], Any]) -> Any:
        try:
            done = self.machines[machine].transact(change, "by a program")
        except (NotFoundError, RefusedError):
            return None
        self.written += 1
        return done

    def looks(self, machine: int, _: int) -> None:
        self.team.stored(self.machines[machine])

    # What a person does

    def types(self, where: int, which: int) -> None:
        kind, name, value = ((Client, "city", f"City {which}"), (Sale, "amount", which + 0.5))[where]
        if record := self._there(kind, which):
            Sheet(self.team, kind).put(record, name, value)

    def types_a_row(self, where: int, which: int) -> None:
        at = 1 + which % 3
        if where:
            Sheet(self.team, Client).add(at, last_name="typed", city=f"City {which}")
        else:
            Sheet(self.team, Sale).add(at, client=1, amount=which)

    def deletes(self, where: int, which: int) -> None:
        kind = (Client, Sale)[where]
        record = self._there(kind, which)
        if record is not None and (kind is Sale or record.id > 1):
            (self.gone if kind is Client else self.gone_sales).add(record.id)
            Sheet(self.team, kind).delete(record)

    def sorts(self, where: int, which: int) -> None:
        self._move("sort", (CLIENTS, SALES)[where], which % 4, bool(which % 2))

    def drags(self, where: int, which: int) -> None:
        self._move("move_rows", (CLIENTS, SALES)[where], 1 + which % 3, 1, 5)

    def drags_a_column(self, where: int, which: int) -> None:
        self._move("move_column", (CLIENTS, SALES)[where], which % 4, 3 + which % 3 if which % 4 < 3 else 1)

    def cuts_and_pastes(self, where: int, which: int) -> None:
        kind = (Client, Sale)[where]
        if record := self._there(kind, which):
            sheet = Sheet(self.team, kind)
            sheet.paste(sheet.cut(record))

    def makes_room(self, where: int, which: int) -> None:
        self._move("insert_rows", (CLIENTS, SALES)[where], 1 + which % 3, 1)

    def _move(self, method: str, *arguments: Any) -> None:
        """At once, or in the moment before the next write."""
        if sum(map(hash, arguments[1:])) % 2:
            self.team.in_the_window([method, *arguments])
        else:
            getattr(self.team.person, method)(self.team.id, *arguments)

    def _there(self, kind: type[Record], which: int) -> Any:
        rows = self.team.cells(kind)
        at = rows[0].index("ID")
        ids = [row[at] for row in rows[1:] if len(row) > at and row[at] != ""]
        return replace(kind(), id=self._one(ids, which)) if ids else None

    @staticmethod
    def _one(some: Any, which: int) -> int:
        found = sorted(some)
        return int(found[which % len(found)])

    def finish(self) -> None:
        """Everybody looks until nothing is left to do; then all that was promised must hold."""
        self.team.person.clear_faults()
        for machine in (*self.machines, *self.machines):
            self.team.stored(machine)
        found = self.team.stored()
        assert self.team.stored(self.machines[1]) == found
        assert wrong(self.team) == wrong(self.team, self.machines[1]) == []
        for client, notes in self.notes.items():
            assert (client in self.gone) != (client in found[Client])
            if client in found[Client]:
                assert found[Client][client].notes == notes  # type: ignore[attr-defined]
        for sale, client in self.sales.items():
            assert (sale in self.gone_sales or client in self.gone) or sale in found[Sale]
        assert self.team.whats().count("by a program") == self.written
        self.team.agreed()


_PROGRAM = ("adds", "sells", "sells", "edits", "edits", "removes", "looks", "starts_anew")
_PERSON = (
    "types", "types_a_row", "deletes", "cuts_and_pastes", "sorts", "drags", "drags_a_column", "makes_room",
)  # fmt: skip
_STEPS = st.lists(
    st.tuples(st.sampled_from(_PROGRAM + _PERSON), st.integers(0, 1), st.integers(0, 9)), min_size=4, max_size=14
)


@settings(max_examples=20)
@given(_STEPS)
def test_programs_and_people_at_once(steps: list[tuple[str, int, int]]) -> None:
    with new_team() as team:
        work = Interleaving(team)
        for step in [("adds", 0, 0), ("adds", 1, 0), ("sells", 0, 1), *steps]:
            name, where, which = step
            getattr(work, name)(where, which)
        work.finish()

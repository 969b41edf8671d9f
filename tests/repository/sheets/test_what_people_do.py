"""A table of everything people do to a spreadsheet: the action, and the state that must follow.

The store has four clients and five sales, of 145.00 in all. Unless a row says otherwise, each amount and client is as
it was, `check` names nothing, the program goes on saving, and a fresh computer sees the same as one that knew more.
"""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest

from crm.errors import CRMError, StoreDamagedError, StoreNotSetUpError
from crm.model import RECORDS, Client, Record, Sale, StatusRule
from crm.repository.sheets.grid.layout import letters
from crm.repository.sheets.repository import SheetsRepository
from tests.support.by_hand import Sheet, undo
from tests.support.sheets_team import CLIENTS, SALES, Team, new_team

AMOUNTS = [10, 20, 30, 40, 45]


@dataclass(frozen=True)
class Case:
    """An action of a person in the sheet. `named` are texts that `check` must show, `notice` is shown above every page
    while nothing can be saved. `sales` are the amounts afterwards, `clients` their number; `holds` is whatever else
    must hold."""

    act: Callable[[Team], Any]
    named: Sequence[str] = ()
    notice: str = ""
    sales: Sequence[float] = field(default_factory=lambda: AMOUNTS)
    clients: int = 4
    holds: Callable[[Team], bool] = lambda _: True
    # Whether programs can go on saving; unless told, where there is no notice.
    saves: bool | None = None
    # A computer that has never seen the store reads the same (as valid cells that nothing records count there, without
    # waiting to be saved), but for fields of which the history holds nothing, which
    # are empty there, and kinds of record that it cannot tell apart and leaves out. What its check and its notice say
    # is given where that is not the same.
    unknown: Sequence[str] = ()
    left_out: Sequence[type[Record]] = ()
    fresh_named: Sequence[str] | None = None
    fresh_notice: str | None = None

    @property
    def goes_on(self) -> bool:
        return not self.notice if self.saves is None else self.saves


@pytest.fixture
def team() -> Iterator[Team]:
    with new_team() as team:
        for name in ("Ames", "Berg", "Cole", "Dahl"):
            team.store.add(last_name=name, city=f"City of {name}", email=f"{name.lower()}@example.com")
        for client, amount in zip((1, 2, 3, 4, 1), AMOUNTS, strict=True):
            team.store.sell(client, str(amount))
        yield team


# Words for the acts


def _client(team: Team, number: int = 2) -> Any:
    return team.stored()[Client][number]


def _sale(team: Team, number: int = 2) -> Any:
    return team.stored()[Sale][number]


def _put(kind: Any, number: int, name: str, value: Any) -> Callable[[Team], None]:
    return lambda team: Sheet(team, kind).put(team.stored()[kind][number], name, value)


def _typed(kind: Any, number: int, name: str, text: str) -> Callable[[Team], None]:
    return lambda team: Sheet(team, kind).type(team.stored()[kind][number], name, text)


def _as(kind: str, act: Callable[[Team], Any]) -> Callable[[Team], Any]:
    """The same in a cell that Google shows as a date or a percentage."""

    def act_so(team: Team) -> None:
        team.person.set_format(team.id, SALES, Sheet(team, Sale).a1(_sale(team), "amount"), kind)
        act(team)

    return act_so


def _new_sale_typed(amount: str) -> Callable[[Team], None]:
    """Type a sale into the first empty row, where Google says what the text of the amount is."""

    def act(team: Team) -> None:
        sheet = Sheet(team, Sale)
        place = sheet.add(client=1)
        team.person.type(team.id, SALES, f"{letters(sheet.column('amount'))}{place + 1}", amount)

    return act


def _new_sale(client: Any, amount: Any) -> Callable[[Team], Any]:
    return lambda team: Sheet(team, Sale).add(client=client, amount=amount)


def _person(name: str, *arguments: Any) -> Callable[[Team], Any]:
    return lambda team: getattr(team.person, name)(team.id, *arguments)


def _all(*acts: Callable[[Team], Any]) -> Callable[[Team], None]:
    return lambda team: [act(team) for act in acts] and None


def _heading(tab: Any, name: str, text: str | None) -> Callable[[Team], Any]:
    def rename(team: Team) -> None:
        at = team.cells(tab)[0].index(name)
        team.person.set_cells(team.id, CLIENTS if tab is Client else SALES, 0, at, [[text]])

    return rename


def _in_locale(locale: str, act: Callable[[Team], Any]) -> Callable[[Team], Any]:
    def act_there(team: Team) -> None:
        team.person._document(team.id).change(
            lambda book: setattr(book, "properties", {**book.properties, "locale": locale})
        )
        act(team)

    return act_there


def _pasted(count: int, without_name: int) -> Callable[[Team], Any]:
    def paste(team: Team) -> None:
        at = team.cells(Client)[0].index("City")
        rows = [["", "", "" if place < without_name else f"Pasted {place}"] for place in range(count)]
        top = len(team.cells(Client))
        team.person.set_cells(team.id, CLIENTS, top, 0, [[cell or None for cell in row] for row in rows])
        team.person.set_cells(team.id, CLIENTS, top, at, [["Graz"]] * count)

    return paste


def _copied_row(team: Team) -> None:
    cells = team.cells(Client)[2]
    Sheet(team, Client).paste([*cells[:2], "Berg junior", *cells[3:]], 1)


def _emptied(*names: str) -> Callable[[Team], Any]:
    def empty(team: Team) -> None:
        for name in names:
            at = team.cells(Client)[0].index(name)
            rows = len(team.cells(Client)) - 1
            team.person.set_cells(team.id, CLIENTS, 1, at, [[None]] * rows)

    return empty


def _csv_over(team: Team) -> None:
    team.person.clear_cells(team.id, CLIENTS, "A1:AM50")
    team.person.set_cells(team.id, CLIENTS, 0, 0, [["Name", "Mail"], ["Ames", "a@example.com"]])


def _title_row(team: Team) -> None:
    team.person.insert_rows(team.id, CLIENTS, 0, 1)
    team.person.set_cells(team.id, CLIENTS, 0, 0, [["Our clients"]])


def _sorted_alone(name: str) -> Callable[[Team], Any]:
    def sort(team: Team) -> None:
        at = team.cells(Client)[0].index(name)
        column = [row[at] if at < len(row) else None for row in team.cells(Client)[1:]]
        cells = [[cell or None] for cell in sorted(column, reverse=True)]
        team.person.set_cells(team.id, CLIENTS, 1, at, cells)

    return sort


def _merged(team: Team) -> None:
    def merge(book: Any) -> None:
        sheet, at = book.titled(CLIENTS), team.cells(Client)[0].index("City")
        sheet.lying["merges"].append(
            {
                "sheetId": sheet.id,
                "startRowIndex": 1,
                "endRowIndex": 3,
                "startColumnIndex": at,
                "endColumnIndex": at + 1,
            }
        )

    team.person._document(team.id).change(merge)
    _put(Client, 2, "city", None)(team)


def _city(team: Team, number: int = 2) -> str:
    return str(_client(team, number).city)


def _rule(team: Team) -> Any:
    return getattr(team.stored()[StatusRule][1], "when", "")


def _total(team: Team, number: int) -> Decimal:
    total: Decimal = _client(team, number).total_spend
    return total


def _extra(team: Team, number: int = 2) -> Any:
    return _client(team, number).extra


def _undone(team: Team) -> None:
    """A program reads what was done by hand, and undoes it in the history."""
    team.repository._look_at_sheet()
    team.stored()
    undo(team)


def _deleted_and_back(team: Team) -> None:
    """A row is deleted, a program sees that, and Ctrl-Z takes it back."""
    at, _ = team.place(_sale(team))
    row = Sheet(team, Sale).cut(_sale(team))
    assert len(team.stored()[Sale]) == 4
    Sheet(team, Sale).paste(row, at)


def _replaced(team: Team) -> None:
    """File, Import, Replace spreadsheet."""
    team.person.add_tab(team.id, "import")
    for tab in team.person.tabs(team.id):
        if tab["title"] != "import":
            team.person.delete_tab(team.id, tab["title"])
    team.person.set_cells(team.id, "import", 0, 0, [["Name"], ["Ada"]])


def _restored(team: Team) -> None:
    """File, Version history: a sale was made since."""
    document = team.person._document(team.id)
    older = document.book
    team.store.sell(1, "1.00")
    document.change(lambda book: vars(book).update(vars(older)))


def _copied(team: Team) -> None:
    copy = team.person.make_like(team.id)
    team.person.clear_cells(copy, CLIENTS, "A1:AM50")
    team.person.delete(copy)


LONG = "x" * 30_000
# As many characters as notes may have: the history has them twice, before and after.
LONGEST = "é" * 20_000
CASES: dict[str, Case] = {
    # Tabs
    "the tab clients deleted": Case(_person("delete_tab", CLIENTS), notice="lost its tab “clients”"),
    "the hidden history deleted": Case(_person("delete_tab", "history"), notice="lost its tab “history”"),
    "the hidden before images deleted": Case(_person("delete_tab", "crm before"), notice="lost its tab “crm before”"),
    "the hidden tab crm deleted": Case(_person("delete_tab", "crm"), notice="lost its tab “crm”"),
    "a file over the spreadsheet": Case(_replaced, notice="The tabs of this program are gone"),
    "an older version restored": Case(
        _restored, notice="An older version of the spreadsheet was put back", saves=True, fresh_notice=""
    ),
    "the spreadsheet copied, and the copy edited": Case(_copied),
    "a tab duplicated": Case(_person("copy_tab", CLIENTS)),
    "a tab duplicated, the original deleted, the copy renamed": Case(
        _all(
            _person("copy_tab", CLIENTS, "copy"), _person("delete_tab", CLIENTS), _person("rename_tab", "copy", CLIENTS)
        ),
        notice="lost its tab “clients”",
    ),
    "a tab converted to a table": Case(_person("convert_to_table", SALES, {"Amount": "CURRENCY", "Date": "DATE"})),
    # Headings
    "a heading renamed": Case(
        _heading(Client, "City", "Town"),
        named=["the column “City” is gone", "the new column “Town” is not read"],
        unknown=["city", "extra"],
        fresh_named=["the column “City” is gone"],
    ),
    "a column deleted": Case(
        lambda team: team.person.delete_column(team.id, CLIENTS, team.cells(Client)[0].index("City")),
        named=["the column “City” is gone"],
        unknown=["city"],
    ),
    "the ID's heading renamed": Case(_heading(Client, "ID", "Number"), notice="A1 says “Number” and said “ID”"),
    "the heading deleted": Case(_person("delete_rows", CLIENTS, 0, 1), notice="lost its heading"),
    "the heading dragged away": Case(_person("move_rows", CLIENTS, 0, 1, 3), notice="It stands in row 3"),
    "a title row above": Case(_title_row, notice="It stands in row 2: delete row 1"),
    "two columns of one name": Case(_heading(Client, "Address", "City"), named=["City"], unknown=["city"]),
    "columns moved and hidden, one of one's own": Case(
        _all(
            _person("move_column", CLIENTS, 12, 1),
            _person("hide_columns", CLIENTS, 3, 2),
            lambda team: team.person.set_cells(team.id, CLIENTS, 0, 45, [["Dog"], [None], ["Rex"]]),
        ),
        holds=lambda team: _extra(team) == {"Dog": "Rex"} and _city(team) == "City of Berg",
    ),
    # Formulas
    "a formula that fails in an amount": Case(
        _typed(Sale, 2, "amount", "=1/0"), named=["the formula in this cell fails"]
    ),
    "a formula that fails in a total": Case(
        _typed(Client, 2, "total_spend", "=1/0"), named=["formula in this cell fails"]
    ),
    "a formula that works in a total": Case(_typed(Client, 2, "total_spend", "=10+10")),
    "IMPORTRANGE in an e-mail address": Case(
        _typed(Client, 2, "email", '=IMPORTRANGE("x","y")'), named=["not an e-mail address"], unknown=["email"]
    ),
    # Dates
    "a date typed": Case(_typed(Sale, 2, "on", "3/4/2026"), holds=lambda team: str(_sale(team).on) == "2026-03-04"),
    "a date as text": Case(_put(Sale, 2, "on", "31.12.2025"), holds=lambda team: str(_sale(team).on) == "2025-12-31"),
    "a date as text with a short year": Case(
        _put(Sale, 2, "on", "12/31/25"), holds=lambda team: str(_sale(team).on) == "2025-12-31"
    ),
    "a date as text that could be of two months": Case(
        _put(Sale, 2, "on", "01/02/2025"), holds=lambda team: str(_sale(team).on) == "2025-01-02"
    ),
    "a date that is none": Case(_put(Sale, 2, "on", "31.31.2025"), named=["no month 31"]),
    # Amounts
    "an amount with its currency": Case(_put(Sale, 2, "amount", "$1,234.50"), sales=[10, 30, 40, 45, 1234.5]),
    "an amount in euros": Case(_put(Sale, 2, "amount", "7 EUR"), named=["sales!"]),
    "an amount as in Germany elsewhere": Case(_put(Sale, 2, "amount", "36.000,00"), named=["sales!"]),
    "a negative amount": Case(_put(Sale, 2, "amount", -5), named=["an amount cannot be negative"]),
    "a truth for an amount": Case(_put(Sale, 2, "amount", True), named=["sales!"]),
    "three decimals": Case(_put(Sale, 2, "amount", 12.345), named=["at most two decimals"]),
    "three decimals in an amount of thousands": Case(
        _put(Sale, 2, "amount", 99_999.999), named=["at most two decimals"]
    ),
    "three decimals as text": Case(_put(Sale, 2, "amount", "12.345"), named=["at most two decimals"]),
    "too large an amount": Case(_put(Sale, 2, "amount", 1e13), named=["that is too large"]),
    "a date for an amount": Case(_as("DATE", _put(Sale, 2, "amount", 46027)), named=["a date for Google"]),
    "a per cent for an amount": Case(_as("PERCENT", _put(Sale, 2, "amount", 0.15)), named=["a percentage for Google"]),
    "a date typed for an amount": Case(_typed(Sale, 2, "amount", "1/5/2026"), named=["a date for Google"]),
    "a per cent typed for an amount": Case(_typed(Sale, 2, "amount", "15%"), named=["a percentage for Google"]),
    "a time typed for an amount": Case(_typed(Sale, 2, "amount", "10:30"), named=["a time for Google"]),
    "a new sale with a date for its amount": Case(_new_sale_typed("1/5/2026"), named=["a date for Google"]),
    "a new sale with a per cent for its amount": Case(_new_sale_typed("15%"), named=["a percentage for Google"]),
    "an amount typed": Case(_new_sale_typed("1,234.50"), sales=[10, 20, 30, 40, 45, 1234.5]),
    "an amount typed with its currency": Case(_new_sale_typed("$45,000"), sales=[10, 20, 30, 40, 45, 45_000]),
    "an amount as in Germany": Case(
        _in_locale("de_DE", _typed(Sale, 2, "amount", "1.234,56")), sales=[10, 30, 40, 45, 1234.56]
    ),
    # Rows
    "merged cells": Case(_merged, named=["merged cells"], holds=lambda team: _city(team) == ""),
    "a filter, hidden and blank rows": Case(
        _all(
            _person("filter", SALES, 3, ["10"]),
            _person("hide_rows", CLIENTS, 1, 2),
            _person("insert_rows", CLIENTS, 2, 3),
            _person("insert_rows", SALES, 6, 200),
        )
    ),
    "rows pasted, some without a name": Case(_pasted(60, 5), named=["give a name"] * 5, clients=59),
    "a row copied above its original": Case(_copied_row, named=[" too; empty this cell"]),
    "the IDs emptied": Case(_emptied("ID"), named=["the ID of this row is"] * 4),
    "the IDs and versions emptied": Case(
        _emptied("ID", "Version"),
        named=["the ID of this row is"] * 4,
        left_out=[Client, Sale],
        fresh_named=["4 of the clients", *["no client"] * 5],
        fresh_notice="4 clients",
    ),
    "a sale with the name of its client": Case(
        _new_sale("berg", 7), sales=[7, *AMOUNTS], holds=lambda team: _total(team, 2) == 27
    ),
    "a sale with a client of nobody": Case(_new_sale("Nobody", 7), named=["no client “Nobody”"]),
    "a sale with an ID that there is not": Case(_new_sale(99, 7), named=["no client 99"]),
    "a sale with an ID as text": Case(_new_sale("2", 7), sales=[7, *AMOUNTS], holds=lambda team: _total(team, 2) == 27),
    "a total below the sales": Case(
        lambda team: team.person.set_cells(team.id, SALES, 7, team.cells(Sale)[0].index("Amount"), [[145]]),
        named=["a sale needs its client"],
    ),
    "one column sorted alone": Case(
        _sorted_alone("City"),
        holds=lambda team: sorted(_city(team, at) for at in (1, 2)) == ["City of Cole", "City of Dahl"],
    ),
    "the IDs sorted alone": Case(
        _sorted_alone("ID"),
        named=["mixes the records"],
        saves=False,
        left_out=[Client, Sale],
        fresh_named=[*["mixes the records"] * 4, *["no client"] * 5],
        fresh_notice="Statuses are not reviewed",
    ),
    "all rows deleted": Case(_person("delete_rows", SALES, 1, 5), sales=[]),
    "a row deleted, and undone": Case(_all(_person("delete_rows", SALES, 2, 1), _undone)),
    "a row deleted, and undone in the sheet": Case(_deleted_and_back),
    "all cells emptied": Case(_person("clear_cells", CLIENTS, "A1:AM50"), notice="has lost its heading"),
    "a CSV file over the tab": Case(_csv_over, notice="lost its heading"),
    "the history sorted": Case(
        lambda team: team.person.sort(team.id, "history", 0, True), holds=lambda team: len(team.summaries()) >= 9
    ),
    # Long texts, chips, telephone numbers
    "a long text": Case(_put(Client, 2, "notes", LONG), named=["clients!"]),
    "as long a text as a cell holds": Case(_put(Client, 2, "notes", "x" * 50_000), named=["clients!"]),
    "a text as long as it may be, undone, typed again and replaced": Case(
        _all(
            _put(Client, 2, "notes", LONGEST),
            _undone,
            _put(Client, 2, "notes", LONGEST),
            lambda team: team.stored(),
            _put(Client, 2, "notes", LONGEST[::-1].replace("é", "ü")),
            _undone,
        ),
        holds=lambda team: _client(team).notes == LONGEST,
    ),
    "two addresses in one cell": Case(
        _put(Client, 2, "email", "a@example.com, b@example.com"), named=["e-mail"], unknown=["email"]
    ),
    "a chip that shows a name": Case(
        _put(Client, 2, "email", "Ada Berg"), named=["not an e-mail address"], unknown=["email"]
    ),
    "a chip that is its placeholder": Case(
        _put(Client, 2, "email", "@"), named=["not an e-mail address"], unknown=["email"]
    ),
    "a phone number without its zero": Case(
        _put(Client, 2, "phone", 2025550123), holds=lambda team: _client(team).phone == "+12025550123"
    ),
    "a postcode that has become a number": Case(
        _all(
            lambda team: team.store.change(lambda tx: tx.change(tx.get(Client, 2), postcode="01067")),
            _put(Client, 2, "postcode", 1067),
        ),
        named=["Google has made a number of “01067”"],
        holds=lambda team: _client(team).postcode == "01067",
    ),
    "a new row with a postcode that has lost its zero": Case(
        lambda team: Sheet(team, Client).add(last_name="New", country="DE", postcode=1067),
        named=["dropped the zeros"],
        clients=5,
        holds=lambda team: _client(team, 5).postcode == "",
    ),
    "a reference that has become a number": Case(
        _all(
            lambda team: team.store.change(
                lambda tx: tx.add(Client(kind="person", last_name="New", reference="000123", extra={"Hat": "007"}))
            ),
            _put(Client, 5, "reference", 123),
            _put(Client, 5, "=Hat", 7),
        ),
        named=["Google has made a number of “000123”", "Google has made a number of “007”"],
        clients=5,
        holds=lambda team: (_client(team, 5).reference, _extra(team, 5)) == ("000123", {"Hat": "007"}),
    ),
    "a postcode typed as a number": Case(
        _put(Client, 2, "postcode", 80_331), holds=lambda team: _client(team).postcode == "80331"
    ),
    "a postcode typed without its zero": Case(_put(Client, 2, "postcode", 1067), named=["dropped the zeros"]),
    "a row of a form": Case(
        lambda team: Sheet(team, Client).add(last_name="Form", email="FORM@Example.com", marketing_consent=False),
        clients=5,
        holds=lambda team: _client(team, 5).email == "form@example.com",
    ),
    # Statuses and rules
    "a status typed in small letters": Case(_put(Client, 2, "status", "vip"), named=["no status “vip”"]),
    "a status with a blank": Case(_put(Client, 2, "status", "VIP "), holds=lambda team: _client(team).status == "VIP"),
    "a truth for a status": Case(_put(Client, 2, "status", True), named=["no status"]),
    "a script over totals": Case(_put(Client, 2, "total_spend", 5), named=["follows from the sales"], fresh_named=[]),
    "a rule edited": Case(
        _put(StatusRule, 1, "when", "total_spend >= 40"), holds=lambda team: _rule(team) == "total_spend >= 40"
    ),
    "a broken rule": Case(
        _put(StatusRule, 1, "when", "total_spend >="),
        named=["rules!"],
        left_out=[StatusRule],
        fresh_notice="Statuses are not reviewed on this computer",
    ),
    # Protection, markers
    "a named range deleted": Case(
        lambda team: team.person._document(team.id).change(lambda book: setattr(book, "named", []))
    ),
    "a tab protected, and a city typed": Case(
        _all(_person("protect", CLIENTS), _put(Client, 2, "city", "Ulm")), notice="clients", fresh_notice=""
    ),
}


@pytest.mark.many(3)
@pytest.mark.whole
@pytest.mark.parametrize("name", CASES)
def test_the_store_is_right_after_each_edit_by_hand(team: Team, name: str) -> None:
    case = CASES[name]
    case.act(team)
    team.repository._look_at_sheet()
    found = team.stored()
    amounts = [sale.amount for sale in found[Sale].values()]  # type: ignore[attr-defined]
    assert sorted(amounts) == sorted(Decimal(str(amount)) for amount in case.sales)
    assert len(found[Client]) == case.clients
    _says(team.repository, case.notice, case.named)
    _is_same_for_a_fresh_one(team, case, found)
    assert case.holds(team)
    if not case.goes_on:
        with pytest.raises(CRMError):
            team.store.sell(2, "1.00")
    else:
        team.store.sell(3, "1.00")
        sold = [sale.amount for sale in team.stored()[Sale].values() if sale.client == 3]  # type: ignore[attr-defined]
        assert _total(team, 3) == sum(sold)


def _says(machine: SheetsRepository, notice: str, named: Sequence[str]) -> None:
    """Make sure that a computer says what it must, and nothing else."""
    assert (notice in machine.notice()) if notice else machine.notice() == ""
    if notice and not named:
        return
    findings = [finding.what for finding in machine.check() if finding.wrong]
    assert len(findings) >= len(named)
    assert bool(findings) == bool(named), findings
    for text in named:
        assert any(text in finding for finding in findings), findings


def _is_same_for_a_fresh_one(team: Team, case: Case, found: dict[type[Record], dict[int, Record]]) -> None:
    """Make sure that a computer which has never seen the store reads the same, and changes nothing for the others."""
    fresh = team.another()
    try:
        fresh._look_at_sheet()
        seen = team.stored(fresh)
    except (StoreDamagedError, StoreNotSetUpError):
        assert not case.goes_on
        return
    for kind in RECORDS:
        if kind in case.left_out:
            assert len(seen[kind]) < len(found[kind])
        else:
            assert _values(seen[kind], case.unknown) == _values(found[kind], case.unknown)
    for number, client in seen[Client].items():
        for name in case.unknown:
            known = getattr(found[Client][number], name)
            assert getattr(client, name) in ("", known, {"Town": getattr(found[Client][number], "city", "")})
    notice = case.notice if case.fresh_notice is None else case.fresh_notice
    _says(fresh, notice, case.named if case.fresh_named is None else case.fresh_named)
    if "email" in case.unknown:
        # What the history does not tell is told to be missing.
        (finding,) = [finding for finding in fresh.check() if finding.wrong]
        assert "this computer has never seen a valid value, so the field is empty here" in finding.what
        assert "last valid value counts" not in finding.how_to_mend
    again = team.stored()
    assert all(_values(again[kind]) == _values(found[kind]) for kind in RECORDS)


def _values(records: dict[int, Record], but: Sequence[str] = ()) -> dict[int, dict[str, Any]]:
    """The fields of records, without some, and without those that count their changes."""
    left = {"version", "updated_at", *but}
    return {
        number: {one.name: getattr(record, one.name) for one in dataclasses.fields(record) if one.name not in left}
        for number, record in records.items()
    }

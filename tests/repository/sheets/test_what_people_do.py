"""A table of everything people do to a spreadsheet: the action, and the state that must follow.

The store has four clients and five sales, of 145.00 in all. Unless a row says otherwise, each amount and client is as
it was, `check` names nothing, the program goes on saving, and a fresh computer sees the same as one that knew more.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest

from crm.errors import CRMError
from crm.model import Client, Sale, StatusRule
from crm.repository.sheets.grid.layout import letters
from tests.support.by_hand import Sheet, undo, wrong
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
    # Whether a computer that has never seen the store reads the same, and whether programs can go on saving.
    fresh: bool = True
    saves: bool = True


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


LONG = "x" * 30_000
# As many characters as notes may have: the history has them twice, before and after.
LONGEST = "é" * 20_000
CASES: dict[str, Case] = {
    # Tabs
    "the tab clients deleted": Case(_person("delete_tab", CLIENTS), notice="lost its tab “clients”"),
    "the hidden history deleted": Case(_person("delete_tab", "history"), notice="lost its tab “history”"),
    "the hidden before images deleted": Case(_person("delete_tab", "crm before"), notice="lost its tab “crm before”"),
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
        fresh=False,
    ),
    "a column deleted": Case(
        lambda team: team.person.delete_column(team.id, CLIENTS, team.cells(Client)[0].index("City")),
        named=["the column “City” is gone"],
        fresh=False,
    ),
    "the ID's heading renamed": Case(_heading(Client, "ID", "Number"), notice="A1 says “Number” and said “ID”"),
    "the heading deleted": Case(_person("delete_rows", CLIENTS, 0, 1), notice="lost its heading"),
    "a title row above": Case(_title_row, notice="It stands in row 2: delete row 1"),
    "two columns of one name": Case(_heading(Client, "Address", "City"), named=["City"], fresh=False),
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
        _typed(Sale, 2, "amount", "=1/0"), named=["the formula in this cell fails"], fresh=False
    ),
    "a formula that fails in a total": Case(
        _typed(Client, 2, "total_spend", "=1/0"), named=["formula in this cell fails"], fresh=False
    ),
    "IMPORTRANGE in an e-mail address": Case(
        _typed(Client, 2, "email", '=IMPORTRANGE("x","y")'), named=["not an e-mail address"], fresh=False
    ),
    # Dates
    "a date typed": Case(_typed(Sale, 2, "on", "3/4/2026"), holds=lambda team: str(_sale(team).on) == "2026-03-04"),
    "a date as text": Case(_put(Sale, 2, "on", "31.12.2025"), holds=lambda team: str(_sale(team).on) == "2025-12-31"),
    "a date that is none": Case(_put(Sale, 2, "on", "31.31.2025"), named=["no month 31"], fresh=False),
    # Amounts
    "an amount with its currency": Case(_put(Sale, 2, "amount", "$1,234.50"), sales=[10, 30, 40, 45, 1234.5]),
    "an amount in euros": Case(_put(Sale, 2, "amount", "7 EUR"), named=["sales!"], fresh=False),
    "a negative amount": Case(_put(Sale, 2, "amount", -5), named=["an amount cannot be negative"], fresh=False),
    "a truth for an amount": Case(_put(Sale, 2, "amount", True), named=["sales!"], fresh=False),
    "three decimals": Case(_put(Sale, 2, "amount", 12.345), named=["at most two decimals"], fresh=False),
    "a date for an amount": Case(_as("DATE", _put(Sale, 2, "amount", 46027)), named=["a date for Google"], fresh=False),
    "a per cent for an amount": Case(
        _as("PERCENT", _put(Sale, 2, "amount", 0.15)), named=["a percentage for Google"], fresh=False
    ),
    "a date typed for an amount": Case(_typed(Sale, 2, "amount", "1/5/2026"), named=["a date for Google"], fresh=False),
    "a per cent typed for an amount": Case(
        _typed(Sale, 2, "amount", "15%"), named=["a percentage for Google"], fresh=False
    ),
    "a time typed for an amount": Case(_typed(Sale, 2, "amount", "10:30"), named=["a time for Google"], fresh=False),
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
    "the IDs and versions emptied": Case(_emptied("ID", "Version"), named=["the ID of this row is"] * 4, fresh=False),
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
    "the IDs sorted alone": Case(_sorted_alone("ID"), named=["mixes the records"], fresh=False, saves=False),
    "all rows deleted": Case(_person("delete_rows", SALES, 1, 5), sales=[]),
    "a row deleted, and undone": Case(_all(_person("delete_rows", SALES, 2, 1), _undone)),
    "all cells emptied": Case(_person("clear_cells", CLIENTS, "A1:AM50"), notice="has lost its heading"),
    "a CSV file over the tab": Case(_csv_over, notice="lost its heading"),
    "the history sorted": Case(
        lambda team: team.person.sort(team.id, "history", 0, True), holds=lambda team: len(team.summaries()) >= 9
    ),
    # Long texts, chips, telephone numbers
    "a long text": Case(_put(Client, 2, "notes", LONG), named=["clients!"], fresh=False),
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
        _put(Client, 2, "email", "a@example.com, b@example.com"), named=["e-mail"], fresh=False
    ),
    "a chip that shows a name": Case(
        _put(Client, 2, "email", "Ada Berg"), named=["not an e-mail address"], fresh=False
    ),
    "a chip that is its placeholder": Case(_put(Client, 2, "email", "@"), named=["not an e-mail address"], fresh=False),
    "a phone number without its zero": Case(
        _put(Client, 2, "phone", 2025550123), holds=lambda team: _client(team).phone == "+12025550123"
    ),
    "a postcode that has become a number": Case(
        _all(
            lambda team: team.store.change(lambda tx: tx.change(tx.get(Client, 2), postcode="01067")),
            _put(Client, 2, "postcode", 1067),
        ),
        named=["Google has made a number of “01067”"],
        fresh=False,
        holds=lambda team: _client(team).postcode == "01067",
    ),
    "a new row with a postcode that has lost its zero": Case(
        lambda team: Sheet(team, Client).add(last_name="New", country="DE", postcode=1067),
        named=["dropped the zeros"],
        clients=5,
        fresh=False,
        holds=lambda team: _client(team, 5).postcode == "",
    ),
    "a row of a form": Case(
        lambda team: Sheet(team, Client).add(last_name="Form", email="FORM@Example.com", marketing_consent=False),
        clients=5,
        holds=lambda team: _client(team, 5).email == "form@example.com",
    ),
    # Statuses and rules
    "a status typed in small letters": Case(_put(Client, 2, "status", "vip"), named=["no status “vip”"], fresh=False),
    "a status with a blank": Case(_put(Client, 2, "status", "VIP "), holds=lambda team: _client(team).status == "VIP"),
    "a truth for a status": Case(_put(Client, 2, "status", True), named=["no status"], fresh=False),
    "a script over totals": Case(_put(Client, 2, "total_spend", 5), named=["follows from the sales"], fresh=False),
    "a broken rule": Case(_put(StatusRule, 1, "when", "total_spend >="), named=["rules!"], fresh=False),
    # Protection, markers
    "a named range deleted": Case(
        lambda team: team.person._document(team.id).change(lambda book: setattr(book, "named", []))
    ),
    "a tab protected, and a city typed": Case(
        _all(_person("protect", CLIENTS), _put(Client, 2, "city", "Ulm")), notice="clients", fresh=False
    ),
}


@pytest.mark.many(3)
@pytest.mark.whole
@pytest.mark.parametrize("name", CASES)
def test_the_store_is_right_after_each_edit_by_hand(team: Team, name: str) -> None:
    case = CASES[name]
    case.act(team)
    for machine in (team.repository, *([team.another()] if case.fresh and not case.notice else [])):
        machine._look_at_sheet()
        found = team.stored(machine)
        assert sorted(sale.amount for sale in found[Sale].values()) == sorted(  # type: ignore[attr-defined]
            Decimal(str(amount)) for amount in case.sales
        )
        assert len(found[Client]) == case.clients
        if case.notice:
            assert case.notice in machine.notice()
            continue
        findings = wrong(team, machine)
        assert len(findings) >= len(case.named)
        assert bool(findings) == bool(case.named), findings
        for text in case.named:
            assert any(text in finding for finding in findings), findings
        assert machine.notice() == ""
    assert case.holds(team)
    if case.notice or not case.saves:
        with pytest.raises(CRMError):
            team.store.sell(2, "1.00")
    else:
        team.store.sell(3, "1.00")
        assert _total(team, 3) == 1 + sum(sale.amount for sale in found[Sale].values() if sale.client == 3)  # type: ignore[attr-defined]

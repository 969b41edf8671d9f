"""Google tables (*Format, Convert to table) on tabs of the store: nothing is lost, and programs go on writing."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from crm.errors import StoreDamagedError
from crm.model import Client, Sale
from crm.repository.sheets import setup
from tests.support.google_sheets.tables import MODES
from tests.support.sheets_team import CLIENTS, SALES, Team, new_team

# How a person may type the columns.
TYPES = {
    "fitting": {
        "ID": "DOUBLE",
        "Client": "DOUBLE",
        "Amount": "CURRENCY",
        "Date": "DATE",
        "Status": "DROPDOWN",
        "Active": "BOOLEAN",
        "City": "TEXT",
        "Total spend": "CURRENCY",
    },
    "none": {},
}
# A mode of the service by itself, and all of them.
SERVICES: dict[str, list[str]] = {"plain": [], **{mode: [mode] for mode in sorted(MODES)}, "all": sorted(MODES)}


@pytest.fixture
def team() -> Iterator[Team]:
    with new_team() as team:
        team.store.change(
            lambda tx: tx.add_all([Client(kind="person", last_name=f"Buyer {at}", city="Bonn") for at in range(4)])
        )
        team.store.change(
            lambda tx: tx.add_all(
                [Sale(client=1 + at % 4, on=tx.today, amount=Decimal(10 * (at + 1))) for at in range(6)]
            )
        )
        try:
            yield team
        finally:
            team.person.merges([])


def _convert(team: Team, service: str = "plain", types: str = "none") -> None:
    team.person.table_modes(team.id, SERVICES[service])
    for tab in (CLIENTS, SALES):
        team.person.convert_to_table(team.id, tab, TYPES[types])


def _totals(team: Team) -> dict[int, Decimal]:
    return {id: client.total_spend for id, client in team.agreed()[Client].items()}  # type: ignore[attr-defined]


def _work(team: Team) -> None:
    """Every kind of change, by the program and by hand."""
    team.store.sell(2, "7.50")
    newcomer = team.store.add(last_name="Newcomer")
    team.store.sell(newcomer, "40000.00")
    team.store.change(lambda tx: tx.change(tx.get(Client, 1), city="Köln"))
    team.store.change(lambda tx: tx.delete(tx.get(Sale, 3)))
    team.store.change(lambda tx: tx.delete(tx.get(Client, 4)))
    assert _totals(team) == {1: Decimal(60), 2: Decimal("87.50"), 3: Decimal(0), 5: Decimal(40000)}
    # By hand, inside of the table and below it.
    row, column = team.place(team.stored()[Client][2], "city")
    team.person.set_cells(team.id, CLIENTS, row, column, [["Hamburg"]])
    rows = team.cells(Sale)
    client, amount = (rows[0].index(name) for name in ("Client", "Amount"))
    for name, at in (("Client", client), ("Amount", amount)):
        team.person.set_cells(team.id, SALES, len(rows), at, [[3 if name == "Client" else 5]])
    assert _totals(team)[3] == Decimal(5)
    assert team.agreed()[Client][2].city == "Hamburg"  # type: ignore[attr-defined]


@pytest.mark.parametrize("types", TYPES)
@pytest.mark.parametrize(
    "service", [pytest.param(name, marks=[] if name == "all" else pytest.mark.slow) for name in SERVICES]
)
def test_the_program_goes_on_writing_in_a_google_table(team: Team, service: str, types: str) -> None:
    _convert(team, service, types)
    _work(team)
    for tab, column in ((CLIENTS, 2), (SALES, 1), (SALES, 0)):
        team.person.sort_table(team.id, tab, column, True)
        team.person.sort(team.id, tab, column)
    before = _totals(team)
    team.store.sell(1, "1.00")
    assert _totals(team) == before | {1: before[1] + 1}


def test_people_sort_the_table_and_insert_rows_at_the_moment_of_a_write(team: Team) -> None:
    _convert(team, "all", "fitting")
    team.in_the_windows([["sort_table", SALES, 1, True]], [["insert_rows", SALES, 2, 1]], [["sort_table", SALES, 0]])
    team.store.change(lambda tx: tx.change(tx.get(Sale, 2), amount=Decimal(3)))
    assert _totals(team) == {1: Decimal(60), 2: Decimal(63), 3: Decimal(30), 4: Decimal(40)}


def test_a_google_table_on_a_service_that_merges_requests(team: Team) -> None:
    _convert(team, "all", "fitting")
    team.person.serialises(team.id, False)
    team.person.merges(["marker", "append", "copy", "answer"])
    team.store.sell(1, "5.00")
    team.store.change(lambda tx: tx.delete(tx.get(Sale, 3)))
    team.person.merges([])
    assert _totals(team) == {1: Decimal(65), 2: Decimal(80), 3: Decimal(0), 4: Decimal(40)}


def test_deleting_all_rows_of_a_google_table_works(team: Team) -> None:
    _convert(team, "all", "fitting")
    team.store.change(lambda tx: [tx.delete(sale) for sale in tx.find_all(Sale)])
    team.store.sell(1, "5.00")
    assert len(team.agreed()[Sale]) == 1


def test_a_table_that_fills_the_grid_grows(team: Team) -> None:
    """Rows that have become part of a table cannot be formatted any more."""
    _convert(team, "all", "fitting")
    team.person._document(team.id).change(lambda book: book.resize(book.titled(SALES), "ROWS", 7))
    team.repository._look_at_sheet()
    for _ in range(3):
        team.store.sell(1, "5.00")
    assert len(team.agreed()[Sale]) == 9


def test_setup_again_keeps_the_column_types_of_a_google_table(team: Team) -> None:
    _convert(team, "all", "fitting")
    setup.renew(team.repository.service, ["VIP", "Standard"])
    team.agreed()


def test_unticked_checkboxes_are_not_rows(team: Team) -> None:
    team.person.convert_to_table(team.id, CLIENTS, {"Marketing consent": "BOOLEAN"})
    at = team.cells(Client)[0].index("Marketing consent")
    team.person.insert_rows(team.id, CLIENTS, 3, 2)
    team.person.set_cells(team.id, CLIENTS, 3, at, [[False], [False]])
    assert [finding.what for finding in team.repository.check()] == []
    assert len(team.stored()[Client]) == 4


def test_a_footer_is_named_and_rows_go_below_it(team: Team) -> None:
    team.person.convert_to_table(team.id, SALES)
    team.person.add_footer(team.id, SALES, team.cells(Sale)[0].index("Amount"))
    team.store.sell(1, "5.00")
    team.store.sell(2, "6.00")
    other = team.another()
    assert [finding.what for finding in other.check()] == ["sales!B8: a sale needs its client."]
    assert len(team.stored(other)[Sale]) == len(team.stored()[Sale]) == 8


def test_a_google_table_without_its_heading_row_loses_no_sale(team: Team) -> None:
    """*Convert to table* with the rows alone selected makes text of the first one."""
    team.person.convert_to_table(team.id, SALES, range="A2:J7")
    team.repository._look_at_sheet()
    team.store.sell(2, "5.00")
    assert {sale.amount for sale in team.stored()[Sale].values()} == {*map(Decimal, (10, 20, 30, 40, 50, 60, 5))}  # type: ignore[attr-defined]
    assert "sales!B2: no client “1 2”; write the client's ID or its name." in [
        finding.what for finding in team.repository.check()
    ]


def test_a_table_deleted_with_its_cells_deletes_no_sale(team: Team) -> None:
    team.person.convert_to_table(team.id, SALES)
    team.person.delete_table(team.id, SALES)
    team.repository._look_at_sheet()
    assert len(team.stored()[Sale]) == 6
    assert "has lost its heading" in team.repository.notice()
    with pytest.raises(StoreDamagedError):
        team.store.sell(1, "5.00")


def test_a_google_table_converted_back_to_cells_loses_nothing(team: Team) -> None:
    _convert(team, "all", "fitting")
    team.person.table_to_range(team.id, SALES)
    _work(team)

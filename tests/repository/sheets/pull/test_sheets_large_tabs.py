"""Partial reads of a large tab: only blocks that may have changed are read, and no change is missed."""

import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from decimal import Decimal

import pytest

from crm.errors import CRMError
from crm.model import Client, Record, Sale
from crm.repository.sheets.google import answered_rows
from crm.repository.sheets.mirror import mirror
from crm.repository.sheets.pull import tab_diff
from crm.repository.sheets.repository import SheetsRepository
from tests.support.by_hand import Sheet, wrong
from tests.support.sheets_team import Team, new_team

PORTION = 4


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[int | None]:
    """The sizes of the parts that were looked at, None for a tab as a whole; every tab is a large one."""
    sizes: list[int | None] = []

    class Counted(tab_diff.TabIntake):
        def take(self) -> None:
            if self.kind in (Client, Sale):
                sizes.append(len(self.part.rows) if self.part else None)
            super().take()

    monkeypatch.setattr("crm.repository.sheets.pull.ingest.TabIntake", Counted)
    for module in (answered_rows, mirror):
        monkeypatch.setattr(module, "PORTION", PORTION)
    monkeypatch.setattr(answered_rows, "_LARGE", -1)
    return sizes


@pytest.fixture
def team() -> Iterator[Team]:
    with new_team() as team:
        clients = [Client(kind="person", last_name=f"Fox{number}", city="London") for number in range(30)]
        team.store.change(lambda tx: tx.add_all(clients))
        sales = [Sale(client=number, on=team.store.today, amount=Decimal(number)) for number in range(1, 31)]
        team.store.change(lambda tx: tx.add_all(sales))
        yield team


def _looks(team: Team, compared: list[int | None]) -> list[int | None]:
    compared.clear()
    team.stored()
    return list(compared)


def test_after_an_edit_by_hand_only_its_block_is_read(team: Team, compared: list[int | None]) -> None:
    team.stored()
    team.stored()
    ada = team.stored()[Client][17]
    assert _looks(team, compared) == []
    for city in ("Rome", "Oslo"):
        Sheet(team, Client).put(ada, "city", city)
        # Once as it was typed, and once as the program has written the row.
        assert _looks(team, compared) == [PORTION]
        assert _looks(team, compared) == [PORTION]
        assert _looks(team, compared) == []
        assert team.stored()[Client][17].city == city  # type: ignore[attr-defined]


def test_a_sale_of_somebody_else_is_found_at_the_end(team: Team, compared: list[int | None]) -> None:
    team.stored()
    team.stored()
    other = team.another()
    sold = Sale(client=25, on=team.store.today, amount=Decimal(7))
    other.transact(lambda tx: tx.add(sold), "sold")
    assert None not in _looks(team, compared)
    assert sum(map(int, filter(None, compared))) <= 2 * PORTION
    assert team.agreed()[Client][25].total_spend == 32  # type: ignore[attr-defined]


def test_a_row_copied_from_far_above_is_not_a_restored_record(team: Team, compared: list[int | None]) -> None:
    for _ in range(2):
        before = team.stored()
    sheet, (row, _) = Sheet(team, Client), team.place(before[Client][2])
    place = sheet.paste(team.cells(Client)[row])
    assert f"A{place + 1}: the ID 2 stands in row {row + 1} too" in " ".join(wrong(team))
    assert None in compared
    assert team.stored() == before
    team.person.delete_rows(team.id, sheet.title, place, 1)
    assert wrong(team) == []


def _a_row(team: Team, chance: random.Random, kind: type[Record]) -> Record:
    """A record whose row has its ID."""
    ids = {row[0] for row in team.cells(kind) if row}
    return chance.choice([record for record in team.stored()[kind].values() if record.id in ids])


def _typed(team: Team, chance: random.Random, _: SheetsRepository) -> None:
    Sheet(team, Client).put(_a_row(team, chance, Client), "city", f"Town {chance.random()}")


def _added(team: Team, chance: random.Random, _: SheetsRepository) -> None:
    Sheet(team, Client).add(chance.choice([None, 3, 11]), last_name=f"New {chance.random()}")


def _deleted(team: Team, chance: random.Random, _: SheetsRepository) -> None:
    Sheet(team, Sale).delete(_a_row(team, chance, Sale))


def _moved(team: Team, chance: random.Random, _: SheetsRepository) -> None:
    sheet = Sheet(team, Client)
    sheet.paste(sheet.cut(_a_row(team, chance, Client)), chance.randint(1, 12))


def _copied(team: Team, chance: random.Random, _: SheetsRepository) -> None:
    sheet, record = Sheet(team, Client), _a_row(team, chance, Client)
    place = sheet.paste(team.cells(Client)[team.place(record)[0]], chance.choice([None, 6]))
    team.person.set_cells(team.id, sheet.title, place, 0, [[None]])


def _doubled(team: Team, chance: random.Random, _: SheetsRepository) -> None:
    sheet = Sheet(team, Client)
    sheet.paste(team.cells(Client)[team.place(_a_row(team, chance, Client))[0]], chance.choice([None, 6]))


def _unnamed(team: Team, chance: random.Random, _: SheetsRepository) -> None:
    Sheet(team, Client).put(_a_row(team, chance, Client), "id", None)


def _swapped(team: Team, chance: random.Random, _: SheetsRepository) -> None:
    sheet, rows = Sheet(team, Sale), team.cells(Sale)
    first, second = chance.sample(range(1, len(rows)), 2)
    width = len(rows[0])
    for place, row in ((first, rows[second]), (second, rows[first])):
        team.person.set_cells(team.id, sheet.title, place, 0, [[*row, *[None] * (width - len(row))]])


def _sold(team: Team, chance: random.Random, other: SheetsRepository) -> None:
    record = _a_row(team, chance, Client)
    sale = Sale(client=record.id, on=team.store.today, amount=Decimal(3))
    chance.choice([other, team.repository]).transact(lambda tx: tx.add(sale), "sold")


def _renamed(team: Team, chance: random.Random, other: SheetsRepository) -> None:
    record = _a_row(team, chance, Client)
    machine = chance.choice([other, team.repository])
    machine.transact(lambda tx: tx.change(tx.get(Client, record.id), city="Paris"), "moved")


def _gone(team: Team, chance: random.Random, other: SheetsRepository) -> None:
    record = _a_row(team, chance, Client)
    chance.choice([other, team.repository]).transact(lambda tx: tx.delete(tx.get(Client, record.id)), "deleted")


_WAYS: list[Callable[[Team, random.Random, SheetsRepository], None]] = [
    _typed, _typed, _added, _deleted, _moved, _copied, _doubled, _unnamed, _swapped, _sold, _sold, _renamed, _gone,
]  # fmt: skip


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 12))])
def test_partial_reads_equal_a_full_read(seed: int, team: Team, compared: list[int | None]) -> None:
    chance, other = random.Random(seed), team.another()
    team.stored()
    for _ in range(8):
        for way in chance.sample(_WAYS, chance.choice([1, 1, 2])):
            # The other machine may not know of the record yet.
            with suppress(CRMError):
                way(team, chance, other)
        if chance.random() < 0.8:
            team.stored(chance.choice([team.repository, other]))
    team.stored(other)
    seen = team.stored()
    assert [team.stored(machine) for machine in (other, team.another())] == [seen, seen]
    assert any(compared)

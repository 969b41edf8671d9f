"""Odd texts in every field that people type: a computer that reads the spreadsheet for the first time takes what one
takes that knew the earlier values, and names the same cells."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from crm.model import Client, Contact, Deal, FollowUp, Interaction, Record, Sale, Service, Setting, fields, links
from crm.repository.sheets.grid.layout import OWN
from crm.repository.sheets.repository import SheetsRepository
from tests.support.by_hand import Sheet, wrong
from tests.support.sheets_team import Team

KINDS: tuple[type[Record], ...] = (Client, Contact, Deal, Sale, Interaction, FollowUp, Service)
ODD: tuple[Any, ...] = (
    "#N/A", "#REF!", " ", "  two   words ", "ask Anna", "vip", "01712345678", "+4917", "a@b.de, c@d.de", "A@B.DE",
    "2025-12-31", "31.12.2025", "12.50", "12", "yes", "TRUE", "'x", '"x"', "=1+1", "a\nb", "a\x07b", "\u202ex",
    "x" * 600, "x" * 21_000, True, False, 12.5, -1, 0,
)  # fmt: skip


def _fill(team: Team) -> None:
    def fill(tx: Any) -> None:
        # The tests empty the columns again, and nobody is asked whether that was meant.
        tx.add(Setting(key="sheet_deletions", value="1000"))
        for at, _ in enumerate(ODD):
            client = tx.add(Client(kind="person", first_name="Al", last_name=f"Fox {at}", extra={"Hat": "M"}))
            tx.add(Contact(client=client.id, name=f"Bo {at}"))
            deal = tx.add(Deal(client=client.id, title=f"D {at}", stage=1, value=Decimal(5)))
            tx.add(Sale(client=client.id, on=tx.today, amount=Decimal(7)))
            tx.add(Interaction(client=client.id, kind="call", on=tx.today))
            tx.add(FollowUp(client=client.id, deal=deal.id, due_on=tx.today, what="call"))
            tx.add(Service(name=f"S {at}", price=Decimal(3)))

    team.store.change(fill)


def _texts(kind: type[Record]) -> Iterator[str]:
    for name, field in fields(kind).items():
        is_typed = field.by == "person" and name not in links(kind) and name not in (OWN, *kind.about.unique)
        if is_typed and isinstance(getattr(kind(), name), str):
            yield name
    if kind is Client:
        yield "=Hat"


def _seen(team: Team, machine: SheetsRepository, kind: type[Record], name: str) -> tuple[dict[int, str], set[str]]:
    """The values of a field on a computer, by record, and the cells of the tab that it names."""
    machine._look_at_sheet()
    records: dict[int, Any] = team.stored(machine)[kind]
    own = name.removeprefix("=")
    values = {id_: one.extra.get(own, "") if own != name else getattr(one, name) for id_, one in records.items()}
    named = {finding.partition(": ")[0] for finding in wrong(team, machine)}
    return values, {cell for cell in named if cell.startswith(f"{Sheet(team, kind).title}!")}


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_first_reading_takes_and_refuses_what_a_later_one_does(team: Team, kind: type[Record]) -> None:
    _fill(team)
    known, sheet = team.stored()[kind], Sheet(team, kind)
    for name in _texts(kind):
        column = sheet.column(name)
        before, _ = _seen(team, team.repository, kind, name)
        good = [[*row, *[""] * 60][column] for row in team.cells(kind)[1 : len(ODD) + 1]]
        assert len(known) == len(good)
        team.person.set_cells(team.id, sheet.title, 1, column, [[odd] for odd in ODD])
        first, named_first = _seen(team, team.another("cy"), kind, name)
        later, named_later = _seen(team, team.repository, kind, name)
        assert named_first == named_later, name
        for record_id, value in later.items():
            # The history has no texts of a creation: what is refused is missing on a new computer.
            is_refused = value == before[record_id] and first.get(record_id, "") == ""
            assert first.get(record_id) == value or is_refused, (name, ODD[record_id - 1])
        team.person.set_cells(team.id, sheet.title, 1, column, [[None if cell == "" else cell] for cell in good])

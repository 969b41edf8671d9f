"""Concurrency: programs on several machines and people in the sheet; nothing is lost, and all agree in the end."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.errors import NotFoundError, RefusedError
from crm.model import Client, Record, Sale
from tests.support.by_hand import Sheet, wrong
from tests.support.sheets_team import CLIENTS, SALES, Team, new_team

pytestmark = pytest.mark.slow


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

    def restarts(self, machine: int, _: int) -> None:
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
                assert found[Client][client].notes == notes
        for sale, client in self.sales.items():
            assert (sale in self.gone_sales or client in self.gone) or sale in found[Sale]
        assert self.team.summaries().count("by a program") == self.written
        self.team.agreed()


_PROGRAM = ("adds", "sells", "sells", "edits", "edits", "removes", "looks", "restarts")
_PERSON = (
    "types", "types_a_row", "deletes", "cuts_and_pastes", "sorts", "drags", "drags_a_column", "makes_room",
)  # fmt: skip
_STEPS = st.lists(
    st.tuples(st.sampled_from(_PROGRAM + _PERSON), st.integers(0, 1), st.integers(0, 9)), min_size=4, max_size=14
)


@pytest.mark.slow
@settings(max_examples=20)
@given(_STEPS)
def test_programs_and_people_at_once(steps: list[tuple[str, int, int]]) -> None:
    with new_team() as team:
        work = Interleaving(team)
        for step in [("adds", 0, 0), ("adds", 1, 0), ("sells", 0, 1), *steps]:
            name, where, which = step
            getattr(work, name)(where, which)
        work.finish()

"""The first read of a spreadsheet on a new computer: it names the same invalid cells, and has the same records, as a
computer that knew the earlier values."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from crm.model import Client, Interaction, Record, Sale
from crm.repository.sheets.pull import number_formats
from crm.repository.sheets.repository import SheetsRepository
from tests.support.by_hand import Sheet, undo, wrong
from tests.support.sheets_team import SALES, Team, new_team

# What is put into a cell of the record with the number of the case, and the words of the finding.
CELLS: list[tuple[type[Record], str, Any, str]] = [
    (Sale, "note", "A" * 501, "at most 500 characters"),
    (Sale, "note", "A" * 49_000, "at most 500 characters"),
    (Sale, "deal", 46_027, "no deal 46027"),
    (Sale, "deal", "soon", "write the deal's ID or its name"),
    (Sale, "client", "x", "write the client's ID or its name"),
    (Sale, "client", 99, "no client 99"),
    (Sale, "client", -1, "it cannot be below 0"),
    (Sale, "client", True, "that is not a whole number; write it in digits"),
    (Sale, "on", "someday", "that is not a date"),
    (Sale, "on", " ", "a sale needs its date"),
    (Sale, "amount", "much", "amount"),
    (Sale, "user_id", -1, "this column is the program's own"),
    (Client, "last_name", " ", "give a name"),
    (Client, "kind", "robot", "that is not one of the choices; use person, company"),
    (Client, "country", "Narnia", "no country has that name"),
    (Client, "tags", "a" * 41, "at most 40 characters"),
    (Client, "source", "b" * 2001, "at most"),
    (Client, "notes", "a\x07b", "an invisible control character"),
    (Client, "payment_days", 4000, "that is out of range; give a whole number from"),
    (Client, "owner_id", 46_027, "this column is the program's own"),
    (Client, "=Hat", "h" * 2001, "at most 2000 characters"),
    (Interaction, "kind", "shout", "that is not one of the choices"),
    (Interaction, "time", "noonish", ""),
    (Interaction, "contact", 77, "no contact 77"),
]  # fmt: skip
# Formulas that fail, and texts that look like it.
FORMULAS: list[tuple[type[Record], str, str]] = [
    (Client, "=Hat", "=1/0"),
    (Client, "=Hat", "'#DIV/0!"),
    (Client, "last_name", "'#N/A"),
    (Client, "postcode", "'#N/A"),
    (Client, "reference", "'#N/A"),
    (Sale, "note", "'#REF!"),
]
# The history does not hold what these were.
_NOT_KNOWN: dict[str, Any] = {"last_name": "", "extra": {}}


def _fill(team: Team, count: int) -> None:
    hat = {"Hat": "M"}
    team.store.change(
        lambda tx: tx.add_all([Client(kind="person", last_name=f"Fox {at}", extra=hat) for at in range(count)])
    )
    days = [team.store.today] * count
    sales = [Sale(client=at, on=day, amount=Decimal(at)) for at, day in enumerate(days, start=1)]
    talks = [Interaction(client=at, kind="call", on=day) for at, day in enumerate(days, start=1)]
    team.store.change(lambda tx: (tx.add_all(sales), tx.add_all(talks)))


def _compared(record: Record) -> Record:
    names = {name: value for name, value in _NOT_KNOWN.items() if hasattr(record, name)}
    values: Any = {**names, "updated_at": record.created_at, "version": 1}
    return replace(record, **values)


def _stored(team: Team, machine: SheetsRepository) -> dict[type[Record], dict[int, Record]]:
    machine._look_at_sheet()
    stored = team.stored(machine)
    return {
        kind: {number: _compared(record) for number, record in stored[kind].items()}
        for kind in (Client, Sale, Interaction)
    }


def _cell_of(finding: str) -> str:
    return finding.partition(": ")[0]


@pytest.mark.slow
def test_a_new_computer_reports_the_same_problems_as_the_others() -> None:
    with new_team() as team:
        _fill(team, len(CELLS))
        other = team.another("ben")
        machines = [team.repository, other]
        before = [_stored(team, machine) for machine in machines]
        records = team.stored()
        good = []
        for number, (kind, name, value, _) in enumerate(CELLS, start=1):
            good.append(Sheet(team, kind).cell(records[kind][number], name))
            Sheet(team, kind).put(records[kind][number], name, value)
        fresh = team.another("cy")
        machines.append(fresh)
        assert [_stored(team, machine) for machine in machines] == [*before, before[0]]
        named = [wrong(team, machine) for machine in machines]
        cells = {f"{Sheet(team, kind).title}!{Sheet(team, kind).a1(records[kind][at], name)}": words
                 for at, (kind, name, _, words) in enumerate(CELLS, start=1)}  # fmt: skip
        for findings in named:
            assert {_cell_of(finding) for finding in findings} == set(cells)
            for finding in findings:
                assert cells[_cell_of(finding)] in finding
        # A sale that is deleted with its client there comes back whole.
        fresh.transact(lambda tx: tx.delete(tx.get(Client, 5)), "deleted")
        undo(team)
        for machine in machines:
            stored = _stored(team, machine)
            assert stored[Sale] == before[0][Sale]
            assert [stored[Client][at].total_spend for at in stored[Sale]] == list(stored[Sale])  # type: ignore[attr-defined]
        for number, ((kind, name, _, _), cell) in enumerate(zip(CELLS, good, strict=True), start=1):
            # Where a sale has no deal, the program writes 0 and a person nothing.
            Sheet(team, kind).put(records[kind][number], name, None if cell in ("", 0) else cell)
        assert [_stored(team, machine) for machine in machines] == [*before, before[0]]
        assert [wrong(team, machine) for machine in machines] == [[], [], []]
        assert _stored(team, team.another()) == before[0]


@pytest.mark.slow
def test_text_like_a_failed_formula_is_refused_on_every_computer() -> None:
    with new_team() as team:
        _fill(team, len(FORMULAS))
        records = team.stored()
        for number, (kind, name, text) in enumerate(FORMULAS, start=1):
            Sheet(team, kind).type(records[kind][number], name, text)
        cells = [f"{Sheet(team, kind).title}!{Sheet(team, kind).a1(records[kind][at], name)}"
                 for at, (kind, name, _) in enumerate(FORMULAS, start=1)]  # fmt: skip
        for machine in (team.repository, team.another("cy")):
            machine._look_at_sheet()
            found = team.stored(machine)
            named = wrong(team, machine)
            assert {_cell_of(finding) for finding in named} == set(cells)
            assert all(any(f"{cell}: the formula in this cell fails" in finding for finding in named) for cell in cells)
            for number, (kind, name, text) in enumerate(FORMULAS, start=1):
                record: Any = found[kind][number]
                assert text[1:] not in (record.extra.values() if name == "=Hat" else [getattr(record, name)])


@pytest.mark.slow
def test_imported_text_that_nobody_may_type_stays_on_every_computer() -> None:
    odd = {
        "email": "a@b.de, c@d.de",
        "phone": "ask Anna",
        "country": "Narnia",
        "postcode": "#N/A",
        "extra": {"Hat": "#REF!"},
    }
    with new_team() as team:
        team.store.change(
            lambda tx: tx.add_all([Client(kind="person", last_name=f"Fox {at}", **odd) for at in range(3)])
        )
        before = team.stored()
        fresh = team.another("cy")
        assert team.stored(fresh) == before
        assert wrong(team, fresh) == wrong(team) == []
        # The same text typed by a person is none of it.
        Sheet(team, Client).put(before[Client][2], "email", "ask Ben")
        for machine in (team.repository, fresh, team.another("di")):
            machine._look_at_sheet()
            assert len(wrong(team, machine)) == 1


def test_rows_in_any_order_read_each_number_of_the_history_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with new_team() as team:
        team.store.add(last_name="Fox")
        for start in range(3):
            sold = [Sale(client=1, on=team.store.today, amount=Decimal(start + 3 * at)) for at in range(1, 11)]
            team.store.change(lambda tx, sold=sold: tx.add_all(sold))
        team.person.sort(team.id, SALES, Sheet(team, Sale).column("amount"), True)
        before, number, converted = team.stored(), number_formats._number, 0

        def counted(kept: Any) -> float:
            nonlocal converted
            converted += 1
            return number(kept)

        monkeypatch.setattr(number_formats, "_number", counted)
        assert team.stored(team.another("ben")) == before
        assert converted == 30


def test_blanks_around_own_fields_are_dropped_at_any_reading() -> None:
    with new_team() as team:
        named = [Client(kind="person", last_name=name, extra={"Hat": "M"}) for name in ("Fox", "Hare")]
        team.store.change(lambda tx: tx.add_all(named))
        clients, ben = team.stored()[Client], team.another("ben")
        for cells in (("  L ", "X  L"), (" S", "X \t S")):
            for number, cell in enumerate(cells, start=1):
                Sheet(team, Client).put(clients[number], "=Hat", cell)
            # The first time one of them has never read the spreadsheet, the other one has.
            for machine in (ben, team.repository, ben, team.another()):
                hats = [client.extra["Hat"] for client in team.stored(machine)[Client].values()]  # type: ignore[attr-defined]
                assert hats == [" ".join(cell.split()) for cell in cells]
                assert wrong(team, machine) == []

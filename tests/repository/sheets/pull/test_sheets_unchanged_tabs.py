"""Unchanged tabs are not compared row by row, and no change is missed."""

import json
import random
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from crm.errors import StoreOfflineError
from crm.model import Client, Sale
from crm.repository.sheets.google import answered_rows
from crm.repository.sheets.google.answered_rows import Rows, parsed
from tests.support.by_hand import Sheet, wrong
from tests.support.sheets_team import Team, new_team

CELLS = ["", " ", "a", '"values":[', "],[", "]]}", '}],"dataFilters":[', "values", "range", "dataFilters", '"', "\\"]
CELLS += ['\\"values":[[1]]', "é", "🦊", "\x01\n", 'majorDimension":', "spreadsheetId", '"range":']


@pytest.fixture(scope="module")
def shared() -> Iterator[Team]:
    with new_team() as team:
        yield team


@pytest.fixture
def team(shared: Team) -> Team:
    """A client who has bought something, and a sale that the mirror has seen twice."""
    shared.store.change(lambda tx: tx.add(Client(kind="person", last_name="Lovelace", city="London")))
    client = _last(shared, Client)
    shared.store.change(lambda tx: tx.add(Sale(client=client.id, on=shared.store.today, amount=Decimal(10))))
    shared.stored()
    shared.stored()
    return shared


def _last(team: Team, kind: type[Any]) -> Any:
    return list(team.stored()[kind].values())[-1]


def _put(team: Team, kind: type[Any], rows: list[list[Any]]) -> None:
    """Put the rows of a tab back as they were, as Ctrl-Z does."""
    now = len(team.cells(kind))
    width = len(rows[0])
    whole = [[cell if cell != "" else None for cell in row] + [None] * (width - len(row)) for row in rows]
    empty = [[None] * width] * (now - len(rows))
    team.person.set_cells(team.id, Sheet(team, kind).title, 0, 0, [*whole, *empty])


def test_changing_a_cell_back_by_hand_is_an_edit(team: Team) -> None:
    before, client = team.cells(Client), _last(team, Client)
    team.store.change(lambda tx: tx.change(client, city="Paris"))
    at = Sheet(team, Client).column("city")
    row, _ = team.place(client)
    assert team.cells(Client)[row][at] == "Paris"
    _put(team, Client, before)
    assert _last(team, Client).city == "London"


def test_a_row_that_is_deleted_and_restored_is_the_same_record(team: Team) -> None:
    before, records = team.cells(Sale), team.stored()
    row, _ = team.place(_last(team, Sale))
    team.person.delete_rows(team.id, Sheet(team, Sale).title, row, 1)
    assert len(team.stored()[Sale]) == len(records[Sale]) - 1
    _put(team, Sale, before)
    assert _last(team, Sale).amount == 10


def test_a_corrected_problem_is_no_longer_reported(team: Team) -> None:
    before, client = team.cells(Client), _last(team, Client)
    Sheet(team, Client).put(client, "id", 999)
    place = Sheet(team, Client).add(id=12345, last_name="Nobody")
    assert f"A{place + 1}" in " ".join(wrong(team))
    _put(team, Client, before)
    assert wrong(team) == []
    assert _last(team, Client) == client


def test_a_sale_whose_client_is_added_later_is_read_from_an_unchanged_tab(team: Team) -> None:
    sale = _last(team, Sale)
    Sheet(team, Sale).put(sale, "client", 99)
    assert wrong(team)
    team.store.change(lambda tx: tx.add(Client(kind="person", last_name="Late")))
    Sheet(team, Sale).put(sale, "client", _last(team, Client).id)
    assert _last(team, Sale).client == _last(team, Client).id
    assert wrong(team) == []


def test_an_edit_in_one_tab_is_seen_while_other_tabs_are_unchanged(team: Team) -> None:
    client, other = _last(team, Client), team.another()
    Sheet(team, Client).put(client, "city", "Rome")
    assert _last(team, Client).city == "Rome"
    team.stored(other)
    other.transact(lambda tx: tx.change(tx.get(Client, client.id), city="Oslo"), "moved")
    team.agreed()
    assert _last(team, Client).city == "Oslo"


def _turned(pairs: dict[str, Any], is_turned: bool) -> dict[str, Any]:
    return dict(reversed(pairs.items())) if is_turned else pairs


@pytest.mark.parametrize("written", [{}, {"indent": 2}, {"separators": (",", ":")}])
@pytest.mark.parametrize("is_turned", [False, True])
def test_fast_row_parsing_equals_json_for_any_cells(is_turned: bool, written: dict[str, Any]) -> None:
    tabs: list[Any] = [[], [[]], [[1], []], [CELLS], [[cell] for cell in CELLS], [[cell, 2.5, True] for cell in CELLS]]
    ranges = [{"range": "'a'!A1:B2", "majorDimension": "ROWS", "values": rows} for rows in tabs]
    matched = [
        _turned({"valueRange": _turned(values, is_turned), "dataFilters": [{"gridRange": {"sheetId": 3}}]}, is_turned)
        for values in [*ranges, {"range": "'values'!A1"}]
    ]
    answer = _turned({"spreadsheetId": "x", "valueRanges": matched}, is_turned)
    text = json.dumps(answer, ensure_ascii=False, **written).encode()
    assert parsed(text) == answer
    for cut in range(0, len(text), 7):
        with pytest.raises(ValueError, match=r"."):
            parsed(text[:cut])


@pytest.mark.parametrize("seed", range(40))
def test_rows_of_a_large_tab_are_the_same_parsed_one_by_one(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(seed)
    monkeypatch.setattr(answered_rows, "_LARGE", -1)
    monkeypatch.setattr(answered_rows, "_PIECE", chance.choice([1, 3, 7, 50, 1000]))
    cells = [*CELLS, 1, -2.5, True, 10**15, "x" * 60]
    rows = [[chance.choice(cells) for _ in range(chance.randrange(5))] for _ in range(chance.randrange(12))]
    written = json.dumps(rows, ensure_ascii=chance.random() < 0.5, indent=chance.choice([None, 1])).encode()
    assert [*Rows(written)] == rows
    one_by_one, part = Rows(written), Rows(written)[2:]
    assert [one_by_one[at] for at in range(-len(rows), len(rows))] == [*rows, *rows]
    assert ([*part], [*part[1:-1]]) == (rows[2:], rows[3:-1])


def test_a_large_tab_that_is_damaged_is_an_answer_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answered_rows, "_LARGE", -1)
    for written in (b'[[1],["a', b"[[1],[[[", b"[[1],[tru]]"):
        with pytest.raises(StoreOfflineError):
            list(Rows(written))

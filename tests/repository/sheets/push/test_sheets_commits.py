"""Transactions on a spreadsheet while people edit it at the same moment."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from crm.errors import ConflictError, StoreBusyError
from crm.model import Client, Sale, StatusRule
from crm.repository import Wait
from crm.repository.sheets import repository as repository_module
from tests.support.sheets_team import CLIENTS, SALES, Edit, Team

pytestmark = pytest.mark.in_turn

NAMES = ["Ada", "Ben", "Cleo", "Dan", "Eva", "Finn"]


@pytest.fixture
def six(team: Team) -> list[Client]:
    """Six clients; the changes of these tests are about the fourth."""
    team.store.change(
        lambda tx: tx.add_all(
            [Client(kind="person", first_name=name, last_name="Client", city=f"City {name}") for name in NAMES]
        )
    )
    return sorted(team.stored()[Client].values(), key=lambda client: client.id)  # type: ignore[arg-type,return-value]


# What people do in the window; each is harmless to the records, or says what it does to one.

WINDOWS: dict[str, list[Edit]] = {
    "a row inserted on top": [["insert_rows", CLIENTS, 1, 1]],
    "rows inserted just before": [["insert_rows", CLIENTS, 4, 3]],
    "sorted backwards": [["sort", CLIENTS, 0, True]],
    "rows dragged": [["move_rows", CLIENTS, 4, 2, 1]],
    "filtered": [["filter", CLIENTS, 1, ["Dan"]]],
    "rows hidden": [["hide_rows", CLIENTS, 2, 4]],
    "a column dragged": [["move_column", CLIENTS, 7, 1]],
    "the ID dragged": [["move_column", CLIENTS, 0, 5]],
    "the stamp dragged": [["move_column", CLIENTS, 30, 2]],
    "a column inserted at the left": [["insert_column", CLIENTS, 0, 1]],
    "a column inserted in the middle": [["insert_column", CLIENTS, 5, 2]],
    "the tab renamed": [["rename_tab", CLIENTS, "our clients"]],
    "the tab copied": [["copy_tab", CLIENTS, "a copy"]],
    "the tab dragged": [["move_tab", CLIENTS, 0]],
    "another row typed on top": [["insert_rows", CLIENTS, 1, 1], ["set_cells", CLIENTS, 1, 2, [["Typed"]]]],
    "sorted and a column dragged": [["sort", CLIENTS, 0, True], ["move_column", CLIENTS, 2, 9]],
}


def _sell(tx: Any, client: Client) -> Any:
    return tx.add(Sale(client=client.id, on=tx.today, amount=Decimal("40000.00")))


def _edit(tx: Any, client: Client) -> Any:
    return tx.change(client, last_name="Changed", city="Elsewhere")


def _delete(tx: Any, client: Client) -> Any:
    return tx.delete(client)


def _edit_many(tx: Any, _: Client) -> Any:
    for client in tx.find_all(Client):
        tx.change(client, company=f"Company {client.id}")


def _add(tx: Any, _: Client) -> Any:
    return tx.add(Client(kind="person", first_name="Gil", last_name="Client"))


CHANGES: dict[str, Callable[[Any, Client], Any]] = {
    "a sale": _sell, "an edit": _edit, "a deletion": _delete, "an edit of many": _edit_many, "an addition": _add,
}  # fmt: skip


def _meant(change: str, clients: list[Client]) -> dict[int, tuple[str, str, str, str, str, Decimal]]:
    """Names, city, company, status and total of each client after a change."""
    by_id = {client.id: client for client in clients}
    fourth = by_id[clients[3].id]
    match change:
        case "a sale":
            by_id[fourth.id] = replace(fourth, status="VIP", total_spend=Decimal("40000.00"))
        case "an edit":
            by_id[fourth.id] = replace(fourth, last_name="Changed", city="Elsewhere")
        case "a deletion":
            del by_id[fourth.id]
        case "an edit of many":
            by_id = {at: replace(client, company=f"Company {at}") for at, client in by_id.items()}
        case "an addition":
            by_id[7] = Client(id=7, kind="person", first_name="Gil", last_name="Client", status="Regular")
    return {at: _facts(client) for at, client in by_id.items()}


def _facts(client: Client) -> tuple[str, str, str, str, str, Decimal]:
    return client.first_name, client.last_name, client.city, client.company, client.status, client.total_spend


def _check(team: Team, change: str, clients: list[Client], *, times: int = 1) -> None:
    found = team.agreed()
    wanted = _meant(change, clients) if times else {client.id: _facts(client) for client in clients}
    typed = {at: record for at, record in found[Client].items() if record.last_name == "Typed"}  # type: ignore[attr-defined]
    facts = {at: _facts(record) for at, record in found[Client].items() if at not in typed}  # type: ignore[arg-type]
    if change == "an addition" and times:
        # The number of a try that was taken back is not given out again.
        wanted[max(facts)] = wanted.pop(7)
    assert facts == wanted
    assert team.summaries().count(change) == times
    assert len(found[Sale]) == (1 if change == "a sale" and times else 0)


# Every act meets one change, and every change some acts; the slow tests try each with each.
_OFTEN = ("sorted backwards",)
_ALL = [
    pytest.param(window, change, marks=[] if change == "a sale" or window in _OFTEN else pytest.mark.slow)
    for window in WINDOWS
    for change in CHANGES
]


@pytest.mark.many
@pytest.mark.parametrize(("window", "change"), _ALL)
def test_a_write_is_applied_once_on_its_row_whatever_people_do_meanwhile(
    team: Team, six: list[Client], window: str, change: str
) -> None:
    team.in_the_window(*WINDOWS[window])
    team.store.change(lambda tx: CHANGES[change](tx, six[3]), change)
    _check(team, change, six)


class Killed(BaseException):
    """Stands for kill -9: nothing of this program runs any more."""


@pytest.mark.many
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(
    "window",
    ["sorted backwards", "the ID dragged", "another row typed on top", "a column inserted at the left"],
)  # fmt: skip
def test_a_misplaced_write_is_repaired_by_the_next_reader(
    team: Team, six: list[Client], monkeypatch: pytest.MonkeyPatch, change: str, window: str
) -> None:
    def killed(_: Any) -> Any:
        raise Killed

    team.in_the_window(*WINDOWS[window])
    monkeypatch.setattr(team.repository._push, "put_right", killed)
    try:
        team.store.change(lambda tx: CHANGES[change](tx, six[3]), change)
        times = 1
    except Killed:
        times = 0
    monkeypatch.undo()
    assert times == (1 if change == "an addition" and "column" not in window and "ID" not in window else 0)
    other = team.another("ben")
    assert team.summaries(other).count(change) == times
    _check(team, change, six, times=times)
    if not times:
        other.transact(lambda tx: CHANGES[change](tx, tx.get(Client, six[3].id)), change)
        _check(team, change, six)


@pytest.mark.slow
def test_a_repair_works_while_people_go_on_moving_rows(team: Team, six: list[Client]) -> None:
    once = team.person.before_next_write
    put_right = team.repository._push._write_over
    sorts = iter([False, True, False])

    def meanwhile(commit: Any) -> Any:
        for descending in sorts:
            once([["sort", [team.id, CLIENTS, 0, descending]]])
            break
        return put_right(commit)

    team.repository._push._write_over = meanwhile  # type: ignore[method-assign]
    team.in_the_window(["sort", CLIENTS, 0, True])
    team.store.change(lambda tx: _edit(tx, six[3]), "an edit")
    assert next(sorts, None) is None
    _check(team, "an edit", six)


# What moves before the repair of a deletion that struck a row which a person was typing, so that it is repaired, too.
_AT_THE_REPAIR: dict[str, list[Edit]] = {
    "nothing": [],
    "a column dragged": [["move_column", CLIENTS, 3, 1]],
    "a column dragged, and the rows sorted": [["move_column", CLIENTS, 3, 1], ["sort", CLIENTS, 2, True]],
    "a column inserted at the left": [["insert_column", CLIENTS, 0, 1]],
}


@pytest.mark.parametrize(
    "window",
    [pytest.param(window, marks=[] if window == "a column dragged" else pytest.mark.slow) for window in _AT_THE_REPAIR],
)
def test_a_typed_row_that_a_deletion_struck_is_there_once(team: Team, six: list[Client], window: str) -> None:
    typed: list[Edit] = [["insert_rows", CLIENTS, 4, 1], ["set_cells", CLIENTS, 4, 2, [["Typed"]]]]
    team.in_the_windows(typed, _AT_THE_REPAIR[window], _AT_THE_REPAIR[window])
    team.store.change(lambda tx: _delete(tx, six[3]), "a deletion")
    found = team.agreed()[Client]
    names = sorted(client.last_name for client in found.values())  # type: ignore[attr-defined]
    assert names == [*["Client"] * 5, "Typed"]
    assert six[3].id not in found
    assert team.summaries().count("a deletion") == 1


@pytest.mark.parametrize(
    ("name", "rest"),
    [
        ("last_name", {}),
        pytest.param("company", {}, marks=pytest.mark.slow),
        # Nothing else is in its row.
        pytest.param("last_name", {"first_name": "", "city": ""}, marks=pytest.mark.slow),
    ],
)
def test_a_client_whose_row_lost_its_id_to_a_repair_is_kept_when_somebody_types_there(
    team: Team, six: list[Client], name: str, rest: dict[str, str]
) -> None:
    team.store.change(lambda tx: tx.change(tx.get(Client, six[0].id), **rest))
    if not rest:
        team.store.change(lambda tx: _sell(tx, six[0]), "a sale")
    before = team.stored()[Client]
    _, column = team.place(six[0], name)
    team.person.insert_rows(team.id, CLIENTS, 1, 1)
    team.person.set_cells(team.id, CLIENTS, 1, 2, [["Typed"]])
    # The ID of the typed row goes to the blank one. The repair then empties the ID of the client that is first by now,
    # and the second repair meets what somebody has typed there.
    team.in_the_windows(
        [["insert_rows", CLIENTS, 1, 1]],
        [["sort", CLIENTS, 0, False]],
        [["set_cells", CLIENTS, 1, column, [["by hand"]]]],
    )
    team.stored()
    found = team.agreed()
    assert [sale.client for sale in found[Sale].values()] == ([] if rest else [six[0].id])  # type: ignore[attr-defined]
    kept = {at: _facts(record) for at, record in found[Client].items() if at <= 6}  # type: ignore[arg-type]
    edited = replace(before[six[0].id], **{name: "by hand"})  # type: ignore[type-var]
    assert kept == {at: _facts(record) for at, record in (before | {six[0].id: edited}).items()}  # type: ignore[arg-type]
    assert [record.last_name for at, record in found[Client].items() if at > 6] == ["Typed"]  # type: ignore[attr-defined]


@pytest.mark.slow
@pytest.mark.parametrize("change", ["a sale", "an edit", "a deletion"])
def test_an_edit_of_another_cell_of_the_same_row_is_kept(team: Team, six: list[Client], change: str) -> None:
    row, column = team.place(six[3], "notes")
    team.in_the_window(["set_cells", CLIENTS, row, column, [["by hand"]]])
    team.store.change(lambda tx: CHANGES[change](tx, six[3]), change)
    found = team.agreed()[Client]
    if change == "a deletion":
        assert six[3].id not in found
        # What was typed is not lost with the row: the deletion can be taken back, with it.
        team.store.change(lambda tx: tx.undo())
        found = team.agreed()[Client]
    assert found[six[3].id].notes == "by hand"  # type: ignore[attr-defined]
    assert team.summaries().count(change) == 1


def test_an_edit_of_the_same_cell_is_a_conflict(team: Team, six: list[Client]) -> None:
    row, column = team.place(six[3], "last_name")
    team.in_the_window(["set_cells", CLIENTS, row, column, [["by hand"]]])
    with pytest.raises(ConflictError) as raised:
        team.store.change(lambda tx: _edit(tx, six[3]), "an edit")
    assert raised.value.clashes == {"last_name": ("Client", "by hand", "Changed")}
    found = team.agreed()[Client][six[3].id]
    assert (found.last_name, found.city) == ("by hand", "City Dan")  # type: ignore[attr-defined]
    assert "an edit" not in team.summaries()


@pytest.mark.slow
def test_a_row_of_another_client_deleted_during_a_write_is_deleted(team: Team, six: list[Client]) -> None:
    team.in_the_window(["delete_rows", CLIENTS, 5, 1])
    team.store.change(lambda tx: _edit(tx, six[3]), "an edit")
    _check(team, "an edit", [record for record in six if record.id != 5])
    team.in_the_window(["delete_rows", CLIENTS, 1, 1])
    team.store.change(lambda tx: tx.change(tx.get(Client, 6), notes="a note"), "a note")
    assert sorted(team.agreed()[Client]) == [2, 3, 4, 6]


@pytest.mark.slow
def test_a_row_deleted_during_its_own_write_is_deleted(team: Team, six: list[Client]) -> None:
    team.in_the_window(["delete_rows", CLIENTS, 4, 1])
    with pytest.raises(Exception, match="4"):
        team.store.change(lambda tx: _edit(tx, six[3]), "an edit")
    _check(team, "an edit", [record for record in six if record.id != 4], times=0)


@pytest.mark.slow
def test_a_column_deleted_during_a_write_loses_nothing_else(team: Team, six: list[Client]) -> None:
    _, column = team.place(six[3], "postcode")
    team.in_the_window(["delete_column", CLIENTS, column, 1])
    team.store.change(lambda tx: _sell(tx, six[3]), "a sale")
    found = team.stored()
    assert {at: _facts(client) for at, client in found[Client].items()} == _meant("a sale", six)  # type: ignore[arg-type]
    assert len(found[Sale]) == 1
    assert team.summaries().count("a sale") == 1


@pytest.mark.slow
def test_a_new_column_of_ours_and_one_of_theirs_in_the_same_place(team: Team, six: list[Client]) -> None:
    wide = len(team.cells(Client)[0])
    team.in_the_window(["set_cells", CLIENTS, 0, wide, [["Theirs"]]], ["set_cells", CLIENTS, 2, wide, [["kept"]]])
    team.store.change(lambda tx: tx.change(six[3], extra={"Ours": "42"}), "an edit")
    found = team.agreed()[Client]
    assert team.cells(Client)[0][wide:] == ["Theirs", "Ours"]
    assert {at: client.extra for at, client in found.items() if client.extra} == {
        2: {"Theirs": "kept"},
        4: {"Ours": "42"},
    }  # type: ignore[attr-defined]
    assert team.summaries().count("an edit") == 1


@pytest.mark.parametrize(
    "window", [pytest.param(window, marks=[] if at % 4 == 1 else pytest.mark.slow) for at, window in enumerate(WINDOWS)]
)
def test_ids_are_given_to_typed_rows_while_people_move_them(team: Team, six: list[Client], window: str) -> None:
    team.person.set_cells(team.id, CLIENTS, 9, 1, [["Hugo", "Adopted"]])
    team.in_the_window(*WINDOWS[window])
    team.stored()
    found = team.agreed()
    adopted = [client for client in found[Client].values() if client.last_name == "Adopted"]  # type: ignore[attr-defined]
    assert [(client.first_name, client.status) for client in adopted] == [("Hugo", "Regular")]  # type: ignore[attr-defined]
    others = {at: client for at, client in found[Client].items() if at <= 6}
    assert others == {record.id: record for record in six}


@pytest.mark.slow
def test_a_block_of_many_rows_is_repaired_like_single_rows(team: Team) -> None:
    many = [Client(kind="person", first_name=f"N{at}", last_name="Many") for at in range(260)]
    team.store.change(lambda tx: tx.add_all(many))
    team.store.change(lambda tx: tx.add_all([Sale(client=at, on=tx.today, amount=Decimal(at)) for at in range(1, 261)]))
    before = team.stored()[Client]
    team.in_the_window(["sort", CLIENTS, 0, True], ["insert_rows", CLIENTS, 100, 2])
    for rule in team.stored()[StatusRule].values():
        team.store.change(lambda tx, rule=rule: tx.change(rule, when="total_spend >= 20") if rule.when else None)
    team.store.change(lambda tx: tx.review_all(), "reviewed")
    found = team.agreed()[Client]
    assert {at: client.status for at, client in found.items()} == {  # type: ignore[attr-defined]
        at: "VIP" if at >= 20 else "Regular" for at in before
    }
    assert team.summaries().count("reviewed") == 1


# Among programs


@pytest.mark.usefixtures("six")
def test_of_two_writers_on_one_revision_one_is_retried(team: Team) -> None:
    other = team.another("ben")
    seen: list[str] = []

    def change(tx: Any) -> None:
        seen.append(tx.get(Client, 4).notes)
        if len(seen) == 1:
            other.transact(lambda theirs: theirs.change(theirs.get(Client, 4), notes="theirs"), "theirs")
        tx.change(tx.get(Client, 4), city="ours")

    team.store.change(change, "ours")
    assert seen == ["", "theirs"]
    found = team.agreed()[Client][4]
    assert (found.notes, found.city) == ("theirs", "ours")  # type: ignore[attr-defined]
    assert team.summaries()[:2] == ["ours", "theirs"]


@pytest.mark.slow
def test_of_two_writers_that_read_the_same_state_one_is_applied(team: Team, six: list[Client]) -> None:
    """The other one comes between the last look and the write: only the marker tells then."""
    other = team.another("ben")
    write = team.repository.service.write
    tries: list[int] = []

    def first(*given: Any, **named: Any) -> Any:
        tries.append(1)
        if len(tries) == 1:
            other.transact(lambda tx: _sell(tx, six[3]), "theirs")
        return write(*given, **named)

    team.repository.service.write = first  # type: ignore[method-assign]
    team.store.change(lambda tx: _sell(tx, six[3]), "ours")
    found = team.agreed()
    assert sorted(found[Sale]) == [1, 2]
    assert found[Client][4].total_spend == Decimal("80000.00")  # type: ignore[attr-defined]
    assert len(tries) == 2


@pytest.mark.slow
def test_a_writer_that_always_loses_gives_up_with_an_error(
    team: Team, six: list[Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repository_module, "_TELLS_AFTER", 0.3)
    waits: list[str] = []

    def waiting(wait: Wait) -> None:
        waits.append(wait.why)
        # So many tries in a row may reach the quota as well.
        if wait.why == "Others are saving to the spreadsheet":
            monkeypatch.setattr(repository_module, "_PATIENCE", 0.0)

    loser, other = team.another("ben", waiting=waiting), team.another("cleo")

    def change(tx: Any) -> None:
        other.transact(lambda theirs: _sell(theirs, six[0]), "theirs")
        tx.change(tx.get(Client, 4), city="ours")

    with pytest.raises(StoreBusyError, match="always came first"):
        loser.transact(change, "ours")
    assert "Others are saving to the spreadsheet" in waits
    assert "ours" not in team.summaries()
    assert team.agreed()[Client][4].city == "City Dan"  # type: ignore[attr-defined]


@pytest.mark.slow
@pytest.mark.parametrize("another", [False, True])
def test_a_marker_deleted_by_hand_is_restored(team: Team, six: list[Client], another: bool) -> None:
    (marker,) = [range_ for range_ in team.person.named_ranges(team.id) if range_["name"].startswith("crm_")]
    requests: list[dict[str, Any]] = [{"deleteNamedRange": {"namedRangeId": marker["namedRangeId"]}}]
    if another:
        other = {**marker, "namedRangeId": "crm_99_other", "name": "crm_99_other"}
        requests.append({"addNamedRange": {"namedRange": other}})
    team.repository.service.write(requests)
    team.store.change(lambda tx: _edit(tx, six[3]), "an edit")
    _check(team, "an edit", six)
    assert len([range_ for range_ in team.person.named_ranges(team.id) if range_["name"].startswith("crm_")]) == 1


@pytest.mark.slow
def test_copied_tabs_are_ignored(team: Team, six: list[Client]) -> None:
    team.person.copy_tab(team.id, CLIENTS)
    team.person.copy_tab(team.id, SALES)
    team.store.change(lambda tx: _sell(tx, six[3]), "a sale")
    _check(team, "a sale", six)

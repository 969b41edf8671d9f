"""The commits of others that this machine has not read yet, as far as `crm before` and `history` still hold them: so a
tab that is gone comes back with what was saved in it since."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection

from crm.model import RECORDS, Record
from crm.model.encoding import value_of
from crm.model.rights import SEALED
from crm.repository.sheets.google.spreadsheet import Values
from crm.repository.sheets.grid import cells
from crm.repository.sheets.grid.cells import number_of, stamped
from crm.repository.sheets.grid.layout import HISTORY, OWN, Cell, columns, heading, trimmed
from crm.repository.sheets.mirror import history_tab, mirror
from crm.repository.sheets.mirror.before_images import Block, Part, blocks_in
from crm.repository.sheets.mirror.history_tab import Entries
from crm.repository.sheets.mirror.loading import some_records
from crm.repository.sheets.mirror.mirror import Seen, State
from crm.repository.sheets.pull.delta import by_record


@dataclass
class Missed:
    """The commits of others since: `rows` of records as they left them, by kind and id, in the order of the columns,
    None where they deleted one; the `headings` of the tabs then; `history`, the rows that they added to it, None where
    those are not known; and the ids of records that are `lost`, by kind: it is only known that they were added.
    `numbers` are the highest that were given out. It `is_all` where nothing else can have been saved; `is_known`
    where there is a word of what was."""

    rows: dict[type[Record], dict[int, list[Any] | None]] = field(default_factory=dict)
    headings: dict[type[Record], Sequence[Cell]] = field(default_factory=dict)
    history: Sequence[Sequence[Cell]] | None = None
    lost: dict[type[Record], list[int]] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    is_all: bool = False
    is_known: bool = False


def missed_commits(
    connection: Connection, seen: Seen, current: State | None, kept: Values | None, history: Sequence[Sequence[Cell]]
) -> Missed:
    """The commits of others since this machine has `seen` the spreadsheet. `current` is the state in it, `kept` the tab
    of before images, `history` that of the history with its heading, as far as they are there."""
    blocks = blocks_in(kept.rows, kept.grid[0]) if kept is not None else []
    chain, is_whole = _since(blocks, seen.state, current)
    missed = Missed(is_known=bool(blocks) or bool(history))
    for block in blocks[:1]:
        if block.redo is not None and (after := block.redo.after):
            missed.numbers = dict(after.last)
    missed.history = _history_since(history, seen)
    if missed.history is None and is_whole and not any(block.cut for block in chain):
        missed.history = [trimmed(row) for block in chain if block.redo for row in block.redo.history]
    if missed.history is not None:
        entries = history_tab.read(missed.history)
        for kind in RECORDS:
            if kind not in SEALED:
                missed.rows[kind] = dict(_followed(connection, kind, entries))
    for block in chain:
        for at, part in enumerate(block.parts, start=1):
            if part.kind not in SEALED:
                _take_block(missed, block, part, block.rows.get(at, []))
    for kind, rows in missed.rows.items():
        if lost := [record_id for record_id, row in rows.items() if row == []]:
            missed.lost[kind] = lost
            missed.rows[kind] = {record_id: row for record_id, row in rows.items() if row != []}
    missed.is_all = missed.history is not None and not missed.lost
    return missed


def _since(blocks: Sequence[Block], seen: State, current: State | None) -> tuple[list[Block], bool]:
    """The commits after a state whose cells are kept, the oldest first, and whether those are all of them."""
    chain: list[Block] = []
    uid = current.uid if current is not None else (blocks[0].uid if blocks else "")
    if uid == seen.uid:
        return chain, True
    if current is not None and current.staging:
        # Nobody has seen what is being written.
        return chain, False
    for block in blocks:
        if block.uid != uid or not block.is_as_planned or block.redo is None:
            break
        chain.insert(0, block)
        if block.base == (seen.revision, seen.uid):
            return chain, True
        uid = block.base[1]
    return chain, False


def _history_since(history: Sequence[Sequence[Cell]], seen: Seen) -> Sequence[Sequence[Cell]] | None:
    """The rows of the history below the one that this machine knows as its last; None where that one has moved."""
    known = seen.state.history_rows
    end = seen.places[HISTORY.title].heading
    if len(history) <= known or (end and end != [history_tab.digest(trimmed(history[known]))]):
        return None
    return [trimmed(row) for row in history[known + 1 :]]


def _followed(connection: Connection, kind: type[Record], entries: Entries) -> Iterator[tuple[int, list[Any] | None]]:
    """The rows of a tab after some changes, as far as they follow from those that are known; an empty one for each
    record of which the history tells no more than that it was added."""
    changes = by_record(entries).get(kind, {})
    versions: dict[int, int] = {}
    for entry in entries.audit:
        if entry.record == kind.kind_name and entry.operation == "update":
            versions |= {record_id: versions.get(record_id, 0) + 1 for record_id in entry.ids}
    existing = some_records(connection, kind, changes)
    known = mirror.known(connection, kind, changes)
    for record_id, done in changes.items():
        if done.operation == "delete":
            yield record_id, None
        elif done.operation == "create" or record_id not in existing or record_id not in known:
            yield record_id, []
        else:
            record, (_, old) = existing[record_id], known[record_id]
            after: dict[str, Any] = {name: value_of(kind, name, value) for name, value in done.after.items()}
            after |= {"version": record.version + versions[record_id], "updated_at": done.at or record.updated_at}
            changed = replace(record, **after)
            row = cells.row_of(changed)
            yield record_id, [new if name in after else was for name, new, was in _beside(kind, row, old)]


def _beside(kind: type[Record], row: Sequence[Any], old: Sequence[Any]) -> Iterator[tuple[str, Any, Any]]:
    """The cells of a row and of an older one with their fields, the team's own fields last."""
    yield from zip((*columns(kind), OWN), row, old, strict=False)


def _take_block(missed: Missed, block: Block, part: Part, kept: Sequence[Cell]) -> None:
    """Take the rows of one tab as a commit left them, unless a later state of them is known: where the history is, it
    says which records are gone."""
    redo, rows, is_listed = block.redo, missed.rows.setdefault(part.kind, {}), missed.history is not None
    written = list(kept)
    for at, text in redo.headings.get(part.kind, {}).items() if redo else ():
        written += [""] * (at + 1 - len(written))
        written[at] = text
    head = heading(part.kind, trimmed(written))
    if redo is None or not {"id", "version"} <= head.positions.keys():
        return
    missed.headings[part.kind] = head.written
    images: list[Sequence[Cell]] = list(redo.added.get(part.kind, ()))
    for offset, (use, row) in enumerate(zip(part.uses, block.rows_of(part), strict=True)):
        if use is None:
            continue
        if use.writes is None:
            number = number_of(cells.cell_in(row, head.positions["id"]))
            if number is not None and not is_listed:
                rows[number] = None
            continue
        image = list(row)
        for column, cell in zip(use.writes, part.cells.get(offset, ()), strict=False):
            image += [""] * (column + 1 - len(image))
            image[column] = cell
        images.append(image)
    for written_row in images:
        row = head.row(written_row)
        stamp = stamped(row[len(columns(part.kind)) - 1])
        if stamp is None or stamp[0] != number_of(row[0]) or (is_listed and rows.get(stamp[0], row) is None):
            continue
        if stamp[1] >= _version(part.kind, rows.get(stamp[0])):
            rows[stamp[0]] = row


def _version(kind: type[Record], row: Sequence[Any] | None) -> int:
    stamp = stamped(row[len(columns(kind)) - 1]) if row else None
    return stamp[1] if stamp else 0

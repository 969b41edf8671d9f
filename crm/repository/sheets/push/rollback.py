"""Rollback of commits that went astray: people had moved rows or columns in the moment before, or others came
first on a service where the marker does not hold. What stood where they wrote is known (see `before_images`)."""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile

from crm.model import RECORDS, Record
from crm.repository.sheets.grid.cells import cell_in, number_of, stamped
from crm.repository.sheets.grid.layout import HISTORY, Cell, Heading, alike, comparable, heading, trimmed
from crm.repository.sheets.mirror.before_images import Block, Use
from crm.repository.sheets.mirror.mirror import NEW_REVISION, Seen, State
from crm.repository.sheets.pull.ingest import Contents
from crm.repository.sheets.push.plan import Plan, RowWrite, naming


def astray(contents: Contents) -> list[Block]:
    """The commits that have to be taken back, the newest first: those above the last one that went well, and all of a
    transaction that is not finished below them, which cannot go on."""
    blocks = _blocks(contents)
    if not blocks or blocks[0].uid != contents.state.uid:
        return []
    count = len(list(takewhile(lambda block: not block.went_well, blocks)))
    if 0 < count < len(blocks) and blocks[count].is_unfinished:
        count = _end_of(blocks, {blocks[count].transaction}, count)
    return blocks[:count]


def _end_of(blocks: Sequence[Block], transactions: Collection[str], least: int) -> int:
    """The number of blocks down to the first request of some transactions, at least so many."""
    return max([least, *(at for at, block in enumerate(blocks, 1) if block.transaction in transactions)])


def _blocks(contents: Contents) -> list[Block]:
    for block in contents.blocks:
        if block.went_well is None:
            block.went_well = block.is_as_planned or (
                not block.clashes
                and (block.state is None or block.uid == contents.known or _is_applied(contents, block))
            )
    return contents.blocks


def _is_applied(contents: Contents, block: Block) -> bool:
    """Return whether a commit went well although its kept headings, IDs or versions say otherwise, which somebody may
    have changed by hand: the rows that it has added and changed are there, and nothing else was written over. Where it
    has deleted rows or written IDs, that does not show."""
    versions: dict[type[Record], dict[int | None, int]] = {}
    for part in block.parts:
        rows = contents.tabs[part.kind]
        top = rows[0] if rows else []
        head = heading(part.kind, top)
        if not {"id", "version"} <= head.positions.keys() or part.top != part.digest_of_top(top):
            return False
        at, stamp_at = head.positions["id"], head.positions["version"]
        stamps = ((number_of(cell_in(row, at)), stamped(cell_in(row, stamp_at))) for row in rows[1:])
        versions[part.kind] = {number: stamp[1] for number, stamp in stamps if stamp and stamp[0] == number}
        kept: list[Mapping[int, Cell]] = []
        for offset, (use, row) in enumerate(zip(part.uses, block.rows_of(part), strict=True)):
            kept.append(dict(enumerate(row)))
            if use is not None:
                written = dict(zip(use.writes or (), part.cells.get(offset, ()), strict=False))
                stamp = stamped(written.get(stamp_at, ""))
                if at in written or stamp is None or versions[part.kind].get(stamp[0], 0) < stamp[1]:
                    return False
                kept[-1] = {**kept[-1], at: stamp[0], stamp_at: f"{stamp[0]}/{stamp[1] - 1}"}
        if part.digest != part.digest_of(top, kept):
            return False
    added = ((kind, number) for kind, ids in block.added.items() for number in ids)
    return not block.cut and all(number in versions.get(kind, ()) for kind, number in added)


def _disturbed(contents: Contents, strays: Sequence[Block]) -> list[Block]:
    """The commits, the newest first, above the one on which all that clashed was: what they wrote may have been written
    over by one that has not seen them."""
    blocks = _blocks(contents)
    if not any(block.clashes for block in strays):
        return list(strays)
    places = {block.uid: at for at, block in enumerate(blocks)}
    at, end = 0, len(strays)
    while at < end:
        block = blocks[at]
        if not block.went_well:
            base = places.get(block.base[1])
            if base is None:
                # As far back as any commit is kept that is newer.
                end = max(end, _count_newer(blocks, block.base[0]))
            else:
                end = max(end, base if blocks[base].went_well else base + 1)
        at += 1
    # All requests of a transaction: one that clears what was broken off may have taken all of them away.
    return blocks[: _end_of(blocks, {block.transaction for block in blocks[: end + 1] if block.is_unfinished}, end)]


def _count_newer(blocks: Sequence[Block], revision: int) -> int:
    return len(list(takewhile(lambda block: block.makes[0] > revision, blocks)))


def _to_repeat(older: Sequence[Block]) -> list[Block]:
    """Those that went well, the oldest first; repairs change nothing. The requests of a transaction count with the last
    one, unless somebody has cleared them before."""
    valid: list[Block] = []
    begun: list[Block] = []
    for block in reversed(older):
        if not block.went_well:
            continue
        if block.is_unfinished:
            begun.append(block)
            continue
        if begun and block.uid == begun[0].transaction:
            valid += begun
        begun = []
        if not block.repairs:
            valid.append(block)
    return valid


def rolled_back(contents: Contents, strays: Sequence[Block]) -> tuple[Plan, State]:
    """The requests that roll those commits back, and the state to go on from.

    What went well among the others is written again, in order: so it makes no difference in which order commits that
    clash, and the repairs of several programs, arrive.
    """
    blocks = _disturbed(contents, strays)
    kept = {block.uid for block in _blocks(contents)}
    plan = Plan(repairs=True)
    plan.lacks = any(block.base[1] not in kept and block.base[0] > NEW_REVISION for block in blocks)
    older = blocks[len(strays) :]
    valid = _to_repeat(older)
    repeated = {id(block) for block in valid}
    # Nothing was written over where only what is valid has been written: there a person has deleted what is gone.
    written = {part.kind for block in blocks if id(block) not in repeated for part in block.parts}
    for kind in [kind for kind in RECORDS if kind in written]:
        tab = _Tab(kind, contents.tabs[kind])
        for block in strays:
            tab.take_back(block)
        for block in older:
            if id(block) not in repeated and not block.repairs:
                tab.take_back_remains(block, valid)
        for at, block in enumerate(valid, start=1):
            tab.write_again(block, valid[at:])
        tab.plan(plan)
    before = _state_before(contents, strays)
    last = {name: max(number, before.last.get(name, 0)) for name, number in contents.state.last.items()}
    revision = max([contents.state.revision, before.revision, *(block.makes[0] for block in blocks)])
    rows = _roll_history_back(contents, strays, valid, plan)
    return plan, replace(before, last=last, history_rows=rows, revision=revision, home=contents.state.home)


def _state_before(contents: Contents, strays: Sequence[Block]) -> State:
    """The state that the last commit made that went well."""
    below = _blocks(contents)[len(strays) : len(strays) + 1]
    made = below[0].made if below and strays[-1].clashes else None
    return made or strays[-1].state or contents.state


def _history_begins(contents: Contents, strays: Sequence[Block], valid: Sequence[Block]) -> int:
    """The number of rows of the history before the first one of the commits that have to be written again."""
    if valid and valid[0].redo is not None and valid[0].made is not None:
        # A transaction that is not finished has not counted its own.
        added = 0 if valid[0].is_unfinished else len(valid[0].redo.history)
        return valid[0].made.history_rows - added
    return _state_before(contents, strays).history_rows


def falls_short(contents: Contents, seen: Seen | None) -> bool:
    """Return whether more of what commits have kept is needed than was read: not all is there that clashes, or that
    was saved since a machine has seen the spreadsheet."""
    if contents.has_all_kept:
        return False
    blocks, reached = _blocks(contents), contents.state.uid
    looked_at = blocks[: len(_disturbed(contents, astray(contents))) + 1]
    uids = {block.uid for block in blocks}
    if not looked_at or seen is None or any(block.base[1] not in uids for block in looked_at):
        return True
    for block in blocks:
        if block.uid == reached != seen.state.uid:
            reached = block.base[1]
    return reached != seen.state.uid


def lacks_history(contents: Contents, strays: Sequence[Block]) -> bool:
    """Return whether rows of the history that they wrote are not among those that were read."""
    valid = _to_repeat(_disturbed(contents, strays)[len(strays) :])
    begins = [block.state.history_rows for block in strays if block.state is not None]
    return min([*begins, _history_begins(contents, strays, valid)]) < contents.history_from


def recounting(contents: Contents) -> tuple[Plan, State] | None:
    """The state with the right number of history rows, and its requests (none); None where the number is right. Deleted
    rows are no longer in the history, and torn ones are skipped."""
    state = contents.state
    expected = state.history_rows - contents.history_from
    surplus = len(contents.history) - expected
    # Where an older version was restored, or rows above are gone, all of it has to be read; where nothing is left of
    # it, it is filled again.
    if (
        state.staging
        or surplus == 0
        or not contents.history
        or (not contents.everything and not 0 <= expected < len(contents.history))
    ):
        return None
    return Plan(repairs=True), replace(state, history_rows=state.history_rows + surplus)


def _roll_history_back(contents: Contents, strays: Sequence[Block], valid: Sequence[Block], plan: Plan) -> int:
    """Plan the history as it was before; of how many rows it stays as it is."""
    top = contents.history_from + 1
    existing = [trimmed(row) for row in contents.history]
    rows = list(existing)
    if valid and all(block.redo is not None for block in valid):
        # Others may have written over what they had added.
        del rows[max(_history_begins(contents, strays, valid) + 1 - top, 0) :]
        for block in strays:
            _remove(rows, [trimmed(row) for row in block.redo.history] if block.redo else [])
        rows += [trimmed(row) for block in valid if block.redo for row in block.redo.history]
    else:
        for block in strays:
            # What one has kept that has not seen another one is not what it removed.
            if block.cut and not (block.clashes and block.found_base):
                # Who took something back as well has taken rows of others away.
                at = max(block.cut[0] - top, 0)
                rows[at:at] = [list(row) for row in block.cut_rows]
            before = (None if block.clashes else block.state) or _state_before(contents, strays)
            del rows[max(before.history_rows + 1 - top, 0) :]
    same = 0
    while same < min(len(rows), len(existing)) and rows[same] == existing[same]:
        same += 1
    plan.cut = cut(contents, top + same)
    plan.history = rows[same:]
    return top + same - 1


def _remove(rows: list[list[Cell]], part: Sequence[Sequence[Cell]]) -> None:
    """Remove rows that are there one below the other."""
    at = next((at for at in range(len(rows)) if part and rows[at : at + len(part)] == part), None)
    if at is not None:
        del rows[at : at + len(part)]


def cut(contents: Contents, first: int) -> tuple[int, int] | None:
    """The rows of the history from one on, as far as there are any; row 0 is the heading."""
    end = contents.places[HISTORY.title].used
    return (first, end) if end > first else None


@dataclass
class _Row:
    """A row as it is (`was`, at its place; new ones have none) and as it is to be."""

    at: int | None
    was: list[Cell]
    now: list[Cell] = field(default_factory=list)
    gone: bool = False
    # The ID that a repair had written there before it was taken back.
    meant_for: int | None = None
    # The columns that a commit has written over which took the row for another one: what was there is known only from
    # the commit that had filled it.
    lost: set[int] = field(default_factory=set)

    def cell(self, at: int | None) -> Cell:
        """The cell in a column; '' where there is none."""
        return self.now[at] if at is not None and at < len(self.now) else ""

    def put(self, at: int, cell: Cell) -> None:
        """Write a cell."""
        self.now += [""] * (at + 1 - len(self.now))
        self.now[at] = cell


class _Tab:
    """A tab as it is, from which commits are taken back one after the other."""

    def __init__(self, kind: type[Record], rows: Sequence[Sequence[Cell]]) -> None:
        self.kind = kind
        self.top = list(rows[0]) if rows else []
        self.was = list(self.top)
        self.head = heading(kind, self.top)
        self.rows = [_Row(at, list(row), list(row)) for at, row in enumerate(rows) if at]

    def take_back(self, block: Block) -> None:
        """Put back what a commit wrote over or deleted, and take its own rows away."""
        if block.repairs and block.clashes:
            self._take_repair_back(block)
            return
        self._put_all_back(block)
        self._take_away(block, set(block.added.get(self.kind, ())))
        for cells in self._added_without_id(block):
            self._take_like(cells, at_least=1)

    def _put_all_back(self, block: Block) -> None:
        for at, part in enumerate(block.parts, start=1):
            if part.kind is self.kind:
                kept_head = heading(self.kind, block.rows.get(at, []))
                self._put_heading_back(part.headed, kept_head.written)
                columns = _columns(kept_head, self.head)
                victims = [
                    _Victim(use, row, kept_head, columns, part.names.get(offset, {}), part.cells.get(offset, ()))
                    for offset, (use, row) in enumerate(zip(part.uses, block.rows_of(part), strict=True))
                    if use is not None
                ]
                self._put_back(victims)

    def _take_repair_back(self, block: Block) -> None:
        """Take a repair back that somebody came before. What it wrote is right, if not the latest; what is kept of the
        rows may be what it has repaired."""
        if not block.found_base:
            self._put_all_back(block)
        ids = set(block.added.get(self.kind, ()))
        made = self._made_by(block)
        counts = Counter(
            record_id
            for row in self.rows
            if not row.gone and (record_id := self.id_of(row)) in ids and self.may_be_of(row, made.get(record_id, ""))
        )
        self._take_away(block, {record_id for record_id in ids if counts[record_id] > 1})
        for cells in self._added_without_id(block):
            self._take_like(cells, at_least=2)

    def take_back_remains(self, block: Block, valid: Sequence[Block]) -> None:
        """Take away what is there again of a commit that was taken back before: a later one may have kept it."""
        if block.redo is None:
            return
        for at, part in enumerate(block.parts, start=1):
            if part.kind is self.kind:
                kept_head = heading(self.kind, block.rows.get(at, []))
                columns = _columns(kept_head, self.head)
                owners = _Owners(self, [row for row in self.rows if not row.gone])
                for offset, (use, kept) in enumerate(zip(part.uses, block.rows_of(part), strict=True)):
                    if use is None or offset not in part.cells:
                        continue
                    victim = _Victim(use, kept, kept_head, columns, {}, part.cells[offset])
                    row = owners.row_before(victim) if victim.id else None
                    for column, cell in zip(use.writes or (), part.cells[offset], strict=True):
                        place, was = columns(column), kept[column] if column < len(kept) else ""
                        if row is not None and place is not None and alike(row.cell(place), cell):
                            row.put(place, was)
        added = self._added_by(block) - {cells for other in valid for cells in self._added_by(other)}
        for row in self.rows if added else ():
            row.gone = row.gone or tuple(trimmed(row.now)) in added

    def _added_by(self, block: Block) -> set[tuple[Cell, ...]]:
        """The cells of the rows that a commit added, as far as they are known."""
        return {tuple(row.now) for row in self._rows_added_by(block)}

    def _rows_added_by(self, block: Block) -> list[_Row]:
        """The rows that a commit added, as far as they are known, in the columns that they are in by now."""
        rows = block.redo.added.get(self.kind, ()) if block.redo else ()
        top = next((block.rows.get(at, []) for at, part in enumerate(block.parts, 1) if part.kind is self.kind), [])
        head = _Row(None, [], list(top))
        for at, text in (block.redo.headings.get(self.kind, {}) if block.redo else {}).items():
            head.put(at, text)
        columns = _columns(heading(self.kind, head.now), self.head)
        added = [_Row(None, []) for _ in rows]
        for row, cells in zip(added, rows, strict=True):
            for at, cell in enumerate(cells):
                if cell != "" and (place := columns(at)) is not None:
                    row.put(place, cell)
        return added

    def _made_by(self, block: Block) -> dict[int | None, Cell]:
        """The times at which the records were made whose rows a commit added, by ID."""
        return {self.id_of(row): self.made_in(row) for row in self._rows_added_by(block)}

    def write_again(self, block: Block, later: Sequence[Block]) -> None:
        """Write what a commit wrote wherever it is not there any more, and nobody has written anything else since;
        `later` are those that will be written again after it."""
        for at, part in enumerate(block.parts, start=1):
            if part.kind is self.kind:
                kept_head = heading(self.kind, block.rows.get(at, []))
                columns = _columns(kept_head, self.head)
                owners = _Owners(self, [row for row in self.rows if not row.gone])
                for offset, (use, kept) in enumerate(zip(part.uses, block.rows_of(part), strict=True)):
                    if use is None or (use.writes is not None and offset not in part.cells):
                        continue
                    victim = _Victim(use, kept, kept_head, columns, {}, part.cells.get(offset, ()))
                    if victim.deleted:
                        # Not what an undo has put back since.
                        if not any(victim.id in other.added.get(self.kind, ()) for other in later):
                            self._delete_again(victim, owners)
                        continue
                    before = owners.row_before(victim)
                    row = before or owners.row_given(victim)
                    for column, cell in zip(use.writes or (), part.cells[offset], strict=True):
                        place, was = columns(column), kept[column] if column < len(kept) else ""
                        if row is None or place is None:
                            continue
                        if place in row.lost or (before and alike(row.cell(place), was)):
                            row.put(place, cell)
                            row.lost.discard(place)
        self._head_again(block.redo.headings.get(self.kind, {}) if block.redo else {})
        owners = _Owners(self, [row for row in self.rows if not row.gone])
        for added in self._rows_added_by(block):
            row = owners.row_added(added)
            if row is None:
                self.rows.append(added)
                continue
            for at in row.lost:
                row.put(at, added.cell(at))
            row.lost.clear()

    def _head_again(self, texts: Mapping[int, str]) -> None:
        """Write headings of new columns that are not there any more."""
        for at, text in texts.items():
            self.top += [""] * (at + 1 - len(self.top))
            if self.top[at] == "" and text.casefold() not in (str(cell).casefold() for cell in self.top):
                self.top[at] = text
        self.head = heading(self.kind, self.top)

    def _delete_again(self, victim: "_Victim", owners: "_Owners") -> None:
        """Take a row away that a commit deleted: the record's, even if somebody had edited it before the commit; one
        without an ID only if it is there as it was."""
        row = (owners.row_before(victim) if victim.id else None) or owners.row_equal(victim)
        if row is not None:
            row.gone = True

    def _put_heading_back(self, columns: Sequence[int], kept_head: Sequence[Cell]) -> None:
        for at in columns:
            self.top += [""] * (at + 1 - len(self.top))
            # One that was elsewhere has moved here since.
            if self.top[at] == "" or self.top[at] not in kept_head:
                self.top[at] = kept_head[at] if at < len(kept_head) else ""
        self.head = heading(self.kind, self.top)

    # Rows that were written over, or deleted

    def _put_back(self, victims: Sequence["_Victim"]) -> None:
        owners = _Owners(self, [row for row in self.rows if not row.gone])
        rows = [owners.row_of(victim) for victim in victims]
        # All those first that are sure.
        rows = [row or owners.row_most_like(victim) for row, victim in zip(rows, victims, strict=True)]
        for victim, row in zip(victims, rows, strict=True):
            if victim.deleted:
                if row is None:
                    self._add_again(victim)
            elif row is not None:
                # One that is not there any more was deleted by a person since.
                row.meant_for = self.id_of(row) or row.meant_for
                victim.restore(row)
            elif left := owners.row_filled_since(victim):
                # Or somebody else has emptied it at the same moment, and another record may be in it by now.
                victim.erase(left)

    def _add_again(self, victim: "_Victim") -> None:
        again = _Row(None, [])
        victim.write(again)
        existing = (trimmed(row.now) == trimmed(again.now) for row in self.rows if not row.gone)
        if again.now and not any(existing):
            self.rows.append(again)

    # Rows that were added

    def _take_away(self, block: Block, remaining: set[int]) -> None:
        if not remaining:
            return
        added = self._rows_added_by(block)
        ours, made = [row.now for row in added], self._made_by(block)
        # Of two rows with one id it is the one that holds what was added, or the later one.
        latest = list(reversed(self.rows))
        for row in sorted(latest, key=lambda row: trimmed(row.now) not in ours):
            record_id = self.id_of(row) if self.is_whole(row) else self._stamp_anywhere(row, remaining)
            if not row.gone and record_id in remaining and self.may_be_of(row, made.get(record_id, "")):
                row.gone = True
                remaining.discard(record_id)
        owners = _Owners(self, [row for row in self.rows if not row.gone])
        for one in added:
            # What others have written over, and taken back.
            if self.id_of(one) in remaining and (left := owners.row_added(one)):
                left.gone = True

    def _added_without_id(self, block: Block) -> Iterator[dict[int, Cell]]:
        """The rows without an ID that a repair put back, by column."""
        for row in self._rows_added_by(block):
            if row.now and self.id_of(row) is None:
                yield {at: cell for at, cell in enumerate(row.now) if cell != ""}

    def _take_like(self, cells: Mapping[int, Cell], at_least: int) -> None:
        """Take away the last row without an ID that holds these cells, if there are so many."""
        alike_rows = [
            row
            for row in self.rows
            if not row.gone and self.id_of(row) is None and all(alike(row.cell(at), cell) for at, cell in cells.items())
        ]
        if len(alike_rows) >= at_least:
            alike_rows[-1].gone = True

    def id_of(self, row: _Row) -> int | None:
        """The ID in a row; None where it has none."""
        return number_of(row.cell(self.head.positions.get("id")))

    def made_in(self, row: _Row) -> Cell:
        """The time at which the record was made whose row it is, as its cell has it."""
        return row.cell(self.head.positions.get("created_at"))

    def may_be_of(self, row: _Row, made: Cell) -> bool:
        """Return whether a row may be that of a record which was made then; where that is not known, of any. Programs
        may give one ID to two records at the same moment, but make no two of them in one microsecond."""
        return made == "" or self.made_in(row) in ("", made) or made in row.now

    def is_whole(self, row: _Row) -> bool:
        """Return whether the last column says the same as the first: whose row it is."""
        stamp = stamped(row.cell(self.head.positions.get("version")))
        return stamp is not None and stamp[0] == self.id_of(row)

    @staticmethod
    def _stamp_anywhere(row: _Row, ids: set[int]) -> int | None:
        """The stamp of a row where columns had moved before it was written."""
        for cell in row.now:
            stamp = stamped(cell) if isinstance(cell, str) else None
            if stamp and stamp[0] in ids:
                return stamp[0]
        return None

    # What has to be written

    def plan(self, plan: Plan) -> None:
        """Add to a plan what makes the tab as it is to be."""
        written = {at: str(cell) for at, cell in enumerate(self.top) if at >= len(self.was) or cell != self.was[at]}
        if written:
            plan.headings[self.kind] = written
        for row in self.rows:
            if row.at is None:
                if not row.gone:
                    plan.appends.setdefault(self.kind, []).append((self.id_of(row) or 0, row.now, []))
                continue
            relies = {at: cell for at, cell in enumerate(row.was) if cell != ""}
            if row.gone:
                plan.deletes.append(RowWrite(self.kind, self.id_of(row) or 0, row.at, relies, deletes=True))
                continue
            before = [*row.was, *[""] * (len(row.now) - len(row.was))]
            cells = {at: new for at, (new, old) in enumerate(zip(row.now, before, strict=True)) if not alike(new, old)}
            if cells:
                # A row that does not say whose it is is known by all that is in it; what is written over may be blank.
                sure = [*self._identity, *cells] if self.is_whole(replace(row, now=before)) else range(len(before))
                relies = {at: before[at] for at in sure if at < len(before)}
                names = naming(self.head, dict(enumerate(before)), cells)
                plan.updates.append(RowWrite(self.kind, self.id_of(row) or 0, row.at, relies, cells=cells, names=names))

    @property
    def _identity(self) -> list[int]:
        return [self.head.positions[name] for name in ("id", "version") if name in self.head.positions]


class _Owners:
    """The one rule for whose row it is, never by its place. The row that a commit wrote over says what the commit wrote
    there to say so, or still has the ID that it had; of several such rows it is the one that holds most of what the
    commit wrote, then the one most like what was there before. One that it added has the ID that it gave. A row with
    that ID whose record was made at another time is somebody else's. No row is taken twice."""

    def __init__(self, tab: _Tab, rows: Sequence[_Row]) -> None:
        self._tab = tab
        self._rows = rows
        self._taken: set[int] = set()
        self._by_column: dict[int, dict[Cell, list[_Row]]] = {}
        self._by_id: dict[int | None, list[_Row]] = defaultdict(list)
        for row in rows:
            self._by_id[tab.id_of(row)].append(row)

    def row_of(self, victim: "_Victim") -> _Row | None:
        """The row as it stands now; None where it is not there any more."""
        made = {victim.made_after} if victim.names else {victim.made, victim.made_after}
        candidates = [
            row
            for row in self._candidates(victim)
            if id(row) not in self._taken and any(self._tab.may_be_of(row, cell) for cell in made)
        ]
        row = max(candidates, key=victim.match, default=None)
        if row is not None:
            self._taken.add(id(row))
        return row

    def row_most_like(self, victim: "_Victim") -> _Row | None:
        """The row that has lost its ID to a misplaced repair, and that people have typed into since: most of what is in
        it is still as it was, or the next repair has given it the ID again, and was taken back for what was typed."""
        is_unnamed = victim.names and all(cell == "" for cell in victim.names.values())
        if victim.deleted or victim.id is None or not is_unnamed or self._by_id.get(victim.id):
            return None
        unnamed = [
            row
            for row in self._with(next(iter(victim.names)), "")
            if id(row) not in self._taken and victim.names_in(row) == len(victim.names)
        ]
        like = [row for row in unnamed if victim.likeness(row) > 0]
        row = max(like or [row for row in unnamed if row.meant_for == victim.id], key=victim.likeness, default=None)
        if row is not None:
            self._taken.add(id(row))
        return row

    def row_before(self, victim: "_Victim") -> _Row | None:
        """The row that still has the ID that one had before it was written; for a row without one, that which is still
        like it."""
        candidates = [row for row in self._by_id.get(victim.id, []) if self._tab.may_be_of(row, victim.made)]
        if victim.id is None:
            candidates = [row for row in candidates if victim.is_like(row)]
        return candidates[0] if len(candidates) == 1 else None

    def row_equal(self, victim: "_Victim") -> _Row | None:
        """The row that is there as it was before."""
        whole = _Row(None, [])
        victim.write(whole)
        return next((row for row in self._rows if whole.now and not row.gone and trimmed(row.now) == whole.now), None)

    def row_given(self, victim: "_Victim") -> _Row | None:
        """The row that has the ID which the commit gave it."""
        number = number_of(victim.cells.get(self._tab.head.positions.get("id", -1), ""))
        rows = self._by_id.get(number, []) if number else []
        return next((row for row in rows if self._tab.may_be_of(row, victim.made_after)), None)

    def row_filled_since(self, victim: "_Victim") -> _Row | None:
        """The row that holds what the commit wrote, and that is by now another record's or nobody's."""
        stamp = self._tab.head.positions.get("version", -1)
        for row in self._rows:
            is_anothers = victim.cells.get(stamp, "") != "" and not self._tab.is_whole(row)
            if victim.is_all_of(row) or (is_anothers and victim.cells_in(row) == len(victim.cells)):
                return row
        return None

    def row_added(self, added: _Row) -> _Row | None:
        """The row that a commit added as it stands now, or what is left of it where others have written over it."""
        number, made = self._tab.id_of(added), self._tab.made_in(added)
        known = (row for row in self._by_id.get(number, []) if number and self._tab.may_be_of(row, made))
        left = (row for row in self._by_id.get(None, []) if row.lost and _is_part(row, added))
        return next(known, None) or next(left, None)

    def _candidates(self, victim: "_Victim") -> Sequence[_Row]:
        if victim.deleted or victim.keeps_id:
            return self._by_id.get(victim.id, []) if victim.id else []
        if any(cell != "" for cell in victim.names.values()):
            return [row for at, cell in victim.names.items() if cell != "" for row in self._with(at, cell)]
        if victim.names:
            # It was made a row without an ID again.
            unnamed = self._with(next(iter(victim.names)), "")
            return [row for row in unnamed if victim.names_in(row) == len(victim.names) and victim.is_like(row)]
        # No ID was written, and it had none, or columns had moved and something else is where its ID was.
        return [row for row in self._rows if not self._tab.is_whole(row) and self._was_written(row, victim)]

    def _with(self, at: int, cell: Cell) -> Sequence[_Row]:
        if at not in self._by_column:
            rows = self._by_column[at] = defaultdict(list)
            for row in self._rows:
                rows[comparable(row.cell(at))].append(row)
        return self._by_column[at].get(comparable(cell), ())

    def _was_written(self, row: _Row, victim: "_Victim") -> bool:
        """Return whether what the commit wrote is in this row: its stamp, or all of it where it wrote none there."""
        stamp = self._tab.head.positions.get("version", -1)
        if not victim.cells:
            return any(row.cell(at) != "" for at in ([stamp] if stamp in victim.targets else victim.targets))
        if victim.cells.get(stamp, "") != "":
            return alike(row.cell(stamp), victim.cells[stamp])
        return victim.cells_in(row) == len(victim.cells)


def _is_part(row: _Row, added: _Row) -> bool:
    """Return whether a row holds nothing but what is in another one, and some of it."""
    cells = {at: cell for at, cell in enumerate(row.now) if cell != ""}
    return bool(cells) and all(alike(cell, added.cell(at)) for at, cell in cells.items())


class _Victim:
    """A row as it was before a commit wrote over it, and where its columns are now."""

    def __init__(
        self,
        use: Use,
        row: Sequence[Cell],
        kept_head: Heading,
        columns: Callable[[int], int | None],
        names: Mapping[int, Cell],
        cells: Sequence[Cell],
    ) -> None:
        self.row = row
        places = [columns(column) for column in sorted(use.writes or ())]
        # What the commit wrote, by column, as far as it is known.
        self.cells = {at: cell for at, cell in zip(places, cells, strict=False) if at is not None}
        self.columns = columns
        self.deleted = use.writes is None
        self._written = frozenset(use.writes or ())
        at = kept_head.positions.get("id")
        self.id = number_of(row[at]) if at is not None and at < len(row) else None
        # Whether the row still says whose it is.
        self.keeps_id = self.id is not None and at not in self._written
        self.targets = [place for column in self._written if (place := columns(column)) is not None]
        # What the commit wrote for the row to be known by.
        self.names = {place: cell for column, cell in names.items() if (place := columns(column)) is not None}
        # When the record was made whose row it was, and what the row says of that since.
        made_at = kept_head.positions.get("created_at", -1)
        self.made = self.made_after = cell_in(row, made_at) if made_at >= 0 else ""
        if made_at in self._written:
            self.made_after = dict(zip(sorted(self._written), cells, strict=False)).get(made_at, "")

    def is_all_of(self, row: _Row) -> bool:
        """Return whether a row holds what the commit wrote there, and nothing else."""
        written = {at for at, cell in self.cells.items() if cell != ""}
        return (
            bool(written)
            and {at for at, cell in enumerate(row.now) if cell != ""} == written
            and self.cells_in(row) == len(self.cells)
        )

    def match(self, row: _Row) -> tuple[int, int, int]:
        """Return the quality of the match with a row, to compare it with others."""
        return self.names_in(row), self.cells_in(row), self.likeness(row)

    def names_in(self, row: _Row) -> int:
        """The number of cells in a row by which the written one is known."""
        return sum(alike(row.cell(at), cell) for at, cell in self.names.items())

    def cells_in(self, row: _Row) -> int:
        """The number of cells in a row that hold what the commit wrote there."""
        return sum(alike(row.cell(at), cell) for at, cell in self.cells.items())

    def likeness(self, row: _Row) -> int:
        """The likeness of a row to this one where nothing was written over."""
        return sum(0 if cell == now == "" else 1 if alike(cell, now) else -1 for cell, now in self._beside(row))

    def is_like(self, row: _Row) -> bool:
        """Return whether all is there that was not written over."""
        return all(alike(cell, now) for cell, now in self._beside(row))

    def _beside(self, row: _Row) -> Iterator[tuple[Cell, Cell]]:
        for at in range(max(len(self.row), len(row.now))):
            place = self.columns(at)
            if at not in self._written and place is not None:
                yield self.row[at] if at < len(self.row) else "", row.cell(place)

    def restore(self, row: _Row) -> None:
        """Put back what was written over."""
        for at in self._written:
            place = self.columns(at)
            if place is not None:
                row.put(place, self.row[at] if at < len(self.row) else "")
        if self.id is None and not self.is_like(row):
            row.lost.update(at for at in self.targets if row.cell(at) == "")

    def erase(self, row: _Row) -> None:
        """Empty what was written over, where what is kept of it is another record's."""
        for at in self.targets:
            row.put(at, "")
        row.lost.update(self.targets)

    def write(self, row: _Row) -> None:
        """Put the whole row."""
        for at, cell in enumerate(self.row):
            place = self.columns(at)
            if cell != "" and place is not None:
                row.put(place, cell)


def _columns(before: Heading, now: Heading) -> Callable[[int], int | None]:
    """The places of a heading's columns in another one, by what is above them."""
    texts = {str(cell).strip().casefold(): at for at, cell in reversed(list(enumerate(now.written))) if cell != ""}

    def place(at: int) -> int | None:
        text = str(before.written[at]).strip().casefold() if at < len(before.written) else ""
        if text:
            return texts.get(text)
        # A column without a heading can only be known by its place.
        unnamed = at >= len(now.written) or now.written[at] == ""
        return at if unnamed else None

    return place

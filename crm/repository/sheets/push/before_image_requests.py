"""The requests with which a commit keeps its before images."""

from collections.abc import Iterator, Sequence
from itertools import zip_longest

from crm.model import Record
from crm.repository.sheets.grid.cells import Request, cells_request
from crm.repository.sheets.grid.layout import BEFORE, HISTORY, META, TABS, Cell, a1, runs
from crm.repository.sheets.mirror.before_images import AT, Block, Part, Redo, Use
from crm.repository.sheets.mirror.mirror import META_COLUMNS, Seen, State
from crm.repository.sheets.push.plan import Plan, RowWrite

# From so many rows on a whole tab is kept rather than row by row: that takes one request instead of many.
_BLOCK_FROM = 200
# So many rows of older commits stay, to take back several that went wrong at once.
_REMEMBERED = 400
# Where requests are merged a request that cuts rows off may arrive late, and must not reach those that came in between:
# so many rows more stay than all tabs together have, up to a limit, and they are seldom cut off, so many at a time.
_REMEMBERED_OF_MERGED, _MOST_REMEMBERED, _CUT_OFF = 4_000, 20_000, 2_000
_MORE_COLUMNS = 10


def block_of(plan: Plan, seen: Seen, after: State, base: State) -> tuple[Block, list[Request]]:
    """The before images of a commit that makes a state, and the requests that keep them."""
    kinds = plan.kinds
    added = {kind: [row[0] for row in rows if row[0]] for kind, rows in plan.appends.items()}
    block = Block(after.uid, (base.revision, base.uid), 1 + len(kinds), added=added, made=after, repairs=plan.repairs)
    block.lacks = plan.lacks
    # Where no other request can come in between, one of several is too much to keep once more; what clears up after
    # somebody else's is not.
    block.keeps_all = plan.empties and not plan.repairs
    if plan.empties or (after.uid != base.staging and block.transaction != after.staging):
        rows = {kind: [row[1] for row in rows] for kind, rows in plan.appends.items()}
        block.redo = Redo(after.rows()[1], rows, plan.history, plan.headings)
    copies = [_copy(META.sheet_id, 1, 1, 0)]
    for at, kind in enumerate(kinds, start=1):
        place = seen.places[kind.kind_name]
        sheet = TABS[kind].sheet_id
        copies.append(_copy(sheet, 0, 1, at))
        part = Part(kind, block.size, headed=tuple(plan.headings.get(kind, ())))
        ours = {row.row: row for row in plan.touched if row.kind is kind}
        spans = _spans(list(ours))
        for row, count in spans:
            copies.append(_copy(sheet, row, count, block.size))
            for number in range(row, row + count):
                write = ours.get(number)
                if write is not None and write.names:
                    part.names[len(part.uses)] = write.names
                if write is not None and not write.deletes and block.redo is not None:
                    part.cells[len(part.uses)] = [write.cells[at] for at in sorted(write.cells)]
                part.uses.append(_use(write))
            block.size += count
        expected = [
            ours[number].relies if number in ours else {} for row, count in spans for number in range(row, row + count)
        ]
        part.digest, part.top = part.digest_of(place.heading, expected), part.digest_of_top(place.heading)
        block.parts.append(part)
    if plan.cut:
        first, end = plan.cut
        copies.append(_copy(HISTORY.sheet_id, first, end - first, block.size))
        block.cut = (first, end - first, block.size)
        block.size += end - first
    texts = block.written()
    block.size = max(block.size, *map(len, texts))
    room = _make_room(block.size, _width(plan, seen), _rows_kept(plan, seen))
    return block, [*room, *copies, _notes(block, *texts)]


def wide_of(plan: Plan, seen: Seen, kind: type[Record]) -> int:
    """The number of columns that a tab has, with those that the plan adds."""
    return max([seen.places[kind.kind_name].columns, *(at + 1 for at in plan.headings.get(kind, ()))])


def _use(write: RowWrite | None) -> Use | None:
    if write is None:
        return None
    return Use(tuple(sorted(write.relies)), None if write.deletes else tuple(sorted(write.cells)))


def _spans(rows: Sequence[int]) -> list[tuple[int, int]]:
    if len(rows) >= _BLOCK_FROM:
        return [(min(rows), max(rows) + 1 - min(rows))]
    return list(runs(rows))


def _width(plan: Plan, seen: Seen) -> int:
    """The number of columns of the tab then: some more than are known of, which people may insert meanwhile."""
    wide = AT + _MORE_COLUMNS + max([META_COLUMNS, *(wide_of(plan, seen, kind) for kind in plan.kinds)])
    return max(wide, seen.places[BEFORE.title].columns)


def _rows_kept(plan: Plan, seen: Seen) -> int | None:
    """The number of rows of older commits that stay; None for all of them."""
    if not plan.empties:
        return _REMEMBERED
    in_use = sum(seen.places[kind.kind_name].used for kind in TABS)
    kept = min(_REMEMBERED_OF_MERGED + in_use, _MOST_REMEMBERED)
    return kept if seen.places[BEFORE.title].rows > kept + _CUT_OFF else None


def _make_room(size: int, wide: int, kept: int | None) -> Iterator[Request]:
    """Empty rows on top, and no more of the old ones than are wanted; wherever the old ones end by now."""
    span = {"sheetId": BEFORE.sheet_id, "dimension": "ROWS", "startIndex": 0, "endIndex": size}
    yield {"insertDimension": {"range": span, "inheritFromBefore": False}}
    grid = {"columnCount": wide} if kept is None else {"rowCount": size + kept, "columnCount": wide}
    fields = ",".join(f"gridProperties.{name}" for name in grid)
    yield {
        "updateSheetProperties": {"properties": {"sheetId": BEFORE.sheet_id, "gridProperties": grid}, "fields": fields}
    }


def _copy(sheet: int, row: int, count: int, to: int) -> Request:
    """Keep some rows of a tab, with all the columns that it has by then."""
    source = {"sheetId": sheet, "startRowIndex": row, "endRowIndex": row + count}
    # What is copied goes on beyond one cell; into a larger range it would be repeated.
    corner = {
        "sheetId": BEFORE.sheet_id,
        "startRowIndex": to,
        "endRowIndex": to + 1,
        "startColumnIndex": AT,
        "endColumnIndex": AT + 1,
    }
    return {"copyPaste": {"source": source, "destination": corner, "pasteType": "PASTE_VALUES"}}


def _notes(block: Block, meant: Sequence[str], wrote: Sequence[str]) -> Request:
    rows: list[list[Cell]] = [[block.mark(at)] for at in range(block.size)]
    rows[0] += [block.size, len(meant)]
    for row, (what, cells) in zip(rows, zip_longest(meant, wrote, fillvalue=""), strict=False):
        row[1:] = [*(row[1:] or ["", ""]), what, *filter(None, [cells])]
    return cells_request(BEFORE.sheet_id, 0, 0, rows)


def ranges_of(block: Block, plan: Plan, seen: Seen) -> Iterator[str]:
    """The ranges of the kept rows that the answer is to show."""
    title = seen.places[BEFORE.title].title
    right = _width(plan, seen) - 1
    if block.size <= _BLOCK_FROM:
        yield a1(title, (0, block.size - 1), (AT, right))
        return
    yield a1(title, (0, len(block.parts)), (AT, right))
    looked = {at for part in block.parts for use in part.uses if use for at in use.relies}
    for at, count in runs(list(looked)):
        yield a1(title, (1 + len(block.parts), block.size - 1), (AT + at, AT + at + count - 1))

"""Reads of the spreadsheet: to bring the mirror up to date."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from crm import program
from crm.errors import StoreDamagedError, StoreError, StoreNewerError, StoreNotSetUpError
from crm.model import RECORDS, Record
from crm.repository.sheets.google.answered_rows import Part, Rows, digest_of
from crm.repository.sheets.google.spreadsheet import Rejected, Service, Values, unreadable
from crm.repository.sheets.grid.layout import (
    ACCOUNT_TABS,
    ADDED,
    ALL_TABS,
    APART_SINCE,
    BEFORE,
    FORMAT,
    HISTORY,
    META,
    TABS,
    Cell,
    Tab,
)
from crm.repository.sheets.mirror.before_images import kept_ranges, kept_rows
from crm.repository.sheets.mirror.mirror import META_RANGE, PROBE, SERIALISES, Place, Quiet, Seen, State, unfinished
from crm.repository.sheets.pull.delta import AllTabsGoneError, TabDamagedError
from crm.repository.sheets.pull.ingest import Contents

# So many rows of what commits have kept are read, where many more are kept.
_KEPT_READ, _MANY_KEPT = 200, 1_000


def read(
    service: Service,
    before: Seen | None,
    quiet: Mapping[str, Quiet] | None = None,
    *,
    all_kept: bool = False,
    written: bool = False,
) -> Contents:
    """Everything of the spreadsheet, the history only from where the mirror stands; one request. `quiet` are the tabs
    that are known by their digest. Of what commits have kept it is the latest, unless all of it is asked for, and what
    they wrote only where that is asked for too.

    Raises StoreNotSetUpError, StoreNewerError, and StoreDamagedError where one of our tabs is gone.
    """
    # From the last known row on, which is there in any case, so that the range never begins below the grid.
    known = before.state.history_rows if before else 0
    is_long = before is not None and not all_kept and before.places[BEFORE.title].rows > _MANY_KEPT
    most = _KEPT_READ if is_long else None
    ranges = [META_RANGE, HISTORY.rows(known), *([BEFORE.rows(0, most)] if written else kept_ranges(most))]
    ranges += [TABS[kind].rows() for kind in RECORDS]
    if is_long:
        # A narrow column to the end says how many rows there are.
        ranges.append({**BEFORE.rows(), "startColumnIndex": 1, "endColumnIndex": 2})
    try:
        meta, history, kept, *tabs = service.values(ranges)
    except Rejected as error:
        if known:
            # Rows of the history may be gone.
            return read(service, None, all_kept=all_kept, written=written)
        raise without_tabs(service, error) from error
    if not written:
        if State.format_of(meta.rows) < APART_SINCE:
            # An older version has kept cells in that column.
            return read(service, before, quiet, all_kept=all_kept, written=True)
        cells = tabs.pop(0)
        kept = replace(cells, rows=kept_rows(kept.rows, cells.rows))
    state, all_kept_rows = state_in(meta.rows), (tabs.pop() if is_long else kept).grid[0]
    by_kind = dict(zip(RECORDS, tabs, strict=True))
    quiet = quiet if quiet and known else {}
    unchanged = dict(_unchanged(by_kind, quiet))
    parts = {kind: part for kind, part in _parts(by_kind, quiet) if kind not in unchanged}
    places = {
        HISTORY.title: Place(history.title, [], known + len(history.rows), *history.grid),
        BEFORE.title: replace(_place(kept), heading=[], rows=all_kept_rows),
        **{
            kind.kind_name: _place(values, quiet.get(kind.kind_name), parts.get(kind), is_known=kind in unchanged)
            for kind, values in by_kind.items()
        },
    }
    return Contents(
        state,
        {kind: values.rows for kind, values in by_kind.items()},
        places,
        history.rows[1:],
        known,
        # What a new store holds is in no history: from there on nothing tells who has changed it.
        not known,
        kept.rows,
        kept.grid[0],
        history.rows[0] if history.rows else [],
        is_serialised(meta.rows),
        is_punctual(meta.rows),
        unchanged.keys(),
        parts,
        before.state.uid if before else "",
        written,
    )


def seen_now(service: Service) -> Seen:
    """The spreadsheet as it is, its tabs not looked into. Raises StoreError."""
    contents = read(service, None)
    return Seen(contents.state, contents.places)


def _unchanged(tabs: Mapping[type[Record], Values], quiet: Mapping[str, Quiet]) -> Iterator[tuple[type[Record], Quiet]]:
    """The tabs that are as they were, each with what is known of it."""
    for kind, values in tabs.items():
        tab = quiet.get(kind.kind_name)
        if tab is not None and tab.digest == digest_of(values.rows):
            yield kind, tab


def _parts(tabs: Mapping[type[Record], Values], quiet: Mapping[str, Quiet]) -> Iterator[tuple[type[Record], Part]]:
    """The parts of large tabs that may have changed, if that is known."""
    for kind, values in tabs.items():
        tab = quiet.get(kind.kind_name)
        if tab is None or not tab.portions or not isinstance(values.rows, Rows):
            continue
        part = values.rows.part(tab.portions, tab.used)
        if part is not None and part.first == 0:
            # The heading is no row.
            heading, rows = part.rows[:1], part.rows[1:]
            part = replace(part, first=1, rows=rows) if heading == [tab.heading] else None
        if part is not None:
            yield kind, part


def state_in(rows: Sequence[Sequence[Cell]]) -> State:
    """The state in the technical tab. Raises StoreNewerError and StoreDamagedError."""
    written = State.format_of(rows)
    if written > FORMAT:
        raise StoreNewerError(
            f"The spreadsheet was set up by a newer version of this program (format {written}, this one reads"
            f" {FORMAT}). It was left as it is. Install the newer version to open it."
        )
    state = State.read(rows)
    if unfinished(rows):
        raise TabDamagedError(
            "A repair of the spreadsheet is not finished. If it is not running any more, run `sheets repair` again: it"
            " finishes the repair."
        )
    if state is None:
        raise TabDamagedError(
            "The hidden tab “crm” was changed by hand and cannot be read. Undo that in the spreadsheet (Edit, Undo, or"
            " File, Version history), or run `sheets repair`."
        )
    return state


def is_serialised(rows: Sequence[Sequence[Cell]]) -> bool:
    """Return whether the technical tab says that Google was seen to apply requests one after the other."""
    return len(rows) > 2 and list(rows[2][:2]) == [SERIALISES, "yes"]


def is_merged(rows: Sequence[Sequence[Cell]]) -> bool:
    """Return whether the technical tab says that Google was seen to merge requests of one moment."""
    return len(rows) > 2 and list(rows[2][:2]) == [SERIALISES, "no"]


def is_punctual(rows: Sequence[Sequence[Cell]]) -> bool:
    """Return whether the technical tab says that Drive was seen to tell of edits at once."""
    return len(rows) > 3 and list(rows[3][:2]) == [PROBE, "yes"]


def _place(values: Values, tab: Quiet | None = None, part: Part | None = None, *, is_known: bool = False) -> Place:
    rows, columns = values.grid
    if tab is not None and (part is not None or is_known):
        return Place(values.title, tab.heading, part.used if part else tab.used, rows, columns)
    return Place(values.title, values.rows[0] if values.rows else [], len(values.rows), rows, columns)


def without_tabs(service: Service, error: Rejected) -> StoreError:
    """The error for tabs that could not be read."""
    described = service.describe("properties(title),sheets(properties(sheetId,title))")
    existing = {sheet["properties"].get("sheetId", 0) for sheet in described.get("sheets", [])}
    missing = [tab for tab in ALL_TABS if tab.sheet_id not in existing]
    setup = program.command(f"sheets setup {service.spreadsheet}")
    if len(missing) == len(ALL_TABS):
        title = described.get("properties", {}).get("title", "")
        return AllTabsGoneError(
            f"The spreadsheet “{title}” is not set up for the CRM yet. Run `{setup}`, or start the menu without a"
            " command, which guides you through it."
        )
    if is_older(service, missing):
        return StoreNotSetUpError(
            "The spreadsheet was set up by an older version of the CRM and lacks tabs of this one. Run"
            f" `{setup}`, which adds them. Everything else stays as it is."
        )
    if missing and ACCOUNT_TABS.issuperset(missing):
        return StoreDamagedError(
            f"The spreadsheet has lost its tab “{missing[0].title}”. Put it back in the spreadsheet (Edit, Undo, or"
            f" File, Version history), or run `{setup}`, which adds it again. Until its rows are restored, nobody can"
            " sign in."
        )
    if missing:
        return TabDamagedError(
            f"The spreadsheet has lost its tab “{missing[0].title}”. Put it back in the spreadsheet (Edit, Undo, or"
            " File, Version history), or run `sheets repair`. Nothing was changed."
        )
    return unreadable(error)


def is_older(service: Service, missing: Sequence[Tab]) -> bool:
    """Return whether what is missing are tabs that its format had not yet, and which nobody has deleted."""
    if not missing or META in missing:
        return False
    (meta,) = service.values([META_RANGE])
    written = State.format_of(meta.rows)
    lacking = frozenset[Tab]().union(*(tabs for version, tabs in ADDED.items() if version > written > 0))
    return lacking.issuperset(missing)

"""Columns of the program's that were deleted by hand, put back with what the mirror holds."""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import Connection, select

from crm.model import RECORDS, Record, people
from crm.repository import tables
from crm.repository.sheets.grid import formatting
from crm.repository.sheets.grid.cells import cell_in
from crm.repository.sheets.grid.layout import Cell, columns, header, heading
from crm.repository.sheets.mirror import mirror
from crm.repository.sheets.mirror.mirror import Seen
from crm.repository.sheets.push.plan import Plan, RowWrite, as_heading

# A column is another one's if so much of what that held is in it.
_ALIKE = 0.9


def missing(seen: Seen, blind: Mapping[str, Collection[str]]) -> dict[type[Record], list[str]]:
    """The fields whose column is gone, by tab, but for those that hold something nobody has seen here: the `blind` ones
    that a spreadsheet had from the start."""
    names_of: dict[type[Record], list[str]] = {}
    for kind in RECORDS:
        head = heading(kind, seen.places[kind.kind_name].heading)
        unseen = set(blind.get(kind.kind_name, ())) - head.later_fields
        names_of[kind] = [name for name in head.missing if name not in unseen]
    return {kind: names for kind, names in names_of.items() if names}


def missing_fields(seen: Seen, *, accounts: bool) -> dict[type[Record], list[str]]:
    """The columns that a spreadsheet of an older version lacks; those for the `accounts` of people only where there are
    any."""
    names_of = {kind: heading(kind, seen.places[kind.kind_name].heading).later_fields for kind in RECORDS}
    left_out = {kind: set() if accounts else set(people(kind).values()) for kind in RECORDS}
    return {kind: sorted(names - left_out[kind]) for kind, names in names_of.items() if names - left_out[kind]}


def still_blind(
    blind: Mapping[str, Collection[str]], seen: Mapping[type[Record], Collection[str]]
) -> dict[str, list[str]]:
    """The fields of each tab whose column was never seen, but for those that are there now."""
    known = {kind.kind_name: names for kind, names in seen.items()}
    return {tab: [name for name in names if name not in known.get(tab, ())] for tab, names in blind.items()}


def renamed(
    connection: Connection, seen: Seen, kind: type[Record], names: Collection[str], rows: Sequence[Sequence[Cell]]
) -> dict[int, str]:
    """The fields among `names` whose column is there under another heading, by its place: it holds what the field's
    column held. `rows` are those of the tab as it is."""
    written = seen.places[kind.kind_name].heading
    taken = set(heading(kind, written).positions.values())
    known = mirror.rows_of(connection, kind).values()
    places: dict[int, str] = {}
    for name in names:
        at = columns(kind).index(name)
        held = [(row, cells[at]) for row, cells in known if len(cells) > at and cells[at] != ""]
        for column, title in enumerate(written):
            if title == "" or column in taken or column in places or not held:
                continue
            same = sum(_cell(rows, row, column) == cell for row, cell in held)
            if same >= _ALIKE * len(held):
                places[column] = name
                break
    return places


def _cell(rows: Sequence[Sequence[Cell]], row: int, column: int) -> Cell:
    return cell_in(rows[row], column) if row < len(rows) else ""


def renaming(places: Mapping[type[Record], Mapping[int, str]]) -> Plan:
    """The plan that gives such columns their headings back."""
    made = Plan()
    for kind, fields in places.items():
        made.headings[kind] = {at: header(kind, name) for at, name in fields.items()}
    return made


def restoring(connection: Connection, seen: Seen, columns_by_kind: Mapping[type[Record], Collection[str]]) -> Plan:
    """The plan that writes some of them again, each to the right of everything that is in its tab, and formats them as
    in a new spreadsheet."""
    made = Plan()
    for kind, names in columns_by_kind.items():
        place = seen.places[kind.kind_name]
        positions = heading(kind, place.heading).positions
        made.headings[kind] = {at: header(kind, name) for at, name in enumerate(names, start=place.columns)}
        widened = heading(kind, as_heading(place, made.headings[kind]))
        made.looks += formatting.looks(widened, only=names)
        accounts = _accounts(connection, kind, names)
        for record_id, (row, cells) in mirror.rows_of(connection, kind).items():
            known = dict(zip(columns(kind), cells, strict=False)) | accounts.get(record_id, {})
            relies = {positions[name]: known[name] for name in ("id", "version")}
            values = {at: known[name] for at, name in enumerate(names, start=place.columns)}
            values_now = [*map(known.get, columns(kind)), *cells[len(columns(kind)) :]]
            if any(value != "" for value in values.values()):
                made.updates.append(RowWrite(kind, record_id, row, relies, values_now, values))
    return made


def _accounts(connection: Connection, kind: type[Record], names: Collection[str]) -> dict[int, dict[str, int]]:
    """The accounts of people in the mirror, by the id of the record: their cells were never there."""
    besides = [tables.TABLES[kind].c[name] for name in people(kind).values() if name in names]
    accounts: dict[int, dict[str, int]] = {}
    for beside in besides:
        for record_id, account in connection.execute(select(beside.table.c.id, beside).where(beside != 0)):
            accounts.setdefault(record_id, {})[beside.name] = account
    return accounts

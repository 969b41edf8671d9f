"""The mirror's knowledge of the spreadsheet beside the records: where each row stands, and what is wrong in it."""

import json
import sys
import zlib
from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from types import MappingProxyType
from typing import Any

from sqlalchemy import Column, Connection, Index, Integer, MetaData, String, Table, Text, inspect, select, update

from crm.errors import StoreBusyError
from crm.model import RECORDS, Record
from crm.repository import ROSTER, tables
from crm.repository.bulk import insert_many
from crm.repository.known import new_id
from crm.repository.sheets.google.answered_rows import PORTION, Portions
from crm.repository.sheets.grid.cells import LARGEST_EXACT
from crm.repository.sheets.grid.layout import FORMAT, HISTORY, META, TABS, Cell, columns
from crm.repository.sqlite import counters

metadata = MetaData()

# A row of the spreadsheet: its place (0 is the heading) and its cells as they were last seen, as JSON.
sheet_row = Table(
    "sheet_row",
    metadata,
    Column("record", String(20), primary_key=True),
    Column("id", Integer, primary_key=True),
    Column("row", Integer, nullable=False),
    Column("cells", Text, nullable=False),
    Index("sheet_row_by_place", "record", "row"),
)

# A cell that cannot be taken. `id` is 0 where the row belongs to no record; then `row` says which one. `field` is ''
# for something in the heading, then `column` says where. `cell` is what was there, as JSON; something else by now is
# not wrong any more.
sheet_problem = Table(
    "sheet_problem",
    metadata,
    Column("record", String(20), nullable=False),
    Column("id", Integer, nullable=False),
    Column("field", String(80), nullable=False),
    Column("row", Integer, nullable=False),
    Column("column", Integer, nullable=False),
    Column("what", Text, nullable=False),
    Column("cell", Text, nullable=False),
    Index("sheet_problem_by_record", "record", "id"),
)

# What the mirror knows of the spreadsheet as a whole.
sheet_fact = Table(
    "sheet_fact", metadata, Column("name", String(40), primary_key=True), Column("value", Text, nullable=False)
)

# The first formats have these in this order; what has come to be since is behind them.
_FIRST_NUMBERED = (
    "client", "sale", "contact", "interaction", "follow_up", "stage", "deal", "stage_move", "template", "mailing",
    "message", "rule", "view", "dashboard", "setting", "user", "sign_in", tables.transactions.name,
)  # fmt: skip
NUMBERED = tuple(dict.fromkeys((*_FIRST_NUMBERED, *(tables.TABLES[kind].name for kind in TABS))))

_HOME = "spreadsheet"

# The revision of a spreadsheet that was only set up.
NEW_REVISION = 1


@dataclass(frozen=True)
class State:
    """The state: the row of the technical tab. `last` holds the highest number in use by table; `staging` names the
    transaction that is being written in several requests, '' when there is none. `roster` seals the accounts as a
    whole. `home` is the spreadsheet that this was written to: somebody may have copied it since."""

    revision: int = 0
    uid: str = ""
    staging: str = ""
    history_rows: int = 0
    last: Mapping[str, int] = field(default_factory=dict)
    roster: str = ""
    home: str = ""

    def is_at(self, other: "State") -> bool:
        """Return whether both are of the same revision."""
        return (self.revision, self.uid) == (other.revision, other.uid)

    def is_older_copy(self, other: "State") -> bool:
        """Return whether this is the other one with an earlier revision, which only a person writes."""
        return self.uid == other.uid and self.revision != other.revision

    def is_but_for_roster(self, other: "State") -> bool:
        """Return whether both are the same, whatever their rosters."""
        return replace(self, roster=other.roster) == other

    def rows(self) -> list[list[Cell]]:
        """The two rows of the technical tab."""
        names: list[Cell] = ["format", "revision", "uid", "staging", "history_rows", *NUMBERED]
        values: list[Cell] = [FORMAT, self.revision, self.uid, self.staging, self.history_rows]
        numbers = [self.last.get(name, 0) for name in NUMBERED]
        return [[*names, ROSTER, _HOME], [*values, *numbers, self.roster, self.home]]

    @classmethod
    def read(cls, rows: Sequence[Sequence[Cell]]) -> "State | None":
        """The state in those two rows; None where they hold none."""
        try:
            facts = dict(zip(map(str, rows[0]), rows[1], strict=False))
            state = cls(
                int(facts["revision"]),
                str(facts["uid"]),
                str(facts.get("staging", "")),
                int(facts["history_rows"]),
                {name: int(facts.get(name, 0) or 0) for name in NUMBERED},
                str(facts.get(ROSTER, "")),
                str(facts.get(_HOME, "")),
            )
        except (IndexError, KeyError, ValueError, TypeError, OverflowError):
            return None
        numbers = (state.revision, state.history_rows, *state.last.values())
        # Somebody has typed a number that a cell does not hold as it is.
        return state if max(numbers) < LARGEST_EXACT else None

    @classmethod
    def format_of(cls, rows: Sequence[Sequence[Cell]]) -> int:
        """The version of the format that those rows name, 0 when they name none."""
        facts = dict(zip(map(str, rows[0]), rows[1], strict=False)) if len(rows) > 1 else {}
        number = facts.get("format", 0)
        return int(number) if isinstance(number, int | float) else 0


META_RANGE = META.rows(0, 4)
# While a repair of several requests goes on, the number of rows of the history has this and the numbers of the tabs
# behind it: no version of the program reads such a state.
_REPAIRS = "repairs"
_HISTORY_ROWS = 4


def unfinished_rows(state: State, tabs: Iterable[int]) -> list[list[Cell]]:
    """The two rows of the technical tab while some tabs are filled again."""
    names, values = state.rows()
    values[_HISTORY_ROWS] = " ".join([str(state.history_rows), _REPAIRS, *map(str, tabs)])
    return [names, values]


def unfinished(rows: Sequence[Sequence[Cell]]) -> frozenset[int]:
    """The tabs that are being filled again; none where no repair has begun."""
    words = _repair_words(rows)
    return frozenset(int(word) for word in words[2:] if word.isdecimal())


def without_unfinished(rows: Sequence[Sequence[Cell]]) -> list[list[Cell]]:
    """The rows of the technical tab as they were before such a repair."""
    written = [list(row) for row in rows]
    if words := _repair_words(rows):
        written[1][_HISTORY_ROWS] = words[0]
    return written


def _repair_words(rows: Sequence[Sequence[Cell]]) -> list[str]:
    cell = rows[1][_HISTORY_ROWS] if len(rows) > 1 and len(rows[1]) > _HISTORY_ROWS else ""
    words = str(cell).split()
    return words if words[1:2] == [_REPAIRS] else []


# The third row says whether Google was seen to apply requests one after the other: this, "yes" or "no", and the day.
SERIALISES = "serialises"
# The fourth row says whether Drive was seen to tell of an edit at once: this, "yes" or "no", and the day.
PROBE = "probe"
# How many columns that tab is made with.
META_COLUMNS = 40


@dataclass
class Place:
    """One tab as it was last seen: what it is called, its heading, how many rows have something in them,
    how many the grid has, and how many columns."""

    title: str
    heading: list[Cell]
    used: int
    rows: int
    columns: int


@dataclass
class Seen:
    """The spreadsheet as the mirror last saw it."""

    state: State
    places: dict[str, Place]


def prepare(connection: Connection, spreadsheet: str) -> bool:
    """Make the tables of the mirror where they are not there yet; False where they are those of another
    spreadsheet, or of another version of the program."""
    shape = [(table.name, [column.name for column in table.columns]) for table in metadata.sorted_tables]
    shape += [(kind.kind_name, list(columns(kind))) for kind in RECORDS]
    # How it is noted that a tab is known by its digest: a version that does not know of it must not share the mirror.
    shape.append(("quiet", ["2"]))
    mark = f"{zlib.crc32(repr(shape).encode())} {spreadsheet}"
    is_new = not inspect(connection).has_table(sheet_fact.name)
    if is_new:
        tables.create_all(connection, metadata)
        _set_fact(connection, "mirror of", mark)
    return _fact(connection, "mirror of") == mark


def seen(connection: Connection) -> Seen | None:
    """The state last seen; None while the mirror is empty."""
    return _seen(_fact(connection, "seen"))


def seen_and_version(connection: Connection) -> tuple[Seen | None, int]:
    """The state last seen, and Drive's version of it, by one statement."""
    statement = "SELECT name, value FROM sheet_fact WHERE name IN ('seen', 'checked')"
    facts = {row.name: str(row.value) for row in connection.exec_driver_sql(statement)}
    return _seen(facts.get("seen", "")), _checked(facts.get("checked", ""))[0]


def _seen(text: str) -> Seen | None:
    if not text:
        return None
    written = json.loads(text)
    return Seen(State(**written["state"]), {name: Place(**place) for name, place in written["places"].items()})


def must_have_seen(connection: Connection) -> Seen:
    """The state last seen. Raises StoreBusyError where the mirror was emptied meanwhile."""
    state = seen(connection)
    if state is None:
        raise StoreBusyError("The local copy of the spreadsheet is being rebuilt.", "Try again.")
    return state


def set_seen(
    connection: Connection,
    now: Seen,
    last_ids: Mapping[str, int] | None = None,
    written: Mapping[type[Record], Iterable[int]] = MappingProxyType({}),
) -> None:
    """Note what was last seen, and that no number up to the highest is given out again; `last_ids` are those given
    out so far, where they are known. The tabs of the kinds `written` are no longer known by their digest, of large
    ones the portions with the rows that were written."""
    forgotten = {_QUIET + kind.kind_name: rows for kind, rows in written.items()}
    known = {name: tab.without(forgotten[name]) for name, tab in _quiet(connection, forgotten).items() if tab.portions}
    facts = {name: _as_fact(known[name]) if name in known else "" for name in forgotten}
    _set_facts(connection, {"seen": json.dumps(asdict(now), ensure_ascii=False), **facts})
    connection.exec_driver_sql(_NEXT_GENERATION)
    last_ids = numbers(connection) if last_ids is None else last_ids
    for name, last in now.state.last.items():
        if last_ids.get(name, 0) < last:
            counters.skip(connection, name, last)


def forget_end(connection: Connection) -> None:
    """Forget where the history ended, so that all of the spreadsheet is read at the next look."""
    if (last := seen(connection)) is not None:
        last.places[HISTORY.title].heading = [""]
        _set_fact(connection, "seen", json.dumps(asdict(last), ensure_ascii=False))


_NEXT_GENERATION = """
INSERT INTO sheet_fact (name, value) VALUES ('generation', '1') ON CONFLICT (name) DO UPDATE SET value = value + 1"""


def generation(connection: Connection) -> int:
    """The number of times that the mirror was brought up to date."""
    return int(_fact(connection, "generation") or 0)


# Stands for a version that is surely not the one of now: there is something to read.
BEHIND = -1


def checked(connection: Connection) -> tuple[int, float]:
    """Drive's version of the spreadsheet when it was last read, and when (seconds since 1970) that was last true."""
    return _checked(_fact(connection, "checked"))


def _checked(text: str) -> tuple[int, float]:
    version, _, at = text.partition("@")
    return (int(version), float(at)) if at else (0, 0.0)


def set_checked(connection: Connection, version: int, at: float) -> None:
    """Note that the mirror was true at a moment, and at which version; 0 for one that is not known."""
    _set_fact(connection, "checked", f"{version}@{at}")


def read_everything(connection: Connection) -> tuple[float, float]:
    """The time when all tabs were last read (seconds since 1970), and how many seconds that took."""
    at, _, took = _fact(connection, "read").partition("+")
    return (float(at), float(took)) if took else (0.0, 0.0)


def set_read_everything(connection: Connection, at: float, took: float) -> None:
    """Note when all tabs were read, and how long it took."""
    _set_fact(connection, "read", f"{at}+{took}")


def is_punctual(connection: Connection) -> bool:
    """Return whether Drive was seen to tell of edits at once, and never late on this machine."""
    return _fact(connection, PROBE) == "yes" and not _fact(connection, "probe was late")


def set_punctual(connection: Connection, is_so: bool) -> None:
    """Note whether Drive was seen to tell of edits at once."""
    _set_fact(connection, PROBE, "yes" if is_so else "")


def is_serialised(connection: Connection) -> bool:
    """Return whether Google was seen to apply requests one after the other."""
    return _fact(connection, SERIALISES) == "yes"


def set_serialised(connection: Connection, is_so: bool) -> None:
    """Note whether Google was seen to apply requests one after the other."""
    _set_fact(connection, SERIALISES, "yes" if is_so else "")


def set_late(connection: Connection) -> None:
    """Note that Drive had not told of something that was in the spreadsheet."""
    _set_fact(connection, "probe was late", "yes")


def blind(connection: Connection) -> dict[str, list[str]]:
    """The fields whose column this mirror has never seen, by tab."""
    columns: dict[str, list[str]] = json.loads(_fact(connection, "blind") or "{}")
    return columns


def set_blind(connection: Connection, fields: Mapping[str, Sequence[str]]) -> None:
    """Note the fields whose column was never seen."""
    _set_fact(connection, "blind", json.dumps(fields))


def is_unproven(connection: Connection) -> bool:
    """Return whether it is not known yet that all totals are the sums of the sales."""
    return bool(_fact(connection, "unproven"))


def set_unproven(connection: Connection, is_so: bool) -> None:
    """Note whether the totals still have to be looked at."""
    _set_fact(connection, "unproven", "totals" if is_so else "")


def held(connection: Connection) -> dict[str, list[int]]:
    """The ids of the records whose rows were deleted and which are kept until somebody has decided, by kind."""
    ids: dict[str, list[int]] = json.loads(_fact(connection, "held") or "{}")
    return ids


def set_held(connection: Connection, ids: Mapping[str, Sequence[int]]) -> None:
    """Note the records that are kept."""
    _set_fact(connection, "held", json.dumps(ids) if ids else "")


# The ids of the records whose value was emptied, by kind and field.
Emptied = Mapping[str, Mapping[str, Sequence[int]]]


def emptied(connection: Connection) -> Emptied:
    """The values of columns that were emptied by hand and are kept until somebody has decided."""
    ids: Emptied = json.loads(_fact(connection, "emptied") or "{}")
    return ids


def set_emptied(connection: Connection, ids: Emptied) -> None:
    """Note the values of emptied columns that are kept."""
    _set_fact(connection, "emptied", json.dumps(ids) if ids else "")


def waiting(connection: Connection) -> set[str]:
    """The names of the kinds with rows or values that are kept until somebody has decided. One statement for both, as
    each change asks."""
    kept = connection.exec_driver_sql("SELECT value FROM sheet_fact WHERE value <> '' AND name IN ('held', 'emptied')")
    return {name for (ids,) in kept for name in json.loads(ids)}


def not_put_back(connection: Connection) -> dict[str, list[int]]:
    """The ids of records that a repair has not put back, from here or elsewhere, by kind."""
    ids: dict[str, list[int]] = json.loads(_fact(connection, "unknown") or "{}")
    return ids


def set_not_put_back(connection: Connection, ids: Mapping[str, Sequence[int]]) -> None:
    """Note the records that a repair has not put back."""
    _set_fact(connection, "unknown", json.dumps(ids) if ids else "")


# Begins the reason where this account may only read the spreadsheet.
ONLY_READS = "(only to read) "


def untaken(connection: Connection) -> str:
    """The reason why edits by hand are not taken over, '' where they are."""
    return _fact(connection, "untaken")


def set_untaken(connection: Connection, reason: str) -> None:
    """Note why edits by hand cannot be taken over."""
    _set_fact(connection, "untaken", reason)


def torn(connection: Connection) -> list[int]:
    """The rows of the history that cannot be read."""
    rows: list[int] = json.loads(_fact(connection, "torn") or "[]")
    return rows


def set_torn(connection: Connection, rows: Sequence[int]) -> None:
    """Note the rows of the history that cannot be read."""
    _set_fact(connection, "torn", json.dumps(rows) if rows else "")


def moved(connection: Connection) -> tuple[int, int] | None:
    """The first row of `crm before` that people have moved or changed, and the end of what is below."""
    rows: list[int] = json.loads(_fact(connection, "moved") or "[]")
    return (rows[0], rows[1]) if rows else None


def set_moved(connection: Connection, rows: tuple[int, int] | None) -> None:
    """Note the rows of `crm before` that people have moved or changed."""
    _set_fact(connection, "moved", json.dumps(rows) if rows else "")


def lost(connection: Connection) -> str:
    """The changes lost when an older version of the spreadsheet was restored, in words; '' for nothing."""
    return _fact(connection, "lost")


def lost_records(connection: Connection) -> list[tuple[str, int, int | None]]:
    """The records that lost changes were about: kind, id, and a mark of what they held, None for a deleted one."""
    records = json.loads(_fact(connection, "lost records") or "[]")
    return [(kind, record_id, mark) for kind, record_id, mark in records]


def set_lost(connection: Connection, text: str, records: Sequence[tuple[str, int, int | None]] = ()) -> None:
    """Note what was lost, and the records that it was about."""
    _set_fact(connection, "lost", text)
    _set_fact(connection, "lost records", json.dumps(records) if records else "")
    _set_fact(connection, "lost told", "")


def lost_unreported(connection: Connection) -> str:
    """The text of what was lost, until somebody has read of it in the findings of `check`."""
    return "" if _fact(connection, "lost told") else lost(connection)


def set_lost_reported(connection: Connection) -> None:
    """Note that somebody has read of it."""
    _set_fact(connection, "lost told", "yes")


def series(connection: Connection) -> list[dict[str, Any]]:
    """The series of invoice numbers as they stood before such a loss, until the spreadsheet goes on from there."""
    kept: list[dict[str, Any]] = json.loads(_fact(connection, "series") or "[]")
    return kept


def keep_series(connection: Connection, fields: Sequence[Mapping[str, Any]]) -> None:
    """Note how far the series had come, by the fields of each."""
    _set_fact(connection, "series", json.dumps(fields) if fields else "")


def other_cells(connection: Connection) -> int:
    """The cells of tabs that are none of the program's, as they were last counted."""
    return int(_fact(connection, "other_cells") or 0)


def set_other_cells(connection: Connection, count: int) -> None:
    """Note how many cells there are in tabs that are none of the program's."""
    _set_fact(connection, "other_cells", str(count))


@dataclass(frozen=True)
class Quiet:
    """A tab as it was read when it agreed with the mirror in every cell: the digest of its rows, their number and the
    first of them. Of a large one `portions` are known: where somebody has written since, or the mirror does not agree,
    the digests of the portion and of the whole are ''."""

    digest: str
    used: int
    heading: list[Cell]
    portions: Portions = ()

    def without(self, places: Iterable[int]) -> "Quiet":
        """The tab with nothing known of the portions in which some rows stand."""
        portions = list(self.portions)
        for number in {place // PORTION for place in places}:
            # What is new is behind the last one.
            number = min(number, len(portions) - 1)
            portions[number] = portions[number][0], ""
        return replace(self, digest="", portions=portions)


_QUIET = "quiet "


def quiet(connection: Connection) -> dict[str, Quiet]:
    """The tabs which the mirror agreed with when they were last read, and that nothing was done to since, by kind."""
    wrong = kinds_with_problems(connection)
    tabs = _quiet(connection, [_QUIET + kind.kind_name for kind in RECORDS if kind.kind_name not in wrong])
    return {name.removeprefix(_QUIET): tab for name, tab in tabs.items()}


def _quiet(connection: Connection, names: Iterable[str]) -> dict[str, Quiet]:
    """The tabs that are known so, by the names of their facts."""
    statement = "SELECT name, value FROM sheet_fact WHERE value <> '' AND name IN (SELECT value FROM json_each(?))"
    facts = connection.exec_driver_sql(statement, (json.dumps(list(names)),))
    return {name: Quiet(**json.loads(value)) for name, value in facts}


def _as_fact(tab: Quiet) -> str:
    return json.dumps(asdict(tab), ensure_ascii=False)


def set_quiet(connection: Connection, kind: type[Record], tab: Quiet) -> None:
    """Note that the mirror agrees with a tab."""
    _set_fact(connection, _QUIET + kind.kind_name, _as_fact(tab))


def forget_quiet(connection: Connection, kind: type[Record]) -> None:
    """Forget that the mirror agrees with a tab, whose rows it now knows differently."""
    connection.exec_driver_sql("DELETE FROM sheet_fact WHERE name = ?", (_QUIET + kind.kind_name,))


def _unsettle(connection: Connection, kind: type[Record], rows: Sequence[tuple[int, int, str]]) -> None:
    """Forget what is known of the portions of a tab in which rows stand, or stood before."""
    name = _QUIET + kind.kind_name
    tab = _quiet(connection, [name]).get(name)
    if tab is None or not tab.portions:
        forget_quiet(connection, kind)
        return
    places = {at for _, at, _ in rows}
    statement = "SELECT row FROM sheet_row WHERE record = ? AND id IN (SELECT value FROM json_each(?))"
    ids = json.dumps([record_id for record_id, _, _ in rows])
    places.update(row[0] for row in connection.exec_driver_sql(statement, (kind.kind_name, ids)))
    set_quiet(connection, kind, tab.without(places))


def _fact(connection: Connection, name: str) -> str:
    return str(connection.exec_driver_sql("SELECT value FROM sheet_fact WHERE name = ?", (name,)).scalar() or "")


def _set_fact(connection: Connection, name: str, value: str) -> None:
    _set_facts(connection, {name: value})


def _set_facts(connection: Connection, facts: Mapping[str, str]) -> None:
    connection.exec_driver_sql("INSERT OR REPLACE INTO sheet_fact (name, value) VALUES (?, ?)", list(facts.items()))


def last_uid(connection: Connection) -> str:
    """The identifier of the last transaction, which gets one where an older format gave it none; '' without any."""
    place = tables.transactions.c
    last = connection.execute(select(place.id, place.uid).order_by(place.id.desc()).limit(1)).first()
    if last is None or last.uid:
        return last.uid if last else ""
    uid = new_id()
    connection.execute(update(tables.transactions).where(place.id == last.id).values(uid=uid))
    return uid


def has_commit(connection: Connection, uid: str) -> bool:
    """Return whether a commit is in the spreadsheet, as far as the mirror knows."""
    known = select(tables.transactions.c.id).where(tables.transactions.c.uid == uid)
    return connection.execute(known).first() is not None


def rows_of(connection: Connection, kind: type[Record]) -> dict[int, tuple[int, list[Any]]]:
    """Every known row of a tab: its place and its cells, by the id of its record."""
    statement = "SELECT id, row, cells FROM sheet_row WHERE record = ?"
    rows = connection.exec_driver_sql(statement, (kind.kind_name,)).all()
    # A bulk write is several times as fast as single ones.
    parsed = json.loads(f"[{','.join(row[2] for row in rows)}]")
    return {row[0]: (row[1], cells) for row, cells in zip(rows, parsed, strict=True)}


# Parses one value of a text from a place on, and says where it ends.
_scan = json.JSONDecoder().raw_decode


class KnownRows(MutableMapping[int, tuple[int, list[Any]]]):
    """Every known row of a tab, or those from `first` to before `end`: its place and its cells, by the id of its
    record. The cells are kept as text."""

    def __init__(self, connection: Connection, kind: type[Record], first: int = 0, end: int | None = None) -> None:
        statement = "SELECT id, row, cells FROM sheet_row WHERE record = ?"
        values: list[Any] = [kind.kind_name]
        if first or end is not None:
            statement += " AND row BETWEEN ? AND ?"
            values += [first, sys.maxsize if end is None else end - 1]
        rows = connection.exec_driver_sql(statement, tuple(values))
        self._written: dict[int, tuple[int, str]] = {record_id: (at, cells) for record_id, at, cells in rows}

    def __getitem__(self, record_id: int) -> tuple[int, list[Any]]:
        at, cells = self._written[record_id]
        return at, _scan(cells)[0]

    def __setitem__(self, record_id: int, placed: tuple[int, list[Any]]) -> None:
        self._written[record_id] = placed[0], in_json(placed[1])

    def __delitem__(self, record_id: int) -> None:
        del self._written[record_id]

    def __contains__(self, record_id: object) -> bool:
        return record_id in self._written

    def __iter__(self) -> Iterator[int]:
        return iter(self._written)

    def __len__(self) -> int:
        return len(self._written)


def count_rows(connection: Connection, kind: type[Record]) -> int:
    """The number of rows of a tab that are known."""
    statement = "SELECT count(*) FROM sheet_row WHERE record = ?"
    return int(connection.exec_driver_sql(statement, (kind.kind_name,)).scalar() or 0)


def count_filled(connection: Connection, kind: type[Record], place: int) -> int:
    """The number of known rows of a tab with something in one of the `columns`."""
    statement = "SELECT count(*) FROM sheet_row WHERE record = ? AND json_extract(cells, ?) <> ''"
    return int(connection.exec_driver_sql(statement, (kind.kind_name, f"$[{place}]")).scalar() or 0)


def misnamed(connection: Connection, kind: type[Record]) -> list[int]:
    """The records of a kind whose row holds another ID or version than they have."""
    table = tables.TABLES[kind].name
    mark = len(columns(kind)) - 1
    statement = (
        f"SELECT sheet_row.id FROM sheet_row JOIN {table} ON {table}.id = sheet_row.id WHERE record = ?"
        f" AND (json_extract(cells, '$[0]') <> sheet_row.id"
        f" OR json_extract(cells, '$[{mark}]') <> sheet_row.id || '/' || {table}.version)"
    )
    return [row[0] for row in connection.exec_driver_sql(statement, (kind.kind_name,))]


def known(connection: Connection, kind: type[Record], ids: Iterable[int]) -> dict[int, tuple[int, list[Any]]]:
    """The place and the cells of some rows, by the id of their record."""
    listed = json.dumps(list(ids))
    statement = "SELECT id, row, cells FROM sheet_row WHERE record = ? AND id IN (SELECT value FROM json_each(?))"
    rows = connection.exec_driver_sql(statement, (kind.kind_name, listed))
    return {row[0]: (row[1], json.loads(row[2])) for row in rows}


def put_rows(
    connection: Connection, kind: type[Record], rows: Sequence[tuple[int, int, str]], *, keeps_quiet: bool = False
) -> None:
    """Note rows as (id, place, cells as JSON). The digest of the tab is forgotten, unless something else does that."""
    if rows:
        if not keeps_quiet:
            _unsettle(connection, kind, rows)
        statement = "INSERT OR REPLACE INTO sheet_row (record, id, row, cells) VALUES (?, ?, ?, ?)"
        insert_many(connection, statement, [(kind.kind_name, *row) for row in rows])


def move_rows(connection: Connection, kind: type[Record], moved: Sequence[tuple[int, int]]) -> None:
    """Note that rows stand elsewhere, as (place, id)."""
    if moved:
        forget_quiet(connection, kind)
        statement = "UPDATE sheet_row SET row = ? WHERE record = ? AND id = ?"
        connection.exec_driver_sql(statement, [(row, kind.kind_name, record_id) for row, record_id in moved])


def drop_rows(connection: Connection, kind: type[Record], ids: Iterable[int]) -> None:
    """Forget rows, and what was wrong with them."""
    dropped = json.dumps(list(ids))
    if dropped == "[]":
        return
    forget_quiet(connection, kind)
    for table in ("sheet_row", "sheet_problem"):
        statement = f"DELETE FROM {table} WHERE record = ? AND id IN (SELECT value FROM json_each(?))"
        connection.exec_driver_sql(statement, (kind.kind_name, dropped))


def kinds_with_problems(connection: Connection) -> set[str]:
    """The kinds of record in whose tabs something is wrong."""
    return {row[0] for row in connection.exec_driver_sql("SELECT DISTINCT record FROM sheet_problem")}


def left_out(connection: Connection, kind: type[Record]) -> set[int]:
    """The ids whose row is known, but could not be read so far or was never seen: there is no record of them."""
    table = tables.TABLES[kind].name
    statement = (
        f"SELECT id FROM {{}} WHERE record = ? AND {{}}"
        f" AND NOT EXISTS (SELECT 1 FROM {table} WHERE {table}.id = {{}}.id)"
    )
    ids: set[int] = set()
    for where, narrowed in (("sheet_problem", "id <> 0"), ("sheet_row", "cells = '[]'")):
        rows = connection.exec_driver_sql(statement.format(where, narrowed, where), (kind.kind_name,))
        ids.update(row[0] for row in rows)
    return ids


# Each row below a deleted one moves up by as many as were deleted above it, counted once from top to bottom.
_CLOSE_UP = """
WITH place AS (
    SELECT id, row, 0 AS is_gone FROM sheet_row WHERE record = :record AND row > :first
    UNION ALL SELECT NULL, value, 1 FROM json_each(:gone)
), moved AS (
    SELECT id, row - sum(is_gone) OVER (ORDER BY row, is_gone ROWS UNBOUNDED PRECEDING) AS row FROM place
)
UPDATE sheet_row SET row = moved.row FROM moved WHERE sheet_row.record = :record AND sheet_row.id = moved.id"""


def close_up(connection: Connection, kind: type[Record], removed: Sequence[int]) -> None:
    """Note that the rows at these places were deleted: those below have moved up."""
    if removed:
        forget_quiet(connection, kind)
        values = {"record": kind.kind_name, "first": min(removed), "gone": json.dumps(list(removed))}
        connection.exec_driver_sql(_CLOSE_UP, values)


def numbers(connection: Connection) -> dict[str, int]:
    """The highest numbers given out so far, by table."""
    last = counters.last_ids(connection)
    return {name: last.get(name, 0) for name in NUMBERED}


_encoded = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def in_json(cells: Any) -> str:
    """Cells as the mirror keeps them."""
    return _encoded(cells)

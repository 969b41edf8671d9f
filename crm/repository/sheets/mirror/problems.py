"""Problems in the spreadsheet, each with its tab and cell: noted while it is read, listed by `check`."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select

from crm.errors import RefusedError
from crm.model import BY_NAME, RECORDS, Client, Record, Setting, StatusRule
from crm.repository import Finding, statements, sums
from crm.repository.driver import select_rows
from crm.repository.sheets.grid.layout import BEFORE, HISTORY, columns, header, heading, letters, runs
from crm.repository.sheets.mirror import mirror
from crm.repository.sheets.mirror.mirror import in_json
from crm.repository.tables import TABLES

# Where a row as a whole is wrong, in the place of a field's name.
WHOLE_ROW = "(row)"

_REMEDY = "Fix the cell in the spreadsheet. Until then the last valid value counts, and what you typed is kept."
# Added to what is wrong with a cell where nothing is known of its field.
NEVER_SEEN = "; this computer has never seen a valid value, so the field is empty here"
_REMEDY_OF_UNSEEN = "Fix the cell in the spreadsheet. What you typed is kept."
_ENDS_LOSS = "To keep the spreadsheet as it is and end this notice, run `sheets repair`."
_PUT_BACK = "Put the row back (File, Version history). Until then, this change cannot be undone."
_ENDS_MOVED = "Undo that in the spreadsheet (Edit, Undo), or leave it: later changes push these rows out of the tab."
_COLUMN_BACK = "Put it back (File, Version history), or run `sheets setup` on a computer that has read it before."
_UNREVIEWABLE = "Statuses are not reviewed on this computer"
# The rules, and all that makes the figures that they look at.
_JUDGED_BY = [
    kind.kind_name
    for kind in RECORDS
    if kind in (StatusRule, Setting)
    or kind.about.effects.reviews
    or kind.about.effects.spends
    or any(totals.onto is Client for totals in sums.FED.get(kind, ()))
]
_table = mirror.sheet_problem
_NOTED = select(_table.c.id, _table.c.field).where(_table.c.record == bindparam("record"))


def note(
    connection: Connection,
    kind: type[Record],
    record_id: int,
    row: Sequence[Any],
    names: Collection[str],
    messages: Mapping[str, str],
) -> None:
    """Replace what was wrong with the fields `names` of a record by what is found now; `row` is its row."""
    ours = (_table.c.record == kind.kind_name, _table.c.id == record_id)
    connection.execute(delete(_table).where(*ours, _table.c.field.in_(names)))
    add(connection, kind, [entry(record_id, row, kind, name, message) for name, message in messages.items()])


def entry(record_id: int, row: Sequence[Any], kind: type[Record], name: str, message: str) -> dict[str, Any]:
    """Something wrong with a cell of a record."""
    return {"id": record_id, "field": name, "what": message, "cell": in_json([_cell(kind, row, name)])}


def of_row(at: int, name: str, message: str) -> dict[str, Any]:
    """Something wrong with a row that belongs to no record."""
    return {"id": 0, "field": name, "row": at, "what": message}


def of_heading(column: int, message: str) -> dict[str, Any]:
    """Something wrong with a heading."""
    return {"id": 0, "field": "", "column": column, "what": message}


def add(connection: Connection, kind: type[Record], entries: Sequence[Mapping[str, Any]]) -> None:
    """Note what is wrong in a tab."""
    if entries:
        rows = [{"record": kind.kind_name, "row": 0, "column": 0, "cell": "", **entry} for entry in entries]
        connection.execute(insert(_table), rows)


def forget_passing(connection: Connection, kind: type[Record]) -> None:
    """Forget the problems that every check looks for again: those of headings, and of rows as a whole."""
    statement = "DELETE FROM sheet_problem WHERE record = ? AND (id = 0 OR field = ?)"
    connection.exec_driver_sql(statement, (kind.kind_name, WHOLE_ROW))


def ids_with_problems(connection: Connection, kind: type[Record], ids: Collection[int]) -> set[int]:
    """The ids among these whose records had problems."""
    statement = "SELECT id FROM sheet_problem WHERE record = ? AND id IN (SELECT value FROM json_each(?))"
    rows = connection.exec_driver_sql(statement, (kind.kind_name, json.dumps(list(ids))))
    return {row[0] for row in rows}


def noted(connection: Connection, kind: type[Record]) -> set[tuple[int, str]]:
    """The id of each record with which something is wrong, and the field."""
    return {(row.id, row.field) for row in connection.execute(_NOTED, {"record": kind.kind_name})}


def what_noted(connection: Connection, kind: type[Record]) -> list[tuple[int, str, str]]:
    """The problems of records, each with the id and the field."""
    statement = select(_table.c.id, _table.c.field, _table.c.what).where(_table.c.record == kind.kind_name)
    return [(row.id, row.field, row.what) for row in connection.execute(statement)]


def forget_what(connection: Connection, kind: type[Record], record_id: int, message: str) -> None:
    """Forget one thing that was wrong with a record, wherever it was noted."""
    ours = (_table.c.record == kind.kind_name, _table.c.id == record_id)
    connection.execute(delete(_table).where(*ours, _table.c.what == message))


def forget_columns(connection: Connection, kind: type[Record], ids: Collection[int], names: Collection[str]) -> None:
    """Forget what was wrong in some columns of records."""
    numbers, columns_ = json.dumps(list(ids)), json.dumps(list(names))
    statement = (
        "DELETE FROM sheet_problem WHERE record = ? AND id IN (SELECT value FROM json_each(?))"
        " AND field IN (SELECT value FROM json_each(?))"
    )
    connection.exec_driver_sql(statement, (kind.kind_name, numbers, columns_))


def refuse_mixed(connection: Connection, kind: type[Record], ids: Collection[int]) -> None:
    """Raise RefusedError where one of the records is in a row that mixes it with another."""
    statement = (
        "SELECT what FROM sheet_problem WHERE record = ? AND field = ? AND id IN (SELECT value FROM json_each(?))"
    )
    problem = connection.exec_driver_sql(statement, (kind.kind_name, WHOLE_ROW, json.dumps(list(ids)))).first()
    if problem is not None:
        raise RefusedError(f"In the tab of {kind.plural} {problem.what}. Until then nothing can be saved there.")


def refuse_held(connection: Connection, kinds: Collection[type[Record]]) -> None:
    """Raise RefusedError where records of these kinds, or what is summed up in them, wait to be decided on."""
    waiting = {BY_NAME[name] for name in mirror.waiting(connection)}
    if any(kind in waiting or waiting.intersection(_fed_by(kind)) for kind in kinds):
        what = waiting_words(connection)
        raise RefusedError(f"{what} Nothing is saved there until that is decided: `sheets repair`.")


def _fed_by(kind: type[Record]) -> Iterator[type[Record]]:
    for totals in sums.onto(kind):
        yield from totals.facts


def waiting_words(connection: Connection) -> str:
    """The records whose rows were deleted, and the columns that were emptied, in sentences; '' for none."""
    rows = words(held) if (held := mirror.held(connection)) else ""
    if not (values := emptied_words(connection)):
        return rows
    return f"{rows} Emptied in the spreadsheet: {'; '.join(values)}. The values are kept for now.".lstrip()


def emptied_words(connection: Connection) -> list[str]:
    """The columns that were emptied, each with its tab and the number of values."""
    return [
        f"{len(ids)} values in the column “{header(BY_NAME[name], field)}” of {BY_NAME[name].plural}"
        for name, fields in mirror.emptied(connection).items()
        for field, ids in fields.items()
    ]


def words(held: Mapping[str, Sequence[int]]) -> str:
    """The records whose rows were deleted, in a sentence."""
    counted = [
        f"{len(ids)} {BY_NAME[name].nouns if len(ids) > 1 else BY_NAME[name].noun}" for name, ids in held.items()
    ]
    listed = " and ".join(filter(None, [", ".join(counted[:-1]), counted[-1]]))
    return f"The rows of {listed} are gone from the spreadsheet, or have lost their ID. The records are kept for now."


def untaken_words(reason: str) -> str:
    """The reason why edits by hand are not taken over, in a sentence."""
    return (
        "Edits made in the spreadsheet are shown, but not accepted yet, because they cannot be saved:"
        f" {reason.removeprefix(mirror.ONLY_READS).rstrip('.')}."
    )


def problems(connection: Connection) -> Iterator[Finding]:
    """Every cell that cannot be taken, tab by tab, from the top."""
    seen = mirror.seen(connection)
    if seen is None:
        return
    if text := mirror.lost(connection):
        yield Finding(text, False, how_to_mend=_ENDS_LOSS)
    if held := mirror.held(connection):
        for name, ids in held.items():
            what = f"{len(ids)} of the {BY_NAME[name].plural} are gone from the tab “{seen.places[name].title}”"
            yield Finding(f"{what}, or have lost their ID.", True, name, 0, "`sheets repair` asks what to do.")
    for what in emptied_words(connection):
        yield Finding(f"{what} were emptied in the spreadsheet.", True, how_to_mend="`sheets repair` asks what to do.")
    if untaken := mirror.untaken(connection):
        yield Finding(untaken_words(untaken), True, how_to_mend="Let this program write to that tab.")
    for first, count in runs(sorted(set(mirror.torn(connection)))):
        which, are = f"A{first}: this row", "is"
        if count > 1:
            which, are = f"A{first}:A{first + count - 1}: these rows", "are"
        what = f"{HISTORY.title}!{which} of the history cannot be read and {are} passed over."
        yield Finding(what, True, how_to_mend=_PUT_BACK)
    if moved := mirror.moved(connection):
        which = f"{BEFORE.title}!A{moved[0] + 1}:A{moved[1]}: somebody has moved or changed rows by hand."
        yield Finding(f"{which} What is not whole any more is passed over.", False, how_to_mend=_ENDS_MOVED)
    rows = mirror.sheet_row
    statement = select(_table, rows.c.row.label("place"), rows.c.cells).outerjoin_from(
        _table, rows, (rows.c.record == _table.c.record) & (rows.c.id == _table.c.id)
    )
    for problem in sorted(connection.execute(statement), key=lambda row: (row.record, row.place or row.row)):
        kind = BY_NAME[problem.record]
        if problem.cell and problem.cell != in_json([_cell(kind, json.loads(problem.cells or "[]"), problem.field)]):
            # The program has written over it since.
            continue
        place = seen.places[problem.record]
        head = heading(kind, place.heading)
        column = head.place("id" if problem.field == WHOLE_ROW else problem.field) if problem.field else problem.column
        row = problem.place if problem.id and problem.place is not None else problem.row
        cell = f"{letters(column or 0)}{row + 1}"
        remedy = _REMEDY_OF_UNSEEN if problem.what.endswith(NEVER_SEEN) else _REMEDY
        yield Finding(f"{place.title}!{cell}: {problem.what}.", True, problem.record, problem.id, remedy)


def unreviewable(connection: Connection) -> str:
    """The reason why statuses are not reviewed here, as a sentence: a row of a rule, or of what rules judge by, was
    never read, or a column that a rule needs is missing; '' where they are."""
    suspects: dict[type[Record], set[int]] = {}
    noted = select(_table.c.record, _table.c.id).where(_table.c.record.in_(_JUDGED_BY), _table.c.id != 0)
    # What belongs to a client that is gone counts for nobody.
    for name, record_id in connection.execute(noted.where(_table.c.field != "client")):
        suspects.setdefault(BY_NAME[name], set()).add(record_id)
    for kind, numbers in suspects.items():
        known = select(TABLES[kind].c.id).where(TABLES[kind].c.id.in_(numbers))
        left_out = numbers.difference(connection.execute(known).scalars())
        for finding in problems(connection) if left_out else ():
            if finding.record == kind.kind_name and finding.record_id in left_out:
                return f"{_UNREVIEWABLE}: {finding.what} Correct it in the spreadsheet."
    if (seen := mirror.seen(connection)) and (missing := mirror.blind(connection).get(Client.kind_name)):
        needed = [name for name in _fields_of_rules(connection) if name in missing]
        if needed:
            tab, column = seen.places[Client.kind_name].title, header(Client, needed[0])
            where = f"a rule needs the column “{column}”, which is gone from the tab “{tab}”"
            return f"{_UNREVIEWABLE}: {where}. {_COLUMN_BACK}"
    return ""


def _fields_of_rules(connection: Connection) -> Sequence[str]:
    """The fields of a client that the active rules look at."""
    from crm.repository.metrics import fields_read
    from crm.rules import RuleSet

    return fields_read(RuleSet(tuple(row)[:3] for row in select_rows(connection, statements.RULES)).needs)


def _cell(kind: type[Record], row: Sequence[Any], name: str) -> Any:
    """The cell of a field in a row in the order of the columns."""
    if name.startswith("="):
        return row[-1].get(name[1:], "") if row else ""
    names = columns(kind)
    return row[names.index(name)] if name in names and row else ""

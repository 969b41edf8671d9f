"""What is wrong in the spreadsheet, each with its tab and cell, as `check` lists it."""

from collections.abc import Iterator

from sqlalchemy import Connection, select

from crm.model import BY_NAME
from crm.repository import Finding
from crm.repository.sheets import mirror
from crm.repository.sheets.layout import heading, letters

_MEND = "Mend the cell in the spreadsheet; until then the last good value counts, and what stands there is kept."


def problems(connection: Connection) -> Iterator[Finding]:
    """Every cell that cannot be taken, tab by tab, from the top."""
    seen = mirror.seen(connection)
    if seen is None:
        return
    table, rows = mirror.sheet_problem, mirror.sheet_row
    statement = (
        select(table, rows.c.row.label("place"))
        .outerjoin_from(table, rows, (rows.c.record == table.c.record) & (rows.c.id == table.c.id))
        .order_by(table.c.record, table.c.id, table.c.row)
    )
    for found in connection.execute(statement):
        kind = BY_NAME[found.record]
        place = seen.places[found.record]
        name = "id" if found.field in ("", "(row)") else found.field
        column = heading(kind, place.heading).place(name) if found.field else found.column
        cell = f"{letters(column or 0)}{(found.place if found.id and found.place else found.row) + 1}"
        yield Finding(f"{place.title}!{cell}: {found.what}.", True, found.record, found.id, _MEND)

"""Columns of the program's that were deleted by hand, put back with what the mirror holds."""

from sqlalchemy import Connection

from crm.model import RECORDS, Record
from crm.repository.sheets import mirror
from crm.repository.sheets.layout import columns, header, heading
from crm.repository.sheets.mirror import Seen
from crm.repository.sheets.plan import Plan, RowWrite


def missing(seen: Seen) -> dict[type[Record], list[str]]:
    """The fields whose column is gone, by tab."""
    found = {kind: heading(kind, seen.places[kind.kind_name].heading).missing for kind in RECORDS}
    return {kind: names for kind, names in found.items() if names}


def restoring(connection: Connection, seen: Seen) -> Plan:
    """What writes them again, each to the right of everything that stands in its tab."""
    made = Plan()
    for kind, names in missing(seen).items():
        place = seen.places[kind.kind_name]
        positions = heading(kind, place.heading).positions
        made.headings[kind] = {at: header(kind, name) for at, name in enumerate(names, start=place.columns)}
        for record_id, (row, cells) in mirror.rows_of(connection, kind).items():
            known = dict(zip(columns(kind), cells, strict=False))
            relies = {positions[name]: known[name] for name in ("id", "version")}
            values = {at: known[name] for at, name in enumerate(names, start=place.columns)}
            made.updates.append(RowWrite(kind, record_id, row, relies, cells, values))
    return made

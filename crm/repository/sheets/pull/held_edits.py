"""Deletions by hand that are too many to be taken over unasked: they wait until somebody has said what they are."""

from collections.abc import Sequence

from sqlalchemy import Connection, select

from crm.model import BY_NAME, Record
from crm.model.data import FEW_DELETIONS, SHEET_DELETIONS
from crm.repository import Held
from crm.repository.sheets.mirror import mirror
from crm.repository.sheets.pull.tab_diff import HandEdits
from crm.repository.tables import setting

# More than a few, and more than this part of the records there are.
_PART = 0.1


def too_many(connection: Connection, edits: HandEdits) -> dict[str, list[int]]:
    """The records whose rows are gone, by kind, where they are too many to be taken over unasked; else none."""
    gone: dict[str, list[int]] = {}
    for kind, record_id in edits.deleted:
        gone.setdefault(kind.kind_name, []).append(record_id)
    count = sum(map(len, gone.values()))
    known = sum(mirror.count_rows(connection, BY_NAME[name]) for name in gone)
    return gone if count > _few(connection) and count > _PART * known else {}


def _few(connection: Connection) -> int:
    written = connection.execute(select(setting.c.value).where(setting.c.key == SHEET_DELETIONS)).scalar()
    return int(written) if written and str(written).isdigit() else FEW_DELETIONS


def held_of(connection: Connection) -> Held:
    """The deletions that wait, and the rows in which an ID or a version is not what the program wrote."""
    return Held(mirror.held(connection), {kind.kind_name: len(ids) for kind, ids in misnamed(connection).items()})


def misnamed(connection: Connection) -> dict[type[Record], Sequence[int]]:
    """The records in whose row the ID or the version is not what the program wrote."""
    strange = {kind: mirror.misnamed(connection, kind) for kind in BY_NAME.values()}
    return {kind: ids for kind, ids in strange.items() if ids}

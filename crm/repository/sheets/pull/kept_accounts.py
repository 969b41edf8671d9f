"""The accounts in a spreadsheet, of which nothing is taken that was done by hand: the mirror keeps what it knew."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, select

from crm.model import Record
from crm.model.rights import SEALED
from crm.repository import ROSTER, tables
from crm.repository.bulk import insert_rows
from crm.repository.sheets.mirror import mirror
from crm.repository.sheets.mirror.mirror import State, in_json
from crm.repository.sheets.pull.tab_diff import HandEdits
from crm.repository.snapshot import fact, put_fact

# What is in the history when they are restored.
WHAT = "put back the accounts, which were edited in the sheet"


@dataclass(frozen=True)
class KeptAccounts:
    """Accounts, sign-ins and their roster as the mirror holds them at one moment."""

    rows: Mapping[type[Record], Sequence[Mapping[str, Any]]]
    roster: str

    @classmethod
    def of(cls, connection: Connection) -> "KeptAccounts":
        """Those of now."""
        rows: dict[type[Record], list[Mapping[str, Any]]] = {}
        for kind in SEALED:
            rows[kind] = [dict(row._mapping) for row in connection.execute(select(tables.TABLES[kind]))]
        return cls(rows, fact(connection, ROSTER))

    def are_newest(self, now: State, before: State) -> bool:
        """Return whether none newer can have been written, as the state tells that is in the spreadsheet now: it names
        the same roster, or a person has edited nothing but the roster since this machine saw it. A machine that is
        behind must not bring back what others have withdrawn meanwhile."""
        if self.roster and now.roster == self.roster:
            return True
        return now.is_but_for_roster(before) and before.roster == self.roster

    def put(self, connection: Connection) -> None:
        """Make the mirror hold them again."""
        for kind, rows in self.rows.items():
            connection.execute(delete(tables.TABLES[kind]))
            if rows:
                insert_rows(connection, tables.TABLES[kind], rows)
        put_fact(connection, ROSTER, self.roster)


def note_edits(connection: Connection, edits: HandEdits) -> None:
    """Note in the mirror what is in the tabs now, for what is written there to rely on."""
    for kind, record_id, at, row in (*edits.changed, *edits.restored):
        mirror.put_rows(connection, kind, [(record_id, at, in_json(row))])
    for kind in SEALED:
        mirror.drop_rows(connection, kind, [id_ for gone, id_ in edits.deleted if gone is kind])
        connection.execute(delete(mirror.sheet_problem).where(mirror.sheet_problem.c.record == kind.kind_name))

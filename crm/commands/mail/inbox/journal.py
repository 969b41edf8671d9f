"""The journal of the inbox on this machine: how far the mailbox was read, and which unknown senders wrote.

It is in a small file beside the store, not in it: strangers have not asked to be in a team's data, most of them are
none of its business, and each machine reads a mailbox on its own. Of their messages only the numbers are kept; the
mailbox holds the rest.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from crm.local_database import JournalFile
from crm.outward.mailbox import Mailbox, Place
from crm.outward.outgoing import Party

# Of so many strangers, those who wrote last, and so many messages of each; more would be an attack.
_MOST_STRANGERS, _MOST_LETTERS = 1000, 200
_TABLES = """
CREATE TABLE IF NOT EXISTS place (box TEXT PRIMARY KEY, validity INTEGER NOT NULL, uid INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS stranger (
  box TEXT NOT NULL, address TEXT NOT NULL, name TEXT NOT NULL, subject TEXT NOT NULL, at TEXT NOT NULL,
  PRIMARY KEY (box, address)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS letter (
  box TEXT NOT NULL, address TEXT NOT NULL, validity INTEGER NOT NULL, uid INTEGER NOT NULL,
  PRIMARY KEY (box, address, validity, uid)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS left_out (
  box TEXT NOT NULL, address TEXT NOT NULL, PRIMARY KEY (box, address)
) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Stranger:
    """Somebody who has written and is no client: the address and the name they give themselves, how many messages,
    and of the last one the subject and when it was written (UTC)."""

    address: str
    name: str
    messages: int
    subject: str
    at: datetime


class FetchJournal(JournalFile):
    """The journal of one mailbox for one store. A file that is damaged is put aside: everything is read again then, and
    what is filed already is known by its Message-ID.

    As a context it is open; everything may raise FileError.
    """

    file_name = "fetched.sqlite3"
    tables = _TABLES
    broken = (
        "The program cannot save how far it has read the mailbox, because {file} cannot be written: {why}. No more"
        " e-mail is read until that is fixed."
    )

    def __init__(self, folder: Path, store: str, mailbox: Mailbox) -> None:
        super().__init__(folder)
        server = mailbox.server
        # Which mailbox it is need not be read here.
        self._box = sha256("\n".join((store, server.host, server.user, server.folder)).encode()).hexdigest()

    @property
    def place(self) -> Place | None:
        """The place up to which the mailbox has been read, None where it was not read yet."""
        rows = self._all("SELECT validity, uid FROM place WHERE box = ?", self._box)
        return Place(*rows[0]) if rows else None

    def read_to(self, place: Place) -> None:
        """Note how far it has been read. Of two programs at once the one that has come further counts."""
        self._all(
            "INSERT INTO place VALUES (:box, :validity, :uid) ON CONFLICT (box) DO UPDATE SET validity = :validity,"
            " uid = CASE WHEN validity = :validity THEN max(uid, :uid) ELSE :uid END",
            box=self._box, validity=place.validity, uid=place.uid,
        )  # fmt: skip
        # The numbers of messages mean nothing any more once the server has renumbered them.
        self._all("DELETE FROM letter WHERE box = ? AND validity != ?", self._box, place.validity)

    def note(self, who: Party, address: str, subject: str, at: datetime, place: Place) -> None:
        """Note a message of somebody who is no client, by the address in its one spelling; one who is left out is
        not noted."""
        if self._all("SELECT 1 FROM left_out WHERE box = ? AND address = ?", self._box, address):
            return
        self._all(
            "INSERT INTO stranger VALUES (:box, :address, :name, :subject, :at)"
            " ON CONFLICT (box, address) DO UPDATE SET"
            " subject = CASE WHEN :at >= at THEN :subject ELSE subject END, at = max(at, :at),"
            " name = CASE WHEN :name != '' THEN :name ELSE name END",
            box=self._box, address=address, name=who.name, subject=subject, at=at.isoformat(),
        )  # fmt: skip
        self._all("INSERT OR IGNORE INTO letter VALUES (?, ?, ?, ?)", self._box, address, place.validity, place.uid)
        self._bound(address)

    def _bound(self, address: str) -> None:
        self._all(
            "DELETE FROM letter WHERE box = :box AND address = :address AND uid <= (SELECT uid FROM letter"
            " WHERE box = :box AND address = :address ORDER BY uid DESC LIMIT 1 OFFSET :most)",
            box=self._box, address=address, most=_MOST_LETTERS,
        )  # fmt: skip
        for (oldest,) in self._all(
            "SELECT address FROM stranger WHERE box = ? ORDER BY at DESC LIMIT -1 OFFSET ?", self._box, _MOST_STRANGERS
        ):
            self.forget([oldest])

    def strangers(self) -> Sequence[Stranger]:
        """The senders who are no clients, those who wrote last first."""
        rows = self._all(
            "SELECT address, name, (SELECT count(*) FROM letter WHERE letter.box = stranger.box AND letter.address ="
            " stranger.address), subject, at FROM stranger WHERE box = ? ORDER BY at DESC, address",
            self._box,
        )
        return [Stranger(row[0], row[1], row[2], row[3], datetime.fromisoformat(row[4])) for row in rows]

    def letters(self, addresses: Iterable[str]) -> dict[int, list[int]]:
        """The numbers of the messages of some of them in the mailbox, by how it numbered them."""
        letters: dict[int, list[int]] = {}
        for address in addresses:
            statement = "SELECT validity, uid FROM letter WHERE box = ? AND address = ?"
            for validity, uid in self._all(statement, self._box, address):
                letters.setdefault(validity, []).append(uid)
        return {validity: sorted(uids) for validity, uids in letters.items()}

    def forget(self, addresses: Iterable[str]) -> None:
        """Forget some of them, because they are known now."""
        for address in addresses:
            for table in ("stranger", "letter"):
                self._all(f"DELETE FROM {table} WHERE box = ? AND address = ?", self._box, address)

    def leave_out(self, address: str) -> None:
        """Forget somebody, and ignore what they write from now on."""
        self.forget([address])
        self._all("INSERT OR IGNORE INTO left_out VALUES (?, ?)", self._box, address)

    def let_in(self, addresses: Iterable[str]) -> None:
        """Take back that somebody is left out."""
        for address in addresses:
            self._all("DELETE FROM left_out WHERE box = ? AND address = ?", self._box, address)

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """A transaction: all of its notes are kept, or none."""
        self._all("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._all("ROLLBACK")
            raise
        self._all("COMMIT")

"""The store of clients, sales and rules as its users see it: reading, and writing in transactions.

A store is where the data lives (a URL); a repository is the code that reads and writes it.
"""

import math
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import field
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from crm.clock import Clock
from crm.errors import CRMError
from crm.lazy_pattern import lazy_pattern
from crm.lean_dataclass import dataclass
from crm.model import Client, Invoice, Record, User
from crm.model.record import AnyRecord

if TYPE_CHECKING:
    from sqlalchemy import Row, Select

    from crm.repository.known import Known, KnownRosters
    from crm.rules import RuleSet

    AnySelect = Select[*tuple[Any, ...]]
    AnyRow = Row[*tuple[Any, ...]]

# The author in the history of what the program does by itself, and of what was done in a spreadsheet by hand: nobody
# knows which person it was.
PROGRAM = "CRM"
SPREADSHEET = "the spreadsheet"
# Facts of a store: what tells it from all others, and what seals its accounts as a whole (see `Seals`).
STORE_ID = "store_id"
ROSTER = "roster"
# The spreadsheet that a store was copied from by hand (File, Make a copy), until somebody has said which of the two
# sends the messages that wait in both.
COPY_OF = "copy_of"
# The day on which all statuses were reviewed last (ISO 8601); ALL_DUE where some could not be reviewed since.
REVIEWED = "reviewed_on"
ALL_DUE = "all"
# What keeps statuses from being reviewed on this computer, as a sentence: rules, or values that they judge by, that it
# cannot read.
UNREVIEWABLE = "unreviewable"
# The roster of a store whose accounts must not give access.
SHUT = "-"

Result = TypeVar("Result")
# What older versions wrote for "undid".
_UNDID_ONCE = "took back "
# What the history writes before the words of what was undone, or done again.
_UNDOING = lazy_pattern(rf"^(?:undid |{_UNDID_ONCE}|redid )\d+: ")


@dataclass(frozen=True, slots=True)
class Query:
    """A query for records: filters, order and page.

    `filters` maps a field's name to the value it must have (several values: any of them; 'tags': all of
    them; text ignores case). `since` and `until` bound a sale's day, both inclusive. `where` is a
    condition on clients in the language of the rules. `sort` is a field's name, '-' before it for the
    other way round; '' is the record's own order. `limit` None means all. `within` maps fields to values
    as `filters` does, and holds beside them: what the reader may see of the store.
    """

    filters: Mapping[str, Any] = field(default_factory=dict)
    where: str = ""
    since: date | None = None
    until: date | None = None
    sort: str = ""
    limit: int | None = None
    offset: int = 0
    within: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StatusMove:
    """A client whose status changed: from what (`before`), to what, and why. `before` is '' for a new client."""

    client: int
    name: str
    before: str
    after: str
    reason: str


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One transaction of the past: `at` in UTC, `what` the command in words, `changes` the records it touched. `user`
    is the name of those days, `user_id` the account, 0 for none."""

    id: int
    at: datetime
    user: str
    what: str
    changes: int
    undoes: int | None
    undone_by: int | None
    user_id: int = 0

    @property
    def is_undo(self) -> bool:
        """Return whether it took something back, so that to undo it is to do that again."""
        return self.undoes is not None and self.what.startswith(("undid ", _UNDID_ONCE))

    @property
    def is_restore(self) -> bool:
        """Return whether it put the records of a backup in the place of those there were."""
        return self.undoes is None and self.what.startswith("restored ")

    @property
    def first_words(self) -> str:
        """The original change in words, where this took it back or did it again."""
        return self.what if self.undoes is None else _UNDOING.sub("", self.what)

    @property
    def in_words(self) -> str:
        """The change in words, without the number of another one: "undid: recorded a sale"."""
        return self.what if self.undoes is None else f"{'undid' if self.is_undo else 'redid'}: {self.first_words}"

    @property
    def undo_words(self) -> str:
        """The summary of its undo, for the history."""
        return f"redid {self.undoes}: {self.first_words}" if self.is_undo else f"undid {self.id}: {self.first_words}"


@dataclass(frozen=True, slots=True)
class HistoryQuery:
    """A query for transactions of the past, or for the changes in them: filters and order.

    `since` is the first moment, `until` the first one after the last (both aware). `by` is part of the name of who
    did it; `text` part of what was done, or of a field's name or value before or after; case does not matter. `about`
    is the name of a kind of record, `number` the id of one, `client` the id of a client: then whatever touches it, or
    a record that names or named it. `undone` is True for what was taken back, False for changes not undone. `whose` is
    the whole name of who did it, `account` the id of their account; `undoable` are those that stand, took nothing back
    themselves, and can be taken back unless something was built on them. `sort` is 'id', 'at', 'user' or 'what', '-'
    before it for the other way round; '' is the newest first.

    `within` is what the reader may see of the store: the kinds by name, each with the field that says whose a record is
    and what is there in theirs, None for all of them. In the fields of `unsearched` kinds no text is looked for.
    `change` is the name that a transaction has in all stores, by which it is found when it is not known whether it was
    saved.
    """

    transaction: int | None = None
    change: str = ""
    since: datetime | None = None
    until: datetime | None = None
    by: str = ""
    about: str = ""
    number: int | None = None
    client: int | None = None
    text: str = ""
    undone: bool | None = None
    whose: str | None = None
    account: int = 0
    undoable: bool = False
    sort: str = ""
    within: Mapping[str, tuple[str, int | str] | None] | None = None
    unsearched: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Change:
    """The change of one record by one transaction; `before` and `after` hold only the fields it changed."""

    transaction: int
    at: datetime
    user: str
    what: str
    record: str
    record_id: int
    operation: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Wait:
    """A wait: why nothing goes on just now (`why`, without a full stop), for how many seconds already, and for how many
    more where that is known (`left`; 0 says that the wait is over)."""

    why: str
    waited: float = 0
    left: float | None = None

    @property
    def sentence(self) -> str:
        """The wait in words, without a full stop."""
        return f"{self.why}; waiting" if self.left is None else f"{self.why}; continues in {math.ceil(self.left)} s"

    def follows(self, before: "Wait | None") -> bool:
        """Return whether this is the same wait still going on, which is not told a second time."""
        return before is not None and before.why == self.why and before.waited <= self.waited


# Called again and again while something is waited for.
Waiting = Callable[[Wait], None]
# Called with the very snapshot or transaction that is about to be read or written, to refuse it by an error; what is
# written goes into the history under the name that it gives a transaction.
Allowed = Callable[[Any], None]


def anybody(_: "Snapshot") -> None:
    """Allow everything: the reader is the store's owner, or was verified by the caller."""


@dataclass
class Saved:
    """The log of what was saved since somebody signed in, transaction by transaction, in the words of the history;
    `ended` once one of them has ended the session itself."""

    what: list[str] = field(default_factory=list)
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that `check` found. `wrong` is False for what is only worth a look (an odd address)."""

    what: str
    wrong: bool
    record: str = ""
    record_id: int = 0
    how_to_mend: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """Damage that was done to a spreadsheet by hand, and waits: the ids of records whose rows are `gone`, by kind; and
    in how many rows a cell that only the program writes (an ID, a version, a total) is not what it wrote, by kind.
    `lost` says which changes are not in the spreadsheet any more, '' for none. `emptied` says of which columns most
    values are gone, each in words."""

    gone: Mapping[str, Sequence[int]]
    overwritten: Mapping[str, int]
    lost: str = ""
    emptied: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Columns:
    """Columns that were deleted by hand, each with its tab: those `put_back`, and the `unknown` ones that this computer
    cannot put back, as it has never seen what was in them."""

    put_back: Sequence[str] = ()
    unknown: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Proof:
    """One thing that the store relies on, tried on the real service: whether it held (None where that could not be
    found out), and what was seen."""

    what: str
    held: bool | None
    seen: str


@dataclass(frozen=True, slots=True)
class Backup:
    """A dated backup: its size in bytes, and how many clients and sales are in it; None where it cannot be read."""

    path: Path
    size: int
    clients: int | None
    sales: int | None


@dataclass(frozen=True, slots=True)
class Restored:
    """The result of restoring a backup: the backup `kept` of what was there, and how many accounts were `closed`, as it
    does not know their clients; `shut` where nobody can sign in until `users recover`."""

    kept: Path
    closed: int = 0
    shut: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A tab of a spreadsheet that is not one of the store's own: its title, its rows as texts, which a person would
    type to get what is in the cells."""

    title: str
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Spreadsheet:
    """A spreadsheet as it was found: the `url` of the store that it is or may become, whether it `is_set_up`, and the
    other tabs that can be seen in it, with their first rows. Where all of our tabs are gone from it, this machine still
    knows so many of its `clients`, or has a `backup` of it."""

    url: str
    title: str
    is_set_up: bool
    tables: Sequence[Table]
    clients: int = 0
    backup: Path | None = None


class Spreadsheets(Protocol):
    """The spreadsheets that are shared with this program. Everything may raise StoreAccessError, StoreBusyError and
    StoreOfflineError, which say what is missing."""

    def account(self) -> str:
        """The address that a spreadsheet is shared with. Raises StoreAccessError where there is no key for it."""

    def url(self, written: str) -> str:
        """The store in the spreadsheet whose id or address is written so. Raises UsageError."""

    def address(self, url: str) -> str:
        """The address at which the spreadsheet of a store is opened in a browser."""

    def look_at(self, url: str) -> Spreadsheet:
        """Inspect a spreadsheet, once it is sure that it can be read and written; nothing is changed."""

    def table(self, url: str, title: str) -> Table:
        """A tab with all its rows. Raises NotFoundError."""

    def set_up(self, url: str) -> "Columns":
        """Make a spreadsheet a store; of one that is, drop-downs and colours are refreshed, and columns that were
        deleted by hand are restored."""

    def damage(self, url: str) -> Sequence[str]:
        """The repairs, in sentences with warnings, of tabs that were damaged by hand, so that the spreadsheet cannot be
        read; none where it can. Raises RefusedError where only a machine can repair it that has read it."""

    def repair(self, url: str) -> Sequence[str]:
        """Put those tabs back as this machine knows them; the repairs, in sentences."""


class Snapshot(Protocol):
    """The store as it is at one moment; every read of it agrees with every other."""

    @property
    def clock(self) -> Clock:
        """The team's clock, standing at the moment that is seen."""

    @property
    def today(self) -> date:
        """The day of that moment in the team's time zone."""

    @property
    def rules(self) -> "RuleSet":
        """The active status rules, in order."""

    @property
    def revision(self) -> Hashable:
        """The last change of the store: it is another value once anybody has changed a record."""

    def fact(self, name: str) -> str:
        """Something the store knows of itself at this moment (`STORE_ID`); '' when unknown."""

    @property
    def known(self) -> "Known":
        """The evidence that this machine had of the accounts of this store, and of its place, before this moment."""

    def remember(self, revision: int) -> None:
        """Remember on this machine that it has seen a revision of this store: in a transaction with its commit, and
        never of a copy."""

    def remember_refused(self) -> None:
        """The same of a store that is not taken for the one of its place, where its accounts are as this program left
        them."""

    def get(self, kind: type[AnyRecord], record_id: int) -> AnyRecord:
        """The record with this id. Raises NotFoundError."""

    def find(self, kind: type[AnyRecord], record_id: int) -> AnyRecord | None:
        """The record with this id, or None."""

    def find_all(self, kind: type[AnyRecord], query: Query = Query()) -> list[AnyRecord]:  # noqa: B008 - frozen
        """The records that a query names. Raises FieldError or RuleError for what it cannot read."""

    def each(self, kind: type[AnyRecord], query: Query = Query()) -> Iterator[AnyRecord]:  # noqa: B008 - frozen
        """The same, one by one, without holding them all."""

    def count(self, kind: type[Record], query: Query = Query()) -> int:  # noqa: B008 - frozen
        """The number of records that a query names, its page apart."""

    def numbers(self, kind: type[Record], query: Query = Query()) -> list[int]:  # noqa: B008 - frozen
        """The ids alone of the records that a query names."""

    def search(self, text: str, limit: int = 20) -> Sequence[Client]:
        """Clients by part of a name, company, e-mail, phone, tag or reference, best first; a misspelt name too."""

    def identified(self, by: str, values: Iterable[str]) -> Sequence[Client]:
        """Clients whose 'reference', 'email' or 'phone' is exactly one of the values; by 'name' those whose whole
        name (first, last, company, as `model.folding.fold` makes it) is."""

    def select(self, statement: "AnySelect", **values: Any) -> "Sequence[AnyRow]":
        """The rows of a statement over the tables, with values for what it leaves open; for reports."""

    def values(self, client: Client, needs: Iterable[str] | None = None) -> dict[str, Any]:
        """The metrics of one client by name, all of them unless `needs` names some."""

    def moves(self, rules: "RuleSet | None" = None, limit: int | None = None) -> list[StatusMove]:
        """The clients whose status the rules (those given, or the stored ones) would change, without changing it."""

    def move_counts(self, rules: "RuleSet | None" = None) -> dict[tuple[str, str], int]:
        """The number of clients whom the rules would move, by (from, to)."""

    def history(self, limit: int = 50, offset: int = 0, query: HistoryQuery = HistoryQuery()) -> Sequence[HistoryEntry]:  # noqa: B008 - frozen
        """The transactions of the past that a query names, newest first unless it says otherwise. Raises FieldError
        for what it cannot sort by."""

    def changes(
        self, *, transaction: int | None = None, record: Record | None = None, limit: int = 200
    ) -> list[Change]:
        """The changes of one transaction, or of one record; newest first."""

    def each_change(self, query: HistoryQuery = HistoryQuery()) -> Iterator[Change]:  # noqa: B008 - frozen
        """The changes that a query names, one by one, newest first, or where sorted by 'id' the oldest first."""

    def is_built_on(self, transaction: int) -> bool:
        """Return whether later changes depend on an earlier transaction, so that it cannot be undone."""


# So many of somebody's changes are searched for one that can be taken back.
_SEARCHED = 50


def last_undoable(snapshot: Snapshot, user: str, account: int) -> HistoryEntry | None:
    """The last change of an account that can be undone, or without accounts (0) of the user of that name; changes by
    others or by the program are skipped, and so are those that later changes depend on. Where all recent ones have
    dependents it is the last one, whose refusal says why. None where there is none."""
    own = HistoryQuery(account=account, undoable=True) if account else HistoryQuery(whose=user, undoable=True)
    latest = snapshot.history(1, query=own)
    if not latest or not snapshot.is_built_on(latest[0].id):
        return next(iter(latest), None)
    older = snapshot.history(_SEARCHED, 1, own)
    return next((entry for entry in older if not snapshot.is_built_on(entry.id)), latest[0])


def was_issued_since(snapshot: Snapshot, invoice: int, transaction: int) -> bool:
    """Return whether an invoice that a transaction wrote as a draft was issued by a later one. An undo of the first
    leaves it with the client that it names."""
    changes = snapshot.each_change(HistoryQuery(about=Invoice.kind_name, number=invoice))
    return any(change.transaction > transaction and change.after.get("state") == "issued" for change in changes)


class Transaction(Snapshot, Protocol):
    """One change of the store, all or nothing. It is audited by itself, and totals and statuses follow."""

    def add(self, record: AnyRecord) -> AnyRecord:
        """Store a new record. Returns it with its id. Raises RefusedError (a reference used twice)."""

    def add_all(self, records: Sequence[Record]) -> range:
        """Store many new records of one kind at once. Returns their ids, which follow one another."""

    def add_columns(self, kind: type[Record], values: Mapping[str, Sequence[Any]]) -> range:
        """Store many new records of a kind by the values of each of their fields; other fields have their defaults.
        Returns their ids as `add_all` does."""

    def change(self, original: AnyRecord, **changes: Any) -> AnyRecord:
        """Change fields of a record, given as it was shown. Somebody else's change of other fields
        is kept; of the same fields it raises ConflictError. A deal comes into its stage on the day that `stage_since`
        says, else today."""

    def delete(self, record: Record) -> None:
        """Delete a record, with a client its sales."""

    def delete_all(self, kind: type[Record], ids: Sequence[int]) -> None:
        """Delete many records of a kind, each with what belongs to it; those that are not there are skipped. Raises
        RefusedError as `refuse_kept` does."""

    def refuse_kept(self, kind: type[Record], ids: Sequence[int]) -> None:
        """Raise RefusedError, with their names, where some of the records cannot be deleted before others that name
        them: a client has invoices."""

    def end_sessions(self, user: int | None = None, but: int = 0) -> int:
        """End all sessions of an account, or of all, except one; how many."""

    def settle(self) -> Sequence[StatusMove]:
        """Bring totals and statuses up to date with what this transaction changed so far (a commit does so too)."""

    def review_all(self) -> dict[tuple[str, str], int]:
        """Review every client; how many moved, by (from, to)."""

    def undo(self, number: int | None = None) -> HistoryEntry:
        """Take back a transaction of the past; when none is named, what its author did last (`last_undoable`). Raises
        RefusedError where later changes depend on it, NotFoundError where there is nothing to take back."""


class AuthoredTransaction(Transaction, Protocol):
    """A Transaction of an unguarded repository, with an author: code that writes for somebody else names them."""

    def give_name(self, account: int) -> None:
        """Write the name that an account has now beside its id, wherever that stands."""

    def give_records(self, account: int, *other_names: str) -> None:
        """Make an account the owner of records without one under its name, or under one of some others."""

    user: str
    """The author in the history; it can be set until something was written."""
    user_id: int
    """The account of the person named, 0 for none."""
    reseals: bool
    """True where it may touch accounts that this program has not left so; it seals all of them as it leaves them."""


class Sealing(Protocol):
    """The seals for one transaction that touches accounts or sign-ins."""

    def sealed(self, user: User, changes: Mapping[str, Any]) -> Mapping[str, Any]:
        """The changes of an account as it now is, with the seal that they give it."""

    def finish(self) -> None:
        """Seal the accounts as a whole, when all else of the transaction is written."""


class Seals(Protocol):
    """The seals on the accounts of a store, with a secret that the store itself does not know."""

    def known(self) -> "KnownRosters":
        """The evidence of accounts on this machine, for the store at this place. A snapshot may be compared with what
        was known before it began: since then others have gone on."""

    def keep_known(self, store: str, revision: int) -> None:
        """Remember that the store with this id had a revision at this place, unless a higher one is known."""

    def keep_refused(self, snapshot: Snapshot) -> None:
        """Remember the revision of a store that is not taken for the one of this place, where its accounts are as this
        program left them."""

    def revision(self, snapshot: Snapshot) -> int | None:
        """The count of times that the accounts were sealed as a whole: 0 where an older version has sealed each
        alone, -1 where there are none; None where they are not as this program left them, or another secret has
        sealed them."""

    def take_over(self, tx: Any, source: Mapping[str, str], before: str = "", *, keeps_keys: bool = False) -> None:
        """Seal the accounts that were just put into a store as its own, end their sessions, and revoke the keys
        unless the store `keeps_keys`, where they are as this program left them in the store that they come from, of
        which `source` holds the facts `STORE_ID` and `ROSTER`; else they let nobody in. Accounts without a password
        need no seal. `before` is the roster of those whose place they take."""

    def translated(self, tx: Any, user: User, source: Snapshot) -> User:
        """An account of another store as it can be put into this one: without what lets anybody in where it is not as
        this program left it there."""

    def goes_on_elsewhere(self, snapshot: Any) -> bool:
        """Return whether this machine has seen newer accounts of this store at another place than at this one."""

    def knows_newer(self, tx: Any) -> bool:
        """Return whether this machine remembers accounts at this place that those of a backup are older than, or are
        not."""

    def let_an_admin_in(self, snapshot: Any) -> bool:
        """Return whether an admin can sign in with the accounts as they are now."""

    def shuts_everybody_out(self, snapshot: Any) -> bool:
        """Return whether there are accounts, and no admin can sign in with them."""

    def begin(self, tx: Any) -> Sealing:
        """Check the accounts before a transaction first touches accounts or sign-ins. Raises StoreAccessError where
        they are not as this program left them."""


class Repository(Protocol):
    """A store that can be read, written, checked and backed up."""

    @property
    def clock(self) -> Clock:
        """The time, and the days in the time zone that the team has set in this store."""

    @property
    def url(self) -> str:
        """The store it is over."""

    def keep_sealed(self, seals: Seals) -> None:
        """Seal accounts with the team's secret, unless they are sealed already."""

    def read(self) -> AbstractContextManager[Snapshot]:
        """The store as it is now."""

    def transact(self, change: Callable[[Any], Result], what: str) -> Result:
        """Call `change` with a Transaction and commit; `what` is in the history. `change` may be called again where
        another writer came first, so it must not act outside the transaction."""

    # What concerns the store as a whole asks `allowed` in the same snapshot, or inside its own lock.

    def everything(self, allowed: Allowed = anybody) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Every object of the store as JSON has it: (a record's name, 'transaction' or 'audit', its fields)."""

    def fill(self, items: Iterable[tuple[str, Mapping[str, Any]]], allowed: Allowed = anybody) -> dict[str, int]:
        """Put everything of another store into this empty one, history included; how many, by what they are.
        Raises RefusedError where it is not empty, FileError where the objects do not fit together."""

    def check(self, allowed: Allowed = anybody) -> Iterator[Finding]:
        """Everything in the store that does not hold, or is odd."""

    def damage(self, error: Exception) -> CRMError | None:
        """The error that names what another program has put into the store where something else belongs; None where
        `error` did not come of that, or it is not to be found."""

    def held(self, allowed: Allowed = anybody) -> Held:
        """The damage done to the spreadsheet by hand that waits to be decided. Raises RefusedError in a store that is
        not one."""

    def settle(self, *, take_over: bool, allowed: Allowed = anybody) -> None:
        """Take over what waits, or put the spreadsheet back as it was."""

    def accept_loss(self, lost: str, allowed: Allowed = anybody) -> None:
        """End the notice that changes are `lost`, as it was shown: the spreadsheet stays as it is. Raises RefusedError
        where it says something else by now."""

    def forget_history(self, before: int, what: str, allowed: Allowed = anybody) -> int:
        """Take all transactions with a lower number than `before` out of the history, for good; how many. `what` is in
        the history. Raises RefusedError where the store cannot do it safely."""

    def prove(self, allowed: Allowed = anybody) -> Iterator[Proof]:
        """Try on the real service what the store relies on, one thing after the other, and leave nothing behind.
        Raises RefusedError where the store relies on nothing but itself."""

    def fact(self, name: str) -> str:
        """Something the store knows of itself (schema_version, reviewed_on); '' when unknown."""

    def set_fact(self, name: str, value: str, allowed: Allowed = anybody) -> None:
        """Write such a fact; it is no change of a record and is in no history."""

    def backup(self, to: Path | None = None, allowed: Allowed = anybody) -> Path:
        """A copy of the whole store, dated, in the folder of backups unless `to` is given."""

    def known_backups(self) -> Sequence[Backup]:
        """The dated backups there are, newest first."""

    def daily_review(self) -> None:
        """Review all statuses unless that was done today, or no status depends on the day. The history names `PROGRAM`
        as its author, and the reader needs no right for it."""

    def daily_backup(self, allowed: Allowed = anybody) -> Path | None:
        """A dated backup if today has none yet and there is something to lose; else None."""

    def is_empty(self) -> bool:
        """Return whether nobody has put anything into the store yet, but for accounts and their sign-ins."""

    def is_untouched(self) -> bool:
        """Return whether nobody has put anything at all into the store, not even an account: only such a one is
        filled."""

    def notice(self, account: int = 0) -> str:
        """A notice for the reader, by the id of their account (that the data is of some minutes ago); '' for none."""

    def added_since(self, source: Path, allowed: Allowed = anybody) -> Mapping[str, Sequence[int]]:
        """The ids of the records that a backup does not hold, by kind: to restore it removes them. Accounts, and what
        lasts, are not among them."""

    def restore(self, source: Path, allowed: Allowed = anybody, *, accounts: bool = False) -> Restored:
        """Put a backup in the place of what is there, which is backed up first. The accounts stay as they are, unless
        they are to be those of the backup too (`accounts`), or there are none; every session ends. Raises RefusedError
        where no admin could sign in any more.

        Of a store so damaged that `allowed` cannot read it (StoreDamagedError), the files are kept aside and replaced,
        accounts included: their owner could do so without this program."""

    def close(self) -> None:
        """Let go of the store."""

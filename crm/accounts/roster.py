"""The seals of the accounts: one on each, and the roster, a digest over all of them, the open sessions and the keys.

A seal binds all that an account may do to its id and to the store. The roster binds the newest seal of every account,
who has which session open, and the keys for unattended commands, to a revision; it is in the state of the store and is
renewed by every transaction that touches accounts, sign-ins or keys. So neither a row nor a whole tab can be restored,
swapped or copied in.
"""

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from enum import Enum
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import delete, literal, select, true, update

from crm.accounts.evidence import SEALED_WITH_ROSTER, Memory, accounts_exist, damaged
from crm.errors import StoreAccessError, UsageError
from crm.lean_dataclass import dataclass
from crm.model import User
from crm.repository import ROSTER, SHUT, STORE_ID, Query, Snapshot, tables
from crm.repository.known import FILE, KnownRosters, new_id
from crm.repository.sql_functions import json_rows
from crm.repository.statements import ANY_PASSWORD

if TYPE_CHECKING:
    from sqlalchemy import Column, ColumnElement, Select

    from crm.accounts.keys import Secret
    from crm.repository.transaction import SqlTransaction

SEALED = frozenset(
    ("email", "name", "role", "client", "active", "must_change", "password", "second_factor")
)  # fmt: skip
# The number of revisions skipped where accounts are signed again.
_SKIPPED_REVISIONS = 1_000_000
# No store comes to so high a revision: somebody has typed it, and the next one need not be higher.
_HIGHEST = 10**15
# What has more digits is no revision.
_MOST_DIGITS = 18
_IN_ORDER = ("id", *sorted(SEALED))
# What the seals of stores without a roster bound.
_BEFORE = ("id", "email", "role", "client", "active", "must_change", "password", "second_factor")


def _listed(*columns: "Column[Any]", among: "ColumnElement[bool]") -> "Select[tuple[Any]]":
    """Some columns of all rows in order as one text, which the database writes quicker than this program reads rows."""
    rows = select(*columns).where(among).order_by(columns[0]).subquery()
    return select(json_rows(*rows.c))


@cache
def _bound() -> "Sequence[Select[Any]]":
    """The statements for what a roster binds now, and for what it bound before keys stopped with their maker's account:
    one that was last renewed then does not bind who made them. A store without accounts needs neither."""
    user, sign_in, key = tables.user.c, tables.sign_in.c, tables.key.c
    accounts = _listed(user.id, user.seal, among=true())
    # The value is in the statement itself, so that the index of the open ones is taken.
    is_open = sign_in.state == literal("open", literal_execute=True)
    sessions = _listed(sign_in.id, sign_in.user, sign_in.token, sign_in.created_at, among=is_open)
    before = (key.id, key.name, key.may, key.expires_on, key.token)
    all_keys = (_listed(*before, key.user_id, among=true()), _listed(*before, among=true()))
    return [select(*(rows.scalar_subquery() for rows in (accounts, sessions, keys))) for keys in all_keys]


_NO_ROWS = "[]"


class Standing(Enum):
    """The standing of the accounts of a store."""

    NONE = "it has none, and never had"
    UNROSTERED = "an older version of this program has sealed them, and nobody has changed them since"
    HOLDS = "they are as this program left them"
    OTHER_SECRET = "they were sealed with another secret"
    DAMAGED = "they are not as this program left them"


@dataclass(frozen=True)
class Written:
    """A roster as it is written down."""

    mark: str
    revision: int
    mac: str

    @classmethod
    def read(cls, text: str) -> "Written | None":
        """Parse a text; None for what is no roster."""
        mark, _, rest = text.partition("/")
        revision, _, mac = rest.partition("-")
        is_number = revision.isascii() and revision.isdigit() and len(revision) <= _MOST_DIGITS
        return cls(mark, int(revision), mac) if is_number else None


class Roster:
    """The seals of the accounts of one store, at `url`: kept and checked. The secret is asked for once there is
    something to seal or to check."""

    def __init__(self, secret: "Callable[[], Secret]", memory: Memory, url: str) -> None:
        self._open_secret = secret
        self._memory = memory
        self._url = url

    @cached_property
    def _secret(self) -> "Secret":
        return self._open_secret()

    # What this machine remembers

    def known(self) -> KnownRosters:
        return self._memory.known(self._url)

    def keep_known(self, store: str, revision: int) -> None:
        self._memory.keep(store, self._url, revision)

    def keep_refused(self, snapshot: Snapshot) -> None:
        written = Written.read(snapshot.fact(ROSTER))
        if written is not None and self._is_sound(snapshot):
            self._memory.keep(snapshot.fact(STORE_ID), "", written.revision)

    # The seal of one account

    def seal(self, snapshot: Snapshot, user: User) -> str:
        """The seal of an account as it is to be stored."""
        bound = (str(getattr(user, name)) for name in _IN_ORDER)
        return f"{self._mark}{SEALED_WITH_ROSTER}{self._secret.mac('account', snapshot.fact(STORE_ID), *bound)}"

    def fits(self, snapshot: Snapshot, user: User) -> bool:
        """Return whether an account is as this program has written it. An older seal is taken as long as the store has
        no roster: the first transaction on accounts makes one, and seals all of them again."""
        if not user.seal:
            return False
        return _same(user.seal, self.seal(snapshot, user)) or (
            not snapshot.fact(ROSTER) and _same(user.seal, self._older_seal(user))
        )

    def _older_seal(self, user: User) -> str:
        return f"{self._mark}-{self._secret.mac('seal', *(str(getattr(user, name)) for name in _BEFORE))}"

    @cached_property
    def _mark(self) -> str:
        """The beginning of every seal, so that one of another secret is distinguished from a broken one."""
        return self._secret.mac("mark")[:8]

    def refuse_weak_secret(self) -> None:
        """Raise UsageError for a secret that is easily guessed. It is asked where accounts are sealed for the first
        time, or again: those that were sealed with such a secret before go on, and `check` says so."""
        if weakness := self._secret.weakness:
            raise UsageError(f"{weakness} Nothing was changed.")

    # All of them

    def standing(self, snapshot: Snapshot) -> Standing:
        """The standing of the accounts; a revision that holds is remembered by this machine, once it is sure."""
        try:
            if not accounts_exist(snapshot):
                return Standing.NONE
        except StoreAccessError:
            return Standing.DAMAGED
        text = snapshot.fact(ROSTER)
        if not text:
            return self._unrostered(snapshot)
        written = Written.read(text)
        if written is None:
            return Standing.DAMAGED
        if written.mark != self._mark:
            return Standing.OTHER_SECRET
        if written.revision < snapshot.known.anywhere or not self._fits_rows(snapshot, written, text):
            return Standing.DAMAGED
        snapshot.remember(written.revision)
        return Standing.HOLDS

    def require(self, snapshot: Snapshot) -> Standing:
        """The standing of the accounts. Raises StoreAccessError unless they are as this program left them."""
        if getattr(snapshot, "is_sealing", False):
            # It was asked when this transaction began to touch them.
            return Standing.HOLDS
        standing = self.standing(snapshot)
        match standing:
            case Standing.DAMAGED:
                raise damaged(snapshot.known)
            case Standing.OTHER_SECRET:
                raise other_secret()
        return standing

    def revision(self, snapshot: Snapshot) -> int | None:
        """The revision of the roster where the accounts are as this program left them; 0 where an older version has
        sealed them, -1 where there are none; else None."""
        standing = self.standing(snapshot)
        if standing in (Standing.NONE, Standing.UNROSTERED):
            return 0 if standing is Standing.UNROSTERED else -1
        written = Written.read(snapshot.fact(ROSTER))
        return written.revision if standing is Standing.HOLDS and written else None

    def _unrostered(self, snapshot: Snapshot) -> Standing:
        user = tables.user.c
        seals = [seal for (seal,) in snapshot.select(select(user.seal).where(user.seal != ""))]
        if seals and not any(seal.startswith(f"{self._mark}-") for seal in seals):
            return Standing.OTHER_SECRET
        return Standing.UNROSTERED

    def _fits_rows(self, snapshot: Snapshot, written: Written, text: str) -> bool:
        """Return whether a roster, with its text, is that of the accounts, sessions and keys as they are."""
        return any(_same(text, self._made(snapshot, written.revision, bound)) for bound in _bound())

    def _made(self, snapshot: Snapshot, revision: int, bound: "Select[Any]") -> str:
        """The roster of a revision, as it must be written down."""
        digest = hashlib.sha256()
        accounts, sessions, keys = snapshot.select(bound)[0]
        digest.update(f"{accounts}\n{sessions}\n".encode())
        # A store of a format that had no keys yet has a roster without them.
        if keys != _NO_ROWS:
            digest.update(f"{keys}\n".encode())
        mac = self._secret.mac("roster", snapshot.fact(STORE_ID), str(revision), digest.hexdigest())
        return f"{self._mark}/{revision}-{mac}"

    def _is_sound(self, snapshot: Snapshot) -> bool:
        """Return whether accounts are as this program left them, however old they are."""
        text = snapshot.fact(ROSTER)
        if not text:
            return self._unrostered(snapshot) is Standing.UNROSTERED
        written = Written.read(text)
        return written is not None and self._fits_rows(snapshot, written, text)

    # From one store into another

    def take_over(
        self, tx: "SqlTransaction", source: Mapping[str, str], before: str = "", *, keeps_keys: bool = False
    ) -> None:
        """Seal the accounts that were just put into a store as its own, end their sessions, and revoke the keys
        unless the store `keeps_keys`, where they are as this program left them in the store that they come from; else
        they let nobody in. Accounts without a password need no seal. `before` is the roster of those whose place they
        take."""
        if not tx.select(ANY_PASSWORD):
            # A roster without accounts: they were removed, so nobody may sign in.
            tx.put_fact(ROSTER, SHUT if source.get(ROSTER) else "")
            return
        other_store = cast(Snapshot, _With(tx, source))
        is_sound = self._is_sound(other_store)
        if is_sound:
            for user in tx.find_all(User):
                if self.fits(other_store, user):
                    sealed = update(tables.user).where(tables.user.c.id == user.id).values(seal=self.seal(tx, user))
                    tx.connection.execute(sealed)
            ended = update(tables.sign_in).where(tables.sign_in.c.state == "open").values(state="ended", token="")
            tx.connection.execute(ended)
            if not keeps_keys:
                tx.connection.execute(delete(tables.key))
        # What another secret has sealed stays so, for machines that have it.
        tx.put_fact(ROSTER, source.get(ROSTER, ""))
        if is_sound:
            self.renew(tx, before)

    def translated(self, tx: "SqlTransaction", user: User, source: Snapshot) -> User:
        """An account of another store as it can be put into this one: without what lets anybody in where it is not as
        this program left it there."""
        if user.password and self._is_sound(source) and self.fits(source, user):
            return replace(user, seal=self.seal(tx, user))
        return replace(user, password="", second_factor="", seal="")

    def goes_on_elsewhere(self, snapshot: Snapshot) -> bool:
        return snapshot.known.anywhere > snapshot.known.here

    def gives_ids(self) -> bool:
        """Return whether a store gets a new id where it parts from its copies: that of a spreadsheet is Google's."""
        return self._url.startswith(FILE)

    def knows_newer(self, tx: "SqlTransaction") -> bool:
        """Return whether this machine remembers accounts at this place that those of a backup are older than, or are
        not."""
        known = tx.known
        written = Written.read(tx.fact(ROSTER))
        revision = written.revision if written else 0 if tx.select(ANY_PASSWORD) else -1
        return known.another or revision < known.anywhere

    def let_an_admin_in(self, snapshot: Snapshot) -> bool:
        """Return whether an admin can sign in with the accounts as they are now."""
        admins = snapshot.find_all(User, Query({"role": "admin", "active": True}))
        # A transaction of this program renews the roster at its end.
        is_sealing = getattr(snapshot, "is_sealing", False)
        holds = is_sealing or self.standing(snapshot) in (Standing.HOLDS, Standing.UNROSTERED)
        return holds and any(admin.password and self.fits(snapshot, admin) for admin in admins)

    def shuts_everybody_out(self, snapshot: Snapshot) -> bool:
        """Return whether there are accounts, and no admin can sign in with them."""
        return self.standing(snapshot) is not Standing.NONE and not self.let_an_admin_in(snapshot)

    # In a transaction

    def begin(self, tx: "SqlTransaction") -> "Sealing":
        """Check the roster before a transaction first touches accounts or sign-ins. Raises StoreAccessError where they
        are not as this program left them, unless the transaction seals them again."""
        standing = self.standing(tx)
        if not tx.reseals:
            if standing is Standing.DAMAGED:
                raise damaged(tx.known)
            if standing is Standing.OTHER_SECRET:
                raise other_secret()
        return Sealing(self, tx, standing)

    def renew(self, tx: "SqlTransaction", before: str = "") -> None:
        """Write the roster of the accounts as they are now, with a revision higher than any before."""
        own, other = Written.read(tx.fact(ROSTER)), Written.read(before)
        doubtful = (own, other) if tx.reseals else (other,)
        likely = [roster.revision for roster in doubtful if roster and roster.revision <= _HIGHEST]
        known = max(tx.known.anywhere, own.revision if own and not tx.reseals else 0, *likely)
        # Machines that knew accounts which are lost take recreated ones for newer ones.
        revision = known + (_SKIPPED_REVISIONS if tx.reseals else 1)
        tx.put_fact(ROSTER, self._made(tx, revision, _bound()[0]))
        tx.remember(revision)


class _With:
    """A snapshot, with other facts."""

    def __init__(self, snapshot: Snapshot, facts: Mapping[str, str]) -> None:
        self._facts = facts
        self.select = snapshot.select

    def fact(self, name: str) -> str:
        """One of the facts that the store keeps of itself."""
        return self._facts.get(name, "")


class Sealing:
    """One transaction's work on accounts, which stood in a certain way before it."""

    def __init__(self, roster: Roster, tx: "SqlTransaction", standing: Standing) -> None:
        self._roster = roster
        self._tx = tx
        self._was = standing

    def sealed(self, user: User, changes: Mapping[str, Any]) -> Mapping[str, Any]:
        """Change of an account, with its new seal where its old one fits."""
        if self._was is Standing.NONE or "seal" in changes or SEALED.isdisjoint(changes):
            return changes
        if not self._roster.fits(self._tx, user):
            return changes
        return {**changes, "seal": self._roster.seal(self._tx, replace(user, **changes))}

    def finish(self) -> None:
        """Write, at the end of the transaction, the roster, once somebody can sign in. In a store that had none yet,
        all accounts get a seal of now: those that an older version has sealed where that seal fits."""
        if self._was is Standing.NONE and not self._tx.select(ANY_PASSWORD):
            return
        if self._was is Standing.NONE or self._tx.reseals:
            self._roster.refuse_weak_secret()
        is_first, parts = self._was is Standing.NONE, self._parts()
        if is_first or parts or self._was is Standing.UNROSTERED:
            users = self._tx.find_all(User)
            fitting = [user for user in users if is_first or self._roster.fits(self._tx, user)]
            if parts:
                self._tx.put_fact(STORE_ID, new_id())
            for user in fitting:
                seal = self._roster.seal(self._tx, user)
                if seal != user.seal:
                    self._tx.apply(user, {"seal": seal})
            for user in users:
                if is_first and user.password:
                    # The history shows that there were accounts, even if they are lost later.
                    self._tx.note_set(user, "password")
        self._roster.renew(self._tx)

    def _parts(self) -> bool:
        """Return whether the store parts from those with the same id: with its first account from copies of before it,
        and else where it is a copy, or an older one that is sealed again."""
        is_separate = self._tx.reseals and self._roster.goes_on_elsewhere(self._tx)
        return self._roster.gives_ids() and (self._was is Standing.NONE or self._tx.known.is_copy or is_separate)


def other_secret() -> StoreAccessError:
    """The error for a store whose accounts another secret has sealed."""
    return StoreAccessError(
        "Nobody can sign in: the accounts of this store were made with another CRM_SECRET. Set the same one here as"
        " where they were made.",
        reason="other_secret",
    )


def _same(one: str, other: str) -> bool:
    with suppress(UnicodeEncodeError):
        return hmac.compare_digest(one.encode(), other.encode())
    return False

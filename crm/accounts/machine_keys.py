"""Keys for unattended commands: made and revoked by admins, and looked up in what a command reads or writes."""

import secrets
from contextlib import suppress
from datetime import date

from sqlalchemy import select

from crm.accounts import KeyHolder
from crm.accounts.account_store import AccountStore, is_admin
from crm.accounts.roster import Standing
from crm.errors import FieldError, RefusedError, SignedOutError, SignInRefusedError, StoreError
from crm.model import KEY_MAY, MachineKey, User
from crm.model.rights import KEY, Reader
from crm.repository import AuthoredTransaction, Snapshot, tables

# How the names end under which the history has what is done by keys.
KEYS_AUTHOR = " (key)"
# It says what it is wherever it is current, so that programs that look for lost secrets know it.
_BEGINS = "crm_key_"
# Longer than any key.
_TOO_LONG = 200
_UNKNOWN = (
    "The key does not work here: it was revoked, or was made for other data. Nothing was done. An admin can make a new"
    " one with `keys add`."
)


class MachineKeys:
    """Keys that hold as long as they are in the store, have not expired, and their maker could make them now, as an
    active admin: so a key never has more rights than its maker. What is kept of it is an HMAC: it has 256 random bits,
    so that nobody finds it by trying, and a slow hash or a limit on attempts would protect nothing more."""

    def __init__(self, store: AccountStore) -> None:
        self._store = store

    def add(self, name: str, may: str, expires_on: date | None = None) -> tuple[MachineKey, str]:
        """A new key and what its bearer shows, which is kept nowhere. Raises FieldError, and RefusedError where nobody
        has to sign in."""
        name = " ".join(name.split())
        if not name:
            raise FieldError("say what the key is for", field="name", label="Name")
        if may not in KEY_MAY:
            raise FieldError(f"that is not one of the choices; use {', '.join(KEY_MAY)}", field="may", label="May")
        token = _BEGINS + secrets.token_urlsafe(32)

        def change(tx: AuthoredTransaction) -> MachineKey:
            if self._store.roster.require(tx) is Standing.NONE:
                raise RefusedError(
                    "This store has no accounts, so commands run without a key. `users add` makes the first."
                )
            if expires_on is not None and expires_on < tx.clock.today:
                raise FieldError("it is in the past", field="expires", label="Expires")
            if any(key.name.casefold() == name.casefold() for key in tx.find_all(MachineKey)):
                raise FieldError(
                    f"a key called {name} already exists; revoke it, or choose another name", field="name", label="Name"
                )
            return tx.add(
                MachineKey(
                    name=name,
                    may=may,
                    expires_on=expires_on,
                    token=self._digest(token),
                    user=tx.user,
                    user_id=tx.user_id,
                )
            )

        return self._store.transact(change, f"created the key {name} ({KEY_MAY[may]})"), token

    def revoke(self, key: MachineKey) -> None:
        """Take a key away, at once for whatever runs by it."""
        self._store.transact(lambda tx: tx.delete_all(MachineKey, [key.id]), f"revoked the key {key.name}")

    def find(self, token: str) -> KeyHolder:
        """Return the holder of a key. Raises SignInRefusedError where it does not hold, and StoreAccessError where the
        accounts are not as this program left them."""
        with self._store.read() as snapshot:
            if self._store.roster.require(snapshot) is Standing.NONE:
                raise SignInRefusedError("The key does not work here: this data has no accounts. Nothing was done.")
            key = self._by_token(snapshot, token)
            if key is None:
                raise SignInRefusedError(_UNKNOWN)
            if _is_over(snapshot, key):
                raise SignInRefusedError(
                    f"The key “{key.name}” has expired. Nothing was done. An admin can make a new one with `keys add`."
                )
            if self._is_stopped(snapshot, key):
                raise SignInRefusedError(
                    f"The key “{key.name}” does not work any more: the person who made it is no longer an active admin."
                    " Nothing was done. An admin can make a new one with `keys add`."
                )
            is_noted = key.last_used_on == snapshot.clock.today
        if not is_noted:
            # A read-only store is backed up too.
            with suppress(StoreError):
                self._note_use(key)
        return KeyHolder(key.id, key.name, key.may)

    def verify(self, snapshot: Snapshot, holder: KeyHolder, reader: Reader) -> Reader:
        """The reader, as the very snapshot or transaction has the key in which they read or write. Raises
        SignedOutError where it does not hold any more."""
        self._store.roster.require(snapshot)
        current = snapshot.find(MachineKey, holder.key)
        if current is None or _is_over(snapshot, current) or current.may != holder.may:
            raise SignedOutError(key=holder.name)
        if self._is_stopped(snapshot, current):
            raise SignedOutError(key=holder.name, stopped=True)
        return reader

    def stopped(self) -> frozenset[int]:
        """The ids of the keys that do not work because their maker is no active admin."""
        with self._store.read() as snapshot:
            return frozenset(key.id for key in snapshot.find_all(MachineKey) if self._is_stopped(snapshot, key))

    def _is_stopped(self, snapshot: Snapshot, key: MachineKey) -> bool:
        maker = snapshot.find(User, key.user_id)
        return maker is None or not is_admin(maker) or not self._store.holds(snapshot, maker)

    def _by_token(self, snapshot: Snapshot, token: str) -> MachineKey | None:
        if not token.startswith(_BEGINS) or len(token) > _TOO_LONG or not token.isascii():
            return None
        columns = tables.record_columns(MachineKey)
        rows = snapshot.select(select(*columns).where(tables.key.c.token == self._digest(token)))
        return tables.record_of(MachineKey, rows[0]) if len(rows) == 1 else None

    def _note_use(self, key: MachineKey) -> None:
        """Note the day, once a day."""

        def change(tx: AuthoredTransaction) -> None:
            tx.user, tx.user_id = author(key.name), 0
            current = tx.find(MachineKey, key.id)
            if current is not None:
                tx.change(current, last_used_on=tx.clock.today)

        self._store.transact(change, "used the key")

    def _digest(self, token: str) -> str:
        return self._store.secret.mac("keys", token)


def _is_over(snapshot: Snapshot, key: MachineKey) -> bool:
    return key.expires_on is not None and snapshot.clock.today > key.expires_on


def reader_by(holder: KeyHolder) -> Reader:
    """The reader who runs commands by a key."""
    return Reader(0, f"{KEY}{holder.may}", 0, author(holder.name))


def author(name: str) -> str:
    """The author of what is done by a key, as the history names it."""
    return f"{name}{KEYS_AUTHOR}"

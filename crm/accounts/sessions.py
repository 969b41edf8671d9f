"""Sessions: opened by a sign-in, looked up by what the browser or the machine holds, ended."""

import secrets
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import or_, select

from crm.accounts import SignedIn
from crm.accounts.account_store import AccountStore, called
from crm.accounts.tokens import SET_BACK
from crm.errors import SignedOutError
from crm.model import SignIn, User
from crm.model.rights import Reader
from crm.repository import AuthoredTransaction, Query, Snapshot, tables

LASTS = timedelta(hours=12)
KEPT = timedelta(days=90)
# The number of old sessions deleted at each sign-in.
_FORGOTTEN_AT_ONCE = 200
# Numbers of accounts, and seconds, have no more digits than any database takes.
_MOST_DIGITS = 18


class Sessions:
    """Sessions, which hold while their sign-in says so, their user may enter, and for twelve hours at most."""

    def __init__(self, store: AccountStore) -> None:
        self._store = store

    def find(self, token: str) -> SignedIn | None:
        """The session of `token`; None where it is over or unknown."""
        user, begun = _read(token)
        if not (begun and self._lasts(begun)):
            return None
        sign_in = tables.sign_in.c
        with self._store.read() as snapshot:
            rows = snapshot.select(
                select(sign_in.id).where(
                    sign_in.token == self._digest(token), sign_in.user == user, sign_in.state == "open"
                )
            )
            return self._of(snapshot, rows[0][0], user) if len(rows) == 1 else None

    def still_holds(self, session: int) -> SignedIn | None:
        """The session with this id; None where it is over."""
        with self._store.read() as snapshot:
            user = self.holder(snapshot, session)
            return self._signed_in(snapshot, session, user) if user is not None else None

    def verify(self, snapshot: Snapshot, session: int, reader: Reader) -> Reader:
        """The reader under the name that they have now, as the very snapshot or transaction has it in which they read
        or write. Raises SignedOutError where their session is over, or their account has other rights."""
        user = self.holder(snapshot, session)
        if user is None or (user.id, user.role, user.client) != (reader.user, reader.role, reader.client):
            raise SignedOutError
        return replace(reader, name=called(user))

    def holder(self, snapshot: Snapshot, session: int) -> User | None:
        """The holder of a session; None where it is over."""
        sign_in = snapshot.find(SignIn, session)
        if sign_in is None or sign_in.state != "open" or not self._lasts(sign_in.created_at.timestamp()):
            return None
        user = snapshot.find(User, sign_in.user)
        return user if self._store.may_enter(snapshot, user) else None

    def _lasts(self, since: float) -> bool:
        """Return whether a session that began then (seconds since 1970) has not run out."""
        return -SET_BACK.total_seconds() <= self._store.now().timestamp() - since < LASTS.total_seconds()

    def of_user(self, user: int) -> list[SignIn]:
        """The open sessions of a user, the newest first."""
        with self._store.read() as snapshot:
            sign_ins = snapshot.find_all(SignIn, Query({"user": user, "state": "open"}, sort="-id"))
        return [session for session in sign_ins if session.created_at + LASTS > self._store.now()]

    def end(self, session: int) -> None:
        """End one session; one that is over stays so."""

        def change(tx: AuthoredTransaction) -> None:
            sign_in = tx.find(SignIn, session)
            if sign_in is not None and sign_in.state == "open":
                user = tx.find(User, sign_in.user)
                if user is not None and not tx.user_id:
                    tx.user, tx.user_id = called(user), user.id
                tx.change(sign_in, state="ended", token="")

        self._store.transact(change, "signed out")

    def end_all(self, user: int, but: int = 0) -> int:
        """End all sessions of a user except one; how many."""
        with self._store.read() as snapshot:
            account = snapshot.get(User, user)
        summary = f"ended the sessions of {called(account)}"
        return self._store.transact(lambda tx: tx.end_sessions(user, but), summary, account)

    def _of(self, snapshot: Snapshot, session: int, user: int) -> SignedIn | None:
        account = snapshot.find(User, user)
        return (
            self._signed_in(snapshot, session, account)
            if account and self._store.may_enter(snapshot, account)
            else None
        )

    def open(self, tx: AuthoredTransaction, user: User, method: str, address: str, device: str) -> SignedIn:
        """A new session, with a token that nobody has seen."""
        self._forget_old(tx, user.id)
        # The token contains its account and start, so that an edited row gives no more rights.
        token = f"{user.id}.{int(self._store.now().timestamp())}.{secrets.token_urlsafe(32)}"
        added = tx.add(sign_in(user.id, "open", method, address, device, self._digest(token)))
        return self._signed_in(tx, added.id, user, token)

    def _forget_old(self, tx: AuthoredTransaction, user: int) -> None:
        """Delete sign-ins of long ago, and note that sessions of this user are over which nobody has ended."""
        row = tables.sign_in.c
        over = (row.user == user) & (row.state == "open") & (row.created_at < self._store.now() - LASTS)
        statement = select(row.id).where(or_(row.created_at < self._store.now() - KEPT, over)).limit(_FORGOTTEN_AT_ONCE)
        for (session,) in tx.select(statement):
            old = tx.get(SignIn, session)
            if old.created_at < self._store.now() - KEPT:
                tx.delete(old)
            else:
                tx.change(old, state="ended", token="")

    def _signed_in(self, snapshot: Snapshot, session: int, user: User, token: str = "") -> SignedIn:
        needs = not user.second_factor and self._store.requires_second_factor(snapshot)
        name = user.name or user.email
        return SignedIn(
            session, user.id, user.email, name, user.role, user.client, user.must_change, needs, token
        )  # fmt: skip

    def _digest(self, token: str) -> str:
        return self._store.secret.mac("sessions", token)


def sign_in(user: int, state: str, method: str, address: str, device: str, token: str = "") -> SignIn:
    """A sign-in as it is stored; what a browser says of itself is made to fit."""
    return SignIn(
        user=user, state=state, method=method, address=_fitting(address, 60), device=_fitting(device, 100), token=token
    )


def _fitting(text: str, longest: int) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())[:longest].strip()


def _read(token: str) -> tuple[int, int]:
    """The session that a token names, and since when (seconds since 1970); (0, 0) for what is no token."""
    user, _, rest = token.partition(".")
    begun, _, _ = rest.partition(".")
    is_number = token.isascii() and user.isdigit() and begun.isdigit() and max(len(user), len(begun)) <= _MOST_DIGITS
    if len(token) > 100 or not is_number:
        return 0, 0
    return int(user), int(begun)

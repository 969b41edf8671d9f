"""Signing in: a password, and a code where there is a second factor; slowed down against guessing."""

from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from crm.accounts import SecondFactorAsked, SignedIn
from crm.accounts import second_factor as factors
from crm.accounts.account_store import AccountStore
from crm.accounts.credentials import Credentials
from crm.accounts.second_factor import SecondFactor
from crm.accounts.sessions import Sessions, sign_in
from crm.accounts.tokens import TOKEN_LASTS
from crm.errors import CRMError, SignInRefusedError, StoreError
from crm.model import User
from crm.repository import AuthoredTransaction, Snapshot, tables

# So many codes may be tried with one token.
TRIES = 5
WRONG_PASSWORD = "The e-mail address or the password is wrong. Try again, or ask for a new password."
WRONG_CODE = "That is not the code. Wait for the next one, or use a recovery code."
TOKEN_OVER = "It took too long, or too many codes were tried. Sign in again."
_BY = {"totp": "password and app", "sms": "password and SMS", "recovery": "password and recovery code"}
# Refused sign-ins are logged a little later; this is the maximum at once, the others are not logged.
_NOTED = 1000


class _Wrong(Exception):
    """Wrong credentials, found out within a transaction."""


@dataclass(frozen=True, slots=True)
class _Refusal:
    user: User
    what: str
    address: str
    device: str


class Authentication:
    """Sign-in: every attempt is counted before it is judged, by account and by address, whether there is such an
    account or not, and takes as long. A device that somebody has signed in with before, from the same address, is
    counted apart, and so is the machine itself (`address` ''): guessing elsewhere does not shut its owner out.
    """

    def __init__(self, store: AccountStore, sessions: Sessions, credentials: Credentials) -> None:
        self._store = store
        self._sessions = sessions
        self._passwords = credentials.passwords
        self._factors = credentials.factors
        self._tokens = credentials.tokens
        self._attempts = credentials.attempts
        self._codes = credentials.codes
        self._refusals: deque[_Refusal] = deque()

    def sign_in(
        self, email: str, password: str, *, address: str = "", device: str = ""
    ) -> SignedIn | SecondFactorAsked:
        """Let somebody in by password, or ask for a code. Raises SignInRefusedError, TooManyAttemptsError,
        StoreAccessError where all accounts were made with another secret, OutwardError where a code is not sent."""
        with self._store.read() as snapshot:
            account = self._store.by_email(snapshot, email)
            may_enter = self._store.may_enter(snapshot, account)
            place = self._place(snapshot, account, address, device)
        attempt = self._attempts.sign_in(email, address, place)
        user = account if may_enter else None
        right = self._passwords.fits(user.password if user else "", password, self._store.now())
        if user is None or not right:
            self._refused(account, "wrong password", address, device)
            raise SignInRefusedError(WRONG_PASSWORD)
        if user.second_factor:
            attempt.take_back()
            return self._ask(user)
        try:
            signed_in = self._enter(user, password, "password", address, device)
        except StoreError:
            # Nobody has guessed.
            attempt.take_back()
            raise
        attempt.succeed()
        return signed_in

    def answer(self, token: str, code: str, *, address: str = "", device: str = "") -> SignedIn:
        """Let somebody in by the code that a token asks for, or by a recovery code. Raises SignInRefusedError and
        TooManyAttemptsError."""
        claims, user = self._asked(token)
        if not self._attempts.spend(f"token {claims['id']}", TRIES, TOKEN_LASTS):
            raise SignInRefusedError(TOKEN_OVER)
        with self._store.read() as snapshot:
            place = self._place(snapshot, user, address, device)
        attempt = self._attempts.sign_in(user.email, address, place)
        try:
            signed_in = self._enter_by_code(user, claims, code, address, device)
        except _Wrong:
            self._refused(user, "wrong code", address, device)
            raise SignInRefusedError(WRONG_CODE) from None
        except StoreError:
            attempt.take_back()
            raise
        attempt.succeed()
        return signed_in

    def send_again(self, token: str) -> None:
        """Send the code of a token once more. Raises SignInRefusedError, TooManyAttemptsError and OutwardError."""
        claims, user = self._asked(token)
        factor = self._factors.read(user.second_factor)
        if factor is not None and factor.method == "sms":
            self._codes.send(user, factor.secret, claims["id"])

    def note_refusals(self) -> None:
        """Write the refused sign-ins of known accounts into the store. They are kept until this is called, so that
        an answer takes as long whether there is such an account or not."""
        while self._refusals:
            with suppress(IndexError):
                self._note(self._refusals.popleft())

    def _note(self, refusal: _Refusal) -> None:
        record = sign_in(refusal.user.id, "refused", refusal.what, refusal.address, refusal.device)
        try:
            self._store.transact(lambda tx: tx.add(record), refusal.what, refusal.user)
        except CRMError:
            # The next time, then.
            self._refusals.appendleft(refusal)
            raise

    # Judging

    def _asked(self, token: str) -> tuple[Mapping[str, Any], User]:
        """The claims of a token and its user. Raises SignInRefusedError where it is over."""
        claims = self._tokens.read("sign-in", token, TOKEN_LASTS)
        if claims is not None:
            with self._store.read() as snapshot:
                user = snapshot.find(User, int(claims["user"]))
                may = user is not None and self._store.may_enter(snapshot, user)
                if user is not None and may and claims["standing"] == self._entered(snapshot, user):
                    return claims, user
        raise SignInRefusedError(TOKEN_OVER)

    def _ask(self, user: User) -> SecondFactorAsked:
        factor = self._factors.read(user.second_factor)
        if factor is None:
            # The signature is valid, so the user cannot repair this.
            raise SignInRefusedError("Your second factor cannot be read. An admin has to reset it.")
        with self._store.read() as snapshot:
            token = self._tokens.issue("sign-in", user=user.id, standing=self._entered(snapshot, user))
        if factor.method == "sms":
            claims = self._tokens.read("sign-in", token, TOKEN_LASTS) or {}
            self._codes.send(user, factor.secret, claims["id"])
        return SecondFactorAsked(token, factor.method, factor.hint)

    def _entered(self, snapshot: Snapshot, user: User) -> str:
        """A fingerprint that changes with each sign-in of the account, so that a token opens one session."""
        row = tables.sign_in.c
        let_in = select(func.max(row.id)).where(row.user == user.id, row.state != "refused")
        return f"{self._store.fingerprint(user)} {snapshot.select(let_in)[0][0] or 0}"

    def _enter(self, user: User, password: str, method: str, address: str, device: str) -> SignedIn:
        def change(tx: AuthoredTransaction) -> SignedIn:
            current = self._store.get(tx, user.id)
            if not current.active or current.password != user.password or current.second_factor:
                raise SignInRefusedError(WRONG_PASSWORD)
            if self._passwords.is_dated(current.password):
                current = self._store.write(tx, current, {"password": self._passwords.hash(password)})
            return self._sessions.open(tx, current, method, address, device)

        return self._store.transact(change, "signed in", user)

    def _enter_by_code(self, user: User, claims: Mapping[str, Any], code: str, address: str, device: str) -> SignedIn:
        by_sms = self._is_sms_code(user, claims, code)

        def change(tx: AuthoredTransaction) -> SignedIn:
            current = self._store.get(tx, user.id)
            factor = self._factors.read(current.second_factor)
            if factor is None or not current.active or self._entered(tx, current) != claims["standing"]:
                raise SignInRefusedError(TOKEN_OVER)
            method, after = self._after(factor, code, by_sms)
            if after is None:
                raise _Wrong
            if after != factor:
                current = self._store.write(tx, current, {"second_factor": self._factors.written(after)})
            return self._sessions.open(tx, current, _BY[method], address, device)

        return self._store.transact(change, "signed in", user)

    def _is_sms_code(self, user: User, claims: Mapping[str, Any], code: str) -> bool:
        factor = self._factors.read(user.second_factor)
        return factor is not None and factor.method == "sms" and self._factors.is_sms_code(claims["id"], code)

    def _after(self, factor: SecondFactor, code: str, by_sms: bool) -> tuple[str, SecondFactor | None]:
        """The part that accepts a code, and the second factor after that; None where none does."""
        if factors.is_recovery(code):
            return "recovery", self._factors.after_recovery(factor, code)
        if factor.method == "sms":
            return "sms", factor if by_sms else None
        return "totp", factors.after_totp(factor, code, self._store.now())

    # Slowing down

    def _place(self, snapshot: Snapshot, user: User | None, address: str, device: str) -> str:
        """The place by which attempts are counted: this machine, or a device that they have signed in with before."""
        if not address:
            return "here"
        row = tables.sign_in.c
        known = select(row.id).where(
            row.user == (user.id if user else 0), row.address == address, row.device == device, row.state != "refused"
        )
        return f"{address} {device}" if snapshot.select(known.limit(1)) and device else ""

    def _refused(self, user: User | None, what: str, address: str, device: str) -> None:
        if user is not None and len(self._refusals) < _NOTED:
            self._refusals.append(_Refusal(user, what, address, device))

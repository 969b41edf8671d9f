"""Managing accounts: who has one, what it may do, and a way back in for those who lost theirs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from unicodedata import normalize

from crm.accounts import passwords
from crm.accounts.account_store import AccountStore, called, is_admin
from crm.accounts.credentials import Credentials
from crm.accounts.team_names import refuse_look_alike_address, refuse_taken
from crm.errors import FieldError, RefusedError
from crm.model import ROLES, Client, User, fields
from crm.model.rights import CLIENT
from crm.repository import AuthoredTransaction, Query, Snapshot

_ADDRESS = "give an address: people sign in with it"
_FIRST = "The first account must be an admin's: nobody else could add others. Choose the role admin (--role admin)."
_MANAGED = frozenset(("email", "name", "phone", "role", "client", "active"))


class Administration:
    """Actions of those who manage accounts; the caller checks whether they may."""

    def __init__(self, store: AccountStore, credentials: Credentials) -> None:
        self._store = store
        self._credentials = credentials

    def second_factors(self) -> Mapping[int, str]:
        """The second factor ('totp', 'sms') of each user who has one, by the user's id."""
        with self._store.read() as snapshot:
            factors = {user.id: self._credentials.factors.read(user.second_factor) for user in snapshot.each(User)}
        return {user: factor.method for user, factor in factors.items() if factor is not None}

    def add(
        self, *, email: str, name: str, role: str, phone: str = "", client: int = 0, password: str | None = None
    ) -> tuple[User, str]:
        """A new account, and the one-time password for its first sign-in ('' where a password is given). Raises
        FieldError and RefusedError: the first account is an admin's."""
        values = {"email": email, "name": name, "role": role, "phone": phone, "client": client}
        with self._store.read() as snapshot:
            fitting = with_name(User(), self.checked(snapshot, values))
        if password is not None:
            passwords.refuse_weak(password, (fitting["email"], name))
        one_time = "" if password is not None else passwords.generated()
        hashed = self.hashed(one_time) if one_time else self._credentials.passwords.hash(password or "")

        def change(tx: AuthoredTransaction) -> User:
            _refuse_unfit(tx, User(**fitting), signs_in=True)
            if role != "admin" and not self._admins(tx):
                raise RefusedError(_FIRST)
            user = User(**fitting, active=True, must_change=bool(one_time), password=hashed)
            # The person who chooses the password is at this machine, and has worked under the name of its user until
            # now.
            return self.create(tx, user, *([tx.user] if password is not None else []))

        return self._store.transact(change, f"added the account of {name or fitting['email']} ({role})"), one_time

    def add_named(self, name: str, *, email: str = "", phone: str = "") -> User:
        """Somebody of the team who is only named and does not sign in, until a one-time password lets them. Raises
        FieldError and RefusedError."""
        with self._store.read() as snapshot:
            values = {"name": name, "email": email, "phone": phone, "role": "staff"}
            fitting = with_name(User(), self.checked(snapshot, values))
        if not fitting["name"]:
            raise FieldError("enter a name or an e-mail address", field="name", label="Name")

        def change(tx: AuthoredTransaction) -> User:
            return self.create(tx, User(**fitting, active=True))

        return self._store.transact(change, f"added {fitting['name']}, who does not sign in")

    def create(self, tx: AuthoredTransaction, user: User, *other_names: str) -> User:
        """A new account; it becomes the owner of records without one under its name, or under one of some others."""
        added = tx.add(user)
        refuse_taken(tx, added)
        refuse_look_alike_address(tx, added)
        if added.role != CLIENT:
            tx.give_records(added.id, *other_names)
        return self._store.write(tx, added, {})

    def edit(self, user: User, **changes: Any) -> User:
        """Change email, name, phone, role, client or active of a user, given as it was shown. Whose role or client
        changes or who is deactivated is signed out; what is theirs bears a new name at once. Raises FieldError,
        ConflictError, and RefusedError for the last admin."""
        with self._store.read() as snapshot:
            checked = self.checked(snapshot, changes)
        return self._store.transact(lambda tx: self._edited(tx, user, checked), _in_words(user, checked))

    def switch(self, users: Sequence[User], *, active: bool) -> None:
        """Let people in again, or no more, in one change; as `edit`."""
        if len(users) == 1:
            summary = _in_words(users[0], {"active": active})
        else:
            summary = f"{'activated' if active else 'deactivated'} {len(users)} accounts"

        def change(tx: AuthoredTransaction) -> None:
            for user in users:
                self._edited(tx, user, {"active": active})

        self._store.transact(change, summary)

    def _edited(self, tx: AuthoredTransaction, user: User, checked: dict[str, Any]) -> User:
        current = self._store.get(tx, user.id)
        fitting = with_name(current, checked)
        if fitting != {"active": False}:
            # A deactivated account need not fit.
            _refuse_unfit(tx, replace(current, **fitting), signs_in=bool(current.password))
        changed = self._renamed(tx, current, self._store.write(tx, current, fitting, user))
        if is_admin(current) and not is_admin(changed) and not self._admins(tx):
            raise RefusedError(
                f"{called(current)} is the last admin. Nobody else could manage accounts."
                " Nothing was changed. Make someone else an admin first."
            )
        if (changed.role, changed.client) != (current.role, current.client) or not changed.active:
            tx.end_sessions(user.id)
        return changed

    def edit_profile(self, user: int, **changes: Any) -> User:
        """Change the user's own name or phone; their records get a new name at once. Raises FieldError."""
        if foreign := changes.keys() - {"name", "phone"}:
            raise RefusedError(
                f"You cannot change {', '.join(sorted(foreign))} of your own account. Nothing was changed."
            )
        with self._store.read() as snapshot:
            account = self._store.get(snapshot, user)
            fitting = with_name(account, self.checked(snapshot, changes))

        def change(tx: AuthoredTransaction) -> User:
            current = self._store.get(tx, user)
            return self._renamed(tx, current, self._store.write(tx, current, fitting))

        return self._store.transact(change, "changed the profile", account)

    def _renamed(self, tx: AuthoredTransaction, before: User, after: User) -> User:
        """The user as it now is. Raises FieldError where somebody else is called so."""
        refuse_taken(tx, after, before)
        if after.email != before.email:
            refuse_look_alike_address(tx, after)
        if called(after) != called(before):
            tx.give_name(after.id)
        return after

    def set_one_time_password(self, user: int) -> str:
        """A password for one sign-in within a week, after which a new one has to be chosen; signs the user out.

        Somebody who was only named signs in from then on. Raises FieldError without an address to do so with, and
        RefusedError before there is an admin.
        """
        one_time = passwords.generated()
        changes = {"password": self.hashed(one_time), "must_change": True}

        def check(tx: AuthoredTransaction, account: User) -> None:
            if not account.email:
                raise FieldError(_ADDRESS, field="email", label="E-mail")
            if not (account.password or self._admins(tx)):
                raise RefusedError(_FIRST)

        self._take_over(user, changes, "gave {} a one-time password", check)
        return one_time

    def reset_second_factor(self, user: int) -> None:
        """Take the second factor of somebody away who has lost it, and sign the user out."""
        self._take_over(user, {"second_factor": ""}, "removed the second factor of {}")

    def vouch(self, user: User, *, role: str, client: int = 0, name: str = "") -> str:
        """Take an account over that was changed outside this program, with the rights and the name that are given
        here; the one-time password that it gets. What let somebody in before is worth nothing: others may have put it
        there. Raises FieldError where the name that it has by now is somebody else's."""
        with self._store.read() as snapshot:
            values = self.checked(snapshot, {"role": role, "client": client, "name": name or user.name})
        one_time = passwords.generated()
        changes = {
            **values, "active": True, "must_change": True,
            "password": self.hashed(one_time), "second_factor": "",
        }  # fmt: skip

        def change(tx: AuthoredTransaction) -> None:
            _refuse_unfit(tx, replace(user, **values), signs_in=True)
            vouched = self._store.write(tx, tx.get(User, user.id), changes, user)
            if not self._admins(tx):
                raise RefusedError(_FIRST)
            refuse_taken(tx, vouched)
            # It may have got another name in the spreadsheet.
            tx.give_name(user.id)
            tx.end_sessions(user.id)

        self._store.transact(change, f"accepted the account of {called(user)} ({role})")
        return one_time

    def _take_over(
        self,
        user: int,
        changes: Mapping[str, Any],
        what: str,
        check: Callable[[AuthoredTransaction, User], None] | None = None,
    ) -> None:
        def change(tx: AuthoredTransaction) -> None:
            current = self._store.get(tx, user)
            if check:
                check(tx, current)
            self._store.write(tx, current, changes)
            tx.end_sessions(user)

        account = self._store.current(user)
        self._store.transact(change, what.format(called(account)))

    def hashed(self, one_time: str) -> str:
        """The stored form of a password for one sign-in."""
        return self._credentials.passwords.hash(one_time, self._store.now() + passwords.ONE_TIME_LASTS)

    def _admins(self, snapshot: Snapshot) -> bool:
        """Return whether there is an admin who can sign in."""
        return any(
            is_admin(user) and self._store.holds(snapshot, user)
            for user in snapshot.find_all(User, Query({"role": "admin"}))
        )

    def checked(self, snapshot: Snapshot, changes: Mapping[str, Any]) -> dict[str, Any]:
        """The changes as they are stored. Raises FieldError for what a field cannot take."""
        by, checked = self._store.conventions(snapshot), dict(changes)
        for name, value in changes.items():
            if name not in _MANAGED:
                raise FieldError("it cannot be changed that way", field=name)
            if isinstance(value, str):
                field = fields(User)[name]
                try:
                    checked[name] = field.check.read(value, by)
                except FieldError as error:
                    raise error.at(name, field.label) from error
        return checked


def with_name(user: User, changes: dict[str, Any]) -> dict[str, Any]:
    """The changes of an account. Raises FieldError for a new name that misleads. One that it has is not judged."""
    name = changes.get("name", "")
    if not name or name == user.name:
        return changes
    from crm.accounts.look_alikes import refuse_misleading

    refuse_misleading(name, changes.get("email", user.email))
    return {**changes, "name": normalize("NFC", name)}


def _refuse_unfit(snapshot: Snapshot, user: User, *, signs_in: bool) -> None:
    """Raise FieldError where a user, who signs in or is only named, cannot be as it is to be."""
    if signs_in and not user.email:
        raise FieldError(_ADDRESS, field="email", label="E-mail")
    if not signs_in and user.role != "staff":
        raise FieldError(
            "a person without sign-in has no role; give a one-time password first", field="role", label="Role"
        )
    if user.role not in ROLES:
        raise FieldError(f"that is not one of the choices; use {', '.join(ROLES)}", field="role", label="Role")
    if (user.role == "client") != bool(user.client):
        raise FieldError("the role client needs one, other roles have none", field="client", label="Client")
    if user.client and snapshot.find(Client, user.client) is None:
        raise FieldError(
            f"client {user.client} no longer exists; say whose account it is now, or deactivate it",
            field="client",
            label="Client",
        )


def _in_words(user: User, changes: Mapping[str, Any]) -> str:
    """The summary of a change to an account, for the history."""
    new = {name: value for name, value in changes.items() if getattr(user, name) != value}
    if "active" in new:
        return f"{'activated' if new['active'] else 'deactivated'} the account of {called(user)}"
    if "role" in new:
        return f"gave {called(user)} the role {new['role']}"
    labels = ", ".join(fields(User)[name].label.lower() for name in new)
    return f"changed the account of {called(user)}: {labels}"

"""Account recovery for the owner of a store: an admin gets access again, whatever became of the accounts."""

from dataclasses import dataclass
from typing import Any

from crm.accounts import passwords
from crm.accounts.account_store import AccountStore, address, called
from crm.accounts.administration import Administration, with_name
from crm.accounts.notifications import Notifications
from crm.accounts.roster import Standing
from crm.accounts.team_names import refuse_taken
from crm.errors import FieldError, RefusedError
from crm.model import MachineKey, User
from crm.repository import AuthoredTransaction, Query, Snapshot

_LETTER = """Hello {},

on the computer that holds this store, someone restored the admin access of {} with `users recover`.{}

If no one on your team did this, someone else has the store and its secret. Tell your team.
"""


@dataclass(frozen=True, slots=True)
class Recovered:
    """An admin who gets access again by a one-time password. Where the accounts did not hold, `deactivated` are those
    that an admin has to activate, and `unsealed` those that an admin has to vouch for."""

    user: User
    password: str
    held: bool
    deactivated: int = 0
    unsealed: int = 0


class Recovery:
    """The way back in, on the machine itself alone, for the holder of the file or the credentials, and of the
    secret."""

    def __init__(self, store: AccountStore, administration: Administration, notifications: Notifications) -> None:
        self._store = store
        self._administration = administration
        self._notifications = notifications

    def before_recovery(self, email: str, name: str = "") -> tuple[Standing, bool]:
        """The standing of the accounts, and whether there is one with this address. Raises what `recover` would."""
        with self._store.read() as snapshot:
            standing, user, _ = self._recoverable(snapshot, email, name)
        return standing, user is not None

    def recover(self, email: str, name: str = "") -> Recovered:
        """Make the account with this address an admin's with a one-time password and no second factor. Where there is
        none it is added, if a `name` for it is given; an account that there is gets that name.

        Where the accounts are not as this program left them, every session ends, every key is revoked, and all others
        are deactivated until an admin activates them; one that is not sealed as it stands waits for an admin to vouch
        for it. Raises FieldError, and RefusedError where the store has no accounts.
        """
        one_time = passwords.generated()
        hashed = self._administration.hashed(one_time)
        admins: list[User] = []

        def change(tx: AuthoredTransaction) -> Recovered:
            standing, account, named = self._recoverable(tx, email, name)
            held = standing in (Standing.HOLDS, Standing.UNROSTERED)
            tx.reseals = True
            admins[:] = [user for user in tx.find_all(User, Query({"role": "admin", "active": True})) if user.password]
            deactivated, unsealed = (0, 0) if held else self._shut_others(tx, account.id if account else 0)
            if account is None:
                account = self._administration.create(
                    tx, User(email=address(email), role="admin", active=True, **named)
                )
            changes = {
                "role": "admin", "client": 0, "active": True, "must_change": True, "password": hashed,
                "second_factor": "", **named,
            }  # fmt: skip
            user = self._store.write(tx, account, changes)
            refuse_taken(tx, user)
            # It may have got another name in the store itself.
            tx.give_name(user.id)
            tx.end_sessions(user.id)
            return Recovered(user, one_time, held, deactivated, unsealed)

        done = self._store.transact(change, f"recovered the account of {address(email)} on the machine itself (admin)")
        for admin in admins:
            if admin.email and admin.id != done.user.id:
                self._tell_of_recovery(admin, done)
        return done

    def _recoverable(self, snapshot: Snapshot, email: str, name: str) -> tuple[Standing, User | None, dict[str, Any]]:
        """The standing of the accounts, the account with this address, and the name that it gets, as it is stored."""
        spelled_address = address(email)
        if not spelled_address:
            raise FieldError("it is not an e-mail address", field="email", label="E-mail")
        standing = self._store.roster.standing(snapshot)
        if standing is Standing.NONE:
            raise RefusedError("This store has no accounts, so nobody has to sign in. `users add` makes the first.")
        user = self._store.by_email(snapshot, spelled_address)
        if user is None and not name.strip():
            raise FieldError(
                f"no account {spelled_address}; nothing was changed. Check the address, or give a name"
                " (--name) to add a new admin account",
                field="email",
                label="E-mail",
            )
        values = {"name": name} if name.strip() else {}
        return (
            standing,
            user,
            with_name(user or User(email=spelled_address), self._administration.checked(snapshot, values)),
        )

    def _shut_others(self, tx: AuthoredTransaction, but: int) -> tuple[int, int]:
        """Deactivate all accounts `but` one, end all sessions and revoke all keys: how many accounts, and how many
        of them are not sealed as they stand."""
        deactivated = unsealed = 0
        for user in tx.find_all(User):
            if user.id == but or not user.password:
                continue
            if not self._store.roster.fits(tx, user):
                # It stays unsealed.
                tx.change(user, active=False)
                unsealed += 1
            elif user.active:
                self._store.write(tx, user, {"active": False})
                deactivated += 1
        tx.end_sessions()
        tx.delete_all(MachineKey, tx.numbers(MachineKey))
        return deactivated, unsealed

    def _tell_of_recovery(self, admin: User, done: Recovered) -> None:
        others = "" if done.held else " All other accounts are deactivated until an admin reactivates them."
        text = _LETTER.format(called(admin), done.user.email, others)
        self._notifications.post(lambda: (admin.email, "Admin access was restored", text))

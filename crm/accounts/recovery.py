"""The way back for whoever keeps the store: an admin who gets in again, whatever has become of the accounts."""

from dataclasses import dataclass

from crm.accounts import passwords
from crm.accounts.book import address, called
from crm.accounts.membership import Membership
from crm.accounts.names import refuse_taken
from crm.accounts.roster import Standing
from crm.errors import FieldError, RefusedError
from crm.model import SignIn, User
from crm.repository import AuthoredTransaction, Query

_LETTER = """Hello {},

on the machine of this store somebody has let {} in again as an admin, with `users recover`.{}

If nobody of your team did that, whoever did has the store and its secret: tell the others.
"""


@dataclass(frozen=True, slots=True)
class Recovered:
    """An admin who gets in again by a one-time password. Where the accounts did not hold, `deactivated` are those that
    an admin has to activate, and `unsealed` those that an admin has to vouch for."""

    user: User
    password: str
    held: bool
    deactivated: int = 0
    unsealed: int = 0


class Recovery(Membership):
    """Done on the machine itself alone, by whoever holds the file or the credentials, and the secret."""

    def standing(self) -> Standing:
        """How the accounts stand."""
        with self._repository.read() as snapshot:
            return self._roster.standing(snapshot)

    def recover(self, email: str, name: str = "") -> Recovered:
        """Makes an account, known by its address or new, an admin's with a one-time password and no second factor.

        Where the accounts are not as this program left them, every session ends and all others are deactivated until
        an admin activates them; one that is not sealed as it stands waits for an admin to vouch for it. Raises
        FieldError, and RefusedError where the store has no accounts.
        """
        wanted = address(email)
        if not wanted:
            raise FieldError("it is no e-mail address", field="email", label="E-mail")
        one_time = passwords.generated()
        hashed = self._hashed(one_time)
        told: list[User] = []

        def change(tx: AuthoredTransaction) -> Recovered:
            standing = self._roster.standing(tx)
            if standing is Standing.NONE:
                raise RefusedError("This store has no accounts, so nobody has to sign in. `users add` makes the first.")
            held = standing in (Standing.HOLDS, Standing.UNROSTERED)
            tx.seals_anew = True
            told[:] = [each for each in tx.find_all(User, Query({"role": "admin", "active": True})) if each.password]
            deactivated, unsealed = (0, 0) if held else self._shut_others(tx, wanted)
            found = self._by_email(tx, wanted)
            if found is None:
                new = User(email=wanted, name=name or wanted.partition("@")[0], role="admin", active=True)
                found = tx.add(new)
                refuse_taken(tx, found)
            changes = {
                "role": "admin", "client": 0, "active": True, "must_change": True, "password": hashed,
                "second_factor": "", "name": name or found.name,
            }  # fmt: skip
            user = self._write(tx, found, changes)
            self._end(tx, user.id)
            return Recovered(user, one_time, held, deactivated, unsealed)

        done = self._transact(change, f"recovered the account of {wanted} on the machine itself (admin)")
        for each in told:
            if each.email and each.id != done.user.id:
                self._tell_of_recovery(each, done)
        return done

    def _shut_others(self, tx: AuthoredTransaction, email: str) -> tuple[int, int]:
        """Deactivates all accounts but one and ends all sessions: how many, and how many are not sealed as they
        stand."""
        deactivated = unsealed = 0
        for each in tx.find_all(User):
            if each.email == email or not each.password:
                continue
            if not self._roster.fits(tx, each):
                # It stays unsealed.
                tx.change(each, active=False)
                unsealed += 1
            elif each.active:
                self._write(tx, each, {"active": False})
                deactivated += 1
        for session in tx.find_all(SignIn, Query({"state": "open"})):
            tx.change(session, state="ended", token="")
        return deactivated, unsealed

    def _tell_of_recovery(self, admin: User, done: Recovered) -> None:
        others = "" if done.held else " All other accounts are shut until an admin lets them in again."
        text = _LETTER.format(called(admin), done.user.email, others)
        self._letters.post(lambda: (admin.email, "An admin was let in again", text))

"""The accounts as one reader may use them: their own, and those of others where the table of rights allows it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from crm.accounts import TotpOffer
from crm.errors import FieldError, ForbiddenError, RefusedError
from crm.model import MachineKey, SignIn, User
from crm.model.rights import ALL, CREATE, DELETE, OWNER, READ, UPDATE, Reader, level, refusal
from crm.repository import Finding

if TYPE_CHECKING:
    from crm.accounts.accounts import Accounts
    from crm.repository.guarded.verified import VerifiedRepository

_OWN_PASSWORD = "New password: My account, or `profile password`."


class AccountService:
    """The accounts as commands see them. `session` is the one that the reader works in, 0 for none; `open` gives the
    accounts without any guard, for sign-in.

    Everything goes through `repository`, which looks the reader up in the transaction that reads or writes and raises
    SignedOutError; without one it is the owner's. What concerns others raises ForbiddenError unless the reader's role,
    which is still theirs in that transaction, manages accounts.
    """

    def __init__(
        self,
        open: "Callable[[], Accounts]",
        reader: Reader,
        session: int = 0,
        repository: "VerifiedRepository | None" = None,
    ) -> None:
        self.open = open
        self.session = session
        self._came_as = reader
        self._repository = repository

    @property
    def reader(self) -> Reader:
        """The reader, by the present name of the account."""
        return self._came_as if self._repository is None else self._repository.reader

    def _accounts(self) -> "Accounts":
        """The accounts, as far as the reader is signed in."""
        return self.open() if self._repository is None else self.open().over(self._repository)

    # Those of others

    def add(
        self, *, email: str, name: str, role: str, phone: str = "", client: int = 0, password: str | None = None
    ) -> tuple[User, str]:
        """A new account, and the one-time password for its first sign-in; '' where a `password` is chosen. Raises
        RefusedError where one is chosen for somebody else: only the first account may choose its own."""
        self._manages(CREATE)
        if password is not None and self.reader != OWNER:
            raise RefusedError("Only the first account is made with a password. Others get a one-time password.")
        return self._accounts().administration.add(
            email=email, name=name, role=role, phone=phone, client=client, password=password
        )

    def add_named(self, name: str, *, email: str = "", phone: str = "") -> User:
        """A person of the team without a sign-in."""
        self._manages(CREATE)
        return self._accounts().administration.add_named(name, email=email, phone=phone)

    def signing_in(self) -> frozenset[int]:
        """The ids of the accounts that may sign in; the others are only names."""
        self._manages(READ)
        return self._accounts().store.signing_in()

    def team_addresses(self) -> frozenset[str]:
        """The addresses of the team, by which its own mail is distinguished from clients'; they are shown to nobody."""
        if level(self.reader.role, User.kind_name, READ) is not ALL:
            raise ForbiddenError(refusal(User.kind_name, READ))
        return self._accounts().store.team_addresses()

    def edit(self, user: User, *, password: str | None = None, **changes: Any) -> User:
        """Change an account; whose role changes or who is deactivated is signed out. The user's own e-mail address and
        phone number need the password. Raises RefusedError for the last admin; else as `edit_profile`."""
        self._manages(UPDATE)
        if user.id == self.reader.user:
            self._prove(password, changes)
        return self._accounts().administration.edit(user, **changes)

    def switch(self, users: Sequence[User], *, active: bool) -> None:
        """Activate or deactivate accounts in one change; as `edit`."""
        self._manages(UPDATE)
        self._accounts().administration.switch(users, active=active)

    def new_one_time_password(self, user: int) -> str:
        """A password for one sign-in, after which a new one has to be chosen; signs the user out."""
        self._manages(UPDATE)
        self._refuse_own(user, _OWN_PASSWORD)
        return self._accounts().administration.set_one_time_password(user)

    def reset_second_factor(self, user: int) -> None:
        """Reset a lost second factor, and sign the user out."""
        self._manages(UPDATE)
        self._refuse_own(user, "Change it in the menu, under My account.")
        self._accounts().administration.reset_second_factor(user)

    def sign_out(self, user: int) -> int:
        """End the sessions of somebody, except the one that this is asked in; how many there were."""
        if user != self.reader.user:
            self._manages(UPDATE)
        return self._accounts().sessions.end_all(user, self.session)

    def sessions(self, user: int) -> list[SignIn]:
        """The open sessions of somebody."""
        if user != self.reader.user:
            self._manages(UPDATE)
        return self._accounts().sessions.of_user(user)

    def second_factors(self) -> Mapping[int, str]:
        """The kind of second factor by the id of each user who has one: 'totp' or 'sms'."""
        self._manages(UPDATE)
        return self._accounts().administration.second_factors()

    def findings(self) -> Sequence[Finding]:
        """The findings of `check` about accounts that were changed outside of this program; none for those who do not
        manage them."""
        if level(self.reader.role, User.kind_name, UPDATE) is not ALL:
            return ()
        return list(self._accounts().store.seal_findings())

    def vouch(self, user: User, *, role: str, client: int = 0, name: str = "") -> str:
        """Take over an account that was changed outside of this program, with the rights and the name given; the
        one-time password that it gets."""
        self._manages(UPDATE)
        self._refuse_own(user.id, _OWN_PASSWORD)
        return self._accounts().administration.vouch(user, role=role, client=client, name=name)

    # Keys for unattended commands

    def add_key(self, name: str, may: str, expires_on: date | None = None) -> tuple[MachineKey, str]:
        """A new key, and its secret, which is not stored."""
        self._manages(CREATE)
        return self._accounts().machine_keys.add(name, may, expires_on)

    def stopped_keys(self) -> frozenset[int]:
        """The ids of the keys that do not work because their maker is no active admin."""
        self._manages(READ)
        return self._accounts().machine_keys.stopped()

    def revoke_key(self, key: MachineKey) -> None:
        """Take a key away, at once for whatever runs by it."""
        self._manages(DELETE)
        self._accounts().machine_keys.revoke(key)

    def _refuse_own(self, user: int, how: str) -> None:
        """Raise RefusedError: a change of the user's own credentials needs the password."""
        if user == self.reader.user:
            raise RefusedError(f"That is your own account, so your password is needed. {how}")

    def _manages(self, operation: str) -> None:
        if level(self.reader.role, User.kind_name, operation) is not ALL:
            raise ForbiddenError(refusal(User.kind_name, operation))

    # One's own

    @property
    def me(self) -> int:
        """The id of the signed-in user. Raises RefusedError where there is none."""
        if not self.reader.user:
            raise RefusedError("Nobody is signed in: this store has no accounts yet.")
        return self.reader.user

    def end(self, session: int) -> None:
        """End one of the user's own sessions, or as an admin any session."""
        if session not in {session.id for session in self._accounts().sessions.of_user(self.me)}:
            self._manages(UPDATE)
        self._accounts().sessions.end(session)

    def edit_profile(self, *, password: str | None = None, **changes: Any) -> User:
        """Change the user's own name, or with the password the phone number. Raises FieldError where the password is
        missing, SignInRefusedError and TooManyAttemptsError where it is wrong."""
        self._prove(password, changes)
        return self._accounts().administration.edit_profile(self.me, **changes)

    def _prove(self, password: str | None, changes: Mapping[str, Any]) -> None:
        """Check one's password where the address or number changes that links and codes are sent to. Raises
        FieldError, SignInRefusedError and TooManyAttemptsError."""
        if "email" not in changes and "phone" not in changes:
            return
        if password is None:
            raise FieldError("it is needed to change your own address or number", field="password", label="Password")
        self.check_password(password)

    def change_password(self, current: str, new: str) -> None:
        """A new password; all other sessions end. Raises SignInRefusedError, TooManyAttemptsError and FieldError."""
        self._accounts().self_service.change_password(self.me, current, new, but=self.session)

    def check_password(self, password: str) -> None:
        """Raise SignInRefusedError unless this is the user's own password, and TooManyAttemptsError."""
        self._accounts().self_service.check_password(self.me, password)

    def check_new_password(self, new: str, *words: str) -> None:
        """Raise FieldError for one that is too short, weak or common, or made of one's name or of `words`."""
        from crm.accounts.passwords import refuse_weak

        refuse_weak(new, [self.reader.name, *words])

    @property
    def can_text(self) -> bool:
        """Return whether codes can be sent by SMS."""
        return self._accounts().self_service.can_text

    def second_factor(self) -> str:
        """The user's own second factor: 'totp', 'sms' or ''."""
        return self._accounts().administration.second_factors().get(self.me, "")

    def begin_totp(self) -> TotpOffer:
        """A secret for an app that makes codes; nothing is kept before a code has proved it."""
        return self._accounts().self_service.begin_totp(self.me)

    def confirm_totp(self, offer: TotpOffer, code: str, *, password: str = "") -> list[str]:
        """Switch codes by an app on; the recovery codes, which are shown once. In the place of another second factor
        it takes the password."""
        return self._accounts().self_service.confirm_totp(self.me, offer.secret, code, password=password)

    def begin_sms(self) -> str:
        """Send a code to the user's own phone; the token for `confirm_sms`."""
        return self._accounts().self_service.begin_sms(self.me)

    def confirm_sms(self, token: str, code: str, *, password: str = "") -> list[str]:
        """Switch codes by SMS on; as `confirm_totp`."""
        return self._accounts().self_service.confirm_sms(self.me, token, code, password=password)

    def switch_off_second_factor(self, password: str) -> None:
        """Raise RefusedError where the team requires one."""
        self._accounts().self_service.switch_off_second_factor(self.me, password)

"""Self-service for the user's own account: a new password, a forgotten one, a second factor."""

from collections.abc import Callable

from crm.accounts import TotpOffer, passwords
from crm.accounts import second_factor as factors
from crm.accounts.account_store import AccountStore, called
from crm.accounts.credentials import Credentials
from crm.accounts.notifications import Letter, Notifications
from crm.accounts.second_factor import SecondFactor
from crm.accounts.sessions import Sessions
from crm.accounts.sign_in import TRIES
from crm.accounts.tokens import TOKEN_LASTS
from crm.errors import FieldError, OutwardError, RefusedError, SignedOutError, SignInRefusedError, TooManyAttemptsError
from crm.model import User
from crm.repository import AuthoredTransaction, Snapshot

LINK_LASTS = 1800
# So many links in an hour go to one account.
LINKS_AN_HOUR = 3
LINK_OVER = (
    "This link does not work any more: it was used, is older than 30 minutes, or the account was changed since. Ask for"
    " a new one."
)
_WRONG = "That is not your password. Nothing was changed."


class SelfService:
    """Self-service for the user's own account: each change needs the password; a forgotten one is reset by a link."""

    def __init__(
        self, store: AccountStore, sessions: Sessions, credentials: Credentials, notifications: Notifications
    ) -> None:
        self._store = store
        self._sessions = sessions
        self._passwords = credentials.passwords
        self._factors = credentials.factors
        self._tokens = credentials.tokens
        self._attempts = credentials.attempts
        self._codes = credentials.codes
        self._notifications = notifications

    @property
    def can_mail(self) -> bool:
        """Return whether a forgotten password can be reset by mail."""
        return self._notifications.can_be_sent

    @property
    def can_text(self) -> bool:
        """Return whether codes can be sent by SMS."""
        return self._codes.can_be_sent

    def check_password(self, user: int, password: str) -> None:
        """Raise SignInRefusedError unless this is the user's password, and TooManyAttemptsError."""
        self._proved(user, password)

    def change_password(self, user: int, current: str, new: str, *, but: int = 0) -> None:
        """A new password in the place of the `current` one; ends all sessions except `but`, the one in which it is
        asked for. Raises SignedOutError where that is over, FieldError, SignInRefusedError and TooManyAttemptsError."""
        account = self._proved(user, current)
        if new == current:
            raise FieldError("choose a password that is not the current one", field="new", label="New password")
        self._set_password(account, new, "changed the password", but)

    def ask_reset(self, email: str, *, link: Callable[[str], str], address: str = "") -> None:
        """Mail a link for a new password, `link(token)`, if there is such an account; nothing tells whether. Raises
        TooManyAttemptsError, and OutwardError where no mail can be sent at all."""
        if not self.can_mail:
            raise OutwardError("No e-mail can be sent from here: ask an admin for a new password.", reason="not_set_up")
        self._attempts.link(email, address)

        def write() -> Letter:
            with self._store.read() as snapshot:
                user = self._store.by_email(snapshot, email)
                if user is None or not self._store.may_enter(snapshot, user):
                    return None
            if not self._attempts.spend(f"links to {user.id}", LINKS_AN_HOUR, 3600):
                return None
            token = self._tokens.issue("new password", user=user.id, standing=self._store.fingerprint(user))
            return (
                user.email,
                "A new password",
                f"Hello {called(user)},\n\nyou can choose a new password here within 30 minutes:\n\n{link(token)}\n\n"
                "If you did not ask for this, you do not need to do anything: your password stays the same.\n",
            )

        self._notifications.post(write)

    def reset_password(self, token: str, new: str) -> None:
        """A new password by the link that was mailed; ends all sessions. A second factor stays on. Raises
        SignInRefusedError where the link is over, FieldError for a weak password, after which it still works."""
        claims = self._tokens.read("new password", token, LINK_LASTS)
        with self._store.read() as snapshot:
            user = self._by_id(snapshot, claims["user"]) if claims else None
        if claims is None or user is None or claims["standing"] != self._store.fingerprint(user):
            raise SignInRefusedError(LINK_OVER)
        self._set_password(user, new, "set a new password by mail")

    def _set_password(self, user: User, new: str, what: str, but: int = 0) -> None:
        passwords.refuse_weak(new, (user.email, user.name))
        hashed = self._passwords.hash(new)

        def change(tx: AuthoredTransaction) -> None:
            if but and self._sessions.holder(tx, but) is None:
                raise SignedOutError
            current = self._store.get(tx, user.id)
            if self._store.fingerprint(current) != self._store.fingerprint(user) or not current.active:
                raise SignInRefusedError("The account was just changed elsewhere. Nothing was saved. Try again.")
            self._store.write(tx, current, {"password": hashed, "must_change": False})
            tx.end_sessions(user.id, but)

        self._store.transact(change, what, user)
        self._tell(user, "Your password was changed.")

    # The second factor

    def begin_totp(self, user: int) -> TotpOffer:
        """A key for an app that makes codes; nothing is kept before `confirm_totp`."""
        with self._store.read() as snapshot:
            account = self._store.get(snapshot, user)
            issuer = self._store.setting(snapshot, "company_name") or "CRM"
        return factors.offer(account.email, issuer)

    def confirm_totp(self, user: int, secret: str, code: str, *, password: str = "") -> list[str]:
        """Switch codes by an app on, once one of them has proved it; the recovery codes, which are shown once.
        Another second factor is replaced only with the password. Raises SignInRefusedError."""
        proved = factors.after_totp(SecondFactor("totp", secret), code, self._store.now())
        if proved is None:
            # There are no recovery codes yet.
            raise SignInRefusedError("That is not the code. Wait for the next one.")
        return self._switch_on(user, proved, password)

    def begin_sms(self, user: int) -> str:
        """Send a code to the user's telephone; the token for `confirm_sms`. Raises FieldError where no number is
        known, TooManyAttemptsError and OutwardError."""
        account = self._store.current(user)
        if not account.phone:
            raise FieldError("add your phone number first", field="phone", label="Phone")
        token = self._tokens.issue(
            "telephone", user=user, phone=account.phone, standing=self._store.fingerprint(account)
        )
        claims = self._tokens.read("telephone", token, TOKEN_LASTS) or {}
        self._codes.send(account, account.phone, claims["id"])
        return token

    def confirm_sms(self, user: int, token: str, code: str, *, password: str = "") -> list[str]:
        """Switch codes by SMS on, once one has arrived; as `confirm_totp`."""
        claims = self._tokens.read("telephone", token, TOKEN_LASTS)
        account = self._store.current(user)
        if claims is None or claims["standing"] != self._store.fingerprint(account):
            raise SignInRefusedError("It took too long, or your account was changed since. Ask for a new code.")
        if not self._attempts.spend(f"token {claims['id']}", TRIES, TOKEN_LASTS):
            raise TooManyAttemptsError(TOKEN_LASTS)
        if not self._factors.is_sms_code(claims["id"], code):
            raise SignInRefusedError("That is not the code that was sent.")
        return self._switch_on(user, SecondFactor("sms", claims["phone"]), password)

    def _switch_on(self, user: int, factor: SecondFactor, password: str) -> list[str]:
        account = self._store.current(user)
        if account.second_factor:
            self._proved(user, password)
        codes, kept = self._factors.recovery_codes()
        written = self._factors.written(SecondFactor(factor.method, factor.secret, factor.last_step, kept))

        def change(tx: AuthoredTransaction) -> None:
            current = self._store.get(tx, user)
            if current.second_factor != account.second_factor:
                raise RefusedError("The second factor was just changed elsewhere. Nothing was saved. Try again.")
            self._store.write(tx, current, {"second_factor": written})

        self._store.transact(change, "turned on a second factor", account)
        self._tell(account, "A second factor was turned on.")
        return codes

    def switch_off_second_factor(self, user: int, password: str) -> None:
        """Switch the second factor off. Raises RefusedError where the team requires one, SignInRefusedError and
        TooManyAttemptsError."""
        account = self._proved(user, password)

        def change(tx: AuthoredTransaction) -> None:
            if self._store.requires_second_factor(tx):
                raise RefusedError("Your team requires a second factor, so it stays on. You can set up another one.")
            self._store.write(tx, self._store.get(tx, user), {"second_factor": ""})

        self._store.transact(change, "turned off the second factor", account)
        self._tell(account, "The second factor was turned off.")

    # Proving

    def _proved(self, user: int, password: str) -> User:
        """The user, after the password was given again. Raises SignInRefusedError and TooManyAttemptsError."""
        account = self._store.current(user)
        attempt = self._attempts.sign_in(account.email, "", "again")
        if not self._passwords.fits(account.password, password, self._store.now()):
            raise SignInRefusedError(_WRONG)
        attempt.succeed()
        return account

    def _by_id(self, snapshot: Snapshot, user: int) -> User | None:
        account = snapshot.find(User, user)
        return account if account is not None and self._store.may_enter(snapshot, account) else None

    def _tell(self, user: User, event: str) -> None:
        """Let the owner of an account know, so that nobody else can do it unnoticed."""
        text = f"Hello {called(user)},\n\n{event} If that was not you, tell an admin of your team at once.\n"
        self._notifications.post(lambda: (user.email, event.rstrip("."), text))

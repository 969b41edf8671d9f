"""Errors of Gmail: what each means for the mail, or for the admin who sets something up."""

from typing import TYPE_CHECKING, Protocol

from crm.errors import OutwardError
from crm.outward.mail import Fate, Outcome, outcomes
from crm.outward.outgoing import Mail, Party
from crm.outward.sanitizing import line

if TYPE_CHECKING:
    import requests

SCOPE = "https://www.googleapis.com/auth/gmail.send"
_DELEGATION = "https://admin.google.com/ac/owl/domainwidedelegation"
_SWITCH_ON = "https://console.cloud.google.com/apis/library/gmail.googleapis.com"
_TOO_OFTEN = frozenset(
    ("rateLimitExceeded", "userRateLimitExceeded", "dailyLimitExceeded", "quotaExceeded", "RESOURCE_EXHAUSTED")
)
_SWITCHED_OFF = frozenset(("accessNotConfigured", "SERVICE_DISABLED"))


class ServiceAccount(Protocol):
    """An account at Google for programs, and the key that signs for it."""

    @property
    def address(self) -> str: ...
    @property
    def project(self) -> str: ...
    @property
    def token_uri(self) -> str: ...
    @property
    def key_id(self) -> str: ...
    @property
    def private_key(self) -> str: ...


def answered(mail: Mail, reply: "requests.Response", account: ServiceAccount) -> tuple[Outcome, ...]:
    """The outcome that an answer gives for a mail. Raises OutwardError where it would be the same for the next one."""
    status = reply.status_code
    if 200 <= status < 300:
        return outcomes(mail, Fate.SENT)
    reasons, message = _reasons_and_message(reply)
    words = f"{status} {message}" if message else str(status)
    if status == 429 or reasons & _TOO_OFTEN:
        raise OutwardError(f"No e-mail was sent: Google accepts no more for now ({words}).", reason="busy")
    if reasons & _SWITCHED_OFF:
        raise refused(
            "has the Gmail API switched off for the project of the service account; switch it on at"
            f" {_SWITCH_ON}?project={account.project}"
        )
    if status in (502, 504):
        # The machine in front has not heard from the one that sends.
        return outcomes(mail, Fate.UNKNOWN, words)
    if status >= 500:
        return outcomes(mail, Fate.LATER, words)
    if status == 403 or "failedPrecondition" in reasons:
        raise refused(f"does not let {mail.sender.address} send ({words})")
    return outcomes(mail, Fate.REFUSED, words)


def unpermitted(error: Exception, account: ServiceAccount, sender: Party) -> OutwardError:
    """The error for google-auth getting no permission to send as somebody."""
    from google.auth.exceptions import TransportError

    if isinstance(error, TransportError):
        return unreached()
    answer = next((arg for arg in error.args if isinstance(arg, dict)), {})
    words = line(str(answer.get("error_description") or answer.get("error") or "no reason was given"), 300)
    if getattr(error, "retryable", False):
        return OutwardError(f"No e-mail was sent: Google gives no permission just now ({words}).", reason="busy")
    if answer.get("error") in ("unauthorized_client", "access_denied"):
        return refused(
            f"does not let {account.address} send as {sender.address}. An admin of the domain opens {_DELEGATION},"
            " chooses Add new, and enters the client_id of the service account (it is in its key) as Client ID and"
            f" {SCOPE} as OAuth scope; it may take some hours to take effect"
        )
    return refused(f"does not let {account.address} send as {sender.address} ({words})")


def refused(why: str) -> OutwardError:
    """The error where somebody has to set something up."""
    return OutwardError(f"No e-mail was sent: Google {why}.", reason="refused")


def unreached() -> OutwardError:
    """The error where nothing has come to Google."""
    return OutwardError("No e-mail was sent: Google cannot be reached.", reason="offline")


def _reasons_and_message(reply: "requests.Response") -> tuple[frozenset[str], str]:
    """The reasons that Google gives, as programs read them, and its sentence in one line."""
    try:
        error = reply.json()["error"]
        details = [*error.get("errors", ()), *error.get("details", ()), {"reason": error.get("status")}]
        reasons = frozenset(str(detail.get("reason")) for detail in details)
        return reasons, line(str(error.get("message") or ""), 300)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return frozenset(), ""

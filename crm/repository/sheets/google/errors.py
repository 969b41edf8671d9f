"""Errors of Google, translated into sentences that say what to do."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from crm.errors import StoreAccessError
from crm.repository.sheets.google.credentials import Account

_APIS = {"sheets.googleapis.com": "Google Sheets API", "drive.googleapis.com": "Google Drive API"}
_CONSOLE = re.compile(r"https://console\.(?:developers|cloud)\.google\.com/[^\s\"'<>]+")
_OUT_OF_QUOTA = {"RATE_LIMIT_EXCEEDED", "rateLimitExceeded", "userRateLimitExceeded", "RESOURCE_EXHAUSTED"}
_DISABLED = {"SERVICE_DISABLED", "accessNotConfigured"}
# The part of a request that a refusal is about: Invalid requests[13].updateCells: …
_PART = re.compile(r"^Invalid (?:requests?\[\d+\](?:\.\w+)*|JSON payload received|value at '[^']*')[:.]?\s*")
_KNOWN = (
    (re.compile(r"protected cell|protected range|protected", re.IGNORECASE), "it is protected in the spreadsheet"),
    (re.compile(r"limit of \d+ cells|above the limit", re.IGNORECASE), "the spreadsheet is full"),
)
# How much of a message of Google's is shown at most.
_LONGEST = 400


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that is not a good one: `reasons` are Google's words for programs, `message` is for people."""

    status: int
    message: str
    reasons: frozenset[str]
    body: Mapping[str, Any] = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)

    @classmethod
    def of(cls, status: int, content: bytes, headers: Mapping[str, str]) -> "Refusal":
        """An answer as it came; its body may be HTML or nothing."""
        try:
            body = json.loads(content)
        except (ValueError, RecursionError):
            body = {}
        body = body if isinstance(body, dict) else {}
        error = body.get("error")
        message = error.get("message") if isinstance(error, dict) else body.get("error_description")
        reasons = {error} if isinstance(error, str) else set(_reasons(error))
        text = " ".join(message.split()) if isinstance(message, str) else ""
        if len(text) > _LONGEST:
            text = f"{text[:_LONGEST]}…"
        return cls(status, text, frozenset(reasons), body, headers)

    @property
    def out_of_quota(self) -> bool:
        """Return whether there were too many requests; Drive says so with a 403."""
        return self.status == 429 or (self.status == 403 and bool(self.reasons & _OUT_OF_QUOTA))

    @property
    def after(self) -> float:
        """The seconds after which to retry, where that is said; 0 where not."""
        written = self.headers.get("retry-after", "")
        return min(float(written), 300.0) if written.isdecimal() and written.isascii() else 0.0


def _reasons(error: object) -> Iterator[str]:
    if not isinstance(error, dict):
        return
    for listed in ("errors", "details"):
        for detail in error.get(listed) or () if isinstance(error.get(listed), list) else ():
            if isinstance(detail, dict) and isinstance(detail.get("reason"), str):
                yield detail["reason"]
    if isinstance(error.get("status"), str):
        yield error["status"]


def _console_address(refusal: Refusal, service: str, account: Account) -> str:
    """The address at which an API is enabled: as the answer says, in the words for programs or those for people."""
    for text in _texts(refusal.body):
        if match := _CONSOLE.match(text):
            return match.group()
    if match := _CONSOLE.search(refusal.message):
        return match.group().rstrip(".,")
    project = f"?project={account.project}" if re.fullmatch(r"[\w:.-]+", account.project) else ""
    return f"https://console.developers.google.com/apis/api/{service}/overview{project}"


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def api_disabled(refusal: Refusal, service: str, account: Account) -> StoreAccessError | None:
    """The API must be enabled first, where that is what the refusal says. `service` was asked."""
    if not refusal.reasons & _DISABLED:
        return None
    named = next((text for text in _texts(refusal.body) if text in _APIS), service)
    return StoreAccessError(
        f"The {_APIS.get(named, named)} is not enabled for the project of {account.address}.",
        f"Enable it at {_console_address(refusal, named, account)} , wait a minute, and try again.",
        reason="api_disabled",
    )


def not_shared(account: Account) -> StoreAccessError:
    """The spreadsheet is there, and is not shared with us."""
    return StoreAccessError(
        "The spreadsheet is not shared with this program.",
        f"Open it in the browser, choose Share, add {account.address} as an Editor, and try again.",
        reason="not_shared",
    )


def viewer(account: Account) -> StoreAccessError:
    """The spreadsheet is shared with us for reading only."""
    return StoreAccessError(
        "This program may read the spreadsheet, but not change it.",
        f"Open it in the browser, choose Share, make {account.address} an Editor, and try again.",
        reason="viewer",
    )


def no_spreadsheet(spreadsheet: str) -> StoreAccessError:
    """The error where there is no such spreadsheet."""
    return StoreAccessError(
        f"No spreadsheet has the id {spreadsheet}, or it was deleted.",
        "Open it in the browser, copy its address, and name the store by it.",
        reason="no_spreadsheet",
    )


def no_google_sheet(spreadsheet: str) -> StoreAccessError:
    """The error for an id that is of an Excel file kept on Drive."""
    return StoreAccessError(
        f"{spreadsheet} is an Excel file on Google Drive, not a Google spreadsheet.",
        "Open it in the browser, choose File, Save as Google Sheets, and use the address of the new one.",
        reason="no_spreadsheet",
    )


def login_refused(account: Account, message: str = "") -> StoreAccessError:
    """The account is gone, or its key."""
    reason = f" ({message})" if message else ""
    return StoreAccessError(
        f"Google does not accept the login of {account.address}{reason}: the account was deleted or disabled, or"
        " the key was revoked.",
        "Download a new key for the service account at"
        " https://console.cloud.google.com/iam-admin/serviceaccounts and put it in the place of the old one.",
        reason="login_refused",
    )


def in_words(message: str) -> str:
    """The reason why Google does not take a request, for people: a clause without the number of a part of the request,
    which nobody has seen."""
    text = _PART.sub("", message).strip().rstrip(".")
    for tells, words in _KNOWN:
        if tells.search(text):
            return words
    return f"Google says “{text}”" if text else "Google does not say why"


def refused(refusal: Refusal, account: Account) -> StoreAccessError:
    """The error that there is no better sentence for than Google's own."""
    reason = refusal.message.rstrip(".") or f"status {refusal.status}"
    return StoreAccessError(f"Google did not let {account.address} do that: {reason}.", reason="refused")


def token_refused(refusal: Refusal, account: Account, day: float) -> StoreAccessError:
    """The error where no token was given. `day` is the time that our clock shows."""
    if re.search(r"\biat\b|\bexp\b|timeframe", refusal.message):
        return StoreAccessError(
            f"The clock of this machine is wrong{_difference(refusal, day)}, so Google refuses access.",
            "Set the time and the time zone (best: automatically) and try again.",
            reason="clock",
        )
    return login_refused(account, refusal.message.rstrip("."))


def _difference(refusal: Refusal, day: float) -> str:
    from email.utils import parsedate_to_datetime

    try:
        differs = day - parsedate_to_datetime(refusal.headers.get("date", "")).timestamp()
    except (ValueError, TypeError, OverflowError):
        return ""
    if abs(differs) < 30:
        return ""
    seconds = round(abs(differs))
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1)):
        # In hours up to two days, and so on: 90 minutes say more than one hour.
        if seconds >= 2 * size or size == 1:
            return f" by {seconds // size} {unit}s: it is {'ahead' if differs > 0 else 'behind'}"
    return ""

"""Text messages: a texter sends one to one telephone, through Twilio."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlencode

from crm.errors import OutwardError, UsageError

if TYPE_CHECKING:
    from requests import Response

TWILIO = "https://api.twilio.com"
# To connect, and to be answered (seconds).
TIME_OUT = (5.0, 15.0)
_SID = re.compile(r"AC[0-9a-f]{32}")
_LETTERS = re.compile(r"[^\W\d_]+")
# https://help.twilio.com/articles/223134027, and what people write in other languages.
_STOP = frozenset((
    "STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT", "STOPP", "ABMELDEN", "ARRET",
    "ARRÊT", "BAJA", "ALTO", "PARAR", "AFMELDEN",
))  # fmt: skip
# A sentence that begins so is one.
_FEW = 3
_MOST_PAGES = 20
# Twilio's error for a number that answered STOP.
STOPPED = 21610
_NUMBER = re.compile(r"\+[1-9]\d{6,14}")
# What Twilio says of a number that gets no texts: no number, no mobile one, a country that is switched off, somebody
# who has said STOP. https://www.twilio.com/docs/api/errors
_UNREACHABLE = frozenset((21211, 21214, 21217, 21407, 21408, 21421, 21606, 21610, 21612, 21614, 21635))


# What Twilio says of the account or of its sender: the next text would meet the same.
# Everything else is about the one text, and keeps no other.
_OF_THE_ACCOUNT = frozenset((
    10001, 20003, 20005, 20403, 20404, 20429, 21603, 21611, 21620, 21659, 21660, 21661, 21703, 21704, 21705, 30001,
    30002, 30034, 63038, 90010,
))  # fmt: skip


class Texter(Protocol):
    """A sender of text messages."""

    def send(self, to: str, text: str) -> None:
        """Send a text to a phone number (E.164). Raises OutwardError where it is not sure that it was sent."""

    @property
    def can_be_answered(self) -> bool:
        """Return whether the recipient can reply: not where the sender is a name."""

    def answers(self, since: date) -> "Sequence[Answer]":
        """The texts that came in from a day on (UTC). Raises OutwardError."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A text that came in: the number it is from (E.164), what it says, and when it came (UTC)."""

    number: str
    text: str
    at: datetime

    @property
    def says_stop(self) -> bool:
        """Return whether it asks for no more texts, with one of the words that the networks know for it."""
        words = _LETTERS.findall(self.text.upper())
        return bool(words) and words[0] in _STOP and len(words) <= _FEW


class TwilioTexter:
    """A Texter over Twilio's HTTP interface: the account's `sid` and `token` (or what reads it when it is needed), and
    the number, name or messaging service (MG…) that it sends from. `api` is the address of a stand-in, which gets no
    credentials of Twilio's.

    Raises UsageError where credentials and address do not belong together.
    """

    def __init__(
        self,
        sid: str,
        token: str | Callable[[], str],
        sender: str,
        api: str = "",
        *,
        time_out: tuple[float, float] = TIME_OUT,
    ) -> None:
        if not (sid and token and sender):
            raise UsageError("Set all three of TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN and TWILIO_FROM.")
        if not re.fullmatch(r"[\w-]+", sid) or bool(_SID.fullmatch(sid)) is bool(api):
            raise UsageError(
                "CRM_TWILIO_URL names a stand-in for Twilio, and TWILIO_ACCOUNT_SID is an account at Twilio itself."
                " Unset one of them."
                if api
                else "TWILIO_ACCOUNT_SID is not a Twilio account SID. It begins with AC and has 34 characters."
            )
        self._api = api or TWILIO
        self._address = f"{self._api}/2010-04-01/Accounts/{sid}/Messages.json"
        self._sid = sid
        self._token: Callable[[], str] = (lambda: token) if isinstance(token, str) else token
        self.can_be_answered = sender.startswith("MG") or is_number(sender)
        self._number = sender if is_number(sender) else ""
        self._sender = {"MessagingServiceSid" if sender.startswith("MG") else "From": sender}
        self._time_out = time_out

    def send(self, to: str, text: str) -> None:
        # HTTP is loaded only where a text is sent.
        import requests

        if not is_number(to):
            raise OutwardError(f"{to or 'Nothing'} is not a phone number. No SMS was sent.", reason="recipient")
        try:
            reply = requests.post(
                self._address,
                data={"To": to, "Body": text, **self._sender},
                auth=(self._sid, self._token()),
                timeout=self._time_out,
                allow_redirects=False,
            )
        except (requests.ConnectTimeout, requests.exceptions.SSLError) as error:
            raise _unreached() from error
        except requests.RequestException as error:
            # A request that got no answer may have arrived.
            sent = not isinstance(error, requests.ConnectionError) or "RemoteDisconnected" in repr(error)
            raise (_unclear() if sent else _unreached()) from error
        _refuse_unsent(reply, to)

    def answers(self, since: date) -> Sequence[Answer]:
        import requests

        answers: list[Answer] = []
        page = f"{self._address}?{urlencode({'DateSent>': since.isoformat(), 'PageSize': 500} | self._to)}"
        # What a server says that never ends is not read for ever.
        for _ in range(_MOST_PAGES):
            try:
                reply = requests.get(
                    page, auth=(self._sid, self._token()), timeout=self._time_out, allow_redirects=False
                )
                _refuse_unsent(reply, "")
                answer = reply.json()
                answers += [_answer(entry) for entry in answer["messages"] if entry.get("direction") == "inbound"]
                following = answer.get("next_page_uri")
            except requests.RequestException as error:
                raise _unread("cannot be reached", "offline") from error
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise _unread("gives an answer that cannot be read", "refused") from error
            if not following:
                break
            page = f"{self._api}{following}"
        return answers

    @property
    def _to(self) -> dict[str, str]:
        return {"To": self._number} if self._number else {}


def _answer(entry: Mapping[str, Any]) -> Answer:
    at = parsedate_to_datetime(str(entry["date_sent"]))
    return Answer(str(entry["from"]), str(entry["body"]), at.astimezone(UTC))


def _unread(why: str, reason: str) -> OutwardError:
    return OutwardError(f"The replies to SMS were not read: Twilio {why}.", reason=reason)


def is_account(sid: str) -> bool:
    """Return whether a text is the id of an account at Twilio."""
    return _SID.fullmatch(sid) is not None


def is_number(text: str) -> bool:
    """Return whether a text is a phone number that something can be sent to (E.164)."""
    return _NUMBER.fullmatch(text) is not None


def texter_for(sid: str, token: str | Callable[[], str], sender: str, api: str = "") -> TwilioTexter | None:
    """A Texter over an account at Twilio, None where none is named. Raises UsageError."""
    return TwilioTexter(sid, token, sender, api) if sid or token or sender else None


def _refuse_unsent(reply: "Response", to: str) -> None:
    """Raise OutwardError for what Twilio answers when it has not taken a message."""
    status, code = reply.status_code, _code(reply)
    if status in (200, 201):
        return
    if status in (401, 403, 404):
        raise OutwardError(
            "No SMS was sent: Twilio does not accept the account (TWILIO_ACCOUNT_SID) and token (TWILIO_AUTH_TOKEN).",
            reason="refused",
        )
    if status == 429:
        raise OutwardError("No SMS was sent: Twilio got too many requests. Try again in a minute.", reason="busy")
    if status >= 500:
        raise _unclear()
    if code in _UNREACHABLE:
        raise OutwardError(f"No SMS was sent: Twilio cannot send texts to {to} ({code}).", reason="recipient")
    if code in _OF_THE_ACCOUNT or not code:
        raise OutwardError(f"No SMS was sent: Twilio refused it ({code or status}).", reason="refused")
    raise OutwardError(f"No SMS was sent: Twilio refused this one to {to} ({code}).", reason="recipient")


def _code(reply: "Response") -> int:
    """The number of Twilio's error, 0 where it names none."""
    try:
        code = reply.json().get("code")
    except (ValueError, AttributeError):
        return 0
    return code if isinstance(code, int) else 0


def _unreached() -> OutwardError:
    return OutwardError("No SMS was sent: Twilio cannot be reached. Try again.", reason="offline")


def _unclear() -> OutwardError:
    return OutwardError(
        "Twilio has not said whether it sent the SMS. It may have arrived: ask before you send it again.",
        reason="unknown",
    )

"""E-mail through Google's interface for Gmail, where a service account may send in the name of a domain's users.

https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.messages/send
"""

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from crm.clock import machine_now
from crm.outward.gmail_errors import SCOPE, ServiceAccount, answered, refused, unpermitted, unreached
from crm.outward.mail import Fate, Outcome, outcomes, send_letter
from crm.outward.mime import composed
from crm.outward.outgoing import Mail, Party, sender_of

if TYPE_CHECKING:
    import requests

GOOGLE = "https://gmail.googleapis.com"
# To connect, and to be answered (seconds).
TIME_OUT = (5.0, 60.0)
_PIECE = 32_768


class GmailMailer:
    """A Mailer that sends from the mailbox of each mail's sender, in whose name the service account may act. `google`
    is the address of a stand-in. Raises UsageError where `sender` is no address."""

    def __init__(
        self,
        account: ServiceAccount,
        sender: str,
        *,
        google: str = "",
        time_out: tuple[float, float] = TIME_OUT,
        now: Callable[[], datetime] = machine_now,
    ) -> None:
        self._account = account
        self._now = now
        self._sender = sender_of(sender)
        self._google = google
        self._time_out = time_out

    @property
    def sender(self) -> Party:
        return self._sender

    @contextmanager
    def connection(self) -> Iterator["GmailConnection"]:
        # HTTP is loaded only where a mail is sent.
        import requests

        with requests.Session() as session:
            # A stand-in is on this machine: no proxy stands between.
            session.trust_env = not self._google
            yield GmailConnection(session, self._account, self._google or GOOGLE, self._time_out)

    def check(self) -> None:
        with self.connection() as connection:
            connection.check(self._sender)

    def send(self, to: str, subject: str, text: str) -> None:
        send_letter(self, to, subject, text, self._now())


class GmailConnection:
    """A connection to Google, and the permissions that it has got for each sender."""

    def __init__(
        self, session: "requests.Session", account: ServiceAccount, google: str, time_out: tuple[float, float]
    ) -> None:
        self._session = session
        self._account = account
        self._address = f"{google}/gmail/v1/users/me/messages/send"
        self._time_out = time_out
        self._permissions: dict[str, Any] = {}

    def deliver(self, mail: Mail) -> tuple[Outcome, ...]:
        # Google reads the recipients in the headers, and takes out those of blind copies.
        raw = base64.urlsafe_b64encode(composed(mail, with_bcc=True).as_bytes()).decode("ascii")
        body = json.dumps({"raw": raw}).encode("ascii")
        reply = self._posted(mail, body)
        if reply is None:
            # The permission was withdrawn, or is older than Google remembers. Nothing was sent; one more is asked for.
            self._permissions.clear()
            reply = self._posted(mail, body)
        if reply is None:
            raise refused("does not accept its own permission to send")
        return reply

    def check(self, sender: Party) -> None:
        """Ask Google for its permission to send as somebody. Raises OutwardError."""
        self._permission(sender)

    def _posted(self, mail: Mail, body: bytes) -> tuple[Outcome, ...] | None:
        """The answer to a request; None where Google does not know the permission any more. Raises OutwardError."""
        import requests

        permission = self._permission(mail.sender)
        written = _Body(body)
        try:
            reply = self._session.post(
                self._address,
                data=written,
                headers={"Content-Type": "application/json"},
                auth=_bearer(permission.token),
                timeout=self._time_out,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            if not written.begun:
                raise unreached() from error
            if not written.is_whole:
                return outcomes(mail, Fate.LATER, "the connection to Google was lost")
            return outcomes(mail, Fate.UNKNOWN, "Google has not answered whether it took the message")
        if reply.status_code == 401:
            return None
        return answered(mail, reply, self._account)

    def _permission(self, sender: Party) -> Any:
        """Google's permission to send as somebody, which is good for an hour. Raises OutwardError."""
        from google.auth.exceptions import GoogleAuthError
        from google.auth.transport.requests import Request
        from google.oauth2.service_account import Credentials

        permission = self._permissions.get(sender.wire)
        if permission is not None and permission.valid:
            return permission
        account = self._account
        key = {
            "client_email": account.address,
            "private_key": account.private_key,
            "private_key_id": account.key_id,
            "token_uri": account.token_uri,
        }
        try:
            permission = Credentials.from_service_account_info(  # type: ignore[no-untyped-call]
                key, scopes=[SCOPE], subject=sender.wire
            )
        except Exception:
            # The error may contain a part of the key.
            raise refused(f"needs a whole private_key; that of {account.address} is damaged") from None
        try:
            permission.refresh(_timely(Request(self._session), self._time_out))
        except GoogleAuthError as error:
            raise unpermitted(error, account, sender) from error
        self._permissions[sender.wire] = permission
        return permission


class _Body:
    """The body of a request, in pieces, so that it is known how much of it has gone."""

    def __init__(self, written: bytes) -> None:
        self._written = written
        self.begun = False
        self.is_whole = False

    def __len__(self) -> int:
        return len(self._written)

    def __iter__(self) -> Iterator[bytes]:
        self.begun = True
        for at in range(0, len(self._written), _PIECE):
            # Once the last piece is on its way it may arrive, whatever happens here.
            self.is_whole = at + _PIECE >= len(self._written)
            yield self._written[at : at + _PIECE]


def _bearer(token: str) -> Any:
    """Put the token into the header of a request, and keep a .netrc from putting something else there."""

    def authorise(request: "requests.PreparedRequest") -> "requests.PreparedRequest":
        request.headers["Authorization"] = f"Bearer {token}"
        return request

    return authorise


def _timely(request: Any, time_out: tuple[float, float]) -> Any:
    """The request that google-auth makes, without its two minutes of patience, and with nothing from a .netrc."""

    def asked(*arguments: Any, **named: Any) -> Any:
        named |= {"timeout": time_out, "allow_redirects": False, "auth": lambda prepared: prepared}
        return request(*arguments, **named)

    return asked

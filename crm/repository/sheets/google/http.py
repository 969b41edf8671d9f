"""HTTP to Google through gspread. Importing this takes a while: it is done when there is something to ask.

Nothing here sends a request a second time; whether that may be done is known to who asked.
"""

import http.client
import json
import ssl
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import requests
from gspread.http_client import HTTPClient
from gspread.urls import DRIVE_FILES_API_V3_URL, SPREADSHEETS_API_V4_BASE_URL
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3.exceptions import HTTPError, NameResolutionError, NewConnectionError, ProxyError

from crm.repository.sheets.google.errors import Refusal

SHEETS = SPREADSHEETS_API_V4_BASE_URL
DRIVE = DRIVE_FILES_API_V3_URL
_PREFIXES = ("https://sheets.googleapis.com", "https://www.googleapis.com")
_CONNECT = 5.0
# Handed to the connection in pieces, so that a slow line is distinguished from one that takes nothing any more.
_PIECE = 32_768


# All that a request may fail with on its way.
FAILURES = (requests.RequestException, HTTPError, http.client.HTTPException, OSError, ValueError, RecursionError)


class Refused(Exception):
    """An answer other than a good one."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(f"status {refusal.status}")
        self.refusal = refusal


class Body:
    """The body of a request; `begun` says whether any of it has been taken to be sent."""

    def __init__(self, written: bytes) -> None:
        self._written = written
        self.begun = False

    def __len__(self) -> int:
        return len(self._written)

    def __iter__(self) -> Iterator[bytes]:
        for at in range(0, len(self._written), _PIECE):
            self.begun = True
            yield self._written[at : at + _PIECE]


class _Bearer(AuthBase):
    """The token in the header of a request; it keeps a .netrc from putting something else there."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class _Session(requests.Session):
    """A session that follows no redirection, which would send a write again or a token elsewhere."""

    def request(self, *arguments: Any, **options: Any) -> requests.Response:
        response = super().request(*arguments, **{**options, "allow_redirects": False})
        if not 200 <= response.status_code < 300:
            headers = {name.lower(): value for name, value in response.headers.items()}
            raise Refused(Refusal.of(response.status_code, response.content, headers))
        return response


def _body(response: requests.Response) -> bytearray:
    """The content of an answer, which may be large: it is held once."""
    body = bytearray()
    for piece in response.iter_content(_PIECE):
        body += piece
    return body


class Client(HTTPClient):
    """gspread's client, for the stand-in at `google` where one is named."""

    def __init__(self, session: requests.Session, google: str, read_timeout: float) -> None:
        # gspread takes no credentials where it is given a session; its annotation forgot so.
        super().__init__(None, session)  # type: ignore[arg-type]
        self._google = google.rstrip("/")
        self.set_timeout((_CONNECT, read_timeout))

    def request(self, method: str, endpoint: str, *arguments: Any, **options: Any) -> requests.Response:
        return super().request(method, self._at(endpoint), *arguments, **options)

    def _at(self, endpoint: str) -> str:
        for prefix in _PREFIXES if self._google else ():
            if endpoint.startswith(prefix + "/"):
                return self._google + endpoint.removeprefix(prefix)
        return endpoint


class Transport:
    """The connections to Google: `reads` and `writes` wait differently long for an answer."""

    def __init__(self, google: str, *, read_timeout: float, write_timeout: float) -> None:
        self._session = _Session()
        # A stand-in is on this machine: no proxy stands between.
        self._session.trust_env = not google
        self._session.stream = True
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=0))
        # Google sends answers compressed to who says so here, too.
        self._session.headers["User-Agent"] = "crm (gzip)"
        self.authorise("")
        self._reads = Client(self._session, google, read_timeout)
        self._writes = Client(self._session, google, write_timeout)

    def authorise(self, token: str) -> None:
        """Let every request from now on show this token."""
        self._session.auth = _Bearer(token)

    def send(
        self,
        method: str,
        address: str,
        params: Mapping[str, str],
        body: Body | None,
        parse: Callable[[bytearray], Any] = json.loads,
        *,
        write: bool,
    ) -> Any:
        """The JSON that is answered, as `parse` reads it. Raises Refused, ValueError where it is no JSON, and what
        requests raises."""
        response = (self._writes if write else self._reads).request(
            method,
            address,
            params=dict(params),
            data=body,
            headers={"Content-Type": "application/json; charset=utf-8"} if body is not None else None,
        )
        return parse(_body(response))

    def exchange(self, address: str, form: Mapping[str, str]) -> Any:
        """The JSON that a form sent to an address is answered with, without a token."""
        response = self._session.request(
            "POST", address, data=dict(form), auth=_Bearer(""), timeout=(_CONNECT, 3 * _CONNECT)
        )
        return json.loads(response.content)

    def rest(self) -> None:
        """Close connections that nobody uses just now."""
        self._session.close()


def cause(error: BaseException) -> str:
    """The reason why there is no reply, in words; it contains no part of the request."""
    if isinstance(error, ValueError | RecursionError) and not isinstance(error, requests.RequestException):
        return "the answer was damaged"
    chain = list(_chain(error))
    for link in chain:
        if isinstance(link, ssl.SSLCertVerificationError):
            return (
                f"the connection is not safe ({link.verify_message}); the clock of this machine may be wrong, or"
                " another machine stands between"
            )
        if isinstance(link, NameResolutionError):
            return "its name was not found (is this machine online?)"
        if isinstance(link, ConnectionRefusedError):
            return "the connection was refused"
    for link in chain:
        if isinstance(link, ProxyError):
            return "the proxy that this machine is set up with does not let the program through"
        if isinstance(link, requests.exceptions.SSLError | ssl.SSLError):
            return "the connection could not be made safe"
        if isinstance(link, requests.ConnectTimeout):
            return f"there was no connection within {_CONNECT:.0f} seconds"
        if isinstance(link, requests.Timeout):
            return "no answer came in time"
        if isinstance(link, NewConnectionError):
            return "no way to it (is this machine online?)"
    return "the connection was cut"


def is_unconnected(error: BaseException) -> bool:
    """Return whether there was no connection at all, as far as the error alone can tell."""
    return any(
        isinstance(link, requests.ConnectTimeout | requests.exceptions.SSLError | ProxyError | NewConnectionError)
        for link in _chain(error)
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error and those that it came from or holds."""
    waiting: list[object] = [error]
    seen: set[int] = set()
    while waiting:
        link = waiting.pop(0)
        if isinstance(link, BaseException) and id(link) not in seen and len(seen) < 30:
            seen.add(id(link))
            yield link
            waiting += [getattr(link, "reason", None), *link.args, link.__cause__, link.__context__]

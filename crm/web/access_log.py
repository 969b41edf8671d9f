"""The access log: JSON lines that name nobody, and no traceback for anybody."""

import hashlib
import hmac
import json
import logging
import sys
from datetime import UTC, datetime
from time import perf_counter
from typing import Any

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crm.accounts.attempts import neighbourhood
from crm.clock import machine_now
from crm.errors import CRMError, StoreAccessError, StoreBusyError, StoreError
from crm.web.faults import facts_of
from crm.web.origins import HEALTH
from crm.web.pages import notice

log = logging.getLogger("crm.web")

_PAGES = (
    *("/", "/sign-in", "/sign-in/code", "/sign-in/code/again", "/sign-out"),
    *("/password", "/forgotten", "/terminal", *HEALTH),
)
# Nobody was there any more to be answered.
_GONE = 499
_WITH_SECRETS = ("/reset/", "/opt-out/", "/files/")


class Journal:
    """The log of each request by its page, its status and how long it took; what goes wrong becomes a page.

    An address is written as a mark that is another one every day and cannot be turned back without `key`.
    """

    def __init__(self, app: ASGIApp, key: bytes) -> None:
        self._app = app
        self._key = key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        began = perf_counter()
        status = 0

        async def sent(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            elif message["type"] == "websocket.accept":
                status = 101
            elif message["type"] == "websocket.close":
                status = message.get("code", 1000) if status else 403
            await send(message)

        try:
            await self._app(scope, receive, sent)
        except ClientDisconnect:
            status = _GONE
        except Exception as error:
            await self._tell(error, scope, receive, sent, begun=bool(status))
        if scope["path"] not in HEALTH:
            facts = {
                "method": scope.get("method", "WEBSOCKET"),
                "page": page_of(scope["path"]),
                "status": status,
                "ms": round((perf_counter() - began) * 1000),
                "from": self._mark((scope.get("client") or ("", 0))[0]),
            }
            if session := scope.get("crm.session"):
                facts["session"] = session
            log.info("request", extra={"facts": facts})

    async def _tell(self, error: Exception, scope: Scope, receive: Receive, send: Send, *, begun: bool) -> None:
        expected = isinstance(error, CRMError)
        log.log(logging.WARNING if expected else logging.ERROR, "failure", exc_info=error)
        if begun:
            return
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1011, "reason": ""})
        elif isinstance(error, StoreBusyError):
            message = "The data is in use by others just now. Nothing was done. Try again in a moment."
            await notice("Not now", message, 503, {"Retry-After": "5"})(scope, receive, send)
        elif isinstance(error, StoreAccessError) and error.reason in ("accounts", "other_secret"):
            message = "Nobody can sign in right now. Tell the person who runs this server."
            await notice("Not now", message, 503)(scope, receive, send)
        elif isinstance(error, StoreError):
            message = "The data cannot be reached just now. Nothing was done. Try again in a minute."
            await notice("Not now", message, 503, {"Retry-After": "60"})(scope, receive, send)
        else:
            message = "Something went wrong in this program. It was logged. Try again."
            await notice("Something went wrong", message, 500)(scope, receive, send)

    def _mark(self, address: str) -> str:
        bound = f"{machine_now().date().isoformat()} {neighbourhood(address)}".encode()
        return hmac.new(self._key, bound, hashlib.sha256).hexdigest()[:10]


def page_of(path: str) -> str:
    """A path as it may be written down: without tokens, and nothing that a stranger made up."""
    if path in _PAGES:
        return path
    return next((f"{prefix}…" for prefix in _WITH_SECRETS if path.startswith(prefix)), "other")


class JsonLines(logging.Formatter):
    """One JSON object a line: of what this program notes the `facts`, of an error its kind and its place. Of what a
    library has to say nothing is written that it has filled in: that may be an address, or what was asked for."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "what": _message_of(record),
            **getattr(record, "facts", {}),
        }
        if record.exc_info and record.exc_info[1]:
            line |= facts_of(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False)


def _message_of(record: logging.LogRecord) -> str:
    library = record.name.partition(".")[0]
    if library == "crm":
        return record.getMessage()
    # The others put their words together before they hand them over.
    return str(record.msg) if library in ("uvicorn", "websockets") else record.name


def write_journal() -> None:
    """Write everything that the web server and its libraries log to stdout as JSON lines."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("crm").setLevel(logging.INFO)
    for name in ("uvicorn", "websockets"):
        logging.getLogger(name).setLevel(logging.WARNING)

"""Rate limits by address: how much and how often anybody may ask."""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crm.accounts.attempts import neighbourhood
from crm.web.pages import notice

FORM = 16 * 1024
FILE = 50 * 1024 * 1024
# What a form around the file adds.
_AROUND = 64 * 1024
_FORM_SECONDS = 20.0
_FILE_SECONDS = 900.0


@dataclass(frozen=True, slots=True)
class Rule:
    """At most `most` requests in `seconds` of the same address: those with `method` (any where '') whose path begins
    with `path`."""

    path: str
    method: str
    most: int
    seconds: int


# A whole office may be behind one address.
RULES = (
    Rule("/sign-in", "POST", 100, 300),
    Rule("/password", "POST", 30, 300),
    Rule("/forgotten", "POST", 10, 3600),
    Rule("/reset/", "", 30, 3600),
    # Mail services press the button for many people, from a few addresses.
    Rule("/opt-out/", "", 200, 60),
    Rule("/terminal", "WEBSOCKET", 120, 60),
    Rule("/files/", "", 60, 60),
    Rule("/", "", 1500, 60),
)


# So many requests of one address are answered at once, and so many terminals shown.
AT_ONCE = {"http": 100, "websocket": 200}


class AddressLimits:
    """The middleware that answers 429 to an address that asks too often, or for too much at once. What is remembered is
    bounded: beyond `most` the address that was quiet longest is forgotten."""

    def __init__(
        self,
        app: ASGIApp,
        rules: Sequence[Rule] = RULES,
        *,
        most: int = 20_000,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._app = app
        self._rules = rules
        self._most = most
        self._clock = clock
        self._counts: OrderedDict[tuple[str, str, str], tuple[float, int]] = OrderedDict()
        self._open: Counter[tuple[str, str]] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind not in AT_ONCE:
            await self._app(scope, receive, send)
            return
        one = kind, _who(scope)
        wait = self._wait(scope) or (1 if self._open[one] >= AT_ONCE[kind] else 0)
        if not wait:
            self._open[one] += 1
            try:
                await self._app(scope, receive, send)
            finally:
                self._open[one] -= 1
                if not self._open[one]:
                    del self._open[one]
        elif kind == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1013, "reason": ""})
        else:
            message = "Too many requests came from your network. Wait a moment, then try again."
            await notice("Too many requests", message, 429, {"Retry-After": str(wait)})(scope, receive, send)

    def _wait(self, scope: Scope) -> int:
        """The seconds that the address has to wait, 0 where it need not; counts the request."""
        method = scope.get("method", "WEBSOCKET")
        who = _who(scope)
        wait = 0
        for rule in self._rules:
            if scope["path"].startswith(rule.path) and rule.method in ("", method):
                wait = max(wait, self._count((who, rule.path, rule.method), rule))
        return wait

    def _count(self, key: tuple[str, str, str], rule: Rule) -> int:
        now = self._clock()
        since, count = self._counts.pop(key, (now, 0))
        if now - since >= rule.seconds:
            since, count = now, 0
        self._counts[key] = (since, count + 1)
        while len(self._counts) > self._most:
            self._counts.popitem(last=False)
        return 0 if count < rule.most else max(1, int(since + rule.seconds - now) + 1)


def _who(scope: Scope) -> str:
    return neighbourhood((scope.get("client") or ("", 0))[0])


class BodyLimit:
    """The middleware that refuses a body that is larger than its page takes, or that takes too long to come."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        is_file = scope["path"].startswith("/files/")
        most = FILE + _AROUND if is_file else FORM
        length = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if not length.isdigit() or int(length) > most:
            await _too_large(is_file)(scope, receive, send)
            return
        until = asyncio.get_running_loop().time() + (_FILE_SECONDS if is_file else _FORM_SECONDS)
        got, complete = 0, False

        async def received() -> Message:
            nonlocal got, complete
            if complete:
                # What is waited for from now on is that the client goes away.
                return await receive()
            try:
                async with asyncio.timeout_at(until):
                    message = await receive()
            except TimeoutError as error:
                raise BodyRefused(408) from error
            if message["type"] == "http.request":
                got += len(message.get("body", b""))
                complete = not message.get("more_body", False)
                if got > most:
                    raise BodyRefused(413)
            return message

        try:
            await self._app(scope, received, send)
        except BodyRefused as refused:
            answer = _too_large(is_file)
            if refused.status == 408:
                answer = notice("Too slow", "What you sent did not arrive in time. Nothing was done. Try again.", 408)
            await answer(scope, receive, send)


class BodyRefused(Exception):
    """A body that is not read to its end; `status` says why."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def _too_large(is_file: bool) -> ASGIApp:
    message = "That is more than this page accepts."
    if is_file:
        message = f"The file is larger than {FILE >> 20} MB. Split it."
    return notice("Too large", f"{message} Nothing was done.", 413, {"Connection": "close"})

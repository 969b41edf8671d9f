"""One page in a browser that shows a terminal: what it is sent, and how much of that it has shown."""

import asyncio
import json
import time
from collections import deque
from contextlib import suppress

from starlette.websockets import WebSocket, WebSocketDisconnect

# Closing codes, which the page knows.
LEFT, SIGNED_OUT, TIMED_OUT, TOO_MUCH, FULL, STOPPING = 4000, 4401, 4408, 4413, 4429, 4503
# The message after a session has ended, however that was found out.
OVER = "Your session is over. What was saved is kept. Sign in again."
DONE = "It is done, and your session is over. Sign in again."
_FRAME = 65_536
_CLOSES_WITHIN = 5.0
_MOST_COLUMNS, _MOST_LINES = 500, 200
_LEAST_COLUMNS, _LEAST_LINES = 20, 5


def clamped(columns: object, lines: object) -> tuple[int, int]:
    """A size as it may be; whatever is no number becomes 80 and 24."""

    def within(value: object, least: int, most: int, otherwise: int) -> int:
        try:
            return max(least, min(most, int(value))) if isinstance(value, int | str) else otherwise
        except ValueError:
            return otherwise

    return within(columns, _LEAST_COLUMNS, _MOST_COLUMNS, 80), within(lines, _LEAST_LINES, _MOST_LINES, 24)


class Page:
    """A page that is sent to in order, without waiting for the browser: `unshown` bytes say how far that is behind."""

    def __init__(self, socket: WebSocket, columns: int, lines: int) -> None:
        self.socket = socket
        self.size = (columns, lines)
        # When the page last said anything, and when it last had drawn anything.
        self.heard = self.shown_at = time.monotonic()
        self.closing = False
        self.pasting = False
        self._typed_last = b""
        self._sending: asyncio.Task[None] | None = None
        self._sent = 0
        self._displayed = 0
        self._out: deque[bytes | str | tuple[int, str]] = deque()
        self._more = asyncio.Event()

    @property
    def unshown(self) -> int:
        """The bytes of output that the browser has not drawn yet, wherever they are."""
        return self._sent - self._displayed

    def typed(self, keys: bytes) -> None:
        """Follow whether the page is in the midst of a paste: its marks may come in two pieces."""
        seen = self._typed_last + keys
        begins, ends = seen.rfind(b"\x1b[200~"), seen.rfind(b"\x1b[201~")
        if begins != ends:
            self.pasting = begins > ends
        self._typed_last = seen[-5:]

    def show(self, output: bytes) -> None:
        """Send output of the menu."""
        self._sent += len(output)
        if self._out and isinstance(self._out[-1], bytes) and len(self._out[-1]) + len(output) <= _FRAME:
            self._out[-1] += output
        else:
            self._out.append(output)
        self._more.set()

    def tell(self, kind: str, **about: object) -> None:
        """Send a message to the page itself."""
        self._out.append(json.dumps({"type": kind, **about}))
        self._more.set()

    def close(self, code: int, why: str) -> None:
        """Tell why, when all before has been sent, and close."""
        self.closing = True
        self.tell("end", code=code, why=why)
        self._out.append((code, why))
        self._more.set()
        # A browser that takes nothing any more cannot be notified, and is not waited for.
        asyncio.get_running_loop().call_later(_CLOSES_WITHIN, self.abandon)

    def acknowledged(self, total: object) -> None:
        """Note how many bytes the browser has drawn since the page opened."""
        if isinstance(total, int) and self._displayed < total <= self._sent:
            self._displayed = total
            self.shown_at = time.monotonic()

    def start(self) -> "asyncio.Task[None]":
        """Begin to send; the task ends when the page is closed or gone."""
        self._sending = asyncio.create_task(self._send_all())
        return self._sending

    def abandon(self) -> None:
        """Give the page up without another word; it comes back by itself if it can."""
        if self._sending is not None:
            self._sending.cancel()

    async def _send_all(self) -> None:
        with suppress(WebSocketDisconnect, RuntimeError, OSError):
            while True:
                await self._more.wait()
                self._more.clear()
                while self._out:
                    match self._out.popleft():
                        case bytes(output):
                            await self.socket.send_bytes(output)
                        case str(message):
                            await self.socket.send_text(message)
                        case (code, why):
                            # A reason of more than 123 bytes is no valid frame.
                            await self.socket.close(code, why.encode()[:120].decode(errors="ignore"))
                            return

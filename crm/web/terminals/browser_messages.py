"""Messages from the browser: keys as bytes, others as JSON, neither more of it than one person can mean."""

import json
import time

from starlette.websockets import WebSocket

from crm.web.terminals.page import TOO_MUCH, Page, clamped
from crm.web.terminals.terminal import Terminal

_FRAME = 65_536
# Messages a second of one page, in the long run and at once.
_RATE, _BURST = 400, 4_000


async def receive(socket: WebSocket, page: Page, terminal: Terminal) -> None:
    """Take what a page sends until it is gone."""
    allowance, filled = float(_BURST), time.monotonic()
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return
        now = time.monotonic()
        page.heard = now
        allowance = min(_BURST, allowance + (now - filled) * _RATE) - 1
        filled = now
        data, text = message.get("bytes"), message.get("text")
        if allowance < 0 or len(data or text or "") > _FRAME:
            page.close(TOO_MUCH, "That was more than the menu can take at once. Reload the page to continue.")
            return
        if data:
            terminal.typed(page, data)
        elif text:
            _control(text, page, terminal)


def _control(text: str, page: Page, terminal: Terminal) -> None:
    """A message of the page itself; an invalid one is skipped."""
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        return
    if not isinstance(message, dict):
        return
    match message.get("type"):
        case "ack":
            terminal.acknowledged(page, message.get("bytes"))
        case "resize":
            terminal.resize(page, *clamped(message.get("columns"), message.get("lines")))
        case "cancel":
            terminal.files.cancel(message.get("token"))
        case "ping":
            page.tell("pong")

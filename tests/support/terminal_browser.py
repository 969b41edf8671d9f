"""The terminal's page in a real Chromium, and a network that can be cut."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from playwright.sync_api import BrowserContext, Page

from tests.support.terminal_server import PATIENCE

# The page's own module, so that what the terminal holds can be read cell by cell.
_TERMINAL = "import('/assets/terminal.js').then(({terminal}) => %s)"
_TEXT = (
    "Array.from({length: terminal.rows}, (_, at) => terminal.buffer.active.getLine(terminal.buffer.active.viewportY"
    " + at)?.translateToString(true) ?? '')"
)


_CONTRASTS = """(terminal) => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const over = (top, under) => top.slice(0, 3).map((part, at) => part * top[3] / 255 + under[at] * (1 - top[3] / 255));
  const light = (colour) => {
    const [r, g, b] = colour.map((number) => {
      const part = number / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    if (element === null) return [255, 255, 255];
    const own = rgba(getComputedStyle(element).backgroundColor);
    if (own[3] === 255) return own.slice(0, 3);
    return over(own, element.matches(".xterm") ? rgba(terminal) : ground(element.parentElement));
  };
  const strength = (element) =>
    element ? Number(getComputedStyle(element).opacity) * strength(element.parentElement) : 1;
  const found = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = texts.nextNode(); node; node = texts.nextNode()) {
    const element = node.parentElement, words = node.textContent.trim();
    if (!words || element.closest("script, style, noscript, .xterm-accessibility")) continue;
    if (!element.checkVisibility({visibilityProperty: true})) continue;
    const under = ground(element), colour = rgba(getComputedStyle(element).color);
    colour[3] *= strength(element);
    const [a, b] = [light(over(colour, under)), light(under)].sort((one, two) => two - one);
    found.push([Math.round((a + 0.05) / (b + 0.05) * 100) / 100, words]);
  }
  return found.sort((one, two) => one[0] - two[0]);
}"""


def contrasts(page: Page, terminal: str = "") -> list[tuple[float, str]]:
    """The contrast (WCAG 2) of all text on a page to what is behind it, the lowest first, each with the text;
    `terminal` is the ground of the terminal on it."""
    # Before its style sheet has come a page has the browser's colours.
    page.wait_for_load_state()
    found: list[list[Any]] = page.evaluate(_CONTRASTS, terminal)
    return [(float(contrast), str(words)) for contrast, words in found]


class Screen:
    """One tab with the terminal in it. `complaints` is what the browser had to say against the page, `shown` all that
    the server has sent to be drawn."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.page: Page = context.new_page()
        self.complaints: list[str] = []
        self.shown = ""
        self.page.on("websocket", lambda line: line.on("framereceived", self._drawn))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._note_complaint)
        self.page.goto(url)

    def _drawn(self, frame: str | bytes) -> None:
        self.shown += frame if isinstance(frame, str) else frame.decode(errors="replace")

    def _note_complaint(self, message: Any) -> None:
        # That a connection was lost is no fault of the page.
        if message.type == "error" and not any(word in message.text for word in ("WebSocket", "ERR_", "404")):
            self.complaints.append(message.text)

    def terminal(self, expression: str) -> Any:
        """The value of an expression about `terminal` in the page."""
        return self.page.evaluate(f"() => {_TERMINAL % expression}")

    @property
    def text(self) -> str:
        """The text on the screen."""
        return "\n".join(self.terminal(_TEXT))

    @property
    def contrasts(self) -> list[tuple[float, str]]:
        """The contrast of all that can be seen."""
        return contrasts(self.page, self.terminal("terminal.options.theme.background"))

    @property
    def size(self) -> tuple[int, int]:
        """Columns and lines."""
        columns, lines = self.terminal("[terminal.cols, terminal.rows]")
        return columns, lines

    def until(self, other: Callable[[], object], otherwise: str) -> "Screen":
        """Wait for something."""
        ends = time.monotonic() + PATIENCE
        while not other():
            assert time.monotonic() < ends, f"{otherwise}\n{self.text}\n{self.complaints}"
            self.page.wait_for_timeout(15)
        return self

    def sees(self, words: str) -> "Screen":
        """Wait for words on the screen."""
        return self.until(lambda: words in self.text, f"not seen: {words}")

    def press(self, *keys: str) -> "Screen":
        """Press keys by the browser's names."""
        for key in keys:
            self.page.keyboard.press(key)
        return self

    def message(self) -> str:
        """The text of the thin bar; '' while it is hidden."""
        return self.page.inner_text("#notice") if self.page.is_visible("#status") else ""


class Line:
    """A way to a server that can be cut and mended."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._cut = False
        self._loop = asyncio.new_event_loop()
        self._writers: set[asyncio.StreamWriter] = set()
        self.port = 0

    @contextmanager
    def running(self) -> Iterator["Line"]:
        """Pass everything on until the end of the block."""
        started = threading.Event()

        async def serve() -> None:
            server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
            self.port = server.sockets[0].getsockname()[1]
            started.set()
            async with server:
                with suppress(asyncio.CancelledError):
                    await server.serve_forever()

        task = self._loop.create_task(serve())
        thread = threading.Thread(target=self._loop.run_until_complete, args=(task,))
        thread.start()
        assert started.wait(PATIENCE)
        try:
            yield self
        finally:
            self.cut()
            self._loop.call_soon_threadsafe(task.cancel)
            thread.join(PATIENCE)
            self._loop.close()

    def cut(self) -> None:
        """Nothing goes through any more, and whoever tries is turned away."""
        self._cut = True
        asyncio.run_coroutine_threadsafe(self._drop(), self._loop).result(PATIENCE)

    def repair(self) -> None:
        """New connections go through again."""
        self._cut = False

    async def _drop(self) -> None:
        for writer in list(self._writers):
            writer.transport.abort()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._cut:
            writer.transport.abort()
            return
        there_reader, other = await asyncio.open_connection("127.0.0.1", self._to)
        self._writers |= {writer, other}
        await asyncio.gather(self._pass_on(reader, other), self._pass_on(there_reader, writer))
        self._writers -= {writer, other}

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while piece := await reader.read(65536):
                writer.write(piece)
                await writer.drain()
        writer.close()

"""One menu and the pages that show it: output, keys and size."""

import asyncio
import logging
import os
import shutil
import signal
import termios
import time
from contextlib import suppress
from pathlib import Path

from crm.web.terminals import child
from crm.web.terminals.forking import Forked, Forking
from crm.web.terminals.page import DONE, FULL, LEFT, OVER, SIGNED_OUT, STOPPING, TOO_MUCH, Page
from crm.web.terminals.replay import Replay
from crm.web.terminals.transfers import Transfers

log = logging.getLogger("crm.web")
_READ = 65_536
# A page so many bytes behind stops the menu until it is only half as far behind.
_BEHIND = 400_000
# A page is gone when it has said nothing for so long, and stuck when it has drawn nothing.
_SILENT, _STUCK = 75.0, 20.0
# So much pasted text may wait for a busy menu.
_TYPED_AHEAD = 4 << 20
_MOST_PAGES = 20
_PASTE_ENDS = b"\x1b[201~"
# A closed terminal lets a menu save what it is saving; then it is asked to end, then killed.
_LEAVES_WITHIN, _ENDS_WITHIN = 3.0, 2.0


class Terminal:
    """The menu of one sign-in `session`, shown by any number of `pages` at the smallest of their sizes."""

    def __init__(
        self, forked: Forked, forking: Forking, session: int, user: int, folder: Path, size: tuple[int, int]
    ) -> None:
        self.session = session
        self.user = user
        self.pages: list[Page] = []
        self.typed_at = self.seen_at = time.monotonic()
        self._forked = forked
        self._forking = forking
        self._folder = folder
        # What a line of the log says of whose it is.
        self.ids = {"session": session, "user": user}
        self.files = Transfers(forked.channel, folder, self._tell, self.ids)
        self._size = size
        self._replay = Replay()
        self._typed = bytearray()
        self._reading = False
        self._open = True
        self._read_on()

    @property
    def open(self) -> bool:
        """Return whether the menu is there to be shown."""
        return self._open and not self._forked.ended.done()

    # Pages

    def attach(self, page: Page) -> None:
        """Show the terminal on a page, as it is at this moment and from now on."""
        self.seen_at = time.monotonic()
        # It is drawn at the size that it was written for, and then made to fit like any other.
        page.tell("screen", columns=self._size[0], lines=self._size[1])
        page.show(self._replay.screen())
        self.files.tell_all(page.tell)
        open_ones = [page for page in self.pages if not page.closing]
        if len(open_ones) >= _MOST_PAGES:
            open_ones[0].close(FULL, f"You have this menu open in more than {_MOST_PAGES} tabs. This one was closed.")
        self.pages.append(page)
        self._fit()

    def detach(self, page: Page) -> None:
        """Leave a page that is gone; the menu stays."""
        if page in self.pages:
            self.pages.remove(page)
            if page.pasting:
                # The end of it was lost with the line, and all that is typed from now on would belong to it.
                self._put(_PASTE_ENDS)
            self.seen_at = time.monotonic()
            self._fit()
            self._read_on()

    def resize(self, page: Page, columns: int, lines: int) -> None:
        """Fit the menu to the room that a page has."""
        page.size = (columns, lines)
        self._fit()

    def _fit(self) -> None:
        if not self.pages or not self._open:
            return
        size = min(page.size[0] for page in self.pages), min(page.size[1] for page in self.pages)
        if size == self._size:
            return
        self._size = size
        termios.tcsetwinsize(self._forked.terminal, (size[1], size[0]))
        self._tell("size", columns=size[0], lines=size[1])

    def _tell(self, kind: str, **about: object) -> None:
        for page in self.pages:
            page.tell(kind, **about)

    def beat(self) -> None:
        """Keep the lines from being cut, and leave pages that are heard of no more, or hold up the others."""
        now = time.monotonic()
        for page in self.pages:
            page.tell("ping")
            holds_up = page.unshown > _BEHIND and len(self.pages) > 1 and now - page.shown_at > _STUCK
            if now - page.heard > _SILENT or holds_up:
                page.abandon()

    # Output

    def acknowledged(self, page: Page, total: object) -> None:
        """Note how many bytes a page has drawn."""
        page.acknowledged(total)
        self._read_on()

    def _read_on(self) -> None:
        """Read what the menu writes while every page keeps up."""
        if self._reading or not self._open:
            return
        if all(page.unshown <= _BEHIND // 2 for page in self.pages):
            self._reading = True
            asyncio.get_running_loop().add_reader(self._forked.terminal, self._written)

    def _pause(self) -> None:
        if self._reading:
            self._reading = False
            asyncio.get_running_loop().remove_reader(self._forked.terminal)

    def _written(self) -> None:
        try:
            output = os.read(self._forked.terminal, _READ)
        except BlockingIOError:
            return
        except OSError:
            output = b""
        if not output:
            self._pause()
            return
        self._replay.add(output)
        for page in self.pages:
            page.show(output)
        if any(page.unshown > _BEHIND for page in self.pages):
            self._pause()

    # Keys

    def typed(self, page: Page, keys: bytes) -> None:
        """Keys or pasted text of a page; they wait where the menu is busy."""
        self.typed_at = time.monotonic()
        if not self._open:
            return
        if len(self._typed) + len(keys) > _TYPED_AHEAD:
            page.close(TOO_MUCH, "That was more text than the menu can take at once. Reload the page to continue.")
            return
        page.typed(keys)
        self._put(keys)

    def _put(self, keys: bytes) -> None:
        waiting = bool(self._typed)
        self._typed += keys
        if not waiting and self._open:
            self._type()

    def _type(self) -> None:
        """Write as much as the terminal takes; the rest when it takes more."""
        loop = asyncio.get_running_loop()
        try:
            while self._typed:
                done = os.write(self._forked.terminal, memoryview(self._typed)[:4096].tobytes())
                del self._typed[:done]
        except BlockingIOError:
            loop.add_writer(self._forked.terminal, self._type)
            return
        except OSError:
            self._typed.clear()
        loop.remove_writer(self._forked.terminal)

    # The end

    async def run(self) -> None:
        """Wait until the menu has ended by itself or was killed; then its processes are gone."""
        status = await asyncio.shield(self._forked.ended)
        if self._open:
            self._drain()
        self._close()
        code, why = LEFT, "You have left the program."
        if status == child.ENDED_BY_SERVER:
            # As all others on this machine are at this moment.
            code, why = STOPPING, "The server is being restarted. What was saved is kept."
        elif status in (child.SIGNED_OUT, child.DONE):
            code, why = SIGNED_OUT, DONE if status == child.DONE else OVER
        elif status == child.CRASHED or status < 0:
            why = "The program stopped unexpectedly. Everything that was saved is kept."
            log.error("menu failed", extra={"facts": self.ids | {"status": status}})
        for page in self.pages:
            if not page.closing:
                page.close(code, why)
        await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)

    def _drain(self) -> None:
        """The last words of a menu that has ended."""
        with suppress(OSError):
            while output := os.read(self._forked.terminal, _READ):
                self._replay.add(output)
                for page in self.pages:
                    page.show(output)

    async def end(self, code: int, why: str) -> None:
        """Tell why, close the terminal, and return when the menu has ended, as gently as it lets us."""
        for page in self.pages:
            page.close(code, why)
        self._close()
        for patience, then in ((_LEAVES_WITHIN, signal.SIGTERM), (_ENDS_WITHIN, signal.SIGKILL)):
            done, _ = await asyncio.wait([self._forked.ended], timeout=patience)
            if done:
                return
            self._forking.signal(self._forked, then)
        await asyncio.wait([self._forked.ended], timeout=_ENDS_WITHIN)

    def _close(self) -> None:
        if not self._open:
            return
        self._open = False
        self._pause()
        asyncio.get_running_loop().remove_writer(self._forked.terminal)
        os.close(self._forked.terminal)
        self.files.close()

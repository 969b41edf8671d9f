"""The processor time of turning a page of the menu, beside importing what draws it; and a key that only moves the
pointer."""

import fcntl
import os
import pty
import re
import select
import signal
import statistics
import struct
import sys
import termios
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.made_up import NOON, store_of
from benchmarks.measuring import IMPORTING, Result, cpu_of, importing, seconds

LIMIT, LIMIT_OF_KEY = 0.05, 0.02
# The keys of a round: what leads to it from the round before, and the pages that are turned in it.
_PAGES = {
    "the main menu and a submenu": ("", "80"),
    "the main menu and the list of clients": ("", "20"),
    "the next page of the list, and back": ("2", "]["),
    "a client and the list": ("", "10"),
}
_UP, _DOWN = "\x1b[A", "\x1b[B"
# A name and a misspelt one in a form, each taken out again by one key (Ctrl-U).
_TYPED = [*"berdol", "\x15", *"brdol", "\x15"]
_ROUNDS, _EACH, _ARROWS = 9, 4, 8
_DEADLINE = 20.0
# What is drawn last on a page, without its colours.
_DRAWN = b"? keys"
_COLOURS = re.compile(rb"\x1b\[[0-9;]*m")


class Menu:
    """The menu on a terminal of 80 columns."""

    def __init__(self, path: Path) -> None:
        environment = {**os.environ, "CRM_STORE": f"sqlite:///{path}", "CRM_NOW": NOON.isoformat(), "TERM": "xterm"}
        self.process, self._terminal = pty.fork()
        if self.process == 0:
            os.execvpe(sys.executable, [sys.executable, "run.py"], environment)
        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))

    def sees(self, wanted: bytes) -> None:
        """Wait until something was drawn, and nothing more comes."""
        seen, started = b"", time.perf_counter()
        while True:
            if select.select([self._terminal], [], [], 0.03)[0]:
                seen += os.read(self._terminal, 65_536)
            elif wanted in _COLOURS.sub(b"", seen):
                return
            elif time.perf_counter() - started > _DEADLINE:
                raise RuntimeError(f"no {wanted!r} after {_DEADLINE} s: {seen[-300:]!r}")

    def press(self, keys: Sequence[str], wanted: bytes = _DRAWN) -> None:
        """Press keys, each once the one before has been drawn."""
        for key in keys:
            os.write(self._terminal, key.encode())
            self.sees(wanted)

    def close(self) -> None:
        """End it."""
        os.kill(self.process, signal.SIGKILL)
        os.waitpid(self.process, 0)
        os.close(self._terminal)


@contextmanager
def menu_on(path: Path) -> Iterator[Menu]:
    menu = Menu(path)
    try:
        menu.sees(_DRAWN)
        yield menu
    finally:
        menu.close()


def measure(folder: Path) -> Iterator[Result]:
    """Rounds through the pages of a store with 100 000 clients, after one that loads what is loaded once."""
    with menu_on(store_of(folder, 100_000)) as menu:
        for name, (way, keys) in _PAGES.items():
            menu.press(way)
            yield _result(name, menu, list(keys) * _EACH, _DRAWN, LIMIT)
        yield _result("an arrow key in the list", menu, [_DOWN, _UP] * (_ARROWS // 2), b"", LIMIT_OF_KEY)
        menu.press([_DOWN] * 24, b"")
        yield _result("a line scrolled by an arrow key", menu, [_DOWN] * _ARROWS, b"", LIMIT)
        menu.press("0")
        menu.press("r", b"Client")
        yield _result("a key while a client is looked for", menu, _TYPED, b"", LIMIT)


def _result(name: str, menu: Menu, keys: Sequence[str], wanted: bytes, limit: float) -> Result:
    """The time of one of these keys, measured in turn with the floor."""
    menu.press(keys, wanted)
    pairs = []
    for _ in range(_ROUNDS):
        before = cpu_of([menu.process])
        menu.press(keys, wanted)
        pairs.append(((cpu_of([menu.process]) - before) / len(keys), seconds(importing)))
    spent, floor = (statistics.median(pair[at] for pair in pairs) for at in (0, 1))
    return Result(f"page: {name}", spent, floor, IMPORTING, limit, f"CPU, median of {_ROUNDS}")

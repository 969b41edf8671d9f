"""What turning a page of the menu costs a processor, beside importing what draws it; and a key that only moves the
pointer."""

import os
import pty
import resource
import select
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.made_up import TODAY, store_of
from benchmarks.measuring import Result

LIMIT = 0.05
KEY_LIMIT = 0.005
_FLOOR = "import rich.console, rich.table, questionary"
_ROUNDS = 10
_FLOORS = 9
_DEADLINE = 20.0
# The last words that are drawn on a page, and what an arrow draws.
_DRAWN = b"? help"
_MOVED = "»".encode()


class Menu:
    """The menu on a terminal: keys go in, and each waits until something is drawn."""

    def __init__(self, path: Path) -> None:
        environment = {
            **os.environ,
            "CRM_STORE": f"sqlite:///{path}",
            "CRM_TODAY": TODAY.isoformat(),
            "TERM": "xterm-256color",
            "LANG": "C.UTF-8",
        }
        self.pid, self._terminal = pty.fork()
        if self.pid == 0:
            os.execvpe(sys.executable, [sys.executable, "run.py"], environment)
        import fcntl
        import struct
        import termios

        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))

    def sees(self, wanted: bytes) -> None:
        """Waits until something was drawn, and nothing more comes."""
        seen, started = b"", time.perf_counter()
        while True:
            ready, _, _ = select.select([self._terminal], [], [], 0.03)
            if ready:
                seen += os.read(self._terminal, 65_536)
            elif wanted in seen:
                return
            elif time.perf_counter() - started > _DEADLINE:
                raise RuntimeError(f"no {wanted!r} after {_DEADLINE} s: {seen[-300:]!r}")

    def press(self, key: str, wanted: bytes = _DRAWN) -> None:
        """Presses a key and waits for what it draws."""
        os.write(self._terminal, key.encode())
        self.sees(wanted)

    def spent(self) -> float:
        """The seconds of a processor that it has taken so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        """Ends it."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._terminal)


@contextmanager
def menu_on(path: Path) -> Iterator[Menu]:
    """A menu whose first page is drawn."""
    menu = Menu(path)
    try:
        menu.sees(_DRAWN)
        yield menu
    finally:
        menu.close()


def measure(folder: Path) -> list[Result]:
    """Rounds through the pages of a store with 100 000 clients, after one that loads what is loaded once."""
    path = store_of(folder, 100_000)
    floor = statistics.median(_floor() for _ in range(_FLOORS))
    rounds = {
        "a submenu and back": ("", "20"),
        "the list of clients and back": ("1", "30"),
        "the next page of a list": ("3", "np"),
    }
    results = []
    with menu_on(path) as menu:
        for name, (way, keys) in rounds.items():
            for key in way:
                menu.press(key)
            results.append(_result(name, _each(menu, keys, _DRAWN), floor, LIMIT))
        results.append(_result("an arrow key", _each(menu, ("\x1b[B",) * 4, _MOVED), floor, KEY_LIMIT))
    return results


def _each(menu: Menu, keys: Sequence[str], wanted: bytes) -> float:
    """What one of these keys costs."""
    spent = 0.0
    for turn in range(_ROUNDS + 1):
        before = menu.spent()
        for key in keys:
            menu.press(key, wanted)
        if turn:
            spent += menu.spent() - before
    return spent / (_ROUNDS * len(keys))


def _floor() -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", _FLOOR], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _result(name: str, spent: float, floor: float, limit: float) -> Result:
    return Result(
        f"CPU: {name}", spent, floor, "importing rich and questionary", f"at most {limit} x", spent <= limit * floor
    )

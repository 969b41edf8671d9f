"""Start to the first menu with 100 000 clients, beside importing what draws it."""

import os
import pty
import select
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.made_up import NOON, store_of
from benchmarks.measuring import IMPORTING, Result, claim, importing

LIMIT = 2.0
_RUNS = 9
_DEADLINE = 30.0


def measure(folder: Path) -> Iterator[Result]:
    """From starting the process to the last line of the menu on a terminal."""
    path = store_of(folder, 100_000)
    yield claim("start to the first menu", lambda: to_menu(path), importing, IMPORTING, LIMIT, runs=_RUNS)


def to_menu(path: Path) -> float:
    environment = {**os.environ, "CRM_STORE": f"sqlite:///{path}", "CRM_NOW": NOON.isoformat(), "TERM": "xterm"}
    started = time.perf_counter()
    child, terminal = pty.fork()
    if child == 0:
        os.execvpe(sys.executable, [sys.executable, "run.py"], environment)
    seen = b""
    try:
        while b"Exit" not in seen:
            if time.perf_counter() - started > _DEADLINE:
                raise RuntimeError(f"no menu after {_DEADLINE} s: {seen[-300:]!r}")
            ready, _, _ = select.select([terminal], [], [], 1)
            if ready:
                seen += os.read(terminal, 65536)
        return time.perf_counter() - started
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(terminal)

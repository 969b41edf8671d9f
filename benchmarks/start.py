"""Start to the first menu with 100 000 clients, beside importing what draws it."""

import os
import pty
import select
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.made_up import TODAY, store_of
from benchmarks.measuring import Result, seconds

LIMIT = 2.5
_RUNS = 9
_DEADLINE = 30.0
_FLOOR = "import rich.console, rich.table, questionary"


def measure(folder: Path) -> list[Result]:
    """From starting the process to the last line of the menu on a terminal."""
    path = store_of(folder, 100_000)
    pairs = []
    for run in range(_RUNS + 1):
        pair = to_menu(path), seconds(lambda: subprocess.run([sys.executable, "-c", _FLOOR], check=True))
        if run:
            pairs.append(pair)
    measured = statistics.median(pair[0] for pair in pairs)
    floor = statistics.median(pair[1] for pair in pairs)
    return [
        Result(
            "start to the first menu",
            measured,
            floor,
            "importing rich and questionary",
            f"at most {LIMIT} x",
            measured <= LIMIT * floor,
        )
    ]


def to_menu(path: Path) -> float:
    environment = {**os.environ, "CRM_STORE": f"sqlite:///{path}", "CRM_TODAY": TODAY.isoformat(), "TERM": "xterm"}
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

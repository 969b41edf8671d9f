"""The start: a command, completion, the first menu with 100 000 clients, and the first key after it."""

import os
import pty
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from benchmarks.made_up import NOON, crm_at, store_of
from benchmarks.measuring import IMPORTING, Result, claim, cpu_of, importing, seconds
from benchmarks.page import menu_on
from crm.commands.registry import named

_RUNS = 9
# So long nobody presses a key once the menu is there.
_LOOKS = 1.0


def measure(folder: Path) -> Iterator[Result]:
    """Command as whole processes; the menu from starting the process to its last line on a terminal."""
    small = folder / "small.sqlite3"
    add = named("clients add")
    for name in ("Anna", "Bert", "Cleo"):
        add(crm_at(small), {"first_name": name})

    def claimed(
        what: str, at_most: float, *arguments: str, on_terminal: bool = False, words: Sequence[str] = ()
    ) -> Result:
        def action() -> None:
            command = [sys.executable, "run.py", *arguments]
            # Three clients are so few that a terminal holds what is written until it is closed.
            ours, its = pty.openpty()
            try:
                out = its if on_terminal else subprocess.DEVNULL
                subprocess.run(command, env=_environment(small, **_asking(*words)), stdout=out, check=True)
            finally:
                os.close(ours)
                os.close(its)

        return claim(what, action, importing, IMPORTING, at_most, runs=_RUNS)

    yield claimed("--version", 0.5, "--version")
    yield claimed("a command that reads a table, --json", 1.7, "--json", "clients", "list")
    yield claimed("a command that reads a table, for a pipe", 1.7, "clients", "list")
    yield claimed("a command that reads a table, drawn", 1.7, "clients", "list", on_terminal=True)
    yield claimed("a list of e-mails, for a pipe", 1.7, "email", "list")
    yield claimed("Tab: commands", 1.7, words=("clients", "l"))
    yield claimed("Tab: names of clients", 1.7, words=("clients", "show", "An"))
    path = store_of(folder, 100_000)
    yield claim("start to the first menu", lambda: to_menu(path), importing, IMPORTING, 2.0, runs=_RUNS)
    keys = [(_first_key(path), seconds(importing)) for _ in range(_RUNS)]
    key, floor = (median(each) for each in zip(*keys, strict=True))
    yield Result("the first key after it", key, floor, IMPORTING, 0.2, f"CPU, median of {_RUNS}")


def _environment(path: Path, **more: str) -> dict[str, str]:
    return {**os.environ, "CRM_STORE": f"sqlite:///{path}", "CRM_NOW": NOON.isoformat(), "TERM": "xterm", **more}


def _asking(*words: str) -> dict[str, str]:
    """The environment in which bash asks for completions of the last word, if there is one."""
    if not words:
        return {}
    line = ["run.py", *words]
    return {"_RUN_PY_COMPLETE": "bash_complete", "COMP_WORDS": "\n".join(line), "COMP_CWORD": str(len(words))}


def to_menu(path: Path) -> None:
    """Start the program until its menu is drawn."""
    with menu_on(path):
        pass


def _first_key(path: Path) -> float:
    """The CPU time that the first key takes, pressed by somebody who looked at the menu first."""
    with menu_on(path) as opened:
        time.sleep(_LOOKS)
        used = cpu_of([opened.process])
        opened.press("1")
        return cpu_of([opened.process]) - used

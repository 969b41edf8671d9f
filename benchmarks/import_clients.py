"""Import of 100 000 clients from CSV: checked, matched, audited, searchable; and its memory."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from benchmarks.made_up import HEADER, crm_at, rows, write_csv
from benchmarks.measuring import Result, claim
from crm.commands.data.importing import begin, run

COUNT = 100_000
LIMIT, LIMIT_OF_MEMORY = 3.5, 1.3
_FLOOR = f"""
CREATE TABLE client (id INTEGER PRIMARY KEY, {", ".join(f'"{name}" TEXT' for name in HEADER)});
CREATE VIRTUAL TABLE client_search USING fts5(a, b, tokenize='trigram');
"""


def measure(folder: Path) -> Iterator[Result]:
    """The import, beside bare sqlite3 writing the same cells and the same search index, unchecked."""
    file = write_csv(folder / "import.csv", COUNT)
    numbers = count(1)

    def imported() -> None:
        crm = crm_at(folder / f"import-{next(numbers)}.sqlite3")
        run(crm, begin(crm, file, "clients"))
        crm.repository.close()

    yield claim(
        f"import of {COUNT:,} clients",
        imported,
        lambda: _bare(folder / f"bare-{next(numbers)}.sqlite3"),
        "bare sqlite3, unchecked",
        LIMIT,
        runs=3,
        warm_up=False,
    )
    small, large = _peak_memory(folder, 20_000), _peak_memory(folder, 200_000)
    yield Result(
        "memory of an import of 200 000", large, small, "an import of 20 000", LIMIT_OF_MEMORY, "peak, once", unit="MB"
    )


def _bare(path: Path) -> None:
    store = sqlite3.connect(path, isolation_level=None)
    store.execute("PRAGMA journal_mode = WAL")
    store.execute("PRAGMA synchronous = FULL")
    store.executescript(_FLOOR)
    store.execute("BEGIN IMMEDIATE")
    store.executemany(f"INSERT INTO client VALUES (NULL{', ?' * len(HEADER)})", rows(COUNT))
    name, rest = '"First name" || "Last name" || "Company"', '"E-mail" || "Phone" || "City"'
    store.execute(f"INSERT INTO client_search SELECT {name}, {rest} FROM client")
    store.execute("COMMIT")
    store.close()


def _peak_memory(folder: Path, count: int) -> float:
    """The peak memory (MB) of a process that imports so many clients, as the operating system counts it."""
    file = write_csv(folder / f"memory-{count}.csv", count)
    store = f"sqlite:///{folder / f'memory-{count}.sqlite3'}"
    child = subprocess.Popen(
        [sys.executable, "run.py", "--store", store, "--json", "import", str(file)], stdout=subprocess.DEVNULL
    )
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise RuntimeError(f"the import of {count} clients failed")
    return used.ru_maxrss / 1024

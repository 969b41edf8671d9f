"""Import of 100 000 clients from CSV: checked, matched, audited, searchable; and its memory."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

from benchmarks.made_up import HEADER, crm_at, rows, write_csv
from benchmarks.measuring import Result, seconds
from crm.commands.importing import begin, run

COUNT = 100_000
ROWS_A_SECOND = 8_000
_FLOOR = f"""
CREATE TABLE client (id INTEGER PRIMARY KEY, {", ".join(f'"{name}" TEXT' for name in HEADER)});
CREATE VIRTUAL TABLE client_search USING fts5(a, b, tokenize='trigram');
"""


def measure(folder: Path) -> list[Result]:
    """The import, beside bare sqlite3 writing the same cells and the same search index, unchecked."""
    file = write_csv(folder / "import.csv", COUNT)
    crm = crm_at(folder / "import.sqlite3")
    taken = seconds(lambda: run(crm, begin(crm, file, "clients")))
    crm.repository.close()
    floor = seconds(lambda: _bare(folder / "bare.sqlite3"))
    rate = COUNT / taken
    small, large = _peak_memory(folder, 20_000), _peak_memory(folder, 200_000)
    return [
        Result(
            f"import of {COUNT:,} clients",
            taken,
            floor,
            "bare sqlite3, unchecked",
            f"at least {ROWS_A_SECOND:,} rows a second",
            rate >= ROWS_A_SECOND,
            f"{rate:,.0f} rows a second",
        ),
        Result(
            "memory of an import of 200 000 (MB)",
            large,
            small,
            "an import of 20 000 (MB)",
            "does not grow with the file (at most 1.3 x)",
            large <= 1.3 * small,
        ),
    ]


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

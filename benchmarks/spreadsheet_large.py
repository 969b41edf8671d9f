"""The store in a Google spreadsheet with 100 000 clients and 500 000 sales, more than Google lets one hold.

It takes many minutes, most of them to fill the stand-in, and 6 GB of memory; so it runs only where it is named.
What is measured runs in a process of its own, whose memory is counted.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from benchmarks.measuring import Result
from benchmarks.spreadsheet import ROUND_TRIP, Bench, first_page, stand_in
from crm.model import Client
from crm.repository.sheets.grid.layout import TABS, new_heading
from tests.support.google_sheets import Control

CLIENTS = 100_000
BUDGET = 5400
# What the store keeps to, on two cores that do nothing else.
OPENED_WITHIN, MEMORY, LOOKED_WITHIN = 60.0, 512.0, 5.0


def measure(folder: Path) -> Iterator[Result]:
    """A first open, and a look after one typed cell."""
    with stand_in("--most-cells", str(300 * CLIENTS)) as google:
        spreadsheet = google.make("Team")
        Bench(google, folder, spreadsheet).fill(CLIENTS)
        google.latency(ROUND_TRIP * 1000)
        command = [sys.executable, "-m", "benchmarks.spreadsheet_large", google.url, str(folder), spreadsheet]
        answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    figures = json.loads(answer.stdout)
    for name, limit in (("first open", OPENED_WITHIN), ("a look after one typed cell", LOOKED_WITHIN)):
        took = figures[name]
        how = f"wall, once (CPU {took['CPU']:.1f} s)"
        note = f"the transfer: {took['transfer']:.1f} s"
        yield Result(f"large spreadsheet: {name}", took["wall"], limit, "at most", 1.0, how, note)
        yield Result(f"… memory, {name}", took["memory"], MEMORY, "at most", 1.0, "peak so far", unit="MB")


def _measured(google: Control, folder: Path, spreadsheet: str) -> dict[str, dict[str, float]]:
    """The figures of each thing that is measured."""
    bench = Bench(google, folder, spreadsheet)
    service = bench.service("large")
    transferred = bench.transfer(service)
    figures: dict[str, dict[str, float]] = {}

    def note(name: str, action: Callable[[], object]) -> None:
        wall, cpu = time.perf_counter(), time.process_time()
        action()
        figures[name] = {"wall": time.perf_counter() - wall, "CPU": time.process_time() - cpu}
        figures[name]["memory"] = _peak()

    with closing(bench.machine("large", service)) as repository:
        repository.fresh_for = 0
        note("first open", lambda: first_page(repository))
        first_page(repository)
        city = new_heading(Client).index("City")
        google.set_cells(spreadsheet, TABS[Client].title, CLIENTS // 2, city, [["Typed"]])
        note("a look after one typed cell", lambda: first_page(repository))
        with repository.read() as snapshot:
            (typed,) = [one for one in snapshot.search("Typed") if one.id == CLIENTS // 2]
            assert snapshot.get(Client, typed.id).city == "Typed"
        started = time.perf_counter()
        transferred()
        for took in figures.values():
            took["transfer"] = time.perf_counter() - started
    return figures


def _peak() -> float:
    """The most memory that this program has had at once, in MB; `getrusage` counts what started it, too."""
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    url, place, name = sys.argv[1:]
    print(json.dumps(_measured(Control(url), Path(place), name)))

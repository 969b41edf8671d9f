"""Run the benchmarks, all or those named, and print each figure beside its floor.

Exit with 1 where a claim fails, and with 3 where one could not be measured in its time.
"""

import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import NoReturn

from rich.console import Console
from rich.table import Table

from benchmarks.measuring import OutOfTime, Result

NAMES = (
    "start", "page", "search", "everyday", "timeline", "record_sale", "review", "import_clients", "reports", "pipeline",
    "board", "outbox", "spreadsheet", "web", "invoices", "unpaid",
)  # fmt: skip
# These take many minutes, and run only where they are named.
NAMED_ONLY = ("spreadsheet_large",)
# Seconds that each may take, on a machine that is several times slower than a desk's; a benchmark may say its own.
BUDGET = 300


def main(names: list[str]) -> int:
    """Measure and print, one benchmark after the other; 0 where every claim holds."""
    known = (*NAMES, *NAMED_ONLY)
    unknown = [name for name in names if name not in known]
    if unknown:
        print(f"no benchmark {unknown[0]}; there are {', '.join(known)}")
        return 2
    # A program that is installed is compiled once, and not by every process anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    held, measured = True, True
    with tempfile.TemporaryDirectory(prefix="crm-benchmark-") as folder:
        for name in names or NAMES:
            module = import_module(f"benchmarks.{name}")
            budget = getattr(module, "BUDGET", BUDGET)
            results: list[Result] = []
            remark = _filled(results, partial(module.measure, Path(folder)), budget)
            _print(name, results, f"{remark}; this is what it has" if remark else "")
            held &= all(result.holds for result in results)
            measured &= not remark
    return 0 if held and measured else 1 if not held else 3


def _filled(results: list[Result], measure: Callable[[], Iterable[Result]], budget: float) -> str:
    """Take the results as they come; why not all of them came, if so."""
    out_of_time = f"out of its {budget} s"
    try:
        with _alarm(budget) as rung:
            for result in measure():
                results.append(result)
                if rung:
                    return out_of_time
    except OutOfTime:
        return out_of_time
    except Exception as fault:
        traceback.print_exc()
        return f"failed: {fault}"
    return ""


@contextmanager
def _alarm(seconds: float) -> Iterator[list[bool]]:
    """Raise OutOfTime in whatever runs after so many seconds, and note that it did."""
    rung: list[bool] = []

    def ring(*_: object) -> NoReturn:
        rung.append(True)
        raise OutOfTime

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield rung
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _print(name: str, results: Iterable[Result], remark: str) -> None:
    table = Table(title=name, title_justify="left", caption=remark or None, caption_justify="left", expand=True)
    for column, ratio in (("", 5), ("measured", 2), ("floor", 5), ("ratio", 1), ("at most", 1), ("", 1), ("how", 4)):
        table.add_column(column, ratio=ratio)
    for result in results:
        table.add_row(
            f"{result.name}\n[dim]{result.note}[/]" if result.note else result.name,
            _shown(result.measured, result.unit),
            f"{_shown(result.floor, result.unit)} {result.floor_name}",
            f"{result.ratio:.2f}",
            f"{result.limit:g} x",
            "holds" if result.holds else "NO",
            result.how,
        )
    Console(width=160).print(table)


def _shown(figure: float, unit: str) -> str:
    if unit != "s":
        return f"{figure:,.0f} {unit}"
    return f"{figure:.2f} s" if figure >= 1 else f"{figure * 1000:.3f} ms"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

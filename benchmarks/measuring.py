"""Measurements of an action and its floor in turn, and their ratio.

To add a claim, yield `claim(…)` from the `measure` of a benchmark. A claim is always a ratio to a floor that is
measured in the same run: seconds would hold on one machine only.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from statistics import median
from typing import Literal

IMPORTING = "importing rich and questionary"

Clock = Literal["CPU", "wall"]


@dataclass(frozen=True, slots=True)
class Result:
    """One claim: what was measured takes at most `limit` times its floor. Units are "s", "MB" or what is counted."""

    name: str
    measured: float
    floor: float
    floor_name: str
    limit: float
    how: str
    note: str = ""
    unit: str = "s"

    @property
    def ratio(self) -> float:
        """The time of the action as a multiple of its floor."""
        return self.measured / self.floor

    @property
    def holds(self) -> bool:
        """True if the claim is kept."""
        return self.ratio <= self.limit


class OutOfTime(BaseException):
    """A benchmark has used up its time; not an Exception, so that what is measured does not take it for its own."""


def claim(
    name: str,
    action: Callable[[], object],
    floor: Callable[[], object],
    floor_name: str,
    at_most: float,
    *,
    clock: Clock = "CPU",
    runs: int = 7,
    warm_up: bool = True,
    each: int = 1,
    note: str | Callable[[], str] = "",
) -> Result:
    """Run an action and its floor in turn (A B A B …) and compare the medians.

    The time is CPU time of this process and of the children that it waited for, which other work on the machine does
    not add to; `clock="wall"` is for what waits for others. `each` is how many there are in one run. What has been
    measured when the benchmark runs out of its time is what counts; OutOfTime if that is nothing.
    """
    pairs: list[tuple[_Taken, _Taken]] = []
    with suppress(OutOfTime):
        if warm_up:
            action()
            floor()
        for _ in range(runs):
            pairs.append((_taken(action), _taken(floor)))
    if not pairs:
        raise OutOfTime
    taken = {which: tuple(median(pair[at][which] for pair in pairs) for at in (0, 1)) for which in ("CPU", "wall")}
    measured, least = taken[clock]
    other = "wall" if clock == "CPU" else "CPU"
    how = f"{clock}, median of {len(pairs)}"
    if taken[other][1] >= 0.0001:
        how += f" ({other} {taken[other][0] / taken[other][1]:.2f} x)"
    told = note if isinstance(note, str) else note()
    return Result(name, measured / each, least / each, floor_name, at_most, how, told)


def importing() -> None:
    """The floor of all that starts or draws: a process that imports rich and questionary."""
    subprocess.run([sys.executable, "-c", "import rich.console, rich.table, questionary"], check=True)


def seconds(action: Callable[[], object], clock: Clock = "CPU", runs: int = 1) -> float:
    """The shortest time of an action."""
    return min(_taken(action)[clock] for _ in range(runs))


def cpu_of(processes: Iterable[int]) -> float:
    """The CPU time that processes have taken so far, all threads of each."""
    threads = [thread for process in processes for thread in Path(f"/proc/{process}/task").iterdir()]
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9


_Taken = dict[Clock, float]


def _taken(action: Callable[[], object]) -> _Taken:
    used, started = _cpu(), time.perf_counter()
    action()
    return {"wall": time.perf_counter() - started, "CPU": _cpu() - used}


def _cpu() -> float:
    children = getrusage(RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime

"""Timing a thing and its floor in turn, and saying how they compare."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Result:
    """One claim: what was measured, beside its floor, and whether it holds. Times are seconds, medians."""

    name: str
    measured: float
    floor: float
    floor_name: str
    limit: str
    holds: bool
    note: str = ""

    @property
    def ratio(self) -> float:
        """How many times the floor the measured thing takes."""
        return self.measured / self.floor


def seconds(action: Callable[[], object]) -> float:
    """How long an action takes."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def in_turn(action: Callable[[], object], floor: Callable[[], object], runs: int = 7) -> tuple[float, float]:
    """The medians of an action and its floor, run in turn (A B A B …) after one warm-up each."""
    action()
    floor()
    pairs = [(seconds(action), seconds(floor)) for _ in range(runs)]
    return statistics.median(pair[0] for pair in pairs), statistics.median(pair[1] for pair in pairs)

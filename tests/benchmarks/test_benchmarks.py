"""A benchmark compares with its floor, and tells what it has when its time is up."""

import signal
import time
from collections.abc import Iterator
from importlib import import_module
from types import SimpleNamespace

import pytest

from benchmarks import __main__ as benchmarks
from benchmarks.measuring import OutOfTime, Result, claim


def _spin(seconds: float) -> None:
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass


def test_a_claim_is_a_ratio_of_cpu_times_to_its_floor() -> None:
    result = claim("a thing", lambda: _spin(0.01), lambda: (_spin(0.002), time.sleep(0.01)), "less", 10, runs=3, each=2)
    assert result.floor == pytest.approx(0.001, rel=0.5)
    assert 3 < result.ratio < 6
    assert result.holds
    assert result.how.startswith("CPU, median of 3")


def test_a_claim_that_runs_out_of_time_reports_partial_results() -> None:
    runs: list[int] = []

    def action() -> None:
        if len(runs) == 3:
            raise OutOfTime
        runs.append(1)

    assert claim("a thing", action, lambda: _spin(0.001), "less", 10).how.startswith("CPU, median of 2")
    with pytest.raises(OutOfTime):
        claim("a thing", action, lambda: None, "less", 10)


def test_a_benchmark_that_runs_out_of_time_prints_partial_results(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def measure(_: object) -> Iterator[Result]:
        yield Result("first", 1, 1, "floor", 2, "counted", unit="requests")
        signal.raise_signal(signal.SIGALRM)
        yield Result("second", 1, 1, "floor", 2, "counted", unit="requests")

    monkeypatch.setattr(benchmarks, "import_module", lambda _: SimpleNamespace(measure=measure, BUDGET=60))
    assert benchmarks.main(["start"]) == 3
    printed = capsys.readouterr().out
    assert "first" in printed
    assert "second" not in printed
    assert "out of its 60 s; this is what it has" in printed


@pytest.mark.parametrize("name", [*benchmarks.NAMES, *benchmarks.NAMED_ONLY])
def test_every_benchmark_can_be_loaded(name: str) -> None:
    assert callable(import_module(f"benchmarks.{name}").measure)

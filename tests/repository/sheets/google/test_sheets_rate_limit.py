"""The rate limit that the programs of a machine share: in order and exact, whatever happens to any of them."""

import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from crm.errors import StoreBusyError
from crm.repository import Wait
from crm.repository.sheets.google.rate_limit import LONGEST_WAIT, USED_UP, Limiter, Stopwatch
from tests.conftest import PYTHON, child_environment
from tests.support.google_double import FakeClock


class Programs:
    """Programs that share a quota; all have the same clock, and only sleeping moves it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.fake = FakeClock()
        self.waits: list[Wait] = []
        self.made: list[Limiter] = []

    def another(self, account: str = "crm@team", clock: Stopwatch | None = None) -> Limiter:
        made = Limiter(self.folder, account, clock or self.fake.clock)
        self.made.append(made)
        return made

    def take(self, times: int, limiter: Limiter | None = None, kind: Any = "reads") -> float:
        """Take slots; how long that took."""
        limiter = limiter or self.another()
        started = self.fake.time
        for _ in range(times):
            limiter.take(kind, self.waits.append)
        return self.fake.time - started


@pytest.fixture
def programs(tmp_path: Path) -> Iterator[Programs]:
    made = Programs(tmp_path)
    yield made
    for service in made.made:
        service.close()


def test_sixty_requests_go_at_once_and_the_next_waits_a_minute(programs: Programs) -> None:
    assert programs.take(1) == 0
    programs.fake.time += 20
    assert programs.take(59) == 0
    assert programs.waits == []
    assert programs.take(1) == pytest.approx(40.5)
    message = [wait.sentence for wait in programs.waits]
    assert message[0] == f"{USED_UP}; continues in 41 s"
    assert message[1] == f"{USED_UP}; continues in 40 s"
    assert message[-2:] == [f"{USED_UP}; continues in 1 s", f"{USED_UP}; continues in 0 s"]
    assert len(message) == 42
    assert programs.take(1) == pytest.approx(20)


def test_reads_writes_and_accounts_have_separate_limits(programs: Programs) -> None:
    assert programs.take(60) == 0
    assert programs.take(60, kind="writes") == 0
    assert programs.take(60, programs.another("other@team")) == 0
    assert programs.take(1) > 60


def test_drive_requests_are_not_limited(programs: Programs) -> None:
    assert programs.take(200, kind="drive") == 0


def test_never_more_than_sixty_in_any_minute(programs: Programs) -> None:
    limiters = [programs.another() for _ in range(3)]
    at = []
    for number in range(200):
        programs.take(1, limiters[number % 3])
        at.append(programs.fake.time)
        programs.fake.time += (number * 37 % 11) / 10
    assert all(later - earlier > 60 for earlier, later in zip(at, at[60:], strict=False))


def test_waiting_requests_are_served_in_order(programs: Programs) -> None:
    began = programs.fake.time
    for _ in range(60):
        programs.take(1)
        programs.fake.time += 0.5
    came: list[float] = []

    def second_comes_too(_wait: Wait) -> None:
        if not came:
            came.append(0)
            programs.take(1)
            came[0] = programs.fake.time

    programs.another().take("reads", second_comes_too)
    # The first slot that frees itself is for who asked first.
    assert came == [pytest.approx(began + 0.5 + 60.5)]


def test_an_interrupted_wait_frees_its_slot(programs: Programs) -> None:
    programs.take(60)

    def leaves(_wait: Wait) -> None:
        raise KeyboardInterrupt

    for _ in range(100):
        with pytest.raises(KeyboardInterrupt):
            programs.another().take("reads", leaves)
    assert programs.take(1) == pytest.approx(60.5)


def test_a_queue_that_is_too_long_is_refused(programs: Programs) -> None:
    clock = Stopwatch(programs.fake.clock.now, programs.fake.clock.day, lambda _: None)
    programs.take(60)
    with closing(sqlite3.connect(programs.folder / "quota.sqlite3", isolation_level=None)) as slots:
        # Others in the queue, as they stand there while they wait.
        for minute in range(1, 5):
            slots.execute(
                "INSERT INTO slot SELECT account, kind, at + ?, epoch FROM slot WHERE at = 1000", [minute * 60.5]
            )
    programs.take(0, programs.another(clock=clock))
    with pytest.raises(StoreBusyError, match="is used up"):
        programs.another().take("reads", programs.waits.append)
    assert programs.fake.slept == []


# The end of Google's quota


def test_a_refusal_pauses_everybody_until_the_minute_is_over(programs: Programs) -> None:
    first, second = programs.another(), programs.another()
    programs.take(1, first)
    programs.fake.time += 30
    programs.take(1, first)
    first.refused("reads", 1)
    assert programs.take(1, second) == pytest.approx(30.5)
    assert programs.take(1, first) == 0
    assert programs.take(1, second, "writes") == 0


def test_two_machines_behind_one_account_both_go_on(tmp_path: Path) -> None:
    """Google refuses what is over sixty a minute for the account; neither machine knows of the other."""
    google: list[float] = []
    refused: list[int] = []
    machines = [Programs(tmp_path / name) for name in ("one", "two")]
    fake = machines[0].fake
    machines[1].fake = fake
    limiters = [machine.another() for machine in machines]

    def read(limiter: Limiter) -> None:
        attempt, since = 0, fake.time
        while True:
            # It raises StoreBusyError if that takes too long.
            limiter.take("reads", lambda _: None, since)
            if sum(at > fake.time - 60 for at in google) < 60:
                google.append(fake.time)
                return
            attempt += 1
            refused.append(attempt)
            assert attempt < 10
            limiter.refused("reads", attempt)

    for _ in range(100):
        for limiter in limiters:
            read(limiter)
            fake.time += 0.1
    for limiter in limiters:
        limiter.close()
    assert refused
    # 200 reads, sixty a minute.
    assert google[-1] - google[0] < 240


def test_further_refusals_pause_longer_each_time(programs: Programs) -> None:
    limiter = programs.another()
    paused = []
    for attempt in range(2, 8):
        limiter.refused("reads", attempt)
        paused.append(programs.take(1, limiter))
    assert paused == [10, 20, 40, 60, 60, 60]


def test_a_later_refusal_never_shortens_a_pause(programs: Programs) -> None:
    limiter = programs.another()
    limiter.refused("reads", 1, after=120)
    limiter.refused("reads", 2)
    assert programs.take(1, limiter) == pytest.approx(120)


def test_a_refusal_of_another_program_extends_a_wait(programs: Programs) -> None:
    programs.take(60)
    refused: list[bool] = []

    def somebody_is_refused(wait: Wait) -> None:
        if not refused and wait.left is not None and wait.left < 5:
            refused.append(True)
            programs.another().refused("reads", 4)

    started = programs.fake.time
    programs.another().take("reads", somebody_is_refused)
    assert programs.fake.time - started == pytest.approx(60.5 - 4.5 + 40, abs=1)


def test_a_wait_ends_with_an_error_after_the_maximum(programs: Programs) -> None:
    limiter = programs.another()
    since = programs.fake.time
    programs.fake.time += LONGEST_WAIT - 5
    limiter.refused("writes", 3)
    with pytest.raises(StoreBusyError):
        limiter.take("writes", programs.waits.append, since)


# Clocks


def test_a_changed_clock_blocks_nobody(programs: Programs) -> None:
    programs.take(60)
    programs.another().refused("reads", 1)
    for jump in (-3600.0, 7200.0, 0.0):
        jumped = Stopwatch(
            programs.fake.clock.now, lambda jump=jump: programs.fake.clock.day() + jump, programs.fake._sleep
        )
        assert programs.take(60, programs.another(clock=jumped)) == 0


def test_a_restarted_machine_does_not_wait(programs: Programs) -> None:
    programs.take(60)
    programs.another().refused("reads", 1, after=200)
    # The clock of the machine begins again, the time of day has gone on.
    restarted = Stopwatch(
        lambda: programs.fake.time - 900, lambda: programs.fake.clock.day() + 60, programs.fake._sleep
    )
    assert programs.take(60, programs.another(clock=restarted)) == 0


# The file


@pytest.mark.parametrize("content", [b"no database", b"SQLite format 3\0" + b"\xff" * 5000, b""])
def test_a_damaged_file_stops_nobody(programs: Programs, content: bytes) -> None:
    (programs.folder / "quota.sqlite3").write_bytes(content)
    assert programs.take(60) == 0
    assert programs.take(1) > 60


def test_a_file_of_another_shape_stops_nobody(programs: Programs) -> None:
    with closing(sqlite3.connect(programs.folder / "quota.sqlite3", isolation_level=None)) as other:
        other.execute("CREATE TABLE slot (something)")
    assert programs.take(60) == 0
    assert programs.take(1) > 60


def test_a_folder_that_cannot_be_written_stops_nobody(programs: Programs) -> None:
    (programs.folder / "taken").write_text("")
    limiter = Limiter(programs.folder / "taken", "crm@team", programs.fake.clock)
    programs.made.append(limiter)
    assert programs.take(60, limiter) == 0
    assert programs.take(1, limiter) > 60


TAKES = """
import sys, time
from pathlib import Path
from crm.repository.sheets.google.rate_limit import Stopwatch, Limiter

class Full(Exception): pass

def full(_seconds): raise Full

limiter = Limiter(Path(sys.argv[1]), "crm@team", Stopwatch(sleep=full))
taken = 0
print("ready", flush=True)
sys.stdin.readline()
try:
    for _ in range(40):
        limiter.take("reads", lambda wait: None)
        taken += 1
except Full:
    pass
print(taken, flush=True)
"""
DIES = """
import sys, time
from pathlib import Path
from crm.repository.sheets.google.rate_limit import Limiter

limiter = Limiter(Path(sys.argv[1]), "crm@team")
limiter.take("reads", lambda wait: None)

def hold(file):
    file.execute("DELETE FROM slot")
    print("ready", flush=True)
    time.sleep(60)

limiter._counts.change(hold)
"""


def program(code: str, folder: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [PYTHON, "-c", code, str(folder)],
        env=child_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
def test_several_programs_share_sixty_requests(tmp_path: Path) -> None:
    running = [program(TAKES, tmp_path) for _ in range(5)]
    try:
        for process in running:
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
        answers = []
        for process in running:
            assert process.stdin
            process.stdin.write("\n")
            process.stdin.flush()
        for process in running:
            answers.append(int(process.communicate(timeout=60)[0]))
        assert sum(answers) == 60
        assert [process.returncode for process in running] == [0] * 5
    finally:
        for process in running:
            process.kill()
            process.communicate()


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")
def test_a_program_that_dies_blocks_nobody(programs: Programs) -> None:
    dying = program(DIES, programs.folder)
    try:
        assert dying.stdout
        assert dying.stdout.readline() == "ready\n"
        dying.send_signal(signal.SIGKILL)
        dying.communicate(timeout=60)
        with closing(Limiter(programs.folder, "crm@team")) as limiter:
            started = time.monotonic()
            for _ in range(59):
                limiter.take("reads", programs.waits.append)
            assert time.monotonic() - started < 1
        assert programs.waits == []
    finally:
        dying.kill()
        dying.communicate()


def test_a_program_suspended_while_it_holds_the_lock_blocks_nobody_for_long(
    programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crm.local_database._SHORT", 0.1)
    holding = program(DIES, programs.folder)
    try:
        assert holding.stdout
        assert holding.stdout.readline() == "ready\n"
        assert programs.take(60) == 0
        assert programs.take(1) == 0
    finally:
        holding.kill()
        holding.communicate()


def test_a_slot_is_cheap(programs: Programs) -> None:
    limiter = programs.another()
    programs.take(1, limiter)
    started = time.process_time()
    programs.take(50, limiter)
    # Measured at 0.4 milliseconds of the processor's time each.
    assert (time.process_time() - started) / 50 < 0.002

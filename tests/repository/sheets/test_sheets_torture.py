"""Eight programs on four machines sell and edit at once, while a person works in the sheet and replies are lost."""

import json
import os
import random
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import pytest

from crm.model import Client, Sale
from tests import conftest
from tests.conftest import PROJECT, PYTHON, child_environment
from tests.support import sheets_seller
from tests.support.google_sheets import Control
from tests.support.sheets_team import CLIENTS, SALES, Team, new_team

pytestmark = pytest.mark.slow

MACHINES, PROGRAMS = 4, 8
SALES_EACH, EDITS_EACH = 6, 3
EDITS_MORE = 4
# Ends a run that hangs: a busy computer takes minutes to start and end all programs.
LONGEST = 500.0


@pytest.fixture
def far_away(monkeypatch: pytest.MonkeyPatch) -> Iterator[Control]:
    """A stand-in in a process of its own."""
    command = [PYTHON, "-m", "tests.support.google_sheets", "--no-quota"]
    with subprocess.Popen(command, cwd=PROJECT, env=child_environment(), stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            control = Control(process.stdout.readline().split()[-1])
            monkeypatch.setattr(conftest, "google", lambda: control)
            yield control
        finally:
            process.kill()


def _work_in_the_sheet(team: Team, over: threading.Event) -> None:
    """Edit the sheet as a person does; rows of records are only sorted."""
    chance = random.Random(1)
    while not over.is_set():
        match chance.randrange(6):
            case 0:
                team.person.sort(team.id, CLIENTS, chance.choice([0, 1]), chance.random() < 0.5)
            case 1:
                team.person.sort(team.id, SALES, 0, chance.random() < 0.5)
            case 2:
                # Nobody but the person puts a row in the place of this one meanwhile.
                team.person.insert_rows(team.id, CLIENTS, 1, 1)
                time.sleep(0.05)
                team.person.delete_rows(team.id, CLIENTS, 1, 1)
            case 3:
                team.person.insert_rows(team.id, SALES, 1 + chance.randrange(5), 1)
            case 4:
                team.person.set_cells(team.id, "Sheet1", 0, 0, [[chance.random()]])
            case 5:
                team.person.sort(team.id, CLIENTS, 2, chance.random() < 0.5)
        time.sleep(chance.uniform(0.05, 0.25))


def _run(programs: list[str]) -> list[str]:
    """The lines that the programs print, one each."""
    with subprocess.Popen(
        [PYTHON, "-m", "tests.support.sheets_seller", *programs],
        cwd=PROJECT, env=child_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    ) as process:  # fmt: skip
        try:
            output, errors = process.communicate(timeout=LONGEST)
        finally:
            with suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL)
    assert (process.returncode, errors) == (0, "")
    return output.splitlines()


@pytest.mark.slow
def test_eight_programs_and_a_person_at_once(far_away: Control, tmp_path: Path) -> None:
    with new_team() as team:
        team.store.change(
            lambda tx: tx.add_all(
                [Client(kind="person", last_name=f"Buyer {at}") for at in range(sheets_seller.CLIENTS)]
            )
        )
        far_away.fault("drop_reply", every=10)
        over = threading.Event()
        person = threading.Thread(target=_work_in_the_sheet, args=(team, over))
        person.start()
        programs = []
        for at in range(PROGRAMS):
            folder = tmp_path / f"machine-{at % MACHINES}"
            folder.mkdir(exist_ok=True)
            (folder / "creds").write_text(json.dumps(far_away.credentials()))
            edits = EDITS_EACH + (at < EDITS_MORE)
            programs.append(json.dumps([team.id, str(folder), far_away.url, f"program-{at}", SALES_EACH, edits]))
        try:
            answers = _run(programs)
        finally:
            over.set()
            person.join(20)
        far_away.clear_faults()
        made = [tuple(map(int, answer.split())) for answer in answers]
        assert len(made) == PROGRAMS
        _look_at_the_end(team, sum(sales for sales, _ in made), sum(edits for _, edits in made))


def _look_at_the_end(team: Team, sales: int, edits: int) -> None:
    found = team.agreed()
    assert len(found[Sale]) == sales >= PROGRAMS
    sold = Counter(record.client for record in found[Sale].values())  # type: ignore[attr-defined]
    for record in found[Client].values():
        assert isinstance(record, Client)
        assert record.last_name == f"Buyer {record.id - 1}"
        assert (record.sales_count, record.total_spend) == (sold[record.id], Decimal(10) * sold[record.id])
    with team.repository.read() as snapshot:
        entries = snapshot.history(limit=1000)
    ours = Counter(entry.what for entry in entries if entry.user.startswith("program"))
    assert len(ours) == sales + edits
    assert set(ours.values()) == {1}
    assert [finding.what for finding in team.repository.check() if finding.wrong] == []

"""Torture: programs on two machines, a bad network, kill -9 and a person in the sheet; then everything is counted.

By hand, for many seeds: `python -m tests.support.torture FIRST_SEED LAST_SEED`; `merging` after them for a service that
merges requests. There, `person` lets a person edit, too, at most once for each request, before it is looked at;
`between`: after that look, before the request is applied; both words: at both moments.
"""

import json
import random
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from decimal import Decimal
from pathlib import Path

from crm.model import Client, Sale
from tests import conftest
from tests.conftest import PROJECT, PYTHON, child_environment
from tests.support import sheets_seller
from tests.support.bad_network import BadNetwork
from tests.support.google_sheets import Control
from tests.support.sheets_team import CLIENTS, SALES, Edit, Team, new_team

MACHINES = 2
# A column of a name in the tab of clients.
_NAME = 3
# All that a service can work out on the state that a request found, and how long others come in between (seconds).
MERGES, WINDOW = ("marker", "append", "copy", "answer"), 0.03
# When a person edits: before a request is looked at, or between that and its writing on a service that merges.
PERSON, BETWEEN = "person", "between"


@contextmanager
def far_away() -> Iterator[Control]:
    """A stand-in in a process of its own, which stores of tests then use."""
    command = [PYTHON, "-m", "tests.support.google_sheets", "--no-quota"]
    with subprocess.Popen(command, cwd=PROJECT, env=child_environment(), stdout=subprocess.PIPE, text=True) as process:
        before = conftest.google
        try:
            assert process.stdout is not None
            control = Control(process.stdout.readline().split()[-1])
            conftest.google = lambda: control  # type: ignore[assignment,return-value]
            yield control
        finally:
            conftest.google = before
            process.kill()


def run(
    control: Control,
    seed: int,
    programs: int = 3,
    count: int = 6,
    kills: int = 2,
    *,
    merges: Sequence[str] = (),
    by_hand: Sequence[str] = (PERSON,),
) -> str:
    """One run, on a service that `merges` so much of a request, with a person in the sheet `by_hand` at these moments.
    Raises AssertionError with all that is lost, doubled or wrongly told. What went wrong on the way, in words."""
    with new_team() as team, tempfile.TemporaryDirectory() as folder, BadNetwork(control.url, seed) as network:
        team.store.change(
            lambda tx: tx.add_all([Client(kind="person", last_name=f"B {at}") for at in range(sheets_seller.CLIENTS)])
        )
        if merges:
            team.person.serialises(team.id, False)
            control.merges(merges, WINDOW)
        began, torture = time.monotonic(), _Run(team, network, Path(folder), seed, programs, count)
        try:
            killed = torture.work(kills, by_hand)
        finally:
            control.merges([])
        control.clear_faults()
        _judge(team, Path(folder), torture.typed)
        struck = ", ".join(f"{name} {times}" for name, times in sorted(network.struck.items()))
        return f"seed {seed}: {time.monotonic() - began:.0f} s, {killed} killed; {struck}"


class _Run:
    def __init__(self, team: Team, network: BadNetwork, folder: Path, seed: int, programs: int, count: int) -> None:
        self.team, self.network, self.folder, self.count = team, network, folder, count
        self.chance = random.Random(seed)
        self.names = [f"p{at}" for at in range(programs)]
        self.running: dict[str, subprocess.Popen[str]] = {}
        # Names that the person may have typed.
        self.typed: list[str] = []
        for at in range(MACHINES):
            (folder / f"machine-{at}").mkdir()
            given = team.person.credentials()
            given["token_uri"] = given["token_uri"].replace(team.person.url, network.url)
            (folder / f"machine-{at}" / "creds").write_text(json.dumps(given))

    def machine(self, name: str) -> Path:
        return self.folder / f"machine-{int(name[1:]) % MACHINES}"

    def work(self, kills: int, by_hand: Sequence[str]) -> int:
        """All programs to their end, some killed on the way; how many were."""
        over, killed = threading.Event(), 0
        person = threading.Thread(target=self._edit_by_hand, args=(over, random.Random(self.chance.random()), by_hand))
        if by_hand:
            person.start()
        try:
            for name in self.names:
                self._start(name)
            while self.running:
                time.sleep(0.1)
                for name, program in list(self.running.items()):
                    if program.poll() is not None:
                        del self.running[name]
                        _, errors = program.communicate()
                        if program.returncode == -9:
                            self._start(name)
                        else:
                            assert program.returncode == 0, errors
                if self.running and killed < kills and self.chance.random() < 0.05:
                    self.chance.choice(list(self.running.values())).kill()
                    killed += 1
        finally:
            over.set()
            if by_hand:
                person.join()
            for program in self.running.values():
                program.kill()
                program.communicate()
        return killed

    def _start(self, name: str) -> None:
        folder = self.machine(name)
        begun = [line for line in told(folder / f"{name}.told") if line[0] == "begin"]
        arguments = [self.team.id, str(folder), self.network.url, name, str(len(begun)), str(self.count)]
        self.running[name] = subprocess.Popen(
            [PYTHON, "-m", "tests.support.torture_program", *arguments],
            cwd=PROJECT, env=child_environment(), stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def _edit_by_hand(self, over: threading.Event, chance: random.Random, moments: Sequence[str]) -> None:
        """A person who moves rows and columns at the moment of writes, and types names: of clients, and of new ones."""
        while not over.is_set():
            edits = [self._edit(chance) for _ in range(chance.randint(0, 2))]
            with suppress(Exception):
                if chance.random() < 0.7:
                    before = edits[: None if BETWEEN not in moments else 1 if PERSON in moments else 0]
                    self.team.in_the_windows(*before)
                    self.team.in_the_merges(*edits[len(before) :])
                else:
                    for name, *arguments in (step for edit in edits for step in edit):
                        getattr(self.team.person, name)(self.team.id, *arguments)
            time.sleep(chance.uniform(0.1, 0.4))

    def _edit(self, chance: random.Random) -> list[Edit]:
        """One thing that a person does, in steps."""
        tab = chance.choice([CLIENTS, SALES])
        self.typed.append(f"typed {len(self.typed)}")
        # Each of the columns that are dragged in this tab holds a name.
        typing: Edit = ["set_cells", CLIENTS, chance.randint(1, 3), _NAME, [[self.typed[-1]]]]
        choices: list[list[Edit]] = [
            [["sort", tab, 0, chance.random() < 0.5]],
            [["insert_rows", tab, chance.randint(1, 3), 1]],
            [["move_rows", tab, 1, 1, 3]],
            [["filter", tab, 0, ["2"]]],
            [["move_column", tab, 3, 1]],
            [typing],
            [["insert_rows", CLIENTS, typing[2], 1], typing],
        ]
        return chance.choice(choices)


def told(file: Path) -> list[list[str]]:
    """The lines that a program has written, as words."""
    return [line.split() for line in file.read_text("utf-8").splitlines() if line] if file.exists() else []


def _judge(team: Team, folder: Path, typed: Sequence[str]) -> None:
    found = team.agreed()
    notes = Counter(sale.note for sale in found[Sale].values())  # type: ignore[attr-defined]
    tokens = Counter(
        f"{token};"
        for client in found[Client].values()
        for token in client.notes.split(";")  # type: ignore[attr-defined]
        if token
    )
    with team.repository.read() as snapshot:
        history = Counter(entry.what for entry in snapshot.history(limit=10_000))
    faults = []
    for file in sorted(folder.glob("*/*.told")):
        last: dict[str, tuple[str, str]] = {}
        for answer, kind, token, *_ in (line for line in told(file) if line[0] != "said"):
            last[token] = (answer, kind)
        for token, (answer, kind) in last.items():
            if kind == "temporary":
                times = history[f"added {token}"]
                gone = history[f"deleted {token}"]
                if times > 1 or gone > 1 or (answer == "ok" and (times, gone) != (1, 1)):
                    faults.append(f"{answer} {kind} {token}: added {times} times, deleted {gone} times")
                continue
            times = (notes if kind == "sale" else tokens)[token]
            right = {"ok": times == 1, "not": times == 0}.get(answer, times <= 1)
            if not right:
                faults.append(f"{answer} {kind} {token}: there {times} times")
    names = Counter(
        name
        for client in found[Client].values()
        for name in (client.first_name, client.last_name, client.company)  # type: ignore[attr-defined]
    )
    # One that is missing may have been typed over, or not typed yet.
    faults += [f"{name}: there {names[name]} times" for name in typed if names[name] > 1]
    for client in found[Client].values():
        sums = [sale.amount for sale in found[Sale].values() if sale.client == client.id]  # type: ignore[attr-defined]
        if client.total_spend != sum(sums, Decimal()):  # type: ignore[attr-defined]
            faults.append(f"client {client.id} shows {client.total_spend}, sales are {sum(sums)}")  # type: ignore[attr-defined]
    assert not faults, "\n".join(faults)


if __name__ == "__main__":
    first, final = int(sys.argv[1]), int(sys.argv[2])
    bad, merging = 0, "merging" in sys.argv
    by_hand = [moment for moment in (PERSON, BETWEEN) if moment in sys.argv] if merging else [PERSON]
    with far_away() as google:
        for number in range(first, final + 1):
            try:
                print(run(google, number, merges=MERGES if merging else (), by_hand=by_hand), flush=True)
            except Exception as error:
                bad += 1
                where = traceback.extract_tb(error.__traceback__)[-1].line
                print(f"seed {number}: {type(error).__name__} {error} ({where})", flush=True)
    print(f"{final - first + 1} seeds, {bad} bad")

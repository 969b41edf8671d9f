"""The store in a Google spreadsheet at 150 ms a round trip, beside its floors and the usual way.

The service is the stand-in of the tests, in a process of its own; the requests are counted there.
"""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import gspread
import requests

from benchmarks.made_up import NOON, TODAY, crm_at, rows, write_csv
from benchmarks.measuring import Clock, Result, claim, seconds
from crm.clock import running_from
from crm.commands.clients.rules import apply, edit
from crm.commands.context import CRM
from crm.commands.data.importing import begin, run
from crm.commands.sales.sales import add
from crm.model import RECORDS, Client, Sale, StatusRule
from crm.repository import Query
from crm.repository.sheets.google.credentials import account_from
from crm.repository.sheets.google.spreadsheet import Service
from crm.repository.sheets.grid.layout import TABS, new_heading
from crm.repository.sheets.mirror.mirror import META_RANGE
from crm.repository.sheets.repository import SheetsRepository
from crm.repository.sheets.setup import set_up
from crm.repository.sqlite.dialect import Sqlite
from tests.support.google_sheets import Control

ROUND_TRIP = 0.150
LIMIT_OF_OPENING, LIMIT_OF_WAITING, LIMIT_OF_MOVES, LIMIT_OF_IMPORT = 15.0, 1.25, 15.0, 5.0
# What waits for all cells takes at most this many times as long as their transfer: a first open, a check, and a look
# after a hand edit, which writes as well.
LIMIT_OF_LOOKING = 3.0
CLIENTS, SALES_EACH = 10_000, 5
BUDGET = 900


def measure(folder: Path) -> Iterator[Result]:
    """Everything that the store claims about speed, on 10 000 clients and 50 000 sales."""
    with stand_in() as google:
        bench = Bench(google, folder, google.make("Team"))
        bench.fill(CLIENTS)
        google.latency(ROUND_TRIP * 1000)
        yield from bench.first_open()
        yield from bench.open_again()
        yield from bench.look()
        # Where Google may merge requests, each change is read once more before it counts as saved.
        for serialises in (False, True):
            google.serialises(bench.spreadsheet, serialises)
            yield from bench.sale(serialises)
            yield from bench.review(serialises)
            yield from bench.import_clients(serialises)


def _case(serialises: bool) -> str:
    """The end of a name: whether Google may merge requests."""
    return "" if serialises else ", Google may merge requests"


@contextmanager
def stand_in(*options: str) -> Iterator[Control]:
    """The stand-in for Google, in a process of its own."""
    command = [sys.executable, "-m", "tests.support.google_sheets", "--no-quota", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield Control(process.stdout.readline().strip())
        finally:
            process.terminate()
            process.wait(20)


@dataclass(frozen=True)
class _Asked:
    """Requests to the service: their number, and their size in MB."""

    reads: int
    writes: int
    moved: float
    largest: float

    def results(self, name: str, reads: int, writes: int) -> Iterator[Result]:
        """The claim that it was asked no more often than need be."""
        told, floor = (
            f"{self.reads} reads, {self.writes} writes, {self.moved:.1f} MB",
            f"{reads} reads, {writes} writes",
        )
        yield Result(
            f"… requests, {name}", self.reads + self.writes, reads + writes, floor, 1.0, "counted", told, "requests"
        )


class Bench:
    """One spreadsheet, and the machines that work on it."""

    def __init__(self, google: Control, folder: Path, spreadsheet: str) -> None:
        self.google = google
        self.folder = folder
        self.account = account_from(json.dumps(google.credentials()))
        self.spreadsheet = spreadsheet
        # One for all machines: to one whose clock goes back nothing is fresh.
        self._now = running_from(NOON)

    def service(self, machine: str) -> Service:
        place = self.folder / machine
        place.mkdir(exist_ok=True)
        return Service(self.spreadsheet, self.account, place, google=self.google.url)

    def machine(self, name: str, service: Service | None = None) -> SheetsRepository:
        """A repository with a mirror of its own."""
        return SheetsRepository(
            f"sheets://{self.spreadsheet}",
            service or self.service(name),
            Sqlite(self.folder / name / "mirror.sqlite3"),
            now=self._now,
            user="benchmark",
            fresh_for=3600,
        )

    def crm(self, repository: SheetsRepository) -> CRM:
        return replace(crm_at(self.folder / "source.sqlite3"), repository=repository)

    def counted(self, action: Callable[[], Any], clock: Clock = "wall") -> tuple[float, _Asked]:
        """The time of an action, and its requests to the service."""
        self.google.reset_counts()
        took = seconds(action, clock)
        counts = self.google.counts(self.spreadsheet)
        moved = (counts["bytes_in"] + counts["bytes_out"]) / 1e6
        return took, _Asked(counts["reads"] + counts["drive"], counts["writes"], moved, counts["largest_request"] / 1e6)

    def fill(self, clients: int) -> None:
        """The spreadsheet as a team would have it after some years."""
        local = crm_at(self.folder / "source.sqlite3")
        write_csv(self.folder / "source.csv", clients)
        run(local, begin(local, self.folder / "source.csv", "clients"))
        ids = range(1, clients + 1)
        sales = [
            Sale(
                client=id_,
                on=TODAY - timedelta(days=id_ % 700 + at),
                amount=Decimal(id_ % 9_000 + at) + Decimal("0.5"),
            )
            for id_ in ids
            for at in range(SALES_EACH)
        ]
        local.transact(lambda tx: tx.add_all(sales), "made-up sales")
        set_up(self.service("first"), lambda _: [], datetime.now(UTC))
        with closing(self.machine("first")) as repository:
            repository.fill(local.repository.everything())
        local.repository.close()

    def first_open(self) -> Iterator[Result]:
        """From an empty mirror to the first list, beside the cells in a table of a file. Both have their token:
        connecting has fetched it."""
        everything = [TABS[kind].rows() for kind in RECORDS]
        service, empty = self.service("transfer"), self.service("empty")

        def opened() -> None:
            Sqlite(self.folder / "empty" / "mirror.sqlite3").remove()
            repository = self.machine("empty", empty)
            first_page(repository)
            repository._engine.dispose()

        def transferred() -> None:
            service.standing()
            with closing(sqlite3.connect(self.folder / "bare.sqlite3")) as bare:
                for number, cells in enumerate(service.values(everything)):
                    _kept(bare, f"tab{number}", cells.rows)
                bare.commit()

        name, floor = "first open", "the same cells, unchecked, in bare sqlite3"
        yield claim(f"spreadsheet: {name}", opened, transferred, floor, LIMIT_OF_OPENING, runs=3)
        name, floor = "first open, waited for", "the transfer of all cells"
        yield claim(
            f"spreadsheet: {name}", opened, self.transfer(service), floor, LIMIT_OF_LOOKING, clock="wall", runs=3
        )
        # Drive, and all cells.
        yield from self.counted(opened)[1].results(name, 2, 0)

    def open_again(self) -> Iterator[Result]:
        """Open again with a mirror and no changes, beside SQLite and two round trips: Drive may be late."""
        with closing(self.machine("again")) as repository:
            first_page(repository)
        service = self.service("again")
        local = crm_at(self.folder / "source.sqlite3")

        def again() -> None:
            opened = self.machine("again", service)
            opened.fresh_for = 0
            first_page(opened)
            opened._engine.dispose()

        def on_a_file() -> None:
            service.standing()
            service.values([META_RANGE])
            first_page(local.repository)
            local.repository.close()

        name = "open again"
        yield claim(
            f"spreadsheet: {name}", again, on_a_file, "SQLite and two round trips", LIMIT_OF_WAITING, clock="wall"
        )
        yield from self.counted(again)[1].results(name, 2, 0)

    @staticmethod
    def transfer(service: Service) -> Callable[[], object]:
        """The transfer of all cells, parsed as JSON, and nothing else."""
        everything = [TABS[kind].rows() for kind in RECORDS]

        def transferred() -> None:
            service.standing()
            for cells in service.values(everything):
                list(cells.rows)

        return transferred

    def look(self) -> Iterator[Result]:
        """Read after somebody has typed into a cell, and a check, beside the transfer of all cells."""
        repository = self.machine("again")
        first_page(repository)
        repository.fresh_for = 0
        transferred = self.transfer(self.service("transfer"))
        city, typed = new_heading(Client).index("City"), count()

        def looked() -> None:
            town = [[f"Town {next(typed)}"]]
            self.google.set_cells(self.spreadsheet, TABS[Client].title, CLIENTS // 2, city, town)
            first_page(repository)

        def checked() -> None:
            for _ in repository.check():
                pass

        floor = "the transfer of all cells"
        yield claim(
            "spreadsheet: a look after a hand edit", looked, transferred, floor, LIMIT_OF_LOOKING, clock="wall", runs=3
        )
        yield claim("spreadsheet: check", checked, transferred, floor, LIMIT_OF_LOOKING, clock="wall", runs=3)
        repository.close()

    def sale(self, serialises: bool) -> Iterator[Result]:
        """A sale with its review, totals and history; the usual way stands beside it in words."""
        repository, requests_needed = self.machine("again"), 2 if serialises else 3
        crm = self.crm(repository)
        with crm.read() as snapshot:
            client = snapshot.get(Client, 4242)

        def sell() -> None:
            add(crm, client, Decimal("12.50"))

        def round_trips() -> None:
            for _ in range(requests_needed):
                repository.service.standing()

        told = ""
        if serialises:
            usual, asked = self.counted(self._sell_the_usual_way)
            told = f"the usual way: {usual:.2f} s, {asked.reads} reads, {asked.writes} writes"
        name, floor = f"a sale{_case(serialises)}", f"{requests_needed} round trips"
        yield claim(f"spreadsheet: {name}", sell, round_trips, floor, LIMIT_OF_WAITING, clock="wall", note=told)
        yield from self.counted(sell)[1].results(name, requests_needed - 1, 1)
        repository.close()

    def _sell_the_usual_way(self) -> None:
        """All values read to find the row, a row appended, then a cell at a time."""
        session = requests.Session()
        session.headers["Authorization"] = "Bearer test-token"
        http = _at(self.google.url)
        client = gspread.Client(auth=None, session=session, http_client=http)  # type: ignore[arg-type]
        book = client.open_by_key(self.spreadsheet)
        clients = book.worksheet("clients")
        header, *found = clients.get_all_values()
        row = next(at for at, cells in enumerate(found, start=2) if cells[0] == "4243")
        book.worksheet("sales").append_row(["", "4243", str(TODAY), "12.50"])
        for name, value in (("Total spend", "99"), ("Sales", "6"), ("Status", "Regular")):
            clients.update_cell(row, header.index(name) + 1, value)

    def review(self, serialises: bool) -> Iterator[Result]:
        """Rules that move 3 000 clients, and where Google serialises move them back, beside the same in a file."""
        name = f"3 000 clients moved{_case(serialises)}"
        ranked = 1 if serialises else 3000

        def moved(crm: CRM) -> Callable[[], object]:
            with crm.read() as snapshot:
                first = snapshot.find_all(StatusRule)[0]
                spent = [row.total_spend for row in snapshot.find_all(Client, Query(sort="-total_spend", limit=ranked))]
            edit(crm, first, line=f"Gold when total_spend >= {spent[-1]}")
            return lambda: apply(crm)

        yield from self._beside_a_file(name, moved, LIMIT_OF_MOVES, serialises, writes=2 if serialises else 3)

    def import_clients(self, serialises: bool) -> Iterator[Result]:
        """10 000 more clients from a CSV file, in requests of at most 2 MB, beside the same into a file."""
        name, file = f"10 000 imported{_case(serialises)}", self.folder / f"more-{serialises}.csv"
        lines = ["Last name,E-mail,Phone,City"]
        mailbox = f".{serialises}@".lower()
        lines += [f"More{at},{row[4].replace('@', mailbox)},,{row[6]}" for at, row in enumerate(rows(CLIENTS))]
        file.write_text("\n".join(lines), "utf-8")
        asked = yield from self._beside_a_file(
            name,
            lambda crm: lambda: run(crm, begin(crm, file, "clients")),
            LIMIT_OF_IMPORT,
            serialises,
            writes=5 if serialises else 7,
        )
        yield Result("… largest request of it", asked.largest, 2.0, "of what Google advises", 1.0, "counted", unit="MB")

    def _beside_a_file(
        self, name: str, change: Callable[[CRM], Callable[[], object]], at_most: float, serialises: bool, writes: int
    ) -> Generator[Result, None, _Asked]:
        """One large change, once, in the spreadsheet and in a file; what is waited for are the requests."""
        with closing(self.machine("again")) as repository:
            first_page(repository)
            took, asked = self.counted(change(self.crm(repository)), "CPU")
        local = crm_at(self.folder / "source.sqlite3")
        floor = seconds(change(local))
        local.repository.close()
        yield Result(f"spreadsheet: {name}", took, floor, "the same in SQLite", at_most, "CPU, once")
        # It is read before it is written, and where Google may merge requests after each write too: to know that
        # nobody else has come first. There it also keeps all that it writes, so that it can be written again.
        yield from asked.results(name, 1 if serialises else 1 + writes, writes)
        return asked


def _kept(bare: sqlite3.Connection, table: str, cells: Sequence[list[Any]]) -> None:
    if not cells:
        return
    width = max(map(len, cells))
    bare.execute(f"DROP TABLE IF EXISTS {table}")
    bare.execute(f"CREATE TABLE {table} ({', '.join(f'c{at}' for at in range(width))})")
    marks = ", ".join("?" * width)
    bare.executemany(f"INSERT INTO {table} VALUES ({marks})", (row + [None] * (width - len(row)) for row in cells))


def first_page(repository: Any) -> None:
    """The first list that somebody sees."""
    with repository.read() as snapshot:
        snapshot.find_all(Client, Query(limit=20))


def _at(address: str) -> type[gspread.HTTPClient]:
    """gspread's own way to ask, of another address."""

    class Redirected(gspread.HTTPClient):
        def request(self, method: str, endpoint: str, *args: Any, **given: Any) -> Any:
            for prefix in ("https://sheets.googleapis.com", "https://www.googleapis.com"):
                endpoint = endpoint.replace(prefix, address)
            return super().request(method, endpoint, *args, **given)

    return Redirected

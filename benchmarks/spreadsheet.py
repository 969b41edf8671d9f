"""The store in a Google spreadsheet at 150 ms a round trip, beside its floors and the usual way.

The service is the stand-in of the tests, in a process of its own; the requests are counted there.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import gspread
import requests

from benchmarks.made_up import TODAY, crm_at, rows, write_csv
from benchmarks.measuring import Result, in_turn, seconds
from crm.commands.context import CRM
from crm.commands.importing import begin, run
from crm.commands.rules import apply, edit
from crm.commands.sales import add
from crm.model import RECORDS, Client, Sale, StatusRule
from crm.repository import Query
from crm.repository.sheets.account import account_from
from crm.repository.sheets.layout import TABS
from crm.repository.sheets.repository import SheetsRepository
from crm.repository.sheets.service import Service
from crm.repository.sheets.setup import set_up
from crm.repository.sqlite import Sqlite
from tests.support.google_sheets import Control

ROUND_TRIP = 0.150
CLIENTS, SALES_EACH = 10_000, 5
FIRST_OPEN_WITHIN = 3.0
_SALES = 5


def measure(folder: Path) -> list[Result]:
    """Everything that the store claims about speed, on 10 000 clients and 50 000 sales."""
    with _google() as google:
        bench = _Bench(google, folder)
        bench.fill()
        google.latency(ROUND_TRIP * 1000)
        return [bench.first_open(), bench.open_again(), bench.sale(), bench.review(), bench.import_clients()]


@contextmanager
def _google() -> Iterator[Control]:
    command = [sys.executable, "-m", "tests.support.google_sheets", "--no-quota"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield Control(process.stdout.readline().strip())
        finally:
            process.terminate()
            process.wait(20)


class _Bench:
    """One spreadsheet, and the machines that work on it."""

    def __init__(self, google: Control, folder: Path) -> None:
        self.google = google
        self.folder = folder
        self.account = account_from(json.dumps(google.credentials()))
        self.spreadsheet = google.make("Team")
        self._machines = 0

    def service(self, machine: str) -> Service:
        place = self.folder / machine
        place.mkdir(exist_ok=True)
        return Service(self.spreadsheet, self.account, place, google=self.google.url)

    def machine(self, name: str = "") -> SheetsRepository:
        """A repository with a mirror of its own; a new one, unless it is named."""
        self._machines += 1
        name = name or f"machine-{self._machines}"
        mirror = Sqlite(self.folder / name / "mirror.sqlite3")
        return SheetsRepository(
            f"sheets://{self.spreadsheet}",
            self.service(name),
            mirror,
            today=lambda: TODAY,
            now=lambda: datetime.now(UTC),
            user="benchmark",
            fresh_for=3600,
        )

    def crm(self, repository: SheetsRepository) -> CRM:
        return replace(crm_at(self.folder / "source.sqlite3"), repository=repository)

    def counted(self, action: Callable[[], Any]) -> tuple[float, str, dict[str, int]]:
        """How long something takes, and what it asked of the service."""
        self.google.reset_counts()
        took = seconds(action)
        counts = self.google.counts(self.spreadsheet)
        asked = f"{counts['reads'] + counts['drive']} reads, {counts['writes']} writes"
        return took, f"{asked}, {(counts['bytes_in'] + counts['bytes_out']) / 1e6:.1f} MB", counts

    def fill(self) -> None:
        """The spreadsheet as a team would have it after some years."""
        local = crm_at(self.folder / "source.sqlite3")
        write_csv(self.folder / "source.csv", CLIENTS)
        run(local, begin(local, self.folder / "source.csv", "clients"))
        ids = range(1, CLIENTS + 1)
        sales = [
            Sale(
                client=each,
                on=TODAY - timedelta(days=each % 700 + at),
                amount=Decimal(each % 9_000 + at) + Decimal("0.5"),
            )
            for each in ids
            for at in range(SALES_EACH)
        ]
        local.transact(lambda tx: tx.add_all(sales), "made-up sales")
        set_up(self.service("machine-0"), [], datetime.now(UTC))
        with closing(self.machine("machine-0")) as repository:
            repository.fill(local.repository.everything())
        local.repository.close()

    def first_open(self) -> Result:
        """From an empty mirror to the first list, beside the transfer of the same cells alone."""
        repository = self.machine()
        took, asked, counts = self.counted(lambda: _first_page(repository))
        everything = [TABS[kind].rows() for kind in RECORDS]
        service = self.service("transfer")
        service.standing()
        transfer = seconds(lambda: (service.standing(), service.values(everything)))
        repository.close()
        holds = took - transfer < FIRST_OPEN_WITHIN and counts["reads"] + counts["drive"] <= 2
        return Result(
            "spreadsheet: first open", took, transfer, "the transfer alone",
            f"{FIRST_OPEN_WITHIN:.0f} s more at most", holds, asked,
        )  # fmt: skip

    def open_again(self) -> Result:
        """With the mirror there and nothing changed, beside SQLite and one round trip."""
        with closing(self.machine("again")) as repository:
            _first_page(repository)
        service = self.service("again")
        local = crm_at(self.folder / "source.sqlite3")

        def again() -> None:
            opened = self.machine("again")
            opened.fresh_for = 0
            opened.service = service
            _first_page(opened)
            opened._engine.dispose()

        def on_a_file() -> None:
            service.standing()
            _first_page(local.repository)
            local.repository.close()

        measured, floor = in_turn(again, on_a_file, runs=5)
        _, asked, counts = self.counted(again)
        holds = measured < floor + 0.05 and counts["reads"] + counts["drive"] <= 1
        return Result(
            "spreadsheet: open again", measured, floor, "SQLite and one round trip", "0.05 s more at most", holds, asked
        )

    def sale(self) -> Result:
        """A sale with its review, totals and history; the usual way stands beside it in words."""
        repository = self.machine("again")
        crm = self.crm(repository)
        with crm.read() as snapshot:
            client = snapshot.get(Client, 4242)

        def sell() -> None:
            add(crm, client, Decimal("12.50"))

        sell()
        floor = seconds(lambda: [repository.service.standing() for _ in range(2)])
        measured = sum(seconds(sell) for _ in range(_SALES)) / _SALES
        _, asked, counts = self.counted(sell)
        repository.close()
        took, usual, _ = self.counted(self._sell_the_usual_way)
        holds = counts["reads"] + counts["drive"] <= 1 and counts["writes"] <= 1 and measured < floor + 0.1
        return Result(
            "spreadsheet: a sale", measured, floor, "two round trips", "0.1 s more at most", holds,
            f"{asked}; the usual way: {took:.2f} s, {usual}",
        )  # fmt: skip

    def _sell_the_usual_way(self) -> None:
        """All values read to find the row, a row appended, then a cell at a time."""
        session = requests.Session()
        session.headers["Authorization"] = "Bearer test-token"
        book = gspread.Client(auth=None, session=session, http_client=_at(self.google.url)).open_by_key(
            self.spreadsheet
        )
        clients = book.worksheet("clients")
        header, *found = clients.get_all_values()
        row = next(at for at, cells in enumerate(found, start=2) if cells[0] == "4243")
        book.worksheet("sales").append_row(["", "4243", str(date.today()), "12.50"])
        for name, value in (("Total spend", "99"), ("Sales", "6"), ("Status", "Regular")):
            clients.update_cell(row, header.index(name) + 1, value)

    def review(self) -> Result:
        """Rules that move 3 000 clients."""
        repository = self.machine("again")
        crm = self.crm(repository)
        with crm.read() as snapshot:
            first = snapshot.find_all(StatusRule)[0]
            spent = [row.total_spend for row in snapshot.find_all(Client, Query(sort="-total_spend", limit=3000))]
        edit(crm, first, line=f"Gold when total_spend >= {spent[-1]}")
        took, asked, counts = self.counted(lambda: apply(crm))
        repository.close()
        holds = counts["reads"] + counts["drive"] <= 1 and counts["writes"] <= 2
        floor = 3 * ROUND_TRIP
        return Result(
            "spreadsheet: 3 000 clients moved", took, floor, "its round trips", "1 read, 2 writes", holds, asked
        )

    def import_clients(self) -> Result:
        """10 000 more clients from a CSV file."""
        repository = self.machine("again")
        crm = self.crm(repository)
        file = self.folder / "more.csv"
        lines = ["Last name,E-mail,Phone,City"]
        lines += [f"More{at},{row[4].replace('@', '.more@')},,{row[6]}" for at, row in enumerate(rows(CLIENTS))]
        file.write_text("\n".join(lines), "utf-8")
        took, asked, counts = self.counted(lambda: run(crm, begin(crm, file, "clients")))
        repository.close()
        holds = counts["reads"] + counts["drive"] <= 1 and counts["writes"] <= 10
        holds &= counts["largest_request"] <= 2_000_000
        floor = (counts["reads"] + counts["drive"] + counts["writes"]) * ROUND_TRIP
        return Result(
            "spreadsheet: 10 000 imported", took, floor, "its round trips", "1 read, 10 writes of 2 MB", holds,
            f"{asked}, largest {counts['largest_request'] / 1e6:.2f} MB",
        )  # fmt: skip


def _first_page(repository: Any) -> None:
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

"""A new store of each kind for the contract of repositories, and the settings of hypothesis."""

import atexit
import gc
import json
import os
import signal
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cache, partial
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import certifi
import pytest
from hypothesis import HealthCheck, Phase, is_hypothesis_test, settings

from crm.local_database import open_database
from crm.model import RECORDS, Client, Record, Sale, StatusRule, View
from crm.repository import Waiting
from crm.repository.sheets.google import http, rate_limit
from crm.repository.sheets.google.credentials import account_from
from crm.repository.sheets.google.rate_limit import Stopwatch
from crm.repository.sheets.google.spreadsheet import Service
from crm.repository.sheets.mirror.mirror import State
from crm.repository.sheets.repository import SheetsRepository
from crm.repository.sheets.setup import set_up
from crm.repository.sql import SqlRepository
from crm.repository.sqlite.dialect import Sqlite
from crm.rules import SETS
from tests.support.clocks import TODAY, move_the_machines, running_on
from tests.support.google_sheets import Direct, StandIn
from tests.support.parts import PARTS, VARIABLE, part, part_of
from tests.support.quick_hashes import hash_quickly
from tests.support.quick_stores import make_stores_quickly

if TYPE_CHECKING:
    from tests.support.command_line import CommandLine

settings.register_profile(
    "here", deadline=None, max_examples=10, print_blob=False, suppress_health_check=[HealthCheck.too_slow]
)
# The first example that fails is enough there: to look for the smallest may take minutes.
settings.register_profile(
    "ci",
    settings.get_profile("here"),
    max_examples=20,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
)
# Where the same is tried with many examples already: on another day.
settings.register_profile("again", settings.get_profile("ci"), max_examples=5)
# Where only the language and its library are others: on the oldest Python.
settings.register_profile("few", settings.get_profile("ci"), max_examples=3)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "here"))
# For what takes a new store for each example, on a file and on a spreadsheet.
ON_NEW_STORES = settings(max_examples=min(settings.default.max_examples, 8))

hash_quickly()
make_stores_quickly()

PROJECT = Path(__file__).resolve().parent.parent

# What is kept on this machine for other days, its keyring too, is none of the tests' business.
_HOME = tempfile.TemporaryDirectory(prefix="crm-test-")
atexit.register(_HOME.cleanup)
os.environ |= {"XDG_DATA_HOME": _HOME.name, "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
# No server of these tests is certified by an authority of the system, and to read all of them takes 20 ms a connection:
# one of them stands for all.
_AUTHORITIES, _END, _ = Path(certifi.where()).read_text("utf-8").partition("-----END CERTIFICATE-----\n")
Path(_HOME.name, "authority.pem").write_text(_AUTHORITIES + _END, "utf-8")
os.environ["SSL_CERT_FILE"] = f"{_HOME.name}/authority.pem"


# What says where a user's files are: the program keeps its own data there where no store is named.
HOMES = {"HOME": "", "XDG_DATA_HOME": ".local/share", "XDG_CONFIG_HOME": ".config", "XDG_STATE_HOME": ".local/state"}


# Files in memory, where the system has such a folder.
_MEMORY = Path("/dev/shm")
_ROOM = 4 * 1024**3


def _is_roomy(folder: Path) -> bool:
    """Return whether the files of all tests have room in a folder, and the programs among them can be started there."""
    if not hasattr(os, "statvfs") or not os.access(folder, os.W_OK):
        return False
    system = os.statvfs(folder)
    return system.f_bavail * system.f_frsize > _ROOM and not system.f_flag & os.ST_NOEXEC


def pytest_configure(config: pytest.Config) -> None:
    """Tests must hold on every day and in every zone; `make test-dates` tries some of them. They leave alone what the
    user of this machine has: each process of them has a home of its own."""
    move_the_machines()
    # The workers take over what was found out here.
    os.environ[VARIABLE] = str(part(PROJECT))
    if _is_roomy(_MEMORY):
        # A store on a disk waits for it at each change.
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))
    home = tempfile.TemporaryDirectory(prefix="crm-test-home-")
    config.add_cleanup(home.cleanup)
    for name, folder in HOMES.items():
        os.environ[name] = str(Path(home.name, folder))
    # A job in the background ignores Ctrl-C, and one under nohup the end of its terminal; the programs that tests start
    # would do so too.
    for ignored, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
        if signal.getsignal(ignored) is signal.SIG_IGN:
            signal.signal(ignored, usual)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Say which slow tests are left out, so that a run that fails can be repeated."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter and "other_part" in session.config.option.markexpr:
        at = os.environ[VARIABLE]
        reporter.write_line(
            f"Slow tests that CI divides: part {at} of 0 to {PARTS - 1}. To repeat this run: {VARIABLE}={at}"
        )


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for no garbage among the thousands of tests that are collected, and later as seldom as the program does."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(50_000)
        gc.enable()


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors, as tests wait for screens and servers."""
    return (os.cpu_count() or 1) + 1


# Its tests are all about spreadsheets.
_OF_SHEETS = PROJECT / "tests" / "repository" / "sheets"


# What takes longest runs first, so that no process is left with it at the end.
_LONGEST = {
    "test_sheets_torture",
    "test_sheets_cost",
    "test_deploy",
    "test_closed_doors",
    "test_terminal_lost_sessions",
    "test_lost_sessions",
    "test_every_store",
    "test_roles",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as slow what is better left to CI: tests on a spreadsheet that are tried on a file each time, as it is read
    from a file too, and all variants of a test but a few. Of the slow rows of a table, and of slow tests that are tried
    in turn, three quarters are marked as left to the next commits."""
    items.sort(key=lambda item: item.path.stem not in _LONGEST)
    tests: dict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        if item.path.is_relative_to(_OF_SHEETS) or _is_on_sheets(item):
            item.add_marker(pytest.mark.sheets)
        if not hasattr(item, "callspec"):
            if _is_in_turn(item):
                _leave_to_other_commits(item)
            continue
        is_quick = item.get_closest_marker("quick_on_sheets") and not is_hypothesis_test(getattr(item, "obj", None))
        if _is_on_sheets(item) and not is_quick:
            item.add_marker(pytest.mark.slow)
        tests[item.nodeid.partition("[")[0]].append(item)
    for rows in tests.values():
        # Each store has its own table: something of it is tried on each of them.
        for on_sheets in (False, True):
            table = [row for row in rows if _is_on_sheets(row) == on_sheets]
            _leave_variants_to_ci([row for row in table if not _is_slow(row)])
            _leave_rows_to_other_commits(table)


def _is_on_sheets(row: Any) -> bool:
    return hasattr(row, "callspec") and "sheets" in row.callspec.params.values()


def _is_slow(row: pytest.Item) -> bool:
    return row.get_closest_marker("slow") is not None


def _is_in_turn(item: pytest.Item) -> bool:
    return item.get_closest_marker("in_turn") is not None and item.get_closest_marker("whole") is None


def _leave_variants_to_ci(rows: Sequence[pytest.Item]) -> None:
    many = rows[0].get_closest_marker("many") if rows else None
    quick = many.args[0] if many and many.args else 1
    # From the whole table: its beginning and its middle are seldom of one sort.
    chosen = {at * len(rows) // quick for at in range(quick)}
    for at, row in enumerate(rows):
        if at:
            row.add_marker(pytest.mark.variant)
        if at not in chosen and (many or _is_made_for_each(row)):
            row.add_marker(pytest.mark.slow)


def _leave_rows_to_other_commits(table: Sequence[pytest.Item]) -> None:
    """CI tries the first row and the quick ones each time, and of the others those of its part. What is tried on a
    spreadsheet because it is on a file, and is not the contract of stores, is one of the others; so is the first row
    of a test that is tried in turn, but of its rows one at least is tried each time."""
    if not table or table[0].get_closest_marker("whole"):
        return
    once_more = _is_on_sheets(table[0]) and table[0].get_closest_marker("contract") is None
    rows = table[0 if once_more or _is_in_turn(table[0]) else 1 :]
    if len(rows) == len(table) > 1 and not once_more and all(map(_is_of_another_part, rows)):
        kept = int(os.environ[VARIABLE]) % len(rows)
        rows = [*rows[:kept], *rows[kept + 1 :]]
    for row in rows:
        _leave_to_other_commits(row)


def _is_of_another_part(item: pytest.Item) -> bool:
    return _is_slow(item) and str(part_of(item.nodeid)) != os.environ[VARIABLE]


def _leave_to_other_commits(item: pytest.Item) -> None:
    """Mark a slow test of another part."""
    if _is_of_another_part(item):
        item.add_marker(pytest.mark.other_part)


def _is_made_for_each(item: pytest.Item) -> bool:
    """True if a fixture of ours is made again for each variant, as a store is. Hundreds of the others take a second."""
    made = item._fixtureinfo.name2fixturedefs.values()
    return any(fixture[-1].scope == "function" and fixture[-1].baseid.startswith("tests") for fixture in made)


def _sqlite(folder: Path, *, same_machine: bool, **clocks: Any) -> SqlRepository:  # noqa: ARG001 - a file has one
    path = folder / "store.sqlite3"
    return SqlRepository(f"sqlite:///{path}", Sqlite(path), **clocks)


class _Hurried:
    """Clocks by which a wait is over at once: what waits for Google's quota a minute long need not in a test."""

    def __init__(self) -> None:
        self._ahead = 0.0
        # The day goes on as it does elsewhere: Google refuses whoever's is wrong.
        self.clock = Stopwatch(now=lambda: monotonic() + self._ahead, sleep=self._sleep)

    def _sleep(self, seconds: float) -> None:
        self._ahead += seconds


_HURRIED = _Hurried()


@cache
def google() -> StandIn:
    """Google Sheets as the tests of this process have it; it ends with the process. What this process asks of it does
    not go over the network: HTTP itself is what `test_sheets_service.py` tests."""
    from google.auth import crypt

    stand_in = StandIn(quota=False, looks=60)
    stand_in.start()
    # To read the key of the account takes longer than all else that a service does at its start.
    crypt.RSASigner.from_string = cache(crypt.RSASigner.from_string)
    http.HTTPAdapter = partial(Direct, stand_in.server)  # type: ignore[misc, assignment]
    return stand_in


@cache
def _access() -> Path:
    """The token file for Google that all spreadsheets of this process share: to get a token takes a while."""
    folder = tempfile.TemporaryDirectory(prefix="crm-test-")
    atexit.register(folder.cleanup)
    return Path(folder.name)


def _service(spreadsheet: str, **how: Any) -> Service:
    """A spreadsheet whose requests this program counts alone: to open the file in which all programs count them takes
    as long as the stand-in's answer."""
    account = account_from(json.dumps(google().credentials()))
    service = Service(spreadsheet, account, _access(), google=google().url, clock=_HURRIED.clock, **how)
    service._limiter._counts._alone = open_database(None, rate_limit._TABLES, wait=0)
    return service


_PREPARED: dict[str, str] = {}


def _prepared(first_records: Sequence[Record], at: datetime) -> str:
    """A spreadsheet that was set up with these records on that day, for others to be made like it."""
    known = repr((google().url, first_records, at.date()))
    if known not in _PREPARED:
        spreadsheet = google().make("Team")
        service = _service(spreadsheet)
        set_up(service, lambda _: first_records, at)
        google().serialises(spreadsheet)
        google().punctual(spreadsheet)
        service.close()
        _PREPARED[known] = spreadsheet
    return _PREPARED[known]


def _sheets(
    folder: Path, *, same_machine: bool, first_records: Callable[[], Sequence[Record]], **clocks: Any
) -> SqlRepository:
    """A repository on a machine of its own, unless told: with its own mirror, which looks at the spreadsheet each
    time."""
    machine = folder / f"machine-{0 if same_machine else len(list(folder.iterdir()))}"
    machine.mkdir(exist_ok=True)
    written = folder / "machine-0" / "spreadsheet"
    is_new = not written.exists()
    if is_new:
        made = google().make_like(_prepared(first_records(), clocks["now"]()))
        google().set_cells(made, "crm", 1, State().rows()[0].index("spreadsheet"), [[made]])
        written.write_text(made)
    spreadsheet = written.read_text()
    service = _service(spreadsheet, waiting=clocks["waiting"])
    mirror = Sqlite(machine / "mirror.sqlite3")
    return SheetsRepository(f"sheets://{spreadsheet}", service, mirror, fresh_for=0, **clocks)


# A new kind of store is one entry more: how a repository over the store in a folder is made.
STORES: dict[str, Callable[..., SqlRepository]] = {"sqlite": _sqlite, "sheets": _sheets}


def default_rules() -> list[StatusRule]:
    """VIP from 35 000 on, else Regular."""
    rules = enumerate(SETS["default"].rules(), start=1)
    return [StatusRule(position=at, status=status, when=when, active=True) for at, (status, when) in rules]


@dataclass
class Store:
    """One store: `repository` opens it, `another` gives an independent repository over the same data.

    `today` is the day that its repositories take for today; set it to let time pass.
    """

    make: Callable[..., SqlRepository]
    folder: Path
    today: date = TODAY
    first_records: Sequence[Record] = field(default_factory=default_rules)
    _opened: list[SqlRepository] = field(default_factory=list)

    def another(self, user: str = "", waiting: Waiting = lambda _: None, same_machine: bool = False) -> SqlRepository:
        """One more repository over this store, as another program would have it: where the store is shared by
        several machines, on one of its own, unless it is to be the first one's."""
        opened = self.make(
            self.folder,
            same_machine=same_machine,
            now=self._now,
            user=user,
            first_records=lambda: self.first_records,
            waiting=waiting,
        )
        self._opened.append(opened)
        return opened

    @property
    def repository(self) -> SqlRepository:
        """The first repository over the store."""
        return self._opened[0] if self._opened else self.another("anna")

    def _now(self) -> datetime:
        return running_on(self.today)()

    def close(self) -> None:
        """Let go of everything that was opened."""
        for opened in self._opened:
            opened.close()

    def come_first(self, other: SqlRepository) -> None:
        """Make a transaction that is going on lose against another writer, the way that the store knows."""
        if isinstance(other, SheetsRepository):
            other.transact(lambda tx: tx.add(View(name=f"view {self._now()}")), "came first")
            return
        # A real refusal by the database: the transaction holds what the other one asks for.
        with other._engine.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    # What nearly every test does

    def change(self, change: Callable[[Any], Any], what: str = "a change") -> Any:
        """One transaction."""
        return self.repository.transact(change, what)

    def add(self, **given: Any) -> Client:
        """A new client, a person unless told."""
        given = {"kind": "person", "last_name": "Client", **given}
        return self.change(lambda tx: tx.add(Client(**given)), "added a client")

    def sell(self, client: Client | int, amount: str | Decimal, on: date | None = None) -> Sale:
        """A new sale."""
        buyer = client if isinstance(client, int) else client.id
        sold = Sale(client=buyer, amount=Decimal(amount), on=on or self.today)
        return self.change(lambda tx: tx.add(sold), "recorded a sale")

    def set_rules(self, *rules: tuple[str, str]) -> None:
        """Replace the rules without applying them."""

        def change(tx: Any) -> None:
            for rule in tx.find_all(StatusRule):
                tx.delete(rule)
            for at, (status, when) in enumerate(rules, start=1):
                tx.add(StatusRule(position=at, status=status, when=when, active=True))

        self.change(change, "set the rules")

    def client(self, record: Client | int) -> Client:
        """A client as it is stored now."""
        with self.repository.read() as snapshot:
            return snapshot.get(Client, record if isinstance(record, int) else record.id)

    def everything(self) -> dict[type[Record], dict[int, Record]]:
        """All records of all kinds by id."""
        with self.repository.read() as snapshot:
            return {kind: {record.id: record for record in snapshot.find_all(kind)} for kind in RECORDS}

    def wrong(self) -> list[str]:
        """The problems that `check` finds."""
        return [finding.what for finding in self.repository.check() if finding.wrong]


@contextmanager
def _new_store(make: Callable[..., SqlRepository]) -> Iterator[Store]:
    # What is tested here does not depend on the disk.
    parent = _MEMORY if os.access(_MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="crm-test-", dir=parent) as folder:
        store = Store(make, Path(folder))
        try:
            yield store
        finally:
            store.close()


NewStore = Callable[[], AbstractContextManager[Store]]


@pytest.fixture(scope="session", params=list(STORES))
def new_store(request: pytest.FixtureRequest) -> NewStore:
    """Make fresh stores, for tests that need one for each of many examples."""
    return lambda: _new_store(STORES[request.param])


@pytest.fixture
def store(new_store: NewStore) -> Iterator[Store]:
    """A fresh store with the default rules, gone after the test."""
    with new_store() as fresh:
        yield fresh


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Iterator["CommandLine"]:
    """Command lines on a new store."""
    from tests.support.command_line import on_a_new_store

    with on_a_new_store(monkeypatch) as line:
        yield line


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter and write, for tests that give up being root."""
    with tempfile.TemporaryDirectory(prefix="crm-test-") as folder:
        path = Path(folder)
        path.chmod(0o777)
        yield path
        # Whatever a test forbade is allowed again, so that the folder can go.
        for item in (path, *path.rglob("*")):
            with suppress(OSError):
                item.chmod(0o777 if item.is_dir() else 0o666)


def child_environment() -> dict[str, str]:
    """The environment in which a child process imports this checkout."""
    return {**os.environ, "PYTHONPATH": str(PROJECT), "PYTHONDONTWRITEBYTECODE": "1"}


PYTHON = sys.executable


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a skipped test where everything must run."""
    report = yield
    if os.environ.get("CI") and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, which is a failure here: {report.longrepr}"
    return report

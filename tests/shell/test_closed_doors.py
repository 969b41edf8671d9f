"""Access control through every error: every way into a store with accounts, at every step, lets nobody in.

Each case is a machine on which nobody is signed in, or whose sign-in has ended, with a copy of the spreadsheet or
without; one answer of Google, or of SQLite, is spoilt, or all from one on. Nothing may be told, written or made.
"""

import asyncio
import contextlib
import dataclasses
import io
import json
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from itertools import combinations, product
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy.engine.default import DefaultDialect

from crm import app
from crm.accounts import SignedIn
from crm.accounts.saved_sessions import SavedSessions
from crm.commands.context import CRM
from crm.commands.mail import unsubscribing
from crm.commands.registry import commands, named
from crm.config import from_environment
from crm.errors import CRMError, StoreDamagedError, StoreError
from crm.repository import sql, tables
from crm.repository.sheets.google import http
from crm.repository.sheets.google import spreadsheet as service
from crm.shell import run
from crm.shell.call import Call
from crm.shell.values import values
from crm.shell.words import known
from crm.terminal.home.menu import run_menu
from crm.web import server
from crm.web.sessions import Sessions
from crm.web.store_threads import StoreThreads
from run import menu_loop
from tests import conftest
from tests.support.clocks import running_on
from tests.support.google_sheets import Direct

MARK = "Foreignmark"
EMAIL, PASSWORD = "ada@example.com", "a kettle, two spoons and rain"
SECRET = "what protects the accounts of these tests"


@dataclass
class Machine:
    """A computer with the program on it. `store` is what its settings name; `token` is of a session that has ended."""

    folder: Path
    store: str
    settings: Mapping[str, str]
    token: str = ""
    # A mirror of the spreadsheet that was made before is not of this moment.
    later: int = 1

    @property
    def environment(self) -> dict[str, str]:
        now = running_on()() + timedelta(hours=self.later)
        return {
            "CRM_NOW": now.isoformat(),
            "CRM_USER": "eve",
            "CRM_SECRET": SECRET,
            "CRM_STORE": self.store,
            "LC_ALL": "en_US.UTF-8",
            "XDG_DATA_HOME": str(self.folder / "data"),
            **self.settings,
        }

    def open(self, **doors: Any) -> CRM:
        return app.open_crm(from_environment(self.environment), **doors)

    def files(self) -> set[str]:
        """The user's files: without those that the program keeps of a spreadsheet, of attempts and for itself."""
        kept = (
            "spreadsheets",
            "attempts.sqlite3",
            "quota",
            "sign-ins.json",
            "rosters.",
            "crm.sqlite3",
            "-wal",
            "-shm",
        )
        found = (str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file())
        return {name_ for name_ in found if not any(name in name_ for name in (*kept, "-wal", "-shm"))}


# The ways in: each gives all that it told.
Door = Callable[[Machine], str]


def _shell(*arguments: str, typed: str = "", key: str = "") -> Door:
    def door(machine: Machine) -> str:
        out, err = io.StringIO(), io.StringIO()
        words = [
            argument.replace("HERE", str(machine.folder)).replace("STORE", machine.store) for argument in arguments
        ]
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.MonkeyPatch.context() as patched:
            patched.setattr("sys.stdin", io.StringIO(typed))
            run(words, machine.environment | ({"CRM_KEY": key} if key else {}), app.open_crm)
        return out.getvalue() + err.getvalue()

    return door


def _menu(*lines: str) -> Door:
    def door(machine: Machine) -> str:
        out = io.StringIO()
        run_menu(machine.open, io.StringIO("".join(f"{line}\n" for line in lines)), out, menu_loop, {})
        return out.getvalue()

    return door


def _completion(machine: Machine) -> str:
    settings = {"store": "", "json": False, "yes": False, "debug": False}
    call = Call(machine.environment, app.open_crm, settings)
    with suppress(CRMError):
        asked = next(option for option in known("clients")["show"]().options if option.takes == "record client")
        return repr(values(lambda: call.config, lambda: call, asked, MARK[:3]))
    return ""


class _Elsewhere:
    """A person in a browser, who takes and gives no file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def offer(self, path: Path, name: str) -> None:
        raise AssertionError((path, name))

    def ask_file(self, what: str, ending: str = "") -> Path | None:
        return None


def _browser_menu(machine: Machine) -> str:
    """The menu that the web server opens for a session, which has ended by now."""
    out = io.StringIO()
    with suppress(CRMError):
        app.serve({"session": "1"}, _Elsewhere(machine.folder), io.StringIO("1\n2\n3\n1\n1\n"), out, menu_loop)
    return out.getvalue()


def _browser_request(machine: Machine) -> str:
    """The user that a browser counts as when it shows the token of a session that has ended."""
    crm = machine.open()
    try:

        async def asked() -> SignedIn | None:
            return await Sessions(StoreThreads(lambda: contextlib.nullcontext(crm.accounts.open()))).of(machine.token)

        with suppress(StoreError):
            return str(asyncio.run(asked()) or "")
        return ""
    finally:
        crm.repository.close()


def _browser_sign_in(machine: Machine) -> str:
    crm = machine.open()
    try:
        with suppress(CRMError):
            return str(crm.accounts.open().authentication.sign_in(EMAIL, "wrong", address="203.0.113.7"))
        return ""
    finally:
        crm.repository.close()


def _server_start(machine: Machine) -> str:
    """The start of the web server up to where it would listen, which is to add no admin."""

    def listen(*_: Any) -> Any:
        raise KeyboardInterrupt

    out = io.StringIO()
    config = from_environment({**machine.environment, "CRM_ADMIN_EMAIL": "eve@example.com"})
    with pytest.MonkeyPatch.context() as patched, contextlib.redirect_stdout(out):
        patched.setattr(server, "listen", listen)
        with suppress(CRMError, KeyboardInterrupt):
            app.serve_web(config, "", 0)
    return out.getvalue()


def _opt_out_link(machine: Machine) -> str:
    crm = machine.open()
    try:
        with suppress(CRMError):
            assert not unsubscribing.follow(crm, "A" * 60, act=True)
        return ""
    finally:
        crm.repository.close()


COMMANDS: Mapping[str, Door] = {
    "clients add": _shell("clients", "add", "--last-name", "Eve"),
    "clients delete": _shell("clients", "delete", "1", "--yes"),
    "users list": _shell("users", "list", "--json"),
    "profile password": _shell("profile", "password", typed="wrong\nwrong\nwrong\n"),
    "export": _shell("export", "HERE/out.json", "--what", "all"),
    "backup": _shell("backup", "HERE/out.sqlite3"),
    "copy": _shell("copy", "--to", "sqlite:///HERE/out.sqlite3"),
    "check": _shell("check", "--json"),
    "from cron": _shell("email", "outbox", "--json"),
    "settings set": _shell("settings", "set", "require_second_factor", "no"),
}
# Of the shape of a key, and no longer in any store.
_KEY = "crm_key_" + "k" * 43
DOORS: Mapping[str, Door] = {
    "clients list": _shell("clients", "list", "--json"),
    "users add": _shell("users", "add", "eve@example.com", "--name", "Eve", "--role", "admin", "--json"),
    "restore": _shell("restore", "HERE/theirs.sqlite3", "--yes"),
    "sheets setup": _shell("sheets", "setup", "--json"),
    "sheets connect": _shell("sheets", "connect", "STORE", "--take-over", "no", "--json"),
    "sheets leave": _shell("sheets", "leave"),
    "sheets repair": _shell("sheets", "repair", "--json"),
    "sign-in": _shell("sign-in", typed=f"{EMAIL}\nwrong\n"),
    "sign-out": _shell("sign-out"),
    "a key: cron": _shell("email", "outbox", "--json", key=_KEY),
    "a key: restore": _shell("restore", "HERE/theirs.sqlite3", "--yes", key=_KEY),
    "completion": _completion,
    "menu: what comes first": _menu("1", "1", "1", "1", "1"),
    "menu: the second": _menu("2", "1", "2", "1", "0"),
    "menu: the third": _menu("3", "1", "1", "0", "0"),
    "browser: its menu": _browser_menu,
    "browser: a request": _browser_request,
    "browser: sign-in": _browser_sign_in,
    "web server": _server_start,
    "opting out": _opt_out_link,
    **COMMANDS,
}
# Without a sign-in that is remembered, or a link of ours, nothing is asked of the store.
_ASK_LITTLE = ("sign-out", "opting out")
# A refused sign-in is noted in the store, and that alone.
_NOTED = ("sign-in", "browser: sign-in", "menu: what comes first", "menu: the second", "menu: the third")


def test_only_listed_commands_run_without_a_store() -> None:
    """The list of commands that run, and with which errors, where no account can be read."""
    assert {command.words: command.unread for command in commands() if command.unread} == {
        "restore": (StoreDamagedError,),
        "sheets setup": (StoreError,),
        "sheets connect": (StoreError,),
        "sheets leave": (StoreError,),
        "sheets repair": (StoreError,),
    }


# What Google answers


def _response(request: requests.PreparedRequest, status: int, content: bytes) -> requests.Response:
    response = requests.Response()
    response.status_code, response.url, response.request = status, request.url or "", request
    response.headers["Content-Type"] = "application/json"
    response.raw = io.BytesIO(content)
    return response


def _refused(status: int) -> Callable[[requests.PreparedRequest], requests.Response]:
    body = json.dumps({"error": {"code": status, "message": "No.", "status": "NO", "details": []}}).encode()
    return lambda request: _response(request, status, body)


def _cut(request: requests.PreparedRequest) -> requests.Response:
    raise requests.exceptions.ConnectionError("cut", request=request)


def _saying(content: bytes) -> Callable[[requests.PreparedRequest], requests.Response]:
    return lambda request: _response(request, 200, content)


ANSWERS: Mapping[str, Callable[[requests.PreparedRequest], requests.Response]] = {
    **{str(status): _refused(status) for status in (400, 401, 403, 404, 429, 500, 503)},
    "cut": _cut,
    "no JSON": _saying(b"<html>Sign in to the Wi-Fi</html>"),
    "nothing": _saying(b""),
    "an empty object": _saying(b"{}"),
    "an empty list": _saying(b"[]"),
    "null": _saying(b"null"),
}


@dataclass
class Spoiling:
    """The number of the request that gets a wrong reply, and whether all later ones do too."""

    at: int = -1
    answer: str = ""
    on: bool = False
    sent: int = 0

    def strikes(self) -> bool:
        self.sent += 1
        return self.at == self.sent - 1 or (self.on and 0 <= self.at < self.sent)


SPOILING = Spoiling()


class _Spoilt(Direct):
    def send(self, request: requests.PreparedRequest, *given: Any, **named: Any) -> requests.Response:
        if SPOILING.strikes():
            return ANSWERS[SPOILING.answer](request)
        return super().send(request, *given, **named)


@dataclass
class Spreadsheet:
    """A spreadsheet with a client and an admin, and the machines on which nobody may read it."""

    id: str
    machines: Mapping[tuple[bool, bool], Machine]
    folder: Path
    made: int = 0
    _read: tuple[object, bool, dict[str, Any]] | None = None

    def machine(self, *, ended: bool, mirror: bool) -> Machine:
        """A machine that is used once: whose session has `ended`, with a `mirror` of the spreadsheet."""
        like = self.machines[ended, mirror]
        self.made += 1
        folder = self.folder / f"case-{self.made}"
        shutil.copytree(like.folder, folder)
        return Machine(folder, like.store, like.settings, like.token)

    def stored(self, *, noted: bool = False) -> dict[str, Any]:
        """All that stands in the spreadsheet; with `noted`, but for refused sign-ins."""
        person = conftest.google()
        # Whoever writes puts another book in the place of this one.
        book = person._document(self.id).book
        if self._read is None or self._read[0] is not book or self._read[1] != noted:
            left_out = ("sign-ins", "history", "crm", "crm before") if noted else ()
            titles = [tab["title"] for tab in person.tabs(self.id)]
            values = {title: person.values(self.id, title) for title in titles if title not in left_out}
            self._read = book, noted, values
        return self._read[2]


@pytest.fixture(scope="module")
def memory() -> Iterator[Path]:
    """A folder in memory, where there is such a place: a machine is made for each case."""
    parent = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="crm-test-", dir=parent if os.access(parent, os.W_OK) else None) as made:
        yield Path(made)


@pytest.fixture(scope="module")
def spreadsheet(memory: Path) -> Iterator[Spreadsheet]:
    folder = memory / "machines"
    folder.mkdir()
    with pytest.MonkeyPatch.context() as patched:
        google = conftest.google()
        patched.setattr(http, "HTTPAdapter", lambda **given: _Spoilt(google.server, **given))
        patched.setattr(service, "Stopwatch", lambda: conftest._HURRIED.clock)
        settings = {"CRM_GOOGLE_URL": google.url, "CREDS": json.dumps(google.credentials())}
        made = google.make("Team")
        first = Machine(folder / "first", f"sheets://{made}", settings, later=0)
        token = _furnished(first, patched)
        machines = {}
        for ended, mirror in product((False, True), repeat=2):
            machine = Machine(folder / f"like-{ended}-{mirror}", first.store, settings, token)
            machine.folder.mkdir()
            if mirror:
                shutil.copytree(first.folder / "data", machine.folder / "data")
                shutil.rmtree(machine.folder / "data" / "crm" / "backups", ignore_errors=True)
            if ended:
                SavedSessions(machine.folder / "data" / "crm").keep(first.store, token)
            shutil.copy(folder / "first" / "theirs.sqlite3", machine.folder)
            machines[ended, mirror] = machine
        yield Spreadsheet(made, machines, folder)


def _furnished(machine: Machine, patched: pytest.MonkeyPatch) -> str:
    """Put a client and an admin into a store, and beside it a backup of another one, without accounts, which somebody
    might restore; the token of a session of the admin that has ended."""
    machine.folder.mkdir()
    patched.setenv("XDG_DATA_HOME", machine.environment["XDG_DATA_HOME"])
    crm = machine.open()
    try:
        if machine.store.startswith("sheets:"):
            named("sheets setup")(crm)
        named("clients add")(crm, {"last_name": MARK, "notes": f"{MARK} notes"})
        accounts = crm.accounts.open()
        accounts.administration.add(email=EMAIL, name=f"{MARK} Ada", role="admin", password=PASSWORD)
        who = accounts.authentication.sign_in(EMAIL, PASSWORD, device="of a test")
        assert isinstance(who, SignedIn)
        accounts.sessions.end(who.session)
    finally:
        crm.repository.close()
    other = dataclasses.replace(machine, store=f"sqlite:///{machine.folder / 'other.sqlite3'}").open()
    named("clients add")(other, {"last_name": "Theirs"})
    other.repository.backup(machine.folder / "theirs.sqlite3")
    other.repository.close()
    for path in machine.folder.glob("other.sqlite3*"):
        path.unlink()
    return who.token


def _sent(door: Door, machine: Machine) -> int:
    """The number of requests that a door sends when nothing goes wrong."""
    SPOILING.at, SPOILING.on, SPOILING.sent = -1, False, 0
    _through(door, machine)
    return SPOILING.sent


def _through(door: Door, machine: Machine) -> str:
    with pytest.MonkeyPatch.context() as patched:
        for name, value in machine.environment.items():
            patched.setenv(name, value)
        return door(machine)


def _pairs(steps: int, errors: Mapping[str, object], *, wholly: bool) -> list[tuple[int, str]]:
    """At which step a door meets which error: `wholly` every one at every step, else each step and each error at least
    once."""
    if wholly or not steps:
        return list(product(range(steps), errors))
    names = list(errors)
    return [(at % steps, names[at % len(names)]) for at in range(max(steps, len(names)))]


def _tried(
    spreadsheet: Spreadsheet,
    name: str,
    states: Sequence[tuple[bool, bool]],
    ons: Sequence[bool],
    *,
    wholly: bool = True,
) -> int:
    """Take one door through every error at every request, or fewer (see `_pairs`); how many cases there were."""
    door, cases = DOORS[name], 0
    for ended, mirror in states:
        sent = _sent(door, spreadsheet.machine(ended=ended, mirror=mirror))
        assert sent > 0 or name in _ASK_LITTLE, name
        before = spreadsheet.stored(noted=name in _NOTED)
        for (at, answer), on in product(_pairs(sent, ANSWERS, wholly=wholly), ons):
            machine = spreadsheet.machine(ended=ended, mirror=mirror)
            other = machine.files()
            SPOILING.at, SPOILING.answer, SPOILING.on, SPOILING.sent = at, answer, on, 0
            output = _through(door, machine)
            SPOILING.at, SPOILING.on = -1, False
            where = (name, ended, mirror, at, answer, on, output)
            assert MARK not in output, where
            assert "went wrong" not in output, where
            assert machine.files() <= other | {"data/crm/store.txt"}, where
            assert spreadsheet.stored(noted=name in _NOTED) == before, where
            shutil.rmtree(machine.folder)
            cases += 1
    return cases


# These are tried on every kind of machine, with one wrong answer and with nothing but wrong ones from there on.
_WHOLLY = ("clients list", "users add")
# The commands come in by the same way as those; each of these by that of another door.
_LIKE_OTHERS = (*COMMANDS, "a key: restore", "menu: the second", "menu: the third", "browser: its menu")
_NEVER, _ENDED = (False, False), (True, True)


def test_one_wrong_reply_of_google_gives_no_access(spreadsheet: Spreadsheet) -> None:
    assert _tried(spreadsheet, "clients list", [_NEVER], [False], wholly=False) >= len(ANSWERS)


@pytest.mark.slow
@pytest.mark.parametrize("on", [False, True], ids=["once", "from there on"])
@pytest.mark.parametrize(("ended", "mirror"), list(product((False, True), repeat=2)))
@pytest.mark.parametrize("name", _WHOLLY)
def test_no_wrong_reply_of_google_gives_access_on_any_machine(
    spreadsheet: Spreadsheet,
    name: str,
    ended: bool,
    mirror: bool,
    on: bool,
    record_property: Callable[[str, object], None],
) -> None:
    cases = _tried(spreadsheet, name, [(ended, mirror)], [on])
    record_property("cases", cases)
    assert cases >= len(ANSWERS)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in DOORS if name not in _WHOLLY])
def test_no_wrong_reply_of_google_gives_access_anywhere(
    spreadsheet: Spreadsheet, name: str, record_property: Callable[[str, object], None]
) -> None:
    if name in _LIKE_OTHERS:
        cases = _tried(spreadsheet, name, [_NEVER], [False], wholly=False)
    else:
        cases = _tried(spreadsheet, name, [_NEVER], [False]) + _tried(
            spreadsheet, name, [_ENDED], [False], wholly=False
        )
    record_property("cases", cases)
    assert cases >= (len(ANSWERS) if name in _LIKE_OTHERS else 3 * len(ANSWERS)) or name in _ASK_LITTLE


# Tabs that an editor deletes

_TABS = ("users", "sign-ins", "crm", "history")
_AT_DELETED_TABS = (
    "clients list", "users add", "sheets setup", "sheets connect", "sheets repair", "sign-in", "restore",
    "menu: what comes first", "menu: the second",
)  # fmt: skip
_RECOVER = _shell("users", "recover", EMAIL, "--yes")
_THREE = frozenset(("users", "sign-ins", "crm"))


def _deleted(*, quick: bool) -> list[tuple[str, ...]]:
    """The tabs that are deleted together."""
    some = [combination for count in range(1, 5) for combination in combinations(_TABS, count)]
    return [tabs for tabs in some if (tabs == ("crm",) or set(tabs) == _THREE) is quick]


def _without(spreadsheet: Spreadsheet, tabs: Sequence[str], doors: Sequence[str], *, knows: bool) -> None:
    """Go through doors once tabs are deleted: nobody gets in, and each says in a sentence why."""
    person = conftest.google()
    document = person._document(spreadsheet.id)
    book = document.book
    try:
        for name in (*doors, "users recover"):
            for tab in tabs:
                person.delete_tab(spreadsheet.id, tab)
            machine = spreadsheet.machine(ended=False, mirror=knows)
            output = _through(DOORS.get(name, _RECOVER), machine)
            where = (name, tabs, knows, output)
            assert MARK not in output, where
            assert "went wrong" not in output, where
            assert output.strip(), where
            # Nor is there a way in afterwards.
            assert MARK not in _through(DOORS["clients list"], machine), where
            shutil.rmtree(machine.folder)
            document.change(lambda now: vars(now).update(vars(book)))
    finally:
        document.change(lambda now: vars(now).update(vars(book)))


@pytest.mark.parametrize("tabs", _deleted(quick=True), ids="+".join)
def test_a_deleted_tab_is_reported_and_gives_no_access(spreadsheet: Spreadsheet, tabs: Sequence[str]) -> None:
    for knows in (False, True):
        _without(spreadsheet, tabs, ("clients list", "sheets setup"), knows=knows)


@pytest.mark.slow
@pytest.mark.parametrize("knows", [False, True])
@pytest.mark.parametrize("tabs", [*_deleted(quick=True), *_deleted(quick=False)], ids="+".join)
def test_no_deleted_tabs_give_access(spreadsheet: Spreadsheet, tabs: Sequence[str], knows: bool) -> None:
    _without(spreadsheet, tabs, _AT_DELETED_TABS, knows=knows)


# What SQLite answers


def _failing(name: str, words: str, kind: type[sqlite3.Error] = sqlite3.OperationalError) -> sqlite3.Error:
    error = kind(words)
    error.sqlite_errorname = name
    return error


FAILURES: Mapping[str, sqlite3.Error] = {
    "locked": _failing("SQLITE_BUSY", "database is locked"),
    "damaged": _failing("SQLITE_CORRUPT", "database disk image is malformed", sqlite3.DatabaseError),
    "no database": _failing("SQLITE_NOTADB", "file is not a database", sqlite3.DatabaseError),
    "failing disk": _failing("SQLITE_IOERR_READ", "disk I/O error"),
    "cannot be opened": _failing("SQLITE_CANTOPEN", "unable to open database file"),
    "no such table": _failing("SQLITE_ERROR", "no such table: user"),
    "out of memory": _failing("SQLITE_NOMEM", "out of memory"),
}
_ON_A_FILE = [name for name in DOORS if not name.startswith("sheets")]


@dataclass
class File:
    """A store in a file with a client and an admin, on a machine whose session has ended, or none ever was."""

    machine: Machine
    made: int = 0

    def another(self, *, ended: bool) -> Machine:
        """A copy of it, to be used once."""
        self.made += 1
        folder = self.machine.folder.parent / f"case-{self.made}"
        shutil.copytree(self.machine.folder, folder)
        # What a data folder remembers of a store goes by its address too.
        case = Machine(folder, f"sqlite:///{folder / 'store.sqlite3'}", {}, self.machine.token)
        if ended:
            SavedSessions(folder / "data" / "crm").keep(case.store, case.token)
        return case


@pytest.fixture(scope="module")
def file(memory: Path) -> Iterator[File]:
    (memory / "files").mkdir()
    folder = memory / "files" / "first"
    with pytest.MonkeyPatch.context() as patched:
        machine = Machine(folder, f"sqlite:///{folder / 'store.sqlite3'}", {})
        token = _furnished(machine, patched)
        patched.setattr(sql, "GIVES_UP_AFTER", 0.0)
        # To the program each case is this file at a new place, and no copy of it.
        like = folder.rename(memory / "files" / "like")
        yield File(Machine(like, f"sqlite:///{like / 'store.sqlite3'}", {}, token))


def _records(store: Path, *, noted: bool = False) -> dict[str, Any]:
    """All that is in a file; with `noted`, but for refused sign-ins."""
    left_out = ("sign_in", "transactions", "audit", "sqlite_sequence", "store_facts") if noted else ()
    with sqlite3.connect(store) as opened:
        names = [name for (name,) in opened.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        read = {name: opened.execute(f'SELECT * FROM "{name}"').fetchall() for name in names if name not in left_out}
    opened.close()
    return read


@contextlib.contextmanager
def _spoilt_statements(failure: str = "") -> Iterator[None]:
    def spoilt(execute: Callable[..., None]) -> Callable[..., None]:
        def execute_or_fail(*arguments: Any) -> None:
            if SPOILING.strikes():
                raise FAILURES[failure]
            execute(*arguments)

        return execute_or_fail

    with pytest.MonkeyPatch.context() as patched:
        for name in ("do_execute", "do_execute_no_params"):
            patched.setattr(DefaultDialect, name, spoilt(getattr(DefaultDialect, name)))
        yield


def _tried_on_a_file(file: File, name: str, *, ended: bool, wholly: bool = True) -> int:
    """Take one door through each failure of each statement, or fewer (see `_pairs`); how many cases there were."""
    SPOILING.at, SPOILING.on, SPOILING.sent = -1, False, 0
    with _spoilt_statements():
        _through(DOORS[name], file.another(ended=ended))
    sent, cases = SPOILING.sent, 0
    assert sent > 0 or name in _ASK_LITTLE, name
    before = _records(file.machine.folder / "store.sqlite3", noted=name in _NOTED)
    for at, failure in _pairs(sent, FAILURES, wholly=wholly):
        machine = file.another(ended=ended)
        other = machine.files()
        SPOILING.at, SPOILING.sent = at, 0
        with _spoilt_statements(failure):
            output = _through(DOORS[name], machine)
        SPOILING.at = -1
        where = (name, at, failure, output)
        assert MARK not in output, where
        assert "went wrong" not in output, where
        assert machine.files() <= other, where
        assert _records(machine.folder / "store.sqlite3", noted=name in _NOTED) == before, where
        shutil.rmtree(machine.folder)
        cases += 1
    return cases


def test_a_failing_statement_gives_no_access(file: File) -> None:
    assert _tried_on_a_file(file, "clients list", ended=True) >= 30


@pytest.mark.slow
@pytest.mark.parametrize("name", _ON_A_FILE)
def test_no_failing_statement_gives_access_anywhere(
    file: File, name: str, record_property: Callable[[str, object], None]
) -> None:
    wholly = {False: name not in _LIKE_OTHERS, True: name in _WHOLLY}
    record_property("cases", sum(_tried_on_a_file(file, name, ended=ended, wholly=wholly[ended]) for ended in wholly))


# What somebody takes out of a file

_FACTS = ("user", "sign_in", "store_facts")
_TAKEN_OUT = [
    *(f"DROP TABLE {name}" for name in tables.metadata().tables),
    *(
        f"ALTER TABLE {name} RENAME COLUMN {column.name} TO gone"
        for name in _FACTS
        for column in tables.metadata().tables[name].columns
    ),
    *(
        f"UPDATE store_facts SET value = '{text}' WHERE name = 'schema_version'"
        for text in (*(str(tables.SCHEMA_VERSION + step) for step in (-1, -2, 1)), "0", "-1", "text", "", "9" * 5000)
    ),
]
_AT_DAMAGE = ("clients list", "users add", "sign-in", "restore", "menu: what comes first")


def _taken_out(file: File, statement: str, doors: Sequence[str]) -> None:
    """Go through doors of a file in which something is missing or untrue: nobody gets in, and each says why."""
    for name in (*doors, "users recover"):
        machine = file.another(ended=False)
        store = machine.folder / "store.sqlite3"
        with contextlib.closing(sqlite3.connect(store)) as opened:
            opened.execute(statement)
            opened.commit()
        output = _through(DOORS.get(name, _RECOVER), machine)
        where = (name, statement, output)
        assert MARK not in output, where
        assert "went wrong" not in output, where
        assert output.strip(), where
        shutil.rmtree(machine.folder)


@pytest.mark.parametrize(
    "at", [_TAKEN_OUT.index("DROP TABLE user"), len(_TAKEN_OUT) - 8], ids=lambda at: _TAKEN_OUT[at]
)
def test_a_file_with_missing_parts_is_reported(file: File, at: int) -> None:
    _taken_out(file, _TAKEN_OUT[at], _AT_DAMAGE)


@pytest.mark.slow
@pytest.mark.parametrize("statement", _TAKEN_OUT, ids=lambda statement: statement[:60])
def test_no_file_with_missing_parts_gives_access(file: File, statement: str) -> None:
    _taken_out(file, statement, _AT_DAMAGE)


@pytest.mark.parametrize(
    "statement", ["DROP TABLE user", "DROP TABLE sale", *_TAKEN_OUT[-8:]], ids=lambda statement: statement[:70]
)
def test_a_backup_with_missing_parts_is_not_restored(file: File, statement: str) -> None:
    machine = file.another(ended=False)
    backup, own = machine.folder / "theirs.sqlite3", machine.folder / "own.sqlite3"
    with contextlib.closing(sqlite3.connect(backup)) as opened:
        opened.execute(statement)
        opened.commit()
    output = _through(DOORS["restore"], dataclasses.replace(machine, store=f"sqlite:///{own}"))
    assert "nothing was changed" in output.lower(), output
    assert "theirs.sqlite3" in output
    shutil.rmtree(machine.folder)


_PAGE = 4096


def _damage(store: Path, first: int) -> Iterator[Callable[[], None]]:
    """Damage to a file: each page overwritten, one with zeros (or with ones, if `first` is 1) and the next with the
    other; the file cut off; and another file."""
    whole = store.read_bytes()
    fillers = (b"\x00", b"\xff")
    for number, start in enumerate(range(0, len(whole), _PAGE), start=first):
        filler = fillers[number % 2]
        yield lambda at=start, by=filler: store.write_bytes(whole[:at] + by * _PAGE + whole[at + _PAGE :])  # type: ignore[misc]
    yield lambda: store.write_bytes(whole[: len(whole) // 2])
    yield lambda: store.write_bytes(b"Dear diary,\n" * 400)


# All of them open the file in the same way, so one meets each page with zeros and with ones.
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("clients list", 0),
        ("clients list", 1),
        ("users add", 0),
        ("users list", 1),
        ("completion", 0),
        ("menu: what comes first", 1),
    ],
)
def test_a_damaged_file_gives_no_access(
    file: File, name: str, first: int, record_property: Callable[[str, object], None]
) -> None:
    cases = 0
    with sqlite3.connect(file.machine.folder / "store.sqlite3") as opened:
        opened.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    opened.close()
    for number in range(len(list(_damage(file.machine.folder / "store.sqlite3", first)))):
        machine = file.another(ended=True)
        store = machine.folder / "store.sqlite3"
        list(_damage(store, first))[number]()
        other, damaged = machine.files(), store.read_bytes()
        output = _through(DOORS[name], machine)
        assert MARK not in output, (name, number, output)
        assert machine.files() <= other, (name, number)
        if name not in _NOTED:
            assert store.read_bytes() == damaged, (name, number)
        shutil.rmtree(machine.folder)
        cases += 1
    record_property("cases", cases)
    assert cases > 40


def _folder_instead(store: Path) -> None:
    store.unlink()
    store.mkdir()


def _held(store: Path) -> sqlite3.Connection:
    holder = sqlite3.connect(store, isolation_level=None)
    holder.execute("PRAGMA locking_mode = EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")
    holder.execute("UPDATE store_facts SET value = value")
    return holder


@pytest.mark.many
@pytest.mark.parametrize("name", ["clients list", "users list", "completion", "menu: what comes first"])
@pytest.mark.parametrize("what", ["a folder", "emptied", "gone", "held"])
def test_an_unusable_file_shows_no_data(file: File, name: str, what: str) -> None:
    machine = file.another(ended=True)
    store = machine.folder / "store.sqlite3"
    holder = None
    if what == "held":
        holder = _held(store)
    elif what == "a folder":
        _folder_instead(store)
    elif what == "emptied":
        store.write_bytes(b"")
    else:
        store.unlink()
    try:
        # A file that is empty, or gone, is a new store: there is nobody's data in it.
        assert MARK not in _through(DOORS[name], machine), (name, what)
    finally:
        if holder is not None:
            holder.close()


def test_a_damaged_file_allows_only_a_restore(file: File) -> None:
    machine = file.another(ended=False)
    store = machine.folder / "store.sqlite3"
    backup = machine.folder / "ours.sqlite3"
    shutil.copy(store, backup)
    # Whole, it is nobody's to restore who has not signed in.
    assert "sign-in" in _through(_shell("restore", str(backup), "--yes"), machine)
    whole = store.read_bytes()
    store.write_bytes(b"SQLite format 3\x00" + b"\xff" * 5000)
    for leftover in machine.folder.glob("store.sqlite3-*"):
        leftover.unlink()
    for name in ("clients list", "users add", "check", "backup", "export"):
        assert "damaged" in _through(DOORS[name], machine), name
    out = io.StringIO()
    with contextlib.redirect_stdout(out), pytest.MonkeyPatch.context() as patched:
        patched.setenv("XDG_DATA_HOME", machine.environment["XDG_DATA_HOME"])
        assert run(["restore", str(backup), "--yes"], machine.environment, app.open_crm) == 0
    (kept,) = (machine.folder / "backups").glob("*-damaged.sqlite3")
    assert kept.read_bytes().startswith(b"SQLite format 3\x00\xff")
    assert _records(store)["client"] == _records(backup)["client"]
    assert len(whole) > 5000
    # What was put back has accounts, and is as closed as before.
    assert "sign-in" in _through(DOORS["clients list"], machine)

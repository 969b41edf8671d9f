"""A menu whose session ends while it waits at a question.

With a keyboard that answers by itself. It goes through whatever a command offers, one entry after the other; at each
question the process forks: in the child the session is lost there, and the answer is given all the same.
"""

import gc
import io
import os
import shutil
import tempfile
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import chdir, closing, contextmanager, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from multiprocessing.util import Finalize
from pathlib import Path
from typing import Any, NoReturn

from sqlalchemy import func, select

from crm.accounts import SignedIn
from crm.accounts.evidence import Memory
from crm.accounts.sessions import LASTS
from crm.app import open_crm
from crm.commands.context import CRM
from crm.commands.registry import Command, named
from crm.config import Config
from crm.errors import FieldError, RefusedError, RuleError, SignedOutError
from crm.model import SignIn, User
from crm.repository import tables
from crm.terminal.console.keyboard import Back, Choice, Closed
from crm.terminal.drawing.screen import Screen
from crm.terminal.toolkit.pages import load_flows
from tests.support.clocks import TODAY, running_on
from tests.support.keyboards import Leaving, Watched
from tests.support.quick_hashes import hash_quickly
from tests.support.quick_stores import make_stores_quickly

PASSWORD = "a kettle, two spoons and rain"
SECRET = "what protects the accounts of these tests"
# So many questions of a command are answered.
_MOST = 30
# So many of them are what a command asks itself; at those after them, which are of the pages around it, the session is
# lost at every second one.
_EACH = 10
# What is typed where nothing else is known to fit: the first that is taken.
_TYPED = ("1", "Anna Arm", "anna2@example.com", "2026-11-23", "12", "total_spend > 1", "yes", "+436641234567", "")
_BY_LABEL = {
    "Password": PASSWORD, "Current password": PASSWORD,
    "New password": "another kettle, three spoons", "New password again": "another kettle, three spoons",
    "Name": "Somebody New", "E-mail": "new@example.com",
}  # fmt: skip


class Enough(Exception):
    """The command was followed far enough."""


@dataclass
class Answering(Leaving):
    """A Keyboard that answers by itself: of a menu each entry once, then back; `asked` is called before each answer."""

    asked: Callable[[str], None]
    chosen: dict[str, int] = field(default_factory=dict)
    answers: int = 0

    def _asked(self, question: str) -> None:
        self.answers += 1
        if self.answers > _MOST:
            raise Enough
        self.asked(question)

    def choose(
        self,
        question: str,
        choices: Sequence[Choice],
        *,
        back: str = "Back",
        hidden: Sequence[Choice] = (),
        **_: Any,
    ) -> Any:
        self._asked(question)
        # Keys of a page are entries as well, but those of every page are not tried on each.
        entries = [*choices, *(choice for choice in hidden if choice.key not in "/?u")]
        seen = f"{question}|{'|'.join(choice.label for choice in choices)}"
        next_one = self.chosen.get(seen, 0)
        self.chosen[seen] = next_one + 1
        if next_one >= len(entries):
            if not back and entries:
                return entries[-1].value
            raise Back
        return entries[next_one].value

    def text(self, label: str, read: Callable[[str], Any], *, default: str = "", **_: Any) -> Any:
        self._asked(label)
        tries = self.chosen.get(label, 0)
        self.chosen[label] = tries + 1
        if tries > 3:
            raise Back
        for typed in (_BY_LABEL.get(label, default or _TYPED[0]), *_TYPED):
            with suppress(FieldError, RuleError):
                return read(typed)
        raise Back

    def pause(self, room: int = 0) -> None:
        self._asked("pause")


def _crm(folder: Path) -> CRM:
    return open_crm(Config(f"sqlite:///{folder / 'store.sqlite3'}", "owner", running_on(TODAY), secret=SECRET))


@contextmanager
def prepared_folder() -> Iterator[Path]:
    """A folder with a store that has something of everything in it, and an admin."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as made:
        path = Path(made)
        data, keep = os.environ.get("XDG_DATA_HOME"), Memory.keep
        os.environ["XDG_DATA_HOME"] = str(path / "data")
        # Of the copies none comes after another.
        Memory.keep = lambda *_: None  # type: ignore[method-assign]
        try:
            crm = _crm(path)
            _furnish(crm)
            crm.accounts.open().close()
            crm.repository.close()
            load_flows()
            yield path
        finally:
            Memory.keep = keep  # type: ignore[method-assign]
            if data is None:
                del os.environ["XDG_DATA_HOME"]
            else:
                os.environ["XDG_DATA_HOME"] = data


def _furnish(crm: CRM) -> None:
    def call(words: str, *given: Any, **more: Any) -> Any:
        return named(words)(crm, *given, **more)

    anna = call("clients add", {"first_name": "Anna", "last_name": "Arm", "email": "anna@example.com"})
    call("clients add", {"first_name": "Bert", "last_name": "Bein", "marketing_consent": True})
    call("sales add", anna, Decimal(100))
    call("contacts add", anna, "Cy Contact", email="cy@example.com")
    call("interactions add", anna, "call", "A call")
    call("follow-ups add", anna, "Write", due=TODAY)
    call("deals add", anna, "A table")
    call("templates add", "Hello", subject="Hello", body="Dear {name}")
    call("views save", "Big", "total_spend > 1")
    accounts = crm.accounts.open()
    for name, role in (("Ada", "admin"), ("Vic", "admin"), ("Sam", "staff")):
        accounts.administration.add(email=f"{name}@example.com".lower(), name=name, role=role, password=PASSWORD)


def expire(repository: Any, session: int) -> None:
    """Let 12 hours pass since a sign-in, which a test does not wait for; by the program's own way, which seals it."""

    def change(tx: Any) -> None:
        tx.apply(tx.get(SignIn, session), {"created_at": tx.at - LASTS}, review=False)

    repository.transact(change, "moved the start of a session")


def changing(repository: Any) -> list[Any]:
    """All that a change alters: every change of a record adds to the history; the rest is compared itself."""
    counted = [select(func.count(table.c.id)) for table in (tables.transactions, tables.audit)]
    whole = [select(tables.user), select(tables.sign_in), select(tables.store_facts)]
    with repository._engine.connect() as connection:
        return [connection.execute(name).all() for name in (*counted, *whole)]


# The number of Vic's account, as they are added.
VIC = 2


def _vic(crm: CRM) -> User:
    with crm.read() as snapshot:
        return snapshot.get(User, VIC)


# How Vic's session is lost; `crm` is unguarded, `session` the one that Vic works in.
Lose = Callable[[CRM, int], Any]


def _expire(crm: CRM, session: int) -> None:
    expire(crm.repository, session)


LOST: Mapping[str, Lose] = {
    "signed out": lambda crm, _: crm.accounts.open().sessions.end_all(VIC),
    "demoted": lambda crm, _: crm.accounts.open().administration.edit(_vic(crm), role="staff"),
    "deactivated": lambda crm, _: crm.accounts.open().administration.edit(_vic(crm), active=False),
    "password changed": lambda crm, _: crm.accounts.open().self_service._set_password(
        _vic(crm), "rain, two kettles and a spoon", "changed the password"
    ),
    "one-time password": lambda crm, _: crm.accounts.open().administration.set_one_time_password(VIC),
    "second factor reset": lambda crm, _: crm.accounts.open().administration.reset_second_factor(VIC),
    "12 hours over": _expire,
}


# What a child has of its parent and must not let go of.
_KEPT: list[Any] = []


@dataclass
class Walk:
    """One way through a command at the menu of Vic, in a copy of the store. `ways` are those in which the session is
    lost at a question, by its number; `cases` counts them, `refused` by the way those that the menu came to notice."""

    folder: Path
    command: Command
    ways: Callable[[int], Sequence[str]]
    questions: int = 0
    cases: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    saved: int = 0
    lost: str = ""
    before: Any = None

    def go(self) -> None:
        """Go through it. Raises AssertionError where a lost session changed anything, or was told what is not so."""
        work = self.folder.parent / f"{self.folder.name}-walk"
        shutil.copytree(self.folder, work)
        self.outside = _crm(work)
        try:
            # Files that it names without a folder lie there.
            with chdir(work):
                self._go(work)
        finally:
            self.outside.accounts.open().close()
            self.outside.repository.close()
            shutil.rmtree(work, ignore_errors=True)

    def _go(self, work: Path) -> None:
        who = self.outside.accounts.open().authentication.sign_in("vic@example.com", PASSWORD)
        assert isinstance(who, SignedIn)
        self.session = who.session
        crm = self.outside.enter(self.outside, who)
        self.keyboard = Answering(lambda question: self._ask(work, question))
        menu = Watched(crm, self.keyboard, Screen(io.StringIO(), plain=True))
        message = ""
        try:
            menu.attempt(lambda: menu.start(self.command))
        except SignedOutError as out:
            message = out.sentence
        except (Enough, Back, Closed):
            pass
        except BaseException:
            if self.lost:
                self._end(traceback.format_exc())
            raise
        finally:
            if not self.lost:
                # It may have gone on in another store.
                menu.close()
        self.saved = len(crm.saved.what)
        if self.lost:
            changed = changing(self.outside.repository) != self.before
            untrue = message not in ("", "You have been signed out. Nothing was changed. Sign in again.")
            self._end(f"changed: {changed}, told: {message}" if changed or untrue else "", refused=bool(message))

    def _ask(self, work: Path, question: str) -> None:
        """End the session in a child process before a question is answered."""
        if self.lost:
            return
        self.questions += 1
        for way in self.ways(self.questions):
            with warnings.catch_warnings():
                # Nobody but this thread does anything meanwhile.
                warnings.simplefilter("ignore", DeprecationWarning)
                child = os.fork()
            if not child:
                # It does not live long enough for that, which would copy all of the parent's memory.
                gc.disable()
                self._lose(work, way)
                return
            _, status = os.waitpid(child, 0)
            self.cases += 1
            complaint = self._complaint(child)
            answer = complaint.read_text() if complaint.exists() else ""
            complaint.unlink(missing_ok=True)
            code = os.waitstatus_to_exitcode(status)
            assert code in (0, 3), (self.command.words, self.questions, question, way, answer)
            self.refused[way] += code == 3

    def _lose(self, work: Path, way: str) -> None:
        """Go on in a store of this process alone, in which the session is lost."""
        own = work.parent / f"{work.name}-{os.getpid()}"
        shutil.copytree(work, own)
        os.chdir(own)
        repository: Any = self.outside.repository
        _KEPT.append(repository._engine.pool)
        repository._engine.dispose(close=False)
        # Whatever is connected from now on is connected to its file.
        repository._dialect.__init__(own / "store.sqlite3")
        self.lost = way
        self.own = own
        self.keyboard.answers = max(self.keyboard.answers, _MOST - 10)
        try:
            try:
                LOST[way](self.outside, self.session)
            except RefusedError:
                # By now Vic may be the last admin, or another one's account.
                LOST["signed out"](self.outside, self.session)
            self.before = changing(self.outside.repository)
        except BaseException:
            self._end(traceback.format_exc())

    def _complaint(self, child: int) -> Path:
        return self.folder.parent / f"complaint-{child}"

    def _end(self, complaint: str, *, refused: bool = False) -> NoReturn:
        """End the child."""
        shutil.rmtree(self.own, ignore_errors=True)
        if complaint:
            self._complaint(os.getpid()).write_text(complaint)
        os._exit(1 if complaint else 3 if refused else 0)


# The process of the walks

_PREPARED: list[Path] = []


def prepare() -> None:
    """Make this process one of walks: it has a folder for them, until it ends."""
    hash_quickly()
    make_stores_quickly()
    context = prepared_folder()
    folder = context.__enter__()
    _PREPARED.append(folder)
    # The context ends with the process.
    Finalize(context, context.__exit__, (None, None, None), exitpriority=1)
    _try_each_way(folder)


def _try_each_way(folder: Path) -> None:
    """Each way once in a copy, so that what is compiled and loaded for it is so in all children."""
    copy = folder / "tried"
    for lose in LOST.values():
        shutil.copytree(folder, copy, ignore=shutil.ignore_patterns(copy.name))
        crm = _crm(copy)
        with closing(crm.repository), closing(crm.accounts.open()):
            who = crm.accounts.open().authentication.sign_in("vic@example.com", PASSWORD)
            assert isinstance(who, SignedIn)
            lose(crm, who.session)
            changing(crm.repository)
        shutil.rmtree(copy)


@dataclass(frozen=True)
class Walked:
    """The result of a walk."""

    questions: int
    cases: int
    saved: int
    refused: Counter[str]


def walk_one_after_the_other(words: str) -> Walked:
    """At each of the first questions, and at every second one after them, the session is lost in another way."""
    ways = list(LOST)

    def ways_at(question: int) -> Sequence[str]:
        turn = len(words) + question
        return [ways[turn % len(ways)]] if question <= _EACH or turn % 2 else []

    return _walked(words, ways_at)


def walk_with_all_ways(words: str, questions: int) -> Walked:
    """At each of the first questions the session is lost in every way."""
    return _walked(words, lambda question: list(LOST) if question <= questions else [])


def _walked(words: str, ways: Callable[[int], Sequence[str]]) -> Walked:
    (folder,) = _PREPARED
    walk = Walk(folder, named(words), ways)
    walk.go()
    return Walked(walk.questions, walk.cases, walk.saved, walk.refused)

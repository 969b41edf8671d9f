"""The program in a real pty, and its screen as a person sees it."""

import math
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pexpect
import pyte
import pytest
import trustme

from crm.app import open_crm
from crm.commands import load
from crm.commands.context import CRM
from crm.commands.registry import named
from crm.config import Config
from crm.model import Client
from tests.support import program, servers
from tests.support.clocks import TODAY, now_on, running_on
from tests.support.mail_server import Post, served
from tests.support.program import ANSWERED, PATIENCE, is_asking, sleeps, unread_keys

ROOT = Path(__file__).parents[2]
SENDER = "Example Ltd <crm@example.com>"
# The mail servers that tests ask for.
authority, dovecot_server, post = servers.authority, servers.dovecot_server, servers.post
# Seconds after which a key that has changed nothing on the screen changes nothing, unless the program is busy.
_NOTHING_CHANGES = 0.3
# Seconds after which a program that waits for a key changes nothing more by itself.
_IDLE = 8.0
KEYS = {
    "enter": "\r",
    "esc": "\x1b",
    "down": "\x1b[B",
    "up": "\x1b[A",
    "c-c": "\x03",
    "c-d": "\x04",
    "kill": "\x01\x0b",
}


class Session:
    """`run.py` on a store, in a terminal of its own: keys go in, the parsed screen comes out. It is forked from a
    process that has loaded it, or started `fresh` as a person does."""

    # What was drawn when the last key was sent, and when that was.
    _sent = 0, -math.inf

    def __init__(
        self, store: Path, columns: int = 80, lines: int = 24, fresh: bool = False, **environment: str
    ) -> None:
        self.screen = pyte.Screen(columns, lines)
        self.raw = b""
        self.plain = environment.get("TERM") == "dumb"
        self._stream = pyte.ByteStream(self.screen)
        inherited = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "SYSTEMROOT", "TZ")}
        self.child = program.start(
            [],
            inherited
            | {
                "TERM": "xterm-256color",
                "LANG": "en_US.UTF-8",
                "CRM_NOW": now_on(TODAY),
                "CRM_STORE": f"sqlite:///{store}",
                "CRM_USER": "tester",
                "XDG_DATA_HOME": str(store.parent),
                "PYTHONWARNINGS": "error",
            }
            | environment,
            store.parent,
            (lines, columns),
            fresh,
            timeout=PATIENCE,
        )

    @property
    def lines(self) -> list[str]:
        """The lines on the screen, without trailing blanks."""
        return [line.rstrip() for line in self.screen.display]

    @property
    def text(self) -> str:
        """The same as one text."""
        return "\n".join(self.lines)

    def _read(self, seconds: float) -> bool:
        """Take in what the program wrote; False when it has ended."""
        try:
            piece = self.child.read_nonblocking(65536, seconds)
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            return False
        self.raw += piece
        self._stream.feed(piece)
        return True

    def _until(self, holds: Callable[[], object], complaint: str) -> None:
        """Take in what the program writes until something holds."""
        now = idle_since = time.monotonic()
        ends = now + PATIENCE
        while not holds():
            before = len(self.raw)
            running = self._read(0.05)
            now = time.monotonic()
            if len(self.raw) > before or not self._asks() or not self._sleeps():
                idle_since = now
            if (not running and not holds()) or now > ends or now > idle_since + _IDLE:
                raise AssertionError(f"{complaint}\n" + self.text)

    def _has_taken(self) -> bool:
        """True if the program has handled the last key: the screen has changed since, or the key changes nothing."""
        return len(self.raw) > self._sent[0] or self._changes_nothing()

    def _changes_nothing(self) -> bool:
        """True if the last key was read a while ago and the program waits for another."""
        return time.monotonic() > self._sent[1] + _NOTHING_CHANGES and self._sleeps() and not self._unread()

    def sees(self, wanted: str) -> "Session":
        """Wait until a text (its runs of blanks aside) is on the screen."""
        pattern = re.compile(r"\s+".join(re.escape(word) for word in wanted.split()))
        self._until(lambda: self._has_taken() and pattern.search(self.text), f"not seen: {wanted}")
        return self

    def lacks(self, unwanted: str) -> "Session":
        """Wait until a text is on the screen no longer."""
        self._until(lambda: self._has_taken() and unwanted not in self.text, f"still seen: {unwanted}")
        return self

    def reads(self, pattern: str, times: int = 1) -> list[str]:
        """Wait until a pattern is on the screen so many times; what its group matched."""
        expression = re.compile(pattern, re.MULTILINE)
        self._until(lambda: self._has_taken() and len(expression.findall(self.text)) >= times, f"not read: {pattern}")
        found: list[str] = expression.findall(self.text)
        return found

    def settled(self) -> "Session":
        """Wait until the program asks something or has ended, and nothing more is drawn."""
        quiet = 0
        ends = time.monotonic() + PATIENCE
        while quiet < 3 and time.monotonic() < ends:
            before = len(self.raw)
            if not self._read(0.05):
                break
            busy = len(self.raw) > before or not (self._asks() and self._sleeps())
            quiet = 0 if busy else quiet + 1
        return self

    def is_asking(self) -> bool:
        """True if a question is on the screen, or lines are typed."""
        return self.plain or is_asking(self.raw)

    def _asks(self) -> bool:
        """True if the question is not the one that the last key answered."""
        return self._has_taken() and self.is_asking()

    def _asks_next(self) -> bool:
        """True if the question is not the one that the last key went to, or that key has not answered it."""
        is_answered = ANSWERED in self.raw[self._sent[0] :]
        return self._asks() and (is_answered or self._changes_nothing())

    def _sleeps(self) -> bool:
        return sleeps(self.child.pid)

    def _unread(self) -> int:
        return unread_keys(self.child.child_fd)

    def press(self, *keys: str) -> "Session":
        """Send keys by name, or text as it is, as soon as a question is on the screen. They follow each other at once,
        but for Esc, which would make another key of the next one, and for a text, which would be none of the page."""
        for at, key in enumerate(keys):
            is_text = len(key) > 1 and key not in KEYS and key.isprintable()
            asked = self._asks_next if is_text else self.is_asking if at else self._asks
            self._until(asked, f"nothing is asked that {key!r} could answer")
            before = len(self.raw)
            self.send(key)
            if key == "esc" and not self.plain:
                self._until(lambda: ANSWERED in self.raw[before:], "Esc has left nothing")  # noqa: B023 - called here
        return self

    def send(self, *keys: str) -> "Session":
        """Send keys at once, even if nothing is asked yet."""
        for key in keys:
            self._sent = len(self.raw), time.monotonic()
            self.child.send(KEYS.get(key, key))
        return self

    def choose(self, label: str) -> "Session":
        """Press the key that stands before an entry of a menu; one without a key is found by its words, and in a form
        by its letter."""
        self._until(self._asks, f"nothing is asked: {label}")
        key = self.reads(r"(?:([\w.])\)|^ [» ] ) +" + re.escape(label) + "|type to narrow the list")
        if any(key):
            return self.press(next(filter(None, key)))
        if "pick a field" not in self.text:
            return self.press(label).sees(f"1) {label}").press("1")
        while not re.search(rf"^ [»>]    {re.escape(label)}", self.text, re.MULTILINE):
            before = self.text
            self.press(label[0].lower())
            self._until(lambda: self.text != before, f"{label[0]} points at nothing")  # noqa: B023 - called here
        return self.press("enter")

    def paste(self, text: str) -> "Session":
        """Send a text as a terminal pastes it."""
        return self.press(f"\x1b[200~{text}\x1b[201~")

    def exit_code(self) -> int | None:
        """Wait for the end; the exit code, None where a signal ended it."""
        ends = time.monotonic() + PATIENCE
        while self._read(0.05) and time.monotonic() < ends:
            pass
        self.child.close(force=False)
        code: int | None = self.child.exitstatus
        return code

    def hang_up(self) -> None:
        """Close the terminal."""
        self.child.close(force=False)

    def kill(self) -> None:
        """End the program, whatever it does."""
        if self.child.isalive():
            self.child.kill(signal.SIGKILL)
            self.child.wait()
        self.child.close(force=True)


# Starts the program in a terminal: its size and environment, by name.
Start = Callable[..., Session]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store of this test alone."""
    return tmp_path / "crm.sqlite3"


@pytest.fixture
def crm(store: Path) -> Iterator[CRM]:
    """The same store, as a command has it."""
    load()
    opened = open_crm(Config(f"sqlite:///{store}", "tester", running_on(TODAY), folder=store.parent / "crm"))
    yield opened
    opened.repository.close()


def add(crm: CRM, **fields: Any) -> Client:
    """Add a client."""
    added: Client = named("clients add")(crm, fields)
    return added


def all_of(crm: CRM, kind: Any) -> list[Any]:
    """All records of a kind."""
    with crm.read() as snapshot:
        return list(snapshot.find_all(kind))


@pytest.fixture
def start(store: Path) -> Iterator[Start]:
    """Start the program on the store; whatever still runs at the end is killed."""
    started: list[Session] = []

    def begin(**how: Any) -> Session:
        session = Session(store, **how)
        started.append(session)
        return session

    yield begin
    for session in started:
        session.kill()


@pytest.fixture
def mail(post: Post, authority: trustme.CA) -> Iterator[dict[str, str]]:
    """The settings of a program that can send e-mail."""
    with served(post, authority) as port:
        yield {"CRM_SMTP_URL": f"smtp://127.0.0.1:{port}", "CRM_MAIL_FROM": SENDER}

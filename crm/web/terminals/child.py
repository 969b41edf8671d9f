"""A menu in a process of its own: what it may do, and how it hands files to the web server."""

import ctypes
import gc
import json
import os
import resource
import select
import signal
import socket
import sys
import tempfile
import termios
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import IO, Any

from crm.errors import CRMError, FileError, SignedOutError
from crm.terminal.console.file_transfer import FileTransfer
from crm.terminal.console.keyboard import Closed
from crm.terminal.drawing.screen import clean
from crm.web.faults import facts_of

Serve = Callable[[Mapping[str, str], FileTransfer, IO[str], IO[str]], int]
# A program, its command line, its folder and its environment, as Python's audit names them.
Program = tuple[str, list[str], None, dict[str, str]]
PACKET = 65_536
CRASHED, SIGNED_OUT, DONE = 70, 71, 72
ENDED_BY_SERVER = 128 + signal.SIGTERM
_LIMITS = {
    resource.RLIMIT_CORE: 0,
    resource.RLIMIT_NOFILE: 256,
    resource.RLIMIT_AS: 2 << 30,
    resource.RLIMIT_FSIZE: 8 << 30,
}
# The ways to another program, as Python's audit calls them. Threads are none.
_PROGRAMS = frozenset(
    ("os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.system", "pty.spawn", "subprocess.Popen")
)
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
_MOST_KEYS, _LONGEST_WORDS = 100, 100
_ESCAPE, _INTERRUPT = b"\x1b", b"\x03"


class ChannelFileTransfer:
    """An Exchange over a socket to the web server, apart from what is shown: no text of a record can reach it."""

    def __init__(self, channel: socket.socket, folder: Path) -> None:
        self._channel = channel
        self._folder = folder
        self._questions = 0
        self._keys: Sequence[tuple[str, str]] = ()

    @property
    def folder(self) -> Path:
        return self._folder

    def offer(self, path: Path, name: str) -> None:
        if not path.resolve().is_relative_to(self._folder.resolve()) or not path.is_file():
            raise FileError(f"{name} cannot be offered for download. Nothing was sent. Try again.")
        self._send(offer={"path": str(path.resolve()), "name": name})

    def ask_file(self, what: str, ending: str = "") -> Path | None:
        self._questions += 1
        self._send(ask={"number": self._questions, "what": what, "ending": ending})
        with _keys_only():
            answer = self._answer()
        if answer is None:
            self._send(withdraw=True)
            return None
        return Path(answer["file"]) if "file" in answer else None

    def _answer(self) -> Any:
        """The web server's answer to the question; None where the person pressed Esc or Ctrl-C."""
        while True:
            ready, _, _ = select.select([self._channel.fileno(), 0], [], [])
            if self._channel.fileno() in ready:
                packet = self._channel.recv(PACKET)
                if not packet:
                    raise Closed
                answer = json.loads(packet)
                # One to a question that was withdrawn may come late.
                if answer["number"] == self._questions:
                    return answer
                continue
            try:
                typed = os.read(0, 1024)
            except OSError as error:
                raise Closed from error
            if not typed:
                raise Closed
            if typed.endswith(_ESCAPE) or _INTERRUPT in typed:
                return None

    def _send(self, **message: object) -> None:
        try:
            self._channel.send(json.dumps(message).encode())
        except OSError as error:
            raise Closed from error

    def show_keys(self, keys: Sequence[tuple[str, str]]) -> None:
        # A page that is redrawn has the same.
        if keys != self._keys:
            self._keys = keys
            self._send(keys=[(key, words[:_LONGEST_WORDS]) for key, words in keys[:_MOST_KEYS]])

    def note(self, error: Exception) -> None:
        self.tell("step failed", error)

    def tell(self, what: str, error: BaseException) -> None:
        """Tell the web server what went wrong and where, without a word of what it was about."""
        with suppress(Closed):
            self._send(failed=what, expected=isinstance(error, CRMError), **facts_of(error))


def run(serve: Serve, opening: Mapping[str, str], folder: Path, channel: socket.socket) -> int:
    """Run one menu on the terminal that is on descriptors 0 to 2. Returns its exit code.

    Where its module has a function `programs`, those may be started, and no other."""
    _confine(folder, getattr(sys.modules[serve.__module__], "programs", tuple))
    exchange = ChannelFileTransfer(channel, folder)
    stdin = open(0, encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115
    stdout = open(1, "w", encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115
    sys.stdin, sys.stdout = stdin, stdout
    # Whatever a library has to say is not for the person at the menu.
    sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
    try:
        return serve(opening, exchange, stdin, stdout)
    except Closed:
        return 0
    except SystemExit:
        return ENDED_BY_SERVER
    except SignedOutError as out:
        return DONE if out.done else SIGNED_OUT
    except CRMError as error:
        exchange.tell("menu ended", error)
        _tell(stdout, error.sentence)
        return error.exit_code
    except BaseException as error:
        if _hung_up():
            return 0
        exchange.tell("menu crashed", error)
        _tell(
            stdout,
            f"Something went wrong in this program ({type(error).__name__}). What was saved is kept, but not this step."
            " Reload the page to continue.",
        )
        return CRASHED
    finally:
        with suppress(OSError, ValueError):
            stdout.flush()


def _tell(stdout: IO[str], sentence: str) -> None:
    with suppress(OSError, ValueError):
        stdout.write(f"\r\n\x1b[0m\x1b[31m{clean(sentence)}\x1b[0m\r\n")


@contextmanager
def _keys_only() -> Iterator[None]:
    """A terminal on which Ctrl-C is a key like others, which cannot come a moment too early to be noticed."""
    before = termios.tcgetattr(0)
    silent = [*before]
    silent[3] = before[3] & ~(termios.ISIG | termios.ICANON | termios.ECHO)
    termios.tcsetattr(0, termios.TCSANOW, silent)
    try:
        yield
    finally:
        with suppress(termios.error):
            termios.tcsetattr(0, termios.TCSANOW, before)


def _hung_up() -> bool:
    """Return whether nobody is at the other side of the terminal any more."""
    terminal = select.poll()
    terminal.register(0, select.POLLHUP)
    return any(event & select.POLLHUP for _, event in terminal.poll(0))


def _confine(folder: Path, programs: Callable[[], Collection[Program]]) -> None:
    """Leave this process only what a menu needs; `programs` are those that it may start."""
    os.umask(0o077)
    os.chdir(folder)
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
    for kind, most in _LIMITS.items():
        _, hard = resource.getrlimit(kind)
        limit = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (limit, limit))
    warnings.simplefilter("ignore")
    # A closed terminal ends the menu at its next question, so that what is being saved is saved first.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for ignored in (signal.SIGQUIT, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU):
        signal.signal(ignored, signal.SIG_IGN)
    parent_death_signal(signal.SIGTERM)
    allowed = programs()

    def no_programs(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _PROGRAMS and not (event == "subprocess.Popen" and arguments in allowed):
            raise PermissionError("a menu starts no programs")

    sys.addaudithook(no_programs)
    # Every question leaves some megabytes in circles; collected late they would cost more than all that is shared.
    gc.set_threshold(2000, 5, 1)
    gc.enable()


def parent_death_signal(number: int) -> None:
    """Send this process a signal when its parent dies, and deny it more rights, where the system can."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        libc.prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def _leave(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    raise SystemExit(128 + number)

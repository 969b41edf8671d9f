"""`run.py` in a terminal of its own, forked from a process that has loaded it once: a start costs next to nothing."""

import atexit
import fcntl
import io
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pexpect
from pexpect.fdpexpect import fdspawn

from tests.support.clocks import TODAY, now_on
from tests.support.quick_hashes import hash_quickly
from tests.support.quick_stores import make_stores_quickly

ROOT = Path(__file__).parents[2]
# What Python looks at when it starts: a program that is to have something else there is started afresh.
_AT_START = ("LANG", "LC_", "PYTHON")
_ENVIRONMENT = {
    "LANG": "en_US.UTF-8",
    "LC_ALL": "en_US.UTF-8",
    "PYTHONWARNINGS": "error",
    "PYTHONPATH": str(ROOT),
    "PYTHONDONTWRITEBYTECODE": "1",
}
# Typed at a menu line by line: the sample data, Today, the list of clients, a card, a sale, the timeline, and out.
_WALK = ("3", "1", "0", "2", "2", "1", "100", "", "6", "0", "0", "0", "0")
# What Linux tells the number of a terminal by (TIOCGPTN), which Python does not name.
_NUMBER_OF_TERMINAL = 0x80045430
# Seconds that tests wait for what must come: only a fault or a machine that is much too busy lets them pass.
PATIENCE = 60.0
# What prompt_toolkit writes when it has begun to read keys, with the question, and when the question was answered.
ASKED, ANSWERED = b"\x1b[?2004h", b"\x1b[?2004l"


def is_asking(drawn: bytes) -> bool:
    """True if a program that has drawn this is asking a question, so that each key goes there: a key pressed earlier
    may reach another question, and Ctrl-C interrupts whatever is done meanwhile."""
    return drawn.rfind(ASKED) > drawn.rfind(ANSWERED)


def sleeps(pid: int) -> bool:
    """True if all threads of a process wait, where the machine can tell; a process that is merely slow does not."""
    try:
        states = [task.read_text().rpartition(")")[2].split()[0] for task in Path(f"/proc/{pid}/task").glob("*/stat")]
    except OSError:
        return True
    return not {"R", "D"}.intersection(states)


def unread_keys(terminal: int) -> int:
    """The number of keys that were sent to a terminal, given by its master, and that its program has not read; 0 where
    the machine cannot tell, or nothing has the terminal open any more."""
    try:
        number, unread = bytearray(4), bytearray(4)
        fcntl.ioctl(terminal, _NUMBER_OF_TERMINAL, number)
        slave = os.open(f"/dev/pts/{int.from_bytes(number, sys.byteorder)}", os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
        try:
            fcntl.ioctl(slave, termios.FIONREAD, unread)
        finally:
            os.close(slave)
    except OSError:
        return 0
    return int.from_bytes(unread, sys.byteorder)


class Program(fdspawn):  # type: ignore[misc]
    """A running program, as pexpect has it."""

    def __init__(self, master: int, pid: int, **how: Any) -> None:
        super().__init__(master, **how)
        self.pid = pid
        self.exitstatus: int | None = None
        self._ended = False

    def isalive(self) -> bool:
        """True while the program runs."""
        if not self._ended and (status := _loaded().ended(self.pid)) is not None:
            self._ended = True
            self.exitstatus = status if status >= 0 else None
        return not self._ended

    def wait(self) -> None:
        """Wait for its end."""
        ends = time.monotonic() + PATIENCE
        while self.isalive():
            if time.monotonic() > ends:
                raise AssertionError("the program does not end")
            time.sleep(0.005)

    def kill(self, number: int) -> None:
        """Send it a signal."""
        if self.isalive():
            os.kill(self.pid, number)

    def setwinsize(self, lines: int, columns: int) -> None:
        """Give its terminal another size."""
        termios.tcsetwinsize(self.child_fd, (lines, columns))

    def close(self, force: bool = False) -> None:
        """Close the terminal and wait for the end, which `force` hastens."""
        if self.child_fd >= 0:
            super().close()
        if force:
            self.kill(signal.SIGKILL)
        self.wait()


class _Loaded:
    """The process that programs are forked from."""

    def __init__(self) -> None:
        self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        moved = {name: os.environ[name] for name in ("TEST_NOW", "TZ") if name in os.environ}
        environment = {"PATH": os.environ["PATH"], **moved, **_ENVIRONMENT}
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.program"], cwd=ROOT, env=environment, stdin=theirs
            )

    def close(self) -> None:
        """End it."""
        self._ours.close()
        self._process.wait()

    def start(self, size: tuple[int, int], **request: Any) -> tuple[int, int]:
        """Start a program; its terminal and its process."""
        self._ours.send(json.dumps({**request, "size": size}).encode())
        message, (master,), _, _ = socket.recv_fds(self._ours, 1000, 1)
        os.set_inheritable(master, False)
        return master, json.loads(message)

    def ended(self, pid: int) -> int | None:
        """The exit code (a signal's number below zero), None while it runs."""
        self._ours.send(json.dumps({"ended": pid}).encode())
        status: int | None = json.loads(self._ours.recv(1000))
        return status


@cache
def _loaded() -> _Loaded:
    loaded = _Loaded()
    atexit.register(loaded.close)
    return loaded


def start(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    folder: Path,
    size: tuple[int, int] = (24, 80),
    fresh: bool = False,
    **how: Any,
) -> Any:
    """`run.py` with these arguments in a terminal, in a folder; it knows no other variables of the environment."""
    odd = [
        name for name, value in environment.items() if name.startswith(_AT_START) and value != _ENVIRONMENT.get(name)
    ]
    if fresh or odd:
        command = [str(ROOT / "run.py"), *arguments]
        program = pexpect.spawn(sys.executable, command, cwd=folder, env=environment, dimensions=size, **how)
        program.ptyproc.delayafterclose = program.ptyproc.delayafterterminate = 0.01
    else:
        request = {"arguments": arguments, "environment": environment, "folder": str(folder)}
        program = Program(*_loaded().start(size, **request), **how)
    program.delaybeforesend = None
    return program


def _serve(tests: socket.socket) -> dict[str, Any] | None:
    """Fork programs as they are asked for. Returns in each of them with its request, and None at the end."""
    ended: dict[int, int] = {}
    while packet := tests.recv(1_000_000):
        request = json.loads(packet)
        if "ended" in request:
            pid = request["ended"]
            if pid not in ended:
                found, status = os.waitpid(pid, os.WNOHANG)
                if found:
                    ended[pid] = os.waitstatus_to_exitcode(status)
            tests.send(json.dumps(ended.get(pid)).encode())
            continue
        master, slave = os.openpty()
        termios.tcsetwinsize(slave, tuple(request["size"]))
        pid = os.fork()
        if pid == 0:
            os.close(master)
            tests.close()
            os.login_tty(slave)
            return request  # type: ignore[no-any-return]
        socket.send_fds(tests, [json.dumps(pid).encode()], [master])
        os.close(master)
        os.close(slave)
    return None


def _load() -> None:
    """Load all that programs need sooner or later, as the process does that menus in the browser are forked from."""
    if os.environ.get("TEST_NOW"):
        # Google refuses whoever's clock is not the one of its stand-in.
        from tests.support.clocks import move_the_machines

        move_the_machines()
    from crm.browser_menu import preload
    from crm.web.terminals.warm_up import warm_up

    os.environ["TERM"] = "xterm-256color"
    preload()
    warm_up()
    for name in ("argon2", "email_validator", "pyotp", "segno"):
        import_module(name)
    hash_quickly()
    make_stores_quickly()
    _walk()


def _walk() -> None:
    """Go through the first pages once: programs copy the store that is made here, and share the SQL that is compiled
    here."""
    from crm.app import open_menu
    from run import menu_loop

    with tempfile.TemporaryDirectory(prefix="crm-test-") as folder:
        os.environ |= {
            "HOME": folder,
            "XDG_DATA_HOME": folder,
            "TERM": "dumb",
            "CRM_STORE": f"sqlite:///{folder}/crm.sqlite3",
            "CRM_NOW": now_on(TODAY),
        }
        drawn = io.StringIO()
        code = open_menu(io.StringIO("\n".join(_WALK) + "\n"), drawn, menu_loop, os.environ)
    assert code == 0, drawn.getvalue()


def _main() -> None:
    with socket.socket(fileno=os.dup(0)) as tests:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        _load()
        request = _serve(tests)
    if request is None:
        return
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    time.tzset()
    for name, at, mode in (("stdin", 0, "r"), ("stdout", 1, "w"), ("stderr", 2, "w")):
        stream = open(at, mode, 1, encoding="utf-8", closefd=False)  # noqa: SIM115 - as Python itself does
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    sys.argv = [str(ROOT / "run.py"), *request["arguments"]]
    import run

    sys.exit(run.run())


if __name__ == "__main__":
    _main()

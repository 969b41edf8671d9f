"""The compiling of a template and its data by typst, in a process of its own, with a time limit."""

import atexit
import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crm.errors import FileError

_CHILD = Path(__file__).with_name("typst_child.py")
# A connection that a template opens ends here.
_NO_NETWORK = dict.fromkeys(("http_proxy", "https_proxy", "HTTPS_PROXY", "HTTP_PROXY"), "http://127.0.0.1:9")


class CompileError(Exception):
    """A file that typst could not make; `message` is what it says."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The input of the compiler: main.typ and the files beside it, and the data that it reads."""

    files: Mapping[str, bytes]
    data: str
    timestamp: int
    standards: tuple[str, ...] = ()
    system_fonts: bool = False
    format: str = "pdf"
    ppi: float | None = None


class _Child:
    """The process; it stays for the next page, because starting it takes as long as a page."""

    def __init__(self) -> None:
        self.owner = os.getpid()
        self._process = subprocess.Popen(
            command(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment(),
            start_new_session=True,
        )
        assert self._process.stdin is not None  # noqa: S101
        assert self._process.stdout is not None  # noqa: S101
        self._incoming, self._outgoing = self._process.stdin, self._process.stdout

    def ask(self, page: Page, seconds: float) -> tuple[str, bytes]:
        """An answer to a page: '' and the file, or what typst says. Raises TimeoutError, and EOFError where the
        process is gone."""
        request = {
            "files": [(name, len(data)) for name, data in page.files.items()],
            "data": page.data,
            "timestamp": page.timestamp,
            "standards": list(page.standards),
            "system_fonts": page.system_fonts,
            "format": page.format,
            "ppi": page.ppi,
        }
        # A process that takes too long is ended, and with it the reading: not every system can wait for a pipe.
        is_late = threading.Event()
        watch = threading.Timer(seconds, self._end, (is_late,))
        watch.start()
        try:
            self._incoming.write(json.dumps(request).encode() + b"\n" + b"".join(page.files.values()))
            self._incoming.flush()
            answer: dict[str, Any] = json.loads(self._outgoing.readline() or "null") or {"length": -1}
            data = self._outgoing.read(max(answer["length"], 0))
        except (OSError, ValueError):
            answer, data = {"length": -1}, b""
        finally:
            watch.cancel()
            watch.join()
        if is_late.is_set():
            raise TimeoutError
        if len(data) != answer["length"]:
            raise EOFError
        return answer["error"], data

    def _end(self, is_late: threading.Event) -> None:
        is_late.set()
        with contextlib.suppress(OSError):
            self._process.kill()

    def stop(self, is_busy: bool) -> None:
        """End the process, which deletes its folder when nothing more comes in; a busy one is killed."""
        if is_busy:
            self._process.kill()
        with contextlib.suppress(OSError):
            self._incoming.close()
        try:
            self._process.wait(_SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        with contextlib.suppress(OSError):
            self._outgoing.close()


_SECONDS_TO_END = 2.0
# With the modules of this program, and without what the environment or a folder would bring along.
_START = (
    "import sys, json, runpy; sys.path[:] = json.loads(sys.argv[2]); runpy.run_path(sys.argv[1], run_name='__main__')"
)
_lock = threading.Lock()
_child: _Child | None = None
_stays = True


def command() -> list[str]:
    """The command line of the process, which is always the same: what it makes comes through its input."""
    return [sys.executable, "-I", "-S", "-c", _START, str(_CHILD), json.dumps(sys.path)]


def environment() -> dict[str, str]:
    """The environment of the process."""
    return {**_kept_environment(), **_NO_NETWORK}


def end_after_each_page() -> None:
    """Start the process for each page from now on: for programs of which many run side by side."""
    global _stays
    _stays = False


def compile_page(page: Page, seconds: float) -> bytes:
    """The file. Raises CompileError with what typst says, FileError where it takes longer than `seconds`."""
    global _child
    with _lock:
        # After a fork the process belongs to the other half.
        if _child is not None and _child.owner != os.getpid():
            _child = None
        for is_last in (False, True):
            _child = _child or _started()
            try:
                error, data = _child.ask(page, seconds)
            except TimeoutError as late:
                stop(is_busy=True)
                raise FileError(
                    f"The PDF was not ready after {seconds:g} seconds. The template takes too long."
                ) from late
            except EOFError as gone:
                stop()
                if is_last:
                    raise FileError("The PDF could not be made: typst stopped unexpectedly. Try again.") from gone
                continue
            except BaseException:
                # Whatever interrupts, an answer that comes late must not be taken for the next one.
                stop(is_busy=True)
                raise
            break
        if not _stays:
            stop()
    if error:
        raise CompileError(error)
    return data


def stop(is_busy: bool = False) -> None:
    """End the process that compiles, where there is one; a busy one is not waited for."""
    global _child
    child, _child = _child, None
    if child is not None and child.owner == os.getpid():
        child.stop(is_busy)


def _started() -> _Child:
    atexit.unregister(stop)
    atexit.register(stop)
    return _Child()


def _kept_environment() -> dict[str, str]:
    """The environment of typst, without any variable that holds a secret."""
    kept = (
        "PATH",
        "HOME",
        "TMPDIR",
        "LANG",
        "LC_ALL",
        "SYSTEMROOT",
        "FONTCONFIG_FILE",
        "FONTCONFIG_PATH",
        "XDG_DATA_HOME",
    )
    return {name: os.environ[name] for name in kept if name in os.environ}

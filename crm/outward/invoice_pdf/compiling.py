"""Hands a template and its data to typst in a process of its own, with a time limit."""

import atexit
import contextlib
import json
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from crm.errors import FileError

_CHILD = Path(__file__).with_name("typst_child.py")
_PART = 1 << 16
# A connection that a template opens ends here.
_NO_NETWORK = dict.fromkeys(("http_proxy", "https_proxy", "HTTPS_PROXY", "HTTP_PROXY"), "http://127.0.0.1:9")


class CompileError(Exception):
    """typst could not make the file; `message` is what it says."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What is to be compiled: main.typ and the files beside it, and the data that it reads."""

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
            [sys.executable, "-I", "-S", "-c", _START, str(_CHILD), json.dumps(sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**_kept_environment(), **_NO_NETWORK},
            start_new_session=True,
        )

    def ask(self, page: Page, seconds: float) -> tuple[str, bytes]:
        """What became of a page. Raises TimeoutError, and EOFError where the process is gone."""
        end = time.monotonic() + seconds
        request = {
            "files": [(name, len(data)) for name, data in page.files.items()],
            "data": page.data,
            "timestamp": page.timestamp,
            "standards": list(page.standards),
            "system_fonts": page.system_fonts,
            "format": page.format,
            "ppi": page.ppi,
        }
        incoming, outgoing = self._process.stdin, self._process.stdout
        assert incoming is not None  # noqa: S101
        assert outgoing is not None  # noqa: S101
        try:
            incoming.write(json.dumps(request).encode() + b"\n" + b"".join(page.files.values()))
            incoming.flush()
        except BrokenPipeError as error:
            raise EOFError from error
        head, _, data = self._read_until(outgoing, b"\n", end).partition(b"\n")
        answer: dict[str, Any] = json.loads(head)
        while len(data) < answer["length"]:
            data += self._read(outgoing, end)
        return answer["error"], data

    def _read_until(self, pipe: IO[bytes], mark: bytes, end: float) -> bytes:
        data = b""
        while mark not in data:
            data += self._read(pipe, end)
        return data

    def _read(self, pipe: IO[bytes], end: float) -> bytes:
        ready, _, _ = select.select([pipe], [], [], max(end - time.monotonic(), 0))
        if not ready:
            raise TimeoutError
        part = os.read(pipe.fileno(), _PART)
        if not part:
            raise EOFError
        return part

    def stop(self) -> None:
        """End the process; nothing of it stays."""
        with contextlib.suppress(OSError):
            self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()


# With the modules of this program, and without what the environment or a folder would bring along.
_START = (
    "import sys, json, runpy; sys.path[:] = json.loads(sys.argv[2]); runpy.run_path(sys.argv[1], run_name='__main__')"
)
_lock = threading.Lock()
_child: _Child | None = None


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
                stop()
                raise FileError(
                    f"The PDF was not ready after {seconds:g} seconds; the template takes too long."
                ) from late
            except EOFError as gone:
                stop()
                if is_last:
                    raise FileError("The PDF could not be made: typst ended without an answer.") from gone
                continue
            except BaseException:
                # Whatever interrupts, an answer that comes late must not be taken for the next one.
                stop()
                raise
            break
    if error:
        raise CompileError(error)
    return data


def stop() -> None:
    """End the process that compiles, where there is one."""
    global _child
    child, _child = _child, None
    if child is not None and child.owner == os.getpid():
        child.stop()


def _started() -> _Child:
    atexit.unregister(stop)
    atexit.register(stop)
    return _Child()


def _kept_environment() -> dict[str, str]:
    """No variable with a secret reaches a template."""
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

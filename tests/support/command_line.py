"""The command line in tests: in this process for speed, or as the real program."""

import contextlib
import csv
import io
import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from crm.app import open_crm
from crm.shell import run
from tests.conftest import PROJECT, PYTHON, child_environment
from tests.support.clocks import now_on

# What is taken from the process itself, not from what `run` is handed: where the user's data are, and what a new store
# begins with.
_OF_THE_PROCESS = ("LANG", "LC_ALL", "XDG_DATA_HOME", "COLUMNS")


@dataclass(frozen=True)
class Answer:
    """The outcome of a command line: exit code, stdout and stderr."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.out)

    @property
    def error(self) -> Any:
        """The one JSON document on stderr."""
        return json.loads(self.err)


class CommandLine:
    """Command lines on one store in a folder of its own, one after the other on a morning of their own: `environment`
    may name another time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "store.sqlite3"
        self.environment = {
            "CRM_STORE": f"sqlite:///{self.file}",
            "CRM_USER": "anna",
            "XDG_DATA_HOME": str(folder / "data"),
            "LANG": "en_US.UTF-8",
            "LC_ALL": "en_US.UTF-8",
            "COLUMNS": "100",
        }

    def __call__(self, *arguments: str, **environment: str) -> Answer:
        """One command line in this process, nobody sitting there."""
        out, err, around = io.StringIO(), io.StringIO(), self._environment(environment)
        own = {name: around[name] for name in _OF_THE_PROCESS}
        with patch.dict(os.environ, own), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run(list(arguments), around, open_crm)
        return Answer(code, out.getvalue(), err.getvalue())

    def typed(self, lines: Sequence[str], *arguments: str, **environment: str) -> Answer:
        """One command line in this process that gets these lines as its input, as from a pipe."""
        with patch("sys.stdin", io.StringIO("".join(f"{line}\n" for line in lines))):
            return self(*arguments, **environment)

    def did(self, *arguments: str, **environment: str) -> Any:
        """The result of a command with --json; it must succeed."""
        answer = self(*arguments, "--json", **environment)
        assert (answer.code, answer.err) == (0, ""), (arguments, answer.err)
        return answer.json

    def refused(self, *arguments: str, code: int = 1, **environment: str) -> str:
        """The sentence with which a command was refused; nothing may stand on stdout."""
        answer = self(*arguments, **environment)
        assert (answer.code, answer.out) == (code, ""), (arguments, answer)
        assert answer.err.strip()
        assert "Traceback" not in answer.err
        return answer.err.strip()

    def child_environment(self, **environment: str) -> dict[str, str]:
        """The environment of a process on this store."""
        return {**child_environment(), **self._environment(environment)}

    def _environment(self, environment: Mapping[str, str]) -> dict[str, str]:
        # Each begins later than the one before, as it does for a person.
        return {"CRM_NOW": now_on(), **self.environment, **environment}

    def start(self, *arguments: str, **popen: Any) -> "subprocess.Popen[str]":
        """The program itself, started."""
        pipes: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        environment = self.child_environment(**popen.pop("environment", {}))
        command = [PYTHON, str(PROJECT / "run.py"), *arguments]
        return subprocess.Popen(command, env=environment, text=True, cwd=self.folder, **pipes | popen)

    def process(self, *arguments: str, **popen: Any) -> Answer:
        """One run of the program itself, stdin closed unless given."""
        with self.start(*arguments, **popen) as child:
            out, err = child.communicate(timeout=60)
        return Answer(child.returncode, out or "", err or "")

    def write(self, name: str, text: str, encoding: str = "utf-8") -> str:
        """A file beside the store; its path."""
        path = self.folder / name
        path.write_bytes(text.encode(encoding))
        return str(path)

    def write_csv(self, name: str, rows: Sequence[Sequence[str]]) -> str:
        """A CSV beside the store; its path."""
        with (self.folder / name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows)
        return str(self.folder / name)

    def clients(self, *arguments: str) -> list[dict[str, Any]]:
        """All clients, by number."""
        listed: list[dict[str, Any]] = self.did("clients", "list", "--limit", "1000000", "--sort", "id", *arguments)
        return listed

    def sales(self, *arguments: str) -> list[dict[str, Any]]:
        """All sales, by number."""
        listed: list[dict[str, Any]] = self.did("sales", "list", "--limit", "1000000", "--sort", "id", *arguments)
        return listed

    def history(self) -> list[dict[str, Any]]:
        """All transactions, newest first."""
        listed: list[dict[str, Any]] = self.did("history", "list", "--limit", "1000")
        return listed

    def sound(self) -> bool:
        """True if `check` finds nothing wrong."""
        return self("check").code == 0


@contextlib.contextmanager
def on_a_new_store(monkeypatch: pytest.MonkeyPatch) -> Iterator[CommandLine]:
    """The command line on a store that is not there yet."""
    memory = Path("/dev/shm")
    parent = memory if os.access(memory, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="crm-test-", dir=parent) as folder:
        line = CommandLine(Path(folder))
        # For what a test does in this process beside its command lines.
        for name in _OF_THE_PROCESS:
            monkeypatch.setenv(name, line.environment[name])
        yield line

"""Atomic writes: a file is the old one or the new one, at whatever moment the program is killed."""

import json
import stat
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from crm.atomic_write import atomic_write
from tests.conftest import PYTHON, child_environment

# Forks once for each line that a write runs through and has the child killed at that line.
KILLED_AT_EACH_LINE = """
import json, os, signal, sys
from datetime import date
from pathlib import Path
from crm import atomic_write, config
from crm.accounts import saved_sessions
from crm.accounts.keys import Secret
from crm.repository.sqlite import backups
from crm.repository.sheets.google import access_tokens

folder = Path(sys.argv[1])

class Account:
    address, token_uri, key_id = "a@example.com", "https://example.com", "1"

def write(new):
    if what == "sign-ins":
        saved_sessions.SavedSessions(folder).keep("store", new)
    elif what == "store":
        config.remember_store(folder, f"sheets://{new}")
    elif what == "token":
        access_tokens.Tokens(Account, folder, lambda: 1000.0).keep(new, 3000.0)
    elif what == "secret":
        Secret("", folder).key("test")
    else:
        backups.SqliteBackups(folder / "crm.sqlite3").replace_damaged(folder / "copy", folder / "backups" / "b.sqlite3")

def content():
    if what == "sign-ins":
        return saved_sessions.SavedSessions(folder).token("store"), saved_sessions.SavedSessions(folder).token("other")
    if what == "store":
        return config.remembered_store(folder)
    if what == "token":
        return access_tokens.Tokens(Account, folder, lambda: 1000.0).kept()[0]
    if what == "secret":
        return len((folder / "secret").read_text().strip()) if (folder / "secret").exists() else 0
    return (folder / "crm.sqlite3").read_bytes().decode()

OURS = {module.__file__ for module in (atomic_write, config, saved_sessions, backups, access_tokens)}
OURS.add(sys.modules[Secret.__module__].__file__)

def killed_at(number):
    left = [number]
    def trace(frame, event, _):
        if frame.f_code.co_filename not in OURS:
            return None
        if event == "line":
            left[0] -= 1
            if not left[0]:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace
    sys.settrace(trace)

def prepare():
    for path in folder.rglob("*"):
        path.is_file() and path.unlink()
    if what == "sign-ins":
        saved_sessions.SavedSessions(folder).keep("other", "kept")
    if what in ("sign-ins", "store", "token"):
        write("old")
    if what == "damaged":
        (folder / "crm.sqlite3").write_text("old")
        (folder / "crm.sqlite3-wal").write_text("last")
        (folder / "copy").write_text("new")

seen = {}
for what in ("sign-ins", "store", "token", "secret", "damaged"):
    for number in range(1, 500):
        prepare()
        child = os.fork()
        if not child:
            killed_at(number)
            write("new")
            os._exit(0)
        _, status = os.waitpid(child, 0)
        # Whoever may not read a file may not read what is left of it either.
        modes = {f"{path.stat().st_mode & 0o077:o}" for path in folder.rglob("*.part")}
        seen.setdefault(what, []).append([content(), sorted(modes)])
        if not status:
            break
print(json.dumps(seen))
"""


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    """The content of each file, and the modes of leftover files, after a kill at each line in turn."""
    done = subprocess.run(
        [PYTHON, "-c", KILLED_AT_EACH_LINE, str(tmp_path_factory.mktemp("killed"))],
        env=child_environment(), capture_output=True, text=True, check=True,
    )  # fmt: skip
    found: dict[str, list[Any]] = json.loads(done.stdout)
    return found


@pytest.mark.slow
@pytest.mark.parametrize(
    ("what", "old", "new"),
    [
        ("sign-ins", ["old", "kept"], ["new", "kept"]),
        ("store", "sheets://old", "sheets://new"),
        ("token", "old", "new"),
        ("secret", 0, 64),
        ("damaged", "old", "new"),
    ],
)
def test_a_killed_program_leaves_the_old_or_the_new_file_complete(
    what: str, old: object, new: object, killed: dict[str, list[Any]]
) -> None:
    contents = [content for content, _ in killed[what]]
    assert contents[0] == old
    assert contents[-1] == new
    turned = contents.index(new)
    assert contents == [old] * turned + [new] * (len(contents) - turned)
    assert turned > 3
    if what != "store":
        assert all(mode == ["0"] or not mode for _, mode in killed[what])


def test_the_mode_of_a_file_is_right_from_its_first_byte(tmp_path: Path) -> None:
    private, shared = tmp_path / "private", tmp_path / "shared"
    with atomic_write(private, 0o600) as file:
        (part,) = tmp_path.glob(".private.*.part")
        assert stat.S_IMODE(part.stat().st_mode) == 0o600
        file.write(b"1")
    with atomic_write(private) as file:
        (part,) = tmp_path.glob(".private.*.part")
        assert stat.S_IMODE(part.stat().st_mode) == 0o600
        file.write(b"1")
    shared.write_bytes(b"old")
    shared.chmod(0o640)
    with atomic_write(shared) as file:
        file.write(b"2")
    assert [stat.S_IMODE(path.stat().st_mode) for path in (private, shared)] == [0o600, 0o640]
    assert (private.read_bytes(), shared.read_bytes()) == (b"1", b"2")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["private", "shared"]


def test_after_an_error_only_the_old_file_is_left(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with suppress(RuntimeError), atomic_write(path) as file:
        file.write(b"half")
        raise RuntimeError
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("file", b"old")]


def test_a_file_made_meanwhile_by_another_program_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with atomic_write(path, overwrite=False) as file:
        file.write(b"mine")
        path.write_bytes(b"theirs")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("file", b"theirs")]

"""The folder that the menus of one server work in, and what servers that were killed have left behind."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from crm.clock import machine_now

_NAME = "crm-terminals-"
# One that is empty may be of a server that is just starting.
_STARTS_WITHIN = 60.0


def new_folder() -> Path:
    """A new folder, private to this user; unused ones are removed."""
    for path in Path(tempfile.gettempdir()).glob(f"{_NAME}*"):
        with suppress(OSError):
            _remove_if_left(path)
    return Path(tempfile.mkdtemp(prefix=_NAME))


@contextmanager
def in_use(folder: Path) -> Iterator[int]:
    """A descriptor that keeps a folder from being removed: a process that inherits it uses the folder as long as it
    lives. Raises BlockingIOError where the folder is in use already."""
    held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield held
    finally:
        os.close(held)


def _remove_if_left(folder: Path) -> None:
    status = folder.lstat()
    is_new = not any(folder.iterdir()) and machine_now().timestamp() - status.st_mtime < _STARTS_WITHIN
    if status.st_uid == os.geteuid() and not folder.is_symlink() and not is_new:
        with in_use(folder):
            shutil.rmtree(folder, ignore_errors=True)

"""Files and folders for the eyes of their owner alone, where the system knows such a thing."""

import os
import stat
from contextlib import suppress
from pathlib import Path

# What SQLite keeps beside a database, with the permissions that the database has at that moment.
_BESIDE = ("-wal", "-shm", "-journal")


def private_folder(folder: Path) -> None:
    """Make a folder that only its owner may look into, unless it is there. Raises OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def private_database(path: Path) -> None:
    """Make the file of a database that only its owner may read, unless it is there; one of ours that others may read
    is closed to them, with what SQLite keeps beside it. Raises OSError."""
    private_folder(path.parent)
    os.close(os.open(path, os.O_CREAT | os.O_RDONLY, 0o600))
    for ending in ("", *_BESIDE):
        _close(path.with_name(path.name + ending))


def close_to_others(folder: Path) -> None:
    """Take from everybody else what they may do in a folder of ours, and with the databases in it. What is deeper
    needs it only where the folder was open."""
    within = ["**/*"] if _close(folder) else ["*.sqlite3*", "*/*.sqlite3*"]
    with suppress(OSError):
        for path in (child for pattern in within for child in folder.glob(pattern)):
            _close(path)


def _close(path: Path) -> bool:
    """Return whether others could do anything with a file or folder of ours, and now cannot."""
    if os.name != "posix":
        return False
    with suppress(OSError):
        about = path.lstat()
        if about.st_uid == os.getuid() and about.st_mode & 0o077 and not stat.S_ISLNK(about.st_mode):
            path.chmod(stat.S_IMODE(about.st_mode) & 0o700)
            return True
    return False

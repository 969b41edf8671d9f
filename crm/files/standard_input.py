"""A file that comes through a pipe: kept while it is read, as it is read more than once."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from crm.errors import FileError
from crm.model.file_errors import LARGEST

_AT_ONCE = 1_000_000


def is_standard_input(path: Path) -> bool:
    """Return whether a path stands for what is piped into the program."""
    return str(path) == "-"


@contextmanager
def kept_input() -> Iterator[Path]:
    """The piped input, as a file. Raises FileError where nothing is piped in, or more than is read of a file."""
    if sys.stdin.isatty():
        raise FileError("Nothing is piped in. Name a file.")
    with TemporaryDirectory() as folder:
        path = Path(folder) / "standard input"
        size = 0
        with path.open("wb") as file:
            while block := sys.stdin.buffer.read(_AT_ONCE):
                size += len(block)
                if size > LARGEST:
                    raise FileError(
                        f"More than {LARGEST / 1e9:.0f} GB came through the pipe, and nothing was imported. Import"
                        " smaller files, each with the heading."
                    )
                file.write(block)
        yield path

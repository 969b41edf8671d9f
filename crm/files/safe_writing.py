"""Writing a file that a person named, with sentences for what goes wrong."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from crm.atomic_write import atomic_write
from crm.errors import FileError
from crm.model.file_errors import unwritable
from crm.model.paths import display_path


@contextmanager
def replacing(path: Path, *, private: bool = False) -> Iterator[BinaryIO]:
    """A file to write to that takes the place of `path` once the block ends without an error.

    Until then, and after an error, what was at `path` stays as it is and nothing else is left behind. A `private` file
    only its owner can read.
    Raises FileError where it cannot be written.
    """
    target = Path(path)
    try:
        with suppress(FileNotFoundError):
            mode = target.stat().st_mode
            if stat.S_ISDIR(mode):
                raise FileError(f"{display_path(path)} is a folder. Give the file a name in it.")
            if not stat.S_ISREG(mode):
                raise FileError(f"{display_path(path)} is not an ordinary file. Choose another name.")
            if not os.access(target, os.W_OK):
                raise FileError(f"{display_path(path)} is protected against writing. Choose another name.")
        with atomic_write(target, 0o600 if private else None) as file:
            yield file
    except OSError as error:
        raise unwritable(target, error) from error

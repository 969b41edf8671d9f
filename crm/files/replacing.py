"""Writing a file beside its place and moving it there when it is complete."""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from crm.errors import FileError
from crm.files.refusals import unwritable
from crm.model.places import as_told


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write to that takes the place of `path` once the block ends without an error.

    Until then, and after an error, what was at `path` stays as it is and nothing else is left behind.
    Raises FileError where it cannot be written.
    """
    target = Path(path)
    if target.is_dir():
        raise FileError(f"{as_told(path)} is a folder; give the file a name in it.")
    if target.exists() and not target.is_file():
        raise FileError(f"{as_told(path)} is no ordinary file; choose another name.")
    try:
        target = target.resolve()  # a link stays a link
        if target.exists() and not os.access(target, os.W_OK):
            raise FileError(f"{as_told(path)} is protected against writing; choose another name.")
        part = target.with_name(f".{target.name[:80]}.{secrets.token_hex(4)}.part")
        with part.open("xb") as file:
            try:
                yield file
                file.flush()
                os.fsync(file.fileno())
                if target.exists():
                    shutil.copymode(target, part)
            except BaseException:
                file.close()
                part.unlink(missing_ok=True)
                raise
        try:
            part.replace(target)
        except OSError:
            part.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise unwritable(Path(path), error) from error

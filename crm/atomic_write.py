"""Writing a file whole or not at all: beside its place, then moved there."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO


@contextmanager
def atomic_write(path: Path, mode: int | None = None, *, overwrite: bool = True) -> Iterator[BinaryIO]:
    """A file to write to, which replaces `path`, and is on the disk, once the block ends without an error.

    Until then, and after an error or a crash, the old file stays as it is; after an error nothing else is left behind.
    `mode` are its permissions, from the first byte on; without it they stay as they were. With `overwrite` False a file
    that another program has made meanwhile stays. Raises OSError.
    """
    # Loaded only when something is written.
    import secrets
    import shutil

    target = path.resolve()  # a link stays a link
    # A name may have 255 bytes, and a letter four.
    part = target.with_name(f".{target.name[:40]}.{secrets.token_hex(8)}.part")
    # What takes the place of a private file is private while it is being written.
    first_mode = mode or (0o600 if target.exists() else 0o666)
    number = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0), first_mode)
    try:
        with os.fdopen(number, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if mode is None and target.exists():
            shutil.copymode(target, part)
        if overwrite:
            part.replace(target)
        else:
            with suppress(FileExistsError):
                os.link(part, target)
            part.unlink()
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    sync_folder(target.parent)


def put_in_place(part: Path, target: Path) -> None:
    """Move a file that is complete to its place, and have it on the disk. Raises OSError."""
    number = os.open(part, os.O_RDWR)
    try:
        os.fsync(number)
    finally:
        os.close(number)
    part.replace(target)
    sync_folder(target.parent)


def sync_folder(folder: Path) -> None:
    """Flush a folder's entries to the disk (fsync), where the system can."""
    if os.name != "posix":
        return
    # Some network drives cannot; the file itself is whole in any case.
    with suppress(OSError):
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)

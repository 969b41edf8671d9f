"""Errors of files, as sentences that say what to do."""

import errno
import stat
from pathlib import Path

from crm.errors import FileError
from crm.model.paths import display_path

# How much is shown of a name that is too long.
_NAMED = 40
_READING = {
    errno.ENOENT: "No file {path}. Check its name and folder.",
    errno.ENOTDIR: "No file {path}. Check its name and folder.",
    errno.EISDIR: "{path} is a folder. Name one file in it.",
    errno.EACCES: "You do not have permission to read {path}. Ask its owner, or copy the file to a folder of yours.",
    errno.EPERM: "You do not have permission to read {path}. Ask its owner, or copy the file to a folder of yours.",
    errno.ENAMETOOLONG: "The name {name} is too long. Check it.",
    errno.ELOOP: "{path} is a link that leads back to itself. Choose another file.",
}
_WRITING = {
    errno.ENOENT: "Folder {folder} does not exist. Create it, or choose another.",
    errno.ENOTDIR: "{folder} is not a folder. Choose another.",
    errno.EISDIR: "{path} is a folder. Add a file name.",
    errno.EACCES: "You do not have permission to write {path}. Choose another folder, or ask for permission.",
    errno.EPERM: "You do not have permission to write {path}. Choose another folder, or ask for permission.",
    errno.EROFS: "{folder} can only be read. Choose another folder.",
    errno.ENOSPC: "The disk is full, so {path} was not written. Free some space and try again.",
    errno.EDQUOT: "You have used up your disk space, so {path} was not written. Free some space and try again.",
    errno.EEXIST: "{folder} is not a folder. Choose another.",
    errno.ENAMETOOLONG: "The name {name} is too long. Choose a shorter one.",
    errno.ELOOP: "{path} is a link that leads back to itself. Choose another name.",
}


def unreadable(path: Path, error: OSError) -> FileError:
    """The error to raise when the system would not let `path` be read."""
    return _file_error(_READING, "{path} could not be read: {reason}.", path, error)


def unwritable(path: Path, error: OSError) -> FileError:
    """The error to raise when the system would not let `path` be written."""
    return _file_error(_WRITING, "{path} could not be written: {reason}.", path, error)


def is_missing(path: Path) -> bool:
    """Return whether there is surely nothing at `path`. False where the system cannot look, as with a name that is too
    long: opening it then says what is wrong."""
    try:
        path.stat()
    except OSError as error:
        return isinstance(error, FileNotFoundError)
    return False


def would_replace(path: Path) -> bool:
    """Return whether there is a file at `path`, where one is to be written. Raises FileError where none can be."""
    try:
        return path.is_file()
    except OSError as error:
        raise unwritable(path, error) from error


# So much is read of a file that somebody names: more would take the memory or the day.
LARGEST = 1_000_000_000


def refuse_too_large(path: Path) -> None:
    """Raise FileError for a file that is no ordinary one, or larger than what is read."""
    if (size := size_of(path)) > LARGEST:
        raise FileError(
            f"{display_path(path)} is {size / 1e9:.1f} GB. At most {LARGEST / 1e9:.0f} GB can be read at once."
            " Split it into smaller files, each with the heading."
        )


def size_of(path: Path) -> int:
    """The size in bytes of a file that is to be read. Raises FileError where there is none, or no ordinary one."""
    try:
        status = path.stat()
    except OSError as error:
        raise unreadable(path, error) from error
    if stat.S_ISDIR(status.st_mode):
        raise unreadable(path, IsADirectoryError(errno.EISDIR, ""))
    if not stat.S_ISREG(status.st_mode):
        raise FileError(f"{display_path(path)} is not an ordinary file. Save its contents to a file, and use that.")
    return status.st_size


def _file_error(sentences: dict[int, str], otherwise: str, path: Path, error: OSError) -> FileError:
    sentence = sentences.get(error.errno or 0, otherwise)
    paths = {
        "path": display_path(path),
        "folder": display_path(path.parent),
        "name": path.name if len(path.name) <= _NAMED else f"{path.name[:_NAMED]}…",
        "reason": error.strerror or type(error).__name__,
    }
    return FileError(sentence.format_map(paths))

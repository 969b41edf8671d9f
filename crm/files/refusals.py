"""What went wrong with a file, as a sentence that says what to do."""

import errno
from pathlib import Path

from crm.errors import FileError
from crm.model.places import as_told

_READING = {
    errno.ENOENT: "There is no file {path}; check its name and folder.",
    errno.ENOTDIR: "There is no file {path}; check its name and folder.",
    errno.EISDIR: "{path} is a folder; name one file in it.",
    errno.EACCES: "{path} may not be read; ask its owner for permission or copy it to a folder of yours.",
    errno.EPERM: "{path} may not be read; ask its owner for permission or copy it to a folder of yours.",
}
_WRITING = {
    errno.ENOENT: "There is no folder {folder}; make it first or choose another.",
    errno.ENOTDIR: "{folder} is no folder; choose another.",
    errno.EISDIR: "{path} is a folder; give the file a name in it.",
    errno.EACCES: "{path} may not be written; choose another folder or ask for permission.",
    errno.EPERM: "{path} may not be written; choose another folder or ask for permission.",
    errno.EROFS: "{folder} can only be read; choose another folder.",
    errno.ENOSPC: "The disk is full, {path} was not written; make room and try again.",
    errno.EDQUOT: "Your share of the disk is full, {path} was not written; make room and try again.",
    errno.ENAMETOOLONG: "The name {path} is too long; choose a shorter one.",
}


def unreadable(path: Path, error: OSError) -> FileError:
    """The error to raise when the system would not let `path` be read."""
    return _told(_READING, "{path} could not be read: {reason}.", path, error)


def unwritable(path: Path, error: OSError) -> FileError:
    """The error to raise when the system would not let `path` be written."""
    return _told(_WRITING, "{path} could not be written: {reason}.", path, error)


def _told(sentences: dict[int, str], otherwise: str, path: Path, error: OSError) -> FileError:
    sentence = sentences.get(error.errno or 0, otherwise)
    told = {"path": as_told(path), "folder": as_told(path.parent), "reason": error.strerror or type(error).__name__}
    return FileError(sentence.format_map(told))

"""The key for unattended commands that the environment holds, or a file that it names."""

import os
import stat
from collections.abc import Mapping

from crm.errors import FieldError, FileError, UsageError
from crm.model.paths import display_path, path_of

VARIABLE, FILE_VARIABLE = "CRM_KEY", "CRM_KEY_FILE"
# More than any key has.
_MOST = 1000


def key_in(environment: Mapping[str, str]) -> str | None:
    """The key; None where neither variable is set. Raises UsageError, and FileError for a file that cannot be read, or
    that others can read."""
    written, file = environment.get(VARIABLE), environment.get(FILE_VARIABLE)
    if written is not None and file is not None:
        raise UsageError(f"Both {VARIABLE} and {FILE_VARIABLE} are set. Set one of them.")
    if written is None and file is None:
        return None
    if not (key := _read(file) if file is not None else (written or "").strip()):
        # A secret that a scheduler does not know is not to make a command run with other rights.
        raise UsageError(f"{VARIABLE if file is None else FILE_VARIABLE} is set, but has no key. Nothing was done.")
    return key


def _read(written: str) -> str:
    try:
        path = path_of(written)
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
                raise FileError(
                    f"Others can read {display_path(path)}, which has a key. Nothing was done. Let only its owner read"
                    f" it: chmod 600 {display_path(path)}"
                )
            return file.read(_MOST).decode("ascii").strip()
    except FieldError as error:
        raise UsageError(f"{FILE_VARIABLE} names no file: {error.reason}.") from error
    except UnicodeDecodeError as error:
        raise FileError(f"{display_path(path)}, which {FILE_VARIABLE} names, has no key.") from error
    except OSError as error:
        raise FileError(f"The key in {FILE_VARIABLE} cannot be read: {error.strerror}. Nothing was done.") from error

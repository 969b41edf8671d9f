"""SQLite's errors as sentences."""

from pathlib import Path

from crm.errors import (
    NOTHING_CHANGED,
    CRMError,
    StoreBusyError,
    StoreDamagedError,
    StoreError,
    StoreFullError,
    StoreReadOnlyError,
)
from crm.lazy_pattern import lazy_pattern
from crm.model.paths import display_path

# What SQLite says of a store in which something is missing, or is there that its format has not.
_DAMAGED = lazy_pattern(
    r"no such (table|column|index)|duplicate column name|(table|index) .* already exists|table .* has no column named"
    r"|Could not decode to UTF-8|JSON cannot hold BLOB"
)


def explained(error: Exception, path: Path) -> CRMError | None:
    """An error of SQLite about the store at a path as a sentence; None for one that is a fault of this program."""
    backups = display_path(path.parent / "backups")
    code = code_of(error)
    if code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        busy = StoreBusyError(f"Another program is using {display_path(path)}.", "Try again.")
        return busy.keeping(NOTHING_CHANGED)
    if code.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
        return StoreDamagedError(
            f"{display_path(path)} is damaged or not a store. It was left as it is."
            f" Backups are in {backups}. `restore FILE` restores one."
        )
    if _DAMAGED.match(str(error)):
        return StoreDamagedError(
            f"{display_path(path)} is damaged: something in it is missing, or it does not have the format that it"
            f" says. It was left as it is. Backups are in {backups}. `restore FILE` restores"
            " one."
        )
    # What an older store that can only be read lacks is shown by views.
    if code.startswith(("SQLITE_READONLY", "SQLITE_PERM")) or str(error).endswith("because it is a view"):
        return StoreReadOnlyError(f"{display_path(path)} can only be read.").keeping(NOTHING_CHANGED)
    if code.startswith(("SQLITE_FULL", "SQLITE_IOERR")):
        full = StoreFullError(
            f"{display_path(path)} could not be written: the disk is full or failing.", "Make room and try again."
        )
        return full.keeping("Nothing of this change was kept.")
    if code.startswith("SQLITE_NOMEM"):
        lacking = StoreError(f"There is too little memory for {display_path(path)}.", "Try again.")
        return lacking.keeping(NOTHING_CHANGED)
    if str(error) == "integer overflow":
        return StoreError("The amounts add up to more than can be counted.").keeping(NOTHING_CHANGED)
    if code.startswith("SQLITE_CANTOPEN"):
        return StoreError(f"{display_path(path)} cannot be opened. Is it a file that you may read and write?")
    return None


def code_of(error: Exception) -> str:
    """The name of a driver's error, '' where it has none."""
    return str(getattr(error, "sqlite_errorname", ""))

"""Files that a command writes: the ending of the name says in which format."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from crm.errors import FieldError, confirmation
from crm.model.file_errors import would_replace
from crm.model.paths import display_path


@dataclass(frozen=True, slots=True)
class ExportReport:
    """A file that was written: what it holds, how many of them, and what to know of it where it holds secrets."""

    file: Path
    what: str
    records: int
    keep_safe: str = ""


def ending_of(file: Path, endings: Sequence[str], *, field: str = "file", label: str = "File") -> str:
    """The ending of a file's name in small letters. Raises FieldError, at the field, where it is none of `endings`."""
    ending = file.suffix.lower()
    if ending not in endings:
        message = f"the extension sets the format; use one of {', '.join(endings)}"
        if len(endings) == 1:
            message = f"the file's name must end in {endings[0]}"
        raise FieldError(message, field=field, label=label)
    return ending


def confirm_overwrite(file: Path, yes: bool) -> None:
    """Raise Question where there is a file already at the place to write to, unless `yes` answers it, and FileError
    where none can be written."""
    if not yes and would_replace(file):
        raise confirmation(f"{display_path(file)} already exists.", "Replace it", destructive=True)

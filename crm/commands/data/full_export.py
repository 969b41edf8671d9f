"""A whole store in one JSON file: written for keeping, read into an empty store with nothing lost."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crm import program
from crm.commands.context import CRM, Progress, counted
from crm.errors import FileError
from crm.files.safe_writing import replacing
from crm.model.file_errors import refuse_too_large, unreadable
from crm.model.rights import OWNER
from crm.rules import rule_text, split_rule

FORMAT = "crm store"
VERSION = 1
_KEEP_SAFE = "It contains password hashes, second factors and sessions. Keep it as safe as a password."


@dataclass(frozen=True, slots=True)
class WholeStoreReport:
    """The numbers of objects read into the store, or that would be (`applied` False), by what they are; `done` says
    what has to be done before anybody can sign in, where that is so."""

    applied: bool
    file: str
    objects: Mapping[str, int]
    done: str = ""


def keep_safe(crm: CRM) -> str:
    """The warning that a file holds a whole store, as a sentence; '' where nobody signs in."""
    return "" if crm.reader == OWNER else _KEEP_SAFE


def nobody_gets_in(where: str) -> str:
    """Advice for a store where nobody can sign in with the accounts that came with a file, as sentences."""
    return (
        f"Nobody can sign in yet. The accounts {where} were changed outside this program, were made with another"
        " CRM_SECRET, or are older than those this computer has seen. To let an admin in, the owner of the computer"
        f" that holds the data can run: {program.command('users recover E-MAIL')}"
    )


def write_whole_store(crm: CRM, file: Path, progress: Progress) -> int:
    """Write everything of the store, an object a line, for the owner of the file alone; how many there were beside the
    facts of the store. Raises FileError."""
    count, between = 0, b"\n"
    with replacing(file, private=True) as target:
        target.write(json.dumps({"format": FORMAT, "version": VERSION})[:-1].encode() + b', "objects": [')
        for name, fields in counted(crm.repository.everything(), progress):
            line = json.dumps([name, fields], ensure_ascii=False, separators=(",", ":"))
            target.write(between + line.encode("utf-8", "replace"))
            between = b",\n"
            count += name != "fact"
        target.write(b"\n]}\n")
    return count


def read_whole_store(crm: CRM, file: Path, *, preview: bool = False) -> WholeStoreReport:
    """Read a JSON export into an empty store. Raises FileError, RuleError, and RefusedError where it is not empty."""
    counts: dict[str, int] = {}
    for name, fields in _objects(file):
        if name == "rule":
            split_rule(rule_text(str(fields.get("status", "")), str(fields.get("when", ""))))
        if name != "fact":
            counts[name] = counts.get(name, 0) + 1
    if not preview:
        counts = crm.repository.fill(_objects(file))
        crm.forget_settings()
    nobody = not preview and crm.accounts.open().store.let_nobody_in()
    return WholeStoreReport(not preview, str(file), counts, nobody_gets_in(f"in {file.name}") if nobody else "")


def _objects(file: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    refuse_too_large(file)
    try:
        written = json.loads(file.read_text("utf-8"))
    except OSError as error:
        raise unreadable(file, error) from error
    except (ValueError, RecursionError) as error:
        raise FileError(f"{file.name} is not a JSON file, or is cut off.") from error
    if not isinstance(written, dict) or written.get("format") != FORMAT:
        raise FileError(
            f"{file.name} is not an export of a whole store. For a list of clients or sales use CSV or .xlsx."
        )
    if written.get("version") != VERSION:
        raise FileError(f"{file.name} was written by a newer version of this program.")
    objects = written.get("objects")
    if not isinstance(objects, list):
        raise FileError(f"{file.name} contains no list of records. It is not an export of a whole store.")
    for entry in objects:
        if not (
            isinstance(entry, list) and len(entry) == 2 and isinstance(entry[0], str) and isinstance(entry[1], dict)
        ):
            raise FileError(f"{file.name} contains something that is not a record: {entry!r:.60}.")
        yield entry[0], entry[1]

"""Files that go with messages: kept in the data folder under their SHA-256, so that each lies there once."""

import hashlib
import mimetypes
import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from crm.atomic_write import atomic_write
from crm.commands.context import CRM
from crm.commands.mail.outbox.journal import SendingJournal
from crm.errors import FileError, OutwardError
from crm.model import Message
from crm.model.file_errors import unreadable
from crm.outward.outgoing import Attachment
from crm.private_files import private_folder

# What goes with one message, in bytes: most mail servers take 25 MB, and a mail is a third larger than what is in it.
MOST = 20_000_000
_TOO_LARGE = "The files attached to a message can have 20 MB in all. Send a link to anything larger. Nothing was sent."
_LINE = re.compile(r"(?P<digest>[0-9a-f]{64}) (?P<size>\d{1,9}) (?P<name>.+)")


def kept(crm: CRM, path: Path) -> str:
    """Keep a copy of a file for a message; the line that stands for it in `Message.attachments`: its SHA-256, its
    size in bytes and its name. Raises FileError where it cannot be read, is too large or cannot be kept."""
    try:
        with path.open("rb") as file:
            content = file.read(MOST + 1)
    except OSError as error:
        raise FileError(f"{unreadable(path, error).sentence} Nothing was sent.") from error
    if len(content) > MOST:
        raise FileError(f"{path.name} is too large. {_TOO_LARGE}")
    digest = hashlib.sha256(content).hexdigest()
    try:
        _keep(_folder(crm), digest, content)
    except OSError as error:
        raise FileError(f"{path.name} could not be copied: {error.strerror}. Nothing was sent.") from error
    with SendingJournal(crm.outward.folder, crm.clock) as journal:
        journal.note_kept(digest)
    return f"{digest} {len(content)} {Attachment(path.name, b'').file_name}"


def refuse_too_large(lines: Iterable[str]) -> None:
    """Raise FileError where files are too large for one message together."""
    if sum(size_of(line) for line in lines) > MOST:
        raise FileError(_TOO_LARGE)


def attachments_of(crm: CRM, message: Message) -> tuple[Attachment, ...]:
    """The files that go with a message. Raises OutwardError where one is not here any more, or is not
    what it was."""
    attachments = []
    for line in message.attachments.splitlines():
        name = name_of(line)
        try:
            content = (_folder(crm) / _digest(line)).read_bytes()
        except OSError as error:
            raise _refused(f"{name} is no longer on this computer") from error
        if hashlib.sha256(content).hexdigest() != _digest(line):
            raise _refused(f"the copy of {name} on this computer is damaged")
        attachments.append(Attachment(name, content, mimetypes.guess_type(name)[0] or "application/octet-stream"))
    return tuple(attachments)


def _refused(why: str) -> OutwardError:
    return OutwardError(f"{why}. Write the message again.", reason="refused")


def elsewhere(crm: CRM, journal: SendingJournal, message: Message) -> str:
    """The reason why a message can only be sent from another computer: a file was attached there. '' where it can, or
    where the file was here and is gone."""
    for line in message.attachments.splitlines():
        digest = _digest(line)
        if not (_folder(crm) / digest).exists() and not journal.was_kept(digest):
            return f"{name_of(line)} is on the computer where it was attached. Send queued mail from there."
    return ""


def name_of(line: str) -> str:
    """The name of the file that a line stands for."""
    known = _LINE.fullmatch(line)
    return known["name"] if known else line


def size_of(line: str) -> int:
    """The size in bytes of the file that a line stands for, 0 where it says none."""
    known = _LINE.fullmatch(line)
    return int(known["size"]) if known else 0


def _digest(line: str) -> str:
    """The name under which a file is kept, of a line that was changed by hand none that there is."""
    known = _LINE.fullmatch(line)
    return known["digest"] if known else "unreadable"


def _folder(crm: CRM) -> Path:
    return crm.outward.folder / "attachments"


def _keep(folder: Path, digest: str, content: bytes) -> None:
    """Write a file under its digest, whole or not at all."""
    private_folder(folder)
    where = folder / digest
    with suppress(OSError):
        if hashlib.sha256(where.read_bytes()).hexdigest() == digest:
            return
    with atomic_write(where, 0o600) as file:
        file.write(content)

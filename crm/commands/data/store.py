"""Looking after the store: checked, backed up and restored."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from crm.commands.context import CRM
from crm.commands.data.full_export import keep_safe, nobody_gets_in
from crm.commands.registry import ONLY_ADMIN, About, command
from crm.errors import FileError, Question, StoreDamagedError, confirmation
from crm.model import BY_NAME
from crm.model.file_errors import size_of, unwritable
from crm.model.paths import display_path
from crm.model.rights import OWNER
from crm.repository import Finding, Proof
from crm.repository.shut import Shut
from crm.wording import first_few


@dataclass(frozen=True, slots=True)
class CheckReport:
    """The findings of `check`: `wrong` breaks a promise of the store, `odd` is only worth a look."""

    wrong: Sequence[Finding]
    odd: Sequence[Finding]

    @property
    def failed(self) -> bool:
        """Return whether something does not hold; the shell then exits with 1."""
        return bool(self.wrong)


@dataclass(frozen=True, slots=True)
class LiveReport:
    """The proofs of what a store in a Google spreadsheet relies on, tried on the real service."""

    proofs: Sequence[Proof]

    @property
    def failed(self) -> bool:
        """Return whether something did not hold; the shell then exits with 1."""
        return any(proof.held is not True for proof in self.proofs)


@dataclass(frozen=True, slots=True)
class FileWritten:
    """A file that was written, what to know of it where it holds secrets, and what was done besides, each a
    sentence."""

    file: Path
    what: str
    keep_safe: str = ""
    done: str = ""


@command("check", title="Check the store", menu="backups", hint="Look for damage and wrong totals")
def check(
    crm: CRM,
    live: Annotated[bool, About("Live", "test what the program needs with the real Google service")] = False,
) -> CheckReport | LiveReport:
    """Check the whole store: totals match their sales, and no link points to a missing record.

    It also lists odd addresses and phone numbers, and statuses for which the rules have not been applied; these are not
    errors. With --live it tests in the spreadsheet itself what the store needs from Google, on tabs that it adds and
    removes. Once for each spreadsheet is enough.
    """
    if live:
        with crm.progress("Testing what the program needs from Google") as progress:
            proofs = []
            for proof in crm.repository.prove():
                proofs.append(proof)
                progress(len(proofs), 0)
        return LiveReport(proofs)
    with crm.progress("Checking"):
        findings = [*crm.repository.check(), *crm.accounts.findings()]
    return CheckReport(
        [finding for finding in findings if finding.wrong], [finding for finding in findings if not finding.wrong]
    )


@command("backup", title="Back up", menu="backups", hint="Save a copy of all data", roles=ONLY_ADMIN, key="backup")
def backup(
    crm: CRM,
    file: Annotated[
        Path | None, About("File", "the backups folder if empty", positional=True, makes=(".sqlite3",))
    ] = None,
) -> FileWritten:
    """Back up the whole store to a file you name, or to a dated file in the backups folder."""
    if file is not None:
        try:
            exists = file.is_symlink() or file.exists()
        except OSError as error:
            raise unwritable(file, error) from error
        if exists:
            raise FileError(f"{display_path(file)} already exists. Choose another name.")
    return FileWritten(crm.repository.backup(file), "backup", keep_safe(crm))


def _added_since(crm: CRM, file: Path) -> str:
    """The records that a backup lacks, as the end of a sentence; '' for none, and where the store cannot be read."""
    if isinstance(crm.repository, Shut):
        return ""
    parts = []
    for name, ids in crm.repository.added_since(file).items():
        noun = BY_NAME[name].noun if len(ids) == 1 else BY_NAME[name].nouns
        parts.append(f"{crm.conventions.number(len(ids))} {noun} ({first_few(list(map(str, ids)))})")
    return f": {', '.join(parts)}" if parts else ""


@command(
    "restore",
    title="Restore a backup",
    menu="backups",
    hint="Go back to an earlier copy",
    roles=ONLY_ADMIN,
    unread=(StoreDamagedError,),
)
def restore(
    crm: CRM,
    file: Annotated[Path, About("File", "a backup", positional=True)],
    accounts: Annotated[
        bool | None, About("Accounts", "take passwords, roles and second factors from the backup too")
    ] = None,
    yes: bool = False,
) -> FileWritten:
    """Replace the data in the store with a backup; the current data is backed up first.

    Accounts stay as they are now, unless --accounts is given; everyone is signed out. If the store has no accounts, or
    is damaged, it gets the accounts of the backup.
    """
    size_of(file)
    if accounts is None and not yes and crm.reader != OWNER:
        raise Question(
            f"{file.name} also has the accounts of that time.",
            parameter="accounts",
            choices={
                "no": "Keep the accounts as they are now",
                "yes": "Use those of the backup, with passwords and roles",
            },
            yes="no",
        )
    if not yes:
        which = "everything in the store, accounts included," if accounts else "the data in the store"
        out = "" if crm.reader == OWNER else " Everyone is signed out."
        raise confirmation(
            f"This replaces {which} with {file.name}. The current data is backed up first. Everything"
            f" saved after that backup is removed, including what others saved{_added_since(crm, file)}. Invoices"
            f" issued after it are removed too, and their numbers will be used again.{out}",
            "Restore it",
            destructive=True,
        )
    restored = crm.repository.restore(file, accounts=bool(accounts))
    crm.forget_settings()
    done = f"Restored {file.name}{'.' if crm.reader == OWNER else '. Everyone was signed out.'}"
    if restored.closed:
        count = "1 client account was" if restored.closed == 1 else f"{restored.closed} client accounts were"
        done += f" {count} deactivated, because the backup does not have their clients."
    if restored.shut:
        done += f" {nobody_gets_in('of the backup')}"
    return FileWritten(restored.kept, "backup of the data before", keep_safe(crm), done)

"""The repair of a spreadsheet after what was done to it by hand."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from crm.batching import batches
from crm.commands.context import CRM
from crm.commands.data.spreadsheets import counted
from crm.commands.record_names import called
from crm.commands.registry import ONLY_ADMIN, About, command
from crm.config import SHEETS
from crm.errors import Question, StoreError
from crm.model import BY_NAME, Record
from crm.model.fields import Line
from crm.repository import Query
from crm.repository.shut import Shut
from crm.wording import FEW, first_few

# The answers of `sheets repair`.
BACK, KEEP = "back", "keep"
_NEVER_SEEN = "This computer has never seen some of them, and cannot put them back: do this on a computer that has."


@dataclass(frozen=True, slots=True)
class RepairReport:
    """A spreadsheet after a repair: what was done about its tabs, the records that were deleted or put back, in words,
    and the cells that were restored; whether changes that were lost are not mentioned any more. `emptied` names the
    columns that had been emptied; they are left so, or filled again, as the records are `deleted` or put back."""

    tabs: Sequence[str]
    records: Sequence[str]
    cells: Sequence[str]
    deleted: bool
    accepted: bool = False
    emptied: Sequence[str] = ()


@command(
    "sheets repair",
    title="Repair the spreadsheet",
    menu="backups",
    hint="Fix edits that do not fit",
    roles=ONLY_ADMIN,
    unread=(StoreError,),
)
def repair(
    crm: CRM,
    rows: Annotated[
        str, Line(10), About("Rows", "`back` to put the spreadsheet back as it was, `keep` to keep what was done in it")
    ] = "",
    tabs: Annotated[str, Line(10), About("Tabs", "`back` to put back tabs and header rows")] = "",
    lost: Annotated[str, Line(10), About("Lost changes", "`keep` to end the notice about changes that were lost")] = "",
    cells: Annotated[str, Line(10), About("Cells", "`back` to put back IDs, versions and totals")] = "",
) -> RepairReport:
    """Show edits made by hand in a spreadsheet that were not accepted, and repair them.

    You see what would be done, and are asked, before anything changes. If a tab is missing or has lost its header
    row, it is restored from what this computer last read. If many rows have disappeared at once, or have lost their
    ID, their records are kept until you choose whether to restore the rows or delete the records. The same holds
    for the values of a column if most of them have disappeared at once. Cells that only the program writes, such as
    IDs, versions and totals, are put back. If changes that this computer knew are no longer in the spreadsheet, you
    can end the notice about them.
    """
    damage = _repaired(crm, tabs)
    if isinstance(crm.repository, Shut):
        # Who uses the store is known again once it can be read.
        return RepairReport(damage, [], [], False)
    held = crm.repository.held()
    known = {name: _first_of_kind(crm, name, ids) for name, ids in held.gone.items()}
    records = [_in_words(crm, name, ids, known[name]) for name, ids in held.gone.items()]
    overwritten = [
        f"IDs, versions or totals of {counted(crm.conventions, count, name.replace('_', ' '))}"
        for name, count in held.overwritten.items()
    ]
    if (records or held.emptied) and rows not in (BACK, KEEP):
        gone = [f"Gone from the spreadsheet, or without their ID: {'; '.join(records)}."] if records else []
        gone += [f"Emptied in the spreadsheet: {'; '.join(held.emptied)}."] if held.emptied else []
        unknown = any(_lacks(crm, name, ids) for name, ids in held.gone.items())
        changed = [_overwritten_words(overwritten)] if overwritten else []
        raise Question(
            " ".join([*damage, *gone, *([_NEVER_SEEN] if unknown else []), *changed]),
            parameter="rows",
            choices=_choices(records, held.emptied),
            yes=BACK,
        )
    if overwritten and not damage and BACK not in (rows, cells):
        raise Question(
            _overwritten_words(overwritten),
            parameter="cells",
            choices={BACK: "Put them back"},
            yes=BACK,
        )
    if held.lost and not (damage or records or held.emptied or overwritten or lost):
        raise Question(
            held.lost, parameter="lost", choices={KEEP: "Keep the spreadsheet as it is, and stop showing this notice"}
        )
    accepted = bool(held.lost) and lost == KEEP
    if accepted:
        crm.repository.accept_loss(held.lost)
    if (records or held.emptied) and rows == KEEP:
        crm.repository.settle(take_over=True)
    if overwritten or rows == BACK:
        crm.repository.settle(take_over=False)
    return RepairReport(damage, records, overwritten, rows == KEEP, accepted, held.emptied)


def _choices(records: Sequence[str], emptied: Sequence[str]) -> dict[str, str]:
    """The answers to what becomes of records whose rows are gone, and of emptied columns."""
    back, keep = "Put the rows back as they were", "Delete these records, with what belongs to them"
    if not records:
        back, keep = "Put the values back as they were", "Leave these cells empty"
    elif emptied:
        back, keep = "Put rows and values back as they were", f"{keep}, and leave the emptied cells empty"
    return {BACK: back, KEEP: keep}


def _overwritten_words(overwritten: Sequence[str]) -> str:
    return f"Changed by hand, though only the program writes them: {'; '.join(overwritten)}."


def _repaired(crm: CRM, tabs: str) -> Sequence[str]:
    """The repairs of tabs that could not be read. Raises Question before."""
    if not crm.repository.url.startswith(SHEETS):
        return []
    damage = crm.spreadsheets.damage(crm.repository.url)
    if damage and tabs != BACK:
        raise Question(
            " ".join(["The spreadsheet cannot be read as it is.", *damage]),
            parameter="tabs",
            choices={BACK: "Repair it"},
            yes=BACK,
        )
    return crm.spreadsheets.repair(crm.repository.url) if damage else []


def _first_of_kind(crm: CRM, name: str, ids: Sequence[int]) -> Sequence[Record]:
    """The first ones of the records of a kind that are gone, as far as this computer knows them."""
    with crm.read() as snapshot:
        return [record for number in ids[:FEW] if (record := snapshot.find(BY_NAME[name], number)) is not None]


def _lacks(crm: CRM, name: str, ids: Sequence[int]) -> bool:
    """Return whether this computer has never seen some of the records."""
    with crm.read() as snapshot:
        return any(snapshot.count(BY_NAME[name], Query({"id": batch})) < len(batch) for batch in batches(ids))


def _in_words(crm: CRM, name: str, ids: Sequence[int], known: Sequence[Record]) -> str:
    """The records of a kind that are gone, the first by name."""
    names = [called(record, crm.conventions) or f"{name} {record.id}" for record in known]
    count = counted(crm.conventions, len(ids), name.replace("_", " "))
    return f"{count} ({first_few(names, total=len(ids), number=crm.conventions.number)})" if names else count

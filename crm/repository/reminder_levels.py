"""The rule of reminder levels: they are numbered from 1 without a gap, and each is due later than the one before it."""

from collections.abc import Sequence

from crm.errors import RefusedError
from crm.invoicing.dunning import faults_of
from crm.model import ReminderLevel
from crm.repository import Snapshot

# The kind of record that the rule is about.
RULED = ReminderLevel


def faults(snapshot: Snapshot) -> Sequence[str]:
    """The faults of the levels as they are stored."""
    return faults_of({level.number: level.days for level in snapshot.find_all(ReminderLevel)})


def new_fault(snapshot: Snapshot, before: Sequence[str]) -> str:
    """The first fault of the levels that was not there before; '' where there is none."""
    return next((fault for fault in faults(snapshot) if fault not in before), "")


def refuse_wrong(snapshot: Snapshot, before: Sequence[str]) -> None:
    """Raise RefusedError where the levels have a fault now that was not there before."""
    if fault := new_fault(snapshot, before):
        raise RefusedError(
            f"The levels of reminders would be wrong: {fault}. Change or remove the higher level first."
            " Nothing was changed."
        )

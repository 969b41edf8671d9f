"""The levels of reminders: when each is due, its words, its fee and its interest. The program has default
levels; once a team changes one, all levels are stored as the team's own."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import count
from typing import Annotated, Any

from crm.commands.context import CRM
from crm.commands.mail.merge_fields import LineWithFields, ProseWithFields
from crm.commands.registry import ONLY_ADMIN, About, command
from crm.errors import FieldError, NotFoundError, RefusedError
from crm.invoicing.dunning import LEVELS, Level
from crm.model import ReminderLevel
from crm.model.billing import MOST_LEVELS
from crm.model.fields import Amount, Rate, Whole
from crm.repository import Query, Snapshot, Transaction
from crm.repository.reminder_levels import faults, new_fault

TheLevel = Annotated[int, Whole(least=1, most=MOST_LEVELS), About("Level", "1 is the first", positional=True)]


def stored_levels(snapshot: Snapshot) -> Sequence[ReminderLevel]:
    """The levels in their order: the team's, or those of the program, which have no id."""
    return snapshot.find_all(ReminderLevel, Query(sort="number")) or [
        ReminderLevel(number=level.number, days=level.days, term=level.term) for level in LEVELS
    ]


def levels_of(snapshot: Snapshot) -> Sequence[Level]:
    """The levels as reminders are computed with them."""
    return [
        Level(
            number=level.number, days=level.days, fee=level.fee, interest=level.interest, term=level.term,
            subject=level.subject, text=level.text,
        )
        for level in stored_levels(snapshot)
    ]  # fmt: skip


@command(
    "reminders levels list", title="Reminder levels", menu="reminder levels", nothing="No reminder levels are set up."
)
def list_all(crm: CRM) -> list[ReminderLevel]:
    """List when reminders are due: days overdue, fee, interest and days to pay."""
    with crm.read() as snapshot:
        return list(stored_levels(snapshot))


@command("reminders levels set", title="Set a level", menu="reminder levels", roles=ONLY_ADMIN)
def set_level(
    crm: CRM,
    level: TheLevel,
    days: Annotated[
        int | None, Whole(least=1, most=365), About("Days", "how many days after the due date it is sent")
    ] = None,
    fee: Annotated[Decimal | None, Amount(), About("Fee", "charged on top of the open amount; 0 for none")] = None,
    interest: Annotated[Decimal | None, Rate(), About("Interest", "in percent a year, on the open amount")] = None,
    term: Annotated[
        int | None, Whole(most=365), About("Days to pay", "no other reminder until they have passed")
    ] = None,
    subject: Annotated[
        str | None, LineWithFields(200), About("Subject", "the default if empty; fields as in templates")
    ] = None,
    text: Annotated[
        str | None, ProseWithFields(), About("Text", "above the list of invoices; the default if empty")
    ] = None,
) -> ReminderLevel:
    """Change a level of reminders, or add the next one; the other fields stay as they are.

    Fee and interest are on the reminder and below the statement, never on the invoice. An e-mail asks for the fee once,
    however many invoices it is about, in the team's currency.
    """
    changes = {
        "days": days, "fee": fee, "interest": interest, "term": term, "subject": subject, "text": text,
    }  # fmt: skip
    values: dict[str, Any] = {name: value for name, value in changes.items() if value is not None}
    if not values:
        raise FieldError("name at least one field to change")

    def change(tx: Transaction) -> ReminderLevel:
        levels = _kept(tx)
        before = faults(tx)
        current = next((kept for kept in levels if kept.number == level), None)
        numbers = {kept.number for kept in levels}
        if current is None and level != (new := next(number for number in count(1) if number not in numbers)):
            raise NotFoundError(f"No level {level}. The next new one is {new}.")
        if current is None and days is None:
            raise FieldError("say after how many days overdue it is sent", field="days", label="Days")
        if current is None:
            current = tx.add(ReminderLevel(number=level, **{"term": 7, **values}))
        else:
            current = tx.change(current, **values)
        if fault := new_fault(tx, before):
            raise FieldError(fault, field="days", label="Days")
        return current

    return crm.transact(change, f"set level {level} of reminders")


@command(
    "reminders levels remove",
    title="Remove the last level",
    menu="reminder levels",
    hint="The others stay",
    roles=ONLY_ADMIN,
    nothing="No reminder levels are set up.",
)
def remove(crm: CRM, level: TheLevel) -> list[ReminderLevel]:
    """Remove the last level of reminders."""

    def change(tx: Transaction) -> list[ReminderLevel]:
        levels = _kept(tx)
        last = levels[-1]
        if level != last.number:
            raise RefusedError(f"Only the last level can be removed: {last.number}. Nothing was changed.")
        if len(levels) == 1:
            raise RefusedError(
                "At least one level is needed. For a client without reminders: `clients edit … --no-reminders`."
            )
        tx.delete(last)
        return levels[:-1]

    return crm.transact(change, f"removed level {level} of reminders")


def _kept(tx: Transaction) -> list[ReminderLevel]:
    """The levels as the team's own: those of the program become so with the first change."""
    return [level if level.id else tx.add(level) for level in stored_levels(tx)]

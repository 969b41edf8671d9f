"""Follow-ups: tasks for clients with a due day and a person; postponed, reassigned, done and reopened."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any

from crm.commands.activity.follow_up_lists import FollowUpShown, with_names
from crm.commands.client_selection import MaybeClient, TheClient, pluralize
from crm.commands.context import CRM
from crm.commands.file_output import ExportReport, confirm_overwrite
from crm.commands.list_parameters import Limit, Offset, Sort, most
from crm.commands.ownership import Mine, owner_filter, spelled
from crm.commands.registry import About, command
from crm.errors import FieldError, RefusedError, confirmation, deletion
from crm.model import Client, Conventions, Deal, FollowUp
from crm.model.fields import Day, Id, Line, Person, TimeOfDay, Whole
from crm.model.written_dates import When, day_and_time
from crm.repository import Query, Snapshot, Transaction
from crm.repository.queries import activity as queries
from crm.repository.queries.activity import WhichFollowUps

SomeFollowUps = Annotated[Sequence[FollowUp], About("Follow-ups", "their numbers", positional=True)]
TheFollowUp = Annotated[FollowUp, About("Follow-up", "its number", positional=True)]
DUE = Day(past=False, from_today=True, timed=True)
Every = Whole(most=3650)
_EVERY = About("Repeats", "how many days after the last contact; 0 for no repeat")


@dataclass(frozen=True, slots=True)
class FollowUpList:
    """A page of follow-ups, and of all that are asked for how many there are and how many of them are overdue."""

    follow_ups: Sequence[FollowUpShown]
    count: int
    overdue: int


@dataclass(frozen=True, slots=True)
class FollowUpDone:
    """A follow-up that was done, and the next one where it repeats."""

    done: FollowUpShown
    next: FollowUpShown | None


@dataclass(frozen=True, slots=True)
class FollowUpsChanged:
    """Follow-ups that were changed together: what became of them ('done', 'changed' or 'deleted'), and which; until
    when they were snoozed, and to whom they were reassigned; of those that repeat the next ones; and how many were
    already done."""

    became: str
    follow_ups: Sequence[FollowUpShown]
    until: date | None = None
    to: str = ""
    next: Sequence[FollowUpShown] = ()
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class FollowUpGone:
    """A follow-up that was deleted."""

    gone: FollowUpShown


@command("follow-ups list", title="List follow-ups", menu="follow-ups", nothing="No follow-ups found.")
def list_all(
    crm: CRM,
    client: MaybeClient = None,
    mine: Mine = False,
    for_: Annotated[str, Person(), About("For", "who does it")] = "",
    deal: Annotated[Deal | None, About("Deal", "what it is about")] = None,
    due: Annotated[date | None, Day(past=False, of_period="last"), About("Due by", "the last day")] = None,
    overdue: Annotated[bool, About("Overdue", "only those past their date")] = False,
    done: Annotated[bool, About("Done", "only those that are done, latest first")] = False,
    repeating: Annotated[bool, About("Repeating", "only those that repeat")] = False,
    sort: Sort = "",
    limit: Limit = 0,
    offset: Offset = 0,
) -> FollowUpList:
    """List open follow-ups, most urgent first: everyone's, yours, or those about a client."""
    if overdue and done:
        raise FieldError("a follow-up that is done is not overdue; use only one", field="overdue", label="Overdue")
    with crm.read() as snapshot:
        which = _asked_for(crm, snapshot, client, mine, for_, deal, due, overdue, done, repeating)
        count, late = queries.count_follow_ups(snapshot, which)
        rows = queries.follow_ups(snapshot, which, sort or ("-done_on" if done else ""), most(limit), offset)
        return FollowUpList(with_names(snapshot, rows), count, 0 if done else late)


def _asked_for(
    crm: CRM,
    snapshot: Snapshot,
    client: Client | None,
    mine: bool,
    person: str,
    deal: Deal | None,
    due: date | None,
    overdue: bool,
    done: bool,
    repeating: bool,
) -> WhichFollowUps:
    """The filters that were given."""
    filters: dict[str, Any] = {"client": client.id} if client else {}
    filters |= owner_filter(crm, snapshot, mine, person, field="for_", label="For").filters(FollowUp)
    if deal:
        filters["deal"] = deal.id
    if not done:
        filters["done_on"] = None
    if overdue:
        yesterday = crm.today - timedelta(days=1)
        due = min(due, yesterday) if due else yesterday
    return WhichFollowUps(Query(filters, until=due), done, repeating)


@command("follow-ups show", title="Show a follow-up")
def show(crm: CRM, follow_up: TheFollowUp) -> FollowUpShown:
    """Show a follow-up: what to do, for which client, by when, and how urgent it is."""
    with crm.read() as snapshot:
        return with_names(snapshot, [snapshot.get(FollowUp, follow_up.id)])[0]


@command("follow-ups add", title="Add a follow-up", menu="follow-ups")
def add(
    crm: CRM,
    client: TheClient,
    what: Annotated[str, Line(500), About("What", "what to do", positional=True)],
    due: Annotated[
        date | When | None,
        DUE,
        About("Due", "a date, or with a time: fri 10:00, next week; empty only if it repeats"),
    ] = None,
    time: Annotated[str, TimeOfDay(), About("Time", "local; empty for any time of the day")] = "",
    for_: Annotated[str | None, Person(), About("For", "who does it; you by default")] = None,
    deal: Annotated[Deal | None, About("Deal", "what it is about; empty for none")] = None,
    every: Annotated[int, Every, _EVERY] = 0,
) -> FollowUpShown:
    """Add a follow-up for a client with a due date, for you or someone else on the team.

    A follow-up that repeats needs no date: it is due a number of days after the last contact with the client. A contact
    on a later day moves it: a call, meeting, e-mail or text message that is logged, sent or received, but not a note.
    One with a time of day stays on its day.
    """
    _refuse_nothing(what)
    day, at = day_and_time(due, time, crm.conventions)
    _refuse_past(crm, day)
    if not day and not every:
        raise FieldError("give a due date", field="due", label="Due")

    def change(tx: Transaction) -> FollowUpShown:
        whose = tx.get(Client, client.id)
        added = FollowUp(
            client=whose.id,
            deal=_checked_deal(tx, whose.id, deal.id if deal else 0),
            user=crm.me if for_ is None else spelled(tx, for_),
            due_on=day or max(tx.today, (whose.last_contact_on or tx.today) + timedelta(days=every)),
            due_time=at,
            what=what,
            every=every,
        )
        return with_names(tx, [tx.add(added)])[0]

    return crm.transact(change, f"added a follow-up for {client.name}: {what[:100]}")


@command("follow-ups edit", title="Edit a follow-up")
def edit(
    crm: CRM,
    follow_up: TheFollowUp,
    what: Annotated[str | None, Line(500), About("What", "what to do")] = None,
    due: Annotated[date | When | None, DUE, About("Due", "a date, or with a time: fri 10:00, next week")] = None,
    time: Annotated[str | None, TimeOfDay(), About("Time", "local; empty for any time of the day")] = None,
    for_: Annotated[str | None, Person(), About("For", "who does it")] = None,
    deal: Annotated[int | None, Id("deal"), About("Deal", "what it is about: its number or title; 0 for none")] = None,
    every: Annotated[int | None, Every, _EVERY] = None,
) -> FollowUpShown:
    """Change a follow-up; the other fields stay as they are."""
    day, at = day_and_time(due, time or "", crm.conventions)
    options: dict[str, Any] = {
        "what": what,
        "due_on": day,
        "due_time": at or time,
        "user": for_,
        "deal": deal,
        "every": every,
    }
    changes = {name: value for name, value in options.items() if value is not None}
    if not changes:
        raise FieldError("name at least one field to change")
    _refuse_nothing(changes.get("what", follow_up.what))
    if changes.get("due_on") != follow_up.due_on:
        _refuse_past(crm, day)

    def change(tx: Transaction) -> FollowUpShown:
        if deal:
            _checked_deal(tx, follow_up.client, deal)
        values = {**changes, "user": spelled(tx, for_)} if for_ else changes
        return with_names(tx, [tx.change(follow_up, **values)])[0]

    return crm.transact(change, f"edited the follow-up {_short(follow_up)}")


@command("follow-ups done", title="Done")
def done(crm: CRM, follow_up: TheFollowUp) -> FollowUpDone:
    """Mark a follow-up as done.

    If it repeats, the next follow-up is added: its number of days after today, or after the last contact if that is
    later.
    """

    def change(tx: Transaction) -> FollowUpDone:
        current = tx.get(FollowUp, follow_up.id)
        if current.done_on:
            raise RefusedError("That follow-up is already done. Nothing was changed.")
        closed, following = _close(tx, current)
        before, *after = with_names(tx, [closed, *following])
        return FollowUpDone(before, after[0] if after else None)

    return crm.transact(change, f"completed the follow-up {_short(follow_up)}")


def _close(tx: Transaction, current: FollowUp) -> tuple[FollowUp, Sequence[FollowUp]]:
    """Mark an open follow-up as done, and add the next one where it repeats."""
    closed = tx.change(current, done_on=tx.today)
    if not current.every:
        return closed, ()
    last = tx.get(Client, current.client).last_contact_on or tx.today
    following = FollowUp(
        client=current.client,
        # A deal that has been deleted is not passed on.
        deal=current.deal if current.deal and tx.find(Deal, current.deal) else 0,
        user=current.user,
        user_id=current.user_id,
        due_on=max(last, tx.today) + timedelta(days=current.every),
        due_time=current.due_time,
        what=current.what,
        every=current.every,
    )
    return closed, (tx.add(following),)


@command("follow-ups reopen", title="Reopen")
def reopen(crm: CRM, follow_up: TheFollowUp) -> FollowUpShown:
    """Reopen a follow-up that was done.

    If it repeated, the follow-up that came after it keeps repeating, and this one has to be done once more.
    """

    def change(tx: Transaction) -> FollowUpShown:
        current = tx.get(FollowUp, follow_up.id)
        if not current.done_on:
            raise RefusedError("That follow-up is already open. Nothing was changed.")
        same = {"client": current.client, "what": current.what, "every": current.every, "done_on": None}
        goes_on = bool(current.every) and tx.count(FollowUp, Query(same)) > 0
        changes = {"done_on": None, **({"every": 0} if goes_on else {})}
        return with_names(tx, [tx.change(current, **changes)])[0]

    return crm.transact(change, f"reopened the follow-up {_short(follow_up)}")


@command("follow-ups snooze", title="Snooze")
def snooze(
    crm: CRM,
    follow_up: TheFollowUp,
    until: Annotated[
        date | When,
        DUE,
        About("Until", "tomorrow, next week (Monday), in 10 days, fri 10:00 or a date", positional=True),
    ],
) -> FollowUpShown:
    """Snooze a follow-up until tomorrow, next week or another date, with a time if you like."""
    day, at = day_and_time(until, "", crm.conventions)
    _refuse_past(crm, day, field="until", label="Until")
    later = {"due_on": day, **({"due_time": at} if at else {})}
    summary = f"snoozed the follow-up {_short(follow_up)} until {crm.conventions.day(day)}"
    return _change_open(crm, follow_up, lambda _: later, summary)


@command("follow-ups assign", title="Reassign")
def assign(
    crm: CRM,
    follow_up: TheFollowUp,
    to: Annotated[str, Person(), About("To", "who does it from now on", positional=True)],
) -> FollowUpShown:
    """Reassign a follow-up to someone on the team."""
    if not to:
        raise FieldError("say who does it", field="to", label="To")
    summary = f"reassigned the follow-up {_short(follow_up)} to {to}"
    return _change_open(crm, follow_up, lambda tx: {"user": spelled(tx, to)}, summary)


def _change_open(
    crm: CRM, follow_up: FollowUp, changes: Callable[[Transaction], Mapping[str, Any]], summary: str
) -> FollowUpShown:
    """Change a follow-up that is not done."""

    def change(tx: Transaction) -> FollowUpShown:
        current = tx.get(FollowUp, follow_up.id)
        _refuse_done(current)
        return with_names(tx, [tx.change(current, **changes(tx))])[0]

    return crm.transact(change, summary)


@command("follow-ups delete", title="Delete a follow-up")
def delete(crm: CRM, follow_up: TheFollowUp, yes: bool = False) -> FollowUpGone:
    """Delete a follow-up. You can undo it."""

    def change(tx: Transaction) -> FollowUpGone:
        item = with_names(tx, [tx.get(FollowUp, follow_up.id)])[0]
        if not yes:
            raise deletion(f"This deletes the follow-up {_short(follow_up)}.", follow_up)
        tx.delete(item.follow_up)
        return FollowUpGone(item)

    return crm.transact(change, f"deleted the follow-up {_short(follow_up)}")


@command("follow-ups edit-many", title="Snooze, reassign or complete follow-ups")
def edit_many(
    crm: CRM,
    follow_ups: SomeFollowUps,
    done: Annotated[bool, About("Done", "marks them as done")] = False,
    until: Annotated[
        date | When | None, DUE, About("Until", "snoozes them: tomorrow, next week (Monday), in 10 days, or a date")
    ] = None,
    to: Annotated[str, Person(), About("To", "who does them from now on")] = "",
) -> FollowUpsChanged:
    """Mark several follow-ups as done, or snooze or reassign them. You can undo it in one step. Those that are already
    done stay as they are."""
    if not (done or until or to) or (done and (until or to)):
        raise FieldError("give one of done, until or to; until and to go together")
    day, at = day_and_time(until, "", crm.conventions)
    _refuse_past(crm, day, field="until", label="Until")

    def change(tx: Transaction) -> FollowUpsChanged:
        current = [tx.get(FollowUp, follow_up.id) for follow_up in _once(follow_ups)]
        still_open = [follow_up for follow_up in current if not follow_up.done_on]
        if not still_open:
            raise RefusedError("These follow-ups are already done. Nothing was changed.")
        skipped = len(current) - len(still_open)
        if done:
            closed = [_close(tx, follow_up) for follow_up in still_open]
            following = with_names(tx, [added for _, after in closed for added in after])
            before = with_names(tx, [follow_up for follow_up, _ in closed])
            return FollowUpsChanged("done", before, next=following, skipped=skipped)
        person = spelled(tx, to) if to else ""
        values = {"due_on": day, "due_time": at, "user": person}
        changes = {name: value for name, value in values.items() if value}
        changed = [tx.change(follow_up, **changes) for follow_up in still_open]
        return FollowUpsChanged("changed", with_names(tx, changed), day, person, skipped=skipped)

    parts = [f"snoozed {{}} until {crm.conventions.day(day)}"] if day else []
    parts += [f"reassigned {'them' if parts else '{}'} to {to}"] if to else []
    summary = " and ".join(parts) if parts else "completed {}"
    still_open = [follow_up for follow_up in follow_ups if not follow_up.done_on]
    return crm.transact(change, summary.format(_counted(still_open or follow_ups, crm.conventions)))


@command("follow-ups delete-many", title="Delete follow-ups")
def delete_many(crm: CRM, follow_ups: SomeFollowUps, yes: bool = False) -> FollowUpsChanged:
    """Delete several follow-ups. You can undo it in one step."""
    counted = _counted(follow_ups, crm.conventions)

    def change(tx: Transaction) -> FollowUpsChanged:
        items = with_names(tx, [tx.get(FollowUp, follow_up.id) for follow_up in _once(follow_ups)])
        if not yes:
            raise confirmation(f"This deletes {counted}.", "Delete", destructive=True)
        for item in items:
            tx.delete(item.follow_up)
        return FollowUpsChanged("deleted", items)

    return crm.transact(change, f"deleted {counted}")


@command("follow-ups export", title="Export to a calendar", menu="follow-ups")
def export(
    crm: CRM,
    file: Annotated[Path, About("File", "a calendar file, ending in .ics", positional=True, makes=(".ics",))],
    client: Annotated[Client | None, About("Client", "only those of one client")] = None,
    mine: Mine = False,
    for_: Annotated[str, Person(), About("For", "only those of one person")] = "",
    due: Annotated[date | None, Day(past=False, of_period="last"), About("Due by", "the last day")] = None,
    yes: bool = False,
) -> ExportReport:
    """Export open follow-ups to a calendar file (iCalendar) that any calendar program can import.

    A follow-up with a time appears at that time in any calendar, the others as all-day events. Importing the file again
    updates the same follow-ups and adds no duplicates.
    """
    if file.suffix.lower() != ".ics":
        raise FieldError("a calendar file ends in .ics", field="file", label="File")
    from crm.files.icalendar import write_follow_ups

    with crm.read() as snapshot:
        which = _asked_for(crm, snapshot, client, mine, for_, None, due, False, False, False)
        items = with_names(snapshot, queries.follow_ups(snapshot, which))
    if not items:
        raise RefusedError("No open follow-ups. No file was written.")
    confirm_overwrite(file, yes)
    entries = [(item.follow_up, item.client, item.deal.title if item.deal else "") for item in items]
    return ExportReport(file, "follow-ups", write_follow_ups(file, entries, crm.conventions))


def _checked_deal(tx: Transaction, client: int, deal: int) -> int:
    """The number of the deal that a follow-up is about, once it is known to be one of the client's."""
    if deal and tx.get(Deal, deal).client != client:
        raise FieldError(f"deal {deal} belongs to another client", field="deal", label="Deal")
    return deal


def _once(follow_ups: Sequence[FollowUp]) -> Sequence[FollowUp]:
    return list({follow_up.id: follow_up for follow_up in follow_ups}.values())


def _counted(follow_ups: Sequence[FollowUp], by: Conventions) -> str:
    several = _once(follow_ups)
    if len(several) == 1:
        return f"the follow-up {_short(several[0])}"
    return pluralize(len(several), "follow-up", "follow-ups", by)


def _refuse_nothing(what: str) -> None:
    if not what:
        raise FieldError("say what to do", field="what", label="What")


def _refuse_past(crm: CRM, day: date | None, *, field: str = "due", label: str = "Due") -> None:
    if day and day < crm.today:
        raise FieldError("that day has passed", field=field, label=label)


def _refuse_done(follow_up: FollowUp) -> None:
    if follow_up.done_on:
        raise RefusedError("That follow-up is done. Reopen it first. Nothing was changed.")


def _short(follow_up: FollowUp) -> str:
    return follow_up.what if len(follow_up.what) <= 100 else f"{follow_up.what[:99]}…"

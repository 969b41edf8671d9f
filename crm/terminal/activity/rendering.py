"""Follow-ups, interactions, the timeline and what needs doing, on screen: in lists, one whole, and what was done."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from crm.model import INTERACTIONS, Client, Contact, Conventions, FollowUp, Interaction, Invoice, fields
from crm.terminal.drawing import tables
from crm.terminal.drawing.cards import badge, draw_timeline, entry_amount, pairs, side_card, side_width, with_number
from crm.terminal.drawing.links import linked, mail_link, phone_link
from crm.terminal.drawing.render import renderer
from crm.terminal.drawing.rendering import ENTRIES
from crm.terminal.drawing.screen import Screen, clean, data
from crm.terminal.drawing.theme import status_style

if TYPE_CHECKING:
    from crm.commands.activity.agenda import Agenda, AgendaItem
    from crm.commands.activity.capture import Captured
    from crm.commands.activity.follow_up_lists import FollowUpShown
    from crm.commands.activity.follow_ups import FollowUpDone, FollowUpGone, FollowUpList, FollowUpsChanged
    from crm.commands.activity.timeline import Timeline
    from crm.commands.timeline_entries import Entry

# What is to be done keeps so many columns of the line of an item before its urgency is left out.
_LEAST_WHAT = 22
FOLLOW_UPS: Sequence[tables.Column] = (
    tables.Column("No.", lambda row, _: data(row.follow_up.id, "muted"), 5, right=True),
    tables.Column("Due", lambda row, _: _urgency(row), 0),
    tables.Column("At", lambda row, by: data(by.time_of_day(row.follow_up.due_time)), 4),
    tables.Column("What", lambda row, _: data(row.follow_up.what), 1, 12),
    tables.Column("Client", lambda row, _: data(row.client.name), 2, 8),
    tables.Column("For", lambda row, _: data(row.follow_up.user), 3, 5),
    tables.Column("Date", lambda row, by: data(by.day(row.follow_up.due_on)), 6),
    tables.Column("Deal", lambda row, _: data(row.deal.title if row.deal else ""), 7, 8),
)
# The same in the list of the menu, where what is to be done and for whom matter most.
LISTED_FOLLOW_UPS: Sequence[tables.Column] = (
    tables.Column("Due", lambda row, by: _due(row, by), 1),
    tables.Column("What", lambda row, _: data(row.follow_up.what, "bold"), 0, 12),
    tables.Column("Client", lambda row, _: data(row.client.name), 2, 8),
    tables.Column("For", lambda row, _: data(row.follow_up.user), 4, 5),
    tables.Column("Deal", lambda row, _: data(row.deal.title if row.deal else ""), 5, 8),
)
INTERACTION_COLUMNS: Sequence[tables.Column] = (
    tables.Column("Date", lambda row, by: data(by.day(row.on), "muted"), 1),
    tables.Column("Time", lambda row, by: data(by.time_of_day(row.time), "muted"), 5),
    tables.Column("Kind", lambda row, _: data(kind_of(row)), 0),
    tables.Column("What", lambda row, _: data(row.subject or row.body.partition("\n")[0]), 0, 10),
    tables.Column("By", lambda row, _: data(row.user, "muted"), 4, 5),
)
_INTERACTIONS: Sequence[tables.Column] = (
    tables.Column("No.", lambda row, _: data(row.id, "muted"), 6, right=True),
    *INTERACTION_COLUMNS,
    tables.client_column(5),
)
ITEMS: Sequence[tables.Column] = (
    tables.Column("Why", lambda row, by: data(_why(row, by)), 0, 12),
    tables.Column("What", lambda row, _: data(row.what, "bold"), 1, 12),
    tables.Column("Client", lambda row, _: data(row.client.name), 2, 8),
    tables.Column("For", lambda row, _: data(row.person), 3, 5),
)
# The same in the list of the menu, the amounts below each other.
LISTED_ENTRIES: Sequence[tables.Column] = (
    tables.Column("Date", lambda row, by: data(_when(row, by), "muted"), 0),
    tables.Column("Amount", entry_amount, 1, right=True),
    tables.Column("What", lambda row, _: data(row.what), 0, 12),
    *ENTRIES[3:],
)
tables.COLUMNS |= {
    "crm.commands.activity.agenda.AgendaItem": ITEMS,
    "crm.commands.activity.follow_up_lists.FollowUpShown": FOLLOW_UPS,
    "crm.model.activity.Interaction": _INTERACTIONS,
}


def _when(entry: "Entry", by: Conventions) -> str:
    """The day of an entry, of today's with its time."""
    return f"{by.day(entry.on)} {by.time_of_day(entry.time) if entry.on == by.today else ''}".rstrip()


def _due(item: "FollowUpShown", by: Conventions) -> Text:
    """The due day, marked also for who sees no colour where it has passed."""
    follow_up = item.follow_up
    if follow_up.done_on:
        return data(f"done {by.day(follow_up.done_on)}", "muted")
    words = f"{by.day(follow_up.due_on)} {by.time_of_day(follow_up.due_time)}".rstrip()
    return data(f"! {words}" if item.days_overdue else words, "overdue" if item.days_overdue else "")


def _why(item: "AgendaItem", by: Conventions) -> str:
    """The urgency of an item, in words; its time of day as the team writes it."""
    from crm.commands.activity.follow_up_lists import due_now

    record = item.record
    return due_now(record, by.today, by) if isinstance(record, FollowUp) else item.why


def _urgency(item: "FollowUpShown") -> Text:
    from crm.commands.activity.follow_up_lists import due_words

    late, done = item.days_overdue, item.follow_up.done_on
    words = due_words(item.follow_up, item.on).removeprefix("due ")
    return data(words, "muted" if done else "overdue" if late else "")


def entry_side(screen: Screen, entry: "Entry", by: Conventions, text: str) -> list[tuple[str, str]]:
    """An entry of the timeline beside the list: all of what it says, and the first lines of a text."""
    what = data(entry.what, "bold").wrap(screen.console, side_width(screen))
    on = f"{by.day(entry.on)} {by.time_of_day(entry.time)}".rstrip()
    facts = [("Date", data(on)), ("By", data(entry.by))]
    return side_card(screen, [*what, entry_amount(entry, by)], facts, text, screen.height // 2)


def follow_up_side(screen: Screen, item: "FollowUpShown", by: Conventions) -> list[tuple[str, str]]:
    """A follow-up beside the list, without its client."""
    follow_up = item.follow_up
    facts = [("For", data(follow_up.user)), ("Deal", data(item.deal.title if item.deal else ""))]
    return side_card(screen, [data(follow_up.what, "bold"), _due(item, by)], facts)


@renderer("crm.commands.activity.follow_up_lists.FollowUpShown")
def _(result: "FollowUpShown", screen: Screen, by: Conventions) -> None:
    follow_up = result.follow_up
    screen.print(with_number(screen, data(follow_up.what, "bold"), f"no. {follow_up.id}"))
    at = f", {by.time_of_day(follow_up.due_time)}" if follow_up.due_time else ""
    due = f"{by.day(follow_up.due_on)}{at}"
    if by.is_in_words(follow_up.due_on) and not follow_up.done_on:
        due = result.when(by).removeprefix("due ")
    else:
        due = f"{due}, {result.when(by)}"
    late = bool(result.days_overdue) and not screen.piped
    client = result.client
    who = data(client.name, "bold")
    if client.status and not screen.piped:
        who.append("  ").append_text(badge(client.status, status_style(client.status)))
    phone = fields(Client)["phone"].check.show(client.phone, by)
    facts = [
        ("Due", data(f"{'! ' if late else ''}{due}", "overdue" if late else "")),
        ("Client", who),
        ("Deal", data(result.deal.title if result.deal else "")),
        ("For", data(follow_up.user)),
        ("Phone", linked(data(phone), phone_link(client.phone))),
        ("E-mail", linked(data(client.email), mail_link(client.email))),
        ("Repeats", data(repeats(follow_up))),
        ("Done", data(by.day(follow_up.done_on))),
    ]
    screen.print(pairs([(label, value) for label, value in facts if value.plain.strip()], screen.width))


def repeats(follow_up: FollowUp) -> str:
    """The interval of a follow-up in words, and whether a contact moves it; '' for once."""
    if not follow_up.every:
        return ""
    days = "day" if follow_up.every == 1 else f"{follow_up.every} days"
    moves = "stays on its day, as it has a time" if follow_up.due_time else "a later contact moves it"
    return f"every {days} after the last contact; {moves}"


@renderer("crm.commands.activity.follow_ups.FollowUpList")
def _(result: "FollowUpList", screen: Screen, by: Conventions) -> None:
    if not result.count:
        screen.print(Text("No follow-ups.", "muted"))
        return
    screen.print(tables.table(FOLLOW_UPS, result.follow_ups, by, screen.width))
    line = f"{by.number(result.count)} in all" + (f", {by.number(result.overdue)} overdue" if result.overdue else "")
    screen.print(Text(line, "bold"))


@renderer("crm.commands.activity.follow_ups.FollowUpDone")
def _(result: "FollowUpDone", screen: Screen, by: Conventions) -> None:
    line = Text(f"{screen.sign('✓', 'OK:')} Done: ", "success")
    screen.print(line.append(clean(f"{result.done.follow_up.what} ({result.done.client.name})"), "bold"))
    if result.next:
        screen.print(data(f"  Next {by.on_day(result.next.follow_up.due_on)}, {result.next.when(by)}"))


@renderer("crm.commands.activity.follow_ups.FollowUpsChanged")
def _(result: "FollowUpsChanged", screen: Screen, by: Conventions) -> None:
    from crm.commands.client_selection import pluralize

    parts = [f"snoozed until {by.day(result.until)}"] if result.until else []
    parts += [f"reassigned to {result.to}"] if result.to else []
    words = " and ".join(parts) or result.became
    line = Text(f"{screen.sign('✓', 'OK:')} {words[:1].upper()}{clean(words[1:])}: ", "success")
    if len(result.follow_ups) == 1:
        (item,) = result.follow_ups
        line.append(clean(f"{item.follow_up.what} ({item.client.name})"), "bold")
    else:
        line.append(pluralize(len(result.follow_ups), "follow-up", "follow-ups", by), "bold")
    screen.print(line)
    for item in result.next:
        screen.print(data(f"  Next {by.on_day(item.follow_up.due_on)}: {item.follow_up.what} ({item.client.name})"))
    if result.skipped:
        were = pluralize(result.skipped, "was", "were", by)
        screen.print(Text(f"  {were} already done.", "muted"))


@renderer("crm.commands.activity.follow_ups.FollowUpGone")
def _(result: "FollowUpGone", screen: Screen, _by: Conventions) -> None:
    line = Text(f"{screen.sign('✓', 'OK:')} Deleted: ", "success")
    screen.print(line.append(clean(f"{result.gone.follow_up.what} ({result.gone.client.name})"), "bold"))


def kind_of(interaction: Interaction) -> str:
    kind = INTERACTIONS[interaction.kind]
    return kind[:1].upper() + kind[1:]


def draw_interaction(screen: Screen, interaction: Interaction, by: Conventions, contact: Contact | None = None) -> None:
    heading = Text(kind_of(interaction), "bold")
    heading.append(f" with {clean(contact.name)}" if contact else "")
    heading.append(
        f"  {by.day(interaction.on)}{f', {by.time_of_day(interaction.time)}' if interaction.time else ''}", "default"
    )
    heading.append(f"  by {clean(interaction.user)}" if interaction.user else "", "muted")
    screen.print(heading)
    if interaction.subject:
        screen.print(data(interaction.subject))
    if interaction.body:
        screen.print()
        screen.print(data(interaction.body, lines=True))


@renderer(Interaction)
def _(result: Interaction, screen: Screen, by: Conventions) -> None:
    draw_interaction(screen, result, by)


def heading(agenda: "Agenda", by: Conventions) -> str:
    """The number of things to do, in words."""
    line = f"To do: {by.number(agenda.count)}" if agenda.count else "Nothing to do"
    return line + (f", and {by.number(agenda.others)} for others" if agenda.others else "")


@renderer("crm.commands.activity.agenda.Agenda")
def _(result: "Agenda", screen: Screen, by: Conventions) -> None:
    screen.print(Text(heading(result, by), "bold"))
    if result.items:
        screen.print(tables.table(ITEMS, result.items, by, screen.width))
    if len(result.items) < result.count:
        screen.print(Text(f"and {by.number(result.count - len(result.items))} more", "muted"))


@renderer("crm.commands.activity.timeline.Timeline")
def _(result: "Timeline", screen: Screen, by: Conventions) -> None:
    if not result.entries:
        screen.print("No activity yet.")
    draw_timeline(screen, result.entries, by)
    if result.more:
        screen.print(data(f"There is more. --after {result.next} shows it.", "muted"))


@renderer("crm.commands.activity.capture.Captured")
def _(result: "Captured", screen: Screen, by: Conventions) -> None:
    from crm.commands.activity.capture import captured_summary

    sign = screen.sign("✓", "OK:")
    for place, line in enumerate(captured_summary(result, by).splitlines()):
        style = "" if place else "success"
        parts = [data(line, style)] if screen.piped else data(line, style).wrap(screen.console, screen.width - 2)
        for part_place, part in enumerate(parts):
            before = Text("  ") if place or part_place else Text(f"{sign} ", "success")
            screen.print(before.append_text(part))


def item_line(screen: Screen, item: "AgendaItem", by: Conventions, width: int, *, whose: bool, late: bool) -> str:
    """An item on one line of `width` columns, its urgency first; `whose` says who is to do it. Where it does not fit,
    the urgency gives way, then the end of what is to be done: the client is named in any case."""
    who = f" ({item.client.name})" + (f", {item.person}" if whose and item.person else "")
    why = _why(item, by)
    why = f"{why[:1].upper()}{why[1:]}"
    for urgency in (why, why.partition(",")[0]):
        if screen.plain or screen.measure(f"{urgency}: {item.what}{who}") <= width:
            return f"{urgency}: {item.what}{who}"
    before = f"{why.partition(',')[0]}: "
    if width - screen.measure(before + who) < _LEAST_WHAT:
        before = "! " if late else ""
    room = width - screen.measure(before + who)
    # An invoice is known by its number alone.
    number = item.record.number if isinstance(item.record, Invoice) else ""
    if number and screen.measure(number) > room:
        # Half a number is none: the name is cut then.
        return f"{before}{number} ({screen.fit(item.client.name, width - screen.measure(before + number) - 3)})"
    what = number if number and screen.measure(item.what) > room else item.what
    # A very long name is cut as well.
    what = screen.fit(what, max(room, _LEAST_WHAT // 2))
    return screen.fit(f"{before}{what}{who}", width)

"""Follow-ups on screen: as rows of a list, one by itself, and what was done with it."""

from collections.abc import Sequence

from rich.text import Text

from crm.commands.activity.follow_up_lists import FollowUpShown, due_words
from crm.commands.activity.follow_ups import FollowUpDone, FollowUpGone, FollowUpList
from crm.model import Conventions
from crm.terminal.drawing import tables
from crm.terminal.drawing.cards import draw_pairs
from crm.terminal.drawing.render import drawn
from crm.terminal.drawing.screen import Screen, clean, data

FOLLOW_UPS: Sequence[tables.Column] = (
    tables.Column("No.", lambda each, _: data(each.follow_up.id, "dim"), 5, right=True),
    tables.Column("Due", lambda each, _: _urgency(each), 0),
    tables.Column("At", lambda each, _: data(each.follow_up.due_time), 4),
    tables.Column("What", lambda each, _: data(each.follow_up.what), 1, 12),
    tables.Column("Client", lambda each, _: data(each.client.name), 2, 8),
    tables.Column("For", lambda each, _: data(each.follow_up.user), 3, 5),
    tables.Column("Date", lambda each, by: data(by.day(each.follow_up.due_on)), 6),
    tables.Column("Deal", lambda each, _: data(each.deal.title if each.deal else ""), 7, 8),
)
tables.COLUMNS[FollowUpShown] = FOLLOW_UPS


def _urgency(shown: FollowUpShown) -> Text:
    late, done = shown.days_overdue, shown.follow_up.done_on
    words = due_words(shown.follow_up, shown.on, timed=False).removeprefix("due ")
    return data(words, "dim" if done else "bold red" if late else "")


@drawn.register
def _(result: FollowUpShown, screen: Screen, by: Conventions) -> None:
    follow_up = result.follow_up
    screen.print(data(follow_up.what, "bold").append(f"  no. {follow_up.id}", "dim"))
    at = f", {follow_up.due_time}" if follow_up.due_time else ""
    draw_pairs(
        screen,
        {
            "Due": f"{by.day(follow_up.due_on)}{at}",
            "": result.when,
            "Client": result.client.name,
            "Deal": result.deal.title if result.deal else "",
            "For": follow_up.user,
            "Repeats": repeats(follow_up.every),
            "Done": by.day(follow_up.done_on),
        },
    )


def repeats(every: int) -> str:
    """How often a follow-up comes again, in words; '' for once."""
    days = "day" if every == 1 else f"{every} days"
    return f"every {days} after the last contact" if every else ""


@drawn.register
def _(result: FollowUpList, screen: Screen, by: Conventions) -> None:
    if not result.count:
        screen.print(Text("Nothing is to be done.", "dim"))
        return
    screen.print(tables.table(FOLLOW_UPS, result.follow_ups, by, screen.width))
    told = f"{by.number(result.count)} in all" + (f", {by.number(result.overdue)} overdue" if result.overdue else "")
    screen.print(Text(told, "bold"))


@drawn.register
def _(result: FollowUpDone, screen: Screen, by: Conventions) -> None:
    line = Text(f"{screen.sign('✓', 'OK:')} Done: ", "green")
    screen.print(line.append(clean(f"{result.done.follow_up.what} ({result.done.client.name})"), "bold"))
    if result.next:
        screen.print(data(f"  Next on {by.day(result.next.follow_up.due_on)}, {result.next.when}"))


@drawn.register
def _(result: FollowUpGone, screen: Screen, _by: Conventions) -> None:
    line = Text(f"{screen.sign('✓', 'OK:')} Deleted: ", "green")
    screen.print(line.append(clean(f"{result.gone.follow_up.what} ({result.gone.client.name})"), "bold"))

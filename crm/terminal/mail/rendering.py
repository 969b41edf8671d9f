"""E-mails and text messages on screen: as a list, one with all of it, and what came of sending."""

from collections.abc import Mapping, Sequence

from rich.text import Text

from crm.commands.mail.composing import Preview, display_size
from crm.commands.mail.messages import MessageCard, text_of
from crm.commands.mail.outbox import Sent
from crm.commands.mail.outbox.attaching import name_of, size_of
from crm.model import CHANNELS, STATES, Conventions, Message
from crm.terminal.drawing import tables
from crm.terminal.drawing.render import drawn
from crm.terminal.drawing.screen import Screen, clean, data

STATE_STYLES: Mapping[str, str] = {
    "queued": "cyan", "sending": "cyan", "failed": "bold red", "unsure": "bold yellow", "cancelled": "dim",
}  # fmt: skip
MESSAGE_COLUMNS: Sequence[tables.Column] = (
    tables.Column("Date", lambda each, by: data(by.day(each.on), "dim"), 1),
    tables.Column("Time", lambda each, _: data(each.time, "dim"), 5),
    tables.Column("State", lambda each, _: data(STATES.get(each.state, each.state), state_style(each)), 0, 6),
    tables.Column("", lambda each, _: data("SMS" if each.channel == "sms" else ""), 6),
    tables.Column("What", lambda each, _: data(each.subject or each.body.partition("\n")[0]), 0, 10),
    tables.Column("By", lambda each, _: data(each.user, "dim"), 4, 5),
)
tables.COLUMNS[Message] = (
    tables.Column("No.", lambda each, _: data(each.id, "dim"), 3, right=True),
    *MESSAGE_COLUMNS[:-1],
    tables.Column("To", lambda each, _: data(each.sender if each.direction == "in" else each.to), 2, 12),
    MESSAGE_COLUMNS[-1],
    tables.Column("Client", lambda each, _: data(each.client, "dim"), 7, right=True),
)


def state_style(message: Message) -> str:
    """How a state stands out: what somebody has to see to most."""
    return STATE_STYLES.get(message.state, "")


def kind_of(message: Message) -> str:
    """What it is, as it begins a sentence."""
    word = CHANNELS.get(message.channel, message.channel)
    return word[:1].upper() + word[1:]


def draw_message(screen: Screen, card: MessageCard, by: Conventions, room: int | None = None) -> bool:
    """A message with what became of it; of its text as many lines as fit into `room` lines for all of it. Whether that
    was all of the text."""
    message, before = card.message, screen.used
    whom = card.client.name + (f" ({card.contact.name})" if card.contact else "")
    heading = Text(f"{kind_of(message)} {'from' if message.direction == 'in' else 'to'} {clean(whom)}", "bold")
    heading.append(f"  {STATES.get(message.state, message.state)}", state_style(message) or "green")
    heading.append(f"  {by.day(message.on)}{f', {message.time}' if message.time else ''}", "default")
    heading.append(f"  by {clean(message.user)}" if message.user else "", "dim")
    screen.print(heading)
    if message.failure:
        screen.print(data(message.failure, STATE_STYLES.get(message.state, "yellow")))
    if card.stopped:
        screen.print(data(card.stopped, "yellow"))
    files = ", ".join(f"{name_of(each)} ({display_size(size_of(each))})" for each in message.attachments.splitlines())
    draw_heads(screen, {"From": message.sender, "To": message.to, "CC": message.cc, "BCC": message.bcc,
                        "Attached": files})  # fmt: skip
    if message.subject:
        screen.print(data(message.subject, "bold"))
    screen.print()
    return draw_text(screen, text_of(message), None if room is None else room - (screen.used - before))


def draw_preview(screen: Screen, preview: Preview, room: int | None = None) -> bool:
    """An e-mail as it will be sent, with as much of its text as fits into `room` lines; whether that was all of it."""
    before = screen.used
    draw_heads(screen, preview.heads)
    screen.print()
    return draw_text(screen, preview.text, None if room is None else room - (screen.used - before))


def draw_heads(screen: Screen, heads: Mapping[str, str]) -> None:
    """What stands above a text, each on its line; what is empty is left out."""
    for label, value in heads.items():
        if value:
            screen.print(Text(f"{label}: ", "dim").append(clean(value), "default"))


def draw_text(screen: Screen, text: str, room: int | None = None) -> bool:
    """A text of any number of lines, or as much of it as fits into so many; whether that was all of it."""
    shown = data(text, lines=True)
    if room is None:
        screen.print(shown)
        return True
    lines = shown.wrap(screen.console, screen.width)
    if len(lines) <= max(3, room):
        screen.print(shown)
        return True
    kept = lines[: max(3, room) - 1]
    for each in kept:
        screen.print(each)
    left = len(lines) - len(kept)
    screen.print(Text(f"{screen.sign('…', '...')} {left} more lines", "dim"))
    return False


def sent_line(card: MessageCard) -> tuple[str, str]:
    """What became of a message that was just tried, in a sentence, and how it stands out."""
    message = card.message
    words = message.failure.rstrip(".")
    why = f": {words}." if words else "."
    match message.state:
        case "sent":
            return f"Sent to {message.to}{f', but not to {words}' if words else ''}.", "green"
        case "failed":
            return f"Not sent{why} It stands among the messages, and can be sent again there.", "red"
        case "unsure":
            return f"It may have been sent, and may not{why} Ask before you send it again.", "yellow"
        case "queued" | "sending":
            waits = card.stopped or f"It could not be sent just now{why}"
            return f"{waits} It waits in the outbox; “Send what waits” tries it again.", "yellow"
    return f"{kind_of(message)} {message.id} is {STATES.get(message.state, message.state)}{why}", "yellow"


@drawn.register
def _(result: MessageCard, screen: Screen, by: Conventions) -> None:
    draw_message(screen, result, by)


@drawn.register
def _(result: Sent, screen: Screen, by: Conventions) -> None:
    sign = screen.sign("✓", "OK:")
    tried = result.sent or result.failed or result.unsure or result.waiting or result.cancelled
    if result.sent:
        screen.print(Text(f"{sign} Sent {by.number(result.sent)}.", "green"))
    if result.cancelled:
        told = f"Cancelled {by.number(result.cancelled)}, whose clients want no mailings any more."
        screen.print(Text(told, "yellow"))
    for title, messages, style in (
        ("Not sent", result.failed, "bold red"),
        ("May have been sent, and may not; ask before you send them again", result.unsure, "bold yellow"),
        ("Not taken just now, and tried again later", result.waiting, "yellow"),
    ):
        if messages:
            screen.print(Text(f"{title}: {by.number(len(messages))}", style))
            screen.print(tables.table(_TROUBLES, messages[: max(3, screen.left - 12)], by, screen.width))
    if result.stopped:
        screen.print(data(result.stopped, "bold red"))
    if result.left:
        screen.print(Text(f"{by.number(result.left)} still wait in the outbox.", "yellow"))
    elif not tried and not result.stopped:
        screen.print(Text(f"{sign} Nothing waits in the outbox.", "green"))


_TROUBLES: Sequence[tables.Column] = (
    tables.Column("No.", lambda each, _: data(each.id, "dim"), 3, right=True),
    tables.Column("To", lambda each, _: data(each.to), 1, 14),
    tables.Column("What", lambda each, _: data(each.subject or each.body.partition("\n")[0]), 2, 8),
    tables.Column("Why", lambda each, _: data(each.failure, "dim"), 0, 16, wraps=True),
)

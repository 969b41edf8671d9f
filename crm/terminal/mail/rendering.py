"""Messages, templates, mailings, greetings and the inbox on screen: in lists, one whole, and what came of sending."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from rich.text import Text

from crm.model import CHANNELS, OPT_OUT_WAYS, STATES, Conventions, Message, OptOut, Template
from crm.terminal.drawing import tables
from crm.terminal.drawing.cards import side_card, with_number
from crm.terminal.drawing.render import renderer, show
from crm.terminal.drawing.screen import Screen, clean, data

if TYPE_CHECKING:
    from crm.commands.mail.composing import Preview
    from crm.commands.mail.greetings import Due, Greeting, Occasion
    from crm.commands.mail.inbox import Adopted, Fetched
    from crm.commands.mail.mailings.report import MailingCount, MailingReport
    from crm.commands.mail.mailings.text import TestSent
    from crm.commands.mail.messages import MessageCard
    from crm.commands.mail.outbox import Sent
    from crm.commands.mail.services import ServiceRemoved, ServiceStatus, ServiceTried
    from crm.commands.mail.sms import SmsFetched
    from crm.commands.mail.templates import TemplatePreview

STATE_STYLES: Mapping[str, str] = {
    "queued": "accent", "sending": "accent", "failed": "overdue", "unsure": "alert", "cancelled": "muted",
}  # fmt: skip
# In the order in which they are shown.
_STATES = ("sent", "failed", "unsure", "queued", "sending", "cancelled")
# How many of what could not be read are listed on screen.
_MOST_LISTED = 5
# What is below lists: a blank line, the entries, the way back and the hint.
_BELOW = 8

MESSAGE_COLUMNS: Sequence[tables.Column] = (
    tables.Column("Date", lambda row, by: data(by.day(row.on), "muted"), 1),
    tables.Column("Time", lambda row, by: data(by.time_of_day(row.time), "muted"), 5),
    tables.Column("Status", lambda row, _: data(STATES.get(row.state, row.state), state_style(row)), 1, 6),
    tables.Column("", lambda row, _: data("SMS" if row.channel == "sms" else ""), 6),
    tables.Column("What", lambda row, _: data(row.subject or row.body.partition("\n")[0]), 0, 10),
    tables.Column("By", lambda row, _: data(row.user, "muted"), 4, 5),
)
tables.COLUMNS["crm.model.mail.Message"] = (
    tables.Column("No.", lambda row, _: data(row.id, "muted"), 3, right=True),
    *MESSAGE_COLUMNS[:-1],
    tables.Column("To", lambda row, _: data(row.sender if row.direction == "in" else row.to), 2, 12),
    MESSAGE_COLUMNS[-1],
    tables.client_column(5),
)
TEMPLATES: Sequence[tables.Column] = (
    tables.Column("No.", lambda row, _: data(row.id, "muted"), 4, right=True),
    tables.Column("Name", lambda row, _: data(row.name, "bold"), 0, 10),
    tables.Column("", lambda row, _: data("SMS" if row.channel == "sms" else "", "muted"), 2),
    tables.Column("What", lambda row, _: data(row.subject or row.body.partition("\n")[0]), 1, 12),
)
MAILINGS: Sequence[tables.Column] = (
    tables.Column("Date", lambda row, by: data(by.day_of(row.mailing.created_at), "muted"), 3),
    tables.Column("Name", lambda row, _: data(row.mailing.name, "bold"), 0, 8),
    tables.Column("Sent", lambda row, by: _count("sent", row, by), 0, right=True, word="sent"),
    tables.Column("Failed", lambda row, by: _count("failed", row, by, "danger"), 0, right=True, word="failed"),
    tables.Column("Waiting", lambda row, by: data(by.number(row.waiting) if row.waiting else "", "accent"), 0,
                  right=True, word="waiting"),
    tables.Column("By", lambda row, _: data(row.mailing.user, "muted"), 4, 5),
)  # fmt: skip
tables.COLUMNS["crm.commands.mail.mailings.report.MailingCount"] = (
    tables.Column("No.", lambda row, _: data(row.mailing.id, "muted"), 2, right=True),
    *MAILINGS,
)
TROUBLES: Sequence[tables.Column] = (
    tables.Column("Client", lambda row, _: data(row.name, "bold"), 0, 8),
    tables.Column("Status", lambda row, _: data(STATES[row.message.state], STATE_STYLES[row.message.state]), 2, 6),
    tables.Column("Why", lambda row, _: data(row.message.failure, "muted"), 1, 10),
)
tables.COLUMNS["crm.commands.mail.mailings.report.Trouble"] = (
    tables.Column("No.", lambda row, _: data(row.message.id, "muted"), 3, right=True),
    TROUBLES[0],
    tables.Column("To", lambda row, _: data(row.message.to), 3, 12),
    TROUBLES[1],
    tables.Column("Why", lambda row, _: data(row.message.failure, "muted"), 1, 16, wraps=True),
)
tables.COLUMNS["crm.commands.mail.mailings.audience.LeftOut"] = (
    tables.Column("No.", lambda row, _: data(row.client, "muted"), 2, right=True),
    tables.Column("Client", lambda row, _: data(row.name, "bold"), 0, 8),
    tables.Column("Why", lambda row, _: data(row.reason, "muted"), 0, 16, wraps=True),
)
_UNSENT: Sequence[tables.Column] = (
    tables.Column("No.", lambda row, _: data(row.id, "muted"), 3, right=True),
    tables.Column("To", lambda row, _: data(row.to), 1, 14),
    tables.Column("What", lambda row, _: data(row.subject or row.body.partition("\n")[0]), 2, 8),
    tables.Column("Why", lambda row, _: data(row.failure, "muted"), 0, 16, wraps=True),
)
_QUEUED: Sequence[tables.Column] = (
    tables.Column("No.", lambda row, _: data(row.id, "muted"), 3, right=True),
    tables.Column("To", lambda row, _: data(row.to), 1, 14),
    tables.Column("What", lambda row, _: data(row.subject or row.body.partition("\n")[0]), 2, 8),
    tables.Column("Next try", lambda row, by: data(_next_try(row.until, by), "warning"), 0),
)
OCCASIONS: Sequence[tables.Column] = (
    tables.Column("Name", lambda row, _: data(row.mailing.name, "bold"), 0, 10),
    tables.Column("For", lambda row, _: data(row.when), 0, 8),
    tables.Column("By", lambda row, _: data(CHANNELS[row.mailing.channel]), 2),
    tables.Column("What", lambda row, _: data(_about(row), "muted"), 1, 10),
)
_GREETINGS: Sequence[tables.Column] = (
    tables.Column("Day", lambda row, by: data(by.day(row.on), "muted"), 1),
    tables.Column("Client", lambda row, _: data(row.client.name, "bold"), 0, 10),
    tables.Column("Greeting", lambda row, _: data(row.mailing.name), 2, 8),
    tables.Column("To", lambda row, _: data(row.to), 3, 12),
)
_UNREACHABLE = (*_GREETINGS[1:2], tables.Column("Why", lambda row, _: data(row.why_not, "muted"), 0, 16, wraps=True))
STRANGERS: Sequence[tables.Column] = (
    tables.Column("Last", lambda row, by: data(by.day_of(row.at), "muted"), 2),
    tables.Column("From", lambda row, _: data(row.address, "bold"), 0, 14),
    tables.Column("Name", lambda row, _: data(row.name), 1, 8),
    tables.Column("E-mails", lambda row, by: data(by.number(row.messages)), 4, right=True, unit=("e-mail", "e-mails")),
    tables.Column("About", lambda row, _: data(row.subject, "muted"), 3, 10),
)
OPT_OUTS: Sequence[tables.Column] = (
    tables.Column("Address", lambda opt_out, _: data(opt_out.address, "bold"), 0, 14),
    tables.Column("Since", lambda opt_out, by: data(by.day(opt_out.on), "muted"), 0),
    tables.Column("How", lambda opt_out, _: data(OPT_OUT_WAYS.get(opt_out.way, opt_out.way)), 1),
    tables.Column("Note", lambda opt_out, _: data(opt_out.note, "muted"), 2, 10),
)
_BOUNCED: Sequence[tables.Column] = (
    tables.Column("Address", lambda bounced, _: data(bounced.address, "bold"), 0, 14),
    tables.Column("Date", lambda bounced, by: data(by.day(bounced.on), "muted"), 2),
    tables.Column("Client", lambda bounced, _: data(bounced.client, "muted"), 3, right=True),
    tables.Column("Why", lambda bounced, _: data(bounced.words, "muted"), 0, 16, wraps=True),
)
tables.COLUMNS |= {
    "crm.commands.mail.bounces.Bounced": _BOUNCED,
}
tables.COLUMNS |= {
    "crm.commands.mail.greetings.Occasion": OCCASIONS,
    "crm.model.mail.OptOut": OPT_OUTS,
    "crm.commands.mail.inbox.journal.Stranger": STRANGERS,
    "crm.model.mail.Template": TEMPLATES,
}


def state_style(message: Message) -> str:
    """The style of a state: what somebody has to see to most."""
    return STATE_STYLES.get(message.state, "")


def kind_of(message: Message) -> str:
    """The kind of a message, as it begins a sentence."""
    word = CHANNELS.get(message.channel, message.channel)
    return word[:1].upper() + word[1:]


def message_side(screen: Screen, message: Message, client: str, by: Conventions) -> list[tuple[str, str]]:
    """A message beside the list, with the first lines of its text."""
    state = data(STATES.get(message.state, message.state), state_style(message) or "success")
    state.append(f"  {by.day(message.on)}{f', {by.time_of_day(message.time)}' if message.time else ''}", "default")
    facts = [
        ("Client", data(client, "bold")),
        ("From", data(message.sender)),
        ("To", data(message.to)),
        ("Why", data(message.failure, STATE_STYLES.get(message.state, "warning"))),
        ("By", data(message.user)),
    ]
    heading = [data(message.subject or kind_of(message), "bold"), state]
    return side_card(screen, heading, facts, message.body, screen.height // 2)


def draw_message(screen: Screen, card: "MessageCard", by: Conventions, room: int | None = None) -> bool:
    """A message with what became of it; of its text as many lines as fit into `room` lines for all of it. Whether that
    was all of the text."""
    from crm.commands.mail.composing import display_size
    from crm.commands.mail.messages import text_of
    from crm.commands.mail.outbox.attaching import name_of, size_of

    message, before = card.message, screen.used
    party = card.client.name + (f" ({card.contact.name})" if card.contact else "")
    heading = Text(f"{kind_of(message)} {'from' if message.direction == 'in' else 'to'} {clean(party)}", "bold")
    heading.append(f"  {STATES.get(message.state, message.state)}", state_style(message) or "success")
    heading.append(f"  {by.day(message.on)}{f', {by.time_of_day(message.time)}' if message.time else ''}", "default")
    heading.append(f"  by {clean(message.user)}" if message.user else "", "muted")
    screen.print(heading)
    if message.failure:
        words = f"Not sent to {message.failure}" if card.partly else message.failure
        screen.print(data(words, STATE_STYLES.get(message.state, "warning")))
    if message.notice:
        screen.print(data(message.notice, "alert" if "forged" in message.notice else "muted"))
    if card.stopped:
        screen.print(data(card.stopped, "warning"))
    files = ", ".join(
        # Of what came in the line says the size itself.
        f"{name_of(line)} ({display_size(size)})" if (size := size_of(line)) else name_of(line)
        for line in message.attachments.splitlines()
    )
    draw_heads(screen, {"From": message.sender, "To": message.to, "CC": message.cc, "BCC": message.bcc,
                        "Attached": files})  # fmt: skip
    if message.subject:
        screen.print(data(message.subject, "bold"))
    screen.print()
    return draw_text(screen, text_of(message), None if room is None else room - (screen.used - before))


def draw_preview(screen: Screen, preview: "Preview", room: int | None = None) -> bool:
    """An e-mail as it will be sent, with as much of its text as fits into `room` lines; whether that was all of it."""
    before = screen.used
    draw_heads(screen, preview.heads)
    screen.print()
    return draw_text(screen, preview.text, None if room is None else room - (screen.used - before))


def draw_heads(screen: Screen, heads: Mapping[str, str]) -> None:
    """Draw the headers above a text, each on its line, with their values below each other; empty ones are left out."""
    known = {f"{label}:": data(value) for label, value in heads.items() if value}
    wide = 0 if screen.plain else max(map(len, known), default=0)
    for label, value in known.items():
        room = screen.width - wide - 1
        # An address is not broken where a line of its own has room for it.
        is_whole = screen.plain or max(map(len, value.plain.split()), default=0) > room
        for place, line in enumerate([value] if is_whole else value.wrap(screen.console, room)):
            screen.print(Text.assemble((f"{'' if place else label:<{wide}} ", "muted"), line))


def draw_text(screen: Screen, text: str, room: int | None = None) -> bool:
    """A text of any number of lines, or as much of it as fits into so many; whether that was all of it."""
    content = data(text, lines=True)
    if room is None:
        screen.print(content)
        return True
    lines = content.wrap(screen.console, screen.width)
    if len(lines) <= max(3, room):
        screen.print(content)
        return True
    kept = lines[: max(3, room) - 1]
    for line in kept:
        screen.print(line)
    left = len(lines) - len(kept)
    screen.print(Text(f"{screen.sign('…', '...')} {left} more lines", "muted"))
    return False


def sent_line(card: "MessageCard") -> tuple[str, str]:
    """The outcome of a message that was just tried, in a sentence, and its style."""
    message = card.message
    words = message.failure.rstrip(".")
    why = f": {words}." if words else "."
    match message.state:
        case "sent":
            return f"Sent to {message.to}{f', but not to {words}' if words else ''}.", "success"
        case "failed":
            return f"Not sent{why} You can send it again from Messages.", "danger"
        case "unsure":
            return (
                f"It may have been sent{why} Ask the recipient before you send it again.",
                "warning",
            )
        case "queued" | "sending":
            waits = card.stopped or f"It could not be sent right now{why}"
            return f"{waits} It is in the outbox. “Send queued mail” tries again.", "warning"
    return f"{kind_of(message)} {message.id} is {STATES.get(message.state, message.state)}{why}", "warning"


@renderer("crm.commands.mail.messages.MessageCard")
def _(result: "MessageCard", screen: Screen, by: Conventions) -> None:
    draw_message(screen, result, by)


@renderer(OptOut)
def _(result: OptOut, screen: Screen, by: Conventions) -> None:
    way = f", {OPT_OUT_WAYS[result.way]}" if result.way in OPT_OUT_WAYS else ""
    screen.print(data(result.address, "bold").append(f"  opted out {by.on_day(result.on)}{way}", "default"))
    if result.note:
        screen.print(data(result.note, "muted"))


@renderer("crm.commands.mail.sms.SmsFetched")
def _(result: "SmsFetched", screen: Screen, by: Conventions) -> None:
    answers = _counted(result.read, by, "answer", "answers")
    screen.print(Text(f"{screen.sign('✓', 'OK:')} Read {answers} to SMS messages.", "success"))
    for number in result.stopped:
        screen.print(data(f"{number} opted out of SMS.", "warning"))


@renderer("crm.commands.mail.outbox.sending.Sent")
def _(result: "Sent", screen: Screen, by: Conventions) -> None:
    sign = screen.sign("✓", "OK:")
    tried = result.sent or result.failed or result.unsure or result.waiting or result.cancelled
    if result.sent:
        screen.print(Text(f"{sign} Sent {by.number(result.sent)}.", "success"))
    if result.cancelled:
        line = f"Cancelled {by.number(result.cancelled)}: those clients have opted out."
        screen.print(Text(line, "warning"))
    for title, messages, style in (
        ("Not sent", result.failed, "overdue"),
        ("Sent, but not to everyone", result.partly, "overdue"),
        ("May have been sent: check before you send it again", result.unsure, "alert"),
        ("Delayed, will be tried again", result.waiting, "warning"),
    ):
        if messages:
            screen.print(Text(f"{title}: {by.number(len(messages))}", style))
            screen.print(tables.table(_UNSENT, messages[: max(3, screen.left - 12)], by, screen.width))
    if result.stopped:
        screen.print(data(result.stopped, "overdue"))
    if result.left:
        screen.print(Text(f"{by.number(result.left)} still in the outbox.", "warning"))
    if result.later:
        # Those that were tried before, and put off.
        when = _next_try(result.next_try, by)
        screen.print(Text(f"{by.number(result.later)} queued, to be tried again later: the next {when}.", "warning"))
    if result.queued:
        rows = result.queued[: max(3, screen.left - 12)]
        screen.print(tables.table(_QUEUED, rows, by, screen.width))
        if (others := result.left + result.later - len(rows)) > 0:
            screen.print(Text(f"and {by.number(others)} more", "muted"))
    elif not result.left and not tried and not result.stopped:
        screen.print(Text(f"{sign} The outbox is empty.", "success"))


def _next_try(until: str, by: Conventions) -> str:
    """The time from which a queued message is tried again."""
    if not until:
        return "when it is next sent"
    moment = datetime.fromisoformat(until)
    day, time = by.clock.day_of(moment), by.time_of(moment)
    if moment <= by.clock.now:
        return "when it is next sent"
    return f"at {time}" if day == by.today else f"{by.on_day(day)} at {time}"


def draw_template(screen: Screen, template: Template, room: int | None = None) -> bool:
    """A template as it was written, as much of its text as fits into `room` lines; whether that was all of it."""
    from crm.commands.mail.templates import sms_count

    before = screen.used
    heading = with_number(screen, data(template.name, "bold"), f"no. {template.id}, {CHANNELS[template.channel]}")
    screen.print(heading)
    if count := sms_count(template):
        _draw_parts(screen, count, "without the values of its fields")
    draw_heads(screen, {"Subject": template.subject})
    screen.print()
    return draw_text(screen, template.body, None if room is None else room - (screen.used - before))


def _draw_parts(screen: Screen, count: int, as_what: str) -> None:
    screen.print(Text(f"Takes {count} SMS {as_what}.", "warning" if count > 1 else "muted"))


@renderer(Template)
def _(result: Template, screen: Screen, _by: Conventions) -> None:
    draw_template(screen, result)


@renderer("crm.commands.mail.templates.TemplatePreview")
def _(result: "TemplatePreview", screen: Screen, _by: Conventions) -> None:
    screen.print(Text("As ", "muted").append(clean(result.client.name), "default").append(" would see it", "muted"))
    if result.missing:
        lacking = ", ".join(f"{{{field}}}" for field in result.missing)
        line = f"No value for {clean(lacking)}. {{{clean(result.missing[0])}|…}} sets the text to use instead."
        screen.print(Text(line, "warning"))
    if result.parts:
        _draw_parts(screen, result.parts, "for this client")
    draw_heads(screen, {"Subject": result.subject})
    screen.print()
    draw_text(screen, result.text)


def _count(state: str, mailing: "MailingCount", by: Conventions, style: str = "") -> Text:
    count = mailing.counts.get(state, 0)
    return data(by.number(count) if count else "", style)


def draw_counts(screen: Screen, report: "MailingReport", by: Conventions) -> None:
    """The outcome of a mailing, in a few lines: how many messages are in each state, and why it stopped."""
    counts = report.counted.counts
    line = Text()
    for state in _STATES:
        if counts.get(state):
            line.append(", " if line else "")
            line.append(f"{by.number(counts[state])} {STATES[state]}", STATE_STYLES.get(state, "success"))
    screen.print(line if line else Text("Its messages have been deleted.", "muted"))
    if report.stopped:
        screen.print(data(report.stopped, "overdue"))


@renderer("crm.commands.mail.mailings.report.MailingReport")
def _(result: "MailingReport", screen: Screen, by: Conventions) -> None:
    mailing = result.counted.mailing
    screen.print(with_number(screen, data(mailing.name, "bold"), f"mailing no. {mailing.id}"))
    draw_counts(screen, result, by)
    for title, rows in (("Need attention", result.troubles), ("Excluded", result.left_out)):
        if rows:
            screen.print(Text(f"{title}: {by.number(len(rows))}", "bold"))
            show(screen, list(rows), by)
    if result.counted.waiting:
        waiting = by.number(result.counted.waiting)
        line = f"{waiting} not sent yet. `mailings resume {mailing.id}` sends the rest, and so does `email outbox`."
        screen.print(Text(line, "warning"))


@renderer("crm.commands.mail.mailings.text.TestSent")
def _(result: "TestSent", screen: Screen, _by: Conventions) -> None:
    sign = screen.sign("✓", "OK:")
    screen.print(Text(f"{sign} Sent to {clean(result.to)}, as {clean(result.reader)} would see it.", "success"))


def _about(occasion: "Occasion") -> str:
    return occasion.mailing.subject or occasion.mailing.body.partition("\n")[0]


@renderer("crm.commands.mail.greetings.Occasion")
def _(result: "Occasion", screen: Screen, by: Conventions) -> None:  # noqa: ARG001 - as every renderer
    mailing = result.mailing
    screen.print(
        Text(clean(mailing.name), "bold").append(f"  for {result.when}, by {CHANNELS[mailing.channel]}", "default")
    )
    draw_heads(screen, {"Subject": mailing.subject})
    screen.print()
    draw_text(screen, mailing.body, screen.left - _BELOW)


@renderer("crm.commands.mail.greetings.Due")
def _(result: "Due", screen: Screen, by: Conventions) -> None:
    count = by.number(len(result.greetings))
    if result.sent is None:
        words = f"Greetings due: {count}" if result.greetings else "No greetings due"
        screen.print(Text(f"{words}; {by.number(result.waiting)} in the outbox" if result.waiting else words, "bold"))
    else:
        screen.print(Text(f"{screen.sign('✓', 'OK:')} Greetings: {count}", "success"))
    if result.greetings:
        _draw_some(screen, _GREETINGS, result.greetings, by)
    if result.unreachable:
        screen.print(Text(f"Cannot be reached: {by.number(len(result.unreachable))}", "alert"))
        _draw_some(screen, _UNREACHABLE, result.unreachable, by)
    if result.sent is not None:
        show(screen, result.sent, by)


def _draw_some(screen: Screen, columns: Sequence[tables.Column], rows: "Sequence[Greeting]", by: Conventions) -> None:
    most = max(3, screen.left - _BELOW)
    screen.print(tables.table(columns, rows[:most], by, screen.width))
    if len(rows) > most:
        screen.print(Text(f"and {by.number(len(rows) - most)} more", "muted"))


def _counted(count: int, by: Conventions, one: str, several: str) -> str:
    return f"{by.number(count)} {one if count == 1 else several}"


@renderer("crm.commands.mail.inbox.Fetched")
def _(result: "Fetched", screen: Screen, by: Conventions) -> None:
    number = _counted(result.filed, by, "e-mail", "e-mails")
    screen.print(Text(f"{screen.sign('✓', 'OK:')} Filed {number} with their clients.", "success"))
    if result.bounced:
        number = _counted(len(result.bounced), by, "e-mail from us", "e-mails from us")
        screen.print(Text(f"{number} bounced:", "overdue"))
        for message in result.bounced[:_MOST_LISTED]:
            screen.print(data(f"{message.subject}: {message.failure}"))
    for client in result.opted_out:
        screen.print(data(f"{client.name} opted out of mailings.", "warning"))
    left = [
        (result.known, "already filed"),
        (result.automatic, "sent automatically"),
        (result.nobodys, "without a client"),
    ]
    if others := [f"{by.number(count)} {why}" for count, why in left if count]:
        screen.print(Text(f"Skipped: {', '.join(others)}.", "muted"))
    for problem in result.unreadable[:_MOST_LISTED]:
        screen.print(data(problem, "warning"))
    if len(result.unreadable) > _MOST_LISTED:
        screen.print(
            Text(f"and {by.number(len(result.unreadable) - _MOST_LISTED)} more that could not be read", "warning")
        )
    if result.stopped:
        screen.print(data(f"{result.stopped} The rest will be read next time.", "overdue"))
    if result.unknown:
        screen.print(Text(f"Unknown senders: {by.number(len(result.unknown))}", "bold"))


@renderer("crm.commands.mail.inbox.Adopted")
def _(result: "Adopted", screen: Screen, by: Conventions) -> None:
    who = f"{result.contact.name}, contact of {result.client.name}" if result.contact else result.client.name
    filed = _counted(result.filed, by, "e-mail", "e-mails")
    screen.print(data(f"{screen.sign('✓', 'OK:')} {who}: filed {filed}.", "success"))
    if result.stopped:
        screen.print(data(f"{result.stopped} They will be filed the next time e-mail is fetched.", "warning"))


@renderer("crm.commands.mail.services.ServiceStatus")
def _service(status: "ServiceStatus", screen: Screen, _: Conventions) -> None:
    draw_service(status, screen)


def draw_service(status: "ServiceStatus", screen: Screen) -> None:
    """The settings of a service, each with where it comes from."""
    lines = status.lines if any(line.value or line.source for line in status.lines) else ()
    wide = max((len(line.label) for line in lines), default=0)
    for line in lines:
        source = f"  from {line.source}" if line.source not in ("", "this computer") else ""
        text = Text(f"{line.label:<{wide}}  ", "muted").append(clean(line.value or "empty"), "default")
        screen.print(text.append(source, "warning"))
    if status.problem:
        screen.print(Text(clean(status.problem), "error"))
    elif not status.is_set_up:
        screen.explain(f"{status.title} is not set up yet.", "warning")
    if status.advice:
        screen.explain(status.advice, "muted")


@renderer("crm.commands.mail.services.ServiceTried")
def _tried(tried: "ServiceTried", screen: Screen, _: Conventions) -> None:
    who = f" as {tried.user}" if tried.user else ""
    done = f"Signed in at {tried.server}{who}."
    if tried.sent_to:
        done = f"A test went to {tried.sent_to} over {tried.server}."
    screen.print(Text(clean(f"{screen.sign('✓', 'OK:')} It works. {done}"), "success"))


@renderer("crm.commands.mail.services.ServiceRemoved")
def _removed(removed: "ServiceRemoved", screen: Screen, _: Conventions) -> None:
    what = "were removed from this computer" if removed.was_saved else "were not saved on this computer"
    screen.print(f"The settings for {removed.title.lower()} {what}.")
    if removed.variables:
        screen.explain(f"Still set in the environment: {', '.join(removed.variables)}.", "warning")

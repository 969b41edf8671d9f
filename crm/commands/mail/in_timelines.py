"""Messages in the timelines of clients: e-mails and SMS that were sent or came in."""

from collections.abc import Mapping, Sequence

from crm.commands.timeline_entries import Entry, first_line, in_one_line
from crm.commands.timeline_sources import Keyed, Part, Row, Source, source
from crm.model import CHANNELS, STATES, UNSENT, Message
from crm.repository.queries import timeline


@source(
    Message,
    {"email": "e-mails", "sms": "SMS"},
    {word: ["email"] for word in ("emails", "mail", "mails")},
    place=2,
    first=True,
    contact=True,
)
class Messages(Source):
    """Messages with what became of them: 'E-mail to Jo Fox sent: your quote'."""

    def rows(self, part: Part) -> list[Keyed]:
        return part.timed(timeline.messages(part.snapshot, part.client, part.kinds, part.until, part.most))

    def entries(self, part: Part, rows: Sequence[Row]) -> list[Entry]:
        names = part.contacts(rows)
        return [
            Entry(row.on, row.time, row.channel, _text(row, names), row.user, None, "message", row.id) for row in rows
        ]


def _text(row: Row, names: Mapping[int, str]) -> str:
    channel = CHANNELS[row.channel]
    text = channel[:1].upper() + channel[1:]
    if row.contact in names:
        text += f" {'from' if row.direction == 'in' else 'to'} {names[row.contact]}"
    text += f" {STATES[row.state]}"
    if about := row.subject or first_line(row.body):
        text += f": {about}"
    return text + (f" ({in_one_line(row.failure)})" if row.failure and row.state in UNSENT else "")

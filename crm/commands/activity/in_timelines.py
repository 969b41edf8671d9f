"""Activity in the timelines of clients: calls, meetings and notes that were logged, and follow-ups."""

from collections.abc import Sequence

from crm.commands.timeline_entries import Entry, first_line
from crm.commands.timeline_sources import Keyed, Part, Row, Source, source
from crm.model import INTERACTIONS, Conventions, FollowUp, Interaction
from crm.repository.queries import timeline

_KINDS = {"call": "calls", "meeting": "meetings", "email": "e-mails", "sms": "SMS", "note": "notes"}


@source(Interaction, _KINDS, {"interactions": list(INTERACTIONS)}, place=1, first=True, contact=True)
class Interactions(Source):
    """Interactions that somebody has logged: 'Call with Jo Fox: a quote'."""

    def rows(self, part: Part) -> list[Keyed]:
        return part.timed(timeline.interactions(part.snapshot, part.client, part.kinds, part.until, part.most))

    def entries(self, part: Part, rows: Sequence[Row]) -> list[Entry]:
        names = part.contacts(rows)
        entries = []
        for row in rows:
            kind = INTERACTIONS[row.kind]
            about = row.subject or first_line(row.body)
            text = kind[:1].upper() + kind[1:] + (f" with {names[row.contact]}" if row.contact in names else "")
            text += f": {about}" if about else ""
            entries.append(Entry(row.on, row.time, row.kind, text, row.user, None, "interaction", row.id))
        return entries


@source(FollowUp, {"follow-up": "follow-ups"}, {"followups": ["follow-up"]}, place=30)
class FollowUps(Source):
    """Follow-ups, when they were added and when they were done."""

    def rows(self, part: Part) -> list[Keyed]:
        added = timeline.follow_ups_set(part.snapshot, part.client, part.before, part.most)
        done = timeline.follow_ups_done(part.snapshot, part.client, part.until, part.most)
        clock = part.by.clock
        keyed: list[Keyed] = [((clock.day_of(row.created_at), row.created_at, 0), row) for row in added]
        return keyed + [((row.done_on, row.updated_at, 0), row) for row in done]

    def entry(self, row: Row, by: Conventions) -> Entry:
        if row.done_on is None:
            due = by.day(row.due_on) + (f", {by.time_of_day(row.due_time)}" if row.due_time else "")
            text = f"Follow-up set for {due}: {row.what}"
            if row.every and not row.due_time:
                text += f" (moves with each contact, {row.every} days after the last)"
            on, at = by.clock.day_of(row.created_at), by.clock.time_of(row.created_at)
        else:
            text, on, at = f"Follow-up done: {row.what}", row.done_on, ""
        return Entry(on, at, "follow-up", text, row.user, None, "follow_up", row.id)

"""Follow-ups as they are on a day."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from crm.commands.record_names import by_id
from crm.lean_dataclass import dataclass
from crm.model import Client, Conventions, Deal, FollowUp
from crm.model.encoding import plain
from crm.repository import Query, Snapshot


@dataclass(frozen=True, slots=True)
class FollowUpShown:
    """A follow-up as it is on a day: with its client, and the deal that it is about, if there is one."""

    follow_up: FollowUp
    client: Client
    deal: Deal | None
    on: date

    @property
    def days_overdue(self) -> int:
        """The days for which it has been overdue; 0 where it is not, or done."""
        return 0 if self.follow_up.done_on else max(0, (self.on - self.follow_up.due_on).days)

    def when(self, by: Conventions) -> str:
        """The urgency, in words, with the time of day."""
        return due_now(self.follow_up, self.on, by)

    def as_json(self) -> dict[str, Any]:
        """The follow-up's own fields, and beside them what people would rather read."""
        return {
            **plain(self.follow_up),
            "client_name": self.client.name,
            "deal_title": self.deal.title if self.deal else "",
            "days_overdue": self.days_overdue,
        }


def due_words(follow_up: FollowUp, on: date, time: str = "") -> str:
    """The urgency of a follow-up on a day, in words: '3 days overdue', 'due today at 10:00', 'due in 5 days'; `time` is
    its time of day as it is to be read."""
    if follow_up.done_on:
        return "done"
    days = (follow_up.due_on - on).days
    if days < 0:
        return f"{in_days(-days)} overdue"
    at = f" at {time}" if time else ""
    return f"due {'today' if days == 0 else 'tomorrow' if days == 1 else f'in {in_days(days)}'}{at}"


def due_now(follow_up: FollowUp, on: date, by: Conventions) -> str:
    """The urgency of a follow-up at this moment of a day, in words: 'due today at 10:00, late' from then on."""
    words, time = due_words(follow_up, on, by.time_of_day(follow_up.due_time)), follow_up.due_time
    is_late = (
        time and follow_up.due_on == on and not follow_up.done_on and time.zfill(5) <= by.clock.time_of(by.clock.now)
    )
    return f"{words}, late" if is_late else words


def in_days(days: int) -> str:
    """A number of days in words."""
    return f"{days} {'day' if days == 1 else 'days'}"


def with_names(snapshot: Snapshot, follow_ups: Sequence[FollowUp]) -> list[FollowUpShown]:
    """Follow-ups with their clients and deals."""
    clients = by_id(snapshot, Client, {follow_up.client for follow_up in follow_ups})
    deals = by_id(snapshot, Deal, {follow_up.deal for follow_up in follow_ups} - {0})
    return [
        FollowUpShown(follow_up, clients[follow_up.client], deals.get(follow_up.deal), snapshot.today)
        for follow_up in follow_ups
    ]


def next_by_client(snapshot: Snapshot, clients: Sequence[Client]) -> dict[int, FollowUp]:
    """The follow-up of each client that is due first, by the number of the client."""
    numbers = [client.id for client in clients if client.next_follow_up_on]
    if not numbers:
        return {}
    open_ones = snapshot.find_all(FollowUp, Query({"client": numbers, "done_on": None}, sort="-due_on"))
    return {follow_up.client: follow_up for follow_up in open_ones}

"""The agenda: follow-ups, birthdays, deals and failed e-mails, ranked, each with why it is urgent.

What else may need somebody is one more source: a function beside those here.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Protocol, TypeVar

from crm.commands.activity.follow_up_lists import due_words, in_days, with_names
from crm.commands.context import CRM
from crm.commands.list_parameters import Limit, Offset, most
from crm.commands.ownership import Mine, owner_filter
from crm.commands.record_names import by_id
from crm.commands.registry import command
from crm.lean_dataclass import dataclass
from crm.model import CHANNELS, STATES, Client, Deal, FollowUp, Invoice, Message, Payment, Record
from crm.model.encoding import plain
from crm.model.money import decimals_of
from crm.model.record import AnyRecord
from crm.repository import Query, Snapshot
from crm.repository.queries import anniversaries, billing, deals, mail
from crm.repository.queries.people import EVERYBODY, OwnerFilter

Billed = TypeVar("Billed", Invoice, Payment)

# The number of days without a contact or a move after which a deal is quiet.
QUIET_AFTER = 14

# What was promised for a day, and what is only today, come before what did not arrive, and that before what has come to
# a halt; within each the longest comes first.
_DUE, _BIRTHDAY, _CLOSE_PASSED, _UNPAID, _UNSENT, _QUIET = 4000, 3000, 2000, 1000, 0, -1000
_UNUSED, _DRAFT = -2000, -3000
_MOST_DAYS = 999


@dataclass(frozen=True, slots=True)
class AgendaItem:
    """An item of the agenda: `what` needs doing, and in `why` its urgency in words; the higher the `rank`, the more
    urgent. `record` is what it is about, a follow-up, a client, a deal or a message; `person` is who is to do it, ''
    for nobody in particular."""

    rank: int
    what: str
    why: str
    client: Client
    record: Record
    person: str

    def as_json(self) -> dict[str, Any]:
        """Its texts, and the records it is about."""
        return {
            "rank": self.rank, "what": self.what, "why": self.why, "person": self.person,
            "client": self.client.id, "client_name": self.client.name,
            "record": self.record.kind_name, "id": self.record.id,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Agenda:
    """A page of what needs doing, the most urgent first; `count` is how much there is in all. Where it is only what is
    mine, `others` is how much more there is of other people's."""

    items: Sequence[AgendaItem]
    count: int
    others: int

    def as_json(self) -> dict[str, Any]:
        """The numbers, and the items."""
        return {"count": self.count, "others": self.others, "items": plain(self.items)}


class Source(Protocol):
    """A reason to do something: how often it is met, and the `most` most urgent items after the first `but`, of a
    person or of everybody."""

    def __call__(
        self, snapshot: Snapshot, owner: OwnerFilter, most: int, but: int = 0
    ) -> tuple[int, Sequence[AgendaItem]]: ...


@dataclass(frozen=True, slots=True)
class Reason:
    """A source with its name, of one item and of several; `late` where it should have been done by now."""

    source: Source
    one: str
    many: str
    late: bool = False


@command("agenda", title="What needs doing")
def agenda(
    crm: CRM,
    mine: Mine = False,
    limit: Limit = 0,
    offset: Offset = 0,
) -> Agenda:
    """List what needs doing: follow-ups, birthdays, deals to close, invoices overdue, failed e-mails, quiet deals.

    The most urgent come first, each with the reason. A birthday is listed until someone has been in touch on the day. A
    deal is quiet if nobody has been in touch with the client for two weeks and it has not moved. Failed messages of a
    mailing are in the report of that mailing. Payments without an invoice and draft invoices come last.
    """
    with crm.read() as snapshot:
        return of_snapshot(crm, snapshot, mine, most(limit), offset)


def of_snapshot(
    crm: CRM, snapshot: Snapshot, mine: bool, limit: int, offset: int = 0, *, brief: bool = False
) -> Agenda:
    """The same, as a part of what else is read of the store; in `brief` what others have to do is counted only where
    there is nothing for me."""
    owner = owner_filter(crm, snapshot, mine)
    items: list[AgendaItem] = []
    count = 0
    for source in SOURCES:
        met, matches = source(snapshot, owner, limit - len(items), max(0, offset - count))
        count += met
        items += matches
    others = (
        sum(source(snapshot, EVERYBODY, 0)[0] for source in SOURCES) - count if mine and not (brief and count) else 0
    )
    return Agenda(items, count, others)


def _rank(base: int, days: int) -> int:
    return base + min(days, _MOST_DAYS)


def follow_ups_due(snapshot: Snapshot, owner: OwnerFilter, most: int, but: int = 0) -> tuple[int, Sequence[AgendaItem]]:
    """Follow-ups that are due today or overdue."""
    query = Query({"done_on": None, **owner.filters(FollowUp)}, until=snapshot.today, limit=most, offset=but)
    count, due = _page(snapshot, FollowUp, query)
    return count, [
        AgendaItem(
            _rank(_DUE, follow_up.days_overdue),
            follow_up.follow_up.what,
            due_words(follow_up.follow_up, snapshot.today, follow_up.follow_up.due_time),
            follow_up.client,
            follow_up.follow_up,
            follow_up.follow_up.user,
        )
        for follow_up in with_names(snapshot, due)
    ]


def _page(snapshot: Snapshot, kind: type[AnyRecord], query: Query) -> tuple[int, Sequence[AnyRecord]]:
    """The number of records of a query, and those of its page: none is read where there are none."""
    count = snapshot.count(kind, query)
    return count, snapshot.find_all(kind, query) if query.limit and count > query.offset else []


def birthdays(snapshot: Snapshot, owner: OwnerFilter, most: int, but: int = 0) -> tuple[int, Sequence[AgendaItem]]:
    """Clients whose birthday it is and whom nobody has been in touch with today; a client without an owner is
    everybody's."""
    count, clients = anniversaries.birthdays_without_contact(snapshot, owner, most, but)
    items = []
    for client in clients:
        turns = snapshot.today.year - client.date_of_birth.year if client.date_of_birth else 0
        items.append(AgendaItem(_BIRTHDAY, f"turns {turns}", "birthday today", client, client, client.owner))
    return count, items


def closes_passed(snapshot: Snapshot, owner: OwnerFilter, most: int, but: int = 0) -> tuple[int, Sequence[AgendaItem]]:
    """Open deals that were expected to be closed by now."""
    passed = snapshot.today - timedelta(days=1)
    query = Query(
        {"closed_on": None, **owner.filters(Deal)}, until=passed, sort="expected_close_on", limit=most, offset=but
    )
    count, late = _page(snapshot, Deal, query)
    items = []
    for record, client, quiet in _with_clients(snapshot, late):
        days = (snapshot.today - (record.expected_close_on or passed)).days
        why = f"expected to close {in_days(days)} ago"
        if quiet >= QUIET_AFTER:
            why += f", nothing done for {in_days(quiet)}"
        items.append(AgendaItem(_rank(_CLOSE_PASSED, days), record.title, why, client, record, record.owner))
    return count, items


def not_arrived(snapshot: Snapshot, owner: OwnerFilter, most: int, but: int = 0) -> tuple[int, Sequence[AgendaItem]]:
    """E-mails and texts that could not be sent, or that nobody knows of whether they were; the report of a mailing to
    many has those of its own, unless it goes out by itself on each one's day."""
    count, numbers = mail.unsent(snapshot, owner, most, but)
    messages = by_id(snapshot, Message, set(numbers))
    clients = by_id(snapshot, Client, {message.client for message in messages.values()})
    return count, [_unsent(messages[number], clients, snapshot.today) for number in numbers]


def _unsent(unsent: Message, clients: Mapping[int, Client], today: date) -> AgendaItem:
    kind = CHANNELS[unsent.channel]
    title = f"{kind[:1].upper()}{kind[1:]}: {unsent.subject or unsent.body.partition(chr(10))[0] or unsent.to}"
    why = STATES[unsent.state] + (f": {unsent.failure}" if unsent.failure else "")
    return AgendaItem(_rank(_UNSENT, (today - unsent.on).days), title, why, clients[unsent.client], unsent, unsent.user)


def invoices_overdue(
    snapshot: Snapshot, owner: OwnerFilter, most: int, but: int = 0
) -> tuple[int, Sequence[AgendaItem]]:
    """Invoices that should have been paid by now."""

    def item(invoice: Invoice, client: Client) -> AgendaItem:
        days = (snapshot.today - (invoice.due_on or snapshot.today)).days
        why = f"overdue for {in_days(days)}"
        if invoice.promised_on and invoice.promised_on >= snapshot.today:
            why += ", promised"
        return AgendaItem(_rank(_UNPAID, days), f"Invoice {invoice.number}", why, client, invoice, invoice.user)

    return _billing_items(snapshot, billing.overdue(snapshot, owner, most, but), item)


def payments_unused(
    snapshot: Snapshot, owner: OwnerFilter, most: int, but: int = 0
) -> tuple[int, Sequence[AgendaItem]]:
    """Payments of which something is on no invoice."""
    count, payments = billing.unused_payments(snapshot, owner, most, but)
    left = billing.left_of_payments(snapshot, {payment.client for payment in payments}) if payments else {}

    def item(payment: Payment, client: Client) -> AgendaItem:
        days = (snapshot.today - (payment.on or snapshot.today)).days
        why = f"{left[payment.id]:.{decimals_of(payment.currency)}f} {payment.currency} is not applied to an invoice"
        return AgendaItem(_rank(_UNUSED, days), f"Payment {payment.id}", why, client, payment, payment.user)

    return _billing_items(snapshot, (count, payments), item)


def drafts_waiting(snapshot: Snapshot, owner: OwnerFilter, most: int, but: int = 0) -> tuple[int, Sequence[AgendaItem]]:
    """Invoices that are not issued yet."""

    def item(draft: Invoice, client: Client) -> AgendaItem:
        return AgendaItem(_rank(_DRAFT, 0), f"Draft {draft.id}", "not issued yet", client, draft, draft.user)

    return _billing_items(snapshot, billing.drafts(snapshot, owner, most, but), item)


def _billing_items(
    snapshot: Snapshot, page: tuple[int, Sequence[Billed]], item: Callable[[Billed, Client], AgendaItem]
) -> tuple[int, Sequence[AgendaItem]]:
    """The items of a page of invoices or payments, each with its client."""
    count, records = page
    clients = by_id(snapshot, Client, {record.client for record in records})
    return count, [item(record, clients[record.client]) for record in records]


def gone_quiet(snapshot: Snapshot, owner: OwnerFilter, most: int, but: int = 0) -> tuple[int, Sequence[AgendaItem]]:
    """Open deals that nothing was done about for two weeks, and that need not be closed by now."""
    long_ago = snapshot.today - timedelta(days=QUIET_AFTER)
    count, numbers = deals.quiet(snapshot, owner, long_ago, most, but)
    by_number = by_id(snapshot, Deal, set(numbers))
    return count, [
        AgendaItem(
            _rank(_QUIET, quiet), record.title, f"no contact or move for {in_days(quiet)}", client, record, record.owner
        )
        for record, client, quiet in _with_clients(snapshot, [by_number[number] for number in numbers])
    ]


def _with_clients(snapshot: Snapshot, deals: Sequence[Deal]) -> list[tuple[Deal, Client, int]]:
    """Deals, each with its client and for how many days nothing was done about it."""
    clients = by_id(snapshot, Client, {record.client for record in deals})
    rows = []
    for record in deals:
        client = clients[record.client]
        since = max(
            record.stage_since or snapshot.today, client.last_contact_on or record.stage_since or snapshot.today
        )
        rows.append((record, client, (snapshot.today - since).days))
    return rows


# The more urgent first: the least of one ranks above the most of the next, so that a page is read of those alone that
# are on it.
REASONS = (
    Reason(birthdays, "birthday today", "birthdays today"),
    Reason(closes_passed, "deal should have closed", "deals should have closed", late=True),
    Reason(invoices_overdue, "invoice is overdue", "invoices are overdue", late=True),
    Reason(not_arrived, "message did not go out", "messages did not go out"),
    Reason(gone_quiet, "deal has gone quiet", "deals have gone quiet"),
    Reason(payments_unused, "payment has unused credit", "payments have unused credit"),
    Reason(drafts_waiting, "draft invoice to review", "draft invoices to review"),
)
SOURCES: Sequence[Source] = (follow_ups_due, *(reason.source for reason in REASONS))

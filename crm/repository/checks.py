"""Consistency checks of a store, each a search for what is wrong; the findings say how to mend it."""

import re
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from itertools import combinations, count
from typing import Any

from sqlalchemy import select

from crm.errors import FieldError
from crm.invoicing.numbering import is_yearly, may_clash, read_number
from crm.model import (
    INVOICE_KINDS,
    Client,
    Conventions,
    Invoice,
    NumberSeries,
    Payment,
    Setting,
    fields,
    typed_fields,
)
from crm.model.fields import Check
from crm.repository import Finding, Query, StatusMove, balances, bills, reminder_levels, sums, tables
from crm.repository.snapshot import SqlSnapshot


def findings(snapshot: SqlSnapshot) -> Iterator[Finding]:
    """Everything that does not hold, the grave things first."""
    for check in CHECKS:
        yield from check(snapshot)


def totals_follow_facts(snapshot: SqlSnapshot) -> Iterator[Finding]:
    """The totals beside a record are the sums of its facts: of a client its sales, what is open on its invoices, the
    days of what went on; of an invoice what was paid and credited."""
    remedy = "Change one of its records, then change it back. Or restore a backup."
    for kind in sums.SUMMED:
        noun, labels = kind.kind_name.replace("_", " ").capitalize(), fields(kind)
        for row in snapshot.select(sums.wrong(kind, snapshot.by_invoices)):
            for total in sums.onto(kind):
                for name in total.names:
                    stands, summed = row._mapping[name], row._mapping[f"summed_{name}"]
                    follows = total.nothing[name] if summed is None else summed
                    if stands != follows:
                        label = labels[name].label.lower()
                        records = "paid invoices" if snapshot.by_invoices and total is sums.SPEND else "records"
                        fault = f"shows {_shown(stands)} as {label}, but its {records} give {_shown(follows)}."
                        yield Finding(f"{noun} {row.id} {fault}", True, kind.kind_name, row.id, remedy)


def _shown(value: Any) -> str:
    return "nothing" if value is None else f"{value:f}" if isinstance(value, Decimal) else str(value)


def statuses_follow_rules(snapshot: SqlSnapshot) -> Iterator[Finding]:
    """Every client has the status that the rules give."""
    if snapshot.unreviewable:
        # What stands in the way is a finding of its own.
        return
    moves: list[StatusMove] = snapshot.moves(limit=20)
    for move in moves:
        status = f"{move.name} has the status {move.before or '(none)'}"
        other = f"{status}, but the rules give {move.after or '(none)'}."
        yield Finding(
            f"{status}, and the rules give another reason for it now." if move.before == move.after else other,
            False, "client", move.client, "Apply the rules.",
        )  # fmt: skip


def rules_can_be_reached(snapshot: SqlSnapshot) -> Iterator[Finding]:
    """Find rules that stand after one that always fits."""
    for rule_id in snapshot.rules.unreachable:
        yield Finding(
            f"Rule {rule_id} is never reached: an earlier rule always applies.",
            False,
            "rule",
            rule_id,
            "Move it up, or remove it.",
        )


def addresses_can_be_used(snapshot: SqlSnapshot) -> Iterator[Finding]:
    """E-mail addresses and phone numbers can be written to and dialled."""
    settings = {setting.key: setting.value for setting in snapshot.find_all(Setting)}
    by = Conventions(country=settings.get("country", Conventions.country), clock=snapshot.clock)
    checked = {name: typed_fields(Client)[name].check for name in ("email", "phone")}
    place = tables.client.c
    # The others need not be read as a whole.
    doubts = {
        row.id: doubtful
        for row in snapshot.select(select(place.id, *(place[name] for name in checked)).order_by(place.id))
        if (doubtful := [doubt for name, check in checked.items() if (doubt := _doubt(check, row._mapping[name], by))])
    }
    for record_id, doubtful in doubts.items():
        name = snapshot.get(Client, record_id).name
        for doubt in doubtful:
            yield Finding(f"{name}: {doubt}.", False, "client", record_id, "Edit the client.")


def _doubt(check: Check, value: str, by: Conventions) -> str:
    doubt = check.doubt(value, by)
    return f"{value}: {doubt}" if doubt else ""


def deals_are_in_a_stage(snapshot: SqlSnapshot) -> Iterator[Finding]:
    """Every deal is in a stage that there is."""
    deal, stage = tables.deal.c, tables.stage.c
    lost = select(deal.id, deal.stage).where(deal.stage.not_in(select(stage.id))).limit(20)
    for row in snapshot.select(lost):
        yield Finding(f"Deal {row.id} is in a stage {row.stage} that does not exist.", True, "deal", row.id, "Move it.")


def accounts_have_their_client(snapshot: SqlSnapshot) -> Iterator[Finding]:
    """Every account of a client that may sign in belongs to a client that there is."""
    user, client = tables.user.c, tables.client.c
    lost = select(user.id, user.client).where(user.active, user.client != 0, user.client.not_in(select(client.id)))
    for row in snapshot.select(lost):
        yield Finding(
            f"Account {row.id} belongs to client {row.client}, which no longer exists.",
            True, "user", row.id,
            f"Deactivate it (users deactivate {row.id}), or say whose it is (users edit {row.id} --client).",
        )  # fmt: skip


def invoices_stay_as_issued(snapshot: SqlSnapshot) -> Iterator[Finding]:
    """Every figure of an invoice follows from its lines, and what is open from what came in."""
    for invoice, lines, adjustments in bills.with_parts(snapshot, snapshot.each(Invoice, Query(sort="id"))):
        name = f"Invoice {invoice.number}" if invoice.number else f"Draft {invoice.id}"
        try:
            figures = bills.totals_of(invoice, lines, adjustments)
            agrees = (figures.net, figures.tax, figures.total) == (invoice.net, invoice.tax, invoice.total)
        except FieldError:
            agrees = False
        if not agrees:
            yield Finding(
                f"{name} shows figures that its lines do not give.", True, "invoice", invoice.id,
                "Restore a backup: an issued invoice cannot be changed." if invoice.number else "Edit a line of it.",
            )  # fmt: skip
        elif invoice.digest and bills.digest_of(invoice, lines, adjustments) != invoice.digest:
            fault = f"{name} has different words, dates or figures from when it was issued."
            yield Finding(fault, True, "invoice", invoice.id, "Restore a backup: an issued invoice cannot be changed.")
        for fault in _not_following(invoice):
            yield Finding(f"{name} {fault}", True, "invoice", invoice.id, "Change its memo, or restore a backup.")
        if (invoice.state == "issued") != bool(invoice.number and invoice.issued_on):
            fault = f"{name} is {invoice.state}, which does not match its number or its date."
            yield Finding(fault, True, "invoice", invoice.id, "Restore a backup.")


def _not_following(record: Invoice | Payment) -> Iterator[str]:
    """The fields of a record that do not follow from its others, in words."""
    for name, follow in type(record).about.follows.items():
        if getattr(record, name) != follow(record):
            stands, figured = (
                f"{_shown(value)} {record.currency}" for value in (getattr(record, name), follow(record))
            )
            yield f"shows {stands} as {name}, but its figures give {figured}."


def invoices_are_of_their_buyer(snapshot: SqlSnapshot) -> Iterator[Finding]:
    """Each issued invoice is in the account of the client to whom it was issued, unless that client was merged into
    another one."""
    clients = set(snapshot.connection.execute(select(tables.client.c.id)).scalars())
    for invoice in snapshot.each(Invoice, Query({"state": "issued"}, sort="id")):
        buyer = bills.party_of(invoice.buyer).get("client")  # a damaged one has another digest
        if isinstance(buyer, int) and buyer in clients and buyer != invoice.client:
            fault = f"Invoice {invoice.number} was issued to client {buyer} and is in the account of {invoice.client}."
            yield Finding(fault, True, "invoice", invoice.id, "Restore a backup.")


def payments_are_used_once(snapshot: SqlSnapshot) -> Iterator[Finding]:
    """Check that no more was refunded or used for invoices than was paid, and that each payment is on invoices of its
    own client; what was paid is on invoices, or left."""
    for payment in snapshot.each(Payment, Query(sort="id")):
        for fault in _not_following(payment):
            yield Finding(f"Payment {payment.id} {fault}", True, "payment", payment.id, "Restore a backup.")
    for fault, kind, record_id in balances.faults(snapshot):
        yield Finding(fault, True, kind, record_id, "Undo what does not belong there (`history list --about payment`).")


def numbers_have_no_gaps(snapshot: SqlSnapshot) -> Iterator[Finding]:
    """The numbers of each series run from its first to its last, each once."""
    series_by_kind = {series.name: series for series in snapshot.find_all(NumberSeries)}
    for kind in INVOICE_KINDS:
        invoices = list(snapshot.each(Invoice, Query({"kind": kind, "state": "issued"})))
        series = series_by_kind.get(kind)
        if invoices and series is None:
            fault = f"The counter of {INVOICE_KINDS[kind]} numbers is missing. Numbers used so far: {len(invoices)}."
            yield Finding(fault, True, "number_series", 0, "Restore a backup.")
        elif invoices and series is not None:
            yield from _gaps(series, invoices)


def _gaps(series: NumberSeries, invoices: Sequence[Invoice]) -> Iterator[Finding]:
    """The gaps in the numbers of a series. A number that an earlier pattern wrote is no gap."""
    yearly = is_yearly(series.pattern)
    numbers_by_year: dict[int, set[int]] = {}
    earlier: dict[int, set[int]] = {}
    for invoice in invoices:
        year_and_number = read_number(series.pattern, invoice.number)
        if year_and_number is not None:
            numbers_by_year.setdefault(year_and_number[0], set()).add(year_and_number[1])
        else:
            year = invoice.issued_on.year if yearly and invoice.issued_on else 0
            earlier.setdefault(year, set()).update(map(int, re.findall("[0-9]+", invoice.number)))
    for year, numbers in numbers_by_year.items():
        is_current = not yearly or year % 100 == series.year % 100
        last = series.last if is_current else max(numbers)
        taken = numbers | earlier.get(year, set())
        # The first that nobody has: a damaged number may be any, so they are not all counted through.
        missing = next(number for number in count(min(numbers)) if number not in taken)
        if missing <= last or max(numbers) > last:
            gap = f"{missing} is missing" if missing <= last else f"the highest is {max(numbers)}, not {last}"
            fault = f"The numbers of {series.name} have a gap: {gap}."
            yield Finding(fault, True, "number_series", series.id, "Restore a backup.")


def series_have_numbers_of_their_own(snapshot: SqlSnapshot) -> Iterator[Finding]:
    """Find series of which a number could be one of another series."""
    for one, other in combinations(snapshot.find_all(NumberSeries, Query(sort="id")), 2):
        if may_clash(one.pattern, other.pattern):
            fault = (
                f"The series {one.name} ({one.pattern}) and {other.name} ({other.pattern}) could give the same number."
            )
            remedy = f"Give one of them another pattern: `numbers set {other.name} PATTERN`."
            yield Finding(fault, True, "number_series", other.id, remedy)


def reminder_levels_are_in_order(snapshot: SqlSnapshot) -> Iterator[Finding]:
    """The levels of reminders run from 1 without a gap, each due later than the one before it."""
    for fault in reminder_levels.faults(snapshot):
        remedy = "Set it: `reminders levels set LEVEL --days DAYS`, lower levels first."
        yield Finding(f"The levels of reminders are wrong: {fault}.", True, "reminder_level", 0, remedy)


CHECKS: tuple[Callable[[SqlSnapshot], Iterator[Finding]], ...] = (
    totals_follow_facts,
    invoices_stay_as_issued,
    invoices_are_of_their_buyer,
    payments_are_used_once,
    numbers_have_no_gaps,
    series_have_numbers_of_their_own,
    reminder_levels_are_in_order,
    deals_are_in_a_stage,
    accounts_have_their_client,
    rules_can_be_reached,
    statuses_follow_rules,
    addresses_can_be_used,
)

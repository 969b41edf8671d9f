"""Sales: recorded with the review of the client's status, listed, corrected, and taken back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from crm.commands.client_selection import MaybeClient, TheClient
from crm.commands.context import CRM
from crm.commands.list_parameters import Limit, Offset, Sort, Until, in_order, most
from crm.commands.registry import EVERYBODY, About, FieldsOf, Takes, command
from crm.errors import FieldError
from crm.model import Client, Conventions, Deal, Sale
from crm.model.conventions import SALES
from crm.model.fields import Amount, Day, Line
from crm.model.money import exact
from crm.repository import Query, Transaction


@dataclass(frozen=True, slots=True)
class StatusReview:
    """The result of reviewing a client's status: before, after, and why."""

    before: str
    after: str
    reason: str


@dataclass(frozen=True, slots=True)
class SaleReport:
    """A sale that was recorded, the client with its new totals, and the review of its status."""

    sale: Sale
    client: Client
    status: StatusReview


class SaleEdited(SaleReport):
    """The same of a sale that was corrected."""


class SaleTakenBack(SaleReport):
    """The same of a sale that is gone again."""


TheSale = Annotated[Sale, About("Sale", "its number", positional=True)]
SaleChanges = Annotated[Mapping[str, Any], FieldsOf(Sale, Takes.CHANGES, but=("client",))]


class _SoldAmount(Amount):
    """The amount of a sale that somebody enters: more than 0."""

    def kept(self, amount: Decimal) -> Decimal:
        if not amount:
            raise FieldError(_NOTHING_SOLD)
        return exact(amount)


_NOTHING_SOLD = "a sale must be more than 0; enter what was paid, or log a note if nothing was paid"


@command("sales add", title="Record a sale", menu="sales")
def add(
    crm: CRM,
    client: TheClient,
    amount: Annotated[Decimal, _SoldAmount(), About("Amount")],
    on: Annotated[date | None, Day(), About("Date", "today by default")] = None,
    note: Annotated[str, Line(500), About("Note")] = "",
    reference: Annotated[str, Line(100), About("Reference", "the number of its order or invoice elsewhere")] = "",
) -> SaleReport:
    """Record a sale and review the client's status at once."""
    if not amount:
        raise nothing_sold()

    def change(tx: Transaction) -> SaleReport:
        sale = Sale(client=client.id, on=on or tx.today, amount=amount, note=note, reference=reference, user=crm.me)
        return recorded(tx, sale)

    return crm.transact(change, f"recorded a sale to {client.name}")


def nothing_sold() -> FieldError:
    """The error where somebody enters a sale of 0, which would move the client's last sale; imports keep such ones."""
    return FieldError(_NOTHING_SOLD, field="amount", label="Amount")


def recorded(tx: Transaction, sale: Sale) -> SaleReport:
    """Record a sale as part of a change, and review the client's status."""
    before = tx.get(Client, sale.client)
    return _reported(tx, tx.add(sale), before.status)


def not_counted(by: Conventions) -> str:
    """Say that a sale does not count, where paid invoices make the total of a client; '' where it does."""
    return "" if by.spend_counts == SALES else f"The total is the sum of {by.spend_counts}, so sales do not count."


def foreseen_text(report: SaleReport, by: Conventions) -> str:
    """The preview of a sale that is not saved yet, in a line."""
    return f"After this: {totals_text(report.client, report.status.before, by)} {not_counted(by)}".rstrip()


def totals_text(client: Client, before: str, by: Conventions) -> str:
    """The totals and the status that a client will have, who has the status `before` now."""
    count = by.in_total(client.sales_count)
    verb = "stays" if client.status == before else "becomes"
    return f"{by.money(client.total_spend)} in {count}. Status {verb} {client.status or 'empty'}."


def moved_text(crm: CRM, sale: Sale, to: Client) -> Sequence[str]:
    """The preview of a sale that is moved to another client, a line for each of the two."""

    def change(tx: Transaction) -> Sequence[Client]:
        edited(tx, sale, {"client": to.id})
        return [tx.get(Client, sale.client), tx.get(Client, to.id)]

    with crm.read() as snapshot:
        before = [snapshot.get(Client, sale.client), snapshot.get(Client, to.id)]
    pairs = zip(before, crm.foresee(change), strict=True)
    return [f"{after.name} after this: {totals_text(after, now.status, crm.conventions)}" for now, after in pairs]


def _reported(tx: Transaction, sale: Sale, before: str) -> SaleReport:
    tx.settle()
    client = tx.get(Client, sale.client)
    return SaleReport(sale, client, StatusReview(before, client.status, client.status_reason))


@command("sales list", title="List sales", menu="sales", roles=EVERYBODY, nothing="No sales found.")
def list_all(
    crm: CRM,
    client: MaybeClient = None,
    since: Annotated[date | None, Day(of_period="first", or_later=True), About("Since", "the first day")] = None,
    until: Until = None,
    on: Annotated[date | None, Day(or_later=True), About("Date", "one day")] = None,
    amount: Annotated[Decimal | None, Amount(), About("Amount")] = None,
    note: Annotated[str, Line(500), About("Note")] = "",
    reference: Annotated[str, Line(100), About("Reference", "of its order or invoice elsewhere")] = "",
    sort: Sort = "",
    limit: Limit = 0,
    offset: Offset = 0,
) -> list[Sale]:
    """List sales, newest first: all of them, those of a client, or those of a period."""
    in_order(since, until)
    conditions = {
        "client": client.id if client else None,
        "on": on,
        "amount": amount,
        "note": note or None,
        "reference": reference or None,
    }
    filters = {name: value for name, value in conditions.items() if value is not None}
    with crm.read() as snapshot:
        return list(snapshot.find_all(Sale, Query(filters, "", since, until, sort, most(limit), offset)))


@command("sales edit", title="Edit a sale", menu="sales")
def edit(
    crm: CRM,
    sale: TheSale,
    changes: SaleChanges,
    client: Annotated[Client | None, About("Client", "another one: its number, reference or name")] = None,
) -> SaleEdited:
    """Change a sale: its amount, date, note, reference or client; the other fields stay as they are.

    The client's totals and status are updated; if you name another client, those of both.
    """
    values = dict(changes)
    if client is not None and client.id != sale.client:
        values["client"] = client.id
    if not values:
        raise FieldError("name at least one field to change")
    return crm.transact(lambda tx: edited(tx, sale, values), f"edited sale {sale.id}")


def edited(tx: Transaction, sale: Sale, values: Mapping[str, Any]) -> SaleEdited:
    """Change a sale as part of a change, and review the client's status."""
    current = tx.get(Sale, sale.id)
    if current.amount and values.get("amount") == 0:
        raise nothing_sold()
    if current.deal and "client" in values:
        message = f"deal {current.deal}, which is about this client, was won with it"
        raise FieldError(message, field="client", label="Client")
    before = tx.get(Client, values.get("client", current.client)).status
    deal = tx.find(Deal, current.deal) if "amount" in values else None
    if deal is not None and deal.closed_on is not None and deal.value == current.amount:
        # The value of a won deal is the amount it was won for.
        tx.change(deal, value=values["amount"])
    report = _reported(tx, tx.change(sale, **values), before)
    return SaleEdited(report.sale, report.client, report.status)


@command("sales undo", title="Delete a sale", menu="sales")
def undo(crm: CRM, sale: TheSale) -> SaleTakenBack:
    """Remove a sale, and update the totals and the client's status.

    `history undo` restores it.
    """

    return crm.transact(lambda tx: taken_back(tx, sale), f"removed sale {sale.id}")


def taken_back(tx: Transaction, sale: Sale) -> SaleTakenBack:
    """Take a sale back as part of a change, and review the client's status."""
    current = tx.get(Sale, sale.id)
    client = tx.get(Client, current.client)
    tx.delete(current)
    report = _reported(tx, current, client.status)
    return SaleTakenBack(report.sale, report.client, report.status)

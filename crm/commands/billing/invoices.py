"""Invoices: drafted, listed, shown, edited, copied and deleted; how they are issued is in `issuing`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from crm.commands.billing.amounts import OfCurrency
from crm.commands.billing.documents import InvoiceCard, card_of, shown_state
from crm.commands.billing.lines import (
    TheInvoice,
    adjustment_of,
    draft,
    name_of,
    of_service,
    put_lines,
    typed_line,
)
from crm.commands.billing.own_account import is_of_client, own_invoices
from crm.commands.billing.services import usual_rate
from crm.commands.billing.tax import category_for
from crm.commands.client_selection import MaybeClient, TheClient
from crm.commands.context import CRM
from crm.commands.deletions import deleted
from crm.commands.list_parameters import Limit, Offset, Sort, in_order, most
from crm.commands.record_names import names_of
from crm.commands.registry import EVERYBODY, About, FieldsOf, Takes, command
from crm.errors import FieldError, Question, RefusedError, confirmation
from crm.invoicing.state import STATES
from crm.model import FILLED_AFTER_ISSUE, Adjustment, Client, Conventions, Deal, Invoice, InvoiceLine, Service, Stage
from crm.model.encoding import plain
from crm.model.fields import Amount, Choice, Day, Line, Quantity
from crm.model.units import PIECE
from crm.repository import Query, Snapshot, Transaction, bills
from crm.repository.queries import billing

# `sent` is called issued where people read it, until it was e-mailed.
SHOWN_STATES: Mapping[str, str] = {word: word for word in ("open", *STATES, "issued")}
# What an issued invoice still lets a person write; a reference only while it is blank.
_AFTERWARDS = {"memo", *FILLED_AFTER_ISSUE}


@dataclass(frozen=True, slots=True)
class InvoiceShown:
    """An invoice of a list: with the name of its client and its state as it is shown."""

    invoice: Invoice
    client: str
    state: str

    def as_json(self) -> dict[str, Any]:
        """The invoice as scripts read it in a list."""
        invoice, written = self.invoice, plain(self.invoice)
        figures = {name: written[name] for name in ("net", "tax", "total", "paid", "credited", "open")}
        return {
            "id": invoice.id, "number": invoice.number, "kind": invoice.kind, "state": self.state,
            "client": invoice.client, "client_name": self.client, "issued_on": invoice.issued_on,
            "due_on": invoice.due_on, "currency": invoice.currency, **figures,
        }  # fmt: skip


@command("invoices add", title="Draft an invoice", menu="invoices")
def add(
    crm: CRM,
    client: TheClient,
    line: Annotated[Sequence[str], Line(500), About("Line", "like 3 h Consulting 100; may be given again")] = (),
    service: Annotated[Sequence[Service], About("Service", "one of it; may be given again")] = (),
    quantity: Annotated[Decimal | None, Quantity(), About("Quantity", "of each service; 1 by default")] = None,
    deal: Annotated[Deal | None, About("Deal", "a won one: one line with its title and value")] = None,
    discount: Annotated[
        str, Line(40), About("Discount", "on the whole invoice: an amount, or a percentage like 10%")
    ] = "",
    gross: Annotated[bool, About("Prices include tax")] = False,
    currency: OfCurrency = "",
    duplicate_ok: Annotated[bool, About("Draft anyway", "even if the deal is already on an invoice")] = False,
    values: Annotated[Mapping[str, Any], FieldsOf(Invoice, Takes.NEW, but=("client", "gross"))] = {},
) -> InvoiceCard:
    """Draft an invoice. A draft has no number, and you can change and delete it.

    `invoices issue` issues it.
    """
    if quantity is not None and not service:
        raise FieldError("a quantity needs a service; name one", field="quantity", label="Quantity")

    def change(tx: Transaction) -> InvoiceCard:
        _refuse_impossible_days(values, tx.today, crm.conventions)
        invoice = tx.add(
            Invoice(
                client=tx.get(Client, client.id).id,
                kind="invoice",
                state="draft",
                gross=gross,
                user=crm.me,
                currency=currency or crm.settings["currency"],
                **values,
            )
        )
        services = tx.find_all(Service, Query({"active": True})) if line else []
        lines = [typed_line(crm, services, text, invoice=invoice) for text in line]
        of_services = [of_service(tx.get(Service, item.id), gross=gross) for item in service]
        lines += [item if quantity is None else replace(item, quantity=quantity) for item in of_services]
        if deal is not None:
            lines.append(_of_deal(crm, tx, tx.get(Deal, deal.id), invoice, duplicate_ok=duplicate_ok))
        put_lines(tx, invoice, lines)
        if discount:
            adjustment = adjustment_of(
                crm, discount, currency=invoice.currency, is_charge=False, category="", rate=None, reason=""
            )
            tx.add(replace(adjustment, invoice=invoice.id))
        tx.settle()
        return card_of(crm, tx, tx.get(Invoice, invoice.id))

    return crm.transact(change, f"drafted an invoice for {client.name}")


def _refuse_impossible_days(values: Mapping[str, Any], today: date, by: Conventions) -> None:
    """Refuse days of a draft with which it could not be issued today."""
    due, first, last = (values.get(name) for name in ("due_on", "period_from", "period_to"))
    if due and due < today:
        raise FieldError(
            f"{by.day(due)} has passed (today is {by.day(today)}). For an invoice of an earlier day use `invoices issue"
            " NUMBER --on DAY --due DAY`",
            field="due_on",
            label="Due",
        )
    if first and last and last < first:
        raise FieldError(f"it ends before it begins ({by.day(first)})", field="period_to", label="Period to")


def _of_deal(crm: CRM, tx: Transaction, deal: Deal, invoice: Invoice, *, duplicate_ok: bool) -> InvoiceLine:
    """A line with the title and the value of a deal. Raises FieldError for one of another client and one that is not
    won, and Question where the client has an invoice with such a line already."""
    if deal.client != invoice.client:
        raise FieldError("it is about another client", field="deal", label="Deal")
    stage = tx.find(Stage, deal.stage)
    if stage is None or stage.outcome != "won":
        raise FieldError(
            f"{deal.title} is not won; mark it as won first (`deals win {deal.id}`), or type the line yourself",
            field="deal",
            label="Deal",
        )
    if not duplicate_ok and (before := billing.with_line(tx, deal.client, deal.title)):
        raise Question(
            f"{deal.title} is already on {name_of(before)}.",
            parameter="duplicate_ok",
            choices={"yes": "Draft another invoice"},
            yes="yes",
            records=[before],
            kind="duplicates",
        )
    rate = usual_rate(crm)
    return InvoiceLine(
        name=deal.title, quantity=Decimal(1), unit=PIECE, price=deal.value, tax_category=category_for("", rate),
        tax_rate=rate,
    )  # fmt: skip


@command("invoices list", title="Invoices", menu="invoices", roles=EVERYBODY, nothing="No invoices found.")
def list_all(
    crm: CRM,
    state: Annotated[
        str, Choice(SHOWN_STATES), About("State", "open is all that is not paid yet; issued is the same as sent")
    ] = "",
    client: MaybeClient = None,
    since: Annotated[date | None, Day(of_period="first", or_later=True), About("Since", "issued on or after")] = None,
    until: Annotated[date | None, Day(of_period="last", or_later=True), About("Until", "issued on or before")] = None,
    number: Annotated[str, Line(60), About("Number", "part of it")] = "",
    over: Annotated[Decimal | None, Amount(), About("Over", "with at least this total")] = None,
    under: Annotated[Decimal | None, Amount(), About("Under", "with at most this total")] = None,
    sort: Sort = "",
    limit: Limit = 0,
    offset: Offset = 0,
) -> list[InvoiceShown]:
    """List invoices, drafts and credit notes, the newest first."""
    in_order(since, until)
    state = "sent" if state == "issued" else state
    which = billing.WhichInvoices(state, client.id if client else 0, since, until, number, over, under)
    with crm.read() as snapshot:
        if is_of_client(crm):
            return _own(crm, snapshot, which, sort)[offset:][: most(limit)]
        return shown(crm, snapshot, billing.listed(snapshot, which, sort, most(limit), offset))


def _own(crm: CRM, snapshot: Snapshot, which: billing.WhichInvoices, sort: str) -> list[InvoiceShown]:
    """The invoices of the client whose account it is."""
    filters = {"client": which.client} if which.client else {}
    return [
        item
        for item in shown(crm, snapshot, own_invoices(snapshot, filters, sort))
        if which.fits(item.invoice, item.state)
    ]


def shown(crm: CRM, snapshot: Snapshot, invoices: Sequence[Invoice]) -> list[InvoiceShown]:
    """Invoices as a list shows them."""
    names = names_of(snapshot, Client, {invoice.client for invoice in invoices}, crm.conventions)
    return [
        InvoiceShown(invoice, names.get(invoice.client, ""), shown_state(invoice, snapshot.today))
        for invoice in invoices
    ]


@command("invoices show", title="Show an invoice", roles=EVERYBODY)
def show(crm: CRM, invoice: TheInvoice) -> InvoiceCard:
    """Show an invoice with its lines, its tax by rate, and how much of it is paid."""
    with crm.read() as snapshot:
        return card_of(crm, snapshot, snapshot.get(Invoice, invoice.id))


@command("invoices edit", title="Edit an invoice")
def edit(
    crm: CRM,
    invoice: TheInvoice,
    changes: Annotated[Mapping[str, Any], FieldsOf(Invoice, Takes.CHANGES, but=("client",))],
    client: Annotated[Client | None, About("Client", "another one: its number, reference or name")] = None,
) -> InvoiceCard:
    """Change a draft; the other fields stay as they are.

    On an issued invoice you can only change the memo, and fill in a missing buyer's reference or order number once, for
    an e-invoice.
    """
    values = dict(changes)
    if client is not None and client.id != invoice.client:
        values["client"] = client.id
    if not values:
        raise FieldError("name at least one field to change")

    def change(tx: Transaction) -> InvoiceCard:
        if not values.keys() <= _AFTERWARDS:
            draft(tx, invoice)
        period = {name: getattr(invoice, name) for name in ("period_from", "period_to")}
        _refuse_impossible_days(period | values, tx.today, crm.conventions)
        tx.change(invoice, **values)
        tx.settle()
        return card_of(crm, tx, tx.get(Invoice, invoice.id))

    return crm.transact(change, f"edited {name_of(invoice)}")


@command("invoices delete", title="Delete a draft", as_text=deleted)
def delete(crm: CRM, invoice: TheInvoice, yes: bool = False) -> Invoice:
    """Delete a draft. An issued invoice is never deleted, but credited.

    `invoices credit` credits it.
    """

    def change(tx: Transaction) -> Invoice:
        current = tx.get(Invoice, invoice.id)
        if current.state != "draft":
            raise RefusedError(
                f"{current.number} is issued, and an issued invoice is never deleted. `invoices credit"
                f" {current.number}` credits it. Nothing was changed."
            )
        if not yes:
            raise confirmation("This deletes the draft with its lines. It can be undone.", "Delete", [current])
        tx.delete(current)
        return current

    return crm.transact(change, f"deleted {name_of(invoice)}")


@command("invoices copy", title="Copy an invoice")
def copy(
    crm: CRM,
    invoice: TheInvoice,
    client: Annotated[Client | None, About("For", "another client: its number, reference or name")] = None,
) -> InvoiceCard:
    """Draft an invoice with the same lines, discounts and texts, for the same client or another one."""

    def change(tx: Transaction) -> InvoiceCard:
        current = tx.get(Invoice, invoice.id)
        lines, adjustments = bills.belonging(tx, current.id)
        added = tx.add(
            Invoice(
                client=client.id if client else current.client,
                kind="invoice",
                state="draft",
                gross=current.gross,
                currency=current.currency,
                order_reference=current.order_reference,
                notes=current.notes,
                exemption_reason=current.exemption_reason,
                terms=current.terms,
                user=crm.me,
            )
        )
        put_lines(tx, added, lines)
        copied(tx, added, adjustments)
        tx.settle()
        return card_of(crm, tx, tx.get(Invoice, added.id))

    return crm.transact(change, f"copied {name_of(invoice)}")


def copied(tx: Transaction, invoice: Invoice, adjustments: Sequence[Adjustment]) -> None:
    """Add the same adjustments to another invoice."""
    for adjustment in adjustments:
        tx.add(replace(adjustment, id=0, invoice=invoice.id))

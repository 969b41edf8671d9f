"""The list for the bookkeeper: every document and payment of a period, a row for each tax rate."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Annotated

from crm.batching import batches
from crm.commands.context import CRM
from crm.commands.list_parameters import Since
from crm.commands.record_names import by_id, names_of
from crm.commands.registry import About
from crm.commands.reports.periods import begun
from crm.commands.reports.report import Column, Report, Row
from crm.commands.reports.report_parameters import Until, last_day
from crm.commands.reports.writing import report_command
from crm.config import ACCOUNTS, Currency, accounts_of
from crm.model import INVOICE_KINDS, METHODS, PAYMENT_KINDS, Allocation, Client, Invoice, Payment
from crm.model.money import as_written_in
from crm.repository import Query, Snapshot, bills

_COLUMNS = (
    Column("type", "Type"),
    Column("date", "Date", "date"),
    Column("number", "Number"),
    Column("about", "For"),
    Column("due_on", "Due", "date"),
    Column("client", "Client no."),
    Column("name", "Client"),
    Column("tax_id", "Tax ID"),
    Column("country", "Country"),
    Column("tax_category", "Tax category"),
    Column("tax_rate", "Tax rate", "decimal"),
    Column("net", "Net", "decimal"),
    Column("tax", "Tax", "decimal"),
    Column("amount", "Amount", "decimal"),
    Column("currency", "Currency"),
    Column("account", "Account"),
    Column("text", "Text"),
)


@report_command(
    "reports bookkeeping", title="Bookkeeping export", menu="billing reports", hint="A file for your bookkeeper"
)
def bookkeeping(
    crm: CRM,
    since: Since = None,
    until: Until = None,
    currency: Annotated[str, Currency(), About("Currency", "all by default")] = "",
) -> Report:
    """List every invoice, credit note, payment and refund of a period, to import into a bookkeeping program.

    A document has a row for each tax rate; the amounts of its rows add up to its total. Credit notes and refunds have a
    minus. A client's name and tax id are those on the document. Without dates it covers the last full month.
    """
    if since is None and until is None:
        until = begun("month", crm.today) - timedelta(days=1)
    until = last_day(crm, since, until)
    since = since or begun("month", until)
    accounts = accounts_of(crm.settings[ACCOUNTS])
    with crm.read() as snapshot:
        dated = [*_documents(snapshot, since, until, currency, accounts)]
        dated += _payments(crm, snapshot, since, until, currency, accounts)
    rows = [row for _, row in sorted(dated, key=lambda pair: pair[0])]
    nothing = "No invoices or payments in this period. Choose other dates: without dates it is the last full month."
    return Report("Bookkeeping export", since, until, _COLUMNS, rows, nothing=nothing)


_OF_BUYER = ("name", "vat_id", "country")
# What rows are sorted by: the day, documents before payments, and their number.
_Key = tuple[date, int, int]


def _documents(
    snapshot: Snapshot, since: date, until: date, currency: str, accounts: Mapping[str, str]
) -> Iterator[tuple[_Key, Row]]:
    """The issued invoices and credit notes, a row for each rate."""
    of_currency = {"currency": currency} if currency else {}
    issued = snapshot.find_all(Invoice, Query({"state": "issued", **of_currency}, since=since, until=until, sort="id"))
    corrected = {
        invoice.id: invoice.number
        for invoice in snapshot.find_all(Invoice, Query({"id": [invoice.corrects for invoice in issued] or [0]}))
    }
    for invoice, lines, adjustments in bills.with_parts(snapshot, issued):
        buyer, on = bills.party_of(invoice.buyer), invoice.issued_on or until
        sign = -1 if invoice.kind == "credit_note" else 1
        for group in bills.totals_of(invoice, lines, adjustments).taxes:
            account = accounts.get(f"{group.rate.normalize():f}%" if group.category == "S" else group.category, "")
            yield (
                (on, 0, invoice.id),
                (
                    INVOICE_KINDS[invoice.kind], on, invoice.number, corrected.get(invoice.corrects, ""),
                    invoice.due_on, str(invoice.client), *(buyer.get(name, "") for name in _OF_BUYER),
                    group.category, round(group.rate, 2), *(
                        as_written_in(sign * amount, invoice.currency)
                        for amount in (group.base, group.tax, group.base + group.tax)
                    ),
                    invoice.currency, account, invoice.order_reference,
                ),
            )  # fmt: skip


def _payments(
    crm: CRM, snapshot: Snapshot, since: date, until: date, currency: str, accounts: Mapping[str, str]
) -> Iterator[tuple[_Key, Row]]:
    """The payments and refunds, each with the numbers of the invoices that it pays."""
    of_currency = {"currency": currency} if currency else {}
    payments = snapshot.find_all(Payment, Query(of_currency, since=since, until=until, sort="id"))
    paid: dict[int, list[int]] = {}
    for among in batches(payment.id for payment in payments):
        for allocation in snapshot.find_all(Allocation, Query({"payment": among}, sort="id")):
            paid.setdefault(allocation.payment, []).append(allocation.invoice)
    numbers = names_of(snapshot, Invoice, {number for some in paid.values() for number in some}, crm.conventions)
    clients = by_id(snapshot, Client, {payment.client for payment in payments})
    for payment in payments:
        client = clients[payment.client]
        on = payment.on or until
        amount = payment.amount if payment.kind == "payment" else -payment.amount
        yield (
            (on, 1, payment.id),
            (
                PAYMENT_KINDS[payment.kind], on, str(payment.id),
                ", ".join(numbers[number] for number in paid.get(payment.id, ())), None, str(payment.client),
                client.company or client.name, client.tax_id, client.country, "", None, None, None,
                as_written_in(amount, payment.currency), payment.currency,
                accounts.get(payment.method, ""), f"{METHODS.get(payment.method, '')} {payment.reference}".strip(),
            ),
        )  # fmt: skip

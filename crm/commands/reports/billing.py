"""Reports on billing: issued and paid over time, the age of what is open, services, and tax by rate."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from crm.commands.billing.amounts import OfCurrency
from crm.commands.context import CRM
from crm.commands.list_parameters import Since
from crm.commands.reports.periods import begun, periods, recent
from crm.commands.reports.report import Chart, Column, Report, Row, others, percent
from crm.commands.reports.report_parameters import SHOWN, By, Top, Until, last_day
from crm.commands.reports.writing import report_command
from crm.model import TAX_CATEGORIES, Invoice
from crm.model.money import NOTHING
from crm.repository import Query, Snapshot, bills
from crm.repository.queries import turnover

# So many days an invoice has been due, from the first to the last.
_AGES = {
    "not due": (None, 0),
    "1 to 30 days": (1, 30),
    "31 to 60 days": (31, 60),
    "61 to 90 days": (61, 90),
    "over 90 days": (91, None),
}
_NO_INVOICES = "No invoices in this period. Invoices appear here when you issue them."
_INVOICED = (
    Column("period", "Period", "month"),
    Column("invoiced", "Invoiced", "money"),
    Column("paid", "Paid", "money"),
    Column("credited", "Credited", "money"),
    Column("refunded", "Refunded", "money"),
    Column("invoices", "Invoices", "count"),
)
_AGEING = (
    Column("age", "Overdue"),
    Column("open", "Open", "money"),
    Column("share", "Share", "percent"),
    Column("invoices", "Invoices", "count"),
    Column("clients", "Clients", "count"),
)
_SERVICES = (
    Column("service", "Service"),
    Column("net", "Net", "money"),
    Column("share", "Share", "percent"),
    Column("invoices", "Invoices", "count"),
)
_TAXES = (
    Column("period", "Period", "month"),
    Column("tax", "Tax"),
    Column("net", "Net", "money"),
    Column("amount", "Tax amount", "money"),
    Column("total", "Total", "money"),
    Column("documents", "Documents", "count"),
)


@report_command("reports invoiced", title="Issued and paid over time", menu="billing reports", hint="Month by month")
def invoiced(
    crm: CRM,
    by: By = "month",
    since: Since = None,
    until: Until = None,
    currency: OfCurrency = "",
) -> Report:
    """Show what was invoiced, paid, credited and refunded by month, quarter or year, tax included.

    An invoice counts on the day it was issued, a payment on the day it was made. Without a first day it shows the last
    twelve months, eight quarters or five years.
    """
    by, until, currency = by or "month", last_day(crm, since, until), currency or crm.settings["currency"]
    since = since or recent(by, SHOWN[by], until)
    with crm.read() as snapshot:
        issued = turnover.issued_by_day(snapshot, since, until, currency)
        paid = turnover.paid_by_day(snapshot, since, until, currency)
        note = _other_currencies(snapshot, currency)
    rows: list[Row] = []
    for period in periods(by, since, until):
        documents = [row for row in issued if period.first <= row.issued_on <= period.last]
        money = [row for row in paid if period.first <= row.on <= period.last]
        invoices, credits = ([row for row in documents if row.kind == kind] for kind in ("invoice", "credit_note"))
        payments, refunds = ([row for row in money if row.kind == kind] for kind in ("payment", "refund"))
        rows.append(
            (
                period.name,
                _sum(row.total for row in invoices),
                _sum(row.amount for row in payments),
                _sum(row.total for row in credits),
                _sum(row.amount for row in refunds),
                sum(row.count for row in invoices),
            )
        )
    total = ("Total", *(_sum(row[at] for row in rows) for at in range(1, 5)), sum(row[5] for row in rows))
    chart = Chart("columns", ("invoiced", "paid"))
    return Report(f"Issued and paid by {by}", since, until, _INVOICED, rows, total, chart, note=note, currency=currency)


@report_command(
    "reports ageing", title="Unpaid invoices by age", menu="billing reports", hint="Open amounts by days overdue"
)
def ageing(crm: CRM, currency: OfCurrency = "") -> Report:
    """Show what is open today by how long it is overdue."""
    currency = currency or crm.settings["currency"]
    with crm.read() as snapshot:
        ages = turnover.open_by_age(snapshot, currency, [*_AGES.values(), (None, None)])
        note = _other_currencies(snapshot, currency)
    *ages, (open_amount, invoices, clients) = ages
    rows: list[Row] = [
        (name, amount, percent(amount, open_amount), count, of_clients)
        for name, (amount, count, of_clients) in zip(_AGES, ages, strict=True)
    ]
    total = ("Total", open_amount, percent(open_amount, open_amount), invoices, clients)
    chart = Chart("bars", ("open",))
    return Report("Unpaid invoices by age", None, crm.today, _AGEING, rows if invoices else [], total, chart,
                    note=note, currency=currency,
                    nothing="No unpaid invoices. Issued invoices appear here until they are paid.")  # fmt: skip


@report_command(
    "reports services", title="Invoiced by service", menu="billing reports", hint="Quantity and amount of each"
)
def services(
    crm: CRM,
    since: Since = None,
    until: Until = None,
    currency: OfCurrency = "",
    top: Top = 20,
) -> Report:
    """Show what you invoiced for each service, less what was credited, without tax.

    Lines that are not one of your services share a row, and so do discounts and charges on whole invoices. Without a
    first day it shows this year.
    """
    until, currency = last_day(crm, since, until), currency or crm.settings["currency"]
    since = since or begun("year", until)
    with crm.read() as snapshot:
        sold = turnover.net_by_service(snapshot, since, until, currency)
        all_net, invoices = turnover.net_issued(snapshot, since, until, currency)
        note = _other_currencies(snapshot, currency)

    def row(name: str, net: Decimal, count: int | None) -> Row:
        return name, net, percent(net, all_net), count

    named = [line for line in sold if line.service]
    rows = [row(line.name, line.net, line.invoices) for line in named[:top]]
    if rest := named[top:]:
        # Two services may be on one invoice.
        rows.append(row(others(len(rest)), _sum(line.net for line in rest), None))
    rows += [row("lines without a service", line.net, line.invoices) for line in sold if not line.service]
    if adjusted := all_net - _sum(line.net for line in sold):
        rows.append(row("discounts and charges on invoices", adjusted, None))
    total = row("Total", all_net, invoices) if rows else None
    chart = Chart("bars", ("net",), min(top, len(named)))
    return Report("Invoiced by service", since, until, _SERVICES, rows, total, chart, note=note, currency=currency,
                    nothing=_NO_INVOICES)  # fmt: skip


@report_command("reports taxes", title="Tax by rate", menu="billing reports", hint="Net amount and tax of each rate")
def taxes(
    crm: CRM,
    by: By = "month",
    since: Since = None,
    until: Until = None,
    currency: OfCurrency = "",
) -> Report:
    """Show net, tax and total by rate for each month, quarter or year, for your accountant.

    Each document counts in the period in which it was issued, credit notes with a minus. Without a first day this year
    counts.
    """
    by, until, currency = by or "month", last_day(crm, since, until), currency or crm.settings["currency"]
    since = since or begun("year", until)
    sums: dict[tuple[date, str, Decimal], list[Decimal]] = {}
    counts: dict[tuple[date, str, Decimal], int] = {}
    with crm.read() as snapshot:
        issued = snapshot.each(Invoice, Query({"state": "issued", "currency": currency}, since=since, until=until))
        for invoice, lines, adjustments in bills.with_parts(snapshot, issued):
            sign = -1 if invoice.kind == "credit_note" else 1
            for group in bills.totals_of(invoice, lines, adjustments).taxes:
                key = begun(by, invoice.issued_on or until), group.category, group.rate
                summed = sums.setdefault(key, [NOTHING, NOTHING])
                summed[0] += sign * group.base
                summed[1] += sign * group.tax
                counts[key] = counts.get(key, 0) + 1
        note = _other_currencies(snapshot, currency)
    rows: list[Row] = []
    for period in periods(by, since, until):
        keys = [key for key in sums if key[0] == begun(by, period.first)]
        for key in sorted(keys, key=lambda key: (list(TAX_CATEGORIES).index(key[1]), -key[2])):
            net, tax = sums[key]
            rows.append((period.name, tax_words(key[1], key[2]), net, tax, net + tax, counts[key]))
    net, tax = _sum(row[2] for row in rows), _sum(row[3] for row in rows)
    total = ("Total", "", net, tax, net + tax, None) if rows else None
    return Report(f"Tax by rate and {by}", since, until, _TAXES, rows, total, note=note, currency=currency,
                    nothing=_NO_INVOICES)  # fmt: skip


def tax_words(category: str, rate: Decimal) -> str:
    """A tax in words: 19 %, exempt."""
    if category != "S":
        return TAX_CATEGORIES.get(category, category)
    return f"{rate.normalize():f} %"


def _other_currencies(snapshot: Snapshot, currency: str) -> str:
    """Say what is not in the report, where other currencies are used."""
    others = [other for other in turnover.currencies(snapshot) if other != currency]
    return (
        f"Only amounts in {currency}. There are others in {', '.join(others)}: choose the currency to see them."
        if others
        else ""
    )


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, NOTHING)

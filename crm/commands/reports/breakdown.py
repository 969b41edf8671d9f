"""Sales and clients broken down by what is known of the clients, or by the clients themselves."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any

from crm.commands.context import CRM
from crm.commands.list_parameters import Since
from crm.commands.registry import About
from crm.commands.reports.report import Chart, Column, Report, Row, amount, others, percent
from crm.commands.reports.report_parameters import Top, Until, last_day
from crm.commands.reports.writing import report_command
from crm.model import Client
from crm.model.fields import Choice
from crm.repository import Query, Snapshot
from crm.repository.queries import reports

_OF = {"status": "Status", "owner": "Owner", "country": "Country", "source": "Source", "client": "Client"}
_GROUPED = (
    Column("amount", "Amount", "money"),
    Column("share", "Share", "percent"),
    Column("sales", "Sales", "count"),
    Column("buyers", "Buyers", "count"),
    Column("clients", "Clients", "count"),
)
_SINGLE = (
    Column("client", "Client"),
    Column("amount", "Amount", "money"),
    Column("share", "Share", "percent"),
    Column("sales", "Sales", "count"),
    Column("number", "No."),
)
_EVER = date.min
_NOBODY = "No clients yet. Clients appear here with what they buy."


@report_command("reports by", title="Sales by group", hint="By status, owner, country or client")
def by(
    crm: CRM,
    of: Annotated[
        str, Choice(_OF), About("By", "status, owner, country, source or client", positional=True)
    ] = "status",
    since: Since = None,
    until: Until = None,
    top: Top = 20,
) -> Report:
    """Show sales and clients by status, owner, country or source, or by client: who buys most.

    It uses the status, owner and so on that the clients have today. Clients are all in a group, buyers are those with a
    sale in the period. Without a first day all sales count.
    """
    of, until = of or "status", last_day(crm, since, until)
    first = since or _EVER
    with crm.read() as snapshot:
        columns, rows, total = (
            _clients(snapshot, first, until, top) if of == "client" else _groups(snapshot, first, until, of, top)
        )
    # The others together would dwarf everybody.
    chart = Chart("bars", ("amount",), top)
    nothing = "No sales in this period. Sales appear here as you record them." if of == "client" else _NOBODY
    return Report(f"Sales by {of}", since, until, columns, rows, total, chart, nothing=nothing)


_Found = tuple[Sequence[Column], Sequence[Row], Row | None]


def _groups(snapshot: Snapshot, first: date, last: date, of: str, top: int) -> _Found:
    groups = [(name, amount(sum_of), *map(int, (sales or 0, buyers, clients)))
             for name, sum_of, sales, buyers, clients in reports.sales_by_field(snapshot, of, first, last)]  # fmt: skip
    groups.sort(key=lambda group: (-group[1], -group[4], group[0]))
    all_amount = sum((group[1] for group in groups), amount(None))

    def row(name: str, those: Sequence[Any]) -> Row:
        of_those = sum((group[1] for group in those), amount(None))
        return (name, of_those, percent(of_those, all_amount), *(sum(group[at] for group in those) for at in (2, 3, 4)))

    rows = [row(group[0], [group]) for group in groups[:top]]
    if rest := groups[top:]:
        rows.append(row(others(len(rest)), rest))
    return (Column(of, _OF[of]), *_GROUPED), rows, row("Total", groups) if groups else None


def _clients(snapshot: Snapshot, first: date, last: date, top: int) -> _Found:
    buyers = reports.sales_by_client(snapshot, first, last, top)
    if not buyers:
        return _SINGLE, [], None
    numbers = [row.client for row in buyers]
    named = {client.id: client.name for client in snapshot.find_all(Client, Query({"id": numbers}, sort="id"))}
    all_amount, all_sales, all_clients = amount(buyers[0].all_amount), int(buyers[0].all_sales), buyers[0].all_clients

    def row(name: str, of_those: Any, sales: int, number: str = "") -> Row:
        return name, of_those, percent(of_those, all_amount), sales, number

    rows = [row(named[client.client], client.amount, client.sales, str(client.client)) for client in buyers]
    if rest := all_clients - len(buyers):
        named_amount, named_sales = sum(row.amount for row in buyers), sum(row.sales for row in buyers)
        rows.append(row(others(rest), all_amount - named_amount, all_sales - named_sales))
    return _SINGLE, rows, row("Total", all_amount, all_sales)

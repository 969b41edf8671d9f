"""Sales and clients broken down by what is known of the clients, or by the clients themselves."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any

from sqlalchemy import ColumnElement, bindparam, case, func, select

from crm.commands.context import CRM
from crm.commands.registry import About, command
from crm.commands.reports.days import bought_on
from crm.commands.reports.periods import in_order
from crm.commands.reports.report import Chart, Column, Report, Row, amount, percent
from crm.commands.reports.report_parameters import Since, To, Until
from crm.commands.reports.writing import kept
from crm.errors import FieldError
from crm.model import Client
from crm.model.fields import Choice, Whole
from crm.repository import Snapshot
from crm.repository.tables import client, record_columns, record_of, sale

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

_bought = (
    select(sale.c.client, func.sum(sale.c.amount).label("amount"), func.count().label("sales"))
    .where(bought_on >= bindparam("first"), bought_on <= bindparam("last"))
    .group_by(sale.c.client)
    .subquery("bought")
)
# Who has an account is one owner, whoever else may be called so.
_GROUPS: dict[str, Sequence[ColumnElement[Any]]] = {
    "owner": (client.c.owner_id, case((client.c.owner_id == 0, client.c.owner), else_="")),
}
_BY_FIELD = {
    name: select(
        func.min(client.c[name]),
        func.sum(_bought.c.amount),
        func.sum(_bought.c.sales),
        func.count(_bought.c.client),
        func.count(),
    )
    .select_from(client.outerjoin(_bought, _bought.c.client == client.c.id))
    .group_by(*_GROUPS.get(name, (client.c[name],)))
    for name in _OF
    if name != "client"
}
_BY_CLIENT = (
    select(
        _bought,
        func.sum(_bought.c.amount).over().label("all_amount"),
        func.sum(_bought.c.sales).over().label("all_sales"),
        func.count().over().label("all_clients"),
    )
    .order_by(_bought.c.amount.desc(), _bought.c.client)
    .limit(bindparam("top"))
)
_NAMED = select(*record_columns(Client)).where(client.c.id.in_(bindparam("ids", expanding=True)))


@command("reports by", title="Sales by status, owner, country…", menu="reports")
def by(
    crm: CRM,
    of: Annotated[
        str, Choice(_OF), About("By", "status, owner, country, source or client", positional=True)
    ] = "status",
    since: Since = None,
    until: Until = None,
    top: Annotated[int, Whole(1, 10_000), About("Top", "how many are named; the others stand in one row")] = 20,
    to: To = None,
    yes: bool = False,
) -> Report:
    """Breaks sales and clients down by status, owner, country or source, or by client: who buys most.

    Status, owner and so on are those that the clients have today. Clients are all of a group, buyers those of them with
    a sale in the period. Without a first day all sales count.
    """
    of, until = of or "status", until or crm.today
    in_order(since, until)
    if top < 1:
        raise FieldError("at least one has to be named", field="top", label="Top")
    days = {"first": since or _EVER, "last": until}
    with crm.read() as snapshot:
        columns, rows, total = _clients(snapshot, days, top) if of == "client" else _groups(snapshot, days, of, top)
    # The others together would dwarf everybody.
    chart = Chart("bars", ("amount",), top)
    return kept(Report(f"Sales by {of}", since, until, columns, rows, total, chart), to, crm, yes=yes)


_Found = tuple[Sequence[Column], Sequence[Row], Row | None]


def _groups(snapshot: Snapshot, days: dict[str, date], of: str, top: int) -> _Found:
    found = [(name, amount(sum_of), *map(int, (sales or 0, buyers, clients)))
             for name, sum_of, sales, buyers, clients in snapshot.select(_BY_FIELD[of], **days)]  # fmt: skip
    found.sort(key=lambda group: (-group[1], -group[4], group[0]))
    all_amount = sum((group[1] for group in found), amount(None))

    def row(name: str, those: Sequence[Any]) -> Row:
        of_those = sum((group[1] for group in those), amount(None))
        return (name, of_those, percent(of_those, all_amount), *(sum(group[at] for group in those) for at in (2, 3, 4)))

    rows = [row(group[0], [group]) for group in found[:top]]
    if rest := found[top:]:
        rows.append(row(_others(len(rest)), rest))
    return (Column(of, _OF[of]), *_GROUPED), rows, row("Total", found) if found else None


def _clients(snapshot: Snapshot, days: dict[str, date], top: int) -> _Found:
    found = snapshot.select(_BY_CLIENT, top=top, **days)
    if not found:
        return _SINGLE, [], None
    named = {row.id: record_of(Client, row).name for row in snapshot.select(_NAMED, ids=[row.client for row in found])}
    all_amount, all_sales, all_clients = amount(found[0].all_amount), int(found[0].all_sales), found[0].all_clients

    def row(name: str, of_those: Any, sales: int, number: str = "") -> Row:
        return name, of_those, percent(of_those, all_amount), sales, number

    rows = [row(named[client.client], client.amount, client.sales, str(client.client)) for client in found]
    if rest := all_clients - len(found):
        named_amount, named_sales = sum(row.amount for row in found), sum(row.sales for row in found)
        rows.append(row(_others(rest), all_amount - named_amount, all_sales - named_sales))
    return _SINGLE, rows, row("Total", all_amount, all_sales)


def _others(many: int) -> str:
    return f"{many} {'other' if many == 1 else 'others'}"

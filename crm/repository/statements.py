"""The statements that every change runs, made once: building one anew takes longer than running it."""

from sqlalchemy import Integer, String, bindparam, delete, func, insert, literal, select, type_coerce, update

from crm.model import Client, StatusRule
from crm.repository.functions import among
from crm.repository.tables import TABLES, audit, client, record_columns, rule, sale, transactions

# The columns of a client that follow from its sales, and from the rules.
TOTALS = ("total_spend", "sales_count", "first_sale_on", "last_sale_on")
STATUS = ("status", "status_reason", "status_pinned_until", "status_before", "status_since")

BY_ID = {kind: select(*record_columns(kind)).where(table.c.id == bindparam("wanted")) for kind, table in TABLES.items()}
BY_IDS = {
    kind: select(*record_columns(kind)).where(table.c.id.in_(bindparam("wanted", expanding=True))).order_by(table.c.id)
    for kind, table in TABLES.items()
}
DELETE = {
    kind: delete(table).where(table.c.id.in_(bindparam("wanted", expanding=True))) for kind, table in TABLES.items()
}
# Clients by what may identify them, the values as a JSON array.
CLIENTS_BY = {
    name: select(*record_columns(Client)).where(among(type_coerce(column, String), bindparam("wanted", type_=String)))
    for name, column in (
        ("reference", client.c.reference),
        ("email", client.c.email),
        ("phone", client.c.phone),
        ("name", client.c.search_name),
    )
}
RULES = select(*record_columns(StatusRule)).order_by(rule.c.position, rule.c.id)

# The totals of some clients, summed from their sales: the client, then TOTALS.
SUMMED = (
    select(sale.c.client, func.sum(sale.c.amount), func.count(), func.min(sale.c.on), func.max(sale.c.on))
    .where(sale.c.client.in_(bindparam("wanted", expanding=True)))
    .group_by(sale.c.client)
)
FOLLOW = (
    update(client)
    .where(client.c.id == bindparam("wanted"))
    .values(
        {
            **{name: bindparam(f"new_{name}") for name in TOTALS + STATUS},
            "version": client.c.version + 1,
            "updated_at": bindparam("at"),
        }
    )
)

START = insert(transactions)
ENTER = insert(audit)
# An audit entry for each record just created, made by the database itself.
ENTER_CREATED = {
    kind: insert(audit).from_select(
        ["transaction", "record", "record_id", "operation"],
        select(
            bindparam("transaction", type_=Integer),
            literal(kind.kind_name, String),
            table.c.id,
            literal("create", String),
        )
        .where(table.c.id.between(bindparam("first"), bindparam("last")))
        .order_by(table.c.id),
    )
    for kind, table in TABLES.items()
}

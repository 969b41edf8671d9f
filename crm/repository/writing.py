"""The statements of a transaction, made once: building one anew takes longer than running it."""

from collections.abc import Mapping

from sqlalchemy import Integer, String, bindparam, delete, func, insert, literal, select, update

from crm.model import SignIn
from crm.model.rights import SECRET
from crm.repository.tables import TABLES, audit, client, sale, transactions

# The columns of a client that follow from its sales, and from the rules.
TOTALS = ("total_spend", "sales_count", "first_sale_on", "last_sale_on")
STATUS = ("status", "status_reason", "status_pinned_until", "status_before", "status_since")

DELETE = {
    kind: delete(table).where(table.c.id.in_(bindparam("wanted", expanding=True))) for kind, table in TABLES.items()
}

# Fields of which the history tells only that there was something: what lets somebody in, and where people were, which
# is forgotten with the sign-in.
UNSAID: Mapping[str, frozenset[str]] = {
    **SECRET,
    SignIn.kind_name: SECRET[SignIn.kind_name] | {"address", "device"},
}

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

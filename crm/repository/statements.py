"""The statements that read records, made once: building one anew takes longer than running it."""

from sqlalchemy import String, bindparam, select, type_coerce

from crm.model import Client
from crm.repository.spend import SPEND_COUNTED
from crm.repository.sql_functions import among
from crm.repository.tables import TABLES, client, record_columns, rule, transactions, user

BY_ID = {kind: select(*record_columns(kind)).where(table.c.id == bindparam("wanted")) for kind, table in TABLES.items()}
BY_IDS = {
    kind: select(*record_columns(kind)).where(table.c.id.in_(bindparam("wanted", expanding=True))).order_by(table.c.id)
    for kind, table in TABLES.items()
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
# The active rules in their order: number, status, condition; and beside each what makes the totals that they judge by.
RULES = (
    select(rule.c.id, rule.c.status, rule.c.when, SPEND_COUNTED.scalar_subquery())
    .where(rule.c.active)
    .order_by(rule.c.position, rule.c.id)
)
# Whether somebody has a password, and so can sign in.
ANY_PASSWORD = select(user.c.id).where(user.c.password != "").limit(1)
LAST_TRANSACTION = select(transactions.c.id, transactions.c.at).order_by(transactions.c.id.desc()).limit(1)

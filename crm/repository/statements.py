"""The statements that read records, made once: building one again takes longer than running it."""

from typing import Any

from sqlalchemy import Select, String, bindparam, select, type_coerce

from crm.model import Client, Record
from crm.repository import UNREVIEWABLE
from crm.repository.spend import SPEND_COUNTED
from crm.repository.sql_functions import among
from crm.repository.tables import TABLES, ByKind, client, record_columns, rule, store_facts, transactions, user


def _of_ids(kind: type[Record]) -> Select[Any]:
    ids = TABLES[kind].c.id
    return ALL[kind].where(ids.in_(bindparam("wanted", expanding=True))).order_by(ids)


def _ids(kind: type[Record]) -> Select[Any]:
    ids = TABLES[kind].c.id
    return select(ids).where(ids.in_(bindparam("wanted", expanding=True)))


# All records of a kind; that with the id `wanted`; those with the ids `wanted`, in their order; of these the ids.
ALL = ByKind(lambda kind: select(*record_columns(kind)))
BY_ID = ByKind(lambda kind: ALL[kind].where(TABLES[kind].c.id == bindparam("wanted")))
BY_IDS = ByKind(_of_ids)
IDS = ByKind(_ids)
# Clients by what may identify them, the values as a JSON array.
CLIENTS_BY = {
    name: ALL[Client].where(among(type_coerce(column, String), bindparam("wanted", type_=String)))
    for name, column in (
        ("reference", client.c.reference),
        ("email", client.c.email),
        ("phone", client.c.phone),
        ("name", client.c.search_name),
    )
}
_UNREVIEWABLE = select(store_facts.c.value).where(store_facts.c.name == UNREVIEWABLE)
# The active rules in their order: number, status, condition; and beside each what makes the totals that they judge by,
# and what keeps statuses from being reviewed.
RULES = (
    select(rule.c.id, rule.c.status, rule.c.when, SPEND_COUNTED.scalar_subquery(), _UNREVIEWABLE.scalar_subquery())
    .where(rule.c.active)
    .order_by(rule.c.position, rule.c.id)
)
FACTS = select(store_facts.c.name, store_facts.c.value)
# Whether somebody has a password, and so can sign in.
ANY_PASSWORD = select(user.c.id).where(user.c.password != "").limit(1)
LAST_TRANSACTION = select(transactions.c.id, transactions.c.at).order_by(transactions.c.id.desc()).limit(1)

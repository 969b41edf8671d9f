"""What must hold in every store, each as a search for what does not; the findings say how to mend it."""

from collections.abc import Callable, Iterator

from sqlalchemy import func, or_, select

from crm.model import Client, Conventions, Setting, typed_fields
from crm.repository import Finding, Query, StatusMove, tables
from crm.repository.snapshot import SqlSnapshot
from crm.repository.writing import touched


def findings(snapshot: SqlSnapshot) -> Iterator[Finding]:
    """Everything that does not hold, the grave things first."""
    for check in CHECKS:
        yield from check(snapshot)


_sale = tables.sale.c
_client = tables.client.c
_summed = (
    select(
        _sale.client, func.sum(_sale.amount).label("amount"), func.count().label("count"),
        func.min(_sale.on).label("first"), func.max(_sale.on).label("last"),
    ).group_by(_sale.client).subquery()
)  # fmt: skip
_touched = touched()
_contacted = select(_touched.c.client, func.max(_touched.c.on).label("last")).group_by(_touched.c.client).subquery()
_due = (
    select(tables.follow_up.c.client, func.min(tables.follow_up.c.due_on).label("next"))
    .where(tables.follow_up.c.done_on.is_(None)).group_by(tables.follow_up.c.client).subquery()
)  # fmt: skip
# Clients whose totals are not the sums of their facts: the id, the total beside it, and what the sales add up to.
WRONG_TOTALS = (
    select(_client.id, _client.total_spend, _summed.c.amount)
    .outerjoin_from(tables.client, _summed, _summed.c.client == _client.id)
    .outerjoin(_contacted, _contacted.c.client == _client.id)
    .outerjoin(_due, _due.c.client == _client.id)
    .where(
        or_(
            _client.total_spend != func.coalesce(_summed.c.amount, 0),
            _client.sales_count != func.coalesce(_summed.c.count, 0),
            _client.first_sale_on.is_distinct_from(_summed.c.first),
            _client.last_sale_on.is_distinct_from(_summed.c.last),
            _client.last_contact_on.is_distinct_from(_contacted.c.last),
            _client.next_follow_up_on.is_distinct_from(_due.c.next),
        )
    )
)


def totals_equal_sales(snapshot: SqlSnapshot) -> Iterator[Finding]:
    """The totals beside a client are the sums of its sales, and its days those of its interactions and follow-ups."""
    for row in snapshot.select(WRONG_TOTALS):
        adds_up = row.total_spend == (row.amount or 0)
        what = f"shows a total of {row.total_spend}, its sales add up to {row.amount or 0}."
        yield Finding(
            f"Client {row.id} {'shows days that its records do not give.' if adds_up else what}",
            True, "client", row.id, "Record or take back a sale of the client, or restore a backup.",
        )  # fmt: skip


def statuses_follow_rules(snapshot: SqlSnapshot) -> Iterator[Finding]:
    """Every client has the status that the rules give."""
    moves: list[StatusMove] = snapshot.moves(limit=20)
    for move in moves:
        yield Finding(
            f"{move.name} has the status {move.before or '(none)'}; the rules give {move.after or '(none)'}.",
            False, "client", move.client, "Apply the rules.",
        )  # fmt: skip


def rules_can_be_reached(snapshot: SqlSnapshot) -> Iterator[Finding]:
    """No rule stands after one that always fits."""
    for rule_id in snapshot.rules.unreachable:
        yield Finding(
            f"Rule {rule_id} is never reached: one before it always fits.",
            False,
            "rule",
            rule_id,
            "Move it up, or remove it.",
        )


def addresses_can_be_used(snapshot: SqlSnapshot) -> Iterator[Finding]:
    """E-mail addresses and telephone numbers can be written to and dialled."""
    settings = {setting.key: setting.value for setting in snapshot.find_all(Setting)}
    by = Conventions(country=settings.get("country", Conventions.country), clock=snapshot.clock)
    checked = {name: typed_fields(Client)[name] for name in ("email", "phone")}
    for record in snapshot.each(Client, Query(sort="id")):
        for name, field in checked.items():
            doubt = field.check.doubt(getattr(record, name), by)
            if doubt:
                yield Finding(
                    f"{record.name}: {getattr(record, name)}: {doubt}.", False, "client", record.id, "Edit the client."
                )


def deals_are_in_a_stage(snapshot: SqlSnapshot) -> Iterator[Finding]:
    """Every deal is in a stage that there is."""
    deal, stage = tables.deal.c, tables.stage.c
    lost = select(deal.id, deal.stage).where(deal.stage.not_in(select(stage.id))).limit(20)
    for row in snapshot.select(lost):
        yield Finding(f"Deal {row.id} is in a stage {row.stage} that is not there.", True, "deal", row.id, "Move it.")


def accounts_have_their_client(snapshot: SqlSnapshot) -> Iterator[Finding]:
    """Every account of a client that may sign in belongs to a client that there is."""
    user, client = tables.user.c, tables.client.c
    lost = select(user.id, user.client).where(user.active, user.client != 0, user.client.not_in(select(client.id)))
    for row in snapshot.select(lost):
        yield Finding(
            f"Account {row.id} belongs to client {row.client}, who is not there any more.",
            True, "user", row.id,
            f"Deactivate it (users deactivate {row.id}), or say whose it is (users edit {row.id} --client).",
        )  # fmt: skip


CHECKS: tuple[Callable[[SqlSnapshot], Iterator[Finding]], ...] = (
    totals_equal_sales,
    deals_are_in_a_stage,
    accounts_have_their_client,
    rules_can_be_reached,
    statuses_follow_rules,
    addresses_can_be_used,
)

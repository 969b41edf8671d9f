"""Consistency checks of a store, each a search for what is wrong; the findings say how to mend it."""

from collections.abc import Callable, Iterator

from sqlalchemy import select

from crm.model import Client, Conventions, Setting, typed_fields
from crm.repository import Finding, Query, StatusMove, sums, tables
from crm.repository.snapshot import SqlSnapshot


def findings(snapshot: SqlSnapshot) -> Iterator[Finding]:
    """Everything that does not hold, the grave things first."""
    for check in CHECKS:
        yield from check(snapshot)


def totals_follow_facts(snapshot: SqlSnapshot) -> Iterator[Finding]:
    """The totals beside a record are the sums of its facts: of a client's sales, and the days of what went on."""
    for kind in sums.SUMMED:
        name = kind.kind_name
        for row in snapshot.select(sums.wrong(kind)):
            fault = "shows figures that its records do not give."
            mend = "Change one of its records and change it back, or restore a backup."
            if kind is Client:
                adds_up = row.total_spend == (row.summed_total_spend or 0)
                spent = f"shows a total of {row.total_spend}, its sales add up to {row.summed_total_spend or 0}."
                fault = "shows days that its records do not give." if adds_up else spent
                mend = "Record or delete a sale of the client, or restore a backup."
            yield Finding(f"{name.replace('_', ' ').capitalize()} {row.id} {fault}", True, name, row.id, mend)


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
            f"Rule {rule_id} is never reached: an earlier rule always applies.",
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
    totals_follow_facts,
    deals_are_in_a_stage,
    accounts_have_their_client,
    rules_can_be_reached,
    statuses_follow_rules,
    addresses_can_be_used,
)

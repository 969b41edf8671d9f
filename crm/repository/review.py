"""The status rules over all clients at once, as one SQL statement."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Date,
    Insert,
    Integer,
    MetaData,
    Select,
    String,
    Table,
    Text,
    case,
    delete,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.schema import CreateTable

from crm.clock import Clock
from crm.model import Client
from crm.repository import Change
from crm.repository.metrics import Figures
from crm.repository.sql_functions import json_object
from crm.repository.tables import audit, client
from crm.repository.writing import STATUS, numbered
from crm.rules import NO_RULE_FITS, RuleSet
from crm.rules.ruleset import Rule


def moves(rules: RuleSet, clock: Clock, by_invoices: bool) -> Select[Any]:
    """The clients whose status or ruling rule would change: id, name, before, after, reason.

    `by_invoices` says that paid invoices make the total of a client. Pinned clients are left out until their pin has
    run out. A changed figure alone moves nobody: else rules that count days would rewrite every client every day.
    """
    figures = Figures(rules.needs, clock, by_invoices)
    pinned = client.c.status_pinned_until
    statement = select(
        client.c.id,
        case((or_(client.c.kind == "company", _person() == ""), client.c.company), else_=_person()).label("name"),
        client.c.status.label("before"),
        _by_rule(rules, figures, [literal(rule.status, String) for rule in rules.rules], literal("", String)).label(
            "after"
        ),
        _by_rule(rules, figures, [_reason(rule, figures) for rule in rules.rules], literal(NO_RULE_FITS, String)).label(
            "reason"
        ),
    )
    # Each condition is evaluated once a client here; status and reason above only for those that move.
    differs = _by_rule(
        rules,
        figures,
        [_not_yet(rule.status, rule.text, bool(rule.names)) for rule in rules.rules],
        _not_yet("", NO_RULE_FITS, False),
    )
    ran_out = pinned.is_not(None)
    return figures.join(statement).where(or_(pinned.is_(None), pinned < clock.today), or_(differs, ran_out))


def _person() -> ColumnElement[str]:
    return func.trim(client.c.first_name + " " + client.c.last_name)


def _by_rule(rules: RuleSet, figures: Figures, results: Sequence[Any], otherwise: Any) -> ColumnElement[Any]:
    """The result of the first rule that fits."""
    pairs = []
    for rule, result in zip(rules.rules, results, strict=True):
        if rule.condition is None:
            otherwise = result
            break
        pairs.append((figures.truth(rule.condition), result))
    return case(*pairs, else_=otherwise) if pairs else otherwise


def _not_yet(status: str, text: str, has_values: bool) -> ColumnElement[bool]:
    """Return whether a client has not this status by this very rule: its reason opens with the rule's text."""
    opening = text + " ("
    reason = client.c.status_reason
    other = func.substr(reason, 1, len(opening)) != opening if has_values else reason != text
    return or_(client.c.status != status, other)


def _reason(rule: Rule, figures: Figures) -> ColumnElement[str]:
    """The reason that `crm.rules.RuleSet.decide` gives, made in SQL."""
    if not rule.names:
        return literal(rule.text, String)
    text: ColumnElement[str] = literal(rule.text + " (", String)
    for place, name in enumerate(rule.names):
        text = text + literal((", " if place else "") + name + " ", String) + figures.reason_part(name)
    return text + ")"


def is_due(connection: Connection, rules: RuleSet, today: date) -> bool:
    """Return whether the passing of a day may move somebody."""
    ran_out = select(client.c.id).where(client.c.status_pinned_until < today).limit(1)
    return rules.depends_on_day or connection.execute(ran_out).first() is not None


_moved = Table(
    "moved",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("before", String(40)),
    Column("after", String(40)),
    Column("reason", Text),
    prefixes=["TEMPORARY"],
)


def apply(
    connection: Connection,
    rules: RuleSet,
    clock: Clock,
    by_invoices: bool,
    number: Callable[[], int],
    reserve: Callable[[int], int],
) -> dict[tuple[str, str], int]:
    """Review every client inside the database, audited; how many moved, by (from, to).

    `clock` stands still; `number` gives the id of the transaction, and `reserve` the first of so many ids for audit
    entries; both are asked only when somebody moves.
    """
    # It is emptied and stays: some databases commit where a table is dropped.
    connection.execute(CreateTable(_moved, if_not_exists=True))
    connection.execute(delete(_moved))
    moving = moves(rules, clock, by_invoices).subquery()
    chosen = select(moving.c.id, moving.c.before, moving.c.after, moving.c.reason)
    connection.execute(insert(_moved).from_select(["id", "before", "after", "reason"], chosen))
    counted = select(_moved.c.before, _moved.c.after, func.count()).group_by(_moved.c.before, _moved.c.after)
    counts = {(row[0], row[1]): int(row[2]) for row in connection.execute(counted)}
    if counts:
        columns = _changes(clock.today)
        connection.execute(_audited(columns, number(), reserve(sum(counts.values()))))
        connection.execute(
            update(client)
            .where(client.c.id == _moved.c.id)
            .values({**columns, "version": client.c.version + 1, "updated_at": clock.now})
        )
    connection.execute(delete(_moved))
    return counts


def is_of_review(change: Change) -> bool:
    """Return whether a change is one that a review of all clients begins with: it writes all that follows from the
    rules and nothing else, and lifts what was pinned."""
    alone = change.record == Client.kind_name and change.operation == "update" and change.after.keys() == set(STATUS)
    return alone and change.after["status_pinned_until"] is None


def _changes(today: date) -> dict[str, ColumnElement[Any]]:
    """The columns that a review writes for a client that moves."""
    stays = _moved.c.before == _moved.c.after
    return {
        "status": _moved.c.after,
        "status_reason": _moved.c.reason,
        "status_pinned_until": null(),
        "status_before": case((stays, client.c.status_before), else_=_moved.c.before),
        "status_since": case((stays, client.c.status_since), else_=literal(today, Date)),
    }


def _audited(columns: Mapping[str, ColumnElement[Any]], number: int, first: int) -> Insert:
    """An audit entry, numbered from `first` on, for each client that moves, as the transaction writes them one by one
    elsewhere."""
    before = [part for name in columns for part in (literal(name, String), client.c[name])]
    after = [part for name, value in columns.items() for part in (literal(name, String), value)]
    rows = select(
        numbered(first, client.c.id),
        literal(number, Integer),
        literal(Client.kind_name, String),
        client.c.id,
        literal("update", String),
        json_object(*before),
        json_object(*after),
    ).where(client.c.id == _moved.c.id)
    return insert(audit).from_select(["id", "transaction", "record", "record_id", "operation", "before", "after"], rows)

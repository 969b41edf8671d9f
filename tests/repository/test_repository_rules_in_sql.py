"""Rules in SQL for all clients decide the same as in Python for one."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.model import Client, Sale, StatusRule
from crm.model.fields import FOREVER
from crm.repository import Query
from crm.rules import (
    METRICS,
    SETS,
    And,
    Arithmetic,
    Compare,
    Condition,
    Expression,
    HasTag,
    In,
    IsMissing,
    Literal,
    Name,
    Negate,
    Not,
    Or,
    RuleSet,
    compile_condition,
    condition_text,
    parse_condition,
    rule_text,
)
from tests.conftest import ON_NEW_STORES, NewStore, Store
from tests.support.clocks import TODAY

pytestmark = pytest.mark.contract

NUMBERS = [name for name, metric in METRICS.items() if metric.kind in {"money", "number"}]
TEXTS = [name for name, metric in METRICS.items() if metric.kind == "text"]
TAGS = ("gold", "a_b", "50%", "käse", "o'x")
COUNTRIES = ("", "AT", "DE")
SOURCES = ("", "fair", "Fair", 'it\'s "web"', "ä%_")

# Numbers that lie on and beside the values that the clients below have; small, as the database calculates in 64 bits.
written = st.one_of(
    st.integers(-3, 40),
    st.sampled_from([0, 1, 2, 29, 30, 31, 90, 365, 1000]),
    st.sampled_from([Decimal(text) for text in ("3.33", "3.34", "0.5", "0.01", "10.00", "10.01", "6.67", "5.00")]),
)
huge = st.sampled_from([999_999_999_999_999, Decimal("999999999999999.999999"), Decimal("-999999999999999.999999")])
numbers: st.SearchStrategy[Expression] = st.recursive(
    st.builds(Name, st.sampled_from(NUMBERS)) | st.builds(Literal, written),
    lambda inner: st.builds(Negate, inner) | st.builds(Arithmetic, inner, st.sampled_from("+-*/"), inner),
    max_leaves=3,
)
some_text = st.sampled_from([*filter(None, COUNTRIES + SOURCES), "person", "company", "VIP", "Regular", "S0", "S1"])
texts = st.builds(Name, st.sampled_from(TEXTS)) | st.builds(Literal, some_text)
conditions: st.SearchStrategy[Condition] = st.recursive(
    st.builds(Compare, numbers, st.sampled_from(["=", "!=", "<", "<=", ">", ">="]), numbers)
    | st.builds(
        Compare, st.builds(Name, st.sampled_from(NUMBERS)), st.sampled_from(["<", ">="]), st.builds(Literal, huge)
    )
    | st.builds(Compare, texts, st.sampled_from(["=", "!="]), texts)
    | st.builds(IsMissing, st.builds(Name, st.sampled_from(list(METRICS))) | numbers, st.booleans())
    | st.builds(In, texts, st.lists(some_text, min_size=1, max_size=3).map(tuple), st.booleans())
    | st.builds(HasTag, st.sampled_from(TAGS), st.booleans()),
    lambda inner: (
        st.builds(Not, inner)
        | st.builds(And, st.lists(inner, min_size=2, max_size=3).map(tuple))
        | st.builds(Or, st.lists(inner, min_size=2, max_size=3).map(tuple))
    ),
    max_leaves=5,
)
# A written number is no operand of none in the grammar.
readable = conditions.map(condition_text).filter(lambda text: _is_readable(text))


def _is_readable(text: str) -> bool:
    from crm.errors import RuleError

    try:
        parse_condition(text)
    except RuleError:
        return False
    return len(text) < 600


days = st.sampled_from([0, 1, 29, 30, 31, 89, 90, 364, 365, 366, 1000]).map(lambda ago: TODAY - timedelta(days=ago))
amounts = st.sampled_from([Decimal(text) for text in ("0.00", "0.01", "3.33", "3.34", "5.00", "10.00")])
people = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["person", "company"]),
        "last_name": st.sampled_from(["A", ""]),
        "company": st.just("C"),
        "country": st.sampled_from(COUNTRIES),
        "source": st.sampled_from(SOURCES),
        "tags": st.lists(st.sampled_from(TAGS), max_size=3, unique=True).map(tuple),
        "date_of_birth": st.sampled_from(
            [None, date(2000, 2, 29), date(1996, 11, 21), date(1996, 11, 22), date(1996, 11, 20), date(2026, 11, 21)]
        ),
    }
)
clients = st.tuples(people, st.lists(st.tuples(amounts, days), max_size=4))
rule_lists = st.lists(readable, min_size=1, max_size=4)


def filled(store: Store, given: Sequence[tuple[dict[str, Any], Sequence[tuple[Decimal, date]]]]) -> None:
    def change(tx: Any) -> None:
        for person, sales in given:
            client = tx.add(Client(**person))
            for amount, on in sales:
                tx.add(Sale(client=client.id, on=on, amount=amount))

    store.change(change)


@pytest.mark.slow
@ON_NEW_STORES
@given(given=st.lists(clients, min_size=1, max_size=5), rules=rule_lists, later=st.sampled_from([0, 1, 30]))
def test_moves_in_sql_equal_decisions_for_each_client(
    new_store: NewStore, given: list[Any], rules: list[str], later: int
) -> None:
    with new_store() as store:
        filled(store, given)
        store.today += timedelta(days=later)
        tried = RuleSet((at, f"S{at}", when) for at, when in enumerate(rules))
        with store.repository.read() as snapshot:
            everybody = snapshot.find_all(Client, Query(sort="id"))
            decided = {record.id: tried.decide(snapshot.values(record)) for record in everybody}
            moves = {move.client: (move.before, move.after, move.reason) for move in snapshot.moves(tried)}
            counts = snapshot.move_counts(tried)
        # Everybody has a status by another rule set, so everybody moves.
        expected = {
            client.id: (client.status, decided[client.id].status, decided[client.id].reason)
            for client in everybody
            if (client.status, client.status_reason) != (decided[client.id].status, decided[client.id].reason)
        }
        assert moves == expected
        assert sum(counts.values()) == len(expected)


@pytest.mark.slow
@ON_NEW_STORES
@given(given=st.lists(clients, min_size=1, max_size=5), rules=rule_lists)
def test_a_review_of_all_equals_reviews_one_by_one(new_store: NewStore, given: list[Any], rules: list[str]) -> None:
    with new_store() as store:
        filled(store, given)
        store.set_rules(*((f"S{at}", when) for at, when in enumerate(rules)))
        with store.repository.read() as snapshot:
            before = {client.id: client for client in snapshot.find_all(Client)}
            decided = {record.id: snapshot.rules.decide(snapshot.values(record)) for record in before.values()}
        moved = store.change(lambda tx: tx.review_all())
        for client in store.everything()[Client].values():
            assert isinstance(client, Client)
            assert (client.status, client.status_reason) == (decided[client.id].status, decided[client.id].reason)
            if client.status != before[client.id].status:
                assert (client.status_before, client.status_since) == (before[client.id].status, store.today)
        assert sum(moved.values()) == sum(
            before[number].status_reason != decision.reason for number, decision in decided.items()
        )


@pytest.mark.slow
@ON_NEW_STORES
@given(given=st.lists(clients, min_size=1, max_size=5), where=readable)
def test_a_condition_lists_the_clients_that_meet_it(new_store: NewStore, given: list[Any], where: str) -> None:
    holds = compile_condition(parse_condition(where))
    with new_store() as store:
        filled(store, given)
        with store.repository.read() as snapshot:
            expected = [client.id for client in snapshot.find_all(Client) if holds(snapshot.values(client))]
            assert [client.id for client in snapshot.find_all(Client, Query(where=where))] == expected
            assert snapshot.count(Client, Query(where=where)) == len(expected)


ODD = [
    "'a' = 'a'",
    "'a' != 'a'",
    "'a' in ('a', 'b')",
    "1 = 1",
    "1 / 3 = 2 / 6",
    "0.1 + 0.2 = 0.3",
    "1 / 0 = 1 / 0",
    "1 / 0 = none",
    "average_sale * 3 = 100",
    "average_sale * sales_count = total_spend",
    "total_spend / 3 = 33.333333",
    "total_spend / 3 * 3 = 100",
    "total_spend < 999999999999999.999999",
    "total_spend > -999999999999999.999999",
    "total_spend * total_spend * total_spend * total_spend * total_spend > 999999999999999",
    "total_spend * 999999999999999 * 999999999999999 > 5",
    "total_spend * 999999999999999 - total_spend * 999999999999999 = 0",
    "total_spend / 999999999999999 / 999999999999999 / 999999999999999 > 0",
    "-age < 0",
    "- -age > 0",
    "not (age > 5)",
    "not not (age > 5)",
    "tags = none",
    "tags != none",
    "status = 'Regular' and not ('x' in tags)",
    "18 <= age < 99",
    "largest_sale - average_sale > 0",
    "days_since_added / sales_count = none",
]


def test_odd_conditions_mean_the_same_in_sql(store: Store) -> None:
    filled(
        store,
        [
            (
                {"kind": "person", "last_name": "A", "tags": ("x",)},
                [(Decimal("33.33"), TODAY), (Decimal("66.67"), TODAY)],
            ),
            ({"kind": "person", "last_name": "B", "date_of_birth": date(1990, 1, 1)}, [(Decimal("33.33"), TODAY)] * 3),
            ({"kind": "person", "last_name": "C"}, []),
            ({"kind": "person", "last_name": "D"}, [(Decimal("999999999999.99"), TODAY)] * 2),
        ],
    )
    with store.repository.read() as snapshot:
        for where in ODD:
            holds = compile_condition(parse_condition(where))
            expected = [client.id for client in snapshot.find_all(Client) if holds(snapshot.values(client))]
            assert [client.id for client in snapshot.find_all(Client, Query(where=where))] == expected, where


def test_ready_made_sets_give_the_same_in_sql(store: Store) -> None:
    spends = (0, 1, 499, 500, 999, 1000, 4999, 5000, 9999, 10000, 34999, 35000, 100000)
    ages = (0, 29, 30, 31, 60, 89, 90, 91, 179, 180, 181, 364, 365, 366)
    filled(
        store,
        [
            ({"kind": "person", "last_name": "A"}, [(Decimal(spend), TODAY - timedelta(days=ago))] * count)
            for spend in spends
            for ago in ages
            for count in (1, 4)
        ],
    )
    for name, ready_made in SETS.items():
        rules = RuleSet((at, *rule) for at, rule in enumerate(ready_made.rules()))
        with store.repository.read() as snapshot:
            everybody = snapshot.find_all(Client)
            decided = {client.id: rules.decide(snapshot.values(client, rules.needs)) for client in everybody}
            moves = {move.client: (move.after, move.reason) for move in snapshot.moves(rules)}
        for client in everybody:
            decision = decided[client.id]
            after = moves.get(client.id, (client.status, client.status_reason))
            if name == "default":
                assert after[0] == decision.status
            else:
                assert after == (decision.status, decision.reason), name


def test_every_value_in_a_reason_is_the_same_in_sql_and_in_python(store: Store) -> None:
    sales = [(Decimal("3.33"), TODAY), (Decimal("3.34"), TODAY), (Decimal("1234.00"), TODAY - timedelta(days=40))]
    person = {"kind": "person", "last_name": "A"}
    described = {"country": "AT", "tags": ("a", "b"), "source": "it's", "date_of_birth": date(2000, 2, 29)}
    filled(
        store,
        [(person, []), (person | described, sales), (person, sales[:2]), (person, [(Decimal("0.05"), TODAY)] * 2)],
    )
    with store.repository.read() as snapshot:
        for name in METRICS:
            rules = RuleSet([(1, "X", f"{name} = none or {name} != none")])
            expected = {client.id: rules.decide(snapshot.values(client)).reason for client in snapshot.find_all(Client)}
            assert {move.client: move.reason for move in snapshot.moves(rules)} == expected, name


def test_a_rule_replaced_by_a_longer_one_is_a_move(store: Store) -> None:
    store.set_rules(("Big", "1 = 1"))
    store.add()
    with store.repository.read() as snapshot:
        (rule,) = snapshot.find_all(StatusRule)
    store.change(lambda tx: tx.change(rule, when="1 = 10 or 1 = 1"))
    store.change(lambda tx: tx.review_all())
    assert store.client(1).status_reason == rule_text("Big", "1 = 10 or 1 = 1")
    store.change(lambda tx: tx.change(tx.find_all(StatusRule)[0], when="1 = 1"))
    store.change(lambda tx: tx.review_all())
    assert store.client(1).status_reason == rule_text("Big", "1 = 1")


def test_pinned_clients_do_not_move_until_the_pin_runs_out(store: Store) -> None:
    for until in (FOREVER, TODAY, TODAY + timedelta(days=1)):
        client = store.add()
        store.change(
            lambda tx, c=client, u=until: tx.change(c, status="P", status_reason="by hand", status_pinned_until=u)
        )
    with store.repository.read() as snapshot:
        assert snapshot.moves() == []
        assert snapshot.move_counts() == {}
    store.today += timedelta(days=1)
    with store.repository.read() as snapshot:
        assert [(move.client, move.after) for move in snapshot.moves()] == [(2, "Regular")]

"""Totals and statuses follow the sales and the rules, to the cent and to the day."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event

from crm.model import Client, Sale, StatusRule
from crm.model.fields import FOREVER, LARGEST_AMOUNT
from crm.repository import PROGRAM
from tests.conftest import ON_NEW_STORES, NewStore, Store

pytestmark = [pytest.mark.contract, pytest.mark.dated]

WINDOWS = ("Win", "spend_last_30_days > 0")


def metric(store: Store, name: str, client: Client) -> Any:
    with store.repository.read() as snapshot:
        return snapshot.values(snapshot.get(Client, client.id), [name])[name]


@pytest.mark.parametrize(
    ("amounts", "status"),
    [
        (["34999.99"], "Regular"),
        (["35000.00"], "VIP"),
        (["35000.01"], "VIP"),
        (["34999.99", "0.01"], "VIP"),
        (["0.01"] * 3 + ["34999.96"], "Regular"),
        (["0.10"] * 3 + ["34999.70"], "VIP"),
        (["0.00"], "Regular"),
    ],
)
def test_the_boundary_is_exact(store: Store, amounts: list[str], status: str) -> None:
    client = store.add()
    for amount in amounts:
        store.sell(client, amount)
    after = store.client(client)
    assert (after.status, after.total_spend) == (status, sum(map(Decimal, amounts)))
    assert after.status_since == store.today
    assert store.wrong() == []


def test_a_status_names_its_rule_and_the_values_behind_it(store: Store) -> None:
    client = store.add()
    store.today += timedelta(days=1)
    store.sell(client, "35000.5")
    after = store.client(client)
    assert after.status_reason == "VIP when total_spend >= 35000 (total_spend 35000.50)"
    assert (after.status_before, after.status_since) == ("Regular", store.today)


def test_totals_follow_additions_changes_moves_and_deletions(store: Store) -> None:
    one, other = store.add(), store.add()
    first = store.sell(one, "100.10", date(2026, 1, 1))
    second = store.sell(one, "200.20", date(2026, 3, 1))
    after = store.client(one)
    assert (after.total_spend, after.sales_count) == (Decimal("300.30"), 2)
    assert (after.first_sale_on, after.last_sale_on) == (date(2026, 1, 1), date(2026, 3, 1))
    second = store.change(lambda tx: tx.change(second, amount=Decimal("0.20"), on=date(2025, 1, 1)))
    after = store.client(one)
    assert (after.total_spend, after.first_sale_on, after.last_sale_on) == (
        Decimal("100.30"),
        date(2025, 1, 1),
        date(2026, 1, 1),
    )
    store.change(lambda tx: tx.change(second, client=other.id))
    assert (store.client(one).total_spend, store.client(other).total_spend) == (Decimal("100.10"), Decimal("0.20"))
    store.change(lambda tx: tx.delete(first))
    after = store.client(one)
    assert (after.total_spend, after.sales_count, after.first_sale_on, after.last_sale_on) == (
        Decimal("0.00"),
        0,
        None,
        None,
    )
    assert store.wrong() == []


def test_the_largest_amounts_are_exact(store: Store) -> None:
    client = store.add()
    for _ in range(3):
        store.sell(client, LARGEST_AMOUNT)
    assert store.client(client).total_spend == Decimal("2999999999999.97")
    assert store.wrong() == []


def test_check_names_the_clients_whose_addresses_cannot_be_used(store: Store) -> None:
    store.add(first_name="Ann", last_name="Fox", email="ann@example.com", phone="+436601234567")
    bad = store.add(first_name="Bo", last_name="Elm", email="bo@firma.invalidtld", phone="12")
    findings = [finding for finding in store.repository.check() if finding.record == "client"]
    assert [(finding.record_id, finding.wrong, finding.what[:27]) for finding in findings] == [
        (bad.id, False, "Bo Elm: bo@firma.invalidtld"),
        (bad.id, False, "Bo Elm: 12: not a phone num"),
    ]


def test_check_finds_a_total_that_is_not_the_sum(store: Store) -> None:
    client = store.add()
    store.sell(client, "5.00")
    with store.repository._engine.connect() as connection:
        connection.exec_driver_sql("UPDATE client SET total_spend = total_spend * 3")
        connection.commit()
    (finding,) = [finding for finding in store.repository.check() if finding.wrong]
    assert (finding.record, finding.record_id) == ("client", client.id)
    assert "15.00" in finding.what
    assert "5.00" in finding.what
    assert finding.how_to_mend
    store.sell(client, "1.00")
    assert store.client(client).total_spend == Decimal("6.00")
    assert store.wrong() == []


def test_a_status_is_lost_when_its_sale_is_undone(store: Store) -> None:
    client = store.add()
    sale = store.sell(client, "35000")
    store.change(lambda tx: tx.delete(sale))
    after = store.client(client)
    assert (after.status, after.status_before) == ("Regular", "VIP")


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        ("country", "AT", "country = 'AT'"),
        ("tags", ("gold",), "'gold' in tags"),
        ("kind", "company", "kind = 'company'"),
        ("source", "fair", "source in ('fair', 'web')"),
        ("date_of_birth", date(2000, 1, 1), "age >= 18"),
    ],
)
def test_a_status_follows_an_edit_of_a_field_in_a_rule(store: Store, field: str, value: Any, rule: str) -> None:
    store.set_rules(("Chosen", rule), ("Regular", ""))
    client = store.add(company="X")
    assert client.status == "Regular"
    edited = store.change(lambda tx: tx.change(client, **{field: value}))
    assert store.client(client).status == "Chosen"
    store.change(lambda tx: tx.change(edited, **{field: getattr(client, field)}))
    assert store.client(client).status == "Regular"
    assert store.add(company="Y", **({field: value} | ({"kind": value} if field == "kind" else {}))).status == "Chosen"


def test_a_status_follows_a_sale_whose_day_changes_though_the_totals_stay(store: Store) -> None:
    store.set_rules(("Fresh", "sales_last_30_days >= 2"), ("Regular", ""))
    client = store.add()
    store.sell(client, "1", date(2026, 1, 1))
    middle = store.sell(client, "1", date(2026, 6, 1))
    store.sell(client, "1", date(2026, 11, 20))
    assert store.client(client).status == "Regular"
    store.change(lambda tx: tx.change(middle, on=date(2026, 11, 1)))
    assert store.client(client).status == "Fresh"


def test_a_rule_can_be_off_and_otherwise_applies_last(store: Store) -> None:
    store.set_rules(("A", "total_spend >= 1"), ("B", "total_spend >= 2"))
    client = store.add()
    assert (client.status, client.status_reason) == ("", "No rule applies")
    with store.repository.read() as snapshot:
        first = snapshot.find_all(StatusRule)[0]
    store.change(lambda tx: tx.change(first, active=False))
    store.sell(client, "1")
    assert store.client(client).status == ""
    store.sell(client, "1")
    assert store.client(client).status == "B"
    with store.repository.read() as snapshot:
        assert [rule.status for rule in snapshot.rules.rules] == ["B"]


# Pins


def pinned(store: Store, client: Client, until: date) -> None:
    changes = {"status": "Friend", "status_reason": "Pinned by hand", "status_pinned_until": until}
    store.change(lambda tx: tx.change(tx.get(Client, client.id), **changes), "pinned")


def test_a_pin_holds_against_sales_edits_and_reviews(store: Store) -> None:
    client = store.add()
    pinned(store, client, FOREVER)
    store.sell(client, "50000")
    store.change(lambda tx: tx.change(tx.get(Client, client.id), country="AT"))
    assert store.change(lambda tx: tx.review_all()) == {}
    after = store.client(client)
    assert (after.status, after.status_reason, after.total_spend) == ("Friend", "Pinned by hand", Decimal("50000.00"))
    with store.repository.read() as snapshot:
        assert snapshot.moves() == []


@pytest.mark.parametrize("by", ["review", "sale"])
def test_a_pin_expires_after_its_last_day(store: Store, by: str) -> None:
    client = store.add()
    pinned(store, client, date(2026, 11, 30))

    def touch() -> None:
        if by == "review":
            store.change(lambda tx: tx.review_all())
        else:
            store.sell(client, "1")

    store.today = date(2026, 11, 30)
    touch()
    assert store.client(client).status == "Friend"
    store.today = date(2026, 12, 1)
    touch()
    after = store.client(client)
    assert (after.status, after.status_pinned_until, after.status_before) == ("Regular", None, "Friend")
    assert after.status_since == date(2026, 12, 1)


def test_an_expired_pin_is_lifted_even_if_the_status_stays(store: Store) -> None:
    client = store.add()
    changes = {"status": "Regular", "status_reason": "Pinned by hand", "status_pinned_until": store.today}
    store.change(lambda tx: tx.change(client, **changes))
    store.today += timedelta(days=1)
    store.change(lambda tx: tx.review_all())
    after = store.client(client)
    assert (after.status, after.status_reason, after.status_pinned_until) == ("Regular", "Regular otherwise", None)
    assert after.status_since == client.status_since


def test_lifting_a_pin_reviews_at_once(store: Store) -> None:
    client = store.add()
    pinned(store, client, FOREVER)
    store.sell(client, "50000")
    store.change(lambda tx: tx.change(tx.get(Client, client.id), status_pinned_until=None))
    assert store.client(client).status == "VIP"


# Days


@pytest.mark.parametrize(
    ("age_of_sale", "in_30", "in_90", "in_365"),
    [
        (0, 1, 1, 1),
        (29, 1, 1, 1),
        (30, 0, 1, 1),
        (89, 0, 1, 1),
        (90, 0, 0, 1),
        (364, 0, 0, 1),
        (365, 0, 0, 0),
        (-1, 0, 0, 0),
    ],
)
def test_windows_begin_and_end_with_a_day(store: Store, age_of_sale: int, in_30: int, in_90: int, in_365: int) -> None:
    client = store.add()
    store.sell(client, "7.07", store.today - timedelta(days=age_of_sale))
    for days, inside in ((30, in_30), (90, in_90), (365, in_365)):
        assert metric(store, f"sales_last_{days}_days", client) == inside
        assert metric(store, f"spend_last_{days}_days", client) == inside * Decimal("7.07")
        with store.repository.read() as snapshot:
            assert len(snapshot.find_all(Client, _where(f"sales_last_{days}_days = 1"))) == inside
            assert len(snapshot.find_all(Client, _where(f"spend_last_{days}_days = 7.07"))) == inside
    assert metric(store, "days_since_last_sale", client) == age_of_sale
    with store.repository.read() as snapshot:
        assert snapshot.find_all(Client, _where(f"days_since_last_sale = {age_of_sale}")) != []
        assert snapshot.find_all(Client, _where(f"days_since_first_sale > {age_of_sale}")) == []


def _where(condition: str) -> Any:
    from crm.repository import Query

    return Query(where=condition)


@pytest.mark.parametrize(
    ("born", "today", "age"),
    [
        (date(2000, 2, 29), date(2018, 2, 28), 17),
        (date(2000, 2, 29), date(2018, 3, 1), 18),
        (date(2000, 2, 29), date(2020, 2, 28), 19),
        (date(2000, 2, 29), date(2020, 2, 29), 20),
        (date(2000, 12, 31), date(2026, 1, 1), 25),
        (date(2000, 1, 1), date(2026, 1, 1), 26),
        (date(2000, 1, 1), date(2025, 12, 31), 25),
        (date(2026, 11, 21), date(2026, 11, 21), 0),
        (date(1900, 1, 1), date(2026, 11, 21), 126),
    ],
)
def test_ages_turn_on_birthdays(store: Store, born: date, today: date, age: int) -> None:
    store.today = today
    client = store.add(date_of_birth=born)
    assert metric(store, "age", client) == age
    with store.repository.read() as snapshot:
        assert len(snapshot.find_all(Client, _where(f"age = {age}"))) == 1


def test_a_status_that_counts_days_waits_for_the_review(store: Store) -> None:
    store.set_rules(("At risk", "sales_count > 0 and days_since_last_sale > 180"), ("Regular", ""))
    client = store.add()
    store.sell(client, "1", store.today)
    store.today += timedelta(days=180)
    assert store.change(lambda tx: tx.review_all()) == {}
    store.today += timedelta(days=1)
    assert store.client(client).status == "Regular"
    with store.repository.read() as snapshot:
        (move,) = snapshot.moves()
        assert snapshot.move_counts() == {("Regular", "At risk"): 1}
    assert (move.client, move.before, move.after) == (client.id, "Regular", "At risk")
    assert "days_since_last_sale 181" in move.reason
    assert store.change(lambda tx: tx.review_all()) == {("Regular", "At risk"): 1}
    assert store.client(client).status == "At risk"
    with store.repository.read() as snapshot:
        assert snapshot.moves() == []


def test_the_daily_review_runs_once_by_the_first_program(store: Store) -> None:
    store.set_rules(("At risk", "sales_count > 0 and days_since_last_sale > 180"), ("Regular", ""))
    client = store.add()
    store.sell(client, "1", store.today)
    store.today += timedelta(days=181)
    for repository in (store.another("bo"), store.repository, store.another()):
        repository.daily_review()
    assert store.client(client).status == "At risk"
    with store.repository.read() as snapshot:
        assert [entry.user for entry in snapshot.history()].count(PROGRAM) == 1
    store.today += timedelta(days=1)
    store.repository.daily_review()
    with store.repository.read() as snapshot:
        # Nobody moves, and nothing stands in the history.
        assert [entry.user for entry in snapshot.history()].count(PROGRAM) == 1


def test_a_move_names_its_client(store: Store) -> None:
    store.add(first_name="Anna", last_name="")
    store.add(kind="company", last_name="", company="Firma")
    store.add(kind="person", last_name="", company="Nur Firma")
    store.set_rules(("New", ""))
    with store.repository.read() as snapshot:
        names = [move.name for move in snapshot.moves()]
        assert names == [snapshot.get(Client, id_).name for id_ in (1, 2, 3)]


@ON_NEW_STORES
@given(
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("add"), st.just(0), st.just(Decimal(0))),
            st.tuples(st.just("sell"), st.integers(0, 3), st.decimals(0, 40000, places=2)),
            st.tuples(st.just("sell_several"), st.integers(0, 3), st.decimals(0, 10, places=2)),
            st.tuples(
                st.sampled_from(["back", "edit", "move", "delete", "undo"]),
                st.integers(0, 9),
                st.decimals(0, 9, places=2),
            ),
        ),
        max_size=14,
    )
)
def test_totals_are_the_sums_after_any_steps(new_store: NewStore, steps: list[tuple[str, int, Decimal]]) -> None:
    with new_store() as store:
        store.add()
        for step, which, amount in steps:
            with store.repository.read() as snapshot:
                clients, sales = snapshot.find_all(Client), snapshot.find_all(Sale)
            day = store.today - timedelta(days=which * 10)
            match step:
                case "add":
                    store.add()
                case "sell" if clients:
                    store.sell(clients[which % len(clients)], amount, day)
                case "sell_several" if clients:
                    sold = [Sale(client=client.id, on=day, amount=amount) for client in clients * 2]
                    store.change(lambda tx, sold=sold: tx.add_all(sold))
                case "back" if sales:
                    sale = sales[which % len(sales)]
                    store.change(lambda tx, sale=sale: tx.delete(sale))
                case "edit" if sales:
                    sale = sales[which % len(sales)]
                    store.change(lambda tx, sale=sale, amount=amount, day=day: tx.change(sale, amount=amount, on=day))
                case "move" if sales:
                    sale, to = sales[which % len(sales)], clients[which % len(clients)]
                    store.change(lambda tx, sale=sale, to=to: tx.change(sale, client=to.id))
                case "delete" if clients:
                    gone = clients[which % len(clients)]
                    store.change(lambda tx, gone=gone: tx.delete(gone))
                case "undo":
                    with store.repository.read() as snapshot:
                        standing = any(entry.undoes is None and entry.undone_by is None for entry in snapshot.history())
                    if standing:
                        store.change(lambda tx: tx.undo())
        assert store.wrong() == []
        everything = store.everything()
        for client in everything[Client].values():
            assert isinstance(client, Client)
            mine = [sale for sale in everything[Sale].values() if isinstance(sale, Sale) and sale.client == client.id]
            assert client.total_spend == sum((sale.amount for sale in mine), Decimal("0.00"))
            assert client.sales_count == len(mine)
            assert client.first_sale_on == min((sale.on for sale in mine), default=None)
            assert client.last_sale_on == max((sale.on for sale in mine), default=None)
            assert client.status == ("VIP" if client.total_spend >= 35000 else "Regular")


def test_a_transaction_reads_its_own_changes_of_a_client(store: Store) -> None:
    client = store.add()
    seen: list[Client] = []

    def change(tx: Any) -> None:
        seen.append(tx.change(tx.get(Client, client.id), city="Graz"))
        seen.append(tx.get(Client, client.id))
        tx.add(Sale(client=client.id, on=store.today, amount=Decimal("35000.00")))
        tx.settle()
        seen.append(tx.get(Client, client.id))
        tx.change(seen[-1], kind="company", company="Fox")
        tx.settle()
        seen.append(tx.get(Client, client.id))

    store.repository.transact(change, "changed")
    changed, read, sold, last = seen
    assert changed == read
    assert (sold.status, sold.total_spend, sold.city) == ("VIP", Decimal("35000.00"), "Graz")
    assert last == store.client(client)


def test_a_review_of_all_drops_no_table(store: Store) -> None:
    store.add()
    asked: list[str] = []
    event.listen(store.repository._engine, "before_cursor_execute", lambda *given: asked.append(given[2]))

    def change(tx: Any) -> Any:
        for rule in tx.find_all(StatusRule):
            tx.change(rule, status=f"New {rule.id}")
        return tx.review_all(), tx.review_all()

    first, again = store.change(change)
    assert (sum(first.values()), again) == (1, {})
    assert asked
    assert not [statement for statement in asked if "DROP" in statement.upper()]

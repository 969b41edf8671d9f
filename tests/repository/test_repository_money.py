"""Stored amounts: read back exactly in every currency, or refused with a clear error."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from crm.clock import machine_now
from crm.errors import CRMError, RefusedError
from crm.model import Client, Sale, StatusRule
from crm.model.money import LARGEST_AMOUNT
from crm.repository import Query, tables
from crm.repository.column_types import major, minor
from crm.repository.sql import SqlRepository
from crm.repository.sqlite.dialect import Sqlite
from tests.conftest import Store

# Amounts are tried on every store with each commit.
pytestmark = pytest.mark.whole

# As many decimals as JPY, EUR, KWD and CLF have, and the smallest and the largest that there is.
AMOUNTS = tuple(map(Decimal, ("1234", "1234.5", "12.34", "1.234", "0.001", "1.2345", "0.0001", "999999999999.99", "0")))


@given(st.decimals(Decimal(-(10**14)), Decimal(10**14), places=6))
def test_an_amount_is_read_back_exactly_or_is_refused(amount: Decimal) -> None:
    if amount == round(amount, 4):
        assert major(minor(amount)) == amount
    else:
        with pytest.raises(RefusedError, match="more than 4 decimals"):
            minor(amount)


def test_every_amount_is_kept_summed_and_compared_exactly(store: Store) -> None:
    client = store.add().id
    for amount in AMOUNTS:
        store.sell(client, str(amount))
    for repository in (store.repository, store.another()):
        with repository.read() as snapshot:
            found = [sale.amount for sale in snapshot.find_all(Sale, Query(sort="id"))]
            assert found == list(AMOUNTS)
            assert {-int(amount.as_tuple().exponent) for amount in found} == {2, 4}
            (summed,) = snapshot.select(select(func.sum(tables.sale.c.amount)))
            assert summed[0] == snapshot.get(Client, client).total_spend == sum(AMOUNTS)
            for amount in AMOUNTS:
                assert [sale.amount for sale in snapshot.find_all(Sale, Query({"amount": amount}))] == [amount]
            exactly = f"total_spend = {sum(AMOUNTS)} and largest_sale < {LARGEST_AMOUNT + Decimal('0.0001')}"
            assert snapshot.count(Client, Query(where=exactly)) == 1
            assert snapshot.count(Client, Query(where=f"total_spend > {sum(AMOUNTS)}")) == 0
            assert snapshot.count(Client, Query(where="total_spend / largest_sale > 1")) == 1
    assert [finding.what for finding in store.repository.check() if finding.wrong] == []


def test_undo_restores_amounts_exactly(store: Store) -> None:
    client = store.add().id
    sale = store.sell(client, "1.234")
    store.change(lambda tx: tx.change(tx.get(Sale, sale.id), amount=Decimal("0.0001")))
    store.change(lambda tx: tx.undo())
    with store.repository.read() as snapshot:
        assert snapshot.get(Sale, sale.id).amount == snapshot.get(Client, client).total_spend == Decimal("1.234")
    store.change(lambda tx: tx.undo())
    with store.repository.read() as snapshot:
        assert (snapshot.count(Sale), snapshot.get(Client, client).total_spend) == (0, 0)


def test_rules_compare_amounts_to_the_last_decimal_in_python_and_in_sql(store: Store) -> None:
    store.change(
        lambda tx: tx.change(tx.find_all(StatusRule, Query(sort="position"))[0], when="total_spend >= 35000.0005")
    )
    below, at = store.add(), store.add()
    store.sell(below, "35000.0004")
    store.sell(at, "35000.0005")
    reason = "VIP when total_spend >= 35000.0005 (total_spend 35000.0005)"

    def reasons() -> list[tuple[str, str]]:
        with store.repository.read() as snapshot:
            return [(client.status, client.status_reason) for client in snapshot.find_all(Client, Query(sort="id"))]

    assert reasons() == [("Regular", "Regular otherwise"), ("VIP", reason)]
    store.change(lambda tx: tx.review_all())
    assert reasons() == [("Regular", "Regular otherwise"), ("VIP", reason)]


def test_an_amount_that_cannot_be_stored_is_refused_with_a_message(store: Store) -> None:
    client = store.add().id
    for amount, words in (("0.01999", "more than 4 decimals"), ("922337203685477.5808", "more than can be kept")):
        with pytest.raises(CRMError, match=words):
            store.sell(client, amount)
    with store.repository.read() as snapshot:
        assert (snapshot.count(Sale), snapshot.get(Client, client).total_spend) == (0, 0)


def test_a_total_that_is_too_large_is_refused_with_a_message(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite3"
    with closing(SqlRepository(f"sqlite:///{path}", Sqlite(path), now=machine_now)) as repository:
        client = repository.transact(lambda tx: tx.add(Client(kind="person", last_name="Rich")), "added")
        sale = Sale(client=client.id, on=date(2026, 1, 1), amount=Decimal(900_000_000_000_000))
        repository.transact(lambda tx: tx.add(sale), "sold")
        with pytest.raises(CRMError, match="add up to more than can be counted"):
            repository.transact(lambda tx: tx.add(replace(sale, note="again")), "sold")
    with closing(sqlite3.connect(path)) as raw:
        assert raw.execute("SELECT count(*) FROM sale").fetchone() == (1,)

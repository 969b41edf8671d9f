"""Invoices and payments as the account of a client sees them: its own, once they are issued, and nothing else."""

from collections.abc import Iterator
from contextlib import closing
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from crm.errors import ForbiddenError, NotFoundError
from crm.model import (
    Adjustment,
    Allocation,
    Client,
    Invoice,
    InvoiceLine,
    NumberSeries,
    Payment,
    Record,
    Reminder,
    ReminderLevel,
    Service,
)
from crm.model.rights import CLIENT, Reader
from crm.repository import Query
from crm.repository.tables import TABLES
from tests.conftest import STORES, Store
from tests.support.guarded import FOREIGN, INTERNAL, guarded_for

DAY = date(2026, 11, 2)
PARTS = (InvoiceLine, Adjustment, Allocation)
SEEN = (Invoice, Payment, *PARTS)


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Two clients, each with an issued invoice, a draft, a credit note, a payment and a refund."""
    with closing(Store(STORES[request.param], tmp_path)) as opened:
        opened.change(_fill, "filled")
        yield opened


def _fill(tx: Any) -> None:
    for name in ("own", FOREIGN):
        client = tx.add(Client(kind="company", company=name)).id
        invoices = [
            tx.add(Invoice(client=client, kind=kind, state="draft", currency="EUR", memo=INTERNAL, user=INTERNAL))
            for kind in ("invoice", "invoice", "credit_note")
        ]
        for invoice in invoices:
            line = {"tax_category": "S", "tax_rate": Decimal(19), "quantity": Decimal(1), "price": Decimal(100)}
            tx.add(InvoiceLine(invoice=invoice.id, position=1, name=f"line of {name}", **line))
            tx.add(Adjustment(invoice=invoice.id, amount=Decimal(1), reason=f"of {name}"))
        tx.settle()
        for invoice in (invoices[0], invoices[2]):
            number = f"{invoice.kind}-{name}"
            tx.change(tx.get(Invoice, invoice.id), state="issued", number=number, issued_on=DAY, digest=INTERNAL)
        money = {"client": client, "on": DAY, "currency": "EUR", "note": INTERNAL, "user": INTERNAL}
        paid = tx.add(Payment(kind="payment", amount=Decimal(50), reference=f"of {name}", **money))
        tx.add(Payment(kind="refund", amount=Decimal(1), reference=f"of {name}", **money))
        tx.add(Allocation(payment=paid.id, invoice=invoices[0].id, amount=Decimal(20)))
        tx.add(Reminder(invoice=invoices[0].id, level=1, on=DAY, user=INTERNAL))
        tx.settle()


def _all(store: Store, kind: type[Record]) -> list[Any]:
    with store.repository.read() as snapshot:
        return snapshot.find_all(kind)


def test_a_client_sees_its_own_issued_invoices_and_payments_and_nothing_else(store: Store) -> None:
    guarded = guarded_for(store.repository, Reader(1, CLIENT, 1, "Olga"))
    issued = {invoice.id for invoice in _all(store, Invoice) if invoice.client == 1 and invoice.state == "issued"}
    own = {
        Invoice: issued,
        Payment: {payment.id for payment in _all(store, Payment) if payment.client == 1},
        InvoiceLine: {line.id for line in _all(store, InvoiceLine) if line.invoice in issued},
        Adjustment: {part.id for part in _all(store, Adjustment) if part.invoice in issued},
        Allocation: {part.id for part in _all(store, Allocation) if part.invoice in issued},
    }
    assert [len(own[kind]) for kind in SEEN] == [2, 2, 2, 2, 1]
    with guarded.read() as snapshot:
        for kind in SEEN:
            seen = snapshot.find_all(kind)
            assert {record.id for record in seen} == own[kind], kind
            assert {record.id for record in snapshot.each(kind)} == own[kind], kind
            assert (snapshot.count(kind), set(snapshot.numbers(kind))) == (len(own[kind]), own[kind]), kind
            assert INTERNAL not in repr(seen)
            assert FOREIGN not in repr(seen)
            for record in _all(store, kind):
                assert (snapshot.find(kind, record.id) is not None) == (record.id in own[kind]), (kind, record.id)
        # Whatever it asks for, a draft and what is of others stays unseen.
        for kind, query in (
            (Invoice, Query({"state": "draft"})),
            (Invoice, Query({"client": 2})),
            (Invoice, Query(within={"state": "draft", "client": 2})),
            (InvoiceLine, Query({"invoice": 2})),
            (InvoiceLine, Query(within={"invoice": [4, 5]})),
        ):
            assert (
                snapshot.count(kind, query) == 0
                or {record.id for record in snapshot.find_all(kind, query)} <= own[kind]
            )
        for hidden in (Reminder, ReminderLevel, Service, NumberSeries):
            with pytest.raises(ForbiddenError):
                snapshot.find_all(hidden)
        for kind in SEEN:
            with pytest.raises(ForbiddenError):
                snapshot.select(select(func.count()).select_from(TABLES[kind]))


def test_a_client_changes_no_invoice_and_no_payment(store: Store) -> None:
    guarded = guarded_for(store.repository, Reader(1, CLIENT, 1, "Olga"))
    new = (
        Invoice(client=1, kind="invoice", state="draft", currency="EUR"),
        InvoiceLine(invoice=1, position=2, name="more"),
        Adjustment(invoice=1, amount=Decimal(5)),
        Payment(client=1, kind="payment", on=DAY, amount=Decimal(5), currency="EUR"),
        Allocation(payment=1, invoice=1, amount=Decimal(5)),
    )
    before = {kind: _all(store, kind) for kind in SEEN}
    for record in new:
        stored = before[type(record)][0]
        for act in (
            lambda tx, record=record: tx.add(record),
            lambda tx, stored=stored: tx.change(stored, version=9),
            lambda tx, stored=stored: tx.delete(stored),
        ):
            with pytest.raises((ForbiddenError, NotFoundError)):
                guarded.transact(act, "tried")
    assert {kind: _all(store, kind) for kind in SEEN} == before

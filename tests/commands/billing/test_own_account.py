"""The figures of a client's own account: read record by record, they are those that the team's statements give."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from itertools import product

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crm.commands.billing.documents import shown_state
from crm.commands.billing.own_account import own_credit
from crm.invoicing.state import STATES
from crm.model import Invoice, Payment, Record
from crm.model.money import NOTHING
from crm.repository import Query, tables
from crm.repository.bulk import insert_rows
from crm.repository.queries.billing import WhichInvoices, credit_by_currency, listed
from tests.conftest import STORES, Store, _new_store
from tests.support.clocks import TODAY

_AMOUNTS = st.sampled_from([Decimal(text) for text in ("0", "0.01", "40", "60", "100", "-20")])
_DAYS = st.one_of(st.none(), st.sampled_from([TODAY + timedelta(days=days) for days in (-40, -1, 0, 1)]))
_CURRENCIES = st.sampled_from(["EUR", "USD"])
_CLIENTS = st.integers(1, 2)
_INVOICES = st.lists(
    st.builds(
        lambda total, paid, credited, **fields: Invoice(
            total=total, paid=paid, credited=credited, open=_open(total, paid, credited, **fields), **fields
        ),
        client=_CLIENTS, kind=st.sampled_from(["invoice", "credit_note"]), state=st.sampled_from(["draft", "issued"]),
        number=st.sampled_from(["RE-1", "re-12", "GÜ-1", "gü-2", ""]), total=_AMOUNTS, paid=_AMOUNTS,
        credited=_AMOUNTS, used_again=_AMOUNTS, overpaid=_AMOUNTS, issued_on=_DAYS, due_on=_DAYS, currency=_CURRENCIES,
    ), max_size=5,
)  # fmt: skip
_PAYMENTS = st.lists(st.builds(Payment, client=_CLIENTS, on=st.just(TODAY), left=_AMOUNTS, currency=_CURRENCIES))
_FILTERS = st.builds(
    WhichInvoices,
    state=st.sampled_from(["", "open", *STATES]), client=st.integers(0, 3), since=_DAYS, until=_DAYS,
    number=st.sampled_from(["", "1", "Re", "gÜ"]), over=st.one_of(st.none(), _AMOUNTS),
    under=st.one_of(st.none(), _AMOUNTS),
)  # fmt: skip


def _open(total: Decimal, paid: Decimal, credited: Decimal, *, kind: str, state: str, **_: object) -> Decimal:
    """The amount that is open on an invoice, as the store keeps it."""
    return max(total - paid - credited, NOTHING) if (kind, state) == ("invoice", "issued") else NOTHING


def _put(store: Store, records: Sequence[Record]) -> None:
    """Put records into their table as they are, in the place of those that are there, each with a number of its own."""
    with store.repository._engine.begin() as connection:
        for kind in (Invoice, Payment):
            connection.execute(tables.TABLES[kind].delete())
            stamp = {"created_at": store.repository.clock.now, "updated_at": store.repository.clock.now}
            rows = [tables.row_of(record) | stamp for record in records if type(record) is kind]
            for at, row in enumerate(rows, start=1):
                row["id"] = at
                if row.get("number"):
                    row["number"] += str(at)
            if rows:
                insert_rows(connection, tables.TABLES[kind], rows)


_EVERY_STATE = [
    Invoice(
        client=1, kind=kind, state=state, due_on=due, used_again=used_again, total=total, paid=paid, credited=credited,
        open=_open(total, paid, credited, kind=kind, state=state),
    )
    for kind in ("invoice", "credit_note")
    for state in ("draft", "issued")
    for due in (None, TODAY, TODAY - timedelta(days=1))
    for total, paid, credited, used_again in product(*[(NOTHING, Decimal(40), Decimal(100))] * 3, (NOTHING, Decimal(9)))
]  # fmt: skip


@pytest.fixture(scope="module")
def shop() -> Iterator[Store]:
    with _new_store(STORES["sqlite"]) as store:
        for _ in range(2):
            store.add()
        yield store


@given(invoices=_INVOICES, filters=st.lists(_FILTERS, min_size=1, max_size=5))
@example(invoices=_EVERY_STATE, filters=[WhichInvoices(state=state) for state in ("open", *STATES)])
def test_a_filter_and_a_state_mean_the_same_in_sql_and_record_by_record(
    shop: Store, invoices: list[Invoice], filters: list[WhichInvoices]
) -> None:
    _put(shop, invoices)
    with shop.repository.read() as snapshot:
        everything = snapshot.find_all(Invoice, Query(sort="id"))
        for which in filters:
            fitting = [one.id for one in everything if which.fits(one, shown_state(one, snapshot.today))]
            assert [invoice.id for invoice in listed(snapshot, which, "id")] == fitting, which


@given(invoices=_INVOICES, payments=_PAYMENTS)
def test_the_credit_of_a_client_is_the_same_in_sql_and_record_by_record(
    shop: Store, invoices: list[Invoice], payments: list[Payment]
) -> None:
    for client in (1, 2):
        own = [record for record in (*invoices, *payments) if record.client == client]
        _put(shop, own)
        with shop.repository.read() as snapshot:
            by_statement = credit_by_currency(snapshot, [1, 2]).get(client, {})
            by_record = {currency: credit for currency, credit in own_credit(snapshot).items() if credit > NOTHING}
        assert by_statement == by_record

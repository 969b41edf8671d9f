"""The rule of payments: never more is paid back, or put on invoices, than a client has paid."""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Row, Select, bindparam, func, or_, select, true, union_all

from crm.batching import batches
from crm.errors import RefusedError
from crm.model import Allocation, Client, Invoice, Payment, Record
from crm.model.money import NOTHING
from crm.repository.invoice_conditions import HAS_LEFT, IS_OVERPAID
from crm.repository.tables import TABLES, audit, transactions

if TYPE_CHECKING:
    from crm.repository.sql_access import SqlReader, SqlWriter

BILLED = frozenset((Payment, Allocation, Invoice))

_payment, _allocation = TABLES[Payment].c, TABLES[Allocation].c
_NOTES = TABLES[Invoice].alias("note")
_invoice, _note = TABLES[Invoice].c, _NOTES.c


class Balances:
    """The credit of the clients that a transaction touches, by currency, as it was before; and what it touches."""

    def __init__(self) -> None:
        # False where a transaction has written no billing records.
        self.noted = False
        self.credits: dict[int, Mapping[str, Decimal]] = {}
        self._left: dict[int, Decimal] = {}
        self._allocations: set[int] = set()
        # The invoices that were restored, or are now of another client.
        self._invoices: set[int] = set()
        self._payments: set[int] = set()

    def note(self, tx: "SqlWriter", record: Record, changes: Mapping[str, Any] | None = None) -> None:
        """Note how things are before a record is written; `changes` are the fields that are to be written, None where
        the record is added, put back or deleted."""
        self.noted |= type(record) in BILLED
        is_moved = changes is None or "client" in changes
        match record:
            case Allocation():
                self._allocations.add(record.id)
                return
            case Payment():
                self._left.setdefault(record.id, NOTHING if changes is None else record.left)
                moved = self._payments
            case Invoice():
                moved = self._invoices
            case _:
                return
        if is_moved and record.id:
            moved.add(record.id)
        for client in {record.client, (changes or {}).get("client", record.client)} - self.credits.keys():
            self.credits[client] = _credits(tx, client)

    def refuse_wrong(self, tx: "SqlWriter") -> None:
        """Raise RefusedError where more than was paid would be paid back or put on invoices, or what one client paid
        would be on an invoice of another."""
        # A merge hands on what was wrong before; anything else may only make it better.
        least: dict[str, Decimal] = {}
        for credits in self.credits.values():
            for currency, credit in credits.items():
                least[currency] = min(least.get(currency, NOTHING), credit)
        for client in self.credits:
            for currency, credit in _credits(tx, client).items():
                if credit < least.get(currency, NOTHING):
                    name = tx.get(Client, client).name
                    raise RefusedError(
                        f"More would be refunded, or applied to invoices, than {name} has paid: the credit would be"
                        f" {credit:f} {currency}. Nothing was changed."
                    )
        for batch in batches(sorted(self._left)):
            over = select(_payment.id, _payment.amount, _payment.used, _payment.left).where(
                _payment.id.in_(batch), _payment.kind == "payment", _payment.left < NOTHING
            )
            for row in tx.connection.execute(over):
                if row.left < self._left[row.id]:
                    raise RefusedError(
                        f"Payment {row.id} of {row.amount:f} would pay {row.used:f} of invoices. Nothing was changed."
                    )
        for column, numbers in (
            (_allocation.id, self._allocations),
            (_allocation.payment, self._payments),
            (_allocation.invoice, self._invoices),
        ):
            for batch in batches(sorted(numbers)):
                for wrong in tx.connection.execute(_astray(column.in_(batch)).limit(1)):
                    raise RefusedError(f"{_astray_words(wrong, 'would be')}. Nothing was changed.")
        for batch in batches(sorted(self._invoices)):
            # One after the other: asked in one statement, both would be looked for from end to end.
            for column in (_note.id, _invoice.id):
                for wrong in tx.connection.execute(_credited_astray(column.in_(batch)).limit(1)):
                    raise RefusedError(f"{_credited_words(wrong, 'would be')}. Nothing was changed.")

    def later(self, tx: "SqlWriter", number: int) -> Iterator[int]:
        """The transactions after one that recorded payments, refunds and allocations of the clients."""
        for kind, of in ((Payment, _payment), (Allocation, _allocation)):
            statement = (
                select(func.max(audit.c.transaction).label("later"))
                .join_from(TABLES[kind], audit, audit.c.record_id == of.id)
                .join(transactions, transactions.c.id == audit.c.transaction)
                .where(
                    audit.c.record == kind.kind_name,
                    audit.c.operation == "create",
                    audit.c.transaction > number,
                    transactions.c.undone_by.is_(None),
                    _payment.client.in_(sorted(self.credits)),
                )
                .group_by(of.id)
                .order_by(of.id)
            )
            if kind is Allocation:
                statement = statement.join(TABLES[Payment], _payment.id == _allocation.payment)
            for row in tx.connection.execute(statement):
                if row.later == tx.number:
                    continue
                yield row.later


def faults(snapshot: "SqlReader") -> Iterator[tuple[str, str, int]]:
    """The faults of a store, each as a sentence with the kind and the id of the record."""
    for row in snapshot.select(_credit_below_nothing()):
        yield (
            f"Client {row.client} has a credit of {row.credit:f} {row.currency}: more was refunded, or applied to"
            " invoices, than was paid.",
            "client",
            row.client,
        )
    over = select(_payment.id, _payment.amount, _payment.used).where(
        _payment.kind == "payment", _payment.left < NOTHING
    )
    for row in snapshot.select(over):
        yield f"Payment {row.id} of {row.amount:f} pays {row.used:f} of invoices.", "payment", row.id
    for row in snapshot.select(_astray()):
        yield f"{_astray_words(row, 'is')}.", "payment", row.payment
    for row in snapshot.select(_credited_astray()):
        yield f"{_credited_words(row, 'is')}.", "invoice", row.note


def rows_of_credit(of: Callable[[Any], ColumnElement[bool]] = lambda _: true()) -> Any:
    """The credit that each payment and each invoice adds for its client; `of` says, by their columns, which of them."""
    rows = (
        select(columns.client, columns.currency, columns[name].label("credit")).where(has_any, of(columns))
        for columns, name, has_any in ((_payment, "left", HAS_LEFT), (_invoice, "overpaid", IS_OVERPAID))
    )
    return union_all(*rows).subquery().c


_of_client = rows_of_credit(lambda columns: columns.client == bindparam("wanted"))
_CREDITS = select(_of_client.currency, func.sum(_of_client.credit)).group_by(_of_client.currency)


def _credits(snapshot: "SqlReader", client: int) -> Mapping[str, Decimal]:
    """The credit of a client, by currency."""
    return {row[0]: row[1] for row in snapshot.select(_CREDITS, wanted=client)}


def _credit_below_nothing() -> Select[Any]:
    rows = rows_of_credit()
    credit = func.sum(rows.credit)
    by = (rows.client, rows.currency)
    return select(*by, credit.label("credit")).group_by(*by).having(credit < NOTHING).order_by(*by)


def _astray(*where: ColumnElement[bool]) -> Select[Any]:
    """The allocations on an invoice of another client, or in another currency."""
    differs = or_(_payment.client != _invoice.client, _payment.currency != _invoice.currency)
    return (
        select(
            _payment.id.label("payment"), _payment.client.label("payer"), _payment.currency.label("paid_in"),
            _invoice.number, _invoice.client, _invoice.currency,
        )
        .select_from(TABLES[Allocation])
        .join(TABLES[Payment], _payment.id == _allocation.payment)
        .join(TABLES[Invoice], _invoice.id == _allocation.invoice)
        .where(differs, *where)
        .order_by(_allocation.id)
    )  # fmt: skip


def _astray_words(row: Row[Any], verb: str) -> str:
    if row.payer != row.client:
        return f"Payment {row.payment} of client {row.payer} {verb} on {row.number} of client {row.client}"
    return f"Payment {row.payment} in {row.paid_in} {verb} on {row.number} in {row.currency}"


def _credited_astray(*where: ColumnElement[bool]) -> Select[Any]:
    """The credit notes of another client than the invoice that they credit."""
    return (
        select(_note.id.label("note"), _note.number.label("note_number"), _note.client.label("note_client"),
               _invoice.number, _invoice.client)
        .join_from(_NOTES, TABLES[Invoice], _note.corrects == _invoice.id)
        .where(_note.client != _invoice.client, *where)
        .order_by(_note.id)
    )  # fmt: skip


def _credited_words(row: Row[Any], verb: str) -> str:
    return f"Credit note {row.note_number} of client {row.note_client} {verb} about {row.number} of client {row.client}"

"""Unpaid invoices of 100 000 clients with 300 000 invoices, and the clients that a run of reminders would reach."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from benchmarks.made_up import TODAY, crm_at, store_of
from benchmarks.measuring import Result, claim
from crm.commands.context import CRM
from crm.commands.registry import named
from crm.model import Invoice, InvoiceLine
from crm.repository import Transaction
from crm.repository.tables import TABLES

INVOICES, OVERDUE = 300_000, 10_000
LIMIT, PREVIEW_LIMIT = 1.5, 6
_PAGE = 50
# One in so many invoices is open.
_OPEN = 10


def measure(folder: Path) -> Iterator[Result]:
    """A page of what is unpaid and the preview of a run, each beside its SQL."""
    store = invoiced_store(folder, 100_000, INVOICES)
    yield _beside_its_sql(f"a page of who owes what, of {INVOICES:,} invoices", store, page, LIMIT, runs=15)
    store = invoiced_store(folder, 10_000, OVERDUE, of_open=1)
    yield _beside_its_sql(
        f"preview of reminders of {OVERDUE:,} overdue invoices", store, previewed, PREVIEW_LIMIT, runs=5
    )


def _beside_its_sql(name: str, store: Path, action: Callable[[CRM], None], limit: float, runs: int) -> Result:
    crm = crm_at(store)
    ran = _statements(lambda: action(crm))

    def floor() -> None:
        for text, values in ran:
            bare.execute(text, values).fetchall()

    with closing(sqlite3.connect(store)) as bare:
        result = claim(name, lambda: action(crm), floor, "its bare SQL", limit, runs=runs)
    crm.repository.close()
    return result


def page(crm: CRM) -> None:
    assert len(named("unpaid list")(crm, limit=_PAGE)) == _PAGE


def previewed(crm: CRM) -> None:
    assert sum(len(reminding.due) for reminding in named("reminders preview")(crm)) == OVERDUE


def _statements(action: Callable[[], object]) -> Sequence[tuple[str, Any]]:
    """The selects that something runs, with their values."""
    ran: list[tuple[str, Any]] = []

    def note(_: Any, __: Any, statement: str, values: Any, *___: Any) -> None:
        if (
            statement.startswith("SELECT invoice")
            or "FROM invoice" in statement
            or "FROM client" in statement
            or "FROM allocation" in statement
        ):
            ran.append((statement, values))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        action()
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    return ran


def invoiced_store(folder: Path, clients: int, invoices: int, of_open: int = _OPEN) -> Path:
    """A store of made-up clients with as many invoices, each with a line: copies of two that are made as all others,
    with days, amounts and clients of their own. Made once a run."""
    path = folder / f"invoices-{invoices}.sqlite3"
    if path.exists():
        return path
    begun = path.with_suffix(".begun")
    begun.unlink(missing_ok=True)
    with closing(sqlite3.connect(store_of(folder, clients))) as made, closing(sqlite3.connect(begun)) as copy:
        made.backup(copy)
    crm = crm_at(begun)
    crm.transact(_first_invoice, "made-up invoices")
    crm.repository.close()
    with closing(sqlite3.connect(begun)) as file:
        _multiply(file, clients, invoices, of_open)
    begun.rename(path)
    return path


def _first_invoice(tx: Transaction) -> None:
    day = TODAY - timedelta(days=60)
    draft = tx.add(Invoice(client=1, kind="invoice", state="draft", currency="EUR"))
    tx.add(
        InvoiceLine(
            invoice=draft.id, position=1, name="Consulting", quantity=Decimal(1), price=Decimal(100), unit="HUR",
            tax_category="S", tax_rate=Decimal(19),
        )
    )  # fmt: skip
    tx.settle()
    tx.change(tx.get(Invoice, draft.id), state="issued", number="RE-1", issued_on=day, due_on=day)


def _multiply(file: sqlite3.Connection, clients: int, invoices: int, of_open: int) -> None:
    """Copy the first invoice and its line by the database itself."""
    number = "series.n"
    day = f"date('{TODAY - timedelta(days=40)}', '-' || ({number} % 300) || ' days')"
    amount = f"(({number} * 37 % 900 + 10) * 10000)"
    is_open = f"({number} % {of_open} = 0)"
    changed = {
        Invoice: {
            "id": number, "client": f"({number} * 7919 % {clients} + 1)", "number": f"'RE-' || {number}",
            "issued_on": day, "due_on": day, "net": amount, "tax": f"{amount} * 19 / 100",
            "total": f"{amount} * 119 / 100", "paid": f"CASE WHEN {is_open} THEN 0 ELSE {amount} * 119 / 100 END",
            "open": f"CASE WHEN {is_open} THEN {amount} * 119 / 100 ELSE 0 END",
        },
        InvoiceLine: {"id": number, "invoice": number, "price": f"{amount}", "net": amount},
    }  # fmt: skip
    series = f"WITH RECURSIVE series(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM series WHERE n < {invoices})"
    for kind, values in changed.items():
        table = TABLES[kind].name
        names = [column.name for column in TABLES[kind].columns]
        columns = ", ".join(values.get(name, f'"{name}"') for name in names)
        listed = ", ".join(f'"{name}"' for name in names)
        file.execute(
            f"INSERT INTO {table} ({listed}) {series} SELECT {columns} FROM {table}, series WHERE {table}.id = 1"
        )
    file.execute(
        "UPDATE client SET open_amount = coalesce((SELECT sum(open) FROM invoice WHERE invoice.client = client.id), 0)"
    )
    file.commit()
    file.execute("ANALYZE")

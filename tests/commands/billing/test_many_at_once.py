"""Two desks that issue and book at the same time, and a program that is killed: numbers without a gap or a double."""

import os
import signal
import threading
import warnings
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from crm.app import open_crm
from crm.commands.context import CRM
from crm.commands.registry import named
from crm.config import Config
from crm.model import Client, Invoice, Payment
from crm.repository import Query
from tests.commands.billing.conftest import BillingDesk
from tests.support.clocks import TODAY, running_on
from tests.support.firm import SELLER


@pytest.mark.slow
def test_two_desks_issue_and_book_at_once(desk: BillingDesk) -> None:
    drafts = [desk.draft() for _ in range(6)]
    other = replace(desk.crm, repository=desk.store.another("bob"))
    faults: list[BaseException] = []

    def issue(crm: CRM, mine: list[Invoice]) -> None:
        try:
            for draft in mine:
                named("invoices issue")(crm, draft)
                named("payments add")(crm, desk.acme, Decimal(100), reference=str(draft.id))
        except BaseException as fault:
            faults.append(fault)

    desks = [
        threading.Thread(target=issue, args=(crm, mine))
        for crm, mine in ((desk.crm, drafts[::2]), (other, drafts[1::2]))
    ]
    for thread in desks:
        thread.start()
    for thread in desks:
        thread.join(60)
    assert faults == []
    with desk.store.repository.read() as snapshot:
        invoices = snapshot.find_all(Invoice)
        client = snapshot.get(Client, desk.acme.id)
    assert sorted(invoice.number for invoice in invoices) == [f"RE-2026-{at:04}" for at in range(1, 7)]
    assert sum(invoice.paid for invoice in invoices) == 600
    assert client.open_amount == 6 * 357 - 600
    assert desk.sound()


def _opened(folder: Path) -> CRM:
    return open_crm(Config(f"sqlite:///{folder / 'store.sqlite3'}", "anna", running_on(TODAY)))


def _issue_and_pay(crm: CRM) -> None:
    """Does what is not done yet: issues the draft, and books the payment for it."""
    with crm.read() as snapshot:
        (invoice,) = snapshot.find_all(Invoice, Query(sort="-id", limit=1))
        paid = snapshot.find_all(Payment, Query({"reference": str(invoice.id)}))
    if invoice.state == "draft":
        named("invoices issue")(crm, invoice)
    if not paid:
        with crm.read() as snapshot:
            client = snapshot.get(Client, invoice.client)
        named("payments add")(crm, client, Decimal("59.50"), reference=str(invoice.id))


def _killed_after(folder: Path, statements: int) -> bool:
    """Whether a program that issues and books was killed after so many statements that write, or was done before."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if not child:
        code = 1
        try:
            crm = _opened(folder)
            left = statements

            def count(*arguments: object) -> None:
                nonlocal left
                if str(arguments[2]).lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE")):
                    left -= 1
                    if not left:
                        os.kill(os.getpid(), signal.SIGKILL)

            event.listen(Engine, "after_cursor_execute", count)
            _issue_and_pay(crm)
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    ended = os.waitstatus_to_exitcode(status)
    assert ended in (0, -signal.SIGKILL)
    return ended != 0


@pytest.mark.slow
def test_killed_between_any_two_statements_and_run_again_there_is_no_gap_and_no_double(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    crm = _opened(tmp_path)
    for name, value in SELLER.items():
        named("settings set")(crm, name, value)
    acme = named("clients add")(crm, {"company": "Acme", "address": "Weg 1", "city": "Wien", "country": "AT"})
    crm.repository.close()
    statements = 1
    was_killed = True
    while was_killed:
        crm = _opened(tmp_path)
        named("invoices add")(crm, acme, ["Work 50 19%"])
        crm.repository.close()
        was_killed = _killed_after(tmp_path, statements)
        crm = _opened(tmp_path)
        _issue_and_pay(crm)
        with crm.read() as snapshot:
            numbers = sorted(invoice.number for invoice in snapshot.find_all(Invoice))
            payments = snapshot.count(Payment)
            client = snapshot.get(Client, acme.id)
        assert numbers == [f"RE-2026-{at:04}" for at in range(1, statements + 1)]
        assert (payments, client.open_amount, client.credit) == (statements, 0, 0)
        assert not named("check")(crm).wrong
        crm.repository.close()
        statements += 1
    # It was killed many times, in both.
    assert statements > 12

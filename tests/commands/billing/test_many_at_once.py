"""Concurrent billing: two programs that issue and book at the same time, and one that is killed; numbers have no gaps
and no duplicates."""

import os
import signal
import threading
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import trustme
from sqlalchemy import event
from sqlalchemy.engine import Engine

from crm.app import open_crm
from crm.commands.billing import sending
from crm.commands.context import CRM
from crm.commands.registry import named
from crm.config import Config
from crm.model import Client, Invoice, Payment
from crm.repository import Query
from tests.commands.billing.conftest import BillingDesk
from tests.conftest import STORES, _new_store
from tests.support.clocks import TODAY, running_on
from tests.support.firm import SELLER
from tests.support.mail_server import Post, served
from tests.support.sheets_team import Team


@pytest.mark.slow
def test_two_programs_issue_and_book_at_once(desk: BillingDesk) -> None:
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


# What the service does with two requests of one moment; nothing where it does one after the other.
_MERGED = {"": [], "marker": ["marker"], "rows": ["marker", "append"], "all": ["marker", "append", "copy", "answer"]}


@pytest.mark.slow
@pytest.mark.parametrize("merged", _MERGED)
def test_two_desks_on_a_spreadsheet_issue_pay_and_credit_at_one_moment(
    team: Team, sheet_desk: BillingDesk, merged: str
) -> None:
    desk, rounds = sheet_desk, 2
    drafts = [desk.draft() for _ in range(2 * rounds)]
    desks = [desk.crm, replace(desk.crm, repository=desk.store.another("bob"))]
    faults: list[BaseException] = []
    start = threading.Barrier(2)

    def work(crm: CRM, mine: list[Invoice]) -> None:
        try:
            for draft in mine:
                start.wait(120)
                issued = named("invoices issue")(crm, draft).invoice
                start.wait(120)
                named("payments add")(crm, desk.acme, Decimal(100), reference=str(draft.id), invoice=[issued])
                start.wait(120)
                named("invoices credit")(crm, issued, amount=Decimal(57))
        except BaseException as fault:
            faults.append(fault)
            start.abort()

    if _MERGED[merged]:
        team.person.serialises(team.id, False)
        team.person.merges(_MERGED[merged], 0.02)
    threads = [threading.Thread(target=work, args=(crm, drafts[at::2])) for at, crm in enumerate(desks)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(300)
    team.person.merges([])
    assert (faults, [thread for thread in threads if thread.is_alive()]) == ([], [])
    found = team.agreed()
    numbers = sorted(record.number for record in found[Invoice].values())  # type: ignore[attr-defined]
    assert numbers == [f"{series}-2026-{at:04}" for series in ("GS", "RE") for at in range(1, 2 * rounds + 1)]
    opened = [record for record in found[Invoice].values() if record.kind == "invoice"]  # type: ignore[attr-defined]
    assert {(record.paid, record.credited, record.open) for record in opened} == {(100, 57, 200)}  # type: ignore[attr-defined]
    assert (len(found[Payment]), desk.again(desk.acme).open_amount) == (2 * rounds, 2 * rounds * 200)
    assert desk.sound()


def _opened(folder: Path, port: int = 0) -> CRM:
    """A program on the store in a folder; its mail goes to the server at a port."""
    mail = {"smtp_url": f"smtp://127.0.0.1:{port}", "mail_from": "us@example.com"} if port else {}
    config = Config(f"sqlite:///{folder / 'store.sqlite3'}", "anna", running_on(TODAY), **mail)
    return open_crm(config)


def _issued(crm: CRM) -> Invoice:
    """The last invoice, which is issued unless it is already."""
    with crm.read() as snapshot:
        (invoice,) = snapshot.find_all(Invoice, Query({"kind": "invoice"}, sort="-id", limit=1))
    issued: Invoice = named("invoices issue")(crm, invoice).invoice if invoice.state == "draft" else invoice
    return issued


def _issue_and_pay(crm: CRM) -> None:
    """Do what is not done yet: issue the draft, and book the payment for it."""
    invoice = _issued(crm)
    with crm.read() as snapshot:
        client = snapshot.get(Client, invoice.client)
        paid = snapshot.find_all(Payment, Query({"reference": str(invoice.id)}))
    if not paid:
        named("payments add")(crm, client, Decimal("59.50"), reference=str(invoice.id))


def _issue_and_credit(crm: CRM) -> None:
    """Do what is not done yet: issue the draft, and credit it."""
    invoice = _issued(crm)
    with crm.read() as snapshot:
        credited = snapshot.find_all(Invoice, Query({"corrects": invoice.id}))
    if not credited:
        named("invoices credit")(crm, invoice)


def _assert_settled(crm: CRM, client: Client, count: int, work: Callable[[CRM], None]) -> None:
    """Each of so many invoices was issued and settled once, and the numbers have no gap."""
    series = ["RE"] if work is _issue_and_pay else ["GS", "RE"]
    with crm.read() as snapshot:
        numbers = sorted(invoice.number for invoice in snapshot.find_all(Invoice))
        current = snapshot.get(Client, client.id)
        payments = snapshot.count(Payment)
    assert numbers == [f"{letters}-2026-{at:04}" for letters in series for at in range(1, count + 1)]
    assert (current.open_amount, current.credit) == (0, 0)
    assert payments == (count if work is _issue_and_pay else 0)
    assert not named("check")(crm).wrong


def _killed_after(folder: Path, statements: int, work: Callable[[CRM], None], port: int = 0) -> bool:
    """True if the program was killed after this many write statements; False if it finished first."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if not child:
        code = 1
        try:
            crm = _opened(folder, port)
            left = statements

            def count(*arguments: object) -> None:
                nonlocal left
                if str(arguments[2]).lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE")):
                    left -= 1
                    if not left:
                        os.kill(os.getpid(), signal.SIGKILL)

            event.listen(Engine, "after_cursor_execute", count)
            work(crm)
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    ended = os.waitstatus_to_exitcode(status)
    assert ended in (0, -signal.SIGKILL)
    return ended != 0


@pytest.mark.slow
@pytest.mark.parametrize("work", [_issue_and_pay, _issue_and_credit])
def test_a_kill_at_any_statement_leaves_no_gap_and_no_duplicate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, work: Callable[[CRM], None]
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
        was_killed = _killed_after(tmp_path, statements, work)
        crm = _opened(tmp_path)
        work(crm)
        _assert_settled(crm, acme, statements, work)
        crm.repository.close()
        statements += 1
    # It was killed many times, in both.
    assert statements > 12


def _send_and_remind(crm: CRM) -> None:
    """Do what is not done yet: send the last invoice, and remind of what is overdue."""
    with crm.read() as snapshot:
        (invoice,) = snapshot.find_all(Invoice, Query(sort="-id", limit=1))
    if not invoice.message:
        named("invoices send")(crm, invoice, yes=True)
    named("reminders run")(crm, yes=True)
    named("email outbox")(crm)


def _firm(crm: CRM) -> Client:
    for name, value in SELLER.items():
        named("settings set")(crm, name, value)
    crm.forget_settings()
    address = {"address": "Weg 1", "city": "Wien", "country": "AT", "email": "acme@example.com"}
    client: Client = named("clients add")(crm, {"company": "Acme", **address})
    return client


def _overdue(crm: CRM, client: Client) -> str:
    draft = named("invoices add")(crm, client, ["Work 50 19%"]).invoice
    day = TODAY - timedelta(days=5)
    number: str = named("invoices issue")(crm, draft, day, day).invoice.number
    return number


def _assert_sent_and_reminded_once(crm: CRM, post: Post, numbers: list[str]) -> None:
    """Each invoice was sent once and reminded of once, however often a program was killed meanwhile."""
    mails = [(str(mail["Subject"]), str(mail.get_body(("plain",)).get_content())) for mail in post.taken]
    invoices = Counter(subject.split()[1] for subject, _ in mails if subject.startswith("Invoice "))
    reminders = [text for subject, text in mails if subject.startswith("Payment reminder")]
    assert invoices == Counter(numbers)
    assert [sum(number in text for text in reminders) for number in numbers] == [1] * len(numbers)
    with crm.read() as snapshot:
        kept = snapshot.find_all(Invoice)
    assert {(invoice.sendings, invoice.reminded) for invoice in kept} == {(1, 1)}
    assert not named("check")(crm).wrong


@pytest.mark.slow
def test_a_kill_during_sending_and_reminding_sends_each_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    # What is killed here is the sending, not the making of the file.
    monkeypatch.setattr(sending, "pdf_of", lambda *_: (b"%PDF", ""))
    post, numbers = Post(), list[str]()
    with served(post, trustme.CA()) as port:
        crm = _opened(tmp_path)
        acme = _firm(crm)
        named("settings set")(crm, "mails_per_minute", "6000")
        crm.repository.close()
        was_killed = True
        while was_killed:
            crm = _opened(tmp_path)
            numbers.append(_overdue(crm, acme))
            crm.repository.close()
            was_killed = _killed_after(tmp_path, len(numbers), _send_and_remind, port)
            crm = _opened(tmp_path, port)
            _send_and_remind(crm)
            _assert_sent_and_reminded_once(crm, post, numbers)
            crm.repository.close()
    assert len(numbers) > 20


class Killed(BaseException):
    """Stands for kill -9 between two requests to Google: nothing of the program runs any more."""


def _dying(repository: Any, step: int) -> None:
    """Let a program end at a step: an odd one is before a request that writes, an even one after it."""
    write, steps = repository.service.write, 0

    def dying(*arguments: Any, **options: Any) -> Any:
        nonlocal steps
        steps += 1
        if steps >= step:
            raise Killed
        answer = write(*arguments, **options)
        steps += 1
        if steps >= step:
            raise Killed
        return answer

    repository.service.write = dying


@pytest.mark.slow
@pytest.mark.parametrize("work", [_issue_and_pay, _issue_and_credit, _send_and_remind])
def test_a_kill_at_any_request_to_a_spreadsheet_repeats_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, work: Callable[[CRM], None]
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr(sending, "pdf_of", lambda *_: (b"%PDF", ""))
    post, numbers = Post(), list[str]()
    with served(post, trustme.CA()) as port, _new_store(STORES["sheets"]) as store:
        own = _opened(tmp_path, port)

        def program() -> CRM:
            """One more program on this machine, which has read the settings as each does when it starts."""
            started = replace(own, repository=store.another("anna", same_machine=True))
            assert started.settings
            return started

        crm = replace(own, repository=store.repository)
        assert crm.settings
        acme = _firm(crm)
        named("settings set")(crm, "mails_per_minute", "6000")
        step, was_killed = 1, True
        while was_killed:
            crm = program()
            if work is not _send_and_remind:
                named("invoices add")(crm, acme, ["Work 50 19%"])
            else:
                numbers.append(_overdue(crm, acme))
            victim = program()
            _dying(victim.repository, step)
            try:
                work(victim)
                was_killed = False
            except Killed:
                pass
            crm = program()
            work(crm)
            if work is not _send_and_remind:
                _assert_settled(crm, acme, step, work)
            else:
                _assert_sent_and_reminded_once(crm, post, numbers)
            step += 1
        own.repository.close()
    assert step > 4

"""Billing for the account of a client: its own invoices, payments and statement, with the figures that the team
sees."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from crm.commands.context import CRM
from crm.commands.registry import commands, may_run, named
from crm.errors import ForbiddenError, NotFoundError, RefusedError
from crm.model.encoding import plain
from crm.model.rights import CLIENT, Reader
from tests.commands.billing.conftest import BillingDesk
from tests.support.guarded import guarded_for

ALLOWED = {"invoices list", "invoices show", "invoices pdf", "invoices qr", "payments list", "payments show",
           "statements show"}  # fmt: skip


def account_of(desk: BillingDesk, client: int) -> CRM:
    reader = Reader(1, CLIENT, client, "Olga")
    return replace(desk.crm, repository=guarded_for(desk.store.repository, reader), reader=reader)


@pytest.fixture
def own(desk: BillingDesk) -> CRM:
    desk.issued("3 h Consulting 100 19%", discount="10%")
    credited = desk.issued("Table 200 19%")
    desk.draft("Secret draft 1 19%")
    desk("payments add", desk.acme, Decimal(100))
    desk("payments add", desk.acme, Decimal(900))
    desk("invoices credit", credited, amount=Decimal(38))
    desk("payments refund", desk.acme, Decimal(20))
    beta = desk(
        "clients add", {"company": "Beta", "address": "Weg 2", "city": "Graz", "postcode": "8", "country": "AT"}
    )
    desk("invoices issue", desk("invoices add", beta, ["Foreign 100 19%"]).invoice)
    desk("payments add", beta, Decimal(5))
    return account_of(desk, desk.acme.id)


def shown(crm: CRM, words: str, *arguments: Any, **named_: Any) -> Any:
    """The result of a command as JSON, without the team's own notes."""
    answer = plain(named(words)(crm, *arguments, **named_))
    for item in answer if isinstance(answer, list) else [answer]:
        for name in ("user", "user_id", "note"):
            item.pop(name, None)
    return answer


def test_a_client_sees_its_invoices_and_payments_like_the_team(desk: BillingDesk, own: CRM, tmp_path: Path) -> None:
    issued = [item for item in shown(desk.crm, "invoices list", client=desk.acme) if item["state"] != "draft"]
    assert shown(own, "invoices list") == issued
    assert [item["state"] for item in issued] == ["credited", "paid", "paid"]
    for narrowed in ({"state": "paid"}, {"number": issued[0]["number"]}, {"over": Decimal(300)}, {"sort": "total"}):
        expected = [item for item in shown(desk.crm, "invoices list", client=desk.acme, **narrowed) if item["number"]]
        assert shown(own, "invoices list", **narrowed) == expected, narrowed
    for invoice in [item.invoice for item in named("invoices list")(own)]:
        assert shown(own, "invoices show", invoice) == shown(desk.crm, "invoices show", invoice)
    assert shown(own, "payments list") == shown(desk.crm, "payments list", client=desk.acme)
    payment = named("payments list")(own)[-1].payment
    assert shown(own, "payments show", payment) == shown(desk.crm, "payments show", payment)
    entries = [shown(crm, "statements show", desk.acme)["statement"] for crm in (own, desk.crm)]
    assert entries[0] == entries[1]
    card = named("clients show")(own, desk.acme)
    assert (card.client.id, card.billing) == (desk.acme.id, None)
    assert sorted({entry.kind for entry in card.timeline}) == ["invoice", "payment"]
    files = [tmp_path / "own.pdf", tmp_path / "desk.pdf"]
    for crm, file in zip((own, desk.crm), files, strict=True):
        named("invoices pdf")(crm, invoice, file)
    assert files[0].read_bytes() == files[1].read_bytes()


def test_a_client_sees_no_other_billing_data_and_changes_nothing(desk: BillingDesk, own: CRM) -> None:
    draft = next(item.invoice for item in named("invoices list")(desk.crm) if item.state == "draft")
    foreign = next(item.invoice for item in named("invoices list")(desk.crm) if item.client == "Beta")
    for invoice in (draft, foreign):
        for words in ("invoices show", "invoices pdf", "invoices qr"):
            with pytest.raises(NotFoundError):
                named(words)(own, invoice)
    with pytest.raises(NotFoundError):
        named("statements show")(own, replace(desk.acme, id=foreign.client))
    billing = {"invoices", "payments", "receipts", "unpaid", "reminders", "statements", "numbers", "services"}
    offered = {command.words for command in commands() if command.words.split()[0] in billing
               and may_run(command, own.reader)}  # fmt: skip
    assert offered == ALLOWED
    for words, arguments in (
        ("invoices add", (desk.acme,)), ("invoices issue", (draft,)), ("invoices credit", (foreign,)),
        ("payments add", (desk.acme, Decimal(5))), ("payments refund", (desk.acme, Decimal(5))), ("unpaid list", ()),
        ("reminders preview", ()),
    ):  # fmt: skip
        for call in (named(words), named(words).function):
            with pytest.raises((ForbiddenError, NotFoundError)):
                call(own, *arguments)
    assert desk.sound()


def test_a_client_gets_no_advice_for_the_team_and_a_file_of_its_own_writes_nothing(
    desk: BillingDesk, tmp_path: Path
) -> None:
    invoice = desk.issued("Table 200 19%", currency="KWD")
    desk("clients edit", desk.again(desk.acme), {"buyer_reference": "AAA-111"})
    own = account_of(desk, desk.acme.id)
    with pytest.raises(RefusedError, match="No payment code") as refused:
        named("invoices qr")(own, invoice)
    assert "`" not in str(refused.value)
    assert named("invoices pdf")(own, invoice, tmp_path / "own.pdf").notice == ""
    assert desk.again(invoice).buyer_reference == ""
    assert "No e-invoice is inside" in desk("invoices pdf", invoice, tmp_path / "desk.pdf").notice
    assert desk.again(invoice).buyer_reference == "AAA-111"

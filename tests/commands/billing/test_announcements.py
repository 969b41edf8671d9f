"""Announcements of a new service by e-mail and SMS: only with consent, shown before sending, and to nobody twice."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal as D

import pytest

from crm.commands.mail.mailings.report import MailingReport
from crm.errors import FieldError, Question, RefusedError
from crm.model import Service
from crm.outward.sms import TwilioTexter
from tests.support.mail_desk import MailDesk
from tests.support.twilio import FROM, Twilio, standing_in


@pytest.fixture
def twilio() -> Iterator[Twilio]:
    with standing_in() as served:
        yield served


@pytest.fixture
def desk(here: MailDesk, twilio: Twilio) -> MailDesk:
    texter = TwilioTexter("AC-stand-in", "the token", FROM, twilio.url)
    here.crm = replace(here.crm, outward=replace(here.crm.outward, texter=lambda: texter))
    here.set(company_name="Us Ltd", sms_price="0.08", country="AT", currency="EUR")
    here.crm.forget_settings()
    return here


@pytest.fixture
def service(desk: MailDesk) -> Service:
    made: Service = desk(
        "services add", "Care *plan* {x}", D("49.90"), unit="MON", tax_rate=D(19), description="All in"
    )
    return made


def announced(desk: MailDesk, service: Service, **given: object) -> MailingReport:
    report: MailingReport = desk("services announce", service, all_=True, yes=True, **given)
    return report


def texts(twilio: Twilio) -> list[tuple[str, str]]:
    return [(body["To"][0], body["Body"][0]) for _, _, body in twilio.asked]


def test_a_service_is_announced_by_email_as_text_and_to_nobody_twice(desk: MailDesk, service: Service) -> None:
    desk.clients(2)
    desk.clients(1, email="no@example.com", marketing_consent=False)
    with pytest.raises(Question) as asked:
        desk("services announce", service, all_=True)
    assert "We have a new offer: Care *plan* {x}, €49.90 per month." in asked.value.sentence
    assert "This goes to 2 clients." in asked.value.sentence
    assert "has not agreed to mailings" in asked.value.sentence
    report = announced(desk, service)
    assert (report.counted.counts, [reader.why for reader in report.left_out]) == ({"sent": 2}, ["consent"])
    assert [str(mail["Subject"]) for mail in desk.post.taken] == ["New: Care *plan* {x}"] * 2
    desk("services edit", service, {"price": D(45)})
    with pytest.raises(RefusedError, match="got this"):
        announced(desk, service, subject="Now cheaper", text="Only {first_name}")
    desk.clients(1, email="third@example.com")
    assert announced(desk, service).counted.counts == {"sent": 1}
    assert announced(desk, service, again=True).counted.counts == {"sent": 3}


@pytest.mark.parametrize("by", ["email", "sms"])
def test_an_announcement_that_takes_minutes_can_be_left_to_the_outbox(
    desk: MailDesk, service: Service, twilio: Twilio, by: str
) -> None:
    for client in range(3):
        desk.clients(1, phone=f"+43664123456{client}", email=f"{client}@example.com")
    desk.set(mails_per_minute="2")
    with pytest.raises(Question) as asked:
        announced(desk, service, by=by)
    assert (asked.value.parameter, asked.value.yes) == ("later", "no")
    assert list(asked.value.choices.values()) == ["Send to 3 clients later, from the outbox", "Send now, and wait"]
    report = announced(desk, service, by=by, later=True)
    assert (report.counted.counts, report.counted.waiting, report.exit_code) == ({"queued": 3}, 3, 0)
    assert (desk.post.taken, texts(twilio)) == ([], [])
    desk.set(mails_per_minute="5000")
    desk.send()
    assert (len(desk.post.taken), len(texts(twilio))) == ((3, 0) if by == "email" else (0, 3))
    with pytest.raises(RefusedError, match="Nobody would get this"):
        announced(desk, service, by=by)


def test_an_announcement_by_sms_shows_its_cost_and_excluded_clients(
    desk: MailDesk, service: Service, twilio: Twilio
) -> None:
    desk.clients(1, phone="+436641234567", email="a@example.com")
    for phone, consent in (("+436641234567", True), ("", True), ("+436641111111", False), ("+436642222222", True)):
        desk.clients(1, phone=phone, marketing_consent=consent, email="")
    desk("opt-outs add", "+436642222222")
    with pytest.raises(Question) as asked:
        desk("services announce", service, all_=True, by="sms")
    sentence = asked.value.sentence
    assert "New from Us Ltd: Care *plan* {x}, €49.90 per month.\nReply STOP to opt out." in sentence
    assert "This goes to 1 client and takes 1 SMS, about €0.08." in sentence
    assert "4 clients are left out: " in sentence
    for why in ("opted out", "without consent to mailings", "with the same number as another client"):
        assert f"1 {why} (" in sentence
    assert texts(twilio) == []
    report = announced(desk, service, by="sms")
    assert report.counted.counts == {"sent": 1}
    assert sorted(reader.why for reader in report.left_out) == ["address", "consent", "opted_out", "twice"]
    assert [number for number, _ in texts(twilio)] == ["+436641234567"]
    with pytest.raises(RefusedError, match="2 who already got it"):
        announced(desk, service, by="sms")
    long = "x" * 200
    with pytest.raises(Question, match=r"takes 2 SMS, about €0\.16"):
        desk("services announce", service, all_=True, by="sms", text=long, again=True)


def test_an_impossible_announcement_is_refused(desk: MailDesk, service: Service) -> None:
    desk.clients(1)
    template = desk("templates add", "Short", channel="sms", body="Hi")
    with pytest.raises(FieldError, match="is a template for SMS"):
        announced(desk, service, template=template)
    desk("services retire", service)
    with pytest.raises(RefusedError, match="is retired"):
        announced(desk, service)


def test_a_receipt_goes_by_sms_once(desk: MailDesk, twilio: Twilio) -> None:
    (client,) = desk.clients(1, phone="+436641234567")
    paid = desk("payments add", client, D("12.50")).payment
    with pytest.raises(Question, match=r"Takes: 1 SMS, about €0\.08\n"):
        desk("receipts send", paid, by="sms")
    desk("receipts send", paid, by="sms", yes=True)
    ((number, text),) = texts(twilio)
    assert (number, text.startswith("Thank you. We received €12.50 on ")) == ("+436641234567", True)
    with pytest.raises(RefusedError, match="was sent by SMS already"):
        desk("receipts send", paid, by="sms", yes=True)
    assert len(texts(twilio)) == 1

"""Greetings on dates: each client is greeted once a year, on the day or soon after, however often and by whomever they
are sent."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import pytest
import trustme

from crm.commands.context import CRM
from crm.commands.mail.anniversaries import YearlyDay, occasion_words
from crm.commands.mail.greetings import Due
from crm.errors import FieldError, NotFoundError, RefusedError, UsageError
from crm.model import Client, Conventions, Mailing, Message, Template
from crm.model.encoding import plain
from crm.repository import Query
from tests.commands.conftest import Office
from tests.conftest import Store
from tests.support.clocks import TODAY
from tests.support.mail_server import Post, served
from tests.support.twilio import FROM, standing_in

pytestmark = pytest.mark.dated

CONSENTS = {"marketing_consent": True}


@dataclass
class Desk:
    """An office that can send e-mail, and what arrived."""

    office: Office
    crm: CRM
    post: Post

    def client(self, name: str, born: date | None, **given: Any) -> Client:
        """Somebody with a birthday who wants to be greeted."""
        fields = {"last_name": name, "email": f"{name.lower()}@example.com", "date_of_birth": born, **CONSENTS, **given}
        return self.office.add(self.crm, **fields)

    def template(self, name: str = "Birthday", **given: Any) -> Template:
        fields = {"subject": "Happy birthday, {name}", "body": "Dear {name},\n\n*all the best*", **given}
        made: Template = self.office("templates add", name, crm=self.crm, **fields)
        return made

    def order(self, on: str = "birthday", name: str = "Birthdays", **given: Any) -> Mailing:
        template = given.pop("template", None) or self.template(name, **given)
        made: Mailing = self.office("occasions add", name, on, template, crm=self.crm).mailing
        return made

    def due(self, crm: CRM | None = None, **given: Any) -> Due:
        found: Due = self.office("email due", crm=crm or self.crm, **given)
        return found

    def names_and_days(self, found: Due) -> list[tuple[str, date]]:
        return [(greeting.client.name, greeting.on) for greeting in found.greetings]

    @property
    def messages(self) -> list[Message]:
        with self.crm.read() as snapshot:
            return snapshot.find_all(Message, Query(sort="id"))


@contextmanager
def sending(office: Office, crm: CRM) -> Iterator[Desk]:
    from crm.app import open_outward

    post = Post()
    with served(post, trustme.CA()) as port:
        config = replace(crm.config, smtp_url=f"smtp://127.0.0.1:{port}", mail_from="Team <team@example.com>")
        yield Desk(office, replace(crm, config=config, outward=open_outward(config)), post)


@pytest.fixture
def desk(office: Office) -> Iterator[Desk]:
    with sending(office, office.crm) as desk:
        desk.office("settings set", "mails_per_minute", "6000", crm=desk.crm)
        desk.crm.forget_settings()
        yield desk


def on_day(crm: CRM, store: Store, day: date) -> CRM:
    """The CRM some other day."""
    store.today = day
    return crm


@pytest.mark.parametrize(
    ("typed", "value", "words"),
    [
        ("Birthday", "birthday", "birthdays"),
        ("first-sale", "first sale", "the anniversary of the first sale"),
        ("first sale", "first sale", "the anniversary of the first sale"),
        ("24-12", "24-12", "24 December"),
        ("1.5.", "01-05", "1 May"),
        ("29/2", "29-02", "29 February"),
    ],
)
def test_a_day_that_comes_once_a_year(typed: str, value: str, words: str) -> None:
    assert YearlyDay().read(typed, Conventions()) == value
    assert occasion_words(value) == words


@pytest.mark.parametrize("typed", ["12-24", "31-04", "0-1", "1-0", "24", "tomorrow", "24-12-2026", "-"])
def test_an_impossible_yearly_day_is_refused(typed: str) -> None:
    with pytest.raises(FieldError, match="24-12"):
        YearlyDay().read(typed, Conventions())


def test_each_client_is_greeted_once_on_their_day(desk: Desk) -> None:
    desk.order()
    anna = desk.client("Anna", date(1980, 11, 21))
    desk.client("Later", date(1980, 11, 22))
    desk.client("Against", date(1980, 11, 21), marketing_consent=False)
    desk.client("Nowhere", date(1980, 11, 21), email="")
    desk.client("Unborn", None)
    report = desk.due(dry_run=True)
    assert (desk.names_and_days(report), report.sent, report.waiting) == ([("Anna", TODAY)], None, 0)
    assert desk.messages == []
    found = desk.due()
    assert desk.names_and_days(found) == [("Anna", TODAY)]
    assert found.sent is not None
    assert found.sent.sent == 1
    (mail,) = desk.post.taken
    assert (mail["To"], mail["Subject"]) == ("Anna <anna@example.com>", "Happy birthday, Anna")
    assert mail["Auto-Submitted"] == "auto-generated"
    assert "mailto:team@example.com?subject=Unsubscribe" in mail["List-Unsubscribe"]
    body = mail.get_body(("plain",))
    assert body is not None
    assert "all the best" in body.get_content()
    assert "unsubscribe" in body.get_content()
    (message,) = desk.messages
    assert (message.client, message.state, message.occasion) == (anna.id, "sent", "birthday 2026")
    for _ in range(3):
        assert desk.due().greetings == []
    assert len(desk.post.taken) == 1
    assert desk.office.is_sound()
    assert plain(report)["greetings"][0]["client_name"] == "Anna"


@pytest.mark.slow
def test_two_programs_at_once_greet_each_client_once(desk: Desk) -> None:
    desk.order()
    for number in range(30):
        desk.client(f"Client{number}", date(1980, 11, 21))
    others = [desk.office.open(user=f"cron {number}") for number in range(3)]
    crms = [replace(other, config=desk.crm.config, outward=desk.crm.outward) for other in others]
    found: list[Due] = []
    threads = [threading.Thread(target=lambda crm=crm: found.append(desk.due(crm))) for crm in crms]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sum(len(part.greetings) for part in found) == 30
    desk.due()
    assert sorted(str(mail["To"]) for mail in desk.post.taken) == sorted(
        f"Client{number} <client{number}@example.com>" for number in range(30)
    )


def test_the_day_of_the_first_sale_and_a_day_of_the_calendar(desk: Desk) -> None:
    old, new = desk.client("Old", None), desk.client("New", None)
    desk.office.sell(old, "1", date(2020, 11, 21), crm=desk.crm)
    desk.office.sell(old, "1", date(2021, 11, 20), crm=desk.crm)
    desk.office.sell(new, "1", TODAY, crm=desk.crm)
    desk.order("first sale", "Years", subject="Since {last_sale_on}")
    desk.order("21-11", "Day", subject="That day")
    desk.order("22-11", "Next day", subject="Not yet")
    assert sorted(desk.names_and_days(desk.due())) == [("New", TODAY), ("Old", TODAY), ("Old", TODAY)]
    assert sorted(str(mail["Subject"]) for mail in desk.post.taken) == ["Since Nov 20, 2021", "That day", "That day"]
    assert {message.occasion for message in desk.messages} == {"first sale 2026", "21-11 2026"}


def test_missed_days_are_caught_up_and_years_continue(store: Store, office: Office) -> None:
    with sending(office, replace(office.crm, repository=store.repository)) as desk:
        start = date(2027, 12, 1)
        crm = desk.crm = on_day(desk.crm, store, start)
        desk.order()
        for name, born in (
            ("Eve", date(1980, 12, 31)), ("New", date(1980, 1, 1)), ("Leap", date(1980, 2, 29)),
            ("Feb", date(1980, 2, 28)), ("Long", date(1980, 11, 30)),
        ):  # fmt: skip
            desk.client(name, born)
        # There was no such order yesterday, nor the clients.
        assert desk.due().greetings == []
        crm = on_day(crm, store, date(2028, 1, 2))
        assert sorted(desk.names_and_days(desk.due(crm))) == [("Eve", date(2027, 12, 31)), ("New", date(2028, 1, 1))]
        assert desk.due(on_day(crm, store, date(2028, 1, 3))).greetings == []
        # A leap year has that day.
        assert desk.names_and_days(desk.due(on_day(crm, store, date(2028, 2, 28)))) == [("Feb", date(2028, 2, 28))]
        assert desk.names_and_days(desk.due(on_day(crm, store, date(2028, 2, 29)))) == [("Leap", date(2028, 2, 29))]
        assert desk.names_and_days(desk.due(on_day(crm, store, date(2028, 12, 3)))) == [("Long", date(2028, 11, 30))]
        assert desk.due(on_day(crm, store, date(2029, 1, 5))).greetings == []
        found = desk.due(on_day(crm, store, date(2029, 3, 1)))
        assert desk.names_and_days(found) == [("Leap", date(2029, 2, 28)), ("Feb", date(2029, 2, 28))]
        occasions = [message.occasion for message in desk.messages]
        assert occasions.count("birthday 2028") == 4
        assert occasions.count("birthday 2027") == 1
        late = desk.client("Late", date(1990, 2, 28))
        assert late.id not in {
            greeting.client.id for greeting in desk.due(on_day(crm, store, date(2029, 3, 2))).greetings
        }
        assert store.wrong() == []


def test_sending_greetings_also_sends_queued_messages(desk: Desk) -> None:
    anna = desk.client("Anna", None)
    queued = Message(
        client=anna.id, channel="email", direction="out", state="queued", on=TODAY, to=anna.email, subject="Waiting",
        body="x", identifier="<1@example.com>",
    )  # fmt: skip
    desk.crm.transact(lambda tx: tx.add(queued), "queued")
    assert desk.due(dry_run=True).waiting == 1
    found = desk.due()
    assert found.sent is not None
    assert (found.greetings, found.sent.sent) == ([], 1)
    assert [str(mail["Subject"]) for mail in desk.post.taken] == ["Waiting"]


def test_opted_out_or_refused_clients_are_not_greeted_again(desk: Desk) -> None:
    desk.order()
    anna, bo = desk.client("Anna", date(1980, 11, 21)), desk.client("Bo", date(1990, 11, 21))
    desk.post.answers["rcpt"] = lambda address: "550 5.1.1 no such user" if address.startswith("bo@") else ""
    found = desk.due()
    assert found.sent is not None
    assert [message.client for message in found.sent.failed] == [bo.id]
    assert desk.due().greetings == []
    # Anna has heard from us today, Bo has not.
    greeted, failed = desk.office("agenda", crm=desk.crm).items
    assert (greeted.why, greeted.client.id) == ("birthday today", bo.id)
    assert (failed.why.partition(":")[0], failed.client.id) == ("failed", bo.id)
    desk.office("clients edit", desk.office.client(anna), {"marketing_consent": False}, crm=desk.crm)
    assert len(desk.post.taken) == 1


def test_an_unusable_address_is_reported_by_greetings(desk: Desk) -> None:
    desk.order()
    odd = desk.client("Odd", date(1980, 11, 21), email="")
    desk.crm.transact(lambda tx: tx.change(tx.get(Client, odd.id), email="odd at home"), "odd")
    found = desk.due()
    assert found.greetings == []
    assert [(greeting.client.name, greeting.why_not) for greeting in found.unreachable] == [
        ("Odd", "no e-mail address that works")
    ]
    bo = desk.client("Bo", date(1980, 11, 21))
    bounced = Message(
        client=bo.id, channel="email", direction="out", state="failed", on=TODAY, to=bo.email, failure="550 5.1.1 gone"
    )
    desk.crm.transact(lambda tx: tx.add(bounced), "bounced")
    found = desk.due(dry_run=True)
    assert found.greetings == []
    assert found.unreachable[1].why_not == "the address bounced: 550 5.1.1 gone"


def test_greetings_by_sms(desk: Desk) -> None:
    with standing_in() as twilio:
        from crm.app import open_outward

        config = replace(
            desk.crm.config, twilio_account="AC-stand-in", twilio_token="x", twilio_from=FROM, twilio=twilio.url
        )
        desk.crm = replace(desk.crm, config=config, outward=open_outward(config))
        desk.order(channel="sms", subject="", body="Happy birthday, {name}")
        desk.order(name="By mail")
        desk.client("Anna", date(1980, 11, 21), phone="+436641234567")
        desk.client("Bo", date(1980, 11, 21))
        assert sorted(desk.names_and_days(desk.due())) == [("Anna", TODAY), ("Anna", TODAY), ("Bo", TODAY)]
        assert [body["Body"] for _, _, body in twilio.asked] == [["Happy birthday, Anna\nReply STOP to opt out."]]
        assert len(desk.post.taken) == 2
        assert desk.due().greetings == []


def test_greeting_orders_are_listed_removed_and_not_duplicated(desk: Desk) -> None:
    template = desk.template()
    first = desk.office("occasions add", "Birthdays", "birthday", template, crm=desk.crm)
    assert (first.when, plain(first)["when"], first.mailing.user) == ("birthdays", "birthdays", "anna")
    for name, on, why in (
        ("birthdays", "24-12", "called Birthdays"),
        ("Others", "birthday", "gets only one greeting"),
    ):
        with pytest.raises(RefusedError, match=why):
            desk.office("occasions add", name, on, template, crm=desk.crm)
    # The order keeps its text, whatever becomes of the template.
    desk.office("templates delete", template, yes=True, crm=desk.crm)
    anna = desk.client("Anna", date(1980, 11, 21))
    desk.post.answers["rcpt"] = "451 later"
    desk.due()
    assert [message.state for message in desk.messages] == ["queued"]
    assert [occasion.mailing.name for occasion in desk.office("occasions list", crm=desk.crm)] == ["Birthdays"]
    desk.office("occasions remove", "BIRTHDAYS", crm=desk.crm)
    assert desk.office("occasions list", crm=desk.crm) == []
    assert [message.state for message in desk.messages] == ["cancelled"]
    with pytest.raises(NotFoundError):
        desk.office("occasions remove", "Birthdays", crm=desk.crm)
    # Greeted by one order, they are not greeted again by the next.
    desk.order()
    assert desk.due().greetings == []
    assert desk.office.client(anna).marketing_consent
    assert json.dumps(plain(desk.office("occasions list", crm=desk.crm)))


def test_without_a_mail_server_nothing_is_queued(office: Office) -> None:
    template = office("templates add", "Birthday", subject="Hi", body="Hi")
    office("occasions add", "Birthdays", "birthday", template)
    assert office("email due", dry_run=True).greetings == []
    office.add(email="anna@example.com", date_of_birth=date(1980, 11, 21), **CONSENTS)
    assert len(office("email due", dry_run=True).greetings) == 1
    with pytest.raises(UsageError, match="CRM_SMTP_URL"):
        office("email due")
    with office.crm.read() as snapshot:
        assert snapshot.find_all(Message) == []


def test_text_from_a_record_is_plain_text_in_a_greeting(desk: Desk) -> None:
    desk.order(body="Dear {first_name|friend}")
    desk.client("Fox", date(1980, 11, 21), first_name="[x](http://evil.example) **b** <b>{last_name}")
    desk.due()
    (mail,) = desk.post.taken
    html = mail.get_body(("html",))
    assert html is not None
    assert "Dear [x](http://evil.example) **b** &lt;b&gt;{last_name}" in html.get_content()

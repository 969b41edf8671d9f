"""Text messages to clients, through a stand-in for Twilio: shown before sending, sent once, with their delivery
status."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from crm.commands.context import CRM
from crm.commands.mail.messages import MessageCard
from crm.errors import FieldError, Question, UsageError
from crm.model import Client
from tests.commands.conftest import Office
from tests.support.clocks import TODAY
from tests.support.twilio import FROM, Twilio, standing_in


@dataclass
class Desk:
    """An office that can send texts, and what was asked of Twilio."""

    office: Office
    crm: CRM
    twilio: Twilio

    def send(self, client: Client, text: str = "", crm: CRM | None = None, **given: Any) -> MessageCard:
        card: MessageCard = self.office("sms send", client, text, crm=crm or self.crm, **{"yes": True, **given})
        return card

    def asked(self, client: Client, text: str = "", **given: Any) -> str:
        """The preview before anything is sent."""
        with pytest.raises(Question) as question:
            self.office("sms send", client, text, crm=self.crm, **given)
        assert question.value.parameter == "yes"
        return question.value.sentence

    @property
    def sent(self) -> list[tuple[str, str]]:
        """The number and the text of each that was handed over."""
        return [(body["To"][0], body["Body"][0]) for _, _, body in self.twilio.asked]


@pytest.fixture
def desk(office: Office) -> Iterator[Desk]:
    with standing_in() as twilio:
        given = {
            "twilio_account": "AC-stand-in",
            "twilio_token": "the token",
            "twilio_from": FROM,
            "twilio": twilio.url,
        }
        yield Desk(office, office.open(**given), twilio)


@pytest.fixture
def anna(desk: Desk) -> Client:
    return desk.office.add(first_name="Anna", last_name="Fox", phone="+436641234567")


def test_an_sms_without_a_twilio_account_names_the_missing_settings(office: Office) -> None:
    client = office.add(phone="+436641234567")
    with pytest.raises(UsageError, match="TWILIO_ACCOUNT_SID"):
        office("sms send", client, "Hello")


def test_a_text_message_is_previewed_sent_and_in_the_timeline(desk: Desk, anna: Client) -> None:
    answer = desk.asked(anna, "Hi {first_name}, {{sic}} [red]x[/]")
    assert answer == "To: Anna Fox, +436641234567\nTakes: 1 SMS\n\nHi Anna, {sic} [red]x[/]\n\nSend this to Anna Fox?"
    assert desk.sent == []
    card = desk.send(anna, "Hi {first_name}, {{sic}} [red]x[/]")
    assert desk.sent == [("+436641234567", "Hi Anna, {sic} [red]x[/]")]
    message = card.message
    assert (message.channel, message.direction, message.state, message.to, message.sender) == (
        "sms",
        "out",
        "sent",
        "+436641234567",
        "",
    )
    assert (message.on, message.user, message.failure) == (TODAY, "anna", "")
    assert desk.office("timeline", anna, ("sms",)).entries[0].what == "SMS sent: Hi Anna, {sic} [red]x[/]"
    assert desk.office.client(anna).last_contact_on == TODAY
    assert desk.office.is_sound()


def test_a_long_text_message_takes_several_parts(desk: Desk, anna: Client) -> None:
    assert "Takes: 1 SMS\n" in desk.asked(anna, "x" * 160)
    assert "Takes: 2 SMS, since it is long\n" in desk.asked(anna, "x" * 161)
    assert "Takes: 2 SMS, since it is long\n" in desk.asked(anna, "я" * 71)
    anna = desk.office("clients edit", desk.office.client(anna), {"notes": "", "city": "Graz"})
    with pytest.raises(FieldError, match="too long"):
        desk.send(anna, "{city}" * 260 + "x" * 1100)
    assert desk.sent == []


def test_a_text_message_goes_to_a_contact_or_any_number(desk: Desk, anna: Client) -> None:
    acme = desk.office.add(company="Acme")
    with pytest.raises(FieldError, match="no phone number yet"):
        desk.send(acme, "Hello")
    jo = desk.office("contacts add", acme, "Jo Fox", phone="+436640000001")
    bo = desk.office("contacts add", acme, "Jo Hill", phone="")
    assert desk.send(acme, "Hello {contact_name}").message.contact == jo.id
    assert desk.send(acme, "Hi", to="jo f").message.contact == jo.id
    assert desk.send(acme, "Hi", to=f"#{jo.id}").message.contact == jo.id
    assert desk.send(acme, "Hi", to="+43 664 0000001").message.contact == jo.id
    other = desk.send(acme, "Hi", to="+43 664 0000009").message
    assert (other.contact, other.to) == (0, "+436640000009")
    assert desk.sent[0] == ("+436640000001", "Hello Jo Fox")
    for to, why in (
        ("jo", "several contacts"), (str(bo.id), "Jo Hill has no phone"), ("nobody", "neither a contact of Acme"),
        ("+43", "neither a contact of Acme"), ("00000000", "phone number"),
    ):  # fmt: skip
        with pytest.raises(FieldError, match=why):
            desk.send(acme, "Hi", to=to)
    odd = desk.office.crm.transact(lambda tx: tx.change(tx.get(Client, anna.id), phone="ask at home"), "odd")
    with pytest.raises(FieldError, match="not a complete phone number"):
        desk.send(odd, "Hi")
    assert len(desk.sent) == 5


def test_a_text_message_from_a_template(desk: Desk, anna: Client) -> None:
    template = desk.office("templates add", "Due", channel="sms", body="Dear {first_name|friend}, see you")
    mail = desk.office("templates add", "News", subject="News", body="News")
    assert desk.send(anna, template=template).message.body == "Dear Anna, see you"
    assert desk.send(anna, "My own words", template=template).message.body == "My own words"
    for given, field in ((({"template": mail}), "template"), ({"text": "{nobody}"}, "text"), ({"text": " "}, "text")):
        with pytest.raises(FieldError) as error:
            desk.send(anna, **given)
        assert error.value.field == field


def test_the_reply_of_twilio_is_shown_and_stored(desk: Desk, anna: Client) -> None:
    desk.twilio.status, desk.twilio.reply = 400, json.dumps({"code": 21614})
    card = desk.send(anna, "Hello")
    assert card.message.state == "failed"
    assert "21614" in card.message.failure
    assert desk.office("agenda").items[0].what == "SMS: Hello"
    desk.twilio.status = 500
    assert desk.send(anna, "Hello").message.state == "unsure"
    desk.twilio.status, desk.twilio.reply = 429, "{}"
    waiting = desk.send(anna, "Later")
    assert waiting.message.state == "queued"
    assert "the token" not in str(waiting)
    desk.twilio.status = 201
    assert desk.office("email again", card.message, crm=desk.crm).message.state == "sent"
    assert [text for _, text in desk.sent].count("Later") == 1


@pytest.mark.parametrize(
    ("code", "stops"), [(21617, False), (30007, False), (21606, False), (21603, True), (30002, True)]
)
def test_a_refused_text_message_does_not_stop_others(desk: Desk, anna: Client, code: int, stops: bool) -> None:
    desk.twilio.status, desk.twilio.reply = 400, json.dumps({"code": code, "message": "no", "status": 400})
    card = desk.send(anna, "Hello")
    assert (card.message.state, bool(card.stopped), card.exit_code) == ("queued" if stops else "failed", stops, 1)
    desk.twilio.status, desk.twilio.reply = 201, "{}"
    assert desk.send(anna, "Again").message.state == "sent"


def test_a_client_who_answers_stop_gets_no_more_text_messages(desk: Desk, anna: Client) -> None:
    desk.twilio.inbound = [
        (anna.phone, "Stop!"), ("+436649999999", "please stop calling me"), ("+436648888888", "Stopp"), ("x", "STOP"),
    ]  # fmt: skip
    fetched = desk.office("sms fetch", crm=desk.crm)
    assert (fetched.read, list(fetched.stopped)) == (4, [anna.phone, "+436648888888"])
    assert list(desk.office("sms fetch", crm=desk.crm).stopped) == []
    with pytest.raises(FieldError, match="answered STOP"):
        desk.send(anna, "Hello")
    # What was lifted since stays lifted.
    desk.office("opt-outs lift", anna.phone, "asked for it", crm=desk.crm)
    assert list(desk.office("sms fetch", crm=desk.crm).stopped) == []
    assert desk.send(anna, "Hello").message.state == "sent"


def test_a_number_that_twilio_has_stopped_is_among_the_opt_outs(desk: Desk, anna: Client) -> None:
    desk.twilio.status, desk.twilio.reply = 400, json.dumps({"code": 21610, "message": "stopped", "status": 400})
    assert desk.send(anna, "Hello").message.state == "failed"
    assert [(out.address, out.way) for out in desk.office("opt-outs list", crm=desk.crm)] == [(anna.phone, "stop")]


def test_a_landline_is_reported_before_a_text_message_is_sent(desk: Desk, anna: Client) -> None:
    assert "landline" not in desk.asked(anna, "Hello")
    assert "This is a landline" in desk.asked(anna, "Hello", to="+4315880112")

"""Messages: written to one client and sent through a real mail server, listed, retried and cancelled."""

from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import trustme

from crm.commands.context import CRM
from crm.commands.mail.messages import MessageCard
from crm.errors import FieldError, FileError, OutwardError, Question, RefusedError, UsageError
from crm.model import Client, Message
from crm.model.encoding import plain
from tests.commands.conftest import Office
from tests.support.clocks import TODAY
from tests.support.mail_server import HANGS_UP, Post, free_port, served

SENDER = "Example Ltd <crm@example.com>"


@pytest.fixture
def desk(office: Office, post: Post, authority: trustme.CA) -> Iterator[Office]:
    """An office that can send e-mail."""
    with served(post, authority) as port:
        office.open(smtp_url=f"smtp://127.0.0.1:{port}", mail_from=SENDER)
        yield office


def send(office: Office, client: Client, **given: Any) -> MessageCard:
    given = {"subject": "Hello {first_name}", "body": "Dear **{first_name|friend}**", "yes": True, **given}
    sent: MessageCard = office("email send", client, **given)
    return sent


def messages(crm: CRM) -> list[Message]:
    with crm.read() as snapshot:
        return snapshot.find_all(Message)


def parts(mail: EmailMessage) -> dict[str, str]:
    """The text of a mail, by its type."""
    return {part.get_content_type(): part.get_content() for part in mail.walk() if not part.is_multipart()}


def test_an_e_mail_is_sent_with_its_merge_fields_and_stored(desk: Office, post: Post) -> None:
    anna = desk.add(first_name="*Anna*", email="anna@example.com")
    card = send(desk, anna)
    (mail,) = post.taken
    assert (mail["From"], mail["To"], mail["Subject"]) == (SENDER, "*Anna* <anna@example.com>", "Hello *Anna*")
    assert parts(mail)["text/plain"].strip() == "Dear *Anna*"
    assert "<strong>*Anna*</strong>" in parts(mail)["text/html"]
    message = card.message
    assert (message.state, message.direction, message.channel, message.client) == ("sent", "out", "email", anna.id)
    assert (message.to, message.sender, message.subject) == ("anna@example.com", "crm@example.com", "Hello *Anna*")
    assert (message.on, message.user, message.identifier) == (TODAY, "anna", mail["Message-ID"])
    assert messages(desk.crm) == [message]
    assert desk("email show", message).message == message
    assert desk.client(anna).last_contact_on == TODAY
    assert plain(card)["client_name"] == "*Anna*"


def test_an_e_mail_is_previewed_and_sent_only_after_a_confirmation(desk: Office, post: Post) -> None:
    anna = desk.add(first_name="Anna", email="anna@example.com")
    file = desk.write("offer.txt", "100 only")
    with pytest.raises(Question) as asked:
        send(desk, anna, cc=("Max@Example.com",), bcc=("eve@example.com",), attach=(file,), yes=False)
    assert asked.value.parameter == "yes"
    for line in (
        f"From: {SENDER}", "To: Anna <anna@example.com>", "CC: max@example.com", "BCC: eve@example.com",
        "Subject: Hello Anna", "Attached: offer.txt (1 KB)", "Dear Anna",
    ):  # fmt: skip
        assert line in asked.value.sentence.splitlines()
    assert post.taken == []
    assert messages(desk.crm) == []
    assert not list(desk.crm.outward.folder.rglob("*offer*"))


def test_an_e_mail_has_its_copies_and_attachments(desk: Office, post: Post) -> None:
    anna = desk.add(first_name="Anna", email="anna@example.com")
    file = desk.write("offer.txt", "100 only")
    card = send(desk, anna, cc=("max@example.com",), bcc=("eve@example.com",), attach=(file,))
    (mail,) = post.taken
    assert post.recipients == ["anna@example.com", "max@example.com", "eve@example.com"]
    assert (mail["Cc"], mail["Bcc"]) == ("max@example.com", None)
    (attachment,) = mail.iter_attachments()
    assert (attachment.get_filename(), attachment.get_content()) == ("offer.txt", "100 only")
    assert (card.message.cc, card.message.bcc) == ("max@example.com", "eve@example.com")
    assert card.message.attachments.endswith(" 8 offer.txt")


def test_an_e_mail_to_a_company_goes_to_its_contacts(desk: Office, post: Post) -> None:
    acme = desk.add(company="Acme")
    with pytest.raises(FieldError, match="Acme has no e-mail address yet"):
        send(desk, acme)
    desk("contacts add", acme, "Silent Sam")
    with pytest.raises(FieldError, match="neither Acme nor a contact there has an e-mail address yet"):
        send(desk, acme)
    jo = desk("contacts add", acme, "Jo Fox", email="jo@acme.example")
    eva = desk("contacts add", acme, "Eva Hill", email="eva@acme.example")
    body = {"body": "Dear {contact_name}"}
    assert send(desk, acme, **body).contact == jo
    card = send(desk, acme, to=("eva",), **body)
    assert (card.contact, card.message.to, card.message.contact) == (eva, "eva@acme.example", eva.id)
    assert send(desk, acme, to=(f"#{eva.id}",), **body).contact == eva
    assert send(desk, acme, to=("EVA@acme.example", "x@other.example"), **body).message.contact == eva.id
    # As mail programs write an address.
    assert send(desk, acme, to=('"Hill, Eva" <eva@acme.example>',), **body).message.contact == eva.id
    assert [parts(mail)["text/plain"].strip() for mail in post.taken] == ["Dear Jo Fox", *["Dear Eva Hill"] * 4]
    others = desk.add(company="Others")
    bo = desk("contacts add", others, "Bo", email="bo@others.example")
    for wrong in ("sam", "Bo", str(bo.id), "nobody", "a@b@c"):
        with pytest.raises(FieldError) as error:
            send(desk, acme, to=(wrong,))
        assert error.value.field == "to"
    desk("contacts add", acme, "Eva Moor", email="moor@acme.example")
    with pytest.raises(FieldError, match="several contacts match Eva"):
        send(desk, acme, to=("Eva",))
    assert len(post.taken) == 5


def test_a_template_fills_in_missing_parts_of_an_e_mail(desk: Office, post: Post) -> None:
    anna = desk.add(first_name="Anna", email="anna@example.com")
    welcome = desk("templates add", "Welcome", subject="Welcome, {first_name}", body="Dear {first_name}")
    assert desk("email send", anna, welcome, yes=True).message.subject == "Welcome, Anna"
    changed = desk("email send", anna, welcome, body="Bye", yes=True).message
    assert (changed.subject, changed.body) == ("Welcome, Anna", "Bye")
    text = desk("templates add", "Text", "sms", body="Dear {first_name}")
    with pytest.raises(FieldError, match="Text is a template for SMS"):
        desk("email send", anna, text, yes=True)
    assert len(post.taken) == 2


def test_an_e_mail_that_cannot_be_sent_is_refused_and_not_stored(desk: Office, post: Post) -> None:
    anna = desk.add(first_name="Anna", email="anna@example.com")
    before = desk.everything()
    for given, message in (
        ({"subject": ""}, "needs a subject"),
        ({"body": " "}, "the text is empty"),
        ({"subject": "{first_nam}"}, "no field"),
        ({"body": "{"}, "is never closed"),
        ({"cc": ("not an address",)}, "is neither a contact of Anna"),
    ):
        with pytest.raises(FieldError, match=message):
            send(desk, anna, **given)
    for missing in (desk.folder / "missing.txt", desk.folder):
        with pytest.raises(FileError):
            send(desk, anna, attach=(missing,))
    assert desk.everything() == before
    assert post.taken == []


def test_an_unusable_address_is_reported(desk: Office, post: Post) -> None:
    """One that came in through a file, where it was kept as it was."""
    odd = desk.crm.transact(lambda tx: tx.add(Client(kind="person", last_name="Odd", email="odd at x")), "imported")
    with pytest.raises(OutwardError, match="is not a valid e-mail address"):
        send(desk, odd)
    assert post.taken == []


def test_sending_without_a_mail_server_names_the_missing_settings(office: Office) -> None:
    anna = office.add(first_name="Anna", email="anna@example.com")
    with pytest.raises(UsageError, match=r"CRM_SMTP_URL.*CRM_MAIL_FROM"):
        send(office, anna)
    assert messages(office.crm) == []


def test_a_refused_e_mail_keeps_the_servers_reply_and_is_sent_again(desk: Office, post: Post) -> None:
    anna = desk.add(first_name="Anna", email="anna@example.com")
    post.answers["rcpt"] = "550 5.1.1 No such user here"
    failed = send(desk, anna).message
    assert failed.state == "failed"
    assert "No such user here" in failed.failure
    assert desk("email list", state="failed") == [failed]
    post.answers.clear()
    again = desk("email again", failed).message
    assert (again.state, again.failure, again.identifier) == ("sent", "", failed.identifier)
    assert [mail["Message-ID"] for mail in post.taken] == [failed.identifier]
    with pytest.raises(RefusedError, match=r"is sent. Nothing was sent again"):
        desk("email again", again)
    assert len(post.taken) == 1


def test_an_e_mail_that_may_have_arrived_is_resent_only_on_request(desk: Office, post: Post) -> None:
    anna = desk.add(first_name="Anna", email="anna@example.com")
    post.answers["data"] = HANGS_UP
    unsure = send(desk, anna).message
    assert unsure.state == "unsure"
    post.answers.clear()
    with pytest.raises(Question, match="may have arrived already"):
        desk("email again", unsure)
    assert desk("email show", unsure).message == unsure
    again = desk("email again", unsure, yes=True).message
    assert (again.state, again.identifier) == ("sent", unsure.identifier)


def test_a_deferred_e_mail_waits_for_the_outbox(office: Office, post: Post, authority: trustme.CA) -> None:
    office.open(smtp_url=f"smtp://127.0.0.1:{free_port()}", mail_from=SENDER)
    anna = office.add(first_name="Anna", email="anna@example.com")
    card = send(office, anna)
    assert card.message.state == "queued"
    assert card.stopped
    waits = office("email outbox")
    assert waits.left + len(waits.waiting) == 1
    assert waits.stopped
    with pytest.raises(RefusedError, match=r"is queued. Nothing was sent again"):
        office("email again", card.message)
    with served(post, authority) as port:
        crm = office.open(smtp_url=f"smtp://127.0.0.1:{port}", mail_from=SENDER)
        sent = office("email outbox", crm=crm)
        assert (sent.sent, sent.left, sent.stopped) == (1, 0, "")
        assert [message.state for message in messages(crm)] == ["sent"]
        assert office("email outbox", crm=crm).sent == 0
    assert len(post.taken) == 1


def test_only_queued_messages_can_be_cancelled(office: Office) -> None:
    office.open(smtp_url=f"smtp://127.0.0.1:{free_port()}", mail_from=SENDER)
    anna = office.add(first_name="Anna", email="anna@example.com")
    queued = send(office, anna).message
    cancelled = office("email cancel", queued).message
    assert cancelled.state == "cancelled"
    assert office("email outbox").left == 0
    with pytest.raises(RefusedError, match="Only what is queued can be cancelled"):
        office("email cancel", cancelled)
    assert office("email again", cancelled).message.state == "queued"


def test_messages_are_found_by_each_of_their_fields(desk: Office) -> None:
    anna, ben = (desk.add(first_name=name, email=f"{name}@example.com".lower()) for name in ("Anna", "Ben"))
    first = send(desk, anna, subject="An offer", body="Grüße aus Graz").message
    second = send(desk, ben).message

    text = Message(
        client=anna.id, channel="sms", direction="in", state="received", user="maria", on=TODAY - timedelta(days=3),
        time="09:00", body="Yes, please 100%",
    )  # fmt: skip
    third = desk.crm.transact(lambda tx: tx.add(text), "received an SMS")
    filters: list[tuple[dict[str, Any], list[Message]]] = [
        ({}, [second, first, third]),
        ({"client": anna}, [first, third]),
        ({"state": "received"}, [third]),
        ({"direction": "out"}, [second, first]),
        ({"channel": "sms"}, [third]),
        ({"since": TODAY}, [second, first]),
        ({"until": TODAY - timedelta(days=1)}, [third]),
        ({"mine": True}, [second, first]),
        ({"text": "OFFER"}, [first]),
        ({"text": "GRÜSSE"}, [first]),
        ({"text": "ben@example.com hello"}, [second]),
        ({"text": "100%"}, [third]),
        ({"limit": 1, "offset": 1}, [first]),
    ]
    for given, expected in filters:
        assert desk("email list", **given) == expected, given
    with pytest.raises(FieldError, match="before the first"):
        desk("email list", since=TODAY, until=TODAY - timedelta(days=1))


def test_text_from_a_record_adds_no_header(desk: Office, post: Post) -> None:
    name = "Anna\r\nBcc: eve@evil.example\r\n\r\nowned"
    odd = desk.crm.transact(
        lambda tx: tx.add(Client(kind="person", first_name=name, email="anna@example.com")), "imported"
    )
    send(desk, odd)
    (mail,) = post.taken
    assert mail["Bcc"] is None
    assert mail["Subject"] == "Hello Anna Bcc: eve@evil.example owned"
    assert post.recipients == ["anna@example.com"]


def test_an_attachment_has_no_path(desk: Office, post: Post, tmp_path: Path) -> None:
    anna = desk.add(first_name="Anna", email="anna@example.com")
    file = tmp_path / "ein Ängebot.pdf"
    file.write_bytes(b"%PDF-1.7")
    card = send(desk, anna, attach=(file,))
    assert str(tmp_path) not in repr(card)
    (attachment,) = post.taken[0].iter_attachments()
    assert attachment.get_filename() == "ein Ängebot.pdf"

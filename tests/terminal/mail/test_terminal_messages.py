"""E-mail at the menu: written, previewed, sent, and its delivery status, in a real terminal and line by line."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from crm.commands.context import CRM
from crm.commands.registry import named
from crm.model import Client, FollowUp, Message, Template
from tests.support.mail_server import Post, free_port
from tests.support.twilio import FROM, standing_in
from tests.terminal.conftest import SENDER, Start, all_of
from tests.terminal.console.test_terminal_lines import piped


def anna(crm: CRM) -> Client:
    added: Client = named("clients add")(crm, {"first_name": "Anna", "email": "anna@example.com"})
    return added


def acme(crm: CRM) -> Client:
    added: Client = named("clients add")(crm, {"company": "Acme"})
    named("contacts add")(crm, added, "Jo Fox", email="jo@acme.example")
    return added


def e_mail(start: Start, **how: Any) -> Any:
    return start(**how).choose("E-mail").sees("n new")


def more(start: Start, **how: Any) -> Any:
    return e_mail(start, **how).press(".").sees(") New mailing")


@pytest.mark.parametrize("columns", [80, 40])
def test_an_e_mail_is_written_previewed_and_sent(
    start: Start, crm: CRM, post: Post, mail: dict[str, str], columns: int, tmp_path: Path
) -> None:
    acme(crm)
    file = tmp_path / "offer.txt"
    file.write_text("100 only")
    session = e_mail(start, columns=columns, **mail).press("n").sees("Client").press("Acme", "enter").sees("Subject")
    session.press("Hello {frist_name}", "enter").sees("Did you mean {first_name}?")
    session.press("kill", "Hello {contact_name}", "enter").sees("Subject: Hello {contact_name}").sees("Text:")
    session.paste("Dear **{contact_name}**,\n\n* [b]one[/b]").press("enter").sees("1) Preview and send")
    session.sees("jo@acme.example").choose("CC").sees("1) Jo Fox").choose("Another address").sees("CC (")
    session.press("max@", "enter").sees("That is not an e-mail address").press("other.example", "enter")
    session.sees("x max@other.example").press("esc").sees("max@other.e").choose("Attachments").sees("Attach")
    session.press(str(tmp_path / "nothing"), "enter").sees("No file").press("kill", str(file), "enter")
    session.sees("Remove offer.txt").press("esc").sees("1) Preview and send").press("1")
    session.sees(f"From: {SENDER}").sees("To: Jo Fox <jo@acme.example>").sees("CC: max@other.example")
    session.sees("Subject: Hello Jo Fox").sees("Attached: offer.txt (1 KB)").sees("Dear Jo Fox,").sees("- [b]one[/b]")
    session.press("esc").sees("1) Preview and send").sees("offer.txt").press("1").sees("1) Send")
    assert post.taken == []
    session.press("1").sees("Sent to jo@acme.example.").sees("Hello Jo")
    (taken,) = post.taken
    assert post.recipients == ["jo@acme.example", "max@other.example"]
    assert taken["Subject"] == "Hello Jo Fox"
    assert [attachment.get_filename() for attachment in taken.iter_attachments()] == ["offer.txt"]
    (message,) = all_of(crm, Message)
    assert (message.state, message.user, message.contact) == ("sent", "tester", 1)
    session.press("1").sees("E-mail to Acme (Jo Fox) sent")
    session.sees("Dear Jo Fox,").choose("Open the client").sees("Acme no. 1")


@pytest.mark.parametrize("channel", [pytest.param("email", marks=pytest.mark.slow), "sms"])
def test_a_sent_e_mail_names_the_follow_ups_that_it_moves(
    start: Start, crm: CRM, mail: dict[str, str], channel: str
) -> None:
    eva = named("clients add")(
        crm, {"first_name": "Eva", "last_name": "Hill", "email": "eva@example.com", "phone": "+436641234567"}
    )
    for what, every in (("Stay in touch", 14), ("Send the list", 0)):
        named("follow-ups add")(crm, eva, what, crm.today + timedelta(days=2), every=every)
    moved = f"Moved the follow-up Stay in touch to {crm.conventions.weekday(crm.today + timedelta(days=14))}"
    with standing_in() as twilio:
        texts = {
            "TWILIO_ACCOUNT_SID": "AC-stand-in", "TWILIO_AUTH_TOKEN": "the token", "TWILIO_FROM": FROM,
            "CRM_TWILIO_URL": twilio.url,
        }  # fmt: skip
        session = e_mail(start, **mail, **texts)
        if channel == "email":
            session.press("n").sees("Client").press("Eva", "enter").sees("Subject").press("Hello", "enter")
            session.sees("Text:").paste("Dear Eva").press("enter").sees("1) Preview and send").press("1")
            session.sees("To: Eva Hill").press("1").sees("Sent to eva@example.com.")
        else:
            session.press(".").choose("Write an SMS").sees("Client").press("Eva", "enter").sees("Text")
            session.press("Hello", "enter").sees("Takes: 1 SMS").choose("Send it").sees("Sent to +436641234567.")
        session.sees(moved)
        assert "Send the list" not in session.text
    assert {due.what: due.due_on for due in all_of(crm, FollowUp)} == {
        "Stay in touch": crm.today + timedelta(days=14), "Send the list": crm.today + timedelta(days=2),
    }  # fmt: skip


def test_esc_goes_back_one_step_and_keeps_the_text(start: Start, crm: CRM, post: Post, mail: dict[str, str]) -> None:
    anna(crm)
    named("templates add")(crm, "Welcome", subject="Welcome, {first_name}", body="Dear {first_name}")
    session = e_mail(start, **mail).press("n").sees("Client").press("Anna", "enter").sees("Start from:")
    session.choose("A blank page").sees("Subject (").press("Hi", "enter").sees("Text:").press("a text", "enter")
    session.sees("1) Preview and send").press("esc").choose("Go back").sees("a text").press("esc").sees(
        "Subject ("
    ).sees("Hi")
    session.press("esc").sees("Start from:").press("esc").sees("Discard what you typed").press("esc")
    session.sees("Start from:").choose("A blank page").sees("Hi").press("enter").sees("a text").press("enter")
    session.sees("2) Subject Hi").press("esc").choose("Go back").press("esc").press("esc").sees("Start from:").choose(
        "Welcome"
    )
    session.sees("2) Subject Welcome, {first_name}").choose("Text").sees("Text:").press("!", "enter")
    session.sees("Dear {first_name}!").press("esc").choose("Go back").sees("Start from:").choose("Welcome")
    session.sees("Dear {first_name}!")
    session.press("1").sees("Subject: Welcome, Anna").press("esc").sees("1) Preview and send").press("c-c")
    session.choose("Discard").sees("n new")
    assert post.taken == []
    assert all_of(crm, Message) == []


def test_an_e_mail_that_cannot_be_sent_is_refused_before_it_is_written(start: Start, crm: CRM) -> None:
    anna(crm)
    session = e_mail(start).press("n").sees("No e-mail can be sent yet").sees("CRM_SMTP_URL").sees("CRM_MAIL_FROM")
    session.sees("1) Set up now").press("1").sees("Sender:").press("esc").sees("n new").lacks("Client:")


def test_a_client_without_an_address_is_refused_at_once(
    start: Start, crm: CRM, post: Post, mail: dict[str, str]
) -> None:
    named("clients add")(crm, {"first_name": "Ben"})
    session = start(**mail).sees("Clients").press("/").sees("Find").press("1", "enter").sees(") More").press("m")
    session.sees("Ben has no e-mail address yet. Enter one under To.").sees("Subject (")
    session.press("Hi", "enter").sees("Text:").press("a text", "enter").sees("1) Preview and send").press("1")
    session.sees("To: Ben has no e-mail address yet").sees("a text").choose("To").choose("Another address")
    session.sees("To (").press("ben@example.com", "enter").sees("x ben@example.com").press("esc").press("1")
    session.sees("1) Send").press("1").sees("Sent to ben@example.com.").sees("Ben no. 1")
    assert post.recipients == ["ben@example.com"]


def test_a_failed_message_shows_the_servers_reply_and_is_sent_again(
    start: Start, crm: CRM, post: Post, mail: dict[str, str]
) -> None:
    anna(crm)
    post.answers["rcpt"] = "550 5.1.1 No such \x1b[31muser"
    session = e_mail(start, **mail).press("n").sees("Client").press("Anna", "enter").sees("Subject (")
    session.press("Hi", "enter").sees("Text:").press("a text", "enter").sees("1) Preview and send").press("1")
    session.sees("1) Send").press("1").sees("Not sent:").sees("No such").sees("failed")
    session.press("f").sees("1) Status").press("1").choose("queued").sees("No matches.").press("f")
    session.choose("Show all again").sees("failed").press("1").sees("E-mail to Anna failed").sees("No such")
    session.sees(") Send again")
    post.answers.clear()
    session.choose("Send again").sees("Sent to anna@example.com.").sees("E-mail to Anna sent").lacks("Send again")
    assert len(post.taken) == 1
    assert b"\x1b[31muser" not in session.raw


def test_a_waiting_message_can_be_cancelled_or_sent_later(
    start: Start, crm: CRM, post: Post, mail: dict[str, str]
) -> None:
    anna(crm)
    away = {"CRM_SMTP_URL": f"smtp://127.0.0.1:{free_port()}", "CRM_MAIL_FROM": SENDER}
    session = e_mail(start, **away).press("n").sees("Client").press("Anna", "enter").sees("Subject (")
    session.press("Hi", "enter").sees("Text:").press("a text", "enter").sees("1) Preview and send").press("1")
    session.sees("1) Send").press("1").sees("It is in the outbox").sees("1-1").press("1")
    session.sees("E-mail to Anna queued").choose("Cancel").sees("E-mail to Anna cancelled").choose("Send again")
    session.sees("E-mail to Anna queued").press("esc").sees("n new").press("esc")
    session.sees("Clients").press("0")
    assert session.exit_code() == 0
    session = more(start, **mail).choose("Send queued mail").sees("Sent 1.").choose("Send queued mail")
    session.sees("The outbox is empty.")
    assert len(post.taken) == 1


def test_a_long_text_is_cut_to_the_screen_and_can_be_opened_in_full(
    start: Start, crm: CRM, mail: dict[str, str]
) -> None:
    text = "\n\n".join(f"paragraph {number}" for number in range(30))
    named("clients add")(crm, {"first_name": "Anna", "email": "anna@example.com"})
    named("templates add")(crm, "Long", subject="Long", body=text)
    session = e_mail(start, **mail).press("n").sees("Client").press("Anna", "enter").choose("Long").sees("Preview and")
    session.press("1").sees("more lines").sees("From:").choose("Show full text").sees("From:").sees("lines 1-")
    session.lacks("paragraph 29").press("enter").sees("lines 21-").press("esc").sees("From:").sees("more lines")
    session.sees("1) Send").press("1").sees("Sent to").sees("1-1").press("1").sees("more lines")
    # It is read window by window.
    session.choose("Show full text").sees("lines 1-20 of 59, any key: next").press("enter").sees("lines 21-40")
    session.press("enter").sees("paragraph 29").press("enter").sees("more lines")


def test_templates_are_added_read_changed_and_deleted(start: Start, crm: CRM) -> None:
    anna(crm)
    named("clients add")(crm, {"company": "Acme"})
    session = more(start).choose("Templates").sees("No templates yet.").press("n").sees("Type:").press("1")
    session.sees("Name:").press("Welcome", "enter").sees("1) Save").press("1").sees(
        "Subject: An e-mail needs a subject"
    )
    session.choose("Subject").sees("Subject (").press("Hi {first_name|you}", "enter").sees("Hi {first_name|you}")
    session.choose("Text").sees("Text:").press("Dear {first_name", "enter").sees("The { at position 6 is never closed")
    session.press("}", "enter").sees("1) Save").press("1").sees("Added: Welcome (no. 1)").press("1")
    session.sees("Subject: Hi {first_name|you}").choose("Preview as a client").sees("As Anna would see it")
    session.sees("Subject: Hi Anna").sees("Dear Anna").choose("Preview for another").sees("Client")
    session.press("Acme", "enter")
    session.sees("Subject: Hi you").sees("No value for {first_name}").press("esc").choose("Edit").choose("Name")
    session.sees("Name").press("kill", "Hello", "enter").sees("* Hello").press("1").sees("Saved: Hello")
    session.choose("Delete")
    session.sees("This deletes the template Hello.").press("1").sees("Deleted Hello").sees("No templates yet.")
    session.press("u")
    session.sees("Undo: ").press("1").sees("1-1 of 1")
    (template,) = all_of(crm, Template)
    assert (template.name, template.subject, template.body) == ("Hello", "Hi {first_name|you}", "Dear {first_name}")


def test_an_sms_template_has_no_subject_and_shows_its_number_of_parts(start: Start, crm: CRM) -> None:
    anna(crm)
    session = more(start).choose("Templates").press("n").sees("Type:").press("2").sees("Name:")
    session.press("Short", "enter").sees("1) Save").lacks("Subject").choose("Text").sees("Text:")
    session.paste("Dear {first_name} " + "x" * 160).press("enter").sees("1) Save").press("1").sees("Added: Short")
    session.press("1").sees("Takes 2 SMS without the values of its fields.").choose("Preview as")
    session.sees("Takes 2 SMS for this client.")


@pytest.mark.slow
def test_without_a_terminal_an_e_mail_is_written_line_by_line(
    store: Path, crm: CRM, post: Post, mail: dict[str, str]
) -> None:
    anna(crm)
    lines = ["6", "n", "Anna", "Hello {first_name}", "Dear {first_nam}", "Dear {first_name}", "1", "1", "0", "0"]
    done = piped(store, "\n".join(lines) + "\n", **mail)
    assert (done.returncode, done.stderr) == (0, "")
    for expected in ("Did you mean {first_name}?", "To: Anna <anna@example.com>", "Sent to anna@example.com."):
        assert expected in done.stdout
    assert [mail["Subject"] for mail in post.taken] == ["Hello Anna"]

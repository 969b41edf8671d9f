"""Incoming e-mail, greetings and text messages at the menu, in a real terminal."""

import re
from datetime import date
from pathlib import Path

import pytest

from crm.commands.context import CRM
from crm.commands.registry import named
from crm.model import Client, Contact, Message
from crm.repository import Query
from tests.support.dovecot import Dovecot
from tests.support.mail_server import Post
from tests.support.twilio import FROM, standing_in
from tests.terminal.conftest import Start
from tests.terminal.console.test_terminal_lines import piped

BOX = "Menu"


@pytest.fixture
def box(dovecot_server: Dovecot) -> Dovecot:
    dovecot_server.make(BOX)
    return dovecot_server


@pytest.fixture
def acme(crm: CRM) -> Client:
    added: Client = named("clients add")(crm, {"company": "Acme", "email": "office@acme.example.com"})
    return added


def put(box: Dovecot, sender: str, subject: str) -> None:
    text = f"From: {sender}\r\nTo: team@example.com\r\nSubject: {subject}\r\n\r\nHello\r\n"
    box.put(BOX, text.encode())


def messages(crm: CRM) -> list[tuple[str, str]]:
    with crm.read() as snapshot:
        found = snapshot.find_all(Message, Query(sort="id"))
        return [(snapshot.get(Client, message.client).name, message.subject or message.body) for message in found]


@pytest.mark.parametrize("columns", [80, 40])
def test_fetched_mail_is_reported_and_strangers_can_become_clients(
    start: Start, crm: CRM, box: Dovecot, acme: Client, columns: int
) -> None:
    put(box, "office@acme.example.com", "An order")
    put(box, "Eva Hill <eva@hill.example.org>", "[red]A question")
    put(box, "jo.fox@acme.example.com", "From a colleague")
    put(box, "spam@example.net", "Buy")
    session = start(columns=columns, CRM_IMAP_URL=box.url(BOX), CRM_MAIL_FROM="team@example.com").sees("Clients")
    session.choose("E-mail").sees("M mailings").press(".").choose("Fetch e-mail")
    session.sees("Filed 1 e-mail with their clients").sees("Unknown senders: 3").sees("1-3 of 3")
    session.press(session.reads(r"(\d)\) .*eva@hill")[0])
    session.choose("Add as a new client").sees("Name").press("enter").sees("Eva Hill: filed 1 e-mail")
    session.sees("1-2 of 2").press(session.reads(r"(\d)\) .*jo\.fox")[0]).choose("Add to an existing client")
    session.sees("Client").press("acme").sees("Acme").press("enter").sees("contact of Acme: filed 1 e-mail")
    session.sees("1-1 of 1").press(session.reads(r"(\d)\) .*spam@")[0]).choose("Ignore")
    session.sees("is ignored from now on").sees("No unknown senders yet")
    # Esc leaves the list, not the menu.
    session.press("esc").sees("Fetch e-mail")
    assert sorted(messages(crm)) == [
        ("Acme", "An order"), ("Acme", "From a colleague"), ("Eva Hill", "[red]A question"),
    ]  # fmt: skip
    with crm.read() as snapshot:
        (contact,) = snapshot.find_all(Contact)
    assert (contact.client, contact.email, contact.name) == (acme.id, "jo.fox@acme.example.com", "Jo Fox")


@pytest.mark.usefixtures("acme")
def test_without_a_mailbox_the_menu_says_what_to_set(start: Start) -> None:
    session = start().sees("Clients").choose("E-mail").sees("M mailings").press(".").choose("Fetch e-mail")
    session.sees("No mailbox is set up yet").sees("CRM_IMAP_URL").sees("1) Set up now").press("esc")
    session.sees(") New mailing").choose("Write an SMS").sees("TWILIO_ACCOUNT_SID").sees("1) Set up now")


def test_greetings_are_previewed_before_they_are_sent(start: Start, crm: CRM, post: Post, mail: dict[str, str]) -> None:
    named("templates add")(crm, "Birthday", subject="Happy birthday", body="Dear {first_name}, [red]all the best[/]")
    born = {"date_of_birth": date(1980, 11, 21), "marketing_consent": True}
    named("clients add")(crm, {"first_name": "Eva", "last_name": "Hill", "email": "eva@hill.example.org", **born})
    session = start(**mail).sees("Clients")
    session.choose("E-mail").sees("M mailings").press(".").choose("Greetings").sees("No greetings yet").press("n")
    session.sees("Name").press("Birthdays", "enter").sees("On").press("birthday", "enter")
    session.sees("Template").press(session.reads(r"(\d)\) Birthday")[0]).sees("birthdays")
    session.press(session.reads(r"(\d)\) Birthdays")[0]).sees("[red]all the best[/]").press("esc")
    session.sees("1-1 of 1").press("m").sees("Greetings due: 1").sees("Eva Hill").choose("Send")
    session.sees("Greetings: 1").sees("Sent 1")
    assert [str(mail["Subject"]) for mail in post.taken] == ["Happy birthday"]
    session.press("m").sees("No greetings due").press("enter").sees("1-1 of 1")
    session.press(session.reads(r"(\d)\) Birthdays")[0]).choose("Remove it").sees("Messages already sent are kept")
    session.choose("Remove").sees("Removed Birthdays")
    assert messages(crm)[0][0] == "Eva Hill"


@pytest.mark.parametrize("columns", [80, 40])
def test_a_text_message_is_previewed_before_it_is_sent(start: Start, crm: CRM, columns: int) -> None:
    named("clients add")(crm, {"first_name": "Eva", "last_name": "Hill", "phone": "+436641234567"})
    named("templates add")(crm, "Due", channel="sms", body="Dear {first_name}, see you")
    with standing_in() as twilio:
        session = start(
            columns=columns,
            TWILIO_ACCOUNT_SID="AC-stand-in",
            TWILIO_AUTH_TOKEN="the token",
            TWILIO_FROM=FROM,
            CRM_TWILIO_URL=twilio.url,
        )
        session.sees("Clients").choose("E-mail").sees("M mailings").press(".").choose("Write an SMS").sees("Client")
        session.press("Eva", "enter").sees("Start from").choose("Due").sees("Dear {first_name}, see you")
        session.press(" Fri", "enter").sees("To: Eva Hill, +436641234567").sees("Takes: 1 SMS")
        session.sees("Dear Eva, see you Fri").press("esc").sees("Dear {first_name}, see you Fri")
        session.press("esc").sees("Start from").choose("Due").sees("see you Fri").press("enter")
        session.choose("Send it").sees("Sent to +436641234567").sees(") New mailing")
        assert [body["Body"] for _, _, body in twilio.asked] == [["Dear Eva, see you Fri"]]
    assert messages(crm) == [("Eva Hill", "Dear Eva, see you Fri")]


def test_a_message_is_opened_from_the_timeline_and_from_the_agenda(start: Start, crm: CRM, acme: Client) -> None:
    given = {"client": acme.id, "channel": "email", "direction": "out", "on": date(2026, 11, 20), "user": "tester"}
    for state, subject in (("sent", "Your quote"), ("failed", "[red]News")):
        made = Message(
            **given, state=state, subject=subject, body="Dear Acme", failure="550 gone" * (state == "failed")
        )
        crm.transact(lambda tx, new=made: tx.add(new), "wrote")  # type: ignore[misc]
    session = start().sees("Clients").press("/").sees("Find").press("Acme", "enter").sees("Acme no. 1")
    session.sees("E-mail sent: Your quote").sees("E-mail failed: [red]News (550 gone)").choose("Timeline")
    session.sees("Acme › Timeline")
    session.press(session.reads(r"(\d)\) .*Your quote")[0]).sees("E-mail to Acme sent").sees("Dear Acme").press("esc")
    session.sees("Acme › Timeline").press("f").choose("E-mails").sees("1-2 of 2 · e-mails")
    session = start().sees("Clients").choose("Today").sees("Failed: 550 gone")
    session.press(session.reads(r"(\d)\) .*550 gone")[0]).sees("E-mail to Acme failed").sees("Send again")


@pytest.mark.slow
@pytest.mark.usefixtures("acme")
def test_line_by_line_too(store: Path, crm: CRM, box: Dovecot) -> None:
    put(box, "Eva Hill <eva@hill.example.org>", "A question")
    how = {"CRM_IMAP_URL": box.url(BOX), "XDG_DATA_HOME": str(store.parent)}

    def key(of: str, typed: str) -> str:
        return re.findall(rf"(?m)^(\w)  {of}$", piped(store, f"{typed}0\n0\n0\n", **how).stdout)[0]

    mail = key("E-mail", "")
    fetch = key("Fetch e-mail", f"{mail}\n.\n")
    # The first stranger, a new client, by the name in the e-mail.
    typed = f"{mail}\n.\n{fetch}\n1\n1\n\n0\n0\n0\n0\n"
    done = piped(store, typed, **how)
    assert "Unknown senders: 1" in done.stdout
    assert "Eva Hill: filed 1 e-mail." in done.stdout
    assert done.returncode == 0, done.stdout + done.stderr
    assert messages(crm) == [("Eva Hill", "A question")]

"""Mailings at the menu: written to a group, previewed, tested, sent, and a failed message opened by its number."""

import time
from pathlib import Path
from typing import Any

import pytest

from crm.commands.context import CRM
from crm.commands.registry import named
from crm.model import Client, Message
from tests.support.mail_server import Post, free_port
from tests.terminal.conftest import SENDER, Start
from tests.terminal.console.test_terminal_lines import piped


def readers(crm: CRM, count: int, **fields: Any) -> None:
    """Clients who have agreed to mailings, and as many go out as fast as may be."""
    named("settings set")(crm, "mails_per_minute", "6000")
    for at in range(1, count + 1):
        given = {"first_name": f"No{at}", "email": f"a{at}@example.com", "marketing_consent": True, **fields}
        named("clients add")(crm, given, duplicate_ok=True)


def messages(crm: CRM) -> list[Message]:
    with crm.read() as snapshot:
        return sorted(snapshot.find_all(Message), key=lambda message: message.id)


def to_many(start: Start, **how: Any) -> Any:
    return start(**how).sees("Clients").choose("E-mail").sees("M mailings").press(".").choose("New mailing")


def written(session: Any) -> Any:
    """A text for all sessions, up to its preview."""
    session.sees("Which clients?").choose("All clients").sees("Subject (").press("News for {first_name}", "enter")
    return session.sees("Text:").press("Dear {name}", "enter").sees("1) Preview and send").press("1")


@pytest.mark.many
@pytest.mark.parametrize("columns", [80, 40])
def test_a_mailing_is_written_previewed_tested_and_sent(
    start: Start, crm: CRM, post: Post, mail: dict[str, str], columns: int
) -> None:
    readers(crm, 3)
    readers(crm, 1, first_name="[b]Silent", email="s@example.com", marketing_consent=False)
    session = written(to_many(start, columns=columns, **mail))
    session.sees("This goes to 3 clients.").sees("1 client is left out: 1 has not agreed to mailings.")
    session.sees("Subject: News for No1").sees("Dear No1").sees("1) Send to 3 people")
    session.choose("Who is excluded").sees("[b]Silent").sees("has not agreed to mailings").press("enter")
    # Enter sends nothing: how many get it is typed, and an empty answer is none.
    session.sees("1) Send to 3 people").press("enter").choose("Preview and send")
    session.sees("1) Send to 3 people").press("1").sees("Type 3 to send").press("enter").sees("This is required")
    session.press("12", "enter").sees("Type 3 to confirm").press("esc").sees("1) Send to 3 people")
    session.choose("Send me a test").sees("To (").press("enter").sees("This is required")
    session.press("me@example.com", "enter")
    session.sees("Sent to me@example.com, as No1 would see it.").sees("1) Send to 3 people")
    assert post.recipients == ["me@example.com"]
    assert messages(crm) == []
    session.press("1", "3", "enter").sees("Sent to 3.").sees("3 sent").sees(") All its messages")
    assert post.recipients[1:] == ["a1@example.com", "a2@example.com", "a3@example.com"]
    session.choose("All its messages").sees("News for N").press("esc")
    session.choose("Show full text").sees("Dear {name}").press("enter")
    session.sees("3 sent").press("esc").choose("Mailings").sees("News for {f")
    session.press("1").sees("3 sent")


def test_a_failed_message_is_opened_by_its_number_and_sent_again(
    start: Start, crm: CRM, post: Post, mail: dict[str, str]
) -> None:
    readers(crm, 3)
    post.answers["rcpt"] = lambda address: "550 5.1.1 No such \x1b[31muser" if address.startswith("a2@") else ""
    session = written(to_many(start, **mail)).sees("1) Send to 3 people").press("1", "3", "enter")
    session.sees("2 sent, 1 failed")
    session.sees("1) No2").sees("No such").press("1").sees("E-mail to No2 failed").sees(") Send again")
    post.answers.clear()
    session.choose("Send again").sees("Sent to a2@example.com.").press("esc").sees("3 sent").lacks("1) No2")
    assert [message.state for message in messages(crm)] == ["sent"] * 3
    assert b"\x1b[31muser" not in session.raw


def test_a_template_mailing_goes_to_the_clients_of_a_view(
    start: Start, crm: CRM, post: Post, mail: dict[str, str]
) -> None:
    readers(crm, 2)
    readers(crm, 1, city="Graz", email="graz@example.com", first_name="Gerda")
    named("templates add")(crm, "Spring", subject="Spring, {first_name}", body="Dear {first_name}")
    named("views save")(crm, "In Graz", "city = 'Graz'")
    session = start(**mail).choose("Clients").sees("Gerda").press("v")
    session.choose("In Graz").lacks("No1").press("g").choose("All ").choose("Send a mailing")
    session.sees("Start from:").choose("Spring")
    session.sees("1) Preview and send").sees("Spring, {first_name}").press("1").sees("Subject: Spring, Gerda")
    session.sees("1) Send to 1 person").press("1").sees("Sent to 1.").sees("1 sent")
    assert post.recipients == ["graz@example.com"]


def test_esc_goes_back_one_step_and_keeps_the_text(start: Start, crm: CRM, post: Post, mail: dict[str, str]) -> None:
    readers(crm, 2)
    session = written(to_many(start, **mail)).sees("1) Send to 2 people").press("esc").sees("1) Preview and send")
    session.sees("News for {first_name}").press("esc").sees("Discard what you typed?").press("esc")
    session.sees("Ctrl-C twice discards").press("esc").choose("Go back").sees("Text:").sees("Dear {name}").press("esc")
    session.sees("Subject (").sees("News for").press("esc").sees("Which clients?").press("esc")
    session.sees("Discard what you typed").press("esc").sees("Which clients?").press("esc")
    session.sees("Discard what you typed").choose("Discard").sees(") New mailing")
    assert post.taken == []
    assert messages(crm) == []


def test_a_mailing_without_recipients_is_refused_before_it_is_written(
    start: Start, crm: CRM, mail: dict[str, str]
) -> None:
    readers(crm, 1, marketing_consent=False)
    session = to_many(start, **mail).choose("All clients")
    session.sees("Nobody would get this.").sees("1 has not agreed to mailings").lacks("Subject")
    session.choose("Choose other clients").sees("Which clients?").choose("All clients")
    # Who has agreed after all can be noted right there.
    session.sees("Choose other clients").choose("Set Marketing consent").sees("This changes 1 client")
    session.choose("Change them").sees("This can go to 1 client.")
    with crm.read() as snapshot:
        assert [client.marketing_consent for client in snapshot.find_all(Client)] == [True]


def test_clients_chosen_one_by_one_are_still_chosen_where_nobody_of_them_gets_the_mailing(
    start: Start, crm: CRM, mail: dict[str, str]
) -> None:
    readers(crm, 2, marketing_consent=False)
    session = to_many(start, **mail).choose("One by one").choose("Add a client")
    session.press("No2", "enter").sees("Clients: No2").choose("Continue with these")
    session.sees("Nobody would get this.").choose("Choose other clients").sees("Which clients?").choose("One by one")
    session.sees("Clients: No2").sees("Remove the last one")


def test_clients_who_have_agreed_after_all_are_included_from_the_preview(
    start: Start, crm: CRM, mail: dict[str, str]
) -> None:
    readers(crm, 2)
    readers(crm, 1, marketing_consent=False, email="late@example.com")
    session = written(to_many(start, **mail)).sees("1) Send to 2 people")
    session.choose("Include the one who has not agreed: set Marketing consent").sees("This changes 1 client").press("0")
    session.sees("1) Send to 2 people").choose("Include the one").choose("Change them").sees("1) Send to 3 people")
    session.lacks("Include the one")


def test_a_mailing_that_cannot_be_sent_yet_is_kept_as_a_template(start: Start, crm: CRM) -> None:
    readers(crm, 2)
    session = written(to_many(start)).sees("1) Send to 2 people").press("0")
    session.sees("Sending e-mail is not set up yet.").sees("1) Preview and send").press("esc")
    session.choose("Keep it as a template").sees("Kept as the template News for {first_name}.")
    (template,) = named("templates list")(crm)
    assert (template.subject, template.body) == ("News for {first_name}", "Dear {name}")


def test_the_page_that_promises_a_template_has_an_entry_for_it(start: Start, crm: CRM) -> None:
    readers(crm, 2)
    session = written(to_many(start)).sees("1) Send to 2 people").press("0").sees("5) Keep it as a template")
    session.press("5").sees("Kept as the template News for {first_name}.").lacks("Discard")
    assert len(named("templates list")(crm)) == 1


def test_the_number_of_recipients_is_shown_before_the_text_is_written(
    start: Start, crm: CRM, mail: dict[str, str]
) -> None:
    readers(crm, 3)
    readers(crm, 2, marketing_consent=False, email="")
    named("templates add")(crm, "Spring", subject="Spring", body="Dear {first_name}")
    notice = "This can go to 3 clients. 2 clients are left out: 2 have not agreed to mailings."
    session = to_many(start, columns=100, **mail).choose("All clients").sees("Start from:").sees(notice)
    session.choose("A blank page").sees("Subject (").sees(notice).press("News", "enter").sees("Text:").sees(notice)
    session.press("Hello", "enter").sees("1) Preview and send").sees(notice)
    session.press("1").sees("This goes to 3 clients. 2 clients are left out")


def test_a_mailing_is_prepared_without_a_mailbox_and_its_text_is_kept(start: Start, crm: CRM) -> None:
    readers(crm, 3)
    session = written(to_many(start)).sees("This goes to 3 clients.").sees("Subject: News for No1")
    for choice in ("1", "2"):
        session.press(choice).sees("No e-mail can be sent yet.").sees("Set up now").press("0")
        session.sees("1) Send to 3 people").sees("Subject: News for No1")
    session.press("0").sees("Text Dear {name}").settled()
    assert messages(crm) == []


def test_a_long_mailing_can_be_left_to_the_outbox(start: Start, crm: CRM, post: Post, mail: dict[str, str]) -> None:
    readers(crm, 3)
    named("settings set")(crm, "mails_per_minute", "1")
    session = written(to_many(start, **mail)).sees("That takes about 3 minutes.")
    # The first choice holds nobody up, and the page says what sends them.
    session.sees("Later: you send them with Send queued mail").sees("1) Send to 3 people later")
    session.sees("2) Send to 3 people now").press("1").sees("Until they are sent you can cancel them.")
    session.press("3", "enter").sees("3 e-mails wait in the outbox.").sees("3 queued").sees("Resume sending")
    # Enter on the page that is open now sends nothing either.
    session.press("enter").sees("1-3")
    assert (post.taken, [message.state for message in messages(crm)]) == ([], ["queued"] * 3)
    session.hang_up()
    # As the next program finds it, at a pace that a test can wait for.
    named("settings set")(crm, "mails_per_minute", "600")
    session = start(**mail).choose("E-mail").sees("? keys").press(".").choose("Mailings").sees("News for").press("1")
    session.choose("Resume sending").sees("Sent to 3.")
    assert post.recipients == ["a1@example.com", "a2@example.com", "a3@example.com"]


@pytest.mark.slow
def test_a_waiting_mailing_is_continued_or_cancelled(start: Start, crm: CRM, post: Post, mail: dict[str, str]) -> None:
    readers(crm, 3)
    away = {"CRM_SMTP_URL": f"smtp://127.0.0.1:{free_port()}", "CRM_MAIL_FROM": SENDER}
    session = written(to_many(start, **away)).sees("1) Send to 3 people").press("1", "3", "enter")
    session.sees("cannot be reached")
    session.sees("3 not sent yet.").sees("3 queued").choose("Resume sending").sees("cannot be reached")
    session.sees("3 queued").hang_up()
    session = start(**mail).choose("E-mail").sees("? keys").press(".").choose("Mailings").sees("News for").press("1")
    session.choose("Resume sending").sees("Sent to 3.").sees("3 sent").lacks("Resume sending")
    assert len(post.taken) == 3
    session = written(to_many(start, **away)).sees("3 have already got this text").sees("mailing 1")
    session = session.choose("Send it to them again").sees("1) Send to 3 people").press("1", "3", "enter")
    session.sees(") Cancel the rest")
    session.choose("Cancel the rest").sees("This cancels 3 queued e-mails.").choose("Cancel them")
    session.sees("Cancelled. Messages that had already gone out are not affected.").sees("3 cancelled")


def test_ctrl_c_stops_after_the_current_e_mail_and_returns_to_the_menu(
    start: Start, crm: CRM, post: Post, mail: dict[str, str]
) -> None:
    readers(crm, 4)
    post.waits = 0.8
    session = written(to_many(start, **mail)).sees("1) Send to 4 people").press("1", "4", "enter").sees("Ctrl-C stops")
    while not post.sessions:
        time.sleep(0.01)
    session.send("c-c").sees("You have stopped it. 3 not sent yet.").sees("1 sent, 3 queued")
    post.waits = 0.0
    session.choose("Resume sending").sees("Sent to 4.").sees("4 sent")
    assert len(post.taken) == 4


@pytest.mark.slow
def test_line_by_line_a_mailing_is_shown_in_full_and_sent(
    crm: CRM, mail: dict[str, str], store: Path, post: Post
) -> None:
    readers(crm, 2)
    lines = ["6", ".", "New mailing", "4", "News for {first_name}", "Dear {name}", "1", "1", "2", "0", "0", "0"]
    done = piped(store, "\n".join(lines) + "\n", XDG_DATA_HOME=str(store.parent), **mail)
    assert (done.returncode, done.stderr) == (0, "")
    for expected in ("This goes to 2 clients.", "Subject: News for No1", "Sent to 2.", "2 sent"):
        assert expected in done.stdout
    assert sorted(post.recipients) == ["a1@example.com", "a2@example.com"]

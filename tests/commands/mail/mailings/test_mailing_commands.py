"""Mailings: who gets them and who does not, each message once, and the report on it."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import trustme

from crm.commands.mail.mailings.report import MailingReport
from crm.commands.mail.mailings.text import TestSent
from crm.errors import FieldError, OutwardError, Question, RefusedError, UsageError
from crm.model import Client, Contact, Mailing
from tests.conftest import Store
from tests.support.command_line import CommandLine
from tests.support.mail_desk import MailDesk, desk_at
from tests.support.mail_server import Post, served

NEWS = {"subject": "News for {first_name|you}", "body": "Dear {name},\n\nwe have *news*."}


def send(here: MailDesk, **given: Any) -> MailingReport:
    report: MailingReport = here("mailings send", **{"all_": True, "yes": True, **NEWS, **given})
    return report


def asked(here: MailDesk, **given: Any) -> str:
    with pytest.raises(Question) as question:
        send(here, yes=False, **given)
    assert question.value.parameter == "yes"
    return question.value.sentence


def test_each_client_gets_the_text_with_their_own_name(here: MailDesk) -> None:
    here.clients(3)
    report = send(here)
    assert (report.counted.counts, report.stopped, report.troubles) == ({"sent": 3}, "", [])
    assert [str(mail["Subject"]) for mail in here.post.taken] == [f"News for No{at}" for at in (1, 2, 3)]
    first = here.post.taken[0].get_body(("plain",))
    assert first is not None
    assert first.get_content().startswith("Dear No1 Fox,\r\n\r\nwe have news.")
    assert "If you'd rather not get these e-mails" in first.get_content()
    assert "mailto:team@example.com" in str(here.post.taken[0]["List-Unsubscribe"])
    mailing = report.counted.mailing
    assert (mailing.name, mailing.subject, mailing.user) == (NEWS["subject"], NEWS["subject"], "anna")
    assert {message.mailing for message in here.messages().values()} == {mailing.id}


def test_skipped_clients_are_counted_and_listed_before_sending(here: MailDesk) -> None:
    here.clients(2)
    bad = here.clients(1, email="gone@example.com", last_name="Bad")[0]
    here.post.answers["rcpt"] = lambda address: "550 5.1.1 no such user" if address.startswith("gone") else ""
    here.write(bad)
    assert len(here.send().failed) == 1
    here.post.taken.clear()
    here.clients(1, marketing_consent=False, email="c@example.com", last_name="Silent")
    here.clients(1, email="", last_name="Nowhere")
    here.clients(1, email="A1@EXAMPLE.com", last_name="Twin")
    answer = asked(here)
    assert "To: No1 Fox <a1@example.com>" in answer
    assert "Subject: News for No1" in answer
    assert "If you'd rather not get these e-mails" in answer
    assert "This goes to 2 clients." in answer
    assert (
        "4 clients are left out: 1 has not agreed to mailings, 1 has no e-mail address, 1 has an address that does"
        " not work, 1 has the same address as another client." in answer
    )
    assert "No1 Bad (3): gone@example.com bounced: 550 5.1.1 no such user" in answer
    assert "No1 Silent (4): has not agreed to mailings" in answer
    assert "is also the address of No1 Fox (1)" in answer
    assert here.arrived == []
    assert len(here.messages()) == 1
    report = send(here)
    assert sorted(reader.why for reader in report.left_out) == ["address", "bad", "consent", "twice"]
    assert (report.counted.counts, len(here.arrived)) == ({"sent": 2}, 2)


def test_a_later_delivery_clears_a_bad_address(here: MailDesk) -> None:
    (client,) = here.clients(1)
    here.post.answers["rcpt"] = "550 5.1.1 no such user"
    here.write(client)
    here.send()
    with pytest.raises(RefusedError, match=r"Nobody would get this\. 1 client is left out: 1 has an address"):
        send(here)
    here.post.answers.clear()
    here.write(client)
    here.send()
    assert send(here).counted.counts == {"sent": 1}


def test_an_unrelated_failure_does_not_mark_an_address_as_bad(here: MailDesk) -> None:
    (client,) = here.clients(1)
    (number,) = here.write(client, attachments=(f"{'0' * 64} 3 one.txt",))
    here.change(number, state="failed", failure="not sent: one.txt is no longer on this computer.")
    assert send(here).counted.counts == {"sent": 1}


def test_a_company_without_an_address_is_written_to_by_its_primary_contact(here: MailDesk) -> None:
    (firm,) = here.clients(1, kind="company", first_name="", last_name="", company="Acme", email="")
    contact = Contact(client=firm.id, name="Eva Hill", email="eva@acme.example", is_primary=True)
    here.crm.transact(lambda tx: tx.add(contact), "added a contact")
    send(here, body="Dear {contact_name}")
    assert str(here.post.taken[0]["To"]) == "Eva Hill <eva@acme.example>"
    (message,) = here.messages().values()
    assert (message.client, message.contact) == (firm.id, 1)
    assert message.body.startswith("Dear Eva Hill")


def test_a_mailing_can_be_limited_to_some_clients(here: MailDesk) -> None:
    anna, ben, cleo = here.clients(3)
    here("clients edit", ben, {"city": "Graz"})
    assert "This goes to 1 client." in asked(here, all_=False, only=(("city", "Graz"),))
    send(here, all_=False, clients=(anna, cleo))
    assert [message.to for message in here.messages().values()] == ["a1@example.com", "a3@example.com"]
    with pytest.raises(FieldError, match="say which clients"):
        send(here, all_=False)


def test_a_mailing_uses_the_texts_of_a_template(here: MailDesk) -> None:
    here.clients(1)
    template = here("templates add", "News", subject="Hi {first_name}", body="From {company_name}")
    text = here("templates add", "Text", channel="sms", body="Hi")
    here.set(company_name="Fox & Co")
    report = here("mailings send", template=template, all_=True, yes=True)
    assert report.counted.mailing.body == "From {company_name}"
    assert str(here.post.taken[0]["Subject"]) == "Hi No1"
    with pytest.raises(FieldError, match="Text is a template for SMS"):
        here("mailings send", template=text, all_=True, yes=True)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"subject": ""}, "a mailing needs one"),
        ({"body": ""}, "a mailing needs one"),
        ({"body": "Dear {first name}"}, "no field"),
        ({"subject": "{"}, "never closed"),
    ],
)
def test_an_impossible_mailing_text_is_refused(here: MailDesk, given: dict[str, str], why: str) -> None:
    here.clients(1)
    with pytest.raises(FieldError, match=why) as error:
        send(here, **given)
    assert error.value.field == next(iter(given))
    assert here.messages() == {}


def test_text_from_a_record_is_no_field_no_markup_and_no_header(here: MailDesk) -> None:
    here.clients(1, first_name="{total_spend}\nBcc: x@example.com", last_name="<b>*Fox*</b>")
    send(here)
    (taken,) = here.post.taken
    assert here.post.recipients == ["a1@example.com"]
    assert taken["Bcc"] is None
    assert str(taken["Subject"]).startswith("News for {total_spend}")
    page = taken.get_body(("html",))
    assert page is not None
    assert "&lt;b&gt;*Fox*&lt;/b&gt;" in page.get_content()


def test_a_test_mailing_goes_to_one_address_and_is_not_stored(here: MailDesk, folder: Path) -> None:
    here.clients(2)
    (folder / "list.pdf").write_bytes(b"%PDF")
    sent = send(here, test="me@example.com", attach=(folder / "list.pdf",), yes=False)
    assert sent == TestSent("me@example.com", "No1 Fox", "News for No1")
    (taken,) = here.post.taken
    assert (here.post.recipients, str(taken["Subject"])) == (["me@example.com"], "Test: News for No1")
    # Whoever looks at it opts out for nobody.
    assert taken["List-Unsubscribe"] is None
    assert b"mailto:" not in here.post.raw[0]
    assert [attachment.get_filename() for attachment in taken.iter_attachments()] == ["list.pdf"]
    assert (here.messages(), here("mailings list")) == ({}, [])
    here.post.answers["rcpt"] = "550 not here"
    with pytest.raises(OutwardError, match=r"The test to me@example\.com was not sent: 550 not here"):
        send(here, test="me@example.com")


def test_every_message_of_a_mailing_has_the_attachments(here: MailDesk, folder: Path) -> None:
    here.clients(2)
    (folder / "list.pdf").write_bytes(b"%PDF")
    assert "Attached: list.pdf" in asked(here, attach=(folder / "list.pdf",))
    send(here, attach=(folder / "list.pdf",))
    assert [attachment.get_filename() for mail in here.post.taken for attachment in mail.iter_attachments()] == [
        "list.pdf"
    ] * 2


def test_without_a_server_a_mailing_asks_nothing(store: Store, folder: Path) -> None:
    here = desk_at(store, folder, Post(), "")
    with pytest.raises(UsageError, match="CRM_SMTP_URL"):
        here("mailings send", **NEWS, all_=True)


def test_failed_recipients_are_listed_for_another_try(here: MailDesk) -> None:
    here.clients(4)
    here.post.answers["rcpt"] = lambda address: "550 no such user" if address.startswith(("a1@", "a3@")) else ""
    report = send(here)
    assert report.counted.counts == {"sent": 2, "failed": 2}
    assert [(trouble.name, trouble.message.failure) for trouble in report.troubles] == [
        ("No1 Fox", "550 no such user"),
        ("No3 Fox", "550 no such user"),
    ]
    assert here("mailings show", report.counted.mailing).troubles == report.troubles
    here.post.answers.clear()
    here("email again", report.troubles[0].message)
    assert here("mailings show", report.counted.mailing).counted.counts == {"sent": 3, "failed": 1}


def test_an_interrupted_mailing_continues_where_it_stopped(here: MailDesk) -> None:
    count = iter(range(100))
    here.post.answers["mail"] = lambda _: "530 5.7.0 sign in first" if next(count) >= 3 else ""
    here.clients(8)
    report = send(here)
    assert report.counted.counts == {"sent": 3, "queued": 5}
    assert "wants a user and password" in report.stopped
    here.post.answers.clear()
    assert here("mailings resume", report.counted.mailing).counted.counts == {"sent": 8}
    assert here("mailings resume", report.counted.mailing).counted.counts == {"sent": 8}
    assert set(Counter(here.arrived).values()) == {1}


def test_a_waiting_mailing_can_be_cancelled(here: MailDesk) -> None:
    here.post.answers["mail"] = "530 5.7.0 sign in first"
    clients = here.clients(3)
    mailing = send(here).counted.mailing
    (single,) = here.write(clients[0])
    with pytest.raises(Question, match=r"This cancels 3 queued e-mails\."):
        here("mailings cancel", mailing)
    report = here("mailings cancel", mailing, yes=True)
    assert report.counted.counts == {"cancelled": 3}
    assert here.messages()[single].state == "queued"
    with pytest.raises(RefusedError, match="has no messages waiting"):
        here("mailings cancel", mailing, yes=True)
    here.post.answers.clear()
    assert here("mailings resume", mailing).counted.counts == {"cancelled": 3}
    assert here.arrived == []


def test_mailings_are_listed_newest_first_without_standing_orders(here: MailDesk) -> None:
    here.clients(2)
    send(here)
    send(here, subject="More")
    standing = Mailing(name="Birthdays", channel="email", body="Hi", occasion="birthday", user="anna")
    here.crm.transact(lambda tx: tx.add(standing), "added an occasion")
    listed = here("mailings list")
    assert [(shown.mailing.name, shown.counts, shown.waiting) for shown in listed] == [
        ("More", {"sent": 2}, 0),
        (NEWS["subject"], {"sent": 2}, 0),
    ]
    assert [mailing.mailing.name for mailing in here("mailings list", limit=1, offset=1)] == [NEWS["subject"]]


def test_a_mailing_is_one_change_that_can_be_undone_until_it_is_sent(here: MailDesk) -> None:
    here.post.answers["mail"] = "530 5.7.0 sign in first"
    here.clients(3)
    here.crm.outward.folder.mkdir(exist_ok=True)
    mailing = send(here).counted.mailing
    done = [entry for entry in here("history list", 20) if entry.what.startswith("wrote the mailing")]
    assert len(done) == 1
    assert len(here.messages()) == 3
    assert here("mailings show", mailing).counted.waiting == 3


@pytest.mark.slow
@pytest.mark.in_turn
def test_a_mailing_to_three_hundred(here: MailDesk) -> None:
    here.clients(300)
    report = send(here)
    assert report.counted.counts == {"sent": 300}
    assert sorted(here.post.recipients) == sorted(f"a{at}@example.com" for at in range(1, 301))
    with here.crm.read() as snapshot:
        contacted = [client.last_contact_on for client in snapshot.find_all(Client)]
    assert set(contacted) == {here.crm.today}


@pytest.mark.slow
def test_a_program_that_is_killed_in_a_mailing_goes_on_with_it(folder: Path, authority: trustme.CA) -> None:
    program, post = CommandLine(folder), Post(waits=0.05)
    program.did("settings", "set", "mails_per_minute", "6000")
    rows = [["last_name", "email", "marketing_consent"]]
    rows += [[f"Name {at}", f"a{at}@example.com", "yes"] for at in range(40)]
    program.did("import", program.write_csv("clients.csv", rows), "--as", "clients")
    with served(post, authority) as port:
        program.environment |= {"CRM_SMTP_URL": f"smtp://127.0.0.1:{port}", "CRM_MAIL_FROM": "team@example.com"}
        child = program.start("mailings", "send", "--all", "--subject", "Hi {last_name}", "--body", "Text", "--yes")
        while len(post.taken) < 7 and child.poll() is None:
            pass
        child.kill()
        child.communicate()
        # One that may have been sent is told by the exit code too.
        answer = program("mailings", "resume", "1", "--json")
        report = answer.json
        assert answer.code == int(report["counted"]["counts"].get("unsure", 0) > 0)
    counts = report["counted"]["counts"]
    assert counts["sent"] + counts.get("unsure", 0) == 40
    assert counts.get("unsure", 0) <= 1
    arrived = Counter(str(mail["To"]) for mail in post.taken)
    assert set(arrived.values()) == {1}
    assert len(arrived) >= counts["sent"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Dear {first_name},", "2 of them have no first_name"),
        ("Dear {first_name|friend},", ""),
        ("Dear {name},", ""),
        ("Dear {first_name}, how is {city}?", "3 of them have no city"),
    ],
)
def test_the_preview_counts_clients_with_an_empty_field(here: MailDesk, text: str, message: str) -> None:
    people = {"ada": {"first_name": "Ada"}, "lind": {"company": "Lind", "kind": "company"}, "orr": {"last_name": "Orr"}}
    for mailbox, fields in people.items():
        here.clients(1, **{"first_name": "", "last_name": "", "email": f"{mailbox}@example.org", **fields})
    question = asked(here, subject="News", body=text)
    assert message in question
    assert ("of them" in question) == bool(message)


def test_nobody_gets_the_same_text_twice_unless_requested(here: MailDesk) -> None:
    here.clients(2)
    assert send(here).counted.counts == {"sent": 2}
    with pytest.raises(RefusedError) as refused:
        send(here)
    assert "2 have already got this text" in str(refused.value)
    assert "a1@example.com got this on 2026-11-21 (mailing 1)" in str(refused.value)
    # A blank more is no other text, and whoever is new gets it; the others are left out and said.
    here.clients(1, email="new@example.com", last_name="New")
    sentence = asked(here, body=f"{NEWS['body']} \n")
    assert "This goes to 1 client." in sentence
    assert "No1 Fox (1): a1@example.com got this on 2026-11-21 (mailing 1)" in sentence
    assert [(reader.client, reader.why) for reader in send(here).left_out] == [(1, "got"), (2, "got")]
    assert Counter(here.post.recipients) == Counter(("a1@example.com", "a2@example.com", "new@example.com"))
    assert send(here, again=True).counted.counts == {"sent": 3}
    # Another text goes to everybody.
    assert send(here, subject="Other news").counted.counts == {"sent": 3}


def test_refused_or_cancelled_recipients_get_the_text_in_another_mailing(here: MailDesk) -> None:
    here.clients(2)
    here.post.answers["rcpt"] = lambda address: "550 5.7.1 not today" if address.startswith("a1") else ""
    assert send(here).counted.counts == {"failed": 1, "sent": 1}
    del here.post.answers["rcpt"]
    assert send(here).counted.counts == {"sent": 1}
    assert sorted(here.post.recipients).count("a2@example.com") == 1

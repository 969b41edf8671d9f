"""Delivery to the right people: no duplicates without a warning, good addresses stay usable, and waiting mail goes to
the right place."""

from collections.abc import Mapping
from typing import Any

import pytest

from crm.commands.mail.inbox.filing import file
from crm.commands.mail.mailings.audience import is_unknown_mailbox
from crm.errors import FieldError, RefusedError
from crm.model import Message
from crm.outward.incoming import received
from crm.outward.outgoing import Party
from tests.commands.mail.inbox.test_inbox import REPORT
from tests.support.clocks import running_on
from tests.support.command_line import Answer, CommandLine
from tests.support.mail_desk import MailDesk
from tests.support.mail_server import free_port

TO, CC, BCC = "a1@example.com", "boss@example.com", "me@example.com"


def written(here: MailDesk, **answers: str) -> Message:
    """An e-mail with two copies, to a server that answers so about each address."""
    (client,) = here.clients(1)
    here.post.answers["rcpt"] = lambda address: answers.get(address.partition("@")[0], "")
    card = here("email send", client, subject="Hello", body="Text", cc=(CC,), bcc=(BCC,), yes=True)
    here.post.answers.clear()
    message: Message = card.message
    return message


def arrived(here: MailDesk) -> list[str]:
    """The addresses that got a message since the last call."""
    found = sorted(here.post.recipients)
    here.post.recipients.clear()
    return found


REFUSED, LATER = "550 5.1.1 no such user", "451 greylisted"


@pytest.mark.parametrize(
    ("answers", "state", "first", "again"),
    [
        ({"a1": REFUSED}, "failed", [CC, BCC], [TO]),
        ({"a1": REFUSED, "boss": REFUSED}, "failed", [BCC], [TO, CC]),
        ({"boss": REFUSED}, "sent", [TO, BCC], [CC]),
        ({"a1": REFUSED, "boss": REFUSED, "me": REFUSED}, "failed", [], [TO, CC, BCC]),
        ({}, "sent", [TO, CC, BCC], None),
    ],
)  # fmt: skip
def test_a_resend_goes_to_recipients_who_lack_it(
    here: MailDesk, answers: Mapping[str, str], state: str, first: list[str], again: list[str] | None
) -> None:
    message = written(here, **answers)
    assert (message.state, arrived(here)) == (state, sorted(first))
    if again is None:
        with pytest.raises(RefusedError, match="Nothing was sent again"):
            here("email again", message)
        return
    card = here("email again", message)
    assert (card.message.state, arrived(here)) == ("sent", sorted(again))
    # Everybody has it now.
    with pytest.raises(RefusedError):
        here("email again", message)
    # All see to whom it went.
    assert {str(mail["To"]) for mail in here.post.taken} == {f"No1 Fox <{TO}>"}


def test_a_resend_to_a_named_recipient_is_sent_again(here: MailDesk) -> None:
    message = written(here)
    arrived(here)
    with pytest.raises(FieldError, match="does not go to"):
        here("email again", message, to=("else@example.com",))
    assert here("email again", message, to=(CC.upper(),)).message.state == "sent"
    assert arrived(here) == [CC]


@pytest.mark.parametrize(("answers", "first"), [({"a1": LATER}, [CC, BCC]), ({"boss": LATER}, [TO, BCC])])
def test_a_deferred_recipient_gets_it_later_and_the_others_once(
    here: MailDesk, answers: Mapping[str, str], first: list[str]
) -> None:
    message = written(here, **answers)
    assert (message.state, arrived(here)) == ("queued", sorted(first))
    here.change(message.id, until=running_on()().isoformat(timespec="seconds"))
    assert (here.send().sent, here.states()) == (1, ["sent"])
    assert arrived(here) == sorted({TO, CC, BCC} - set(first))


def test_a_restored_store_sends_nobody_a_duplicate(here: MailDesk) -> None:
    message = written(here, a1=REFUSED)
    arrived(here)
    # As an older backup has it.
    here.change(message.id, state="queued", reached="", failure="", tries=0)
    here.send()
    assert arrived(here) == [TO]


def bounce(here: MailDesk, message: Message, address: str) -> None:
    """A mail server gives a message up for one of its recipients."""
    text = REPORT.format(kind="message/rfc822", action="failed", address=address, identifier=message.identifier)
    found = received(text.replace("\n", "\r\n").encode(), running_on()())
    here.crm.transact(lambda tx: file(tx, [found], frozenset()), "read")


def test_a_resend_after_a_bounce_goes_only_to_the_bounced_address(here: MailDesk) -> None:
    message = written(here)
    arrived(here)
    bounce(here, message, TO)
    assert here.states() == ["failed"]
    here("email again", message)
    assert arrived(here) == [TO]
    bounce(here, message, CC)
    assert here.states() == ["sent"]
    here("email again", message)
    assert arrived(here) == [CC]


# Where it goes


def test_a_waiting_message_goes_to_the_corrected_address(here: MailDesk) -> None:
    first, second, third = here.clients(3)
    mailing = here.mailing()
    here.write(first, mailing=mailing)
    here.write(second)
    here.write(third, mailing=mailing)
    contact = here("contacts add", second, "Jo", email="jo@example.com")
    here.write(second, contact=contact.id, to=(here.crm.outward.mailer().sender.__class__("jo@example.com"),))
    here("clients edit", first, {"email": "new1@example.com"})
    here("clients edit", second, {"email": "new2@example.com"})
    here("contacts edit", contact, {"email": "new3@example.com"})
    here("clients edit", third, {"email": ""})
    assert (here.send().cancelled, here.states()) == (1, ["sent", "sent", "cancelled", "sent"])
    assert arrived(here) == ["new1@example.com", "new2@example.com", "new3@example.com"]


def test_the_link_in_a_mailing_that_is_redirected_is_for_the_new_address(here: MailDesk) -> None:
    (client,) = here.clients(1)
    here.post.answers["rcpt"] = LATER
    here("mailings send", all_=True, yes=True, subject="News", body="Text")
    here.post.answers.clear()
    here("clients edit", client, {"email": "new@example.com"})
    (number,) = here.messages()
    here.change(number, until="")
    here.send()
    body = here.post.taken[-1].get_body(("plain",))
    assert body is not None
    from crm.commands.mail.unsubscribing import wish_in

    wish = wish_in(here.crm, "".join(body.get_content().split()).rpartition("Unsubscribe%20")[2])
    assert wish is not None
    assert wish.address == "new@example.com"


# Which addresses are no good


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("550 5.1.1 <jo@example.com>: no such user", True),
        ("553 5.1.3 bad syntax", True),
        ("550 5.1.10 null MX", True),
        ("sorry, no mailbox here by that name. (#5.1.1)", True),
        ("550 No such user here", True),
        ("550 User unknown", True),
        ("554 5.7.1 message rejected as spam", False),
        ("550 5.7.1 relaying denied", False),
        ("550 5.7.1 Client host [203.0.113.5] blocked using a list", False),
        ("552 5.2.2 mailbox full", False),
        ("553 5.1.8 sender address does not exist", False),
        ("550 5.1.7 bad sender", False),
        ("550 blocked, see http://5.1.1.1/", False),
        ("451 4.1.1 try later", False),
        ("550 refused", False),
        ("", False),
    ],
)
def test_only_an_unknown_mailbox_marks_an_address_as_bad(words: str, expected: bool) -> None:
    assert is_unknown_mailbox(words) is expected


def mailing(here: MailDesk, **answers: str) -> list[str]:
    here.post.answers.update(answers)
    try:
        here("mailings send", all_=True, again=True, yes=True, subject="News", body="Text")
    except RefusedError as refused:
        return [refused.sentence]
    finally:
        here.post.answers.clear()
    return arrived(here)


@pytest.mark.parametrize(
    "answers", [{"data": "554 5.7.1 spam"}, {"rcpt": "550 5.7.1 relaying denied"}, {"rcpt": "552 5.2.2 full"}]
)
def test_a_mailing_refused_for_its_content_marks_no_address_as_bad(here: MailDesk, answers: Mapping[str, str]) -> None:
    here.clients(2)
    mailing(here, **answers)
    arrived(here)
    assert here("bounces list") == []
    assert mailing(here) == ["a1@example.com", "a2@example.com"]


def test_many_bad_addresses_are_cleared_at_once(here: MailDesk) -> None:
    here.clients(3)
    mailing(here, rcpt=REFUSED)
    assert [bounce.address for bounce in here("bounces list")] == ["a1@example.com", "a2@example.com", "a3@example.com"]
    assert "Nobody would get this" in mailing(here)[0]
    with pytest.raises(FieldError):
        here("bounces clear")
    with pytest.raises(RefusedError):
        here("bounces clear", ("else@example.com",))
    assert [bounce.address for bounce in here("bounces clear", ("A1@example.com",))] == ["a1@example.com"]
    assert len(here("bounces clear", all_=True)) == 2
    assert (here("bounces list"), len(mailing(here))) == ([], 3)


# What the shell says


@pytest.mark.parametrize(
    ("first", "then", "codes", "failure"),
    [
        ({"ben": "550 no"}, {"ben": "550 no"}, (1, 1), "ben@example.com: 550 no"),
        ({"ben": "550 no"}, {}, (1, 0), ""),
        ({"a1": "550 no", "ben": "550 no"}, {"a1": "550 no", "ben": "550 no"}, (1, 1), "550 no"),
        ({"a1": "550 no", "ben": "550 no"}, {"ben": "550 no"}, (1, 1), "ben@example.com: 550 no"),
        ({"a1": "550 no"}, {"a1": "550 no"}, (1, 1), "a1@example.com: 550 no; the others got it"),
        ({"a1": "550 no"}, {}, (1, 0), ""),
    ],
)
def test_a_refused_recipient_is_named_and_sets_the_exit_code(
    here: MailDesk, first: dict[str, str], then: dict[str, str], codes: tuple[int, int], failure: str
) -> None:
    (client,) = here.clients(1)
    here.post.answers["rcpt"] = lambda address: first.get(address.partition("@")[0], "")
    sent = here("email send", client, subject="Hi", body="Text", cc=("ben@example.com",), yes=True)
    here.post.answers["rcpt"] = lambda address: then.get(address.partition("@")[0], "")
    again = here("email again", sent.message)
    assert (sent.exit_code, again.exit_code) == codes
    assert again.message.failure == failure


def test_unsent_messages_set_the_exit_code_for_cron(shell: CommandLine) -> None:
    settings: dict[str, Any] = {
        "CRM_SMTP_URL": f"smtp://127.0.0.1:{free_port()}", "CRM_MAIL_FROM": "team@example.com",
        "CRM_IMAP_URL": f"imap://a:b@127.0.0.1:{free_port()}/INBOX",
    }  # fmt: skip

    def crm(*words: str) -> Answer:
        return shell(*words, **settings)

    shell.did("clients", "add", "--last-name", "Berg", "--email", "anna@example.com")
    assert crm("email", "outbox").code == 0
    sent = crm("email", "send", "1", "--subject", "Hello", "--body", "Text", "--yes")
    assert (sent.code, "cannot be reached" in sent.out) == (1, True)
    for words in (("email", "outbox"), ("email", "due"), ("email", "fetch")):
        assert crm(*words).code == 1, words
    assert crm("email", "show", "1").code == 0


@pytest.mark.parametrize(
    ("refused", "code"), [(("ben",), 1), (("a1",), 1), (("a1", "ben"), 1), ((), 0)], ids=["cc", "to", "both", "nobody"]
)
@pytest.mark.parametrize("words", ["email outbox", "email due"])
def test_a_refused_copy_sets_the_exit_code_of_the_outbox(
    here: MailDesk, words: str, refused: tuple[str, ...], code: int
) -> None:
    (client,) = here.clients(1)
    here.write(client, cc=(Party("ben@example.com"),))
    here.post.answers["rcpt"] = lambda address: "550 no" if address.partition("@")[0] in refused else ""
    assert here(words).exit_code == code
    assert here(words).exit_code == 0


def test_a_failed_recipient_sets_the_exit_code_of_a_mailing(here: MailDesk) -> None:
    here.clients(2)
    here.post.answers["rcpt"] = lambda address: "550 no" if address.startswith("a1") else ""
    report = here("mailings send", all_=True, yes=True, subject="News", body="Text")
    assert report.exit_code == 1
    assert here("mailings show", report.counted.mailing).exit_code == 0
    assert here("mailings resume", report.counted.mailing).exit_code == 0

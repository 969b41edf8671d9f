"""The inbox, from a real IMAP server: each message is filed once, with the right client, whatever happens in
between."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from email.message import EmailMessage
from typing import Any
from urllib.parse import unquote

import pytest

from crm.commands.context import CRM
from crm.commands.mail import inbox, unsubscribing
from crm.commands.mail.inbox import Fetched
from crm.errors import ForbiddenError, NotFoundError, OutwardError, UsageError
from crm.model import Client, Contact, Message, Sale
from crm.model.encoding import plain
from crm.repository import Query
from tests.commands.conftest import Office
from tests.conftest import Store
from tests.support.dovecot import USER, Dovecot

BOX = "Sales"
OURS = "team@example.com"
REPORT = """\
From: MAILER-DAEMON@mx.example.com
To: team@example.com
Auto-Submitted: auto-replied
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: text/plain

I'm sorry.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.com

Final-Recipient: rfc822; {address}
Action: {action}
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 <{address}>: no such
    user here

--b
Content-Type: {kind}

Message-ID: {identifier}
From: team@example.com

--b--
"""


@dataclass
class Box:
    """A mailbox, and the office whose it is."""

    server: Dovecot
    office: Office
    crm: CRM

    def put(self, text: str = "Hello", **headers: str) -> None:
        """Deliver a message."""
        given = {"date": "Fri, 20 Nov 2026 10:12:13 +0000", "to": OURS, "subject": "Hello", **headers}
        lines = [f"{name.rstrip('_').replace('_', '-').title()}: {value}" for name, value in given.items() if value]
        self.server.put(BOX, "\r\n".join([*lines, "", text, ""]).encode())

    def fetch(self, **given: Any) -> Fetched:
        fetched: Fetched = self.office("email fetch", crm=self.crm, **given)
        return fetched

    @property
    def messages(self) -> Sequence[Message]:
        """All messages in the store, in the order in which they came."""
        with self.crm.read() as snapshot:
            return snapshot.find_all(Message, Query(sort="id"))

    def filed(self) -> list[tuple[str, str, str]]:
        """The client of each message, which way it went, and its subject."""
        with self.crm.read() as snapshot:
            return [
                (snapshot.get(Client, message.client).name, message.direction, message.subject)
                for message in self.messages
            ]


def with_mail(crm: CRM, server: Dovecot) -> CRM:
    from crm.app import open_outward

    config = replace(crm.config, imap_url=server.url(BOX), smtp_url="smtp://127.0.0.1:1", mail_from=OURS)
    return replace(crm, config=config, outward=open_outward(config))


@pytest.fixture
def box(dovecot_server: Dovecot, office: Office) -> Box:
    dovecot_server.make(BOX)
    return Box(dovecot_server, office, with_mail(office.crm, dovecot_server))


@pytest.fixture
def acme(office: Office) -> Client:
    return office.add(company="Acme", email="office@acme.example.com", marketing_consent=True)


def test_fetching_without_a_mailbox_names_the_missing_settings(office: Office) -> None:
    for words, given in (
        ("fetch", {}),
        ("unknown", {}),
        ("adopt", {"address": "x@y.org"}),
        ("ignore", {"address": "x"}),
    ):
        with pytest.raises(UsageError, match="CRM_IMAP_URL"):
            office(f"email {words}", **given)


def test_messages_from_and_to_a_client_are_filed(box: Box, acme: Client) -> None:
    jo = box.office("contacts add", acme, "Jo Fox", email="jo@acme.example.com")
    box.put("Dear Team,\n\nyes.", from_="Jo Fox <JO@Acme.example.com>", subject="Offer", message_id="<1@acme>")
    # A blind copy, of which nothing tells but where it was put.
    box.put(from_=OURS, to="Acme <office@acme.example.com>", subject="Thanks", delivered_to="crm@example.com")
    box.put(from_="seller@home.example.net", to="office@acme.example.com", cc="x@y.org", subject="From at home")
    fetched = box.fetch()
    assert (fetched.filed, fetched.nobodys, fetched.unreadable, fetched.stopped) == (3, 0, [], "")
    assert box.filed() == [("Acme", "in", "Offer"), ("Acme", "out", "Thanks"), ("Acme", "out", "From at home")]
    first, second, _ = box.messages
    at = datetime(2026, 11, 20, 10, 12, tzinfo=UTC).astimezone()
    assert (first.contact, first.state, first.channel, first.identifier) == (jo.id, "received", "email", "<1@acme>")
    assert (first.on, first.time) == (at.date(), f"{at:%H:%M}")
    assert (first.sender, first.to, first.body) == ("JO@Acme.example.com", OURS, "Dear Team,\n\nyes.")
    assert (second.state, second.contact, second.to) == ("sent", 0, "office@acme.example.com")
    assert box.office.client(acme).last_contact_on == at.date()
    assert box.office("history list", 1)[0].what == "read 3 e-mails from the mailbox"
    assert box.office.is_sound()
    assert plain(fetched)["filed"] == 3


def test_attachments_are_named_with_their_size(box: Box, acme: Client) -> None:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = acme.email, OURS, "Offer"
    made.set_content("See the offer.")
    made.add_attachment(b"x" * 1_234_567, maintype="application", subtype="pdf", filename="offer.pdf")
    made.add_attachment(b"x" * 2_000, maintype="text", subtype="csv", filename="list.csv")
    box.server.put(BOX, made.as_bytes())
    box.fetch()
    assert box.messages[0].attachments.splitlines() == ["offer.pdf (1.2 MB)", "list.csv (2 KB)"]


@pytest.mark.usefixtures("acme")
def test_a_message_to_several_clients_is_filed_with_each(box: Box) -> None:
    box.office.add(last_name="Bo", email="bo@example.org")
    box.put(from_=OURS, to="office@acme.example.com", cc="bo@example.org, bo@example.org", message_id="<1@x>")
    box.put(from_="bo@example.org", cc="office@acme.example.com", subject="Re")
    assert box.fetch().filed == 2
    assert box.filed() == [("Acme", "out", "Hello"), ("Bo", "out", "Hello"), ("Acme", "in", "Re"), ("Bo", "in", "Re")]


@pytest.mark.usefixtures("acme")
def test_a_forwarded_message_is_filed_with_its_author(box: Box) -> None:
    forwarded = (
        "FYI\n\n---------- Forwarded message ---------\nFrom: Acme <office@acme.example.com>\nDate: Friday\n\nHi"
    )
    box.put(forwarded, from_=OURS, to="crm@example.com", subject="Fwd: Offer")
    box.put(forwarded.replace("office@acme", "new@acme"), from_=OURS, to="crm@example.com", subject="Fwd: New")
    fetched = box.fetch()
    assert box.filed() == [("Acme", "in", "Fwd: Offer")]
    assert box.messages[0].sender == "office@acme.example.com"
    assert [sender.address for sender in fetched.unknown] == ["new@acme.example.com"]


@pytest.mark.usefixtures("acme")
def test_an_answer_finds_its_conversation_from_any_address(box: Box) -> None:
    box.put(from_=OURS, to="office@acme.example.com", message_id="<asked@x>")
    box.put(from_="boss@gmail.example.com", in_reply_to="<asked@x>", subject="Re", message_id="<re@x>")
    box.put(from_=OURS, to="boss@gmail.example.com", in_reply_to="<re@x>", subject="Re: Re")
    fetched = box.fetch()
    assert box.filed() == [("Acme", "out", "Hello"), ("Acme", "in", "Re"), ("Acme", "out", "Re: Re")]
    assert fetched.unknown == []


@pytest.mark.usefixtures("acme")
def test_each_message_is_filed_once_however_often_it_is_read(box: Box) -> None:
    box.put(from_="office@acme.example.com")
    box.put(from_="office@acme.example.com", message_id="<1@x>")
    box.put(from_="office@acme.example.com", message_id="<1@x>", subject="The same once more")
    assert box.fetch().filed == 2
    assert box.fetch() == Fetched()
    box.put(from_="office@acme.example.com", subject="New")
    assert box.fetch().filed == 1
    before = box.office.everything()
    for path in box.crm.outward.folder.glob("fetched*"):
        path.unlink()
    again = box.fetch()
    assert (again.filed, again.known) == (0, 4)
    assert box.office.everything() == before


def test_a_copy_of_our_own_message_is_not_filed_again(box: Box, acme: Client) -> None:
    box.office.add(last_name="Bo", email="bo@example.org")
    sent = Message(client=acme.id, channel="email", direction="out", state="sent", on=date(2026, 11, 20), time="09:00")
    box.crm.transact(lambda tx: tx.add(replace(sent, identifier="<ours@x>")), "sent")
    box.put(from_=OURS, to="office@acme.example.com", cc="bo@example.org", message_id="<ours@x>")
    assert box.fetch().known == 1
    assert len(box.messages) == 1


def test_automatic_messages_are_no_contacts_but_bounces_are_reported(box: Box, acme: Client) -> None:
    def sent(identifier: str, to: str, state: str = "sent") -> Message:
        made = Message(
            client=acme.id, channel="email", direction="out", state=state, on=date(2026, 11, 20), identifier=identifier,
            to=to,
        )  # fmt: skip
        stored: Message = box.crm.transact(lambda tx: tx.add(made), "sent")
        return stored

    one = sent("<one@x>", "office@acme.example.com, jo@acme.example.com")
    others = [sent("<two@x>", "office@acme.example.com"), sent("<four@x>", "jo@acme.example.com", "cancelled")]
    three = sent("<three@x>", "office@acme.example.com", "unsure")
    given = {"address": "Office@acme.example.com", "action": "failed"}
    for more in (
        {**given, "kind": "message/rfc822", "identifier": "<one@x>"},
        {**given, "kind": "message/rfc822", "identifier": "<two@x>", "action": "delayed"},
        {**given, "kind": "text/rfc822-headers", "identifier": "<three@x>"},
        {**given, "kind": "message/rfc822", "identifier": "<four@x>"},
        {**given, "kind": "message/rfc822", "identifier": "<nobody@x>"},
    ):
        box.server.put(BOX, REPORT.format(**more).replace("\n", "\r\n").encode())
    box.put("I am away.", from_="office@acme.example.com", auto_submitted="auto-replied", subject="Away")
    fetched = box.fetch()
    assert (fetched.filed, fetched.automatic) == (0, 6)
    assert [message.id for message in fetched.bounced] == [one.id, three.id]
    with box.crm.read() as snapshot:
        assert snapshot.get(Message, one.id).failure == (
            "office@acme.example.com 550 5.1.1 <Office@acme.example.com>: no such user here"
        )
        assert [snapshot.get(Message, message.id).state for message in (one, *others, three)] == [
            "failed", "sent", "cancelled", "failed",
        ]  # fmt: skip
    # Who did not get it was not spoken to.
    assert next(iter(box.office("agenda").items)).what.startswith("E-mail: ")


def test_a_bounce_of_a_copy_leaves_the_message_as_it_is(box: Box, acme: Client) -> None:
    made = Message(
        client=acme.id, channel="email", direction="out", state="sent", on=date(2026, 11, 20), identifier="<1@x>",
        to="office@acme.example.com", cc="copy@example.org",
    )  # fmt: skip
    box.crm.transact(lambda tx: tx.add(made), "sent")
    report = REPORT.format(address="copy@example.org", action="failed", kind="message/rfc822", identifier="<1@x>")
    box.server.put(BOX, report.replace("\n", "\r\n").encode())
    assert box.fetch().bounced == []
    assert box.messages[0].state == "sent"


@pytest.mark.usefixtures("acme")
def test_strangers_wait_to_become_clients_and_bring_their_messages(box: Box) -> None:
    box.put(from_="Eva Hill <Eva@Hill.example.org>", subject="A question", message_id="<1@h>")
    box.put(from_="eva@hill.example.org", subject="\x1b[31m[bold]Still waiting", message_id="<2@h>")
    box.put(from_="spam@example.net", subject="Buy", date="Thu, 19 Nov 2026 10:12:13 +0000")
    box.put(from_=OURS, to="mum@example.com", subject="Private")
    fetched = box.fetch()
    assert (fetched.filed, fetched.nobodys) == (0, 1)
    eva, spam = fetched.unknown
    assert (eva.address, eva.name, eva.messages) == ("eva@hill.example.org", "Eva Hill", 2)
    assert eva.subject == "[31m[bold]Still waiting"
    assert eva.at == datetime(2026, 11, 20, 10, 12, 13, tzinfo=UTC)
    assert box.messages == []
    adopted = box.office("email adopt", "EVA@hill.example.org", crm=box.crm)
    assert (adopted.client.first_name, adopted.client.last_name) == ("Eva", "Hill")
    assert (adopted.client.email, adopted.client.marketing_consent) == ("eva@hill.example.org", False)
    assert (adopted.filed, adopted.contact, adopted.stopped) == (2, None, "")
    assert [entry[:2] for entry in box.filed()] == [("Eva Hill", "in")] * 2
    assert [sender.address for sender in box.office("email unknown", crm=box.crm)] == [spam.address]
    with pytest.raises(NotFoundError, match=r"eva@hill\.example\.org"):
        box.office("email adopt", "eva@hill.example.org", crm=box.crm)
    assert box.office("email ignore", "spam@example.net", crm=box.crm) == []
    box.put(from_="spam@example.net", subject="Buy more")
    assert box.fetch().unknown == []
    box.office("email ignore", "spam@example.net", again=True, crm=box.crm)
    box.put(from_="spam@example.net", subject="Buy much more")
    assert [message.subject for message in box.fetch().unknown] == ["Buy much more"]


def test_an_unknown_address_can_be_that_of_a_client_who_is_there(box: Box, acme: Client) -> None:
    bare = box.office.add(last_name="Bare")
    box.put(from_="jo.fox-hill@acme.example.com")
    box.put(from_="bare@example.org")
    box.fetch()
    adopted = box.office("email adopt", "jo.fox-hill@acme.example.com", client=acme, crm=box.crm)
    assert (adopted.client.id, adopted.contact.name, adopted.filed) == (acme.id, "Jo Fox Hill", 1)
    named = box.office("email adopt", "bare@example.org", client=bare, crm=box.crm)
    assert (named.client.email, named.contact, named.filed) == ("bare@example.org", None, 1)
    with box.crm.read() as snapshot:
        (contact,) = snapshot.find_all(Contact)
    assert [message.contact for message in box.messages] == [contact.id, 0]


def test_messages_of_a_new_client_are_filed_at_the_next_fetch(box: Box) -> None:
    box.put(from_="eva@hill.example.org")
    assert len(box.fetch().unknown) == 1
    box.office.add(last_name="Hill", email="eva@hill.example.org")
    assert box.office("email unknown", crm=box.crm) == []
    fetched = box.fetch()
    assert (fetched.filed, fetched.unknown) == (1, [])
    assert box.filed() == [("Hill", "in", "Hello")]
    assert box.fetch().filed == 0


@pytest.mark.usefixtures("acme")
def test_starting_from_now_skips_existing_messages(box: Box) -> None:
    box.put(from_="office@acme.example.com", subject="Old")
    assert box.fetch(from_now=True).filed == 0
    box.put(from_="office@acme.example.com", subject="New")
    assert box.fetch().filed == 1
    assert box.filed() == [("Acme", "in", "New")]


def test_a_reply_that_unsubscribes_is_an_opt_out(box: Box, acme: Client) -> None:
    (link,) = unsubscribing.links(box.crm, acme, acme.email)
    box.put("", from_="somebody@else.example.org", subject=unquote(link.partition("subject=")[2]))
    box.put("", from_="office@acme.example.com", subject="Unsubscribe AAAA" + "b" * 50)
    fetched = box.fetch()
    assert [client.id for client in fetched.opted_out] == [acme.id]
    assert not box.office.client(acme).marketing_consent
    assert [message.subject for message in box.messages] == ["Unsubscribe AAAA" + "b" * 50]
    assert fetched.unknown == []


@pytest.mark.usefixtures("acme")
def test_an_unreadable_message_is_reported_and_the_rest_is_filed(box: Box) -> None:
    box.put(from_="office@acme.example.com", subject="One")
    bad = b"".join(b"Content-Type: multipart/mixed; boundary=%d\r\n\r\n--%d\r\n" % (at, at) for at in range(100))
    box.server.put(BOX, bad, b"\x00\xff" * 100)
    box.put("x" * 30_000, from_="office@acme.example.com", subject="y" * 500, to=f"{OURS}, " * 300)
    fetched = box.fetch()
    # Cron says so once; the next reading goes on behind it.
    assert (len(fetched.unreadable), fetched.exit_code) == (1, 1)
    assert "cannot be read: it has too many parts or lines" in fetched.unreadable[0]
    assert (fetched.filed, fetched.nobodys) == (2, 1)
    long = box.messages[-1]
    assert (len(long.subject), len(long.body)) == (300, 20_000)
    assert box.office.is_sound()
    assert box.fetch() == Fetched()


@pytest.mark.usefixtures("acme")
def test_an_interrupted_fetch_files_each_message_once(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "_BATCH", 4)
    for number in range(10):
        box.put(from_="office@acme.example.com", subject=str(number))
    box.put(from_="eva@hill.example.org")
    transact, calls = box.crm.repository.transact, 0

    class Killed(BaseException):
        pass

    def killed(*given: Any) -> Any:
        nonlocal calls
        result = transact(*given)
        calls += 1
        if calls == 2:
            # The second batch is filed, and nobody has noted it yet.
            raise Killed
        return result

    monkeypatch.setattr(box.crm.repository, "transact", killed)
    with pytest.raises(Killed):
        box.fetch()
    fetched = box.fetch()
    assert (fetched.filed, fetched.known, len(fetched.unknown)) == (2, 4, 1)
    assert sorted(message.subject for message in box.messages) == [str(number) for number in range(10)]


@pytest.mark.usefixtures("acme")
def test_two_fetches_at_once_file_each_message_once(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "_BATCH", 3)
    for number in range(9):
        box.put(from_="office@acme.example.com", subject=str(number))
    other = with_mail(box.office.open(), box.server)
    transact = box.crm.repository.transact

    def second(*given: Any) -> Any:
        # The other has read the same and is first.
        monkeypatch.setattr(box.crm.repository, "transact", transact)
        assert box.office("email fetch", crm=other).filed == 9
        return transact(*given)

    monkeypatch.setattr(box.crm.repository, "transact", second)
    assert (box.fetch().filed, len(box.messages)) == (0, 9)
    assert box.fetch() == Fetched()


def test_an_unreachable_mailbox_is_reported(box: Box) -> None:
    from crm.app import open_outward

    config = replace(box.crm.config, imap_url="imap://me:hunter2@127.0.0.1:1/INBOX")
    with pytest.raises(OutwardError, match="cannot be reached") as caught:
        box.office("email fetch", crm=replace(box.crm, outward=open_outward(config)))
    assert "hunter2" not in str(caught.value)


@pytest.mark.usefixtures("acme")
def test_a_damaged_inbox_journal_is_recreated(box: Box) -> None:
    box.put(from_="office@acme.example.com", message_id="<1@x>")
    box.fetch()
    for path in box.crm.outward.folder.glob("fetched*"):
        path.unlink()
    (box.crm.outward.folder / "fetched.sqlite3").write_bytes(b"no database" * 1000)
    assert box.fetch().known == 1
    assert len(box.messages) == 1


@pytest.mark.usefixtures("acme")
def test_each_store_reads_the_mailbox_separately(box: Box) -> None:
    box.put(from_="office@acme.example.com")
    box.put(from_="eva@hill.example.org")
    assert box.fetch().filed == 1
    other = with_mail(box.office.open("another"), box.server)
    assert len(box.office("email fetch", crm=other).unknown) == 2
    assert len(box.office("email unknown", crm=box.crm)) == 1


@pytest.mark.usefixtures("acme")
def test_our_own_addresses_are_those_of_everybody_who_signs_in(box: Box) -> None:
    box.office("users add", "ada@elsewhere.example.net", "Ada Admin", "admin")
    box.put(from_="ada@elsewhere.example.net", to=f"office@acme.example.com, {OURS}", subject="To both")
    box.put(from_=USER, to=f"office@acme.example.com, {OURS}", subject="From the mailbox itself")
    box.put(from_="partner@example.net", to=f"office@acme.example.com, {OURS}", subject="By somebody else")
    fetched = box.fetch()
    assert [entry[1:] for entry in box.filed()] == [
        ("out", "To both"), ("out", "From the mailbox itself"), ("in", "By somebody else"),
    ]  # fmt: skip
    assert [sender.address for sender in fetched.unknown] == ["partner@example.net"]


def test_staff_fetch_and_make_clients_of_strangers(box: Box, acme: Client) -> None:
    box.office("users add", "ada@example.net", "Ada Admin", "admin")
    account = box.office("users add", "staff@example.net", "Staff Person", "staff")
    who = box.crm.accounts.open().authentication.sign_in("staff@example.net", account.password)
    box.crm = box.crm.enter(box.crm, who)
    box.put(from_="office@acme.example.com")
    box.put(from_="eva@hill.example.org")
    assert len(box.fetch().unknown) == 1
    assert box.office("email adopt", "eva@hill.example.org", crm=box.crm).filed == 1
    assert [entry[0] for entry in box.filed()] == ["Acme", "Eva"]
    assert {entry.user for entry in box.office("history list", 3)} == {"Staff Person"}
    box.put(from_="Foreign Person <foreign@example.net>")
    assert len(box.fetch().unknown) == 1
    given = {"email": "client@example.net", "name": "Own", "role": "client", "client": acme}
    own = box.office("users add", **given)
    who = box.office.crm.accounts.open().authentication.sign_in("client@example.net", own.password)
    theirs = box.office.crm.enter(with_mail(box.office.crm, box.server), who)
    for function in (inbox.fetch, inbox.unknown):
        with pytest.raises(ForbiddenError):
            function(theirs)


def test_incoming_mail_is_the_same_on_every_store(store: Store, box: Box) -> None:
    box = replace(box, crm=with_mail(replace(box.crm, repository=store.repository), box.server))
    client = store.add(email="office@acme.example.com", last_name="Acme")
    store.sell(client, "12")
    box.put("=1+1\n+2", from_="office@acme.example.com", subject="=HYPERLINK(1)", message_id="<1@x>")
    box.put(from_="Eva Hill <eva@hill.example.org>")
    fetched = box.fetch()
    assert (fetched.filed, len(fetched.unknown)) == (1, 1)
    assert box.office("email adopt", "eva@hill.example.org", crm=box.crm).filed == 1
    again = store.another()
    with again.read() as snapshot:
        found = snapshot.find_all(Message, Query(sort="id"))
        assert [message.subject for message in found] == ["=HYPERLINK(1)", "Hello"]
        assert found[0].body == "=1+1\n+2"
        assert len(snapshot.find_all(Sale)) == 1
    assert store.wrong() == []
    assert box.fetch() == Fetched()


# Who really wrote it

FORWARDED = "Von: Bob Hill <bob@example.com>\nGesendet: Montag\nAn: Team\nBetreff: Rechnung\n\nBitte zahlen"
FAILED = "mx.example.com; dmarc=fail header.from=example.com"


def test_a_message_forwarded_by_a_stranger_is_not_from_a_client(box: Box, acme: Client) -> None:
    box.office.add(first_name="Bob", last_name="Hill", email="bob@example.com")
    box.put(FORWARDED, from_="stranger@evil.example.org", subject="WG: Rechnung")
    fetched = box.fetch()
    assert (fetched.filed, [who.address for who in fetched.unknown]) == (0, ["stranger@evil.example.org"])
    # One of us may forward it, and who did so always shows; a forged one of us does not.
    box.put(FORWARDED, from_=OURS, subject="WG: Rechnung")
    box.put(FORWARDED, from_=OURS, subject="WG: Rechnung", authentication_results=FAILED)
    box.fetch()
    (message,) = box.messages
    assert (message.sender, message.notice) == ("bob@example.com", f"Forwarded by {OURS}.")
    assert acme.id


def test_a_forged_sender_is_marked_and_nothing_forged_was_sent_by_us(box: Box, acme: Client) -> None:
    box.put(from_="office@acme.example.com", subject="Theirs", authentication_results=FAILED)
    box.put(from_=OURS, to="office@acme.example.com", subject="Ours", authentication_results=FAILED)
    box.put(from_="x@elsewhere.org", to="office@acme.example.com", subject="Hidden", authentication_results=FAILED)
    box.put(from_=OURS, to="office@acme.example.com", subject="True", authentication_results="mx; dmarc=pass")
    box.fetch()
    assert [(message.subject, message.direction) for message in box.messages] == [
        ("Theirs", "in"), ("Ours", "in"), ("Hidden", "in"), ("True", "out"),
    ]  # fmt: skip
    assert ["forged" in message.notice for message in box.messages] == [True, True, True, False]
    assert {message.client for message in box.messages} == {acme.id}


def test_a_message_is_known_by_its_id_and_what_it_says(box: Box, acme: Client) -> None:
    bob = box.office.add(first_name="Bob", email="bob@example.com")
    box.put("First", from_="office@acme.example.com", subject="First", message_id="<1@x>")
    box.put("First", from_="office@acme.example.com", subject="First", message_id="<1@x>")
    box.put("Other", from_="bob@example.com", subject="Other", message_id="<1@x>")
    assert (box.fetch().filed, len(box.messages)) == (2, 2)
    box.put("Other", from_="bob@example.com", subject="Other", message_id="<1@x>")
    box.put(
        "Third", from_="office@acme.example.com", subject="Third", message_id="<1@x>",
        date="Fri, 20 Nov 2026 12:00:00 +0000",
    )  # fmt: skip
    assert box.fetch().filed == 1
    assert [(message.client, message.body) for message in box.messages] == [
        (acme.id, "First"), (bob.id, "Other"), (acme.id, "Third"),
    ]  # fmt: skip


def test_an_answer_that_names_only_its_conversation_is_filed_with_it(box: Box, acme: Client) -> None:
    box.put(from_="office@acme.example.com", message_id="<1@x>")
    box.put(from_="other@elsewhere.org", subject="Re", references="<0@y> <1@x>")
    assert box.fetch().filed == 2
    assert {message.client for message in box.messages} == {acme.id}


def test_a_web_form_message_is_filed_by_its_reply_address(box: Box, acme: Client) -> None:
    box.put(from_="noreply@site.example.org", reply_to="Jo Fox <jo@example.org>", subject="Contact form")
    box.put(from_="do-not-reply@site.example.org", subject="News")
    box.put(from_="NoReply@site.example.org", reply_to="office@acme.example.com", subject="From a client")
    fetched = box.fetch()
    assert [who.address for who in fetched.unknown] == ["jo@example.org"]
    (message,) = box.messages
    assert (message.client, message.sender) == (acme.id, "NoReply@site.example.org")
    assert message.notice == "Sent by a form for office@acme.example.com."


def _put_spam_report(box: Box, recipient: str = "") -> None:
    report = (
        f"--b\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\n{recipient}\r\n--b\r\n"
        "Content-Type: message/rfc822\r\n\r\nMessage-ID: <1@example.com>\r\n\r\nx\r\n--b--"
    )
    box.put(report, from_="fbl@example.net", content_type="multipart/report; report-type=feedback-report; boundary=b")


def test_a_spam_report_is_an_opt_out(box: Box, acme: Client) -> None:
    with box.crm.read() as snapshot:
        assert snapshot.count(Message) == 0
    sent = Message(
        client=acme.id, direction="out", channel="email", state="sent", on=box.crm.today, identifier="<1@example.com>",
        to="office@acme.example.com",
    )  # fmt: skip
    box.crm.transact(lambda tx: tx.add(sent), "sent")
    _put_spam_report(box)
    fetched = box.fetch()
    assert ([client.id for client in fetched.opted_out], fetched.bounced) == ([acme.id], [])
    assert [(out.address, out.way) for out in box.office("opt-outs list")] == [("office@acme.example.com", "complaint")]
    assert [message.state for message in box.messages] == ["sent"]


def test_a_copy_that_is_reported_as_spam_counts_where_the_message_failed_for_another(box: Box, acme: Client) -> None:
    failed = Message(
        client=acme.id, direction="out", channel="email", state="failed", on=box.crm.today,
        identifier="<1@example.com>", to="office@acme.example.com", cc="boss@example.org", failure="no such user",
        reached="boss@example.org",
    )  # fmt: skip
    box.crm.transact(lambda tx: tx.add(failed), "sent")
    _put_spam_report(box, "Original-Rcpt-To: <Boss@example.org>\r\n")
    box.fetch()
    assert [(out.address, out.way) for out in box.office("opt-outs list")] == [("boss@example.org", "complaint")]
    assert [(message.state, message.failure) for message in box.messages] == [("failed", "no such user")]


def test_a_team_member_may_forward_from_a_configured_address(box: Box) -> None:
    box.office.add(first_name="Bob", last_name="Hill", email="bob@example.com")
    box.office("settings set", "our_addresses", "Anna.Private@example.org; zoe@example.net")
    box.put(FORWARDED, from_="anna.private@EXAMPLE.org", subject="WG: Rechnung")
    box.put(FORWARDED, from_="zoe@example.net", subject="WG: Mahnung", authentication_results=FAILED)
    box.put(FORWARDED, from_="anna.private@example.org.evil.example", subject="WG: Betrug")
    unknown = {sender.address for sender in box.fetch().unknown}
    assert [(message.sender, message.notice) for message in box.messages] == [
        ("bob@example.com", "Forwarded by anna.private@EXAMPLE.org.")
    ]
    assert not unknown & {"anna.private@EXAMPLE.org", "anna.private@example.org"}


@pytest.mark.many
@pytest.mark.parametrize(
    ("header", "words"),
    [
        ({}, "Not verified"),
        ({"authentication_results": "mx; spf=pass"}, ""),
        ({"authentication_results": "mx; none"}, ""),
        ({"received_spf": "pass (x)"}, ""),
        ({"authentication_results": FAILED}, "forged"),
    ],
)
def test_the_inbox_shows_if_the_sender_was_verified(box: Box, acme: Client, header: dict[str, str], words: str) -> None:
    box.put(from_="office@acme.example.com", **header)
    box.fetch()
    (message,) = box.messages
    assert message.client == acme.id
    assert words in message.notice if words else message.notice == ""

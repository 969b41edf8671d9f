"""A mailbox on a real IMAP server: each new message is read once, and nothing in it changes unless asked."""

import ssl
from datetime import UTC, datetime

import pytest

from crm.errors import OutwardError, UsageError
from crm.outward import mailbox as reading
from crm.outward.mailbox import Arrival, Mailbox, Place, mailbox_at
from crm.outward.servers import imap_server
from tests.support.dovecot import LOGIN, Dovecot
from tests.support.mail_server import free_port
from tests.support.scripted_imap import scripted

FOLDER = "Sales"


@pytest.fixture
def post(dovecot_server: Dovecot) -> Dovecot:
    """The server, with an empty folder."""
    dovecot_server.make(FOLDER)
    return dovecot_server


def letter(number: int, more: str = "") -> bytes:
    return f"From: anna@example.com\r\nSubject: Letter {number}\r\n\r\nText {number}{more}\r\n".encode()


def box(server: Dovecot, **given: int) -> Mailbox:
    return Mailbox(server.url(FOLDER), time_out=10, **given)


def subjects(arrivals: list[Arrival]) -> list[str]:
    return [arrival.message.subject if arrival.message else arrival.problem for arrival in arrivals]


def test_each_incoming_message_is_read_once(post: Dovecot) -> None:
    post.put(FOLDER, letter(1), letter(2))
    first = list(box(post).arrivals())
    assert subjects(first) == ["Letter 1", "Letter 2"]
    assert first[0].message is not None
    assert first[0].message.text == "Text 1"
    # The last message is no new one, though servers tell of it when asked for more.
    assert list(box(post).arrivals(first[-1].place)) == []
    post.put(FOLDER, letter(3))
    assert subjects(list(box(post).arrivals(first[-1].place))) == ["Letter 3"]
    assert subjects(list(box(post).arrivals(first[0].place))) == ["Letter 2", "Letter 3"]


def test_messages_are_marked_only_on_request_and_only_those_read(post: Dovecot) -> None:
    post.put(FOLDER, letter(1), letter(2), letter(3))
    assert len(list(box(post).arrivals())) == 3
    assert not any("Seen" in flag for flag in post.flags(FOLDER))
    arrivals = box(post).arrivals(mark=True)
    next(arrivals)
    next(arrivals)
    # Whoever stops here has taken the first, and perhaps not the second.
    arrivals.close()
    assert ["Seen" in flag for flag in post.flags(FOLDER)] == [True, False, False]
    assert len(list(box(post).arrivals(mark=True))) == 3
    assert ["Seen" in flag for flag in post.flags(FOLDER)] == [True, True, True]


def test_a_mailbox_with_a_new_uidvalidity_is_read_from_the_start(post: Dovecot) -> None:
    post.put(FOLDER, letter(1), letter(2))
    place = list(box(post).arrivals())[-1].place
    post.make(FOLDER)
    post.put(FOLDER, letter(3))
    (found,) = box(post).arrivals(place)
    assert subjects([found]) == ["Letter 3"]
    assert found.place.validity != place.validity


def test_reading_can_start_with_new_messages_only(post: Dovecot) -> None:
    assert list(box(post).arrivals()) == []
    post.put(FOLDER, letter(1), letter(2))
    end = box(post).end()
    assert list(box(post).arrivals(end)) == []
    post.remove(FOLDER, end.uid)
    assert box(post).end() == end
    post.put(FOLDER, letter(3))
    assert subjects(list(box(post).arrivals(end))) == ["Letter 3"]


def test_gaps_in_uids_and_many_messages_are_handled(post: Dovecot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_WINDOW", 4)
    monkeypatch.setattr(reading, "_BATCH", 2)
    post.put(FOLDER, *(letter(number) for number in range(1, 21)))
    for uid in (1, 5, 6, 7, 8, 9, 20):
        post.remove(FOLDER, uid)
    left = [number for number in range(1, 20) if number not in (1, 5, 6, 7, 8, 9)]
    assert subjects(list(box(post).arrivals())) == [f"Letter {number}" for number in left]


def test_messages_are_read_again_by_their_numbers(post: Dovecot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_BATCH", 2)
    post.put(FOLDER, *(letter(number) for number in range(1, 7)))
    place = list(box(post).arrivals())[-1].place
    post.remove(FOLDER, 3)
    again = list(box(post).again(place.validity, [2, 3, 5, 6, 99]))
    assert subjects(again) == ["Letter 2", "Letter 5", "Letter 6"]
    assert [arrival.place.uid for arrival in again] == [2, 5, 6]
    assert list(box(post).again(place.validity, [])) == []
    # Numbers of another time mean other messages.
    assert list(box(post).again(place.validity + 1, [2])) == []
    assert not any("Seen" in flag for flag in post.flags(FOLDER))


def test_a_message_deleted_during_the_read_is_skipped(post: Dovecot) -> None:
    post.put(FOLDER, letter(1), letter(2), letter(3))
    arrivals = box(post).arrivals()
    first = next(arrivals)
    post.remove(FOLDER, first.place.uid + 1)
    assert subjects([first, *arrivals]) == ["Letter 1", "Letter 3"]


def test_an_unreadable_message_is_reported_and_the_others_are_read(post: Dovecot) -> None:
    bad = b"".join(b"Content-Type: multipart/mixed; boundary=%d\r\n\r\n--%d\r\n" % (at, at) for at in range(100))
    post.put(FOLDER, letter(1), bad, b"\x00\xff" * 100, letter(2), arrived=1_795_000_000)
    first, answer, odd, last = box(post).arrivals()
    assert subjects([first, last]) == ["Letter 1", "Letter 2"]
    assert answer.message is None
    assert answer.problem == "The message of 2026-11-18 11:06 UTC cannot be read: it has too many parts or lines."
    assert odd.message is not None
    assert last.place.uid == first.place.uid + 3


def test_a_huge_message_is_read_in_part(post: Dovecot) -> None:
    post.put(FOLDER, letter(1, " word" * 100_000), letter(2), arrived=1_795_000_000)
    large, small = (arrival.message for arrival in box(post, largest=10_000).arrivals())
    assert large is not None
    assert small is not None
    assert (large.is_cut, small.is_cut) == (True, False)
    assert 9_000 < len(large.text) < 10_000
    assert large.at == datetime.fromtimestamp(1_795_000_000, UTC)


def test_a_folder_may_be_called_anything(post: Dovecot) -> None:
    post.make('"B&APw-ro & Co"'.replace(" & ", " &- "))
    post.put('"B&APw-ro &- Co"', letter(1))
    assert subjects(list(Mailbox(post.url("Büro & Co")).arrivals())) == ["Letter 1"]


def test_a_mailbox_is_read_encrypted_with_a_valid_certificate(post: Dovecot, ours: ssl.SSLContext) -> None:
    post.put(FOLDER, letter(1))
    urls = (
        f"imaps://{LOGIN}@localhost:{post.safe_port}/{FOLDER}",
        f"imap://{LOGIN}@localhost:{post.port}/{FOLDER}?starttls",
    )
    for url in urls:
        assert subjects(list(Mailbox(url, context=ours).arrivals())) == ["Letter 1"]
        with pytest.raises(OutwardError) as caught:
            list(Mailbox(url).arrivals())
        assert caught.value.reason == "refused"


def test_a_mailbox_that_cannot_be_read_is_reported(post: Dovecot) -> None:
    wrong = post.url(FOLDER).replace("w%2Frd", "hunter2")
    for url, reason in (
        (wrong, "refused"),
        (post.url("Nowhere"), "refused"),
        (f"imap://{LOGIN}@127.0.0.1:{free_port()}", "offline"),
    ):
        with pytest.raises(OutwardError) as caught:
            list(Mailbox(url, time_out=5).arrivals())
        assert caught.value.reason == reason
        assert "hunter2" not in caught.value.sentence
        assert caught.value.sentence.isprintable()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("imaps://me%40example.com:x@mail.example.com/INBOX", ("mail.example.com", 993, "always", "INBOX")),
        ("imaps://me:x@mail.example.com", ("mail.example.com", 993, "always", "INBOX")),
        ("imap://me:x@mail.example.com/B%C3%BCro/CRM?starttls", ("mail.example.com", 143, "first", "Büro/CRM")),
        ("imap://me:x@127.0.0.1:1143/a%2Fb/", ("127.0.0.1", 1143, "never", "a/b")),
    ],
)
def test_a_mailbox_is_named_by_a_url(url: str, expected: tuple[str, int, str, str]) -> None:
    found = imap_server(url)
    assert (found.host, found.port, found.encrypts, found.folder) == expected
    assert "password" not in repr(found)


@pytest.mark.parametrize(
    "url",
    [
        "imap://me:hunter2@mail.example.com", "imaps://mail.example.com", "smtps://me:hunter2@host", "hunter2",
        "imaps://me:hunter2@host:port", "imaps://me:hunter2@host/%0AINBOX", "imaps://me:hun%0Dter2@host",
        "imaps://me:hunter2@host?starttls", "imaps://me:hunter2@", "imaps://me:hunter2@[::1",
    ],
)  # fmt: skip
def test_an_invalid_mailbox_url_is_refused_without_showing_the_password(url: str) -> None:
    with pytest.raises(UsageError, match="CRM_IMAP_URL") as caught:
        Mailbox(url)
    assert "hunter2" not in str(caught.value)


def test_without_a_url_there_is_no_mailbox() -> None:
    assert mailbox_at("") is None
    assert isinstance(mailbox_at("imaps://me:x@mail.example.com"), Mailbox)
    assert Place(1, 2) == Place(1, 2)


# What a server does wrong


@pytest.mark.parametrize("refusal", ["NO [EXPUNGEISSUED] gone", "BAD not that one", "NO [b'odd']"])
def test_a_message_that_the_server_withholds_does_not_block_the_others(refusal: str) -> None:
    with scripted({2: refusal}) as port:
        found = list(Mailbox(f"imap://a:b@127.0.0.1:{port}").arrivals())
    assert [arrival.place.uid for arrival in found] == [1, 2, 3]
    assert [bool(arrival.message) for arrival in found] == [True, False, True]
    assert found[1].problem.startswith("A message cannot be read: the mail server does not give it")
    assert "b'" not in found[1].problem


def test_a_message_announced_as_endless_does_not_block_the_others() -> None:
    with scripted({2: "{4294967296}"}) as port:
        mailbox = Mailbox(f"imap://a:b@127.0.0.1:{port}", time_out=5.0)
        found = list(mailbox.arrivals())
        with pytest.raises(OutwardError, match="sends more of it"):
            list(mailbox.again(7, [2, 3]))
    assert [arrival.place.uid for arrival in found] == [1, 2, 3]
    assert [bool(arrival.message) for arrival in found] == [True, False, True]
    assert "sends more of it than was asked for" in found[1].problem


@pytest.mark.slow
def test_a_server_without_uids_is_reported_as_such() -> None:
    with scripted({}, select="[READ-ONLY] ok") as port, pytest.raises(OutwardError, match="UIDVALIDITY"):
        list(Mailbox(f"imap://a:b@127.0.0.1:{port}").arrivals())

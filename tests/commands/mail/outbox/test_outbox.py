"""The outbox: every message is sent once, whatever the server does and wherever the program stops."""

import io
import re
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import trustme

from crm.commands.mail.outbox import Draft, attaching, queue, refuse_unsendable
from crm.commands.mail.outbox.delivery_status import WAITS
from crm.errors import FileError, RefusedError, UsageError
from crm.outward.outgoing import Party
from crm.terminal.drawing.render import show
from crm.terminal.drawing.screen import Screen
from tests.conftest import PROJECT, PYTHON, Store
from tests.support.clocks import running_on
from tests.support.command_line import CommandLine
from tests.support.mail_desk import MailDesk, desk, desk_at
from tests.support.mail_server import HANGS_UP, Post, free_port, served

# What the server says


def test_a_queued_message_is_sent_once_and_counts_as_a_contact(here: MailDesk, store: Store) -> None:
    anna, ben = here.clients(2)
    first, second = here.write(anna, ben)
    sent = here.send()
    assert (sent.sent, sent.left, sent.stopped, sent.failed) == (2, 0, "", ())
    assert here.send().sent == 0
    messages = here.messages()
    assert here.arrived == [messages[first].identifier, messages[second].identifier]
    assert {(message.state, message.tries, message.until, message.failure) for message in messages.values()} == {
        ("sent", 1, "", "")
    }
    with here.crm.read() as snapshot:
        assert snapshot.get(type(anna), anna.id).last_contact_on == here.crm.today
    assert [str(mail["To"]) for mail in here.post.taken] == ["No1 Fox <a1@example.com>", "No2 Fox <a2@example.com>"]
    assert store.wrong() == []


def test_only_selected_messages_are_sent(here: MailDesk) -> None:
    first, second, third = here.write(*here.clients(3))
    assert here.send(only=[third]).sent == 1
    assert here.states() == ["queued", "queued", "sent"]
    assert here.send(only=[]).sent == 0
    assert here.send(only=[first, second, third]).sent == 2


def test_a_refused_message_fails_with_the_servers_reply(here: MailDesk) -> None:
    here.post.answers["rcpt"] = lambda address: "550 5.1.1 no such user" if address.startswith("a1@") else ""
    here.write(*here.clients(2))
    sent = here.send()
    assert [(message.to, message.failure) for message in sent.failed] == [("a1@example.com", "550 5.1.1 no such user")]
    assert here.states() == ["failed", "sent"]


def test_a_deferred_message_is_retried_with_backoff_for_two_days(here: MailDesk) -> None:
    here.post.answers["rcpt"] = "451 greylisted"
    (number,) = here.write(*here.clients(1))
    waits = []
    for _ in WAITS:
        begun = running_on()()
        (waiting,) = here.send().waiting
        assert (waiting.state, waiting.failure) == ("queued", "451 greylisted")
        waits.append(round((datetime.fromisoformat(waiting.until) - begun).total_seconds() / 60))
        # Not before its time, and the outbox is not called empty.
        again = here.send()
        assert (again.waiting, again.later, again.next_try) == ((), 1, waiting.until)
        output = io.StringIO()
        show(Screen(output, plain=True, environment={"COLUMNS": "80"}), again, here.crm.conventions)
        assert "1 queued, to be tried again later: the next " in output.getvalue()
        assert "empty" not in output.getvalue()
        assert [(message.id, message.until) for message in again.queued] == [(number, waiting.until)]
        assert re.search(rf"{number} +{waiting.to} +\S.* (at|on) .*\d:\d\d", output.getvalue())
        here.change(number, until=(running_on()() - timedelta(seconds=1)).isoformat(timespec="seconds"))
    assert waits == list(WAITS)
    assert 46 * 60 < sum(waits) <= 48 * 60
    (failed,) = here.send().failed
    assert failed.failure == "not sent: stopped trying after two days; 451 greylisted"
    # Whoever sends it again gives it as much time once more.
    here.change(number, state="queued")
    assert here.send().waiting[0].tries == len(WAITS) + 2


def test_the_outbox_lists_waiting_messages_and_not_those_just_tried(here: MailDesk) -> None:
    here.post.answers["rcpt"] = "451 greylisted"
    first, second, third = here.write(*here.clients(3))
    tried = here.send(only=[first])
    assert ([message.id for message in tried.waiting], list(tried.queued)) == ([first], [])
    del here.post.answers["rcpt"]
    here.change(second, until=(running_on()() + timedelta(hours=2)).isoformat(timespec="seconds"))
    rest = here.send()
    assert rest.sent == 1
    assert [message.id for message in rest.queued] in ([first, second], [second, first])
    here.change(first, state="sent")
    here.change(second, state="sent")
    assert (here.send().queued, here.states()) == ((), ["sent", "sent", "sent"])
    assert third


def test_a_greylisted_message_is_sent_later(here: MailDesk) -> None:
    here.post.answers["rcpt"] = "451 greylisted"
    (number,) = here.write(*here.clients(1))
    here.send()
    del here.post.answers["rcpt"]
    assert (here.send().sent, here.states()) == (0, ["queued"])
    here.change(number, until=running_on()().isoformat(timespec="seconds"))
    assert (here.send().sent, here.states()) == (1, ["sent"])
    assert here.messages()[number].failure == ""


def test_a_connection_lost_after_the_data_leaves_the_outcome_unknown(here: MailDesk) -> None:
    here.post.answers["data"] = HANGS_UP
    here.write(*here.clients(1))
    (unsure,) = here.send().unsure
    assert unsure.failure == "the mail server has not answered whether it took the message"
    here.post.answers.clear()
    # Never again by itself.
    assert (here.send().sent, here.states()) == (0, ["unsure"])
    here.change(unsure.id, state="queued")
    assert here.send().sent == 1


def test_a_missing_reply_leaves_the_outcome_unknown_and_the_next_is_sent(here: MailDesk) -> None:
    here.post.waits = 4.0
    first, second = here.write(*here.clients(2))
    threading.Timer(1.5, lambda: setattr(here.post, "waits", 0.0)).start()
    sent = here.send()
    assert ([message.id for message in sent.unsure], sent.sent) == ([first], 1)
    assert here.messages()[second].state == "sent"


def test_without_a_server_all_messages_stay_queued(store: Store, folder: Path) -> None:
    port = free_port()
    here = desk_at(store, folder, Post(), f"smtp://127.0.0.1:{port}")
    here.write(*here.clients(3))
    sent = here.send()
    assert (sent.sent, sent.left) == (0, 3)
    why = f"cannot be reached: nothing answers on port {port}."
    assert sent.stopped == f"No e-mail was sent: the mail server 127.0.0.1 {why}"
    assert {(message.state, message.tries, message.until) for message in here.messages().values()} == {
        ("queued", 0, "")
    }


def test_a_server_that_disconnects_leaves_the_rest_queued(here: MailDesk) -> None:
    count = iter(range(100))
    here.post.answers["mail"] = lambda _: "530 5.7.0 sign in first" if next(count) >= 2 else ""
    here.write(*here.clients(5))
    sent = here.send()
    assert (sent.sent, sent.left) == (2, 3)
    assert "wants a user and password" in sent.stopped
    here.post.answers.clear()
    assert (here.send().sent, len(set(here.arrived))) == (3, 5)


@pytest.mark.parametrize(
    ("answers", "state", "failure"),
    [
        ({"ben": "550 no"}, "sent", "ben@example.com: 550 no"),
        ({"ben": "450 later"}, "queued", "ben@example.com: 450 later"),
        ({"a1": "550 no"}, "failed", "a1@example.com: 550 no; the others got it"),
        ({"a1": "450 later"}, "queued", "a1@example.com: 450 later"),
        ({"a1": "450 later", "ben": "550 no"}, "queued", "a1@example.com: 450 later; ben@example.com: 550 no"),
        ({"a1": "550 no", "ben": "450 later"}, "failed", "a1@example.com: 550 no; ben@example.com: 450 later"),
        ({"a1": "550 no", "ben": "550 no"}, "failed", "550 no"),
    ],
)
def test_the_main_recipients_decide_the_status_of_a_message(
    here: MailDesk, answers: dict[str, str], state: str, failure: str
) -> None:
    here.post.answers["rcpt"] = lambda address: answers.get(address.partition("@")[0], "")
    here.write(*here.clients(1), cc=(Party("ben@example.com"),))
    here.send()
    (message,) = here.messages().values()
    assert (message.state, message.failure) == (state, failure)


def test_an_invalid_address_fails_alone(here: MailDesk) -> None:
    first, _ = here.write(*here.clients(2))
    here.change(first, to="nobody at all")
    sent = here.send()
    assert (sent.sent, [message.id for message in sent.failed]) == (1, [first])
    assert "nobody at all is not a valid e-mail address" in sent.failed[0].failure


def test_without_a_server_nothing_is_queued_and_queued_messages_wait(
    store: Store, folder: Path, here: MailDesk
) -> None:
    here.write(*here.clients(1))
    elsewhere = desk_at(store, folder, Post(), "")
    with pytest.raises(UsageError, match=r"CRM_SMTP_URL.*CRM_MAIL_FROM.*Nothing was sent"):
        refuse_unsendable(elsewhere.crm)
    with pytest.raises(UsageError, match="TWILIO_ACCOUNT_SID"):
        refuse_unsendable(elsewhere.crm, "sms")
    with pytest.raises(UsageError):
        elsewhere.write(*elsewhere.clients(1, email="b@example.com"))
    sent = elsewhere.send()
    assert (sent.left, sent.sent) == (1, 0)
    assert "CRM_SMTP_URL" in sent.stopped


def test_invalid_sms_settings_do_not_block_e_mail(here: MailDesk) -> None:
    def texter() -> Any:
        raise UsageError("TWILIO_FROM is missing.")

    here.crm.outward = replace(here.crm.outward, texter=texter)
    (client,) = here.clients(1)
    mail, text = *here.write(client), here.write(client)[0]
    here.change(text, channel="sms", to="+436641234567")
    sent = here.send()
    assert (sent.sent, sent.left, sent.stopped) == (1, 1, "TWILIO_FROM is missing.")
    assert [here.messages()[id_].state for id_ in (mail, text)] == ["sent", "queued"]


def test_the_words_of_a_server_are_cut_and_shown_as_one_line(here: MailDesk) -> None:
    here.post.answers["rcpt"] = "550 \x1b[31m" + "no " * 300
    here.write(*here.clients(1))
    (failed,) = here.send().failed
    assert "\x1b" not in failed.failure
    assert len(failed.failure) <= 500


# Mailings and occasions


def test_an_opt_out_before_sending_stops_the_mailing(here: MailDesk) -> None:
    anna, ben = here.clients(2)
    here.write(anna, ben, occasion="birthday 2026")
    (single,) = here.write(anna)
    here("clients edit", anna, {"marketing_consent": False})
    sent = here.send()
    assert (sent.sent, sent.cancelled) == (2, 1)
    assert here.states() == ["cancelled", "sent", "sent"]
    assert here.messages()[single].state == "sent"
    by = {str(mail["Message-ID"]): mail for mail in here.post.taken}
    greeted = by[next(message for message in here.messages().values() if message.client == ben.id).identifier]
    assert "mailto:team@example.com" in str(greeted["List-Unsubscribe"])
    assert greeted["Auto-Submitted"] == "auto-generated"
    assert by[here.messages()[single].identifier]["List-Unsubscribe"] is None


def test_mailings_are_rate_limited_and_single_messages_are_not(here: MailDesk) -> None:
    here.set(mails_per_minute="600")
    clients = here.clients(6)
    here.write(*clients, occasion="birthday 2026")
    begun = time.monotonic()
    assert here.send().sent == 6
    assert 0.45 < time.monotonic() - begun < 5
    here.set(mails_per_minute="1")
    here.write(*clients)
    begun = time.monotonic()
    assert here.send().sent == 6
    assert time.monotonic() - begun < 20


def test_single_messages_go_before_mailings(here: MailDesk) -> None:
    clients = here.clients(3)
    mailing = here.mailing()

    def change(tx: Any) -> None:
        for client in clients[:2]:
            queue(tx, here.crm, Draft(client=client.id, to=(Party(client.email),), subject="News", mailing=mailing))

    here.crm.transact(change, "wrote")
    (single,) = here.write(clients[2])
    here.send()
    assert here.arrived[0] == here.messages()[single].identifier


# Attachments


def test_a_message_has_its_attachment(here: MailDesk, folder: Path) -> None:
    file = folder / "price <list>.pdf"
    file.write_bytes(b"%PDF-1.7 prices")
    line = attaching.kept(here.crm, file)
    assert line == attaching.kept(here.crm, file)
    file.unlink()
    here.write(*here.clients(2), attachments=(line,))
    assert here.send().sent == 2
    (attached,) = list(here.post.taken[0].iter_attachments())
    assert attached.get_content() == b"%PDF-1.7 prices"
    assert (attached.get_filename(), attached.get_content_type()) == ("price _list_.pdf", "application/pdf")
    assert (attaching.name_of(line), attaching.size_of(line)) == ("price _list_.pdf", 15)


def test_a_missing_or_damaged_attachment_fails_the_message(here: MailDesk, folder: Path) -> None:
    lines = []
    for name in ("one.txt", "two.txt"):
        (folder / name).write_text(name)
        lines.append(attaching.kept(here.crm, folder / name))
    anna, ben, cleo = here.clients(3)
    here.write(anna, attachments=(lines[0],))
    here.write(ben, attachments=(lines[1],))
    here.write(cleo)
    kept = here.crm.outward.folder / "attachments"
    (kept / lines[0][:64]).unlink()
    (kept / lines[1][:64]).write_text("another")
    sent = here.send()
    assert [message.failure for message in sent.failed] == [
        "not sent: one.txt is no longer on this computer. Write the message again.",
        "not sent: the copy of two.txt on this computer is damaged. Write the message again.",
    ]
    assert sent.sent == 1


def test_an_attachment_on_another_computer_leaves_the_message_to_it(
    here: MailDesk, store: Store, folder: Path, authority: trustme.CA
) -> None:
    (folder / "one.txt").write_text("one")
    here.write(*here.clients(2), attachments=(attaching.kept(here.crm, folder / "one.txt"),))
    with desk(store, folder / "other", Post(), authority) as other:
        sent = other.send()
        assert (sent.sent, sent.left) == (0, 0)
        assert {message.failure for message in sent.waiting} == {
            "one.txt is on the computer where it was attached. Send queued mail from there."
        }
        assert other.states() == ["queued", "queued"]
    assert here.send().sent == 2


def test_files_that_are_too_large_together_are_refused(here: MailDesk, folder: Path) -> None:
    (folder / "large.bin").write_bytes(bytes(attaching.MOST + 1))
    with pytest.raises(FileError, match=r"large\.bin is too large.*20 MB"):
        attaching.kept(here.crm, folder / "large.bin")
    with pytest.raises(FileError, match="No file"):
        attaching.kept(here.crm, folder / "none.bin")
    lines = []
    for name in ("a", "b"):
        (folder / name).write_bytes(name.encode() * (attaching.MOST // 2 + 1))
        lines.append(attaching.kept(here.crm, folder / name))
    (anna,) = here.clients(1)
    with pytest.raises(FileError, match="20 MB in all"):
        here.write(anna, attachments=tuple(lines))
    assert here.states() == []


def test_an_edited_row_cannot_attach_another_file(here: MailDesk) -> None:
    (number,) = here.write(*here.clients(1))
    here.crm.outward.folder.mkdir()
    secret = here.crm.outward.folder / "secret"
    secret.write_text("secret")
    here.change(number, attachments="../secret 6 secret")
    assert here.send().sent == 0
    assert here.arrived == []


# Where the program stops

_STOPS = """
import os, signal, sys
from crm.commands.mail.outbox.journal import SendingJournal
point, left = sys.argv[1], [int(sys.argv[2])]
def stopping(name, before):
    real = getattr(SendingJournal, name)
    def called(self, *given):
        left[0] -= 1
        if before and not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)
        real(self, *given)
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)
    setattr(SendingJournal, name, called)
stopping(*{"claimed": ("begin", True), "begun": ("begin", False), "handed over": ("end", True),
           "noted": ("end", False)}[point])
from crm.start import main
from run import menu_loop
sys.exit(main(["email", "outbox"], menu_loop))
"""


@pytest.fixture
def program(folder: Path) -> CommandLine:
    """The program in processes of its own, on a file."""
    line = CommandLine(folder)
    line.did("settings", "set", "mails_per_minute", "6000")
    return line


class Running:
    """The program on a file, with messages queued to a server."""

    def __init__(self, program: CommandLine, post: Post, port: int) -> None:
        self.program = program
        self.post = post
        program.environment |= {"CRM_SMTP_URL": f"smtp://127.0.0.1:{port}", "CRM_MAIL_FROM": "team@example.com"}

    def queue(self, count: int, **given: Any) -> None:
        from crm.app import open_crm
        from crm.config import from_environment

        crm = open_crm(from_environment(self.program.child_environment()))
        queued = MailDesk(crm, self.post, crm.repository)
        queued.write(*queued.clients(count), **given)
        crm.repository.close()

    def outbox(self) -> Any:
        """The result of one run of the outbox; its exit code is 1 if a message may or may not have been sent."""
        answer = self.program("email", "outbox", "--json")
        assert (answer.code, answer.err) == (int(bool(answer.json["unsure"])), "")
        return answer.json

    @property
    def states(self) -> list[str]:
        found = self.program.did("email", "list", "--limit", "1000")
        return [record["state"] for record in sorted(found, key=lambda message: message["id"])]

    @property
    def arrived(self) -> Counter[str]:
        return Counter(str(mail["Message-ID"]) for mail in self.post.taken)


@pytest.fixture
def running(program: CommandLine, authority: trustme.CA) -> Iterator[Running]:
    post = Post()
    with served(post, authority) as port:
        yield Running(program, post, port)


@pytest.mark.many
@pytest.mark.parametrize(
    ("point", "states", "arrived"),
    [
        ("claimed", ["sent"] * 5, 5),
        ("begun", ["sent", "sent", "unsure", "sent", "sent"], 4),
        ("handed over", ["sent", "sent", "unsure", "sent", "sent"], 5),
        ("noted", ["sent"] * 5, 5),
    ],
)
def test_a_killed_program_sends_no_message_twice(running: Running, point: str, states: list[str], arrived: int) -> None:
    running.queue(5)
    environment = running.program.child_environment()
    killed = subprocess.run([PYTHON, "-c", _STOPS, point, "3"], env=environment, cwd=PROJECT, timeout=60, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert set(running.states) == {"sending"}
    answer = running.outbox()
    assert [len(answer["unsure"]), answer["left"]] == [states.count("unsure"), 0]
    assert (running.states, len(running.arrived)) == (states, arrived)
    assert set(running.arrived.values()) == {1}
    assert running.outbox()["sent"] == 0
    assert running.program.sound()
    assert not list(running.program.folder.rglob("*.lock"))


@pytest.mark.slow
def test_repeated_kills_lose_and_duplicate_no_message(running: Running) -> None:
    running.queue(60)
    running.post.waits = 0.01
    kills = 0
    for seconds in (0.9, 1.1, 1.3, 1.0, 1.2, 0.8):
        child = running.program.start("email", "outbox")
        time.sleep(seconds)
        child.kill()
        child.communicate()
        kills += child.returncode == -signal.SIGKILL
    running.outbox()
    states = Counter(running.states)
    assert set(states) <= {"sent", "unsure"}
    assert states["unsure"] <= kills
    assert set(running.arrived.values()) == {1}
    assert states["sent"] <= len(running.arrived) <= 60


@pytest.mark.slow
def test_several_programs_at_once_send_each_message_once(running: Running) -> None:
    running.queue(90)
    children = [running.program.start("email", "outbox", "--json") for _ in range(3)]
    for child in children:
        out, err = child.communicate(timeout=60)
        assert (child.returncode, err) == (0, ""), out
    assert running.states == ["sent"] * 90
    assert (len(running.arrived), set(running.arrived.values())) == (90, {1})


def test_ctrl_c_ends_after_the_current_mail_and_counts_the_rest(running: Running) -> None:
    running.queue(5)
    running.post.waits = 1.0
    child = running.program.start("email", "outbox", "--json")
    while running.post.begun < 2 and child.poll() is None:
        time.sleep(0.01)
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=30)
    assert (child.returncode, err) == (0, "")
    assert running.states == ["sent", "sent", "queued", "queued", "queued"]
    assert '"left": 3' in out
    assert "You have stopped it." in out
    running.post.waits = 0.0
    assert running.outbox()["sent"] == 3
    assert set(running.arrived.values()) == {1}


@pytest.mark.slow
def test_a_second_ctrl_c_leaves_the_current_mail_unknown(running: Running) -> None:
    running.queue(3)
    running.post.waits = 20.0
    child = running.program.start("email", "outbox")
    while not running.post.begun and child.poll() is None:
        time.sleep(0.01)
    child.send_signal(signal.SIGINT)
    time.sleep(0.3)
    child.send_signal(signal.SIGINT)
    child.communicate(timeout=15)
    assert child.returncode == 130
    assert running.states == ["unsure", "queued", "queued"]


# What other computers do


def claimed(here: MailDesk, number: int, ends: timedelta) -> str:
    """A message as another computer took it."""
    until = (running_on()() + ends).isoformat(timespec="microseconds")
    here.change(number, state="sending", tries=1, until=until)
    return until


def test_a_message_leased_by_another_computer_is_left_until_the_lease_expires(here: MailDesk) -> None:
    first, second = here.write(*here.clients(2))
    until = claimed(here, first, timedelta(minutes=1))
    assert here.send().sent == 1
    assert here.states() == ["sending", "sent"]
    claimed(here, first, timedelta(minutes=-1))
    (unsure,) = here.send().unsure
    assert (unsure.id, unsure.state) == (first, "unsure")
    assert unsure.failure == "another computer started to send it and has not reported back"
    assert unsure.until < until
    assert here.send().unsure == ()
    assert here.messages()[second].state == "sent"


def test_an_invalid_lease_has_expired(here: MailDesk) -> None:
    (number,) = here.write(*here.clients(1))
    here.change(number, state="sending", until="tomorrow")
    here.send()
    assert here.states() == ["unsure"]


def test_the_outcome_of_the_lease_holder_wins(
    here: MailDesk, store: Store, folder: Path, authority: trustme.CA
) -> None:
    here.write(*here.clients(3))
    leave = _breaks_off(after=2)
    with pytest.raises(FileError):
        here.send()
    leave()
    assert here.states() == ["sending"] * 3
    messages = here.messages()
    lease = messages[1].until
    past = (running_on()() - timedelta(hours=1)).isoformat(timespec="microseconds")
    with desk(store, folder / "other", Post(), authority) as other:
        assert other.send().sent == 0
        # As if its time were over.
        for number in messages:
            other.change(number, until=past)
        other.send()
        assert other.states() == ["unsure"] * 3
        assert other.post.taken == []
        for number in messages:
            other.change(number, until=lease)
    assert here.send().sent == 1
    assert here.states() == ["sent"] * 3
    assert Counter(here.arrived) == Counter({message.identifier: 1 for message in messages.values()})


def _breaks_off(after: int) -> Callable[[], None]:
    """Have the store fail at the end of a batch, and the program leave with it after so many messages were noted."""
    from crm.commands.mail.outbox import sending
    from crm.commands.mail.outbox.sending import Sending

    real, count = Sending._noted, iter(range(100))

    def noted(self: Any, *given: Any) -> Any:
        if next(count) >= after:
            raise FileError("the program stops here")
        return real(self, *given)

    def settled(_: Any, ended: Any, *__: Any) -> list[Any]:
        if ended:
            raise FileError("the store is away")
        return []

    patch = pytest.MonkeyPatch()
    patch.setattr(Sending, "_noted", noted)
    patch.setattr(sending, "settle", settled)
    return patch.undo


def test_a_restored_store_does_not_send_messages_again(here: MailDesk) -> None:
    here.post.answers["data"] = ""
    first, second, third = here.write(*here.clients(3))
    before = here.messages()
    hung_up = iter(["", HANGS_UP])
    here.post.answers["data"] = lambda _: next(hung_up, "")
    here.send()
    assert here.states() == ["sent", "unsure", "sent"]
    for number in (first, second, third):
        was = before[number]
        here.change(number, state=was.state, tries=was.tries, until=was.until, failure=was.failure)
    here.send()
    assert here.states() == ["sent", "unsure", "sent"]
    assert len(here.arrived) == 2


def test_a_message_that_was_handed_over_cannot_be_cancelled(here: MailDesk) -> None:
    here.write(*here.clients(2))
    with here.crm.read() as snapshot:
        wrote = snapshot.history(1)[0].id
    here.set(mails_per_minute="5000")
    here.send()
    with here.crm.read() as snapshot:
        taken, handed_over = (entry.id for entry in reversed(snapshot.history(2)))
    for number in (wrote, taken, handed_over):
        with pytest.raises(RefusedError, match="cannot be recalled"):
            here("history undo", transaction=number)
    # What was done before is, and what is passed over is said.
    done = here("history undo", yes=True)
    assert done.undone.what.startswith("set e-mails a minute")
    assert [record.id for record in done.passed_over] == [handed_over, taken]
    assert here.states() == ["sent", "sent"]
    here.send()
    assert len(here.arrived) == 2


def test_undo_skips_adding_a_client_who_got_a_message(here: MailDesk) -> None:
    (first,) = here.clients(1)
    here("sales add", first, Decimal(5))
    (second,) = here.clients(1)
    here.write(second)
    here.send()
    done = here("history undo", yes=True)
    assert done.undone.what.startswith("recorded a sale")
    assert done.passed_over[-1].what.startswith("added")


# The journal


def test_a_damaged_journal_is_set_aside_and_a_read_only_one_stops_sending(here: MailDesk) -> None:
    here.write(*here.clients(2))
    journal = here.crm.outward.folder / "journal.sqlite3"
    journal.parent.mkdir(parents=True, exist_ok=True)
    journal.write_bytes(b"no database at all" * 100)
    assert here.send(only=[1]).sent == 1
    assert [path.read_bytes()[:5] for path in journal.parent.glob("damaged-*")] == [b"no da"]
    for path in journal.parent.glob("journal*"):
        path.unlink()
    journal.mkdir()
    with pytest.raises(FileError, match="cannot save what it has sent"):
        here.send()
    assert here.states() == ["sent", "queued"]

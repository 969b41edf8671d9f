"""A mailing to ten thousand clients: queued as one change, and sent to a server on loopback, beside smtplib alone."""

import os
import smtplib
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from benchmarks.made_up import NOON
from benchmarks.measuring import Result, claim
from crm.app import open_crm
from crm.clock import running_from
from crm.commands.client_selection import Group
from crm.commands.context import CRM
from crm.commands.mail.mailings import enqueued
from crm.commands.mail.mailings.text import MailingText
from crm.commands.mail.outbox import send_queued
from crm.config import Config
from crm.model import Client, Setting
from crm.outward.mime import composed
from crm.outward.outgoing import Mail, Party
from crm.repository import Query, Transaction

_CLIENTS, _SENT, _ROUNDS = 10_000, 500, 5
# Queued in at most so many times what the same rows take. Sent in at most so many times what smtplib takes with the
# same mails, where two lines of each are put on the disk, before it and after it, and that is all.
LIMIT_OF_QUEUEING, LIMIT = 6.0, 3.0
_TEXT = MailingText("News for {first_name}", "Dear {name},\n\nso far you have spent {total_spend}.\n\n- one\n- *two*")
_SERVER = """
import sys
from aiosmtpd.controller import Controller
class Sink:
    async def handle_DATA(self, server, session, envelope):
        return "250 OK"
controller = Controller(Sink(), hostname="127.0.0.1", port=int(sys.argv[1]))
controller.start()
print("ready", flush=True)
sys.stdin.read()
controller.stop()
"""


def measure(folder: Path) -> Iterator[Result]:
    """The time to queue a whole mailing, and to send a part of it."""
    os.environ["XDG_DATA_HOME"] = str(folder / "data")
    path = folder / "outbox.sqlite3"
    with _served() as port:
        url = f"smtp://127.0.0.1:{port}"
        crm = open_crm(
            Config(
                f"sqlite:///{path}",
                "anna",
                running_from(NOON),
                smtp_url=url,
                mail_from="team@example.com",
                secret="s" * 40,
            )
        )
        crm.transact(_filled, "made-up clients")
        yield claim(
            f"a mailing to {_CLIENTS:,} queued",
            lambda: enqueued(crm, Group(), _TEXT, again=True),
            lambda: _inserted(path),
            "its rows once more, bare sqlite3",
            LIMIT_OF_QUEUEING,
            runs=_ROUNDS,
            warm_up=False,
        )
        firsts = count(1, _SENT)
        notes = sqlite3.connect(folder / "notes.sqlite3", isolation_level=None)
        with closing(notes):
            for each in ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", "CREATE TABLE note (id, state)"):
                notes.execute(each)
            yield claim(
                "a mail of it sent and noted",
                lambda: _sent(crm, next(firsts)),
                lambda: _sent_bare(port, notes),
                "smtplib and two durable notes",
                LIMIT,
                runs=_ROUNDS,
                each=_SENT,
            )
        crm.repository.close()


def _filled(tx: Transaction) -> None:
    tx.add_all(
        [
            Client(first_name=f"No{at}", last_name="Fox", email=f"a{at}@example.com", marketing_consent=True)
            for at in range(_CLIENTS)
        ]
    )
    # As fast as it goes.
    (pace,) = tx.find_all(Setting, Query({"key": "mails_per_minute"}))
    tx.change(pace, value="60000000")


def _inserted(path: Path) -> None:
    """The messages written once more, durable, into a table that nothing else looks at."""
    with closing(sqlite3.connect(path)) as file:
        file.execute("PRAGMA synchronous = FULL")
        file.execute("CREATE TABLE again AS SELECT * FROM message WHERE 0")
        rows = file.execute("SELECT * FROM message ORDER BY id DESC LIMIT ?", (_CLIENTS,)).fetchall()
        file.executemany(f"INSERT INTO again VALUES ({', '.join('?' * len(rows[0]))})", rows)
        file.commit()
        file.execute("DROP TABLE again")
        file.commit()


def _sent(crm: CRM, first: int) -> None:
    assert send_queued(crm, range(first, first + _SENT)).sent == _SENT


def _sent_bare(port: int, notes: sqlite3.Connection) -> None:
    """As many mails as large, made, noted and sent."""
    at = datetime.now(UTC)
    with smtplib.SMTP("127.0.0.1", port) as smtp:
        for number in range(_SENT):
            to = Party(f"a{number}@example.com", f"No{number} Fox")
            text = (
                f"Dear No{number} Fox,\n\nso far you have spent 0.\n\n- one\n- *two*\n\nIf you do not want such e-mails"
            )
            mail = Mail(
                message_id=f"<{number}@example.com>",
                at=at,
                sender=Party("team@example.com"),
                to=(to,),
                subject="News",
                text=text,
            )
            content = composed(mail).as_bytes()
            notes.execute("INSERT INTO note VALUES (?, '')", (mail.message_id,))
            smtp.sendmail("team@example.com", [to.address], content)
            notes.execute("UPDATE note SET state = 'sent' WHERE rowid = last_insert_rowid()")


@contextmanager
def _served() -> Iterator[int]:
    """A mail server in a process of its own that takes everything; its port."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    with subprocess.Popen(
        [sys.executable, "-c", _SERVER, str(port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == "ready\n"
        yield port
        assert server.stdin is not None
        server.stdin.close()

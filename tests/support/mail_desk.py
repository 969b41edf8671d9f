"""A store that sends mail to a real server on loopback, and the mail that arrives there."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import trustme

from crm.app import open_crm
from crm.commands.context import CRM, Outward
from crm.commands.mail.outbox import Draft, Sent, queue_many, send_queued
from crm.commands.registry import named
from crm.config import Config
from crm.model import Client, Mailing, Message
from crm.outward.outgoing import Party
from crm.outward.smtp import SmtpMailer
from crm.repository import Query, Repository
from tests.conftest import Store
from tests.support.mail_server import Post, served


@dataclass
class MailDesk:
    """One computer at which mail is sent: `crm` works on the store, `post` is what the server gets, and `own` is the
    store of the computer itself, where its accounts are."""

    crm: CRM
    post: Post
    own: Repository

    def __call__(self, words: str, *given: Any, **named_: Any) -> Any:
        """Call the command that the shell calls so."""
        return named(words)(self.crm, *given, **named_)

    def clients(self, count: int, **fields: Any) -> list[Client]:
        """New clients with addresses, who want mailings unless told."""

        def change(tx: Any) -> list[Client]:
            given = {"kind": "person", "marketing_consent": True, **fields}
            made = [
                Client(**{"first_name": f"No{at}", "last_name": "Fox", "email": f"a{at}@example.com", **given})
                for at in range(1, count + 1)
            ]
            return [tx.get(Client, id_) for id_ in tx.add_all(made)]

        return self.crm.transact(change, "added clients")

    def write(self, *clients: Client, **given: Any) -> list[int]:
        """A message to each of the clients, queued; their ids."""
        drafts = [
            Draft(**{"client": client.id, "to": (Party(client.email),), "subject": "Hello", "body": "Text", **given})
            for client in clients
        ]
        return list(self.crm.transact(lambda tx: queue_many(tx, self.crm, drafts), "wrote"))

    def mailing(self, name: str = "News") -> int:
        """A mailing, of which messages may be a part; its id."""
        return self.crm.transact(lambda tx: tx.add(Mailing(name=name)), "wrote a mailing").id

    def send(self, **given: Any) -> Sent:
        return send_queued(self.crm, **given)

    def messages(self) -> dict[int, Message]:
        with self.crm.read() as snapshot:
            return {message.id: message for message in snapshot.find_all(Message, Query(sort="id"))}

    def states(self) -> list[str]:
        return [message.state for message in self.messages().values()]

    def change(self, message: int, **changes: Any) -> Message:
        """Change a message as something else might."""
        return self.crm.transact(lambda tx: tx.change(tx.get(Message, message), **changes), "changed a message")

    def set(self, **settings: str) -> None:
        for key, value in settings.items():
            self("settings set", key, value)

    @property
    def arrived(self) -> list[str]:
        """The Message-IDs of what the server took, in its order."""
        return [str(mail["Message-ID"]) for mail in self.post.taken]


def desk_at(store: Store, folder: Path, post: Post, url: str, **config: Any) -> MailDesk:
    """A computer with its own folder."""
    settings = Config(
        f"sqlite:///{folder}/none",
        "anna",
        mail_from="Team <team@example.com>",
        secret="what protects the accounts of these tests",
        **config,
    )
    mailer = SmtpMailer(url, settings.mail_from, time_out=5.0, reply_time_out=2.0) if url else None
    first = open_crm(settings)
    outward = Outward(
        lambda: mailer, lambda: None, lambda: None, first.outward.key, folder / "messages", first.outward.saved
    )
    return MailDesk(replace(first, repository=store.repository, outward=outward), post, first.repository)


@contextmanager
def desk(store: Store, folder: Path, post: Post, authority: trustme.CA, **config: Any) -> Iterator[MailDesk]:
    """A computer whose mail server is there for a while."""
    with served(post, authority) as port:
        opened = desk_at(store, folder, post, f"smtp://127.0.0.1:{port}", **config)
        with closing(opened.own):
            yield opened

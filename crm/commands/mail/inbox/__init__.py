"""Incoming e-mail: read from the mailbox, filed with the clients whose it is; who is unknown is offered as a client."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Annotated

from crm.commands.context import CRM
from crm.commands.mail import unsubscribing
from crm.commands.mail.inbox.correspondents import correspondents, our_addresses, spelling
from crm.commands.mail.inbox.filing import Filed, file
from crm.commands.mail.inbox.journal import FetchJournal, Stranger
from crm.commands.registry import About, command
from crm.errors import ForbiddenError, NotFoundError, OutwardError, UsageError
from crm.files.names import split_name
from crm.model import Client, Contact, Message, named
from crm.model.fields import Line
from crm.model.rights import ALL, READ, level, refusal
from crm.outward.incoming import Received
from crm.outward.mailbox import Arrival, Mailbox
from crm.outward.services import MAILBOX
from crm.repository import Transaction

# So many messages are filed in one transaction.
_BATCH = 50

TheAddress = Annotated[
    str,
    Line(254),
    About("Address", "as `email unknown` lists it", positional=True, completed_by="listed email unknown"),
]


@dataclass(slots=True)
class Fetched:
    """The result of reading the mailbox: how many e-mails were `filed`, and how many were not because they were `known`
    already, no person wrote them (`automatic`), or no client and nobody new is named in them (`nobodys`). `bounced` are
    messages of ours that were given up, `opted_out` who wants no more mailings; `unreadable` says in a sentence each
    what could not be read, `stopped` why it was not read to its end, '' where it was. `unknown` is who waits to become
    a client."""

    filed: int = 0
    known: int = 0
    automatic: int = 0
    nobodys: int = 0
    bounced: list[Message] = field(default_factory=list)
    opted_out: list[Client] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    stopped: str = ""
    unknown: Sequence[Stranger] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """The exit code: 1 where the mailbox was not read to its end, or a message in it could not be read."""
        return int(bool(self.stopped or self.unreadable))


@dataclass(frozen=True, slots=True)
class Adopted:
    """The client or contact that an unknown sender has become: a client, or a contact of one; how many of their e-mails
    were `filed`, and why not all of them where the mailbox could not be read (`stopped`)."""

    client: Client
    contact: Contact | None
    filed: int
    stopped: str = ""

    @property
    def exit_code(self) -> int:
        """The exit code: 1 where the mailbox could not be read."""
        return int(bool(self.stopped))


@command("email fetch", title="Fetch e-mail", menu="email", hint="Get new messages from your mailbox", key="mail")
def fetch(
    crm: CRM,
    from_now: Annotated[bool, About("From now on", "skip what is in the mailbox already")] = False,
) -> Fetched:
    """Read the mailbox, and file each e-mail with the clients whose address it has.

    Clients write to this mailbox, or you forward their e-mails to it, and you copy it on what you write to them (BCC).
    You can run it as often as you like: each e-mail is filed once. `email unknown` lists unknown senders.
    """
    with _opened(crm) as (mailbox, journal):
        if from_now:
            journal.read_to(mailbox.end())
        fetched = Fetched()
        reading = _Reading(crm, mailbox, journal, fetched)
        reading.file_known_by_now()
        reading.read()
        fetched.unknown = _unknown(crm, journal)
    return fetched


@command("email unknown", title="Unknown senders", nothing="No unknown senders.")
def unknown(crm: CRM) -> Sequence[Stranger]:
    """List senders who are not clients yet, latest first.

    `email adopt` adds one as a client, `email ignore` hides one. The list is kept on this computer, because strangers
    do not belong in the team's data.
    """
    with _opened(crm) as (_, journal):
        return _unknown(crm, journal)


@command("email adopt", title="Add an unknown sender as a client")
def adopt(
    crm: CRM,
    address: TheAddress,
    client: Annotated[Client | None, About("Client", "an existing client to add the sender to")] = None,
    name: Annotated[str, Line(200), About("Name", "the person's name; the one in the e-mail by default")] = "",
) -> Adopted:
    """Add an unknown sender as a client, or as a contact of an existing client, and file their e-mails."""
    with _opened(crm) as (mailbox, journal):
        who = next((stranger for stranger in journal.strangers() if stranger.address == spelling(address)), None)
        if who is None:
            raise NotFoundError(f"No e-mail from {address} is waiting. `email unknown` lists the unknown senders.")
        called = name or who.name or name_in(who.address)

        def change(tx: Transaction) -> tuple[Client, Contact | None]:
            if client is None:
                return _new_client(tx, who.address, called), None
            whole = tx.get(Client, client.id)
            if not whole.email:
                return tx.change(whole, email=who.address), None
            return whole, tx.add(Contact(client=whole.id, name=called, email=who.address))

        to = f"{client.name}" if client else called
        client_or_owner, contact = crm.transact(change, f"added {who.address} to {to}" if client else f"added {to}")
        reading = _Reading(crm, mailbox, journal, Fetched())
        try:
            reading.file_again([who.address])
        except OutwardError as error:
            return Adopted(client_or_owner, contact, reading.fetched.filed, error.sentence)
    return Adopted(client_or_owner, contact, reading.fetched.filed)


@command("email ignore", title="Ignore an unknown sender", nothing="No unknown senders.")
def ignore(
    crm: CRM,
    address: TheAddress,
    again: Annotated[bool, About("Again", "stop ignoring them")] = False,
) -> Sequence[Stranger]:
    """Hide a sender from the unknown senders, now and later, and list the others."""
    with _opened(crm) as (_, journal):
        if again:
            journal.let_in([spelling(address)])
        else:
            journal.leave_out(spelling(address))
        return _unknown(crm, journal)


@contextmanager
def _opened(crm: CRM) -> Iterator[tuple[Mailbox, FetchJournal]]:
    # What is kept beside the store is for those who may read what is in it, and are signed in.
    if level(crm.reader.role, Message.kind_name, READ) is not ALL:
        raise ForbiddenError(refusal(Message.kind_name, READ))
    crm.demand_session()
    mailbox = crm.outward.mailbox()
    if mailbox is None:
        raise UsageError(f"{MAILBOX.not_set_up} Nothing was read.")
    with FetchJournal(crm.outward.folder, crm.repository.url, mailbox) as journal:
        yield mailbox, journal


def _unknown(crm: CRM, journal: FetchJournal) -> Sequence[Stranger]:
    """The senders who are still no clients."""
    strangers = journal.strangers()
    with crm.read() as snapshot:
        known = correspondents(snapshot, [stranger.address for stranger in strangers], frozenset()).clients
    return [stranger for stranger in strangers if stranger.address not in known]


def _new_client(tx: Transaction, address: str, called: str) -> Client:
    # Somebody may have added them meanwhile.
    if matches := tx.identified("email", [address]):
        return matches[0]
    first, last = split_name(called)
    return tx.add(named(Client(first_name=first, last_name=last, email=address, source="e-mail")))


def name_in(address: str) -> str:
    """A name guessed from an address: Jo Fox of jo.fox@example.com."""
    words = address.partition("@")[0].replace("_", ".").replace("-", ".").split(".")
    return " ".join(word[:1].upper() + word[1:] for word in words if word) or address


class _Reading:
    """The reading of a mailbox into a store, a batch after the other: each is filed as a whole, then noted as read.
    What breaks off in between is read again, and known by its Message-ID."""

    def __init__(self, crm: CRM, mailbox: Mailbox, journal: FetchJournal, fetched: Fetched) -> None:
        self._crm = crm
        self._mailbox = mailbox
        self._journal = journal
        self.fetched = fetched
        self._ours = our_addresses(crm, mailbox)

    def read(self) -> None:
        """Read on from where the mailbox was left. Raises OutwardError where it cannot be opened."""
        done = 0
        with ExitStack() as stack:
            progress = stack.enter_context(self._crm.progress("Reading the mailbox"))
            try:
                for batch in _batches(self._mailbox.arrivals(self._journal.place)):
                    self._file(batch)
                    done += len(batch)
                    progress(done, 0)
            except OutwardError as error:
                if not done:
                    raise
                self.fetched.stopped = error.sentence

    def file_known_by_now(self) -> None:
        """File what was read before of people who have become clients since. Raises OutwardError."""
        noted = [stranger.address for stranger in self._journal.strangers()]
        with self._crm.read() as snapshot:
            known = correspondents(snapshot, noted, frozenset()).clients
        self.file_again([place for place in noted if place in known])

    def file_again(self, addresses: Sequence[str]) -> None:
        """File the messages of people who were strangers. Raises OutwardError."""
        for validity, uids in self._journal.letters(addresses).items():
            for batch in _batches(self._mailbox.again(validity, uids)):
                self._change([arrival.message for arrival in batch if arrival.message], refile=True)
        self._journal.forget(addresses)

    def _file(self, batch: Sequence[Arrival]) -> None:
        arrived: list[tuple[Arrival, Received]] = []
        for arrival in batch:
            if arrival.message is None:
                self.fetched.unreadable.append(arrival.problem)
            elif wish := unsubscribing.wish_in(self._crm, arrival.message.subject):
                self.fetched.opted_out += unsubscribing.opt_out(self._crm, wish)
            else:
                arrived.append((arrival, arrival.message))
        filed = self._change([message for _, message in arrived])
        with self._journal.at_once():
            for at, who in filed.strangers.items():
                arrival, message = arrived[at]
                self._journal.note(who, spelling(who.address), message.subject, message.at, arrival.place)
            self._journal.read_to(batch[-1].place)

    def _change(self, messages: Sequence[Received], *, refile: bool = False) -> Filed:
        """File messages in one transaction."""
        count = f"{len(messages)} {'e-mail' if len(messages) == 1 else 'e-mails'}"
        filed = self._crm.transact(
            lambda tx: file(tx, messages, self._ours, refile=refile), f"read {count} from the mailbox"
        )
        fetched = self.fetched
        fetched.filed += filed.new
        fetched.known += filed.known
        fetched.automatic += filed.automatic
        fetched.nobodys += filed.nobodys
        fetched.bounced += filed.bounced
        for address in filed.complaints:
            fetched.opted_out += unsubscribing.complain(self._crm, address)
        return filed


def _batches(arrivals: Iterable[Arrival]) -> Iterator[list[Arrival]]:
    """Messages so many at a time; where reading them breaks off, those before it come first."""
    batch: list[Arrival] = []
    broken: OutwardError | None = None
    try:
        for arrival in arrivals:
            batch.append(arrival)
            if len(batch) == _BATCH:
                yield batch
                batch = []
    except OutwardError as error:
        broken = error
    if batch:
        yield batch
    if broken:
        raise broken

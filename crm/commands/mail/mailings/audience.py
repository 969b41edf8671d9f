"""The audience of a mailing: which clients get it, at which address, and who is left out and why."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from crm.batching import batches
from crm.commands.client_selection import pluralize, some_at_a_time
from crm.commands.consent import Objection, objections
from crm.errors import OutwardError, RefusedError
from crm.model import Client, Contact, Conventions, Mailing
from crm.model.fields.recipients import recipient_key
from crm.outward.outgoing import Party
from crm.repository import Query, Snapshot
from crm.repository.queries import mail as queries

# Why a client gets none, in the order in which it is shown: of one, and of several.
REASONS: Mapping[str, tuple[str, str]] = {
    "opted_out": ("has opted out", "have opted out"),
    "consent": ("has not agreed to mailings", "have not agreed to mailings"),
    "address": ("has no e-mail address", "have no e-mail address"),
    "bad": ("has an address that does not work", "have an address that does not work"),
    "shared": (
        "has the address of someone who has not agreed",
        "have the address of someone who has not agreed",
    ),
    "got": ("has already got this text", "have already got this text"),
    "twice": ("has the same address as another client", "have the same address as another client"),
}
WHERE_CONSENT = (
    "Marketing consent, under More fields in the form of a client, says who has agreed. To change it for many, choose "
    "Bulk actions in the list of clients, then Edit fields."
)
# RFC 3463: the kind of an answer, what it is about, and the detail.
_CODE = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?!\.?\d)")
_ABOUT_ADDRESS = "1"
# 5.1.7 and 5.1.8 are about the sender's address, not the recipient's.
_OF_THE_RECIPIENT = frozenset(("0", "1", "2", "3", "4", "6", "10"))
_UNKNOWN = re.compile(
    r"no such (?:user|mailbox|recipient|account|address)|(?:user|mailbox|recipient|account|address) (?:is )?unknown"
    r"|unknown (?:user|mailbox|recipient|account|address|local.part)|no mailbox here|invalid (?:recipient|mailbox)"
    r"|(?:user|mailbox|recipient|account|address)(?: \S+)? (?:does not|doesn't) exist|user not found"
    r"|(?:recipient|mailbox|account) not found|not a valid (?:user|mailbox|recipient)",
    re.I,
)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A client who gets no mailing: `why` is a key of REASONS, `reason` the same for people."""

    client: int
    name: str
    why: str
    reason: str


class NoConsentError(RefusedError):
    """A mailing that nobody gets, as some have not agreed to mailings: `clients` are their numbers. Its sentence ends
    with where that is changed; `fault` does not."""

    def __init__(self, fault: str, left_out: Iterable[LeftOut]) -> None:
        self.fault = fault
        self.clients = [reader.client for reader in left_out if reader.why == "consent"]
        super().__init__(f"{fault} {WHERE_CONSENT}")


@dataclass(frozen=True, slots=True)
class Reader:
    """A client who gets a mailing, and where: at the client's own address, or of a company without one at that of the
    primary contact (0 for none)."""

    client: Client
    party: Party
    contact: int


@dataclass(slots=True)
class Audience:
    """The count of clients who get a mailing, the first of them, and who does not."""

    count: int = 0
    first: Reader | None = None
    left_out: list[LeftOut] = field(default_factory=list)

    def sort(self, candidates: Iterable[Reader | LeftOut]) -> list[Reader]:
        """Count some more; those of them who get it."""
        readers: list[Reader] = []
        for reader in candidates:
            if isinstance(reader, LeftOut):
                self.left_out.append(reader)
            else:
                readers.append(reader)
        self.count += len(readers)
        self.first = self.first or next(iter(readers), None)
        return readers

    def sentences(self, by: Conventions, takes: str = "", *, has_text: bool = True) -> str:
        """The number of clients who get it, what that `takes`, and how many are left out, in sentences. As long as it
        has no text, nobody knows who has got the same already."""
        goes = "goes" if has_text else "can go"
        return f"This {goes} to {pluralize(self.count, 'client', 'clients', by)}.{takes} {self.summary(by)}".rstrip()

    def summary(self, by: Conventions) -> str:
        """The clients left out, counted by the reason, in a sentence; '' for nobody."""
        counts = Counter(reader.why for reader in self.left_out)
        parts = [
            f"{by.number(counts[why])} {words[0] if counts[why] == 1 else words[1]}"
            for why, words in REASONS.items()
            if counts[why]
        ]
        if not parts:
            return ""
        several = pluralize(len(self.left_out), "client is", "clients are", by)
        return f"{several} left out: {', '.join(parts)}."


class Readers:
    """A division of clients into those who get a mailing and those who do not, as the store is at one moment. `got`
    says when and with which mailing the same text went to an address, by `recipient_key`."""

    def __init__(self, snapshot: Snapshot, got: Mapping[str, str]) -> None:
        self._snapshot = snapshot
        self._got = got
        self._bad = refused_addresses(snapshot)
        self._by_address: dict[str, Client] = {}

    def of(self, numbers: Sequence[int]) -> Iterator[Reader | LeftOut]:
        """Each of the clients as reader or left out, in their order; of several with one address the first is the
        reader."""
        for clients in some_at_a_time(self._snapshot, numbers):
            contacts = self._contacts([client.id for client in clients if not client.email])
            addresses = {client.id: _address(client, contacts.get(client.id)) for client in clients}
            against = objections(self._snapshot, [address for address, _ in addresses.values()])
            for client in clients:
                yield self._sorted(client, contacts.get(client.id), *addresses[client.id], against)

    def _contacts(self, clients: Sequence[int]) -> Mapping[int, Contact]:
        if not clients:
            return {}
        contacts = self._snapshot.find_all(Contact, Query({"client": list(clients), "is_primary": True}))
        return {contact.client: contact for contact in contacts}

    def _sorted(
        self, client: Client, contact: Contact | None, address: str, name: str, against: Mapping[str, Objection]
    ) -> Reader | LeftOut:
        key = recipient_key(address)
        objection = against.get(key)
        if objection and objection.why == "opted_out":
            return _left_out(client, "opted_out", f"{address} {objection.words}")
        if not client.marketing_consent:
            return _left_out(client, "consent")
        if not address:
            return _left_out(client, "address")
        if objection:
            return _left_out(client, "shared", f"{address}: {objection.words}")
        if words := self._bad.get(address.casefold()):
            return _left_out(client, "bad", f"{address} bounced: {words}")
        if words := self._got.get(key):
            return _left_out(client, "got", f"{address} {words}")
        try:
            party = Party(address, name)
        except OutwardError:
            return _left_out(client, "bad", f"{address} is not a valid e-mail address")
        other = self._by_address.setdefault(key, client)
        if other is not client:
            return _left_out(client, "twice", f"{address} is also the address of {other.name} ({other.id})")
        return Reader(client, party, contact.id if contact and not client.email else 0)


def _address(client: Client, contact: Contact | None) -> tuple[str, str]:
    """The address that a client is written to at, and who is called so; empty where there is none."""
    if client.email or contact is None:
        return client.email, client.name
    return contact.email, contact.name


def audience(snapshot: Snapshot, numbers: Sequence[int], got: Mapping[str, str]) -> Audience:
    """The number of the clients with these numbers that get a mailing, and those that do not; `got` as for
    `Readers`."""
    members, sorting = Audience(), Readers(snapshot, got)
    for some in batches(numbers):
        members.sort(sorting.of(some))
    return members


def got_already(snapshot: Snapshot, subject: str, body: str, service: int = 0) -> Mapping[str, str]:
    """The addresses that the same text, or the same service, went to in an earlier mailing, or waits to go: when, in
    words, by `recipient_key`."""
    if service:
        same = list(snapshot.numbers(Mailing, Query({"service": service, "channel": "email"})))
    else:
        same = [
            mailing.id
            for mailing in snapshot.find_all(Mailing, Query({"subject": subject, "occasion": ""}))
            if mailing.body.split() == body.split()
        ]
    rows = queries.reached_by(snapshot, same) if same else ()
    return {recipient_key(row.to): f"got this on {row.on.isoformat()} (mailing {row.mailing})" for row in rows}


# How the words begin that an address was refused with, once somebody has said that it is good anyway.
CLEARED = "cleared: "
_NAMED = re.compile(r"[^\s<>;:]+@[^\s<>;:]+: ")


def says_unknown(address: str, failure: str) -> bool:
    """Return whether a message failed because the mailbox at an address does not exist: nothing else says anything
    against the address, be it the content, the sender, or that the mailbox is full."""
    if failure.startswith(CLEARED):
        return False
    # Of several recipients each has its own words.
    named = [part for part in failure.split("; ") if _NAMED.match(part)]
    own = [part for part in named if part.startswith(f"{address}: ")]
    return is_unknown_mailbox(own[0] if own else "" if named else failure)


def refused_addresses(snapshot: Snapshot) -> Mapping[str, str]:
    """The addresses (caseless) at which the last e-mail to them alone was refused for good, with the words of the
    server."""
    addresses = {
        row.to.casefold(): row.failure
        for row in queries.failed_mail(snapshot)
        if "," not in row.to and says_unknown(row.to, row.failure)
    }
    if not addresses:
        return {}
    # Somebody may have got through since.
    ended = queries.ended_mail(snapshot)
    states = {row.to.casefold(): row.state for row in ended if row.to.casefold() in addresses}
    return {address: words for address, words in addresses.items() if states.get(address) == "failed"}


def _left_out(client: Client, why: str, explanation: str = "") -> LeftOut:
    return LeftOut(client.id, client.name, why, explanation or REASONS[why][0])


def is_unknown_mailbox(words: str) -> bool:
    """Return whether the words of a mail server say that the mailbox does not exist: what was refused for its content,
    its sender, a block list or a full mailbox says nothing against the address."""
    if match := _CODE.search(words):
        kind, subject, detail = match.groups()
        return kind == "5" and subject == _ABOUT_ADDRESS and detail in _OF_THE_RECIPIENT
    return _UNKNOWN.search(words) is not None

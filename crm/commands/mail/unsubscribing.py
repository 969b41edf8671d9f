"""Unsubscribing from mailings: the link in each message, and the effect of following it.

A link names the client and the address that it was sent to, and is signed, so that nobody makes one for somebody else.
It never expires: a mail is read, and searched for, long after it was sent.
"""

import base64
import hmac
import re
from binascii import Error as NotBase64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from crm.commands.consent import opted_out
from crm.commands.context import CRM
from crm.model import Client, OptOut
from crm.model.fields.recipients import recipient_key
from crm.model.rights import OWNER
from crm.repository import AuthoredTransaction, Snapshot, Transaction

# Where the web terminal takes links.
PATH = "/opt-out/"
# The first word of the subject of a mail that opts out; the token follows it.
SUBJECT = "Unsubscribe"
_PURPOSE = "opting out"
_MAC = 16
_TOKEN = re.compile(r"[A-Za-z0-9_-]{30,500}")


@dataclass(frozen=True, slots=True)
class UnsubscribeRequest:
    """A request for no more mailings to a client (by number), made by a link that was sent to `address`."""

    client: int
    address: str


def links(crm: CRM, client: Client, address: str) -> tuple[str, ...]:
    """The addresses that end mailings to a client at one of its addresses, for a mail to it: one to be opened where
    the web terminal has an address, one to write to where mail is set up. Raises FileError, where this installation
    has no secret, and UsageError, for settings that cannot be used."""
    token = _token(crm, UnsubscribeRequest(client.id, address))
    return tuple(f"{before}{token}" for before in _starts(crm))


def _starts(crm: CRM) -> Iterator[str]:
    if crm.config.origin.startswith("https://"):
        yield f"{crm.config.origin}{PATH}"
    if mailer := crm.outward.mailer():
        yield f"mailto:{quote(mailer.sender.wire, safe='@')}?subject={SUBJECT}%20"


def before_token(crm: CRM) -> str:
    """The address of the link in a mailing, up to the token: the same for all who get it. Empty where there is none."""
    return next(_starts(crm), "")


def footer(crm: CRM, client: Client, address: str, before: str | None = None) -> str:
    """The line at the end of a mailing that says how to end them, as Markdown; `before` is `before_token`, where it has
    been asked for. Raises as `links` does."""
    before = before_token(crm) if before is None else before
    if not before:
        return "If you'd rather not get these e-mails, reply to this one and say so."
    token = _token(crm, UnsubscribeRequest(client.id, address))
    return f"If you'd rather not get these e-mails, [unsubscribe]({before}{token})."


def wish_in(crm: CRM, text: str) -> UnsubscribeRequest | None:
    """The request in a link or in the subject of a mail; None where it holds no whole token of ours."""
    wishes = (_wish(crm, token) for token in _TOKEN.findall(text[:1000]))
    return next((name for name in wishes if name), None)


def opt_out(crm: CRM, wish: UnsubscribeRequest) -> Sequence[Client]:
    """Opt out the address that a link was sent to, whatever happened to its client, and withdraw the consent of all
    clients that have it now. In the history it was done by that address, unless somebody is signed in. Returns the
    clients as they are now."""
    with crm.read() as snapshot:
        clients = _clients_of(snapshot, wish)
        is_known = bool(opted_out(snapshot, [wish.address]))
    if is_known and not any(client.marketing_consent for client in clients):
        return clients

    def change(tx: Transaction) -> Sequence[Client]:
        return suppress(tx, wish.address, "link", clients=_clients_of(tx, wish))

    def change_for(tx: AuthoredTransaction) -> Sequence[Client]:
        tx.user = wish.address
        return change(tx)

    unguarded = crm.reader == OWNER
    summary = f"opted out of mailings, asked for by {wish.address}"
    return crm.repository.transact(change_for if unguarded else change, summary)


def suppress(
    tx: Transaction, address: str, way: str, note: str = "", *, clients: Sequence[Client] | None = None
) -> Sequence[Client]:
    """Put an address or a phone number among the opt-outs, in one of the ways of OPT_OUT_WAYS, and take back the
    consent of clients: those who have the e-mail address, unless others are named. The clients as they are now."""
    key = recipient_key(address)
    if not opted_out(tx, [key]):
        tx.add(OptOut(address=key, on=tx.today, way=way, note=note))
    if clients is None:
        clients = tx.identified("email", [key]) if "@" in key else []
    return [tx.change(client, marketing_consent=False) if client.marketing_consent else client for client in clients]


def complain(crm: CRM, address: str) -> Sequence[Client]:
    """Put an address among the opt-outs whose owner has reported a message as spam. The clients that have it."""
    with crm.read() as snapshot:
        if opted_out(snapshot, [address]):
            return []
    return crm.transact(lambda tx: suppress(tx, address, "complaint"), f"{address} reported an e-mail as spam")


def follow(crm: CRM, link: str, *, act: bool) -> bool:
    """Return whether a link is whole; told to `act`, what it is for is done. Raises StoreError."""
    wish = wish_in(crm, link)
    if wish and act:
        opt_out(crm, wish)
    return wish is not None


def _clients_of(snapshot: Snapshot, wish: UnsubscribeRequest) -> list[Client]:
    addresses = {wish.address, recipient_key(wish.address)}
    clients = {client.id: client for client in snapshot.identified("email", addresses)}
    if named := snapshot.find(Client, wish.client):
        clients[named.id] = named
    return list(clients.values())


def _token(crm: CRM, wish: UnsubscribeRequest) -> str:
    payload = f"{wish.client} {wish.address}".encode()
    return base64.urlsafe_b64encode(_mac(crm, payload) + payload).rstrip(b"=").decode()


def _wish(crm: CRM, token: str) -> UnsubscribeRequest | None:
    try:
        signed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except NotBase64:
        return None
    mac, payload = signed[:_MAC], signed[_MAC:]
    if not hmac.compare_digest(mac, _mac(crm, payload)):
        return None
    number, _, address = payload.decode().partition(" ")
    return UnsubscribeRequest(int(number), address)


def _mac(crm: CRM, payload: bytes) -> bytes:
    return hmac.digest(crm.outward.key(_PURPOSE), payload, "sha256")[:_MAC]

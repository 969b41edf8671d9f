"""Consent: to which addresses and phone numbers nothing may go that was not asked for, and why."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from crm.batching import batches
from crm.model import OPT_OUT_WAYS, Client, Contact, OptOut
from crm.model.fields.recipients import recipient_key, recipients_in
from crm.repository import Query, Snapshot
from crm.repository.queries import mail as queries


@dataclass(frozen=True, slots=True)
class Objection:
    """The reason why nothing may go to an address: it has opted out ('opted_out'), or belongs also to a client who has
    not agreed to mailings ('shared'); `words` says so of the address. `client` is that client, 0 for none."""

    why: str
    words: str
    client: int = 0


def opted_out(snapshot: Snapshot, addresses: Iterable[str]) -> Mapping[str, OptOut]:
    """The opt-outs of addresses and phone numbers, by `recipient_key`."""
    keys = _keys(addresses)
    odd = _odd(snapshot) if keys else {}
    opt_outs = {key: odd[key] for key in keys if key in odd}
    for batch in batches(keys):
        opt_outs |= {opt_out.address: opt_out for opt_out in queries.opt_outs(snapshot, batch)}
    return opt_outs


def _odd(snapshot: Snapshot) -> Mapping[str, OptOut]:
    """The opt-outs that older versions have kept as they were typed, by what they stand for."""
    return {key: opt_out for opt_out in queries.odd_opt_outs(snapshot) for key in recipients_in(opt_out.address)}


def objections(snapshot: Snapshot, addresses: Iterable[str]) -> Mapping[str, Objection]:
    """The addresses and phone numbers, by `recipient_key`, to which nothing may go that was not asked for: one "no"
    holds for an address, wherever it stands."""
    against: dict[str, Objection] = {}
    for batch in batches(_keys(addresses)):
        by_field = {
            "email": [key for key in batch if "@" in key],
            "phone": [key for key in batch if "@" not in key],
        }
        for field, keys in by_field.items():
            for row in queries.refusing(snapshot, field, keys) if keys else ():
                named = Client(
                    first_name=row.first_name, last_name=row.last_name, company=row.company, kind=row.kind
                ).name
                words = f"it is also the address of {named} ({row.id}), who has not agreed to mailings"
                against.setdefault(recipient_key(row.address), Objection("shared", words, row.id))
        for key, opt_out in opted_out(snapshot, batch).items():
            against[key] = Objection("opted_out", described(opt_out))
    return against


def described(opt_out: OptOut) -> str:
    """The day and the way in which an address has opted out, in words."""
    way = f" ({OPT_OUT_WAYS[opt_out.way]})" if opt_out.way in OPT_OUT_WAYS else ""
    return f"opted out on {opt_out.on.isoformat()}{way}"


def mailing_addresses(snapshot: Snapshot, clients: Sequence[Client]) -> Mapping[int, str]:
    """The addresses for mailings, by the id of each client that has an address for them: its own, or of one without the
    address of the primary contact."""
    addresses = {client.id: client.email for client in clients if client.email}
    without = [client.id for client in clients if not client.email and client.id > 0]
    for batch in batches(without):
        contacts = snapshot.find_all(Contact, Query({"client": batch, "is_primary": True}))
        addresses |= {contact.client: contact.email for contact in contacts if contact.email}
    return addresses


def _keys(addresses: Iterable[str]) -> list[str]:
    return sorted({key for address in addresses if (key := recipient_key(address))})

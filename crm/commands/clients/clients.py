"""Add, find, show, edit, tag, merge, pin and delete clients."""

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

from crm.commands.client_selection import Group, OfView, Only, SomeClients, TheClient, Where, filters_of, pluralize
from crm.commands.context import CRM
from crm.commands.deletions import deleted
from crm.commands.list_parameters import Limit, Offset, Sort, most
from crm.commands.matching import through
from crm.commands.ownership import Mine, owner_filter
from crm.commands.registry import EVERYBODY, ONLY_ADMIN, About, FieldsOf, Takes, command
from crm.errors import FieldError, Question, RefusedError, deletion
from crm.lean_dataclass import dataclass
from crm.model import (
    Client,
    Contact,
    Conventions,
    Invoice,
    OptOut,
    Payment,
    User,
    belonging_to,
    fields,
    keeping,
    named,
    people,
    typed_fields,
)
from crm.model.encoding import plain
from crm.model.fields import FOREVER, Day, Line, Tags
from crm.model.fields.recipients import recipient_key
from crm.model.folding import fold
from crm.model.likeness import may_be_same
from crm.model.money import as_written_in
from crm.model.rights import ALL, CLIENT, READ, level
from crm.repository import Query, Snapshot, Transaction
from crm.wording import first_few

if TYPE_CHECKING:
    from crm.commands.timeline_entries import Entry

NewClient = Annotated[Mapping[str, Any], FieldsOf(Client, Takes.NEW)]
ClientChanges = Annotated[Mapping[str, Any], FieldsOf(Client, Takes.CHANGES)]
ClientFilters = Annotated[Mapping[str, Any], FieldsOf(Client, Takes.FILTERS)]

_SHOWN = 50
# As many clients whose names are found by one are compared with it.
_COMPARED = 10


@dataclass(frozen=True, slots=True)
class Found:
    """A client that a search found; `through` is the name of the contact that it was found by, '' for none."""

    client: Client
    through: str = ""

    @property
    def id(self) -> int:
        """The number of the client."""
        return self.client.id

    def as_json(self) -> dict[str, Any]:
        """The client's own fields, and through whom it was found."""
        return {**plain(self.client), "through": self.through}


def _in(currency: str, amount: Decimal) -> str:
    return f"{as_written_in(amount, currency):f}"


@dataclass(frozen=True, slots=True)
class ClientBilling:
    """The debt of a client in each currency (the currency, what is open, how much of it is overdue), its credit by
    currency, and its last payment."""

    open: Sequence[tuple[str, Decimal, Decimal]]
    credit: Mapping[str, Decimal]
    last_payment: Payment | None
    # Of the team: the sums that the client's record has are in it.
    currency: str

    def as_json(self) -> dict[str, Any]:
        """The same by name, money with the decimals of its currency."""
        owed = [
            {"currency": currency, "open": _in(currency, still), "overdue": _in(currency, overdue)}
            for currency, still, overdue in self.open
        ]
        credit = [{"currency": currency, "credit": _in(currency, amount)} for currency, amount in self.credit.items()]
        return {"open": owed, "credit": credit, "last_payment": self.last_payment}


@dataclass(frozen=True, slots=True)
class ClientCard:
    """A client as it is shown: the record, its contacts, what is odd about it, the latest of its timeline, and what is
    billed, where the reader may see that."""

    client: Client
    contacts: Sequence[Contact]
    doubts: Mapping[str, str]
    timeline: Sequence["Entry"]
    billing: ClientBilling | None = None

    def as_json(self) -> dict[str, Any]:
        """The client's own fields, and beside them what the card adds."""
        added = {
            "contacts": self.contacts, "doubts": self.doubts, "timeline": self.timeline, "billing": self.billing
        }  # fmt: skip
        sums = {}
        if self.billing:
            amounts = {"open_amount": self.client.open_amount, "credit": self.client.credit}
            sums = {name: _in(self.billing.currency, amount) for name, amount in amounts.items()}
        return {**plain(self.client), **sums, **plain(added)}


@command("clients add", title="Add a client", menu="clients")
def add(
    crm: CRM,
    client: NewClient,
    duplicate_ok: Annotated[bool, About("Add anyway", "even if a similar client exists")] = False,
) -> Client:
    """Add a person or a company; only a name is needed.

    Someone with the same e-mail address, phone number, or name and date of birth may be the same
    client: then nothing is added until `--duplicate-ok` says that it is another one.
    """
    record = named(Client(**client))

    def change(tx: Transaction) -> Client:
        if not duplicate_ok and (alike := possible_duplicates(tx, record)):
            raise _same_as(alike)
        return tx.add(record)

    return crm.transact(change, f"added {record.name}")


def refuse_namesake(snapshot: Snapshot, record: Client) -> None:
    """Raise the same Question for a client whose name is that of another one or much alike, and who is not known to be
    born on another day: a person who types it may not know of the other, while two may well be called alike."""
    if possible_duplicates(snapshot, record):
        return
    name, alike = fold(record.name), []
    for client in snapshot.search(record.name, _COMPARED):
        born = {client.date_of_birth, record.date_of_birth} - {None}
        if client.kind == record.kind and len(born) < 2 and may_be_same(name, fold(client.name)):
            alike.append(client)
    if alike:
        raise _same_as(alike)


def _same_as(alike: Sequence[Client]) -> Question:
    return Question(
        f"{'Possible duplicate' if len(alike) == 1 else 'Possible duplicates'}:"
        f" {', '.join(f'{other.name} ({other.id})' for other in alike[:5])}.",
        parameter="duplicate_ok",
        choices={"yes": "Add anyway"},
        yes="yes",
        records=alike,
        kind="duplicate",
    )


def possible_duplicates(snapshot: Snapshot, record: Client) -> list[Client]:
    """Stored clients that may be this one: same e-mail, phone, or name and date of birth."""
    clients: dict[int, Client] = {}
    for name in ("email", "phone"):
        if value := getattr(record, name):
            clients |= {client.id: client for client in snapshot.find_all(Client, Query({name: value}, limit=5))}
    if record.date_of_birth:
        same = {name: getattr(record, name) for name in ("first_name", "last_name", "date_of_birth")}
        clients |= {client.id: client for client in snapshot.find_all(Client, Query(same, limit=5))}
    if record.kind == "company":
        same = {"company": record.company, "kind": "company"}
        clients |= {client.id: client for client in snapshot.find_all(Client, Query(same, limit=5))}
    clients.pop(record.id, None)
    return list(clients.values())


@command(
    "clients search", title="Find a client", menu="clients", nothing="No client matches that. Try part of the name."
)
def search(
    crm: CRM,
    text: Annotated[str, About("Text", "part of a name, e-mail, phone or tag", positional=True)],
    limit: Limit = 20,
) -> list[Found]:
    """Find clients by part of a name, company, e-mail, phone, tag or reference, best first.

    A contact's name, e-mail or phone finds its client, and the result says so. Case and accents do not matter, and a
    misspelt name is still found.
    """
    with crm.read() as snapshot:
        clients = snapshot.search(text, most(limit))
        contacts = through(snapshot, clients, text)
    return [Found(client, contacts[client.id].name if client.id in contacts else "") for client in clients]


@command("clients list", title="List clients", menu="clients", nothing="No clients found.")
def list_all(
    crm: CRM,
    filters: ClientFilters,
    where: Where = "",
    view: OfView = "",
    sort: Sort = "",
    limit: Limit = 0,
    offset: Offset = 0,
    clients: SomeClients = (),
    only: Only = (),
    mine: Mine = False,
    due: Annotated[
        date | None, Day(past=False, of_period="last"), About("Due by", "with a follow-up due by this day")
    ] = None,
    silent_since: Annotated[
        date | None, Day(of_period="first"), About("Not contacted since", "with no contact since this day")
    ] = None,
) -> list[Client]:
    """List all clients by name, or those that match given fields, a condition or a saved view.

    They can be sorted by any field, by its name or its words: `--sort "next follow-up"`, `--sort "last contact"`.
    """
    combined = filters_of([*filters.items(), *only])
    where = all_of(where, due_by(due, crm.today), silent(silent_since, crm.today))
    with crm.read() as snapshot:
        if mine:
            owner = combined.pop("owner", "")
            several = owner if isinstance(owner, str) else " or ".join(owner)
            combined |= owner_filter(crm, snapshot, mine, several, field="owner", label="Owner").filters(Client)
        group = Group([client.id for client in clients], combined, where, view)
        query = group.query(snapshot, _sort_field(sort))
        listed = list(snapshot.find_all(Client, dataclasses.replace(query, limit=most(limit), offset=offset)))
        if not listed:
            group.refuse_unknown_status(snapshot)
        return listed


def all_of(*conditions: str) -> str:
    """Conditions in the language of the rules, joined with `and`; empty ones are left out."""
    parts = [condition for condition in conditions if condition]
    return " and ".join(f"({condition})" for condition in parts) if len(parts) > 1 else "".join(parts)


def due_by(day: date | None, today: date) -> str:
    """The condition that a client has a follow-up due by a day; '' without one."""
    return f"days_to_next_follow_up <= {(day - today).days}" if day else ""


def silent(since: date | None, today: date) -> str:
    """The condition that nobody has spoken to a client since a day; '' without one."""
    days = "days_since_last_contact"
    return f"{days} = none or {days} > {(today - since).days}" if since else ""


def _sort_field(sort: str) -> str:
    """The name of the field that a sort names by its label."""
    down, words = ("-", sort[1:]) if sort.startswith("-") else ("", sort)
    by_words = {field.label.casefold(): name for name, field in fields(Client).items()}
    return down + by_words.get(words.strip().casefold(), words)


@command("clients show", title="Show", menu="", roles=EVERYBODY)
def show(crm: CRM, client: TheClient) -> ClientCard:
    """Show a client: the card, the contacts, warnings, and the latest activity."""
    from crm.commands.timeline_sources import contact_kinds, latest

    with crm.read() as snapshot:
        record = snapshot.get(Client, client.id)
        contacts = snapshot.find_all(Contact, Query({"client": record.id}))
        odd = {**_opt_outs(crm, snapshot, record), **doubts(record, crm.conventions)}
        entries = latest(crm, snapshot, record, _SHOWN)
        if len(entries) == _SHOWN and not any(entry.kind in contact_kinds() for entry in entries):
            # The latest contact is shown even after many later changes.
            entries += latest(crm, snapshot, record, 1, tuple(contact_kinds()))
        return ClientCard(record, contacts, odd, entries, _billing(crm, snapshot, record))


def _billing(crm: CRM, snapshot: Snapshot, client: Client) -> ClientBilling | None:
    """The debt, credit and last payment of a client; None for readers who may not see them."""
    if level(crm.reader.role, Invoice.kind_name, READ) is not ALL:
        return None
    from crm.repository.queries import billing

    credit = billing.credit_by_currency(snapshot, [client.id]).get(client.id, {})
    last = billing.last_payment(snapshot, client.id)
    return ClientBilling(billing.open_by_currency(snapshot, client.id), credit, last, crm.settings["currency"])


def _opt_outs(crm: CRM, snapshot: Snapshot, record: Client) -> dict[str, str]:
    """The fields of a client whose address or number has opted out, each with when and how."""
    if level(crm.reader.role, OptOut.kind_name, READ) is not ALL:
        return {}
    from crm.commands.consent import described, opted_out

    opt_outs = opted_out(snapshot, [record.email, record.phone])
    values = {name: opt_outs.get(recipient_key(getattr(record, name))) for name in ("email", "phone")}
    return {name: described(opt_out) for name, opt_out in values.items() if opt_out}


def doubts(record: Client, by: Conventions) -> dict[str, str]:
    """Doubtful values of a client's fields, by field name."""
    answers = {name: field.check.doubt(getattr(record, name), by) for name, field in typed_fields(Client).items()}
    return {name: doubt for name, doubt in answers.items() if doubt}


@command("clients edit", title="Edit")
def edit(crm: CRM, client: TheClient, changes: ClientChanges) -> Client:
    """Change fields of a client; the other fields stay as they are.

    Changes that someone else made after you opened the client are kept. If you both changed the same field, you see
    both values and nothing is overwritten.
    """
    if not changes:
        raise FieldError("name at least one field to change")
    values = dict(changes)
    if "extra" in values:
        values["extra"] = own_fields(client, values["extra"])
    named(dataclasses.replace(client, **values))
    return crm.transact(lambda tx: tx.change(client, **values), f"edited {client.name}")


def own_fields(client: Client, changes: Mapping[str, str]) -> dict[str, str]:
    """The own fields of a client once others were given: those beside them stay, and an empty one goes."""
    return {name: text for name, text in {**client.extra, **changes}.items() if text}


@command("clients delete", title="Delete", roles=ONLY_ADMIN, as_text=deleted)
def delete(crm: CRM, client: TheClient, yes: bool = False) -> Client:
    """Delete a client with its sales, contacts, calls and deals. You can undo it."""

    def change(tx: Transaction) -> Client:
        record = tx.get(Client, client.id)
        tx.refuse_kept(Client, [record.id])
        if not yes:
            deleted = [record.name, *_belongings(tx, record, crm.conventions)]
            names = f"{', '.join(deleted[:-1])} and {deleted[-1]}" if len(deleted) > 1 else record.name
            raise deletion(f"This deletes {names}.{closing(tx, [record.id])}", record)
        tx.delete(record)
        return record

    return crm.transact(change, f"deleted {client.name}")


def accounts_of(snapshot: Snapshot, clients: Collection[int]) -> list[User]:
    """The accounts that belong to clients."""
    return [user for user in snapshot.find_all(User, Query({"role": CLIENT})) if user.client in clients]


def closing(snapshot: Snapshot, clients: Collection[int]) -> str:
    """A sentence that the accounts of clients are closed with them; '' where there are none."""
    accounts = [account for account in accounts_of(snapshot, clients) if account.active]
    if not accounts:
        return ""
    named = first_few([account.email for account in accounts])
    if len(accounts) == 1:
        return f" The account {named} is deactivated, and stays deactivated if this is undone."
    return f" The accounts {named} are deactivated, and stay deactivated if this is undone."


def _belongings(snapshot: Snapshot, client: Client, by: Conventions) -> list[str]:
    """The number of records of each kind that belong to a client, in words."""
    counts = {kind: snapshot.count(kind, Query({name: client.id})) for kind, name in belonging_to(Client)}
    words = {kind: (kind.noun, kind.nouns) for kind in counts}
    return [pluralize(count, *words[kind], by) for kind, count in counts.items() if count]


class _FieldNames(Tags):
    """Names of fields that a person fills in, separated by commas."""

    @property
    def choices(self) -> Sequence[str]:
        return tuple(typed_fields(Client))


@command("clients merge", title="Merge two duplicates", menu="clients", hint="Make one client of two", roles=ONLY_ADMIN)
def merge(
    crm: CRM,
    client: Annotated[Client, About("Client to keep", "its number", positional=True)],
    other: Annotated[Client, About("Duplicate to merge into it", "its number", positional=True)],
    take: Annotated[tuple[str, ...], _FieldNames(), About("Take from the duplicate", "names of fields")] = (),
) -> Client:
    """Merge a duplicate into a client: its sales, deals, accounts and everything else move over, and it is removed.

    Empty fields are filled from the duplicate; where both differ, the client you keep wins, unless `take` names the
    field. Tags and own fields of both are kept, and notes are joined. The client gets mailings only if both agreed to
    them. You can undo it.
    """
    if client.id == other.id:
        raise RefusedError("A client cannot be merged with itself. Name the duplicate.")
    take = tuple(name.replace("-", "_") for name in take)
    unknown = [name for name in take if name not in typed_fields(Client)]
    if unknown:
        raise FieldError(f"no field {unknown[0]}; use one of {', '.join(typed_fields(Client))}", field="take")

    def change(tx: Transaction) -> Client:
        kept, duplicate = tx.get(Client, client.id), tx.get(Client, other.id)
        has_primary = bool(tx.count(Contact, Query({"client": kept.id, "is_primary": True})))
        for kind, name in (*belonging_to(Client), *keeping(Client)):
            for record in tx.find_all(kind, Query({name: duplicate.id})):
                demoted = {"is_primary": False} if isinstance(record, Contact) and has_primary else {}
                tx.change(record, **{name: kept.id}, **demoted)
        for account in accounts_of(tx, [duplicate.id]):
            tx.change(account, client=kept.id)
            tx.end_sessions(account.id)
        tx.delete(duplicate)
        changed = tx.change(kept, **merged_fields(kept, duplicate, take))
        tx.settle()
        return tx.get(Client, changed.id)

    return crm.transact(change, f"merged {other.name} ({other.id}) into {client.name} ({client.id})")


def differing_fields(kept: Client, duplicate: Client) -> list[str]:
    """The fields that two clients both have, differently: those a person chooses between."""
    joined = ("tags", "extra", "notes", "kind", "marketing_consent")
    return [
        name
        for name in typed_fields(Client)
        if name not in joined
        and getattr(kept, name)
        and getattr(duplicate, name)
        and getattr(kept, name) != getattr(duplicate, name)
    ]


def merged_fields(kept: Client, duplicate: Client, take: Sequence[str]) -> dict[str, Any]:
    """The fields of the client that is left when two are merged."""
    merged: dict[str, Any] = {
        name: getattr(duplicate, name)
        for name in typed_fields(Client)
        if name != "kind" and getattr(duplicate, name) and (not getattr(kept, name) or name in take)
    }
    # It is the same person, even where the name is another's by now.
    merged |= {beside: getattr(duplicate, beside) for name, beside in people(Client).items() if name in merged}
    merged["tags"] = tuple(dict.fromkeys((*kept.tags, *duplicate.tags)))
    merged["extra"] = {**kept.extra, **duplicate.extra} if "extra" in take else {**duplicate.extra, **kept.extra}
    merged["notes"] = "\n\n".join(dict.fromkeys(filter(None, (kept.notes, duplicate.notes))))
    # Of one person one "no" holds.
    merged["marketing_consent"] = kept.marketing_consent and duplicate.marketing_consent
    return merged


@command("clients pin", title="Pin a status")
def pin(
    crm: CRM,
    client: TheClient,
    status: Annotated[str, Line(40), About("Status", "leave empty to remove the pin")] = "",
    until: Annotated[
        date | None, Day(past=False, from_today=True), About("Until", "the last day; empty for no end")
    ] = None,
) -> Client:
    """Pin a client's status against the rules, until a date or until you unpin it; without a status, remove the pin."""
    if until and not status:
        raise FieldError("say which status is pinned until then", field="status", label="Status")
    if until and until < crm.today:
        raise FieldError("that day has passed", field="until", label="Until")

    def change(tx: Transaction) -> Client:
        current = tx.get(Client, client.id)
        if not status:
            tx.change(current, status_pinned_until=None)
            tx.settle()
            return tx.get(Client, client.id)
        last = until or FOREVER
        reason = "Pinned by hand"
        moved = current.status != status
        return tx.change(
            current,
            status=status,
            status_reason=reason,
            status_pinned_until=last,
            status_before=current.status if moved else current.status_before,
            status_since=tx.today if moved else current.status_since,
        )

    return crm.transact(change, f"pinned {client.name} to {status}" if status else f"removed the pin of {client.name}")

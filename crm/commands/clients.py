"""Clients: added, found, shown, edited, tagged, merged, pinned and deleted."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any

from crm.commands.context import CRM
from crm.commands.registry import EVERYBODY, ONLY_ADMIN, About, FieldsOf, Takes, command
from crm.errors import FieldError, NotFoundError, Question, RefusedError
from crm.model import Client, Conventions, Sale, View, fields, named, typed_fields
from crm.model.encoding import plain
from crm.model.fields import FOREVER, Day, Line, Tags
from crm.repository import Change, Query, Snapshot, Transaction

NewClient = Annotated[Mapping[str, Any], FieldsOf(Client, Takes.NEW)]
ClientChanges = Annotated[Mapping[str, Any], FieldsOf(Client, Takes.CHANGES)]
ClientFilters = Annotated[Mapping[str, Any], FieldsOf(Client, Takes.FILTERS)]
TheClient = Annotated[Client, About("Client", "its number, reference or name", positional=True)]

_SHOWN_EVENTS = 50


@dataclass(frozen=True, slots=True)
class Event:
    """Something in a client's timeline: a sale, or a change; `at` is UTC, or the day of a sale."""

    at: datetime | date
    what: str
    amount: Any = None
    transaction: int | None = None


@dataclass(frozen=True, slots=True)
class ClientCard:
    """A client as it is shown: the record, what is odd about it, and its timeline, newest first."""

    client: Client
    doubts: Mapping[str, str]
    timeline: Sequence[Event]

    def as_json(self) -> dict[str, Any]:
        """The client's own fields, and beside them what the card adds."""
        return {**plain(self.client), "doubts": plain(self.doubts), "timeline": plain(self.timeline)}


@command("clients add", title="Add a client", menu="clients")
def add(
    crm: CRM,
    client: NewClient,
    duplicate_ok: Annotated[bool, About("Add all the same", "also where a client like it is there already")] = False,
) -> Client:
    """Adds a person or a company; only a name is needed.

    Someone with the same e-mail address, telephone number, or name and date of birth may be the same
    client: then nothing is added until `--duplicate-ok` says that it is another one.
    """
    record = named(Client(**client))

    def change(tx: Transaction) -> Client:
        if not duplicate_ok and (alike := possible_duplicates(tx, record)):
            raise Question(
                f"{'This client' if len(alike) == 1 else 'These clients'} may be the same:"
                f" {', '.join(f'{each.name} ({each.id})' for each in alike[:5])}.",
                parameter="duplicate_ok",
                choices={"yes": "Add it all the same"},
                records=alike,
                kind="duplicate",
            )
        return tx.add(record)

    return crm.transact(change, f"added {record.name}")


def possible_duplicates(snapshot: Snapshot, record: Client) -> list[Client]:
    """Stored clients that may be this one: same e-mail, phone, or name and date of birth."""
    found: dict[int, Client] = {}
    for name in ("email", "phone"):
        if value := getattr(record, name):
            found |= {each.id: each for each in snapshot.find_all(Client, Query({name: value}, limit=5))}
    if record.date_of_birth:
        same = {name: getattr(record, name) for name in ("first_name", "last_name", "date_of_birth")}
        found |= {each.id: each for each in snapshot.find_all(Client, Query(same, limit=5))}
    if record.kind == "company":
        same = {"company": record.company, "kind": "company"}
        found |= {each.id: each for each in snapshot.find_all(Client, Query(same, limit=5))}
    found.pop(record.id, None)
    return list(found.values())


@command("clients search", title="Find a client", menu="clients")
def search(
    crm: CRM,
    text: Annotated[str, About("Text", "part of a name, e-mail, phone or tag", positional=True)],
    limit: int = 20,
) -> list[Client]:
    """Finds clients by part of a name, company, e-mail, phone, tag or reference, best first.

    Case and accents do not matter, and a misspelt name still finds its client.
    """
    with crm.read() as snapshot:
        return list(snapshot.search(text, limit))


@command("clients list", title="List clients", menu="clients")
def list_all(
    crm: CRM,
    filters: ClientFilters,
    where: Annotated[str, About("Where", "a condition as in a rule: total_spend > 1000 and country = 'DE'")] = "",
    view: Annotated[str, Line(60), About("View", "a saved view")] = "",
    sort: Annotated[str, Line(60), About("Sort by", "a field, with - before it for the other way round")] = "",
    limit: Annotated[int, About("Limit", "how many at most")] = 50,
    offset: Annotated[int, About("Offset", "how many to leave out first")] = 0,
) -> list[Client]:
    """Lists clients by name, or those that fit filters, a condition, or a saved view."""
    with crm.read() as snapshot:
        query = query_of(snapshot, filters, where, view, sort)
        return list(snapshot.find_all(Client, dataclasses.replace(query, limit=limit, offset=offset)))


def query_of(snapshot: Snapshot, filters: Mapping[str, Any], where: str, view: str, sort: str) -> Query:
    """The query that filters, a condition and a saved view make together."""
    if view:
        saved = snapshot.find_all(View, Query({"name": view}))
        if not saved:
            raise NotFoundError(f"There is no view called {view}.")
        conditions = [f"({each})" for each in (saved[0].condition, where) if each]
        where = " and ".join(conditions)
        sort = sort or saved[0].sort
    return Query(filters, where=where, sort=sort)


@command("clients show", title="Show", menu="", roles=EVERYBODY)
def show(crm: CRM, client: TheClient) -> ClientCard:
    """Shows a client: the card, what is odd about it, and the timeline of sales and changes."""
    with crm.read() as snapshot:
        record = snapshot.get(Client, client.id)
        sales = snapshot.find_all(Sale, Query({"client": record.id}, limit=_SHOWN_EVENTS))
        changes = snapshot.changes(record=record, limit=_SHOWN_EVENTS)
    by = crm.conventions
    events = [*map(_of_sale, sales), *(_of_change(each) for each in changes if _worth_telling(each))]
    events.sort(key=lambda event: event[0], reverse=True)
    return ClientCard(record, doubts(record, by), [event for _, event in events[:_SHOWN_EVENTS]])


# An event with what it is sorted by: its local day, then its moment where it is known.
_Timed = tuple[tuple[date, datetime], Event]


def _of_sale(sale: Sale) -> _Timed:
    told = f"Sale {sale.id}" + (f": {sale.note}" if sale.note else "")
    return (sale.on, sale.created_at), Event(sale.on, told, sale.amount)


def _of_change(change: Change) -> _Timed:
    return (change.at.astimezone().date(), change.at), Event(change.at, _told(change), None, change.transaction)


# Totals change with each sale, which stands in the timeline itself.
_FOLLOWS_SALES = frozenset(("total_spend", "sales_count", "first_sale_on", "last_sale_on"))
_TOLD_BY_STATUS = frozenset(("status_reason", "status_before", "status_since"))


def _worth_telling(change: Change) -> bool:
    return change.operation != "update" or not _FOLLOWS_SALES.union(_TOLD_BY_STATUS).issuperset(change.after)


def _told(change: Change) -> str:
    if change.operation == "create":
        return "Added" if change.what.startswith("added") else f"Added ({change.what})"
    known = fields(Client)
    told = []
    for name, after in change.after.items():
        if name in _FOLLOWS_SALES | _TOLD_BY_STATUS or name not in known or after == change.before.get(name):
            continue
        told.append(f"{known[name].label}: {_short(change.before.get(name))} → {_short(after)}")
    if "status" in change.after and (reason := change.after.get("status_reason")):
        told.append(f"because {reason}")
    return "; ".join(told) or change.what


def _short(value: Any) -> str:
    if isinstance(value, list):
        value = ", ".join(value)
    text = "—" if value in (None, "", {}, []) else str(value)
    return text if len(text) <= 60 else text[:59] + "…"


def doubts(record: Client, by: Conventions) -> dict[str, str]:
    """What is odd about a client's fields, by field name."""
    told = {name: field.check.doubt(getattr(record, name), by) for name, field in typed_fields(Client).items()}
    return {name: doubt for name, doubt in told.items() if doubt}


@command("clients edit", title="Edit", menu="clients")
def edit(crm: CRM, client: TheClient, changes: ClientChanges) -> Client:
    """Changes fields of a client; those not named stay as they are.

    What somebody else changed since the client was shown is kept; where it is the same field, both
    values are shown and nothing is overwritten.
    """
    if not changes:
        raise FieldError("nothing to change was given")
    wanted = dict(changes)
    if "extra" in wanted:
        wanted["extra"] = {name: text for name, text in {**client.extra, **wanted["extra"]}.items() if text}
    named(dataclasses.replace(client, **wanted))
    return crm.transact(lambda tx: tx.change(client, **wanted), f"edited {client.name}")


@command("clients delete", title="Delete", menu="clients", roles=ONLY_ADMIN)
def delete(crm: CRM, client: TheClient, yes: bool = False) -> Client:
    """Deletes a client and the sales that belong to it; `history undo` brings both back."""

    def change(tx: Transaction) -> Client:
        record = tx.get(Client, client.id)
        if not yes:
            sales = tx.count(Sale, Query({"client": record.id}))
            goes_with = f" and {sales} {'sale' if sales == 1 else 'sales'}" if sales else ""
            raise Question(
                f"This deletes {record.name}{goes_with}. It can be undone.",
                parameter="yes",
                choices={"yes": "Delete"},
                records=[record],
                kind="confirm",
            )
        tx.delete(record)
        return record

    return crm.transact(change, f"deleted {client.name}")


@command("clients tag", title="Tag or untag several", menu="clients")
def tag(
    crm: CRM,
    clients: Annotated[list[Client], About("Clients", "their numbers", positional=True)],
    tag: Annotated[tuple[str, ...], Tags(), About("Tags to add")] = (),
    untag: Annotated[tuple[str, ...], Tags(), About("Tags to take off")] = (),
) -> list[Client]:
    """Adds tags to clients and takes others off, as many clients at once as you like."""
    if not tag and not untag:
        raise FieldError("name a tag to add or to take off")

    def change(tx: Transaction) -> list[Client]:
        changed = []
        for each in clients:
            current = tx.get(Client, each.id)
            kept = [one for one in current.tags if one not in untag]
            tags = tuple(dict.fromkeys((*kept, *tag)))
            changed.append(tx.change(current, tags=tags))
        tx.settle()
        return [tx.get(Client, each.id) for each in changed]

    said = " ".join([*(f"+{each}" for each in tag), *(f"-{each}" for each in untag)])
    return crm.transact(change, f"tagged {len(clients)} {'client' if len(clients) == 1 else 'clients'}: {said}")


@command("clients merge", title="Merge two duplicates", menu="clients", roles=ONLY_ADMIN)
def merge(
    crm: CRM,
    client: Annotated[Client, About("Client to keep", "its number", positional=True)],
    other: Annotated[Client, About("Duplicate to merge into it", "its number", positional=True)],
    take: Annotated[tuple[str, ...], Tags(), About("Take from the duplicate", "names of fields")] = (),
) -> Client:
    """Merges a duplicate into a client: its sales move over, and it is gone afterwards.

    Fields that are empty are filled from the duplicate; of those that differ the kept client's stay,
    unless `take` names them. Tags and own fields of both are kept, notes are joined. It can be undone.
    """
    if client.id == other.id:
        raise RefusedError("A client cannot be merged with itself.")
    take = tuple(name.replace("-", "_") for name in take)
    unknown = [name for name in take if name not in typed_fields(Client)]
    if unknown:
        raise FieldError(f"there is no field {unknown[0]}; there are {', '.join(typed_fields(Client))}", field="take")

    def change(tx: Transaction) -> Client:
        kept, gone = tx.get(Client, client.id), tx.get(Client, other.id)
        for sale in tx.find_all(Sale, Query({"client": gone.id})):
            tx.change(sale, client=kept.id)
        tx.delete(gone)
        changed = tx.change(kept, **merged_fields(kept, gone, take))
        tx.settle()
        return tx.get(Client, changed.id)

    return crm.transact(change, f"merged {other.name} ({other.id}) into {client.name} ({client.id})")


def differing_fields(kept: Client, gone: Client) -> list[str]:
    """The fields that two clients both have, differently: those a person chooses between."""
    joined = ("tags", "extra", "notes", "kind", "marketing_consent")
    return [
        name
        for name in typed_fields(Client)
        if name not in joined
        and getattr(kept, name)
        and getattr(gone, name)
        and getattr(kept, name) != getattr(gone, name)
    ]


def merged_fields(kept: Client, gone: Client, take: Sequence[str]) -> dict[str, Any]:
    """The fields of the client that is left when two are merged."""
    merged: dict[str, Any] = {
        name: getattr(gone, name)
        for name in typed_fields(Client)
        if name != "kind" and getattr(gone, name) and (not getattr(kept, name) or name in take)
    }
    merged["tags"] = tuple(dict.fromkeys((*kept.tags, *gone.tags)))
    merged["extra"] = {**kept.extra, **gone.extra} if "extra" in take else {**gone.extra, **kept.extra}
    merged["notes"] = "\n\n".join(dict.fromkeys(filter(None, (kept.notes, gone.notes))))
    return merged


@command("clients pin", title="Pin a status", menu="clients")
def pin(
    crm: CRM,
    client: TheClient,
    status: Annotated[str, Line(40), About("Status", "leave empty to lift the pin")] = "",
    until: Annotated[date | None, Day(past=False), About("Until", "its last day; empty for no end")] = None,
) -> Client:
    """Gives a client a status whatever the rules say, until a day or until lifted; without a status, lifts it."""
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
        reason = "Pinned by hand" + (f" until {until.isoformat()}" if until else "")
        moved = current.status != status
        return tx.change(
            current,
            status=status,
            status_reason=reason,
            status_pinned_until=last,
            status_before=current.status if moved else current.status_before,
            status_since=tx.today if moved else current.status_since,
        )

    return crm.transact(change, f"pinned {client.name} to {status}" if status else f"lifted the pin of {client.name}")

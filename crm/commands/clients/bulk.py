"""Many clients at once: tagged, edited and deleted, each as one change, which one undo takes back."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import Annotated, Any

from crm.batching import batches
from crm.commands.client_selection import (
    Everybody,
    OfView,
    Only,
    SomeClients,
    Where,
    asked_for,
    pluralize,
    some_at_a_time,
)
from crm.commands.clients.clients import ClientChanges, closing, own_fields
from crm.commands.context import CRM, Progress
from crm.commands.registry import ONLY_ADMIN, About, command
from crm.errors import FieldError, Question, RefusedError, confirmation
from crm.lean_dataclass import dataclass
from crm.model import BY_NAME, Client, Conventions, belonging_to, fields, named
from crm.model.fields import Tags
from crm.repository import Query, Transaction

TagsToAdd = Annotated[tuple[str, ...], Tags(), About("Tags to add")]
TagsToTakeOff = Annotated[tuple[str, ...], Tags(), About("Tags to remove")]

# As much of a change is in the history, and in the question before it.
_LONGEST_SUMMARY = 400
_LONGEST_VALUE = 60


@dataclass(frozen=True, slots=True)
class GroupReport:
    """The result of a change to a group of clients: `done` says what ('changed', 'deleted') and `clients` to how many;
    `unchanged` were so already, `moved` have another status now, `along` is what else went, by its name."""

    done: str
    clients: int
    unchanged: int = 0
    moved: int = 0
    along: Mapping[str, int] = field(default_factory=dict)


@command("clients tag", title="Tags", menu="clients", nothing="No client was changed.")
def tag(
    crm: CRM,
    clients: SomeClients = (),
    tag: TagsToAdd = (),
    untag: TagsToTakeOff = (),
    only: Only = (),
    where: Where = "",
    view: OfView = "",
    all_: Everybody = False,
    yes: bool = False,
) -> list[Client]:
    """Add and remove tags of one or more clients.

    Name the clients one by one, or choose them by fields, a condition or a saved view; then you see first how many
    there are. It is one change, and `history undo` undoes all of it.
    """
    if not tag and not untag:
        raise FieldError("name a tag to add or to remove")
    group = asked_for(clients, only, where, view, all_)
    by = crm.conventions
    retagging = _retagging(tag, untag)

    def change(tx: Transaction, tell: Progress) -> list[Client]:
        numbers = group.members(tx)
        if numbers and not (yes or group.is_named):
            raise _question(
                f"This changes the tags of {pluralize(len(numbers), 'client', 'clients', by)}: {retagging}.",
                "Change them",
            )
        _change_each(tx, numbers, lambda number: {"tags": _retagged(number, tag, untag, by)}, tell)
        tx.settle()
        return [client for some in some_at_a_time(tx, numbers) for client in some]

    with crm.progress("Tagging clients") as tell:
        return crm.transact(lambda tx: change(tx, tell), _history_summary(f"tagged {group.describe(by)}", retagging))


@command("clients edit-many", title="Edit several", menu="clients")
def edit_many(
    crm: CRM,
    changes: ClientChanges,
    clients: SomeClients = (),
    untag: TagsToTakeOff = (),
    only: Only = (),
    where: Where = "",
    view: OfView = "",
    all_: Everybody = False,
    yes: bool = False,
) -> GroupReport:
    """Set fields of many clients to the same values; the other fields stay as they are.

    Tags and own fields are added to those a client has. You see first how many clients will change. It is one change,
    and `history undo` undoes all of it. If one client cannot be changed, none is.
    """
    if not changes and not untag:
        raise FieldError("name at least one field to change")
    group = asked_for(clients, only, where, view, all_)
    by = crm.conventions
    summary = _changes_summary(changes, untag, by)

    def change(tx: Transaction, tell: Progress) -> GroupReport:
        numbers = group.members(tx)
        if numbers and not yes:
            message = f"This changes {pluralize(len(numbers), 'client', 'clients', by)}: {summary}."
            raise _question(message, "Change them")
        changed = _change_each(tx, numbers, lambda number: _edited(number, changes, untag, by), tell)
        moved = {move.client for move in tx.settle()}
        return GroupReport("changed", changed, unchanged=len(numbers) - changed, moved=len(moved))

    with crm.progress("Changing clients") as tell:
        return crm.transact(lambda tx: change(tx, tell), _history_summary(f"edited {group.describe(by)}", summary))


@command("clients delete-many", title="Delete several", menu="clients", roles=ONLY_ADMIN)
def delete_many(
    crm: CRM,
    clients: SomeClients = (),
    only: Only = (),
    where: Where = "",
    view: OfView = "",
    all_: Everybody = False,
    yes: bool = False,
) -> GroupReport:
    """Delete many clients with everything that belongs to them. You can undo it.

    You see first how many clients and sales it deletes.
    """
    group = asked_for(clients, only, where, view, all_)
    by = crm.conventions

    def change(tx: Transaction, tell: Progress) -> GroupReport:
        numbers = group.members(tx)
        tx.refuse_kept(Client, numbers)
        along = _belonging(tx, numbers)
        if numbers and not yes:
            goes_with = "".join(f", {part}" for part in counted(along, by))
            message = f"This deletes {pluralize(len(numbers), 'client', 'clients', by)}{goes_with}."
            sentence = f"{message}{closing(tx, frozenset(numbers))}"
            # A person who names no group may not know how many clients there are.
            raise _question(sentence, "Delete", typed="" if group.is_named else str(len(numbers)))
        done = 0
        for some in some_at_a_time(tx, numbers):
            tx.delete_all(Client, [client.id for client in some])
            done += len(some)
            tell(done, len(numbers))
        return GroupReport("deleted", len(numbers), along=along)

    with crm.progress("Deleting clients") as tell:
        return crm.transact(lambda tx: change(tx, tell), _history_summary(f"deleted {group.describe(by)}"))


def _question(sentence: str, yes: str, *, typed: str = "") -> Question:
    return confirmation(f"{sentence} It can be undone.", yes, destructive=True, typed=typed)


def _change_each(
    tx: Transaction, numbers: Sequence[int], changes_of: Callable[[Client], Mapping[str, Any]], tell: Progress
) -> int:
    """Change the fields that are wanted of each client; how many were not so already. Raises RefusedError, which
    names the client that cannot be changed so."""
    changed = done = 0
    for some in some_at_a_time(tx, numbers):
        for client in some:
            try:
                changed += tx.change(client, **changes_of(client)).version != client.version
            except FieldError as error:
                raise RefusedError(f"{client.name} ({client.id}): {error.sentence} Nothing was changed.") from error
            except RefusedError as error:
                raise RefusedError(f"{client.name} ({client.id}): {error.sentence}") from error
        done += len(some)
        tell(done, len(numbers))
    return changed


def _edited(client: Client, changes: Mapping[str, Any], untag: Sequence[str], by: Conventions) -> dict[str, Any]:
    """The fields of one client as they are wanted. Raises FieldError where it would not be a client any more."""
    values = dict(changes)
    if "tags" in changes or untag:
        values["tags"] = _retagged(client, changes.get("tags", ()), untag, by)
    if "extra" in changes:
        values["extra"] = own_fields(client, changes["extra"])
    settled = named(dataclasses.replace(client, **values))
    return {**values, "kind": settled.kind} if "kind" in changes else values


def _retagged(client: Client, tag: Sequence[str], untag: Sequence[str], by: Conventions) -> tuple[str, ...]:
    kept = tuple(name for name in client.tags if name not in untag)
    added = tuple(name for name in tag if name not in kept)
    # Too many would be refused in the form, too.
    return Tags().read(", ".join((*kept, *added)), by) if added else kept


def _belonging(tx: Transaction, numbers: Sequence[int]) -> dict[str, int]:
    """The number of records that go with these clients, by the name of their kind."""
    counts: dict[str, int] = {}
    for some in batches(numbers):
        for kind, name in belonging_to(Client):
            counts[kind.kind_name] = counts.get(kind.kind_name, 0) + tx.count(kind, Query({name: some}))
    return {name: count for name, count in counts.items() if count}


def counted(along: Mapping[str, int], by: Conventions) -> list[str]:
    """The records that are deleted with clients, counted in words, by the name of its kind."""
    return [pluralize(count, BY_NAME[name].noun, BY_NAME[name].nouns, by) for name, count in along.items()]


def _changes_summary(changes: Mapping[str, Any], untag: Sequence[str], by: Conventions) -> str:
    """The pending changes in words."""
    known = fields(Client)
    parts = [
        f"{known[name].label}: {_short(known[name].check.show(value, by)) or '(empty)'}"
        for name, value in changes.items()
        if name != "tags"
    ]
    retagging = _retagging(changes.get("tags", ()), untag)
    return "; ".join([*parts, *([f"Tags: {retagging}"] if retagging else [])])


def _retagging(tag: Sequence[str], untag: Sequence[str]) -> str:
    return " ".join([*(f"+{name}" for name in tag), *(f"-{name}" for name in untag)])


def _short(text: str, longest: int = _LONGEST_VALUE) -> str:
    line = " ".join(text.split())
    return line if len(line) <= longest else line[: longest - 1] + "…"


def _history_summary(done: str, summary: str = "") -> str:
    """The summary for the history."""
    return _short(f"{_short(done, _LONGEST_SUMMARY // 2)}: {summary}" if summary else done, _LONGEST_SUMMARY)

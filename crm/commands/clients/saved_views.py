"""Saved views: lists of clients that a team comes back to."""

from typing import Annotated

from crm.commands.client_selection import view_called
from crm.commands.context import CRM
from crm.commands.deletions import deleted
from crm.commands.list_parameters import Sort
from crm.commands.registry import About, command
from crm.errors import FieldError, RefusedError
from crm.model import Client, View
from crm.model.fields import Line, NameOf
from crm.repository import Query, Transaction

Name = Annotated[str, NameOf(60, "view"), About("Name", positional=True)]


@command("views list", title="Saved views", menu="clients", nothing="No saved views yet.")
def list_all(crm: CRM) -> list[View]:
    """List the saved views."""
    with crm.read() as snapshot:
        return list(snapshot.find_all(View, Query(sort="name")))


@command("views save", title="Save a view", menu="clients")
def save(
    crm: CRM,
    name: Name,
    condition: Annotated[str, Line(1000), About("Condition", "as in a rule: total_spend > 1000")] = "",
    sort: Sort = "",
) -> View:
    """Save a list of clients under a name: a condition, written as in rules, and a sort order.

    If there is a view with that name, it is replaced.
    """
    if not name:
        raise FieldError("a view needs a name", field="name")

    def change(tx: Transaction) -> View:
        tx.find_all(Client, Query(where=condition, limit=1))
        try:
            tx.find_all(Client, Query(sort=sort, limit=1))
        except FieldError as error:
            raise error.at("sort", "Sort by") from error
        known = tx.find_all(View, Query({"name": name}))
        if known:
            return tx.change(known[0], condition=condition, sort=sort)
        return tx.add(View(name=name, condition=condition, sort=sort))

    return crm.transact(change, f"saved the view {name}")


@command("views rename", title="Rename a view", menu="")
def rename(crm: CRM, name: Name, to: Annotated[str, Line(60), About("New name", positional=True)]) -> View:
    """Give a saved view another name."""
    if not to:
        raise FieldError("a view needs a name", field="to")

    def change(tx: Transaction) -> View:
        known = view_called(tx, name)
        others = [view for view in tx.find_all(View, Query({"name": to})) if view.id != known.id]
        if others:
            raise RefusedError(f"There is already a view called {others[0].name}. Nothing was changed.")
        return tx.change(known, name=to)

    return crm.transact(change, f"renamed the view {name} to {to}")


@command("views remove", title="Remove a view", menu="", as_text=deleted)
def remove(crm: CRM, name: Name) -> View:
    """Remove a saved view; the clients in it stay."""

    def change(tx: Transaction) -> View:
        known = view_called(tx, name)
        tx.delete(known)
        return known

    return crm.transact(change, f"removed the view {name}")

"""Saved views: lists of clients that a team comes back to."""

from typing import Annotated

from crm.commands.context import CRM
from crm.commands.registry import About, command
from crm.errors import FieldError, NotFoundError
from crm.model import Client, View
from crm.model.fields import Line
from crm.repository import Query, Transaction


@command("views list", title="Saved views", menu="clients")
def list_all(crm: CRM) -> list[View]:
    """Lists the saved views."""
    with crm.read() as snapshot:
        return list(snapshot.find_all(View, Query(sort="name")))


@command("views save", title="Save a view", menu="clients")
def save(
    crm: CRM,
    name: Annotated[str, Line(60), About("Name", positional=True)],
    condition: Annotated[str, Line(1000), About("Condition", "as in a rule: total_spend > 1000")] = "",
    sort: Annotated[str, Line(60), About("Sort by", "a field, with - before it for the other way round")] = "",
) -> View:
    """Saves a list of clients under a name: a condition in the language of the rules, and an order."""
    if not name:
        raise FieldError("a view needs a name", field="name")

    def change(tx: Transaction) -> View:
        tx.find_all(Client, Query(where=condition, sort=sort, limit=1))
        known = tx.find_all(View, Query({"name": name}))
        if known:
            return tx.change(known[0], condition=condition, sort=sort)
        return tx.add(View(name=name, condition=condition, sort=sort))

    return crm.transact(change, f"saved the view {name}")


@command("views remove", title="Remove a view", menu="")
def remove(crm: CRM, name: Annotated[str, Line(60), About("Name", positional=True)]) -> View:
    """Removes a saved view; the clients in it stay."""

    def change(tx: Transaction) -> View:
        known = tx.find_all(View, Query({"name": name}))
        if not known:
            raise NotFoundError(f"There is no view called {name}.")
        tx.delete(known[0])
        return known[0]

    return crm.transact(change, f"removed the view {name}")

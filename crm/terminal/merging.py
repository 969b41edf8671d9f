"""Merging two clients at the menu: side by side, chosen field by field."""

from typing import Any

from rich.table import Table
from rich.text import Text

from crm.commands.clients import differing_fields
from crm.model import Client, fields
from crm.terminal.keyboard import Back, Choice
from crm.terminal.picking import pick_client
from crm.terminal.screen import clean
from crm.terminal.session import Session, flow


@flow("clients merge")
def merge(session: Session, client: Client | None = None, **_: Any) -> None:
    """Two clients side by side; where they differ, the person chooses field by field."""
    session.page("Merge two duplicates")
    client = client or pick_client(session.crm, session.keyboard, "Client to keep")
    if client is None:
        raise Back
    other = pick_client(session.crm, session.keyboard, "Duplicate to merge into it", help=f"not {client.name}")
    if other is None:
        raise Back
    if other.id == client.id:
        session.say("That is the same client; choose another one to merge into it.", "yellow")
        return
    with session.crm.read() as snapshot:
        kept, gone = snapshot.get(Client, client.id), snapshot.get(Client, other.id)
    take: list[str] = []
    differing = differing_fields(kept, gone)
    session.page("Merge", kept.name)
    _side_by_side(session, kept, gone)
    by = session.crm.conventions
    for name in differing:
        field = fields(Client)[name]
        mine, theirs = (field.check.show(getattr(each, name), by) for each in (kept, gone))
        if session.keyboard.choose(f"{field.label}:", [Choice(mine, False), Choice(theirs, True)]):
            take.append(name)
    count = gone.sales_count
    sales = f" Its {'sale moves' if count == 1 else f'{count} sales move'} over." if count else ""
    session.confirm(
        f"Merge {gone.name} (no. {gone.id}) into {kept.name} (no. {kept.id})?{sales} It can be undone.", "Merge"
    )
    session.tell(session.call("clients merge", client=kept, other=gone, take=tuple(take)), "Merged into")


def _side_by_side(session: Session, kept: Client, gone: Client) -> None:
    by = session.crm.conventions
    drawn = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    for title in ("", f"Kept: no. {kept.id}", f"Duplicate: no. {gone.id}"):
        drawn.add_column(title, overflow="fold")
    for name, field in fields(Client).items():
        if field.by == "rules" and name != "status":
            continue
        pair = [field.check.show(getattr(each, name), by) if getattr(each, name) else "" for each in (kept, gone)]
        if any(pair):
            style = "" if pair[0] == pair[1] else "bold"
            drawn.add_row(Text(field.label, "dim"), *(Text(clean(each), style) for each in pair))
    session.screen.print(drawn)
    session.screen.print()

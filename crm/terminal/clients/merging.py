"""Merging two clients at the menu: side by side, chosen field by field."""

from typing import Any

from rich.text import Text

from crm.commands.clients.clients import accounts_of, differing_fields
from crm.errors import RefusedError
from crm.model import Client, fields
from crm.terminal.console.keyboard import Back, Choice
from crm.terminal.drawing.screen import clean
from crm.terminal.drawing.tables import comparison
from crm.terminal.toolkit.pages import flow
from crm.terminal.toolkit.picking import pick
from crm.terminal.toolkit.session import Session
from crm.terminal.toolkit.steps import Step, in_steps


@flow("clients merge")
def merge(session: Session, client: Client | None = None, **_: Any) -> None:
    """Two clients side by side; where they differ, the person chooses field by field."""
    answers: dict[str, Client] = {} if client is None else {"client": client}
    theirs: dict[str, bool] = {}
    by = session.crm.conventions

    def asks(name: str, label: str) -> Step:
        def ask() -> None:
            session.page("Clients", "Merge two duplicates")
            help = f"not {answers['client'].name}" if name == "other" else ""
            picked = pick(session.crm, session.keyboard, Client, label, help=help, current=answers.get(name))
            if picked is None:
                raise Back
            if name == "other" and picked.id == answers["client"].id:
                raise RefusedError("That is the same client. Choose a different one.")
            answers[name] = picked

        return ask

    def pair() -> tuple[Client, Client]:
        with session.crm.read() as snapshot:
            return snapshot.get(Client, answers["client"].id), snapshot.get(Client, answers["other"].id)

    def ask_which(name: str) -> Step:
        def ask() -> None:
            kept, other = pair()
            session.page("Clients", kept.name, "Merge")
            _side_by_side(session, kept, other)
            field = fields(Client)[name]
            values = (field.check.show(getattr(client, name), by) for client in (kept, other))
            entries = [Choice(value, which) for which, value in zip((False, True), values, strict=True)]
            theirs[name] = session.keyboard.choose(f"{field.label}:", entries, at=theirs.get(name))

        return ask

    def merged() -> Any:
        kept, other = pair()
        session.page("Clients", kept.name, "Merge")
        _side_by_side(session, kept, other)
        count = other.sales_count
        by = session.crm.conventions
        sales = f" Its {by.in_total(count)} {'moves' if count == 1 else 'move'} too." if count else ""
        with session.crm.read() as snapshot:
            names = ", ".join(account.email for account in accounts_of(snapshot, [other.id]))
        accounts = f" The account {names} will then see the data of {kept.name}." if names else ""
        session.confirm(
            f"Merge {other.name} (no. {other.id}) into {kept.name} (no. {kept.id})?{sales}{accounts} It can be undone.",
            "Merge",
            destructive=True,
        )
        take = tuple(name for name in differing_fields(kept, other) if theirs.get(name))
        return session.call("clients merge", client=kept, other=other, take=take)

    def steps() -> list[Step]:
        questions = [] if client else [asks("client", "Client to keep")]
        questions.append(asks("other", "Duplicate to merge into it"))
        which = differing_fields(*pair()) if "other" in answers else ()
        return [*questions, *map(ask_which, which), merged]

    session.tell(in_steps(session, steps), "Merged into")


def _side_by_side(session: Session, kept: Client, other: Client) -> None:
    by = session.crm.conventions
    rows = []
    for name, field in fields(Client).items():
        if field.by == "rules" and name != "status":
            continue
        pair = [
            field.check.show(getattr(client, name), by) if getattr(client, name) else "" for client in (kept, other)
        ]
        if any(pair):
            style = "" if pair[0] == pair[1] else "bold"
            rows.append([Text(field.label, "muted"), *(Text(clean(text), style) for text in pair)])
    session.screen.print(comparison(("Field", f"Kept: no. {kept.id}", f"Duplicate: no. {other.id}"), rows))
    session.screen.print()

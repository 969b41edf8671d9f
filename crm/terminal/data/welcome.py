"""The first run: a greeting on an empty store, the sample data, and the way back from it."""

from functools import partial
from typing import Any

from rich.text import Text

from crm.commands.client_selection import pluralize
from crm.commands.context import open_other
from crm.commands.data import demo
from crm.commands.data.demo import DemoReport
from crm.commands.registry import named
from crm.model.rights import OWNER
from crm.terminal.console.keyboard import Back, Choice, End
from crm.terminal.toolkit.session import Session

_WAYS = (
    ("clients add", "Add your first client"),
    ("import", "Import a file"),
    ("demo", "Try it on sample data"),
    ("sheets connect", "Work in a Google spreadsheet"),
)


def welcome(session: Session) -> bool:
    """Greet, and offer the ways to begin that the person has, until the store is no longer empty; False where they
    leave."""
    from crm.errors import Cancelled

    while session.real is None and session.crm.repository.is_empty():
        session.page()
        session.screen.print(Text("Welcome. No clients yet.", "bold"))
        session.screen.print(
            Text("Your clients, their sales, and a status for each client, decided by your rules.", "muted")
        )
        session.screen.print()
        titles = dict(_WAYS)
        if (clients := demo.sample_clients(session.crm)) is not None:
            count = pluralize(clients, "client", "clients", session.crm.conventions)
            titles["demo"] = f"Continue with the sample data ({count})"
        ways = [
            Choice(title, partial(session.start, named(words)))
            for words, title in titles.items()
            if session.offers(named(words))
        ]
        if session.crm.reader != OWNER:
            # There are accounts already, to be looked after.
            ways.append(Choice("Go to the menu", "menu"))
        entries = [*ways, Choice("Exit", None, "0")]
        try:
            chosen: Any = session.choose("How do you want to start?", entries, back="")
        except End:
            return False
        except (Back, Cancelled):
            session.say("Press 0 to exit.", "muted")
            continue
        if chosen is None:
            return False
        if chosen == "menu":
            return True
        session.attempt(chosen)
    return True


def try_sample(session: Session) -> None:
    """Make the sample data, or take what is there, and go on with it."""
    is_new = demo.sample_clients(session.crm) is None
    report: DemoReport = named("demo")(session.crm)
    session.real, session.crm = session.crm, open_other(session.crm, report.url)
    holds = f"{report.clients} clients and {report.sales} sales"
    session.say(
        f"A made-up company with {holds}, in a file of its own."
        if is_new
        else f"The sample data as you left it: {holds}.",
        "success",
    )


def throw_away(session: Session) -> None:
    """Remove the sample data, with what the person has added to it, and go back to the team's own store. Raises
    Back."""

    if session.real is None:
        raise Back
    session.page("Remove the sample data")
    session.confirm(demo.deletion_notice(session.crm), "Delete it", "Keep it", destructive=True)
    demo.throw_away(session.crm)
    session.crm, session.real = session.real, None
    session.say("Sample data removed.", "success")

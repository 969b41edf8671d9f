"""Status rules at the menu: each change is previewed before it is applied to the clients."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from rich.text import Text

from crm.commands.client_selection import pluralize
from crm.commands.registry import named
from crm.errors import RefusedError
from crm.model import StatusRule
from crm.rules import RuleSet, rule_text, split_rule
from crm.terminal.clients.rendering import RULES
from crm.terminal.console.keyboard import Back, Choice, Needed
from crm.terminal.drawing.render import show
from crm.terminal.toolkit import letters
from crm.terminal.toolkit.lists import ListPage, list_page
from crm.terminal.toolkit.pages import flow, record_flow
from crm.terminal.toolkit.session import UNCHANGED, Session
from crm.terminal.toolkit.suggestions import metric_names

_EXAMPLE = "like VIP when total_spend >= 35000, or Regular otherwise"


@list_page
class RulesPage(ListPage):
    """The rules in their order; opening one tells what can be done with it."""

    title = "Status rules"
    purpose = "Rules decide the status of each client. The first rule that matches counts."
    # In their order, which the keys beside them show.
    columns = RULES[1:]
    command = "rules list"

    def about_rows(self) -> str:
        try:
            count = named("rules preview")(self.session.crm).clients
        except RefusedError as error:
            return error.sentence
        clients = pluralize(count, "client", "clients", self.session.crm.conventions)
        return f"{clients} would change status (press {letters.MORE.key} to see which)" if count else ""

    def keys(self) -> Sequence[Choice]:
        return [letters.NEW(lambda: add(self.session), "rule")] if self.session.offers(named("rules add")) else []

    def open(self, row: Any) -> None:
        session = self.session
        rule: StatusRule = row
        if not session.offers(named("rules edit")):
            session.say("Only an admin can change the rules.")
            return

        def starts(words: str) -> Callable[[], None]:
            return partial(session.start, named(words), rule=rule)

        entries = [
            Choice("Edit", starts("rules edit")),
            Choice("Move up or down", starts("rules move")),
            Choice("Turn off" if rule.active else "Turn on", lambda: _switch(session, rule)),
            Choice("Remove", starts("rules remove")),
        ]
        session.menu(
            [self.title, rule.status],
            lambda: entries,
            question=f"{rule.position}. {rule_text(rule.status, rule.when)}",
            keys=[letters.EDIT(starts("rules edit")), letters.REMOVE(starts("rules remove"))],
            about="A client gets the status of the first rule that matches.",
            once=True,
        )


def _switch(session: Session, rule: StatusRule) -> None:
    _changed(
        session,
        session.call("rules edit", rule=rule, active=not rule.active),
        "Turned on" if not rule.active else "Turned off",
    )


def _read(typed: str) -> str:
    """A whole rule that can be read; RuleError has its place."""
    if not typed.strip():
        raise Needed
    RuleSet([(0, *split_rule(typed))])
    return typed


def _ask_line(session: Session, typed: str = "") -> str:
    if not typed:
        session.screen.print(Text(f"A rule reads {_EXAMPLE}.", "muted"))
    line: str = session.keyboard.text("Rule", _read, default=typed, suggest=metric_names)
    return line


def _changed(session: Session, result: Any, title: str) -> None:
    """Show who would move by the rules as they are now, and apply them where the person says so."""
    session.tell(result, title)
    _preview(session)


def _preview(session: Session) -> None:
    report = named("rules preview")(session.crm)
    session.page("Status rules", "Preview")
    show(session.screen, report, session.crm.conventions)
    session.screen.print()
    if not report.clients:
        session.keyboard.pause()
        return
    try:
        session.keyboard.choose("", [Choice("Apply to all clients now", True)], back="Later")
    except Back:
        session.say("The clients keep their status until you apply the rules.")
        return
    session.tell(session.call("rules apply"))


@flow("rules add")
def add(session: Session, **_: Any) -> None:
    """The rule as one line; an error is shown at its position."""
    session.page("Status rules", "Add a rule")
    _changed(session, session.call("rules add", rule=_ask_line(session)), "Added")


@record_flow("rules edit")
def edit(session: Session, rule: StatusRule) -> None:
    """Edit a rule, beginning with its line as it is."""
    line = _ask_line(session, before := rule_text(rule.status, rule.when))
    if line == before:
        session.say(UNCHANGED)
        return
    _changed(session, session.call("rules edit", rule=rule, line=line), "Saved")


@record_flow("rules move")
def move(session: Session, rule: StatusRule) -> None:
    """A new place for a rule, chosen from those there are."""
    rules: list[StatusRule] = named("rules list")(session.crm)
    entries = [
        Choice(
            f"{rule_text(other.status, other.when)}{'   (current position)' if other.id == rule.id else ''}",
            other.position,
        )
        for other in rules[:30]
    ]
    to = session.keyboard.choose(f"Move {rule.status} to the position of:", entries, at=rule.position)
    if to != rule.position:
        session.call("rules move", rule=rule, to=to)
    session.done(f"{rule.status} is now number {to}.", changed=to != rule.position)
    _preview(session)


@record_flow("rules remove")
def remove(session: Session, rule: StatusRule) -> None:
    """Remove a rule; the clients stay as they are until the rules are applied."""
    session.confirm(f"Remove {rule_text(rule.status, rule.when)}?", "Remove", destructive=True)
    _changed(session, session.call("rules remove", rule=rule), "Removed")


@flow("rules use")
def use(session: Session, **_: Any) -> None:
    """A ready-made set in the place of all rules."""
    session.page("Status rules", "Ready-made sets")
    name = session.prompts.ask(named("rules use").parameters["name"])
    session.confirm("This replaces all rules. It can be undone.", "Replace them", destructive=True)
    session.tell(session.call("rules use", name=name))
    _preview(session)


@flow("rules preview")
def preview(session: Session, **_: Any) -> None:
    """Show the clients who would move; apply where the person says so."""
    _preview(session)


@flow("rules apply")
def apply(session: Session, **_: Any) -> None:
    """The same: nothing is applied unseen."""
    _preview(session)

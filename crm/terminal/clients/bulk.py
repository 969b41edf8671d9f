"""Groups of clients at the menu: chosen, and then tagged, edited, exported or deleted together."""

from collections.abc import Callable, Sequence
from typing import Any

from crm.commands.client_selection import Group, filters_of
from crm.commands.registry import Command, commands, named
from crm.model import Client, Conventions, Field, typed_fields
from crm.model.fields import Choice as OneOf
from crm.model.fields import Extra, Flag, Tags
from crm.terminal.console.keyboard import Choice, yes_or_no
from crm.terminal.toolkit.forms import RecordForm
from crm.terminal.toolkit.group_picking import NOBODY, Chosen, pick_group
from crm.terminal.toolkit.pages import flow
from crm.terminal.toolkit.session import Session
from crm.terminal.toolkit.steps import in_steps
from crm.terminal.toolkit.suggestions import suggestions

_TITLES = {
    "clients tag": "Add or remove tags",
    "clients edit-many": "Edit fields",
    "export": "Export to a file",
    "mailings send": "Send a mailing",
}
_LAST = {"clients delete-many": "Delete"}
_NOT_HERE = frozenset(("clients list",))

# The fields in which many clients may well be alike, in the order of the form.
_SHARED = ("owner", "source", "country", "region", "city", "kind", "marketing_consent", "tags", "untag", "extra")
_UNTAG = Field("untag", "Tags to remove", Tags(), "person", "")


def act_on(session: Session, group: Chosen, heading: str) -> None:
    """Let the person choose what is done with a group, and do it. Raises Back."""
    about = [command for command in commands() if _is_about_groups(command) and session.offers(command)]
    about.sort(key=lambda command: command.words in _LAST)
    titles = {**_TITLES, **_LAST}
    chosen: Command = session.keyboard.choose(
        f"{heading}:", [Choice(titles.get(command.words, command.title), command) for command in about]
    )
    session.start(chosen, **{name: value for name, value in group.items() if name in chosen.parameters})


def _is_about_groups(command: Command) -> bool:
    return command.words not in _NOT_HERE and {"clients", "only", "where", "view"} <= command.parameters.keys()


@flow("clients tag")
def tag(session: Session, **arguments: Any) -> None:
    """Ask for the clients, and the tags to add and to take off."""
    command = named("clients tag")
    _with_group(session, command, arguments, lambda group: session.lead(command, **group))


@flow("clients delete-many")
def delete_many(session: Session, **arguments: Any) -> None:
    """Ask for the clients, show how many they are, and confirm."""
    command = named("clients delete-many")
    _with_group(session, command, arguments, lambda group: session.tell(session.call(command.words, **group)))


def _with_group(session: Session, command: Command, arguments: Chosen, act: Callable[[Chosen], None]) -> None:
    """Do something with the clients that are given, or else with those that the person chooses first."""
    group: Chosen = {**NOBODY, **arguments}

    def choose() -> None:
        nonlocal group
        group = pick_group(session, command.title)

    in_steps(session, [*([] if arguments else [choose]), lambda: act(group)])


@flow("clients edit-many")
def edit_many(session: Session, **arguments: Any) -> None:
    """Ask for the clients, and the fields that all of them are to have alike."""
    command = named("clients edit-many")
    form = GroupForm(session, Client, {}, {})

    def act(group: Chosen) -> None:
        def save() -> Any:
            changes = {name: value for name, value in form.changes.items() if name != "untag"}
            return session.call(command.words, changes=changes, untag=form.changes.get("untag", ()), **group)

        session.tell(form.fill([command.title, _in_words(session, group)], save, saves="Continue"))

    _with_group(session, command, arguments, act)


def _in_words(session: Session, group: Chosen) -> str:
    chosen = Group([client.id for client in group["clients"]], filters_of(group["only"]), group["where"], group["view"])
    return chosen.describe(session.crm.conventions)


class GroupForm(RecordForm):
    """The fields that many clients are to have alike; what is not filled in stays as each of them has it."""

    def fields(self) -> Sequence[Field]:
        typed = {**typed_fields(Client), "untag": _UNTAG}
        return [typed[name] for name in _SHARED]

    def loses(self) -> bool:
        return bool(self.changes)

    def ask(self, field: Field, *, required: bool = False) -> None:
        value = self._asked(field)
        if value is None:
            self.changes.pop(field.name, None)
        else:
            self.changes[field.name] = value

    def _asked(self, field: Field) -> Any:
        """The value for all of them; None where each keeps its own. Raises Back."""
        check, by, keyboard = field.check, self.session.crm.conventions, self.session.keyboard
        keep = Choice("Leave unchanged", None)
        if isinstance(check, Flag):
            answers = [Choice("Yes", True), Choice("No", False), keep]
            return keyboard.choose(f"{field.label}:", answers, hidden=yes_or_no(True, False))
        if isinstance(check, OneOf):
            entries = [Choice(words, value) for value, words in check.options.items()]
            return keyboard.choose(f"{field.label}:", [*entries, keep])
        adds = isinstance(check, Tags | Extra)

        def read(typed: str) -> Any:
            if not typed.strip():
                return None
            return check.empty if typed.strip() == "-" and not adds else check.read(typed, by)

        about = check.example if adds else "Enter leaves it unchanged, - clears it"
        value = self.changes.get(field.name)
        return keyboard.text(
            field.label if adds is False or field.name == "untag" else f"{field.label} to add",
            read,
            default=check.edit(value, by) if value else "",
            help=about,
            suggest=suggestions(self.session.crm, field.name),
            multiline=isinstance(check, Extra),
        )

    def line(self, field: Field, wide: int, by: Conventions) -> str:
        if field.name not in self.changes:
            return f"{field.label:<{wide}}"
        value = field.check.show(self.changes[field.name], by) or "(empty)"
        return self.session.screen.cut(f"{field.label:<{wide}} * {value}", 8 + self.session.screen.side)

"""The statement of a client at the menu: shown at once, its period and its currency are changed by number."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache, partial
from typing import Any

from crm.commands.billing.unpaid import ClientStatement
from crm.commands.registry import Parameter, named
from crm.model import Client
from crm.model.rights import CLIENT
from crm.terminal.billing.rendering import draw_statement
from crm.terminal.console.keyboard import Choice
from crm.terminal.toolkit import letters
from crm.terminal.toolkit.pages import draw_side_card, record_flow
from crm.terminal.toolkit.session import Session

_TITLE = "Statement"


class StatementPage:
    """The account of a client, and what can be done with it."""

    def __init__(self, session: Session, client: Client, arguments: dict[str, Any]) -> None:
        self.session = session
        self.client = client
        self.arguments = arguments
        self.command = named("statements show")
        self._card = cache(partial(draw_side_card, session, Client, client.id))

    def show(self) -> None:
        """Show it until the person goes back."""
        self.session.menu(["Clients", self.client.name, _TITLE], self._entries, above=self._draw, keys=self._keys)

    def _draw(self) -> None:
        self.statement: ClientStatement = self.command(self.session.crm, client=self.client, **self.arguments)
        draw_statement(self.statement, self.session.screen, self.session.conventions)
        self.session.screen.print()

    @property
    def _asked(self) -> list[Parameter]:
        return [parameter for name, parameter in self.command.parameters.items() if name != "client"]

    def _entries(self) -> Sequence[Choice]:
        by, account = self.session.crm.conventions, self.statement.statement
        values = {"since": account.since, "until": account.until, "currency": self.statement.currency}
        words = {
            name: self.command.parameters[name].value_check.show(value, by) if value else "the first entry"
            for name, value in values.items()
        }
        entries = [
            Choice(f"{parameter.label}: {words[parameter.name]}", partial(self._ask, parameter))
            for parameter in self._asked
        ]
        if self.session.offers(named("statements send")):
            entries.insert(0, Choice("Send it by e-mail", self._send))
        # One's own card says nothing new to a client.
        has_card = self.session.screen.side and self.session.crm.reader.role != CLIENT
        return [replace(entry, card=self._card) for entry in entries] if has_card else entries

    def _keys(self) -> Sequence[Choice]:
        return [letters.MAIL(self._send)] if self.session.offers(named("statements send")) else []

    def _ask(self, parameter: Parameter) -> None:
        session, value = self.session, self.arguments.get(parameter.name)
        session.page("Clients", self.client.name, _TITLE, parameter.label, client=self.client.id)
        asked = {
            **self.arguments,
            parameter.name: session.prompts.ask(parameter, typed=session.prompts.typed(parameter, value)),
        }
        # What is refused leaves the statement as it was.
        self.command(session.crm, client=self.client, **asked)
        self.arguments = asked

    def _send(self) -> None:
        self.session.start(named("statements send"), client=self.client, **self.arguments)


@record_flow("statements show")
def show(session: Session, client: Client, **arguments: Any) -> None:
    """The statement of a client as it is today."""
    StatementPage(session, client, arguments).show()

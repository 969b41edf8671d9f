"""Keys for unattended commands at the menu: the list of them, a new one, and taking one away."""

from collections.abc import Sequence
from typing import Any

from crm.commands.registry import named
from crm.commands.team.keys import KeyMade
from crm.model import MachineKey
from crm.terminal.console.keyboard import Choice
from crm.terminal.drawing.render import show
from crm.terminal.team.rendering import KEYS
from crm.terminal.toolkit import letters
from crm.terminal.toolkit.lists import ListPage
from crm.terminal.toolkit.pages import flow
from crm.terminal.toolkit.session import Session
from crm.terminal.toolkit.steps import Answers, in_steps

_ABOUT = "Keys let scheduled jobs (cron) send and fetch mail or back up without signing in."


class KeysPage(ListPage):
    """All keys that have not been revoked."""

    title = "Keys"
    purpose = "With a key, a server can send and fetch e-mail on a schedule, without anyone signed in."
    columns = KEYS
    command = "keys list"

    def keys(self) -> Sequence[Choice]:
        return [letters.NEW(lambda: _add(self.session), "key")]

    def open(self, row: Any) -> None:
        session = self.session
        session.page("Keys", row.name)
        session.call("keys revoke", key=session.crm.get(MachineKey, row.id))
        session.done(f"Revoked the key {row.name}.")


@flow("keys list")
@flow("keys add")
@flow("keys revoke")
def keys(session: Session, **_: Any) -> None:
    """The keys, from which one is chosen; where there are none, one is made."""
    if not named("keys list")(session.crm):
        session.say(_ABOUT)
        _add(session)
        return
    KeysPage(session).show()


def _add(session: Session) -> None:
    command, answers = named("keys add"), Answers(session)

    def done() -> Any:
        return session.call("keys add", **answers.values)

    steps = answers.steps(list(command.parameters.values()), lambda: session.page("Keys", "New"))
    made: KeyMade = in_steps(session, [*steps, done], answers.is_written)

    def draw() -> None:
        session.page("Keys", made.name)
        show(session.screen, made, session.conventions)

    session.show_once(draw)

"""Quick capture at the menu: a line is typed, and shown as it was understood before it is saved."""

from typing import Any

from rich.text import Text

from crm.commands.activity.capture import NoClientError
from crm.commands.registry import named
from crm.errors import Cancelled, FieldError
from crm.terminal.console.keyboard import Back, reason
from crm.terminal.toolkit.discarding import leave
from crm.terminal.toolkit.pages import flow
from crm.terminal.toolkit.panels import first_rows
from crm.terminal.toolkit.record_actions import chosen_client
from crm.terminal.toolkit.session import Session

_EXAMPLES = (
    "call Acme, wants a quote, fri 10:00",
    "met Jo Fox about the fair, next week",
    "note Acme, new address in the e-mail",
)

# So many of the follow-ups are beside it in a wide window.
_BESIDE = 12


@flow("capture")
def capture(session: Session, **_: Any) -> None:
    """A line to type, with examples; where it is not what was meant it is there to be changed."""
    command = named("capture")
    parameter = command.parameters["line"]
    typed, error = "", ""
    while True:
        session.page(command.title, beside=lambda: first_rows(session, "follow-ups list", "Follow-ups", _BESIDE))
        for example in _EXAMPLES:
            session.screen.print(Text(example, "muted"))
        session.screen.print()
        line = session.prompts.value(
            "Note", parameter.value_check, help="what, with whom, and when to follow up", typed=typed, error=error,
            required=True, begun=True,
        )  # fmt: skip
        typed, error = line, ""
        try:
            session.tell(_captured(session, line))
            return
        except FieldError as wrong:
            error = reason(wrong)
        except Back:
            # Not what was meant: the line is there to be changed.
            continue
        except Cancelled as left:
            leave(session.keyboard, left, is_written=True)


def _captured(session: Session, line: str) -> Any:
    """The result of the line; where it names nobody, the person says which client it is about. Raises Back."""
    try:
        return session.call("capture", line=line)
    except NoClientError:
        title = named("capture").title
        session.say(f"Which client is this note about? {line}")
        client = chosen_client(session, None, title)
        return session.call("capture", line=line, client=client.id)

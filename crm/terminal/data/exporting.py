"""An export: what is in the file, and where it is."""

from typing import Any

from crm.commands.registry import named
from crm.errors import Cancelled, CRMError
from crm.model.fields import Choice as OneOf
from crm.terminal.console.keyboard import Back, Choice
from crm.terminal.toolkit.group_picking import NOBODY, pick_group
from crm.terminal.toolkit.pages import flow
from crm.terminal.toolkit.session import Session
from crm.terminal.toolkit.steps import Answers, Step, in_steps


@flow("export")
def export(session: Session, **arguments: Any) -> None:
    """The file, and what is in it: clients or a group of them, sales, everything."""
    command = named("export")
    whole = {name: value for name, value in NOBODY.items() if name in command.parameters}
    if arguments:
        session.lead(command, **{**whole, "what": "clients", **arguments})
        return
    answers, group = Answers(session), dict[str, Any]()
    file = command.parameters["file"]

    def ask_what() -> None:
        # The reason for a refused export is shown here.
        session.page(command.title)
        session.prompts.show_answer(file, answers.values["file"])
        check = command.parameters["what"].check
        entries = [Choice(words, value) for value, words in check.options.items()] if isinstance(check, OneOf) else []
        entries.insert(1, Choice("Some of the clients", "group"))
        answers.values["what"] = session.keyboard.choose("Export:", entries, at=answers.values.get("what"))

    def ask_group() -> None:
        group.update({name: value for name, value in pick_group(session, command.title).items() if name in whole})

    def done() -> None:
        some = answers.values["what"] == "group"
        arguments = {**whole, **answers.values, **({**group, "what": "clients"} if some else {})}
        try:
            session.tell(session.prompts.run(command, arguments), command.title)
        except Cancelled:
            raise
        except CRMError as error:
            # What was typed is not lost.
            session.fail(error)
            raise Back from error

    def steps() -> list[Step]:
        named_file = answers.steps([file], lambda: session.page(command.title))
        return [*named_file, ask_what, *([ask_group] if answers.values.get("what") == "group" else []), done]

    in_steps(session, steps, answers.is_written)

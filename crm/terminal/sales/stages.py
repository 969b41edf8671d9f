"""The stages of the pipeline at the menu: in their order, one opened to be changed."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from crm.commands.registry import named
from crm.errors import FieldError
from crm.model import OUTCOMES, Stage
from crm.terminal.console.keyboard import Choice
from crm.terminal.sales.picking import stage_line
from crm.terminal.sales.rendering import STAGES
from crm.terminal.toolkit import letters, record_actions
from crm.terminal.toolkit.lists import ListPage, list_page
from crm.terminal.toolkit.pages import record_flow
from crm.terminal.toolkit.session import Session
from crm.terminal.toolkit.steps import Answers, Step, in_steps


@list_page
class StagesPage(ListPage):
    """The stages in their order; a key opens one for those who may change it."""

    title = "Stages"
    purpose = "A stage is a step that a deal goes through, such as Lead or Proposal."
    columns = STAGES
    command = "stages list"

    def keys(self) -> Sequence[Choice]:
        command = named("stages add")
        return [letters.NEW(lambda: self.session.start(command), "stage")] if self.session.offers(command) else []

    def open(self, row: Any) -> None:
        session = self.session
        stage: Stage = row
        if not session.offers(named("stages edit")):
            session.say("Only an admin can change the stages.")
            return

        def starts(words: str) -> Callable[[], None]:
            return partial(session.start, named(words), stage=stage)

        entries = [
            Choice("Rename", starts("stages rename")),
            Choice("Change the probability or the outcome", starts("stages edit")),
            Choice("Change its position", starts("stages move")),
            Choice("Delete", starts("stages delete")),
        ]
        keys = [letters.EDIT(starts("stages edit")), letters.DELETE(starts("stages delete"))]
        session.menu([self.title, stage.name], lambda: entries, question=f"{stage_line(stage)}:", keys=keys, once=True)


def _all(session: Session) -> list[Stage]:
    listed: list[Stage] = named("stages list")(session.crm)
    return listed


@record_flow("stages rename")
def rename(session: Session, stage: Stage) -> None:
    """Rename a stage, beginning with its name as it is."""
    record_actions.rename(
        session, "stages rename", stage, named("stages rename").parameters["to"].value_check, stage=stage
    )


@record_flow("stages edit")
def edit(session: Session, stage: Stage) -> None:
    """Ask for the outcome, and how likely a deal in it is won where that is not certain."""
    parameters = named("stages edit").parameters
    answers = Answers(session, stage=stage)
    typed = {"outcome": stage.outcome, "probability": str(stage.probability) if stage.outcome == "open" else ""}

    def steps() -> list[Step]:
        likely = ["probability"] if answers.values.get("outcome") == "open" else []
        asked = [parameters[name] for name in ("outcome", *likely)]
        return [*answers.steps(asked, lambda: session.page("Stages", stage.name), typed), done]

    def done() -> Any:
        probability = answers.values.get("probability") if answers.values["outcome"] == "open" else None
        return session.call("stages edit", **{**answers.values, "probability": probability})

    changed = in_steps(session, steps, answers.is_written)
    same = (changed.outcome, changed.probability) == (stage.outcome, stage.probability)
    session.done(f"{stage_line(changed)} ({OUTCOMES[changed.outcome]})", changed=not same)


@record_flow("stages move")
def move(session: Session, stage: Stage) -> None:
    """A new place, chosen from those there are."""
    entries = [
        Choice(f"{stage_line(other)}{'   (current position)' if other.name == stage.name else ''}", place)
        for place, other in enumerate(_all(session), start=1)
    ]
    to = session.keyboard.choose(f"Move {stage.name} to the position of:", entries, at=stage.position)
    if to != stage.position:
        session.call("stages move", stage=stage, to=to)
    session.done(f"{stage.name} is now number {to}.", changed=to != stage.position)


@record_flow("stages delete")
def delete(session: Session, stage: Stage) -> None:
    """Ask to which stage its deals go, where there are any."""
    session.confirm(f"Delete the stage {stage.name}? It can be undone.", "Delete it", destructive=True)
    try:
        named("stages delete")(session.crm, stage)
    except FieldError as error:
        others = [other for other in _all(session) if other.id != stage.id and other.outcome == stage.outcome]
        entries = [Choice(stage_line(other), other) for other in others]
        to = session.keyboard.choose(f"{error.reason[:1].upper()}{error.reason[1:]}:", entries)
        session.call("stages delete", stage=stage, to=to)
    session.done(f"Deleted the stage {stage.name}. Press u to undo.")

"""The stages of the pipeline: listed, added, renamed, edited, put in order and deleted."""

from collections.abc import Sequence
from typing import Annotated, Any

from crm.commands.context import CRM
from crm.commands.deletions import deleted
from crm.commands.registry import ONLY_ADMIN, About, command
from crm.commands.sales.pipeline import stage_called, stages
from crm.errors import FieldError, NotFoundError, RefusedError
from crm.model import FIRST_STAGES, OUTCOMES, Deal, Stage
from crm.model.fields import Choice, Line, Whole
from crm.repository import Query, Transaction

TheStage = Annotated[Stage, About("Stage", "its name or number", positional=True)]
Probability = Annotated[int | None, Whole(most=100), About("Probability", "of winning a deal in it, in percent")]
Outcome = Annotated[str, Choice(OUTCOMES), About("Outcome", "open, won or lost")]

# What is known of a deal that has ended.
_CERTAIN = {"won": 100, "lost": 0}


@command(
    "stages list", title="Stages", menu="deals", hint="Their names, order and probability", nothing="No stages yet."
)
def list_all(crm: CRM) -> list[Stage]:
    """List the stages of the pipeline, in order.

    A new store shows the default stages; they are saved with the first deal or the first change.
    """
    with crm.read() as snapshot:
        return stages(snapshot)


@command("stages add", title="Add a stage", roles=ONLY_ADMIN)
def add(
    crm: CRM,
    name: Annotated[str, Line(40), About("Name", positional=True)],
    probability: Probability = None,
    outcome: Outcome = "open",
    position: Annotated[
        int | None, Whole(least=1), About("Position", "by default after the last one with this outcome")
    ] = None,
) -> Stage:
    """Add a stage. Only a stage for open deals needs a probability; won and lost stages are certain."""
    outcome = outcome or "open"
    stage = Stage(name=name, probability=_probability(outcome, probability), outcome=outcome)

    def change(tx: Transaction) -> Stage:
        existing = _stored(tx)
        _refuse_name(existing, name)
        alike = [place for place, known in enumerate(existing, start=1) if known.outcome == outcome]
        place = position or max(alike, default=len(existing)) + 1
        added = tx.add(Stage(name=name, position=1, probability=stage.probability, outcome=outcome))
        existing.insert(place - 1, added)
        _number(tx, existing)
        return tx.get(Stage, added.id)

    return crm.transact(change, f"added the stage {name}")


@command("stages rename", title="Rename a stage", roles=ONLY_ADMIN)
def rename(crm: CRM, stage: TheStage, to: Annotated[str, Line(40), About("New name", positional=True)]) -> Stage:
    """Rename a stage; every deal in it shows the new name at once."""

    def change(tx: Transaction) -> Stage:
        current = _current(tx, stage)
        _refuse_name([other for other in _stored(tx) if other.id != current.id], to)
        return tx.change(current, name=to)

    return crm.transact(change, f"renamed the stage {stage.name} to {to}")


@command("stages edit", title="Change a stage", roles=ONLY_ADMIN)
def edit(crm: CRM, stage: TheStage, probability: Probability = None, outcome: Outcome = "") -> Stage:
    """Change the probability of a stage, or its outcome (open, won, lost).

    You cannot change the outcome of a stage that has deals: they would become won or lost without notice.
    """
    if probability is None and not outcome:
        raise FieldError("name at least one field to change")

    def change(tx: Transaction) -> Stage:
        current = _current(tx, stage)
        ends = outcome or current.outcome
        changes: dict[str, Any] = {"outcome": ends}
        if ends != current.outcome:
            if tx.count(Deal, Query({"stage": current.id})):
                raise RefusedError(f"There are deals in {current.name}. Move them to another stage first.")
            _refuse_last(tx, current)
        if probability is not None or ends in _CERTAIN:
            changes["probability"] = _probability(ends, probability)
        return tx.change(current, **changes)

    return crm.transact(change, f"changed the stage {stage.name}")


@command("stages move", title="Move a stage", roles=ONLY_ADMIN, nothing="No stages yet.")
def move(
    crm: CRM, stage: TheStage, to: Annotated[int, Whole(least=1), About("To position", positional=True)]
) -> list[Stage]:
    """Move a stage to another position; 1 is the first."""

    def change(tx: Transaction) -> list[Stage]:
        current = _current(tx, stage)
        order = [other for other in _stored(tx) if other.id != current.id]
        order.insert(to - 1, current)
        return _number(tx, order)

    return crm.transact(change, f"moved the stage {stage.name} to {to}")


@command("stages delete", title="Delete a stage", roles=ONLY_ADMIN, as_text=deleted)
def delete(
    crm: CRM,
    stage: TheStage,
    to: Annotated[Stage | None, About("Deals to", "the stage that its deals move to")] = None,
) -> Stage:
    """Delete a stage. If it has deals, name another stage with the same outcome for them."""

    def change(tx: Transaction) -> Stage:
        current = _current(tx, stage)
        _refuse_last(tx, current)
        if deals := tx.find_all(Deal, Query({"stage": current.id}, sort="id")):
            _empty(tx, current, deals, _current(tx, to) if to else None)
        tx.delete(current)
        _number(tx, _stored(tx))
        return current

    return crm.transact(change, f"deleted the stage {stage.name}")


def _empty(tx: Transaction, stage: Stage, deals: Sequence[Deal], to: Stage | None) -> None:
    """Move all deals out of a stage. Raises FieldError without a target stage."""
    many = "a deal" if len(deals) == 1 else f"{len(deals)} deals"
    if to is None:
        raise FieldError(f"there {'is' if len(deals) == 1 else 'are'} {many} in {stage.name}; name a stage for them",
                         field="to", label="Deals to")  # fmt: skip
    if to.id == stage.id or to.outcome != stage.outcome:
        message = f"choose another stage for {stage.outcome} deals, like {stage.name}"
        raise FieldError(message, field="to", label="Deals to")
    for deal in deals:
        moved = tx.change(deal, stage=to.id)
        if deal.closed_on:
            # It was closed when it was, in whichever stage.
            tx.change(moved, closed_on=deal.closed_on)


def _probability(outcome: str, typed: int | None) -> int:
    """The probability of a stage with an outcome. Raises FieldError where it has to be said, or cannot be so."""
    if outcome not in _CERTAIN:
        if typed is None:
            raise FieldError("give the probability of winning a deal in it, in percent", field="probability")
        return typed
    if typed not in (None, _CERTAIN[outcome]):
        raise FieldError(f"for deals that are {outcome} the probability is {_CERTAIN[outcome]}", field="probability")
    return _CERTAIN[outcome]


def _stored(tx: Transaction) -> list[Stage]:
    """The stages as they are stored, which a store without any gets first."""
    if not tx.count(Stage):
        tx.add_all(FIRST_STAGES)
    return tx.find_all(Stage)


def _current(tx: Transaction, stage: Stage) -> Stage:
    """A stage as it is stored, also where it was shown before it was. Raises NotFoundError."""
    if stage.id:
        return tx.get(Stage, stage.id)
    current = stage_called(_stored(tx), stage.name)
    if current is None:
        raise NotFoundError(f"No stage called {stage.name}. `stages list` shows all.")
    return current


def _number(tx: Transaction, order: Sequence[Stage]) -> list[Stage]:
    """The stages with their places, counted from one."""
    return [tx.change(tx.get(Stage, stage.id), position=place) for place, stage in enumerate(order, start=1)]


def _refuse_name(others: Sequence[Stage], name: str) -> None:
    if not name:
        raise FieldError("a stage needs a name", field="name", label="Name")
    if any(stage.name.casefold() == name.casefold() for stage in others):
        raise RefusedError(f"There is already a stage called {name}. Nothing was changed.")


def _refuse_last(tx: Transaction, stage: Stage) -> None:
    """Check that there is a stage for deals that are open, one for those that are won, and one for those that are
    lost."""
    if sum(other.outcome == stage.outcome for other in _stored(tx)) < 2:
        raise RefusedError(f"{stage.name} is the only stage for deals that are {stage.outcome}. Add another one first.")

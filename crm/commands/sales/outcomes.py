"""Deals on their way: moved from stage to stage, won with a sale, lost for a reason, and opened again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from crm.commands.context import CRM
from crm.commands.registry import About, command
from crm.commands.sales.deals import TheDeal
from crm.commands.sales.pipeline import first_with, stages
from crm.commands.sales.sales import SaleReport, SaleTakenBack, StatusReview, nothing_sold, recorded, taken_back
from crm.errors import FieldError, Question, RefusedError
from crm.model import Client, Deal, Sale, Stage, StageMove
from crm.model.fields import Amount, Day, Line
from crm.repository import Query, Snapshot, Transaction
from crm.repository.queries.sales import given_reasons

ToStage = Annotated[Stage, About("To stage", "its name or number", positional=True)]
SaleAmount = Annotated[Decimal | None, Amount(), About("Amount", "of the sale; the value of the deal by default")]
SaleDay = Annotated[date | None, Day(), About("Date", "of the sale; today by default")]
TakeBack = Annotated[bool | None, About("Remove the sale", "the sale that the deal was won with")]
SameSale = Annotated[bool | None, About("The same sale", "use the sale that is already recorded")]

# What is offered where nothing was lost yet.
_REASONS = ("too expensive", "bought elsewhere", "no budget", "no answer", "not now")
_OFFERED = 12
_GIVEN_REASONS = "field deal lost_reason"


@dataclass(frozen=True, slots=True)
class DealMoved:
    """A deal in the stage that it came into; `taken_back` are the sales that went because it is won no longer."""

    deal: Deal
    stage: Stage
    taken_back: Sequence[SaleTakenBack] = ()


@dataclass(frozen=True, slots=True)
class DealWon(SaleReport):
    """The sale that a deal was won with, as any sale is reported, and the deal in its stage."""

    deal: Deal
    stage: Stage


@dataclass(frozen=True, slots=True)
class _Answers:
    """The answers about a move: of a deal that is won, amount and day of the sale; of one that is lost, why; of one
    that was won, what becomes of its sale."""

    amount: Decimal | None = None
    on: date | None = None
    reason: str = ""
    take_back: bool | None = None
    same_sale: bool | None = None


@command("deals move", title="Move a deal")
def move(
    crm: CRM,
    deal: TheDeal,
    to: ToStage,
    amount: SaleAmount = None,
    on: SaleDay = None,
    reason: Annotated[str, Line(300), About("Reason", "why it is lost", completed_by=_GIVEN_REASONS)] = "",
    take_back: TakeBack = None,
    same_sale: SameSale = None,
) -> DealMoved | DealWon:
    """Move a deal to another stage.

    Moving it to a won or lost stage is the same as `deals win` or `deals lose`.
    """
    answers = _Answers(amount, on, reason, take_back, same_sale)

    def change(tx: Transaction) -> DealMoved | DealWon:
        stage = tx.get(Stage, to.id)
        if tx.get(Deal, deal.id).stage == stage.id:
            raise RefusedError(f"{deal.title} is already in {stage.name}.")
        return _into(tx, crm, deal, stage, answers)

    return crm.transact(change, f"moved the deal {deal.title} to {to.name}")


@command("deals win", title="Mark a deal as won")
def win(
    crm: CRM, deal: TheDeal, amount: SaleAmount = None, on: SaleDay = None, same_sale: SameSale = None
) -> DealMoved | DealWon:
    """Mark a deal as won: move it to the first won stage and record a sale of its value.

    If you give another amount, that becomes the value of the deal.
    The client's status is reviewed at once. It is one change, and `history undo` undoes all of it.
    """

    def change(tx: Transaction) -> DealMoved | DealWon:
        current = tx.get(Deal, deal.id)
        if _outcome(tx, current) == "won":
            raise RefusedError(f"{current.title} is already won. Nothing was changed.")
        stage = first_with(stages(tx), "won")
        return _into(tx, crm, deal, stage, _Answers(amount, on, same_sale=same_sale))

    return crm.transact(change, f"won the deal {deal.title}")


@command("deals lose", title="Mark a deal as lost")
def lose(
    crm: CRM,
    deal: TheDeal,
    reason: Annotated[str, Line(300), About("Reason", "why it is lost", positional=True, completed_by=_GIVEN_REASONS)],
    take_back: TakeBack = None,
) -> DealMoved | DealWon:
    """Mark a deal as lost, with the reason, and move it to the first lost stage."""

    def change(tx: Transaction) -> DealMoved | DealWon:
        current = tx.get(Deal, deal.id)
        if _outcome(tx, current) == "lost":
            raise RefusedError(f"{current.title} is already lost. `deals edit` changes the reason.")
        return _into(tx, crm, deal, first_with(stages(tx), "lost"), _Answers(reason=reason, take_back=take_back))

    return crm.transact(change, f"lost the deal {deal.title}")


@command("deals reopen", title="Reopen a deal")
def reopen(
    crm: CRM,
    deal: TheDeal,
    to: Annotated[Stage | None, About("To stage", "by default the stage it was in before")] = None,
    take_back: TakeBack = None,
) -> DealMoved | DealWon:
    """Reopen a deal that was won or lost, by default in the open stage it was in before.

    If the deal was won, you are asked whether to remove its sale as well.
    """
    if to and to.outcome != "open":
        raise FieldError(f"{to.name} is not a stage for open deals", field="to", label="To stage")

    def change(tx: Transaction) -> DealMoved | DealWon:
        current = tx.get(Deal, deal.id)
        if _outcome(tx, current) == "open":
            raise RefusedError(f"{current.title} is already open. Nothing was changed.")
        stage = tx.get(Stage, to.id) if to else _before(tx, current)
        return _into(tx, crm, deal, stage, _Answers(take_back=take_back))

    return crm.transact(change, f"reopened the deal {deal.title}")


def deals_to_win(snapshot: Snapshot, client: int) -> Sequence[Deal]:
    """The open deals of a client that a sale would win: those that have none yet."""
    still_open = {stage.id for stage in stages(snapshot) if stage.outcome == "open"}
    listed = snapshot.find_all(Deal, Query({"client": client}, sort="id"))
    return [deal for deal in listed if deal.stage in still_open and not sales_of(snapshot, deal)]


def marked_as_won(tx: Transaction, deal: Deal, amount: Decimal) -> Deal:
    """The deal in the first stage for won ones, with the amount that it was won for; the caller records its sale."""
    return tx.change(deal, stage=first_with(stages(tx), "won").id, value=amount, lost_reason="")


def lost_reasons(snapshot: Snapshot) -> list[str]:
    """The reasons for lost deals so far, the most frequent first; where there are none, common ones."""
    return given_reasons(snapshot, _OFFERED) or list(_REASONS)


def _outcome(tx: Transaction, deal: Deal) -> str:
    stage = tx.find(Stage, deal.stage)
    return stage.outcome if stage else "open"


def _before(tx: Transaction, deal: Deal) -> Stage:
    """The open stage that a deal was in last, else the first one."""
    known = stages(tx)
    still_open = {stage.id: stage for stage in known if stage.outcome == "open"}
    moves = tx.find_all(StageMove, Query({"deal": deal.id}, sort="-id"))
    return next((still_open[move.stage] for move in moves if move.stage in still_open), first_with(known, "open"))


def _into(tx: Transaction, crm: CRM, original: Deal, stage: Stage, answers: _Answers) -> DealMoved | DealWon:
    """Bring a deal, given as it was shown, into a stage with all that follows. Raises FieldError and Question for what
    has to be said, ConflictError where somebody else has moved it meanwhile."""
    current = tx.get(Deal, original.id)
    was = _outcome(tx, current)
    sold = sales_of(tx, current)
    changes: dict[str, Any] = {"stage": stage.id}
    if stage.outcome == "lost" and was != "lost":
        if not answers.reason:
            raise FieldError("say why it was lost", field="reason", label="Reason")
        changes["lost_reason"] = answers.reason
    elif stage.outcome != "lost":
        changes["lost_reason"] = ""
    moved = tx.change(original, **changes)
    if stage.outcome == "won" and was != "won":
        report = _sold(tx, crm, moved, sold, answers)
        moved = tx.change(moved, value=report.sale.amount)
        return DealWon(report.sale, report.client, report.status, moved, stage)
    taken: Sequence[SaleTakenBack] = ()
    if was == "won" and stage.outcome != "won" and sold:
        if answers.take_back is None:
            raise _whether_to_take_back(crm, sold)
        taken = [taken_back(tx, sale) for sale in sold if answers.take_back]
    return DealMoved(moved, stage, taken)


def _sold(tx: Transaction, crm: CRM, deal: Deal, sold: Sequence[Sale], answers: _Answers) -> SaleReport:
    """The sale of a deal that is won: a new one, or the one that stood already since it was won before."""
    if sold and answers.same_sale is None:
        raise same_sale_question(crm, sold)
    if sold and answers.same_sale:
        client = tx.get(Client, deal.client)
        return SaleReport(sold[0], client, StatusReview(client.status, client.status, client.status_reason))
    amount = deal.value if answers.amount is None else answers.amount
    if answers.amount is None and not amount:
        raise FieldError("the deal has no value; give the amount it was won for", field="amount", label="Amount")
    if not amount:
        raise nothing_sold()
    on = answers.on or tx.today
    return recorded(tx, Sale(client=deal.client, on=on, amount=amount, note=deal.title, user=crm.me, deal=deal.id))


def sales_of(snapshot: Snapshot, deal: Deal) -> Sequence[Sale]:
    """The sales that are recorded for a deal."""
    return snapshot.find_all(Sale, Query({"client": deal.client, "deal": deal.id}))


def same_sale_question(crm: CRM, sold: Sequence[Sale]) -> Question:
    """The question about a deal that has a sale already: whether it was won with that one."""
    return Question(
        f"{_sales_text(crm, sold[:1])} of this deal is already recorded.",
        parameter="same_sale",
        choices={"yes": "Use that sale", "no": "Record another sale"},
        records=sold,
    )


def _whether_to_take_back(crm: CRM, sold: Sequence[Sale]) -> Question:
    one = len(sold) == 1
    return Question(
        f"{_sales_text(crm, sold)} {'was' if one else 'were'} recorded when this deal was won.",
        parameter="take_back",
        choices={"yes": "Remove it" if one else "Remove them", "no": "Keep it" if one else "Keep them"},
        records=sold,
        destructive=True,
    )


def _sales_text(crm: CRM, sold: Sequence[Sale]) -> str:
    by = crm.conventions
    parts = [f"sale {sale.id} of {by.money(sale.amount)} on {by.day(sale.on)}" for sale in sold]
    return f"The {' and the '.join(parts)}"

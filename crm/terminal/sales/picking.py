"""Deals chosen by typing and stages from those there are, and the lines that stand for them and for sales."""

from collections.abc import Sequence
from typing import Any

from crm.commands.context import CRM
from crm.commands.sales.pipeline import DealShown, deals_shown, listed, stages
from crm.model import Conventions, Deal, Sale, Stage
from crm.repository.queries.deals import WhichDeals
from crm.terminal.console.keyboard import Choice, Suggestion
from crm.terminal.toolkit.picking import RecordQuestion, is_too_short, joined, line_for, number_in, pick_typed, picker

_SUGGESTED = 8
_MATCHES = 9


@line_for(Sale)
def sale_line(sale: Sale, by: Conventions, client: str = "") -> str:
    """A sale on one line."""
    return joined(by.day(sale.on), by.money(sale.amount), client, sale.reference, sale.note, f"no. {sale.id}")


@line_for(Deal)
def deal_line(deal: Deal, by: Conventions, client: str = "") -> str:
    """A deal on one line."""
    ended = f"closed {by.on_day(deal.closed_on)}" if deal.closed_on else ""
    return joined(deal.title, client, by.money(deal.value), ended, f"no. {deal.id}")


@line_for(Stage)
def stage_line(stage: Stage, _: Conventions | None = None, __: str = "") -> str:
    """A stage on one line."""
    return f"{stage.name} · {stage.probability} %" if stage.outcome == "open" else stage.name


@picker(Deal)
def pick_deal(asked: RecordQuestion) -> Any:
    """A deal, found by part of its title or of its client's name, or by its number; None where it may be left out and
    is. Raises Back."""
    crm = asked.crm

    def suggest(typed: str) -> list[Suggestion]:
        if is_too_short(typed):
            return []
        return [Suggestion(str(deal.deal.id), deal.deal.title, deal.client) for deal in _deals(crm, typed)[:_SUGGESTED]]

    by = crm.conventions
    return pick_typed(
        asked,
        lambda typed: _deals(crm, typed),
        suggest,
        lambda deal: Choice(deal_line(deal.deal, by, deal.client), deal.deal),
        lambda _: "Which deal?",
        help="type part of the title or of the client, or the number",
        nothing="no deal found; try part of the title or of the client, or the number",
        typed=str(asked.current.id) if asked.current else "",
    )


def _deals(crm: CRM, typed: str) -> Sequence[DealShown]:
    """The deals that may be meant, the open ones first; the one with a number that was typed is alone."""
    with crm.read() as snapshot:
        known = stages(snapshot)
        if number := number_in(typed.strip().removeprefix("#")):
            deal = snapshot.find(Deal, number)
            if deal is not None:
                return deals_shown(snapshot, known, [deal])
        everywhere = WhichDeals([stage.id for stage in known], text=typed)
        return listed(snapshot, known, everywhere, limit=_MATCHES)


@picker(Stage)
def pick_stage(asked: RecordQuestion) -> Any:
    """A stage from those there are; None where it may be left out and is. Raises Back."""
    with asked.crm.read() as snapshot:
        entries: list[Choice] = [Choice(stage_line(stage), stage) for stage in stages(snapshot)]
    if not asked.required:
        entries.append(Choice("None of them", None))
    return asked.keyboard.choose(f"{asked.label}:", entries, at=asked.current)

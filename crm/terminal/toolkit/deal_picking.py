"""Deals and stages chosen: a deal by typing, a stage from those there are."""

from collections.abc import Sequence

from crm.commands.context import CRM
from crm.commands.sales.pipeline import DealShown, WhichDeals, listed, shown, stages
from crm.model import Conventions, Deal, Stage
from crm.terminal.console.keyboard import Choice, Keyboard, Suggestion
from crm.terminal.toolkit.typed_picking import is_too_short, number_in, pick_typed

_SUGGESTED = 8
_MATCHES = 9


def deal_line(deal: Deal, by: Conventions, name: str = "") -> str:
    """A deal on one line."""
    ended = f"closed on {by.day(deal.closed_on)}" if deal.closed_on else ""
    return " · ".join(filter(None, (deal.title, name, by.money(deal.value), ended, f"no. {deal.id}")))


def stage_line(stage: Stage) -> str:
    """A stage on one line."""
    return f"{stage.name} · {stage.probability} %" if stage.outcome == "open" else stage.name


def pick_deal(crm: CRM, keyboard: Keyboard, label: str, *, required: bool = True) -> Deal | None:
    """A deal, found by part of its title or of its client's name, or by its number; None where it may be left out and
    is. Raises Back."""
    by, help = crm.conventions, "type part of the title or of the client, or the number"
    found: Deal | None = pick_typed(
        keyboard,
        label,
        lambda typed: _deals(crm, typed),
        lambda typed: _suggested(crm, typed),
        lambda deal: Choice(deal_line(deal.deal, by, deal.client), deal.deal),
        lambda _: "Which deal?",
        help=help if required else f"{help}; Enter leaves it out",
        nothing="no deal is found by that; try part of the title or of the client, or the number",
        required=required,
    )
    return found


def _suggested(crm: CRM, typed: str) -> list[Suggestion]:
    if is_too_short(typed):
        return []
    return [Suggestion(str(deal.deal.id), deal.deal.title, deal.client) for deal in _deals(crm, typed)[:_SUGGESTED]]


def _deals(crm: CRM, typed: str) -> Sequence[DealShown]:
    """The deals that may be meant, the open ones first; the one with a number that was typed stands alone."""
    with crm.read() as snapshot:
        known = stages(snapshot)
        if number := number_in(typed.strip().removeprefix("#")):
            deal = snapshot.find(Deal, number)
            if deal is not None:
                return shown(snapshot, known, [deal])
        everywhere = WhichDeals([stage.id for stage in known], text=typed)
        return listed(snapshot, known, everywhere, limit=_MATCHES)


def pick_stage(crm: CRM, keyboard: Keyboard, label: str, *, required: bool = True) -> Stage | None:
    """A stage from those there are; None where it may be left out and is. Raises Back."""
    with crm.read() as snapshot:
        entries: list[Choice] = [Choice(stage_line(stage), stage) for stage in stages(snapshot)]
    if not required:
        entries.append(Choice("None of them", None))
    chosen: Stage | None = keyboard.choose(f"{label}:", entries)
    return chosen

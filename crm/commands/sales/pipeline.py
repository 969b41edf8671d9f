"""The pipeline as it is read: its stages, the deals that are in them, and what they add up to."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from crm.commands.record_names import by_id
from crm.errors import RefusedError
from crm.lean_dataclass import dataclass
from crm.model import FIRST_STAGES, Client, Deal, Stage
from crm.model.encoding import plain
from crm.model.folding import fold
from crm.model.money import MOST_DECIMALS, NOTHING, rounded
from crm.repository import Snapshot
from crm.repository.queries import deals
from crm.repository.queries.deals import WhichDeals


@dataclass(frozen=True, slots=True)
class DealShown:
    """A deal with what is beside it in a list: the client's name, its stage, since how many days it is there, and
    whether the day on which it was to close has passed."""

    deal: Deal
    client: str
    stage: Stage
    days: int
    overdue: bool

    @property
    def weighted(self) -> Decimal:
        """The value as far as the stage promises it."""
        return weighted(self.deal.value, self.stage)

    def as_json(self) -> dict[str, Any]:
        """The deal's own fields, and beside them what the list adds."""
        beside = {"client_name": self.client, "stage_name": self.stage.name, "probability": self.stage.probability}
        figures = {"weighted": self.weighted, "days_in_stage": self.days, "overdue": self.overdue}
        return {**plain(self.deal), **plain({**beside, **figures})}


@dataclass(frozen=True, slots=True)
class StageSum:
    """The number of deals that are in a stage, and what they are worth together."""

    stage: Stage
    deals: int = 0
    value: Decimal = NOTHING

    @property
    def weighted(self) -> Decimal:
        """The same as far as the stage promises it."""
        return weighted(self.value, self.stage)

    def as_json(self) -> dict[str, Any]:
        """The stage, and what its deals come to."""
        return {"stage": self.stage, "count": self.deals, "value": self.value, "weighted": self.weighted}


def weighted(value: Decimal, stage: Stage) -> Decimal:
    """A value times the probability of its stage, to as many decimals as amounts are kept with."""
    return rounded(value * stage.probability / 100, MOST_DECIMALS)


def stages(snapshot: Snapshot) -> list[Stage]:
    """The stages in their order; a store that has none yet has those that a team starts with, without numbers."""
    return snapshot.find_all(Stage) or list(FIRST_STAGES)


def stage_called(among: Iterable[Stage], name: str) -> Stage | None:
    """The stage with a name, whatever its case, or the only one that begins so."""
    folded, listed = fold(name), list(among)
    alike = [stage for stage in listed if folded and fold(stage.name).startswith(folded)]
    exact = [stage for stage in alike if fold(stage.name) == folded]
    return (exact or alike)[0] if exact or len(alike) == 1 else None


def first_with(among: Iterable[Stage], outcome: str) -> Stage:
    """The first stage with an outcome. Raises RefusedError where there is none."""
    first = next((stage for stage in among if stage.outcome == outcome), None)
    if first is None:
        raise RefusedError(f"No stage for deals that are {outcome}. Add one first.")
    return first


def sums(snapshot: Snapshot, among: Iterable[Stage], which: WhichDeals) -> list[StageSum]:
    """The sums of the deals by stage, those without any included."""
    rows = deals.sums_by_stage(snapshot, which)
    return [StageSum(stage, *rows[stage.id]) if stage.id in rows else StageSum(stage) for stage in among]


def listed(
    snapshot: Snapshot,
    among: Sequence[Stage],
    which: WhichDeals,
    sort: str = "",
    limit: int | None = None,
    offset: int = 0,
) -> list[DealShown]:
    """The deals in the order of their stages, the most valuable first, unless `sort` says otherwise. Raises FieldError
    for what it cannot sort by."""
    return deals_shown(snapshot, among, deals.listed(snapshot, which, sort, limit, offset))


def cards(snapshot: Snapshot, stage: Stage, which: WhichDeals, limit: int, offset: int = 0) -> list[DealShown]:
    """Some of the deals in one stage, the most valuable first; of closed ones those that were closed last."""
    return deals_shown(snapshot, [stage], deals.of_stage(snapshot, stage, which, limit, offset))


def deals_shown(snapshot: Snapshot, among: Iterable[Stage], deals: Sequence[Deal]) -> list[DealShown]:
    """Deals with what is beside them."""
    clients = by_id(snapshot, Client, {deal.client for deal in deals})
    by_number = {stage.id: stage for stage in among}
    today = snapshot.today
    return [
        DealShown(
            deal,
            clients[deal.client].name if deal.client in clients else "",
            by_number.get(deal.stage) or Stage(id=deal.stage, name=f"stage {deal.stage}", outcome="open"),
            (today - (deal.stage_since or today)).days,
            deal.closed_on is None and deal.expected_close_on is not None and deal.expected_close_on < today,
        )
        for deal in deals
    ]

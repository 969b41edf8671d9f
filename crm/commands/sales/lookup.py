"""Lookup of deals by their titles, and of stages by their names."""

from collections.abc import Iterable

from crm.commands.lookup import MOST, Lookup, Matches, lookup
from crm.commands.sales.pipeline import stage_called, stages
from crm.model import Deal, Stage
from crm.model.folding import fold
from crm.repository import Query, Snapshot
from crm.repository.queries import deals
from crm.repository.queries.deals import WhichDeals


@lookup(Deal)
class DealLookup(Lookup[Deal]):
    """A deal by words of its title."""

    def matches(self, snapshot: Snapshot, text: str) -> Matches[Deal]:
        words = fold(text).split()
        if not words:
            return Matches()
        exact = snapshot.find_all(Deal, Query({"title": text}, limit=MOST))
        deals = exact or [
            deal for deal in _with_text(snapshot, text, MOST) if all(word in fold(deal.title) for word in words)
        ]
        # Of several that are called so it is the one that still goes on.
        still_open = [deal for deal in deals if deal.closed_on is None]
        return Matches(possible=still_open or deals)

    def names(self, snapshot: Snapshot, begun: str, limit: int) -> Iterable[str]:
        return (deal.title for deal in _with_text(snapshot, begun, limit))


@lookup(Stage)
class StageLookup(Lookup[Stage]):
    """A stage by its name, or by how only one begins."""

    def matches(self, snapshot: Snapshot, text: str) -> Matches[Stage]:
        stage = stage_called(stages(snapshot), text)
        return Matches(possible=[stage] if stage else [])

    def names(self, snapshot: Snapshot, begun: str, limit: int) -> Iterable[str]:
        return (stage.name for stage in stages(snapshot))


def _with_text(snapshot: Snapshot, text: str, limit: int) -> list[Deal]:
    everywhere = WhichDeals([stage.id for stage in stages(snapshot)], text=text)
    return deals.listed(snapshot, everywhere, limit=limit)

"""The board: the pipeline stage by stage, each with what it adds up to and its first deals."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any

from crm.commands.context import CRM
from crm.commands.list_parameters import most
from crm.commands.ownership import Mine, owner_filter
from crm.commands.registry import About, command
from crm.commands.sales.deals import OfOwner
from crm.commands.sales.pipeline import DealShown, StageSum, cards, stages, sums
from crm.model import Stage
from crm.model.fields import Whole
from crm.repository.queries.deals import WhichDeals
from crm.repository.queries.people import OwnerFilter

# Deals that were won or lost longer ago have left the board.
_CLOSED_WITHIN = 30


@dataclass(frozen=True, slots=True)
class BoardColumn:
    """A stage on the board, with some of its deals."""

    sum: StageSum
    deals: Sequence[DealShown]

    def as_json(self) -> dict[str, Any]:
        """The stage with its figures, and the deals."""
        return {**self.sum.as_json(), "deals": self.deals}


@dataclass(frozen=True, slots=True)
class Board:
    """The stages in their order. `owner` is the name of whose deals they are, '' for everybody's; of closed ones those
    since `closed_since`."""

    columns: Sequence[BoardColumn]
    owner: str
    closed_since: date


@command("deals board", title="Deal board", menu="deals")
def board(
    crm: CRM,
    owner: OfOwner = "",
    mine: Mine = False,
    limit: Annotated[int, Whole(), About("Limit", "how many deals of each stage at most; 0 for all")] = 10,
) -> Board:
    """Show the pipeline: each stage with its number of deals, their total, and the most valuable ones.

    Won and lost deals are shown for 30 days, the latest first.
    """
    with crm.read() as snapshot:
        owners = owner_filter(crm, snapshot, mine, owner, field="owner", label="Owner")
        among = stages(snapshot)
        which = on_board(among, owners, snapshot.today)
        totals = sums(snapshot, among, which)
        columns = [
            BoardColumn(column, cards(snapshot, column.stage, which, most(limit)) if column.deals else ())
            for column in totals
        ]
    return Board(columns, owners.name, which.closed_since or crm.today)


def on_board(among: Sequence[Stage], owner: OwnerFilter, today: date) -> WhichDeals:
    """The deals that the board shows on a day."""
    return WhichDeals([stage.id for stage in among], owner=owner, closed_since=today - timedelta(days=_CLOSED_WITHIN))

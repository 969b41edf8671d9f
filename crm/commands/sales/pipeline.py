"""The pipeline as it is read: its stages, the deals that are in them, and what they add up to."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from crm.commands.client_selection import batches
from crm.commands.ownership import EVERYBODY, OwnerFilter
from crm.errors import FieldError, RefusedError
from crm.model import FIRST_STAGES, Client, Deal, Stage
from crm.model.encoding import plain
from crm.model.folding import fold
from crm.model.money import MOST_DECIMALS, NOTHING, rounded
from crm.repository import Query, Snapshot, sql_functions
from crm.repository.tables import client as _client
from crm.repository.tables import deal as _deal
from crm.repository.tables import record_columns, record_of
from crm.repository.tables import stage as _stage

_SORTS: Mapping[str, ColumnElement[Any]] = {
    "client": _client.c.sort_name,
    "stage": _stage.c.position,
    **{name: _deal.c[name] for name in (
        "id", "title", "value", "expected_close_on", "owner", "stage_since", "closed_on", "lost_reason", "created_at",
        "updated_at",
    )},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class WhichDeals:
    """Deals in some stages (by id), of a client, an owner, expected to close within days, both
    included, or with a text in the title, the notes or the client's name. Of closed ones those that were closed since a
    day."""

    stages: Sequence[int]
    client: int = 0
    owner: OwnerFilter = EVERYBODY
    since: date | None = None
    until: date | None = None
    text: str = ""
    closed_since: date | None = None

    def conditions(self, stage: ColumnElement[int] = _deal.c.stage) -> list[ColumnElement[bool]]:
        """The same in SQL, over deals and their clients; `stage` is that of a deal."""
        found: list[ColumnElement[bool]] = [stage.in_(self.stages)]
        if self.client:
            found.append(_deal.c.client == self.client)
        if self.owner:
            found.append(self.owner.owns(Deal))
        if self.since:
            found.append(_deal.c.expected_close_on >= self.since)
        if self.until:
            found.append(_deal.c.expected_close_on <= self.until)
        if self.closed_since:
            found.append(or_(_deal.c.closed_on.is_(None), _deal.c.closed_on >= self.closed_since))
        for word in fold(self.text).split():
            stands_in = (
                sql_functions.folded(_deal.c.title),
                sql_functions.folded(_deal.c.notes),
                _client.c.search_name,
            )
            found.append(or_(*(stage.contains(word, autoescape=True) for stage in stands_in)))
        return found


@dataclass(frozen=True, slots=True)
class DealShown:
    """A deal with what stands beside it in a list: the client's name, its stage, since how many days it is there, and
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
    """How many deals are in a stage, and what they are worth together."""

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
    wanted, listed = fold(name), list(among)
    alike = [stage for stage in listed if wanted and fold(stage.name).startswith(wanted)]
    exact = [stage for stage in alike if fold(stage.name) == wanted]
    return (exact or alike)[0] if exact or len(alike) == 1 else None


def first_with(among: Iterable[Stage], outcome: str) -> Stage:
    """The first stage with an outcome; raises RefusedError where there is none."""
    found = next((stage for stage in among if stage.outcome == outcome), None)
    if found is None:
        raise RefusedError(f"There is no stage for deals that are {outcome}; add one first.")
    return found


def sums(snapshot: Snapshot, among: Iterable[Stage], which: WhichDeals) -> list[StageSum]:
    """What the deals come to, stage by stage, those without any included."""
    # Not the bare column: deals are read in turn faster than one by one in the order of an index of stages.
    stage: ColumnElement[Any] = func.coalesce(_deal.c.stage, _deal.c.stage)
    statement: Select[Any] = select(stage, func.count(), func.sum(_deal.c.value)).group_by(stage)
    found = {number: (many, value) for number, many, value in snapshot.select(_narrowed(statement, which, stage))}
    return [StageSum(stage, *found[stage.id]) if stage.id in found else StageSum(stage) for stage in among]


def listed(
    snapshot: Snapshot,
    among: Sequence[Stage],
    which: WhichDeals,
    sort: str = "",
    limit: int | None = None,
    offset: int = 0,
) -> list[DealShown]:
    """The deals in the order of their stages, the most valuable first, unless `sort` says otherwise; raises FieldError
    for what it cannot sort by."""
    statement = select(*record_columns(Deal)).join(_client, _client.c.id == _deal.c.client)
    statement = statement.join(_stage, _stage.c.id == _deal.c.stage).where(*which.conditions())
    rows = snapshot.select(statement.order_by(*_order(sort)).limit(limit).offset(offset or None))
    return deals_shown(snapshot, among, [record_of(Deal, row) for row in rows])


def cards(snapshot: Snapshot, stage: Stage, which: WhichDeals, limit: int, offset: int = 0) -> list[DealShown]:
    """Some of the deals in one stage, the most valuable first; of closed ones those that were closed last."""
    latest = (_deal.c.closed_on.desc(),) if stage.outcome != "open" else ()
    # In the order of the index, so that no more is read than is shown.
    order = (*latest, _deal.c.value.desc(), _deal.c.id.desc())
    statement = _narrowed(select(*record_columns(Deal)).where(_deal.c.stage == stage.id), which)
    rows = snapshot.select(statement.order_by(*order).limit(limit).offset(offset or None))
    return deals_shown(snapshot, [stage], [record_of(Deal, row) for row in rows])


def place(snapshot: Snapshot, deal: Deal, which: WhichDeals) -> int:
    """How many deals stand before one among the `cards` of its stage."""
    after = and_(_deal.c.value == deal.value, _deal.c.id > deal.id)
    before = or_(_deal.c.value > deal.value, after)
    if deal.closed_on:
        before = or_(_deal.c.closed_on > deal.closed_on, and_(_deal.c.closed_on == deal.closed_on, before))
    statement = _narrowed(select(func.count()).where(_deal.c.stage == deal.stage, before), which)
    ((count,),) = snapshot.select(statement)
    return int(count)


def deals_shown(snapshot: Snapshot, among: Iterable[Stage], deals: Sequence[Deal]) -> list[DealShown]:
    """Deals with what stands beside them."""
    numbers = sorted({deal.client for deal in deals})
    clients = (client for some in batches(numbers) for client in snapshot.find_all(Client, Query({"id": some})))
    names = {client.id: client.name for client in clients}
    by_number = {stage.id: stage for stage in among}
    today = snapshot.today
    return [
        DealShown(
            deal,
            names.get(deal.client, ""),
            by_number.get(deal.stage) or Stage(id=deal.stage, name=f"stage {deal.stage}", outcome="open"),
            (today - (deal.stage_since or today)).days,
            deal.closed_on is None and deal.expected_close_on is not None and deal.expected_close_on < today,
        )
        for deal in deals
    ]


def _narrowed(statement: Select[Any], which: WhichDeals, stage: ColumnElement[int] = _deal.c.stage) -> Select[Any]:
    """A statement over deals alone; the clients come in only where a text may stand in their names."""
    if which.text:
        statement = statement.join(_client, _client.c.id == _deal.c.client)
    return statement.where(*which.conditions(stage))


def _order(sort: str) -> Sequence[ColumnElement[Any]]:
    name = sort.removeprefix("-").replace("-", "_")
    if not name:
        return (_stage.c.position, _deal.c.value.desc(), _deal.c.id.desc())
    if name not in _SORTS:
        raise FieldError(f"deals are sorted by {', '.join(_SORTS)}", field="sort", label="Sort by")
    column = _SORTS[name]
    value: ColumnElement[Any] = sql_functions.folded(column) if name in _WORDS else column
    # What has no value comes last either way.
    last = (column.is_(None) if name not in _WORDS else column == "",)
    return (*last, value.desc() if sort.startswith("-") else value, _deal.c.id)


_WORDS = frozenset(("title", "owner", "lost_reason"))

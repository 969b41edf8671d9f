"""Deals: added, listed, shown, edited and deleted; how they move and end is in `outcomes`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import zip_longest
from typing import Annotated, Any

from crm.commands.client_selection import MaybeClient, TheClient
from crm.commands.context import CRM
from crm.commands.deletions import delete_record, deleted
from crm.commands.list_parameters import Limit, Offset, Sort, in_order, most
from crm.commands.ownership import Mine, owner_filter, spelled
from crm.commands.registry import About, FieldsOf, Takes, command, named
from crm.commands.sales.pipeline import DealShown, StageSum, deals_shown, listed, stage_called, stages, sums
from crm.errors import FieldError, RefusedError
from crm.model import OUTCOMES, Client, Deal, FollowUp, Sale, Stage, StageMove
from crm.model.encoding import plain
from crm.model.fields import Amount, Day, Line, Person, Prose
from crm.model.money import NOTHING
from crm.repository import Query, Snapshot, Transaction
from crm.repository.queries.deals import WhichDeals

TheDeal = Annotated[Deal, About("Deal", "its number or title", positional=True)]
OfOwner = Annotated[str, Person(), About("Owner", "who looks after it")]
DealChanges = Annotated[Mapping[str, Any], FieldsOf(Deal, Takes.CHANGES, but=("stage",))]


@dataclass(frozen=True, slots=True)
class DealList:
    """A page of deals; and of all that fit how many there are, their value, and their value as far as the stages
    promise it."""

    deals: Sequence[DealShown]
    count: int
    value: Decimal
    weighted: Decimal


@dataclass(frozen=True, slots=True)
class TimeInStage:
    """The time of a deal in a stage: from a day to a day, None where it still is; `user` moved it there. In the one
    that it ended in it is no time: `days` is None."""

    stage: str
    since: date
    until: date | None
    days: int | None
    user: str


@dataclass(frozen=True, slots=True)
class DealCard:
    """A deal as it is shown: with its client, the stages it was in from the first on, the follow-ups about it and the
    sales that it was won with."""

    item: DealShown
    client: Client
    times_in_stages: Sequence[TimeInStage]
    follow_ups: Sequence[FollowUp]
    sales: Sequence[Sale]

    def as_json(self) -> dict[str, Any]:
        """The deal's own fields, and beside them what the card adds."""
        beside = {"stays": self.times_in_stages, "follow_ups": self.follow_ups, "sales": self.sales}
        return {**self.item.as_json(), **plain(beside)}


@command("deals add", title="Add a deal", as_text=lambda crm, deal: named("deals show")(crm, deal))
def add(
    crm: CRM,
    client: TheClient,
    title: Annotated[str, Line(200), About("Title", "what it is about", positional=True)],
    value: Annotated[Decimal, Amount(), About("Value", "expected amount")] = NOTHING,
    expected_close_on: Annotated[date | None, Day(past=False), About("Expected close")] = None,
    owner: Annotated[str, Person(), About("Owner", "you by default")] = "",
    stage: Annotated[Stage | None, About("Stage", "its name or number; the first by default")] = None,
    notes: Annotated[str, Prose(), About("Notes")] = "",
) -> Deal:
    """Add a deal with a client, in the first stage by default. To add a won deal, add it first, then mark it as won."""
    if not title:
        raise FieldError("a deal needs a title", field="title", label="Title")
    if stage and stage.outcome != "open":
        message = f"{stage.name} ends a deal; add it in an open stage, then move it"
        raise FieldError(message, field="stage", label="Stage")

    def change(tx: Transaction) -> Deal:
        deal = Deal(
            client=tx.get(Client, client.id).id, title=title, value=value, expected_close_on=expected_close_on,
            owner=spelled(tx, owner or crm.me), stage=stage.id if stage else 0, notes=notes,
        )  # fmt: skip
        added = tx.add(deal)
        if stage and not stage.id and (target := stage_called(stages(tx), stage.name)):
            # The first deal of all has brought the stages with it.
            added = tx.change(added, stage=target.id)
        return added

    return crm.transact(change, f"added the deal {title}")


@command("deals list", title="List deals", nothing="No deals found.")
def list_all(
    crm: CRM,
    client: MaybeClient = None,
    stage: Annotated[Stage | None, About("Stage", "its name or number")] = None,
    owner: OfOwner = "",
    mine: Mine = False,
    since: Annotated[date | None, Day(past=False), About("Since", "the first day of the expected close")] = None,
    until: Annotated[
        date | None, Day(past=False, of_period="last"), About("Until", "the last day of the expected close")
    ] = None,
    won: Annotated[bool, About("Won", "those that were won")] = False,
    lost: Annotated[bool, About("Lost", "those that were lost")] = False,
    all_: Annotated[bool, About("All", "open, won and lost ones")] = False,
    text: Annotated[str, Line(200), About("Text", "part of the title, the notes or the client's name")] = "",
    sort: Sort = "",
    limit: Limit = 0,
    offset: Offset = 0,
) -> DealList:
    """List deals by stage, most valuable first, with their total: open deals by default.

    The weighted value is the value times the probability of the stage. If you name a stage, its deals are listed
    whether they are open, won or lost.
    """
    in_order(since, until)
    named = [outcome for outcome, is_asked in (("won", won), ("lost", lost)) if is_asked]
    outcomes = OUTCOMES if all_ or stage else named or ["open"]
    with crm.read() as snapshot:
        owners = owner_filter(crm, snapshot, mine, owner, field="owner", label="Owner")
        known = stages(snapshot)
        among = [candidate for candidate in known if candidate.outcome in outcomes]
        if stage:
            among = [candidate for candidate in among if candidate.id == stage.id]
        which = WhichDeals([stage.id for stage in among], client.id if client else 0, owners, since, until, text)
        totals = sums(snapshot, among, which)
        deals = listed(snapshot, known, which, sort, most(limit), offset)
    return DealList(deals, *_added_up(totals))


def _added_up(stages: Sequence[StageSum]) -> tuple[int, Decimal, Decimal]:
    value = sum((stage.value for stage in stages), NOTHING)
    return sum(stage.deals for stage in stages), value, sum((stage.weighted for stage in stages), NOTHING)


@command("deals show", title="Show a deal")
def show(crm: CRM, deal: TheDeal) -> DealCard:
    """Show a deal: its client, the time in each stage, its follow-ups and its sale."""
    with crm.read() as snapshot:
        record = snapshot.get(Deal, deal.id)
        known = stages(snapshot)
        belonging = {"client": record.client, "deal": record.id}
        return DealCard(
            deals_shown(snapshot, known, [record])[0],
            snapshot.get(Client, record.client),
            times_in_stages(snapshot, record, known),
            snapshot.find_all(FollowUp, Query(belonging)),
            snapshot.find_all(Sale, Query(belonging)),
        )


def times_in_stages(snapshot: Snapshot, deal: Deal, known: Sequence[Stage]) -> list[TimeInStage]:
    """The time that a deal was in each stage, from the first on."""
    moves = snapshot.find_all(StageMove, Query({"deal": deal.id}, sort="id"))
    names = {stage.id: stage.name for stage in known}
    times = []
    for move, following in zip_longest(moves, moves[1:]):
        ended = following is None and deal.closed_on is not None
        until = following.on if following else None
        days = None if ended else ((until or snapshot.today) - move.on).days
        times.append(TimeInStage(names.get(move.stage, f"stage {move.stage}"), move.on, until, days, move.user))
    return times


@command("deals edit", title="Edit a deal")
def edit(crm: CRM, deal: TheDeal, changes: DealChanges) -> Deal:
    """Change fields of a deal; the other fields stay as they are.

    `deals move` moves it to another stage. Changes that someone else made after you opened the deal are kept. If you
    both changed the same field, you see both values and nothing is overwritten.
    """
    if not changes:
        raise FieldError("name at least one field to change")
    if "stage" in changes:
        raise FieldError("`deals move` moves a deal to another stage", field="stage", label="Stage")
    if not changes.get("title", deal.title):
        raise FieldError("a deal needs a title", field="title", label="Title")

    def change(tx: Transaction) -> Deal:
        current = tx.get(Deal, deal.id)
        values = dict(changes)
        if "owner" in values:
            values["owner"] = spelled(tx, values["owner"])
        if values.get("client", current.client) != current.client:
            _refuse_another_client(tx, current, values["client"])
        if "lost_reason" in values and tx.get(Stage, current.stage).outcome != "lost":
            raise FieldError("only a lost deal has a reason", field="lost_reason", label="Lost because")
        return tx.change(deal, **values)

    return crm.transact(change, f"edited the deal {deal.title}")


def _refuse_another_client(tx: Transaction, deal: Deal, number: int) -> None:
    """Raise NotFoundError for a client that is not there, RefusedError where something of the deal stays with the
    old one."""
    tx.get(Client, number)
    for kind, word in ((Sale, "sale"), (FollowUp, "follow-up")):
        if tx.count(kind, Query({"client": deal.client, "deal": deal.id})):
            raise RefusedError(f"A {word} of this deal belongs to its client. Nothing was changed.")


@command("deals delete", title="Delete a deal", as_text=deleted)
def delete(crm: CRM, deal: TheDeal, yes: bool = False) -> Deal:
    """Delete a deal with the history of its stages; its sale and follow-ups stay. You can undo it."""

    def kept(tx: Transaction) -> str:
        is_sold = tx.count(Sale, Query({"client": deal.client, "deal": deal.id}))
        return "The sale that it was won with stays." if is_sold else ""

    return delete_record(crm, deal, f"the deal {deal.title}", yes=yes, also=kept)

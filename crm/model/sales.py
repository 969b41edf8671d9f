"""Records: sales, and deals in their stages."""

from datetime import date
from decimal import Decimal
from typing import ClassVar

from crm.lean_dataclass import dataclass
from crm.model.fields import Amount, Choice, Day, Id, Line, Person, Prose, Whole
from crm.model.kind import (
    ALL,
    EVERYTHING,
    NONE,
    READ_ALL,
    READ_OWN,
    Effects,
    Export,
    Indexed,
    Kind,
    May,
    Rights,
    Sum,
    Tab,
)
from crm.model.record import Record, account_beside, described

# Of an open deal: since when it waits, and by when it should have been closed.
_HALTING = ("closed_on", "stage_since", "expected_close_on")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Sale(Record):
    """Something a client bought: `amount` in major units of the team's currency, on the day `on`. `reference` is
    the number that its order or invoice has where it was made: a shop, a bookkeeping program."""

    about: ClassVar[Kind] = Kind(
        "sale",
        "sales",
        place=5,
        # The totals may come out the same while the sales of the last days do not.
        effects=Effects(reviews="client"),
        needs=("client", "on", "amount"),
        order=("-on", "-id"),
        day="on",
        # Totals and windows of one client, and sums of a period, are read from the index alone.
        indexes={
            "by_client": ("client", "on", "amount"),
            "by_day": ("on", "amount"),
            "by_reference": Indexed(("reference",), folded=True, given="reference", since=9),
        },
        sums=(
            Sum(name="total_spend", function="sum", of="amount"),
            Sum(name="sales_count", function="count"),
            Sum(name="first_sale_on", function="min", of="on"),
            Sum(name="last_sale_on", function="max", of="on"),
        ),
        rights=Rights(
            staff=EVERYTHING,
            client=READ_OWN,
            owned_by=("client", "client"),
            internal=("note", "deal", "user", "user_id"),
        ),
        tab=Tab(number=11, colour="3f8f5f", rows=400),
        export=Export(place=2),
    )

    client: int = described("Client", Id("client", owns=True))
    on: date = described("Date", Day())
    amount: Decimal = described("Amount", Amount())
    note: str = described("Note", Line(500))
    reference: str = described("Reference", Line(100), help="the number of its order or invoice elsewhere", since=9)
    deal: int = described("Deal", Id("deal"), by="steps", help="the deal that was won with it", since=3)
    user: str = described("Recorded by", Person(), by="steps", since=3)
    user_id: int = account_beside("user")


OUTCOMES = {"open": "open", "won": "won", "lost": "lost"}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Stage(Record):
    """A stage of the pipeline: its place, how likely a deal in it is won (per cent), and whether it ends one."""

    about: ClassVar[Kind] = Kind(
        "stage",
        "stages",
        place=2,
        needs=("name", "position"),
        called="name",
        order=("position", "id"),
        unique=("name",),
        rights=Rights(staff=READ_ALL),
        tab=Tab(number=21, colour="6b5b95", since=3),
        since=3,
    )

    name: str = described("Name", Line(40))
    position: int = described("Position", Whole(least=1))
    probability: int = described("Probability", Whole(most=100), help="of winning, in percent")
    outcome: str = described("Outcome", Choice(OUTCOMES), help="open, won or lost")


# The pipeline that a team starts with.
FIRST_STAGES: tuple[Stage, ...] = tuple(
    Stage(name=name, position=position, probability=probability, outcome=outcome)
    for position, (name, probability, outcome) in enumerate(
        (
            ("Lead", 10, "open"),
            ("Qualified", 25, "open"),
            ("Proposal", 50, "open"),
            ("Negotiation", 75, "open"),
            ("Won", 100, "won"),
            ("Lost", 0, "lost"),
        ),
        start=1,
    )
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Deal(Record):
    """Something that a client may buy: `value` in major units of the team's currency. `stage` is the id of its stage,
    in which it is since `stage_since`; `closed_on` is the day it was won or lost."""

    about: ClassVar[Kind] = Kind(
        "deal",
        "deals",
        place=3,
        needs=("client", "title", "stage"),
        called="title",
        day="expected_close_on",
        indexes={
            "by_client": ("client",),
            "by_stage": ("stage", "closed_on", "value"),
            # Which open deals have come to a halt is read from the index.
            "by_halt": Indexed((*_HALTING, "client"), since=6),
            "by_owner": Indexed(("owner", *_HALTING, "owner_id"), folded=True, since=6),
            "by_owner_id": Indexed(("owner_id", *_HALTING), given="owner_id", since=6),
        },
        rights=Rights(staff=EVERYTHING),
        tab=Tab(number=20, colour="6b5b95", rows=200, since=3),
        export=Export(place=4),
        since=3,
    )

    client: int = described("Client", Id("client", owns=True))
    title: str = described("Title", Line(200))
    stage: int = described("Stage", Id("stage", keeps=True))
    value: Decimal = described("Value", Amount())
    expected_close_on: date | None = described("Expected close", Day(past=False))
    owner: str = described("Owner", Person())
    owner_id: int = account_beside("owner")
    lost_reason: str = described("Lost because", Line(300, shared=True))
    notes: str = described("Notes", Prose())
    stage_since: date | None = described("In stage since", Day(), by="facts")
    closed_on: date | None = described("Closed", Day(), by="facts")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class StageMove(Record):
    """A deal came into a stage on a day; `user` moved it. Moves are written by the store itself and never changed."""

    about: ClassVar[Kind] = Kind(
        "stage_move",
        "stage-moves",
        place=4,
        needs=("deal", "stage", "on"),
        indexes={"by_deal": ("deal",)},
        # They come and go with what is done to deals.
        rights=Rights(staff=May(ALL, ALL, NONE, ALL), words="moves of deals"),
        tab=Tab(number=22, hidden=True, since=3),
        since=3,
    )

    deal: int = described("Deal", Id("deal", owns=True))
    stage: int = described("Stage", Id("stage"))
    on: date = described("Date", Day())
    user: str = described("By", Person(), by="steps")
    user_id: int = account_beside("user")

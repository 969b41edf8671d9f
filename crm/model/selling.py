"""What a sales team keeps beside clients and sales: contacts, interactions, follow-ups, and deals in their stages.

People of the team stand in records by their name, as the client's owner does: a spreadsheet stays readable, and a file
that is taken over may name people who have no account. Whose record it is, the id of the account beside the name says.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import ClassVar

from crm.model.fields import Amount, Choice, Day, Email, Flag, Id, Line, Person, Phone, Prose, TimeOfDay, Whole
from crm.model.record import Record, account_beside, described


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact(Record):
    """Somebody at a client; at most one is the primary one."""

    kind_name: ClassVar[str] = "contact"
    plural: ClassVar[str] = "contacts"

    client: int = described("Client", Id("client", owns=True))
    name: str = described("Name", Line(200))
    role: str = described("Role", Line(100), help="what they do there")
    email: str = described("E-mail", Email())
    phone: str = described("Phone", Phone())
    is_primary: bool = described("Primary", Flag(), help="whom to ask first")
    notes: str = described("Notes", Prose())


INTERACTIONS = {"call": "call", "meeting": "meeting", "email": "e-mail", "sms": "SMS", "note": "note"}
# With a note nobody has spoken to the client.
CONTACTING = tuple(kind for kind in INTERACTIONS if kind != "note")


@dataclass(frozen=True, slots=True, kw_only=True)
class Interaction(Record):
    """Something that went on with a client, on a day and perhaps at a time of day ('HH:MM'), both as people there say
    it: nobody remembers the time zone of a call. `contact` is the id of the one it was with, 0 for none."""

    kind_name: ClassVar[str] = "interaction"
    plural: ClassVar[str] = "interactions"

    client: int = described("Client", Id("client", owns=True))
    contact: int = described("Contact", Id("contact"))
    kind: str = described("Kind", Choice(INTERACTIONS), help="call, meeting, email, sms or note")
    on: date = described("Date", Day())
    time: str = described("Time", TimeOfDay())
    subject: str = described("Subject", Line(300))
    body: str = described("Text", Prose())
    user: str = described("By", Person())
    user_id: int = account_beside("user")


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp(Record):
    """Something to do for a client by a day, and perhaps a time of day ('HH:MM', local), until it is done.

    One that repeats (`every`, in days, 0 for once) is due so many days after the last real contact with the client;
    when it is done the next one follows. `deal` is the id of the deal it is about, 0 for none.
    """

    kind_name: ClassVar[str] = "follow_up"
    plural: ClassVar[str] = "follow-ups"

    client: int = described("Client", Id("client", owns=True))
    deal: int = described("Deal", Id("deal"))
    user: str = described("For", Person(), help="who does it")
    user_id: int = account_beside("user")
    due_on: date = described("Due", Day(past=False))
    due_time: str = described("Time", TimeOfDay())
    what: str = described("What", Line(500))
    every: int = described("Repeats", Whole(most=3650), help="every so many days after the last contact; 0 for once")
    done_on: date | None = described("Done", Day(), by="steps")


OUTCOMES = {"open": "open", "won": "won", "lost": "lost"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage(Record):
    """A stage of the pipeline: its place, how likely a deal in it is won (per cent), and whether it ends one."""

    kind_name: ClassVar[str] = "stage"
    plural: ClassVar[str] = "stages"

    name: str = described("Name", Line(40))
    position: int = described("Position", Whole(least=1))
    probability: int = described("Probability", Whole(most=100), help="of winning, in per cent")
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Deal(Record):
    """Something that a client may buy: `value` in major units of the team's currency. `stage` is the id of its stage,
    in which it is since `stage_since`; `closed_on` is the day it was won or lost."""

    kind_name: ClassVar[str] = "deal"
    plural: ClassVar[str] = "deals"

    client: int = described("Client", Id("client", owns=True))
    title: str = described("Title", Line(200))
    stage: int = described("Stage", Id("stage", keeps=True))
    value: Decimal = described("Value", Amount())
    expected_close_on: date | None = described("Expected close", Day(past=False))
    owner: str = described("Owner", Person())
    owner_id: int = account_beside("owner")
    lost_reason: str = described("Lost because", Line(300))
    notes: str = described("Notes", Prose())
    stage_since: date | None = described("In stage since", Day(), by="facts")
    closed_on: date | None = described("Closed", Day(), by="facts")


@dataclass(frozen=True, slots=True, kw_only=True)
class StageMove(Record):
    """A deal came into a stage on a day; `user` moved it. Moves are written by the store itself and never changed."""

    kind_name: ClassVar[str] = "stage_move"
    plural: ClassVar[str] = "stage-moves"

    deal: int = described("Deal", Id("deal", owns=True))
    stage: int = described("Stage", Id("stage"))
    on: date = described("Date", Day())
    user: str = described("By", Person(), by="steps")
    user_id: int = account_beside("user")

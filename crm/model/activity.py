"""Records: interactions with clients and follow-ups.

People of the team are in records by their name, as the client's owner does: a spreadsheet stays readable, and a file
that is imported may name people who have no account. Whose record it is, the id of the account beside the name says.
"""

from datetime import date
from typing import ClassVar

from crm.lean_dataclass import dataclass
from crm.model.fields import Choice, Day, Id, Line, Person, Prose, TimeOfDay, Whole
from crm.model.kind import EVERYTHING, Export, Indexed, Kind, Rights, Sum, Tab
from crm.model.record import Record, account_beside, described

INTERACTIONS = {"call": "call", "meeting": "meeting", "email": "e-mail", "sms": "SMS", "note": "note"}


# A note is not a contact with the client.
CONTACTING = tuple(kind for kind in INTERACTIONS if kind != "note")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Interaction(Record):
    """Something that went on with a client, on a day and perhaps at a time of day ('HH:MM'), both as people there say
    it: nobody remembers the time zone of a call. `contact` is the id of the one it was with, 0 for none."""

    about: ClassVar[Kind] = Kind(
        "interaction",
        "interactions",
        place=7,
        needs=("client", "kind", "on"),
        called="subject",
        order=("-on", "-time", "-id"),
        day="on",
        # A page of a timeline, and the day of the last contact, are read from the index.
        indexes={
            "by_client": ("client", "on", "time", "kind"),
            "by_day": ("on",),
            "by_user": Indexed(("user", "on", "time"), folded=True, since=5),
            "by_user_id": Indexed(("user_id", "on", "time"), given="user_id", since=6),
        },
        sums=(Sum(name="last_contact_on", function="max", of="on", where={"kind": CONTACTING}),),
        rights=Rights(staff=EVERYTHING),
        tab=Tab(number=18, colour="5b7fa6", rows=200, since=3),
        export=Export(place=5),
        since=3,
    )

    client: int = described("Client", Id("client", owns=True))
    contact: int = described("Contact", Id("contact"))
    kind: str = described("Kind", Choice(INTERACTIONS), help="call, meeting, email, sms or note")
    on: date = described("Date", Day())
    time: str = described("Time", TimeOfDay())
    subject: str = described("Subject", Line(300))
    body: str = described("Text", Prose())
    user: str = described("By", Person())
    user_id: int = account_beside("user")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class FollowUp(Record):
    """Something to do for a client by a day, and perhaps a time of day ('HH:MM', local), until it is done.

    One that repeats (`every`, in days, 0 for once) is due so many days after the last real contact with the client,
    unless it has a time of day, which makes it an appointment that stays on its day;
    when it is done the next one follows. `deal` is the id of the deal it is about, 0 for none.
    """

    about: ClassVar[Kind] = Kind(
        "follow_up",
        "follow-ups",
        noun="follow-up",
        place=8,
        needs=("client", "due_on"),
        called="what",
        order=("due_on", "due_time", "id"),
        day="due_on",
        indexes={
            "by_client": ("client", "done_on", "due_on"),
            "by_due": ("done_on", "due_on"),
            # People are looked for by their account, and by name in whatever case; last what is counted of those who
            # have none.
            "by_user": Indexed(("user", "done_on", "due_on", "user_id"), folded=True, since=6),
            "by_user_id": Indexed(("user_id", "done_on", "due_on"), given="user_id", since=6),
        },
        sums=(Sum(name="next_follow_up_on", function="min", of="due_on", where={"done_on": None}),),
        rights=Rights(staff=EVERYTHING),
        tab=Tab(number=19, colour="a6563f", rows=200, since=3),
        export=Export(place=6),
        since=3,
    )

    client: int = described("Client", Id("client", owns=True))
    deal: int = described("Deal", Id("deal"))
    user: str = described("For", Person(), help="who does it")
    user_id: int = account_beside("user")
    due_on: date = described("Due", Day(past=False))
    due_time: str = described("Time", TimeOfDay())
    what: str = described("What", Line(500))
    every: int = described("Repeats", Whole(most=3650), help="how many days after the last contact; 0 for no repeat")
    done_on: date | None = described("Done", Day(), by="steps")

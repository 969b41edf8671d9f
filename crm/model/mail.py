"""Records: templates, mailings to many clients, messages, and the addresses that have opted out."""

from datetime import date
from typing import ClassVar

from crm.lean_dataclass import dataclass
from crm.model.fields import Choice, Day, Id, Line, Person, Prose, TimeOfDay, Whole
from crm.model.fields.recipients import Recipient
from crm.model.kind import ALL, EVERYTHING, READ_ALL, Export, Indexed, Kind, May, Rights, Sum, Tab
from crm.model.record import Record, account_beside, described

CHANNELS = {"email": "e-mail", "sms": "SMS"}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Template(Record):
    """A text with fields such as {first_name}, for messages that are written again and again."""

    about: ClassVar[Kind] = Kind(
        "template",
        "templates",
        place=9,
        needs=("name", "body"),
        called="name",
        unique=("name",),
        rights=Rights(staff=EVERYTHING),
        tab=Tab(number=23, colour="5b7fa6", since=4),
        since=4,
    )

    name: str = described("Name", Line(60))
    channel: str = described("Channel", Choice(CHANNELS), help="email or sms")
    subject: str = described("Subject", Line(300))
    body: str = described("Text", Prose(), help="Markdown, with fields like {first_name}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Mailing(Record):
    """One text to many clients; `subject` and `body` still hold their fields, each message has them filled in.

    `occasion` is what is greeted once a year ('birthday'), '' for a mailing that is sent once.
    """

    about: ClassVar[Kind] = Kind(
        "mailing",
        "mailings",
        place=10,
        needs=("name",),
        called="name",
        rights=Rights(staff=EVERYTHING, mail_key=READ_ALL),
        tab=Tab(number=24, hidden=True, since=4),
        since=4,
    )

    name: str = described("Name", Line(100))
    channel: str = described("Channel", Choice(CHANNELS))
    subject: str = described("Subject", Line(300))
    body: str = described("Text", Prose())
    occasion: str = described("Occasion", Line(60))
    service: int = described("Service", Id("service"), by="steps", help="the one that it announces", since=10)
    user: str = described("By", Person(), by="steps")
    user_id: int = account_beside("user")


DIRECTIONS = {"out": "to the client", "in": "from the client"}
# 'unsure': the line was lost after all was handed over, so it may have arrived; it is not sent again by itself.
STATES = {
    "queued": "queued", "sending": "being sent", "sent": "sent", "failed": "failed", "unsure": "may have been sent",
    "received": "received", "cancelled": "cancelled",
}  # fmt: skip
# With these somebody has heard from somebody.
ARRIVED = ("sent", "received")
# With these it is still on its way.
WAITING = ("queued", "sending")
# With these somebody has to see to it.
UNSENT = ("failed", "unsure")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Message(Record):
    """An e-mail or SMS to a client or from one, on the day and at the time of day ('HH:MM', local) when it was queued,
    sent or received.

    `to`, `cc` and `bcc` are addresses separated by commas; `attachments` are lines of a SHA-256, a size in bytes and a
    file name. `mailing` is 0 for one that was written by itself. `identifier` is the Message-ID, the same at each try;
    `failure` says in the words of the server why it was not sent, and `reached` at which of several addresses it has
    been taken already, '' where that is all or none. `notice` is what has to be known of one that came in: that it may
    be forged, or who forwarded it. With `until` it is not tried again before that time
    (UTC, ISO 8601), '' for at once.
    """

    about: ClassVar[Kind] = Kind(
        "message",
        "messages",
        place=11,
        needs=("client", "direction", "on"),
        called="subject",
        order=("-on", "-time", "-id"),
        day="on",
        indexes={
            "by_client": ("client", "on", "time", "state"),
            "by_state": ("state", "channel"),
            "by_mailing": ("mailing", "state"),
            "by_identifier": ("identifier",),
            "by_day": Indexed(("on", "time"), since=5),
        },
        sums=(Sum(name="last_contact_on", function="max", of="on", where={"state": ARRIVED}),),
        rights=Rights(staff=EVERYTHING, mail_key=May(ALL, ALL, ALL)),
        tab=Tab(number=25, colour="5b7fa6", since=4),
        export=Export(place=7, without=("until", "tries", "reached")),
        since=4,
    )

    client: int = described("Client", Id("client", owns=True))
    contact: int = described("Contact", Id("contact"))
    mailing: int = described("Mailing", Id("mailing"))
    channel: str = described("Channel", Choice(CHANNELS))
    direction: str = described("Direction", Choice(DIRECTIONS))
    state: str = described("State", Choice(STATES), by="steps")
    on: date = described("Date", Day())
    time: str = described("Time", TimeOfDay())
    sender: str = described("From", Line(320))
    to: str = described("To", Line(4000))
    cc: str = described("CC", Line(4000))
    bcc: str = described("BCC", Line(4000))
    subject: str = described("Subject", Line(300))
    body: str = described("Text", Prose())
    attachments: str = described("Attachments", Prose(4000))
    identifier: str = described("Message-ID", Line(300), by="steps")
    answers: str = described("In reply to", Line(300), by="steps")
    occasion: str = described("Occasion", Line(60), by="steps", help="like birthday 2026; once for each client")
    tries: int = described("Tries", Whole(), by="steps")
    until: str = described("Not before", Line(40), by="steps")
    failure: str = described("Failure", Line(500), by="steps")
    reached: str = described("Reached", Line(12_000), by="steps", since=7)
    notice: str = described("Notice", Line(300), by="steps", since=7)
    user: str = described("By", Person(), by="steps")
    user_id: int = account_beside("user")


OPT_OUT_WAYS = {
    "link": "by the link in an e-mail",
    "complaint": "reported as spam",
    "stop": "answered STOP",
    "asked": "asked for it",
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class OptOut(Record):
    """An e-mail address or a phone number to which nothing goes that was not asked for: no mailing and no greeting,
    whichever client it belongs to. It is kept by itself, so that nothing that is done to clients removes it."""

    about: ClassVar[Kind] = Kind(
        "opt_out",
        "opt-outs",
        noun="opt-out",
        place=18,
        needs=("address", "on"),
        called="address",
        order=("address",),
        day="on",
        unique=("address",),
        # Only an admin takes one away.
        rights=Rights(staff=May(ALL, create=ALL), mail_key=May(ALL, create=ALL)),
        tab=Tab(number=27, hidden=True, since=6),
        export=Export(place=8),
        lasting=True,
        since=7,
    )

    address: str = described("Address", Recipient(), help="an e-mail address or a phone number")
    on: date = described("Date", Day())
    way: str = described("How", Choice(OPT_OUT_WAYS), help="link, complaint, stop or asked")
    note: str = described("Note", Line(300))

"""Sending e-mail: the mailer, and the outcome of a mail for each of its recipients."""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol

from crm.errors import OutwardError
from crm.outward.outgoing import Mail, Party, new_message_id

# What CRM_SMTP_URL says where mail goes out through Google's interface instead of a mail server.
GMAIL = "gmail:"


class Fate(Enum):
    """The outcome of a mail for one recipient."""

    SENT = "sent"
    # For good: it will not be taken another time either.
    REFUSED = "refused"
    # Not now: nothing was sent, and another time it may be.
    LATER = "later"
    # It was handed over and there was no reply: it may have been sent, and a retry may send it twice.
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a mail for the recipient at `address`, and in one line what the server said to it."""

    address: str
    fate: Fate
    words: str = ""


class Connection(Protocol):
    """An open way to send mails, one after the other."""

    def deliver(self, mail: Mail) -> tuple[Outcome, ...]:
        """Send a mail; an outcome for each of its recipients, in their order.

        Raises OutwardError where nothing was sent to anybody for a reason that the next mail would meet as well:
        'refused' (settings, rights: somebody has to do something), 'offline' or 'busy' (try again later).
        """


class Mailer(Protocol):
    """A sender of e-mail."""

    @property
    def sender(self) -> Party:
        """The default sender of mails."""

    def connection(self) -> AbstractContextManager[Connection]:
        """A way to send many mails, which is closed behind them. It belongs to one thread; opening it sends nothing."""

    def check(self) -> None:
        """Connect and sign in, and send nothing. Raises OutwardError."""

    def send(self, to: str, subject: str, text: str) -> None:
        """Send a plain text, written by the program, to one address. Raises OutwardError where it is not sure that
        it was sent."""


def send_letter(mailer: Mailer, to: str, subject: str, text: str, at: datetime) -> None:
    """Send a mail by the other methods of a `Mailer`; `at` (aware) is the time of the e-mail."""
    mail = Mail(
        message_id=new_message_id(mailer.sender),
        at=at,
        sender=mailer.sender,
        to=(Party(to),),
        subject=subject,
        text=text,
        by_machine=True,
        is_markdown=False,
    )
    with mailer.connection() as connection:
        (outcome,) = connection.deliver(mail)
    reason = f" ({outcome.words})" if outcome.words else ""
    match outcome.fate:
        case Fate.REFUSED:
            raise OutwardError(f"The e-mail to {to} was refused{reason}.", reason="recipient")
        case Fate.LATER:
            raise OutwardError(f"The e-mail to {to} cannot be sent just now{reason}.", reason="busy")
        case Fate.UNKNOWN:
            raise OutwardError(f"It is not known whether the e-mail to {to} was sent{reason}.", reason="unknown")


def outcomes(mail: Mail, fate: Fate, words: str = "") -> tuple[Outcome, ...]:
    """The same outcome for every recipient of a mail."""
    return tuple(Outcome(recipient.address, fate, words) for recipient in mail.recipients)


def in_order(mail: Mail, outcomes: Iterable[Outcome]) -> tuple[Outcome, ...]:
    """Outcomes in the order of the recipients of a mail."""
    places = {recipient.address: at for at, recipient in enumerate(mail.recipients)}
    return tuple(sorted(outcomes, key=lambda outcome: places[outcome.address]))

"""Delivery status: the state of a message by the outcome for each recipient, and when it is tried again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from crm.clock import Clock
from crm.model import Message
from crm.model.fields.recipients import recipient_key
from crm.outward.mail import Fate, Outcome
from crm.outward.sanitizing import line

# Minutes until the next try after each that was put off; then it has failed: two days in all.
WAITS = (1, 5, 30, 120, *(240 for _ in range(11)))
# How a failure begins that is not the server's.
NOT_SENT = "not sent: "
_LONGEST = 500


@dataclass(frozen=True, slots=True)
class DeliveryStatus:
    """The outcome of an attempt: 'sent', 'failed', 'later', 'unsure', 'lost' (unsure too, but another machine may
    know), or 'unsent' (nothing was begun, or nothing came of it); in `failure` why, in the words of the server; and at
    which addresses it has been taken (`reached`)."""

    state: str
    failure: str = ""
    reached: tuple[str, ...] = ()


UNKNOWN = DeliveryStatus("unsure", "the program was stopped while sending")
ELSEWHERE = DeliveryStatus("lost", "another computer started to send it and has not reported back")


def status_of(message: Message, outcomes: Sequence[Outcome]) -> DeliveryStatus:
    """The status of a message by the outcomes for those that did not have it yet: of several recipients those that it
    is written to decide whether it was sent, and nobody gets it a second time because another did not get it."""
    fates = {outcome.fate for outcome in outcomes}
    written_to = {recipient_key(address) for address in addresses_in(message.to)}
    theirs = {outcome.fate for outcome in outcomes if recipient_key(outcome.address) in written_to}
    failure = _reasons(outcomes, len(recipients_of(message)))
    reached = tuple(outcome.address for outcome in outcomes if outcome.fate is Fate.SENT)
    if Fate.UNKNOWN in fates:
        return DeliveryStatus("unsure", failure, reached)
    if Fate.LATER in fates and theirs != {Fate.REFUSED}:
        return DeliveryStatus("later", failure, reached)
    if theirs <= {Fate.SENT}:
        return DeliveryStatus("sent", failure, reached)
    others = "; the others got it" if reached or message.reached else ""
    return DeliveryStatus("failed", f"{failure}{others}", reached)


def recipients_of(message: Message) -> list[str]:
    """The addresses of everybody a message goes to, each once."""
    written = (address for field in (message.to, message.cc, message.bcc) for address in addresses_in(field))
    return list({recipient_key(address): address for address in written}.values())


def addresses_in(written: str) -> list[str]:
    """The addresses that are in a field of a message, separated by commas."""
    return [address for part in written.split(",") if (address := part.strip())]


def lacking(message: Message) -> list[str]:
    """Those of the recipients of a message by whom it has not been taken, as far as is known."""
    reached = {recipient_key(address) for address in addresses_in(message.reached)}
    everybody = recipients_of(message)
    if not reached and message.state == "sent":
        return []
    if not reached and message.failure.endswith("; the others got it"):
        # An older version stored only the text.
        return [address for address in everybody if f"{address}: " in message.failure] or everybody
    return [address for address in everybody if recipient_key(address) not in reached]


def _reasons(outcomes: Sequence[Outcome], count: int) -> str:
    """The answers about those that did not get it, each by its address unless all of the `count` recipients of the
    message have the same."""
    missed = [outcome for outcome in outcomes if outcome.fate is not Fate.SENT]
    if len(missed) >= count and len({outcome.words for outcome in missed}) == 1:
        return missed[0].words
    return "; ".join(f"{outcome.address}: {outcome.words}" for outcome in missed)


def changes(message: Message, came: DeliveryStatus, at: datetime, clock: Clock) -> dict[str, Any]:
    """The fields of a message that is being sent as they are after a verdict of a time (aware)."""
    reached = {recipient_key(address): address for address in (*addresses_in(message.reached), *came.reached)}
    if reached.keys() >= {recipient_key(address) for address in recipients_of(message)}:
        # By all of them.
        reached = {}
    return {**_changes(message, came, at, clock), "reached": ", ".join(reached.values())}


def _changes(message: Message, came: DeliveryStatus, at: datetime, clock: Clock) -> dict[str, Any]:
    failure = line(came.failure, _LONGEST)
    match came.state:
        case "sent":
            on, time = clock.day_of(at), clock.time_of(at)
            return {"state": "sent", "until": "", "failure": failure, "on": on, "time": time}
        case "failed" | "unsure":
            return {"state": came.state, "until": "", "failure": failure}
        case "lost":
            # By the lease the machine that took it knows it again.
            return {"state": "unsure", "failure": failure}
        case "later":
            # Sent again by somebody, it has all tries once more.
            tried = (max(1, message.tries) - 1) % (len(WAITS) + 1)
            if tried == len(WAITS):
                given_up = f"{NOT_SENT}stopped trying after two days; {failure}"
                reached = {recipient_key(address) for address in (*addresses_in(message.reached), *came.reached)}
                written_to = {recipient_key(address) for address in addresses_in(message.to)}
                state = "sent" if written_to <= reached else "failed"
                return {"state": state, "until": "", "failure": line(given_up, _LONGEST)}
            until = at.astimezone(UTC) + timedelta(minutes=WAITS[tried])
            return {"state": "queued", "until": until.isoformat(timespec="seconds"), "failure": failure}
        case _:
            return {"state": "queued", "until": "", "tries": max(0, message.tries - 1)}

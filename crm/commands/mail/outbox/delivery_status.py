"""Delivery status: the state of a message by the outcome for each recipient, and when it is tried again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from crm.clock import Clock
from crm.model import Message
from crm.outward.mail import Fate, Outcome
from crm.outward.sanitizing import line

# Minutes until the next try after each that was put off; then it has failed: two days in all.
WAITS = (1, 5, 30, 120, *(240 for _ in range(11)))
# A failure that begins so says nothing against the address.
NOT_ITS_FAULT = "not sent: "
_LONGEST = 500


@dataclass(frozen=True, slots=True)
class DeliveryStatus:
    """How an attempt ended: 'sent', 'failed', 'later', 'unsure', 'lost' (unsure too, but another machine may know), or
    'unsent' (nothing was begun, or nothing came of it); and in `failure` why, in the words of the server."""

    state: str
    failure: str = ""


UNKNOWN = DeliveryStatus("unsure", "the program was stopped while it was handed over")
ELSEWHERE = DeliveryStatus("lost", "another computer took it to send, and has not said what became of it")


def verdict(message: Message, outcomes: Sequence[Outcome]) -> DeliveryStatus:
    """What becomes of a message: of several recipients those that it is written to decide, and nobody gets it a second
    time because another did not get it."""
    fates = {outcome.fate for outcome in outcomes}
    written_to = {part.strip() for part in message.to.split(",")}
    theirs = {outcome.fate for outcome in outcomes if outcome.address in written_to} or fates
    failure = _reasons(outcomes)
    if Fate.UNKNOWN in fates:
        return DeliveryStatus("unsure", failure)
    if theirs == {Fate.SENT}:
        return DeliveryStatus("sent", failure)
    if Fate.SENT in fates:
        return DeliveryStatus("failed", f"{failure}; the others got it")
    if Fate.LATER in fates and theirs != {Fate.REFUSED}:
        return DeliveryStatus("later", failure)
    return DeliveryStatus("failed", failure)


def _reasons(outcomes: Sequence[Outcome]) -> str:
    """What was said of those that did not get it, each by its address where there are several."""
    missed = [outcome for outcome in outcomes if outcome.fate is not Fate.SENT]
    if len(outcomes) == 1:
        return "".join(outcome.words for outcome in missed)
    if len({outcome.words for outcome in missed}) == 1 and len(missed) == len(outcomes):
        return missed[0].words
    return "; ".join(f"{outcome.address}: {outcome.words}" for outcome in missed)


def changes(message: Message, came: DeliveryStatus, at: datetime, clock: Clock) -> dict[str, Any]:
    """The fields of a message that is being sent as they are after a verdict of a time (aware)."""
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
                given_up = f"{NOT_ITS_FAULT}given up after two days; {failure}"
                return {"state": "failed", "until": "", "failure": line(given_up, _LONGEST)}
            until = at.astimezone(UTC) + timedelta(minutes=WAITS[tried])
            return {"state": "queued", "until": until.isoformat(timespec="seconds"), "failure": failure}
        case _:
            return {"state": "queued", "until": "", "tries": max(0, message.tries - 1)}

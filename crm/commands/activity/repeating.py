"""Follow-ups that repeat are counted from the last contact with the client; whoever logs one sees which it moved."""

from collections.abc import Mapping, Sequence

from crm.model import Conventions, FollowUp
from crm.repository import Query, Snapshot


def repeating(snapshot: Snapshot, client: int) -> Mapping[int, FollowUp]:
    """The open follow-ups of a client that repeat, by their numbers."""
    listed = snapshot.find_all(FollowUp, Query({"client": client, "done_on": None}))
    return {follow_up.id: follow_up for follow_up in listed if follow_up.every}


def moves(before: Mapping[int, FollowUp], after: Mapping[int, FollowUp], by: Conventions) -> Sequence[str]:
    """A sentence for each follow-up whose day is another one afterwards."""
    return [
        f"Moves the follow-up {old.what} from {_day(old, by)} to {_day(new, by)}"
        for number, old in before.items()
        if (new := after.get(number)) is not None and new.due_on != old.due_on
    ]


def _day(follow_up: FollowUp, by: Conventions) -> str:
    return f"{by.weekday(follow_up.due_on)}, {by.day(follow_up.due_on)}"

"""Repeating follow-ups: counted from the last contact with the client; logging one shows which it moved."""

from collections.abc import Mapping, Sequence
from typing import Any

from crm.commands.context import CRM
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


def just_moved(crm: CRM, client: int) -> Sequence[str]:
    """A sentence for each follow-up of a client that the last change in the store has moved."""
    with crm.read() as snapshot:
        last = next(iter(snapshot.history(1)), None)
        return [
            f"Moved the follow-up {follow_up.what} to {_day(follow_up, crm.conventions)}"
            for follow_up in repeating(snapshot, client).values()
            if last is not None and follow_up.version > 1 and follow_up.updated_at == last.at
        ]


def moved_by(crm: CRM, arguments: Mapping[str, Any]) -> str:
    """The follow-ups that a contact with a client has moved, for the shell; '' for none."""
    return "\n".join(just_moved(crm, arguments["client"].id))


def _day(follow_up: FollowUp, by: Conventions) -> str:
    return f"{by.weekday(follow_up.due_on)}, {by.day(follow_up.due_on)}"

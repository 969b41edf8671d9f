"""The statuses that have a colour, read without the language of the rules: the first menu draws them."""

from crm.model import StatusRule
from crm.repository import Query, Snapshot
from crm.repository.queries import clients


def coloured_statuses(snapshot: Snapshot) -> list[str]:
    """The statuses that have a colour, in the order of the rules: all but that of everyone else."""
    rules = snapshot.find_all(StatusRule, Query({"active": True}))
    everyones = {rule.status for rule in rules if not rule.when}
    known = dict.fromkeys((*(rule.status for rule in rules), *clients.statuses(snapshot)))
    return [status for status in known if status and status not in everyones]

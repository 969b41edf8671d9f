"""Status rules: listed, changed, previewed, applied, and explained for one client."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from crm.commands.client_selection import TheClient
from crm.commands.context import CRM
from crm.commands.deletions import deleted
from crm.commands.registry import ONLY_ADMIN, About, command
from crm.errors import FieldError, NotFoundError
from crm.model import Client, StatusRule
from crm.model.fields import Choice, Line, Whole
from crm.repository import REVIEWED, Snapshot, StatusMove, Transaction
from crm.repository.queries import clients
from crm.rules import SETS, RuleSet, Trace, rule_text, split_rule

TheRule = Annotated[StatusRule, About("Rule", "its number", positional=True)]
RuleLine = Annotated[
    str, Line(1100), About("Rule", "like VIP when total_spend >= 35000, or Regular otherwise", positional=True)
]
_SHOWN_MOVES = 20


@dataclass(frozen=True, slots=True)
class MoveCount:
    """The number of clients who go from one status to another."""

    before: str
    after: str
    clients: int


@dataclass(frozen=True, slots=True)
class RulesReport:
    """The clients whose status moves, or moved: `clients` in all, counts by (from, to), and the first ones by name."""

    applied: bool
    clients: int
    counts: Sequence[MoveCount]
    moves: Sequence[StatusMove]


@dataclass(frozen=True, slots=True)
class Why:
    """The explanation of a client's status: the stored reason, a pin, and what each rule says today."""

    client: Client
    reason: str
    pinned_until: date | None
    rules: Sequence[Trace]

    def as_json(self) -> dict[str, Any]:
        """The client's id and status, the reason, and the rules."""
        client = {"client": self.client.id, "name": self.client.name, "status": self.client.status}
        return {**client, "reason": self.reason, "pinned_until": self.pinned_until, "rules": self.rules}


@command("rules list", title="List the rules", menu="rules", nothing="No status rules yet.")
def list_all(crm: CRM) -> list[StatusRule]:
    """List the rules in order; the first rule that matches a client decides its status."""
    with crm.read() as snapshot:
        return list(snapshot.find_all(StatusRule))


@command("rules add", title="Add a rule", menu="rules", roles=ONLY_ADMIN)
def add(
    crm: CRM,
    rule: RuleLine = "",
    status: Annotated[str, Line(40), About("Status")] = "",
    when: Annotated[str, Line(1000), About("When", "the condition; empty for all other clients")] = "",
    position: Annotated[int | None, Whole(least=1), About("Position", "by default before a last 'otherwise'")] = None,
    active: bool = True,
) -> StatusRule:
    """Add a rule, as one line or as status and condition. Clients keep their status until you apply the rules."""
    status, when = _read(rule, status, when)

    def change(tx: Transaction) -> StatusRule:
        rules = tx.find_all(StatusRule)
        place = len(rules)
        if position is not None:
            place = min(position - 1, len(rules))
        elif when and rules and not rules[-1].when:
            place -= 1
        added = StatusRule(position=place + 1, status=status, when=when, active=active)
        for number, rule in enumerate(rules[place:], start=place + 2):
            tx.change(rule, position=number)
        return tx.add(added)

    return crm.transact(change, f"added the rule {rule_text(status, when)}")


def _read(rule: str, status: str, when: str) -> tuple[str, str]:
    """The status and the condition, from one line or from both parts. Raises RuleError or FieldError."""
    if rule and (status or when):
        raise FieldError("give the rule as one line, or its status and condition, not both")
    if rule:
        return split_rule(rule)
    if not status:
        raise FieldError("a rule needs a status; write it like VIP when total_spend >= 35000", field="status")
    return split_rule(rule_text(status, when))


@command("rules edit", title="Edit a rule", roles=ONLY_ADMIN)
def edit(
    crm: CRM,
    rule: TheRule,
    line: Annotated[str, Line(1100), About("New rule", "the whole rule as one line", positional=True)] = "",
    status: Annotated[str, Line(40), About("Status")] = "",
    when: Annotated[str, Line(1000), About("When")] = "",
    active: Annotated[bool | None, About("Active", "no switches the rule off")] = None,
) -> StatusRule:
    """Change a rule, or turn it on or off. Clients keep their status until you apply the rules."""
    changes: dict[str, Any] = {} if active is None else {"active": active}
    if line:
        changes["status"], changes["when"] = _read(line, status, when)
    elif status or when:
        changes["status"], changes["when"] = _read("", status or rule.status, when or rule.when)
    if not changes:
        raise FieldError("name at least one field to change")
    return crm.transact(lambda tx: tx.change(rule, **changes), f"edited the rule {rule_text(rule.status, rule.when)}")


@command("rules move", title="Move a rule up or down", roles=ONLY_ADMIN, nothing="No status rules yet.")
def move(
    crm: CRM, rule: TheRule, to: Annotated[int, Whole(least=1), About("To position", positional=True)]
) -> list[StatusRule]:
    """Move a rule to another position; the first rule that matches decides, so the order matters."""

    def change(tx: Transaction) -> list[StatusRule]:
        rules = [status_rule for status_rule in tx.find_all(StatusRule) if status_rule.id != rule.id]
        rules.insert(to - 1, tx.get(StatusRule, rule.id))
        return [tx.change(rule, position=number) for number, rule in enumerate(rules, start=1)]

    return crm.transact(change, f"moved the rule {rule_text(rule.status, rule.when)} to {to}")


@command("rules remove", title="Remove a rule", roles=ONLY_ADMIN, as_text=deleted)
def remove(crm: CRM, rule: TheRule) -> StatusRule:
    """Remove a rule. Clients keep their status until you apply the rules. You can undo it."""

    def change(tx: Transaction) -> StatusRule:
        tx.delete(rule)
        for number, status_rule in enumerate(tx.find_all(StatusRule), start=1):
            tx.change(status_rule, position=number)
        return rule

    return crm.transact(change, f"removed the rule {rule_text(rule.status, rule.when)}")


@command(
    "rules use",
    title="Start from a ready-made set",
    menu="rules",
    hint="Replaces your rules",
    roles=ONLY_ADMIN,
    nothing="No status rules yet.",
)
def use(
    crm: CRM,
    name: Annotated[
        str,
        Choice({rule_set.name: f"{rule_set.title}: {rule_set.description}" for rule_set in SETS.values()}),
        About("Set", positional=True),
    ],
) -> list[StatusRule]:
    """Replace all rules with a ready-made set. You can undo it."""
    if name not in SETS:
        raise NotFoundError(f"No set called {name}. Use one of {', '.join(SETS)}.")

    def change(tx: Transaction) -> list[StatusRule]:
        for status_rule in tx.find_all(StatusRule):
            tx.delete(status_rule)
        numbered = enumerate(SETS[name].rules(), start=1)
        return [
            tx.add(StatusRule(position=at, status=status, when=when, active=True)) for at, (status, when) in numbered
        ]

    return crm.transact(change, f"replaced the rules with the set {name}")


@command("rules preview", title="Preview changes", menu="rules", hint="Which statuses would change")
def preview(
    crm: CRM,
    rule: Annotated[list[str], Line(1100), About("Rules instead of the stored ones", "as lines, in order")] = [],  # noqa: B006
) -> RulesReport:
    """Show which clients would get another status, and change nothing."""
    tried = RuleSet((-at, *split_rule(line)) for at, line in enumerate(rule, start=1)) if rule else None
    with crm.read() as snapshot:
        counts = snapshot.move_counts(tried)
        return _report(counts, snapshot.moves(tried, _SHOWN_MOVES), applied=False)


def statuses(snapshot: Snapshot) -> list[str]:
    """The statuses there are: those of the active rules in their order, then others that clients have (pinned ones,
    those of former rules), '' last."""
    known = dict.fromkeys(rule.status for rule in snapshot.rules.rules)
    known |= dict.fromkeys(clients.statuses(snapshot))
    return sorted(known, key=lambda status: status == "")


def _report(counts: Mapping[tuple[str, str], int], moves: Sequence[StatusMove], *, applied: bool) -> RulesReport:
    moving = {pair: number for pair, number in counts.items() if pair[0] != pair[1]}
    ordered = sorted(moving.items(), key=lambda item: (-item[1], item[0]))
    listed = [MoveCount(before, after, number) for (before, after), number in ordered]
    return RulesReport(applied, sum(moving.values()), listed, [move for move in moves if move.before != move.after])


@command(
    "rules apply",
    title="Apply to all clients",
    menu="rules",
    hint="Review the status of everyone now",
    roles=ONLY_ADMIN,
)
def apply(crm: CRM) -> RulesReport:
    """Give every client the status that the rules decide. You can undo it."""

    def change(tx: Transaction) -> RulesReport:
        moves = tx.moves(limit=_SHOWN_MOVES)
        return _report(tx.review_all(), moves, applied=True)

    report = crm.transact(change, "applied the rules")
    crm.repository.set_fact(REVIEWED, crm.today.isoformat())
    return report


@command("rules why", title="Why does a client have this status?")
def why(crm: CRM, client: TheClient) -> Why:
    """Explain a client's status: the rule that matched, the values, and the result of every other rule."""
    with crm.read() as snapshot:
        record = snapshot.get(Client, client.id)
        traces = snapshot.rules.explain(snapshot.values(record, snapshot.rules.needs))
    pinned = record.status_pinned_until
    return Why(record, record.status_reason, pinned if pinned and pinned >= crm.today else None, traces)

"""An ordered list of rules that decides on a status: the first rule that fits gives it."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import dropwhile
from typing import Final

from crm.rules.compiling import compile_condition
from crm.rules.grammar import Condition, reason_names
from crm.rules.lines import checked_status, read_rule, rule_text
from crm.rules.metrics import METRICS, Values, value_text

NO_RULE_FITS = "No rule applies"


@dataclass(frozen=True, slots=True)
class Decision:
    """The status that the rules give, why, and which rule gave it (None, and status '', when none fits)."""

    status: str
    reason: str
    rule_id: int | None


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule read: `condition` is None for otherwise, `names` are the metrics as the reason lists them."""

    id: int
    status: str
    when: str
    condition: Condition | None
    names: tuple[str, ...]

    @property
    def text(self) -> str:
        """The rule as one line."""
        return rule_text(self.status, self.when)


@dataclass(frozen=True, slots=True)
class Trace:
    """The trace of one rule for one client.

    `fits` is set for every rule, `reached` is False after the rule that decided; `values` are the names in
    the rule with their values as a reason writes them.
    """

    rule_id: int
    text: str
    fits: bool
    reached: bool
    values: tuple[tuple[str, str], ...]


class RuleSet:
    """The active rules in their order, read once.

    Raises RuleError when one of them cannot be read, placed in the whole line of that rule.
    """

    rules: Final[tuple[Rule, ...]]
    needs: Final[frozenset[str]]
    depends_on_day: Final[bool]
    unreachable: Final[tuple[int, ...]]

    def __init__(self, rules: Iterable[tuple[int, str, str]]) -> None:
        self.rules = tuple(_rule(rule_id, status, when) for rule_id, status, when in rules)
        self.needs = frozenset(name for rule in self.rules for name in rule.names)
        self.depends_on_day = any(METRICS[name].depends_on_day for name in self.needs)
        after = list(dropwhile(lambda rule: rule.condition is not None, self.rules))[1:]
        self.unreachable = tuple(rule.id for rule in after)
        self._tests = tuple(
            (compile_condition(rule.condition) if rule.condition else lambda _: True, rule) for rule in self.rules
        )

    def decide(self, values: Values) -> Decision:
        """The status for a client with these values, which hold every name in `needs` (None when missing)."""
        for test, rule in self._tests:
            if test(values):
                return Decision(rule.status, _reason(rule, values), rule.id)
        return Decision("", NO_RULE_FITS, None)

    def explain(self, values: Values) -> list[Trace]:
        """The trace of each rule for a client with these values, in order."""
        traces: list[Trace] = []
        reached = True
        for test, rule in self._tests:
            fits = test(values)
            values_used = tuple((name, value_text(name, values[name])) for name in rule.names)
            traces.append(Trace(rule.id, rule.text, fits, reached, values_used))
            reached = reached and not fits
        return traces


def _rule(rule_id: int, status: str, when: str) -> Rule:
    status = checked_status(status)
    condition = read_rule(status, when)
    return Rule(rule_id, status, when, condition, () if condition is None else reason_names(condition))


def _reason(rule: Rule, values: Values) -> str:
    if not rule.names:
        return rule.text
    met = ", ".join(f"{name} {value_text(name, values[name])}" for name in rule.names)
    return f"{rule.text} ({met})"

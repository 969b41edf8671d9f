"""Status rules: readable conditions over a client's figures, read, checked and decided exactly."""

from crm.rules.compiling import compile_condition
from crm.rules.grammar import (
    And,
    Arithmetic,
    ArithmeticOperator,
    Compare,
    CompareOperator,
    Condition,
    Expression,
    HasTag,
    In,
    IsMissing,
    Literal,
    Name,
    Negate,
    Not,
    Or,
    reason_names,
)
from crm.rules.lines import MAX_STATUS_LENGTH, checked_status, rule_text, split_rule
from crm.rules.metrics import METRICS, OFTEN_USED, Kind, Metric, Value, Values, value_text
from crm.rules.parser import parse_condition
from crm.rules.printing import condition_text
from crm.rules.ruleset import NO_RULE_FITS, Decision, Rule, RuleSet, Trace
from crm.rules.sets import SETS, ReadySet
from crm.rules.tokens import MAX_LENGTH

__all__ = [
    "MAX_LENGTH",
    "MAX_STATUS_LENGTH",
    "METRICS",
    "NO_RULE_FITS",
    "OFTEN_USED",
    "SETS",
    "And",
    "Arithmetic",
    "ArithmeticOperator",
    "Compare",
    "CompareOperator",
    "Condition",
    "Decision",
    "Expression",
    "HasTag",
    "In",
    "IsMissing",
    "Kind",
    "Literal",
    "Metric",
    "Name",
    "Negate",
    "Not",
    "Or",
    "ReadySet",
    "Rule",
    "RuleSet",
    "Trace",
    "Value",
    "Values",
    "checked_status",
    "compile_condition",
    "condition_text",
    "parse_condition",
    "reason_names",
    "rule_text",
    "split_rule",
    "value_text",
]

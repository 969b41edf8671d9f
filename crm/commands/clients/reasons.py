"""Reasons of statuses in words: rules use field names, people read labels."""

import re
from decimal import Decimal

from crm.lazy_pattern import lazy_pattern
from crm.model import Conventions

_SIGNS = {
    ">=": "is at least", ">": "is more than", "<=": "is at most", "<": "is less than", "!=": "is not", "=": "is"
}  # fmt: skip
# Figures whose name, with blanks, is not what one calls them.
_NAMES = {"sales_count": "number of sales"}
_NUMBER = r"-?\d+(?:\.\d+)?"
# A figure compared with one value, not with two; or a figure and what it is.
_COMPARED = lazy_pattern(rf"(?<![<>=] )\b([a-z_]+) (>=|<=|!=|=|>|<) ({_NUMBER}|'[^']*')(?! ?[<>=])")
_IS = lazy_pattern(rf"\b([a-z_]+) ({_NUMBER}|none)\b")
_NAME = lazy_pattern(r"\b[a-z]+(?:_[a-z0-9]+)+\b")
# What is quoted in a rule is left as it is.
_QUOTED = lazy_pattern(r"('[^']*')")


def reason_words(reason: str, by: Conventions) -> str:
    """The stored reason of a status, or a rule, in words."""
    status, when, rule = reason.partition(" when ")
    if not when:
        return (
            f"{status.removesuffix(' otherwise')} (no other rule applies)" if reason.endswith(" otherwise") else reason
        )
    return f"{status} when {_words(rule, by)}"


def values_words(values: tuple[tuple[str, str], ...], by: Conventions) -> str:
    """Figures and what they are, in words."""
    return ", ".join(_figure(name, value, by) for name, value in values)


def _words(rule: str, by: Conventions) -> str:
    """A condition, and in brackets what its figures are, in words."""

    def compared(match: re.Match[str]) -> str:
        name, sign, value = match.groups()
        return f"{_name(name)} {_SIGNS[sign]} {_value(name, value, by)}" if _is_metric(name) else match.group()

    def figure(match: re.Match[str]) -> str:
        return _figure(match[1], match[2], by) if _is_metric(match[1]) else match.group()

    words = _COMPARED.sub(compared, rule)
    pieces = _QUOTED.split(words)
    return "".join(
        piece if place % 2 else _NAME.sub(lambda match: _name(match.group()), _IS.sub(figure, piece))
        for place, piece in enumerate(pieces)
    )


def _figure(name: str, value: str, by: Conventions) -> str:
    return f"{_name(name)} {_value(name, value, by)}"


def _name(metric: str) -> str:
    return _NAMES.get(metric, metric.replace("_", " ")) if _is_metric(metric) else metric


def _value(metric: str, value: str, by: Conventions) -> str:
    """A value of a figure: an amount with its currency."""
    from crm.rules.metrics import METRICS

    is_money = METRICS[metric].kind == "money" and re.fullmatch(_NUMBER, value)
    return by.money(Decimal(value)) if is_money else value


def _is_metric(name: str) -> bool:
    from crm.rules.metrics import METRICS

    return name in METRICS

"""The names that a rule may use, what each one stands for, and how its value is written in a reason."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["money", "number", "text", "tags"]

# None is a missing value; '' is a missing text. Money is in major units, never a float.
Value: TypeAlias = Decimal | Fraction | int | str | tuple[str, ...] | None
Values: TypeAlias = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Metric:
    """One name that a rule may use; `depends_on_day` when its value changes by itself as days pass."""

    name: str
    kind: Kind
    description: str
    depends_on_day: bool = False


_TABLE = (
    Metric("total_spend", "money", "Sum of all sales, 0 without sales."),
    Metric("sales_count", "number", "How many sales there are, 0 without sales."),
    Metric("average_sale", "money", "Sum of all sales divided by their number; missing without sales."),
    Metric("largest_sale", "money", "The largest single sale; missing without sales."),
    Metric("days_since_last_sale", "number", "Days since the latest sale; missing without sales.", True),
    Metric("days_since_first_sale", "number", "Days since the first sale; missing without sales.", True),
    Metric("days_since_added", "number", "Days since the client was added.", True),
    Metric("days_since_last_contact", "number", "Days since the last call, meeting or message; missing without.", True),
    Metric("days_to_next_follow_up", "number", "Days to the next follow-up, below 0 when overdue.", True),
    Metric("spend_last_30_days", "money", "Sum of the sales of the last 30 days.", True),
    Metric("spend_last_90_days", "money", "Sum of the sales of the last 90 days.", True),
    Metric("spend_last_365_days", "money", "Sum of the sales of the last 365 days.", True),
    Metric("sales_last_30_days", "number", "How many sales there were in the last 30 days.", True),
    Metric("sales_last_90_days", "number", "How many sales there were in the last 90 days.", True),
    Metric("sales_last_365_days", "number", "How many sales there were in the last 365 days.", True),
    Metric("status", "text", "The status that the client has before the rules are applied."),
    Metric("kind", "text", "'person' or 'company'."),
    Metric("country", "text", "Country as two capital letters (ISO 3166), such as 'DE'."),
    Metric("tags", "tags", "The client's tags, in lower case; used with in and not in."),
    Metric("city", "text", "The client's city."),
    Metric("owner", "text", "Who looks after the client."),
    Metric("source", "text", "Where the client came from."),
    Metric("age", "number", "Age in whole years; missing without a date of birth.", True),
)

METRICS: Mapping[str, Metric] = MappingProxyType({metric.name: metric for metric in _TABLE})

_CENT = Decimal("0.01")
# The default context would refuse more than 28 digits and round half to even.
_CENTS = Context(prec=100, rounding=ROUND_HALF_UP)


def value_text(name: str, value: Value) -> str:
    """A value of the metric `name` as a reason shows it.

    Money has exactly two decimals, half a cent rounded away from zero; tags are joined by ','; a missing
    value is 'none'.
    """
    if value is None or value in ("", ()):
        return "none"
    if METRICS[name].kind == "money" and isinstance(value, Decimal | Fraction | int):
        return _money_text(value)
    if isinstance(value, tuple):
        return ",".join(value)
    return str(value)


def _money_text(value: Decimal | Fraction | int) -> str:
    if isinstance(value, Fraction):
        # floor(2n/d + 1) // 2 on the magnitude is an exact round-half-up to whole cents.
        magnitude = abs(value) * 100
        cents = (2 * magnitude.numerator + magnitude.denominator) // (2 * magnitude.denominator)
        value = Decimal(cents if value >= 0 else -cents).scaleb(-2, _CENTS)
    rounded = _CENTS.quantize(Decimal(value), _CENT)
    return str(rounded) if rounded else "0.00"

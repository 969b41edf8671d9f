"""The names that a rule may use, what each one stands for, and how its value is written in a reason."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import Literal, TypeAlias

from crm.model.money import plain_amount

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
    Metric("open_amount", "money", "Sum of what is open on invoices in the team's currency."),
    Metric("overdue_amount", "money", "Sum of what is overdue on invoices in the team's currency.", True),
    Metric(
        "days_overdue",
        "number",
        "Days since the oldest of these was due; missing without one.",
        True,
    ),
    Metric("status", "text", "The status that the client has before the rules are applied."),
    Metric("kind", "text", "'person' or 'company'."),
    Metric("country", "text", "Country as two capital letters (ISO 3166), such as 'DE'."),
    Metric("tags", "tags", "The client's tags, in lower case; used with in and not in."),
    Metric("city", "text", "The client's city."),
    Metric("region", "text", "The client's state or region, as it was typed, such as 'OH'."),
    Metric("owner", "text", "Who looks after the client."),
    Metric("source", "text", "Where the client came from."),
    Metric("age", "number", "Age in whole years; missing without a date of birth.", True),
)

METRICS: Mapping[str, Metric] = MappingProxyType({metric.name: metric for metric in _TABLE})
# Those that an error about an unknown name lists.
OFTEN_USED = ("total_spend", "sales_count", "days_since_last_sale", "spend_last_365_days", "status", "country", "tags")


def value_text(name: str, value: Value) -> str:
    """A value of the metric `name` as a reason shows it.

    Money has two decimals, or four where two are too few; an average is rounded to two, half of one away from zero.
    Tags are joined by ','; a missing value is 'none'.
    """
    if value is None or value in ("", ()):
        return "none"
    if METRICS[name].kind == "money" and isinstance(value, Decimal | Fraction | int):
        return plain_amount(Decimal(value) if isinstance(value, int) else value)
    if isinstance(value, tuple):
        return ",".join(value)
    return str(value)

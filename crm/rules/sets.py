"""The sets of rules to begin with, each complete: every client gets a status from it."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from crm.rules.lines import split_rule


@dataclass(frozen=True, slots=True)
class ReadySet:
    """A ready-made set: rules as lines, first match wins."""

    name: str
    title: str
    description: str
    lines: tuple[str, ...]

    def rules(self) -> list[tuple[str, str]]:
        """The rules in order as (status, condition), the condition '' for otherwise."""
        return [split_rule(line) for line in self.lines]


_SETS = (
    ReadySet(
        "default",
        "VIP and Regular",
        "Clients who spent 35000 or more in all are VIP, everyone else is Regular.",
        (
            "VIP when total_spend >= 35000",
            "Regular otherwise",
        ),
    ),
    ReadySet(
        "loyalty",
        "Loyalty tiers",
        "Four tiers by everything ever spent, and those who have not bought yet.",
        (
            "Platinum when total_spend >= 35000",
            "Gold when total_spend >= 15000",
            "Silver when total_spend >= 5000",
            "Bronze when sales_count > 0",
            "Prospect otherwise",
        ),
    ),
    ReadySet(
        "recency",
        "How recently they bought",
        "New and active clients, those at risk after 90 days without a sale, and the dormant ones.",
        (
            "New when days_since_first_sale <= 30 or (sales_count = 0 and days_since_added <= 30)",
            "Active when days_since_last_sale <= 90",
            "At risk when days_since_last_sale <= 180",
            "Dormant otherwise",
        ),
    ),
    ReadySet(
        "rfm",
        "Best and lapsed clients (RFM)",
        "Segments by how recently, how often and for how much a client bought.",
        (
            "Champion when days_since_last_sale <= 30 and sales_last_365_days >= 6 and total_spend >= 10000",
            "Loyal when days_since_last_sale <= 90 and sales_last_365_days >= 4",
            "New when days_since_first_sale <= 90",
            "Promising when days_since_last_sale <= 90",
            "Cannot lose when days_since_last_sale > 90 and (sales_count >= 10 or total_spend >= 35000)",
            "At risk when 90 < days_since_last_sale <= 180",
            "Lost when days_since_last_sale > 180",
            "Prospect otherwise",
        ),
    ),
)

SETS: Mapping[str, ReadySet] = MappingProxyType({ready.name: ready for ready in _SETS})

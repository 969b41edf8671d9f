"""The category of tax that goes with a rate."""

from decimal import Decimal

from crm.errors import FieldError
from crm.model import ABOVE_ZERO, TAX_CATEGORIES, TAXED_CATEGORIES

STANDARD, ZERO = "S", "Z"


def category_for(category: str, rate: Decimal) -> str:
    """The category, or the one that follows from a rate: standard, or zero. Raises FieldError where the two do not go
    together: most categories have no rate."""
    category = category or (STANDARD if rate else ZERO)
    if category in ABOVE_ZERO and not rate:
        which = "the standard category" if category == STANDARD else f"{category} ({TAX_CATEGORIES[category]})"
        raise FieldError(f"{which} needs a rate above 0; at 0 % it is Z, E, AE, K, G or O",
                         field="tax_rate", label="Tax rate")  # fmt: skip
    if category not in TAXED_CATEGORIES and rate:
        message = f"{category} ({TAX_CATEGORIES[category]}) has no tax, so its rate is 0"
        raise FieldError(message, field="tax_rate", label="Tax rate")
    return category

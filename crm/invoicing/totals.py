"""From quantities and prices to net, tax and total: the one place that computes them.

Net prices: line net = round(quantity x price / basis) - discounts + charges; base of a tax group = its line nets -
discounts + charges of the document; tax = round(base x rate / 100), once for the group. Gross prices: of a tax group
G is the sum of its gross lines; base = round(G / (1 + rate)), tax = G - base, and the line nets share the base by
largest remainder. Everything is rounded half up on the absolute value to the digits of the currency. No float.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from crm.invoicing.document import Adjustment, AppliedAdjustment, InvoiceDocument, PricedLine, TaxGroup


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """All that follows from the lines and the adjustments of a document."""

    line_nets: tuple[Decimal, ...]
    """In the order of the lines."""
    line_amounts: tuple[Decimal, ...]
    """What each line shows: its net, or with gross prices its gross amount."""
    adjustments: tuple[AppliedAdjustment, ...]
    taxes: tuple[TaxGroup, ...]
    line_total: Decimal
    discount_total: Decimal
    charge_total: Decimal
    net: Decimal
    tax: Decimal
    total: Decimal


def totals(
    lines: Sequence[PricedLine], adjustments: Sequence[Adjustment] = (), *, decimals: int = 2, gross: bool = False
) -> Totals:
    """Every figure of a document. `decimals` are those of its currency (`crm.model.money.decimals_of`).

    Raises FieldError where an adjustment has both or neither of an amount and a percentage, or is to be shared over
    lines that there are none of.
    """
    raise NotImplementedError


def completed(document: InvoiceDocument, adjustments: Sequence[Adjustment] = ()) -> InvoiceDocument:
    """The document with every figure computed from its lines and the adjustments: line nets, tax groups with their
    reasons, net, tax, total, and open = total - paid - credited."""
    raise NotImplementedError

"""From quantities and prices to net, tax and total: the one place that computes them.

Net prices: line net = round(quantity x price / basis) - discounts + charges; base of a tax group = its line nets -
discounts + charges of the document; tax = round(base x rate / 100), once for the group. Gross prices: of a tax group
G is the sum of its gross lines; base = round(G / (1 + rate)), tax = G - base, and the line nets share the base by
largest remainder. Everything is rounded half up on the absolute value to the digits of the currency. No float.
"""

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from crm.errors import FieldError
from crm.invoicing.document import (
    CATEGORIES,
    NOTHING,
    REASONS,
    TAXED,
    Adjustment,
    AppliedAdjustment,
    InvoiceDocument,
    PricedLine,
    TaxGroup,
)
from crm.model.money import decimals_of, rounded

_Group = tuple[str, Decimal]


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """All that follows from the lines and the adjustments of a document."""

    line_nets: tuple[Decimal, ...]
    """In the order of the lines."""
    line_amounts: tuple[Decimal, ...]
    """The figure that each line shows: its net, or with gross prices its gross amount."""
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

    Raises FieldError where an adjustment has both or neither of an amount and a percentage, or falls on a tax group
    that no line and no full category and rate names.
    """
    amounts = tuple(line_amount(line, decimals) for line in lines)
    groups: dict[_Group, Decimal] = {}
    for line, amount in zip(lines, amounts, strict=True):
        key = _group(line.category, line.rate)
        groups[key] = groups.get(key, NOTHING) + amount
    groups = dict(sorted(groups.items(), key=lambda item: _place(item[0])))
    applied = [part for adjustment in adjustments for part in _applied(adjustment, groups, decimals)]
    bases = dict(groups)
    for part in applied:
        key = _group(part.category, part.rate)
        bases[key] = bases.get(key, NOTHING) + (part.amount if part.is_charge else -part.amount)
    nets = list(amounts)
    taxes = []
    for (category, rate), amount in sorted(bases.items(), key=lambda item: _place(item[0])):
        if gross:
            base = rounded(Fraction(amount) / _factor(rate), decimals)
            tax = amount - base
            _share_base(base, (category, rate), lines, nets, applied, decimals)
        else:
            base, tax = amount, rounded(Fraction(amount) * Fraction(rate) / 100, decimals)
        taxes.append(TaxGroup(category=category, rate=rate, base=base, tax=tax))
    net, tax = _sum(group.base for group in taxes), _sum(group.tax for group in taxes)
    return Totals(
        line_nets=tuple(nets),
        line_amounts=amounts,
        adjustments=tuple(applied),
        taxes=tuple(taxes),
        line_total=_sum(nets),
        discount_total=_sum(part.amount for part in applied if not part.is_charge),
        charge_total=_sum(part.amount for part in applied if part.is_charge),
        net=net,
        tax=tax,
        total=net + tax,
    )


def completed(document: InvoiceDocument, adjustments: Sequence[Adjustment] = ()) -> InvoiceDocument:
    """The document with every figure computed from its lines and the adjustments: line nets, tax groups with their
    reasons, net, tax, total, and what is open: never less than nothing, as the rest is credit of the client."""
    figures = totals(
        document.lines, adjustments, decimals=decimals_of(document.currency), gross=document.prices_are_gross
    )
    lines = tuple(
        dataclasses.replace(line, net=net, amount=amount)
        for line, net, amount in zip(document.lines, figures.line_nets, figures.line_amounts, strict=True)
    )
    untaxed = {group.category for group in figures.taxes} - {*TAXED, "Z"}
    taxes = tuple(
        dataclasses.replace(group, reason=_reason(document, group.category, is_only=len(untaxed) == 1))
        for group in figures.taxes
    )
    return dataclasses.replace(
        document,
        lines=lines,
        adjustments=figures.adjustments,
        taxes=taxes,
        line_total=figures.line_total,
        discount_total=figures.discount_total,
        charge_total=figures.charge_total,
        net=figures.net,
        tax=figures.tax,
        total=figures.total,
        open=max(figures.total - document.paid - document.credited, NOTHING),
    )


def line_amount(line: PricedLine, decimals: int = 2) -> Decimal:
    """The amount of one line in the prices of its document: round(quantity x price / basis) - discounts + charges."""
    if line.basis <= 0:
        raise FieldError("the quantity that a price is for must be above zero", field="basis")
    amount = rounded(Fraction(line.quantity) * Fraction(line.price) / Fraction(line.basis), decimals)
    amount -= _sum(rounded(discount, decimals) for discount in line.discounts)
    return amount + _sum(rounded(charge, decimals) for charge in line.charges)


def shared(amount: Decimal, weights: Sequence[Decimal | Fraction], decimals: int = 2) -> list[Decimal]:
    """An amount in parts that are whole cents and in proportion to the weights, by largest remainder: the parts make
    exactly the amount. Where the weights make nothing, the first part is all of it."""
    whole = sum((Fraction(weight) for weight in weights), Fraction())
    if not whole:
        return [amount, *[NOTHING] * (len(weights) - 1)] if weights else []
    return _to_cents(amount, [Fraction(amount) * Fraction(weight) / whole for weight in weights], decimals)


def _to_cents(amount: Decimal, exact_parts: Sequence[Fraction], decimals: int) -> list[Decimal]:
    """Parts that make about the amount, as whole cents that make exactly it."""
    scale = 10**decimals
    floors = [(part * scale).__floor__() for part in exact_parts]
    left = int(Fraction(amount) * scale) - sum(floors)
    by_remainder = sorted(
        range(len(floors)), key=lambda place: (floors[place] - exact_parts[place] * scale, -exact_parts[place], place)
    )
    for place in by_remainder[:left]:
        floors[place] += 1
    return [rounded(Fraction(floor, scale), decimals) for floor in floors]


def _applied(adjustment: Adjustment, groups: dict[_Group, Decimal], decimals: int) -> list[AppliedAdjustment]:
    """An adjustment as it falls on the tax groups of the lines."""
    amount, percent = adjustment.amount, adjustment.percent
    if (amount is None) == (percent is None):
        raise FieldError("give an amount or a percentage", field="amount")
    if (amount if amount is not None else percent or NOTHING) < 0:
        raise FieldError("a discount or a charge cannot be negative; use the other one instead", field="amount")
    rate = None if adjustment.rate is None else _group("", adjustment.rate)[1]
    fitting = [
        key for key in groups if adjustment.category in ("", key[0]) and (rate is None or rate == key[1])
    ]  # fmt: skip
    if not fitting:
        if rate is None or not (adjustment.category or rate):
            raise FieldError("no line has that tax; give the category and the rate", field="tax_category")
        fitting = [(adjustment.category or "S", rate)]
    bases = [groups.get(key, NOTHING) for key in fitting]
    if percent is not None:
        amount = rounded(Fraction(_sum(bases)) * Fraction(percent) / 100, decimals)
    parts = shared(rounded(amount or NOTHING, decimals), bases, decimals)
    return [
        AppliedAdjustment(
            # A group below zero turns its part around.
            is_charge=adjustment.is_charge == (part >= 0),
            amount=abs(part),
            shown=abs(part),
            category=key[0],
            rate=key[1],
            reason=adjustment.reason,
            percent=percent,
            base=None if percent is None else abs(base),
        )
        for key, part, base in zip(fitting, parts, bases, strict=True)
        # An adjustment with its own tax is in the document even if it is zero.
        if part or (adjustment.category and rate is not None)
    ]


def _share_base(
    base: Decimal,
    key: _Group,
    lines: Sequence[PricedLine],
    nets: list[Decimal],
    applied: list[AppliedAdjustment],
    decimals: int,
) -> None:
    """Replace each gross line and adjustment of a tax group by its net part."""
    of_lines = [place for place, line in enumerate(lines) if _group(line.category, line.rate) == key]
    of_adjustments = [place for place, part in enumerate(applied) if _group(part.category, part.rate) == key]
    signed = [nets[place] for place in of_lines]
    signed += [applied[place].shown * (1 if applied[place].is_charge else -1) for place in of_adjustments]
    parts = _to_cents(base, [Fraction(amount) / _factor(key[1]) for amount in signed], decimals)
    for place, part in zip(of_lines, parts, strict=False):
        nets[place] = part
    for place, part in zip(of_adjustments, parts[len(of_lines) :], strict=True):
        old = applied[place]
        percent_base = old.base and rounded(Fraction(old.base) / _factor(key[1]), decimals)
        applied[place] = dataclasses.replace(old, amount=abs(part), base=percent_base)


def _reason(document: InvoiceDocument, category: str, *, is_only: bool) -> str:
    if category in (*TAXED, "Z"):
        return ""
    written = document.exemption_reason if category == "E" or is_only else ""
    return written or REASONS.get(category, "")


def _group(category: str, rate: Decimal) -> _Group:
    two = rate.quantize(Decimal("0.01"))
    return category, two if two == rate else rate


def _place(key: _Group) -> tuple[int, Decimal]:
    """The sort key of a tax group: the highest rate first, what has no tax last."""
    known = list(CATEGORIES)
    return known.index(key[0]) if key[0] in known else len(known), -key[1]


def _factor(rate: Decimal) -> Fraction:
    return 1 + Fraction(rate) / 100


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, NOTHING)

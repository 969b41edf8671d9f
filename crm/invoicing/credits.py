"""Credit notes: the lines of one that takes an invoice back in whole, by lines or by an amount.

An invoice rounds its tax once for each rate, so credits of single lines that each rounded their own would not make the
whole. Here a part is a share of the invoice's total in whole cents, and a partial credit note has gross prices: all
parts together make exactly the total, whatever their order.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from crm.errors import FieldError, RefusedError
from crm.invoicing.document import NOTHING, DocumentLine, InvoiceDocument
from crm.invoicing.totals import shared
from crm.model.money import as_written_in, decimals_of

Group = tuple[str, Decimal]
"""A tax group: its category and its rate."""


def credited_by_group(credit_notes: Sequence[InvoiceDocument]) -> dict[Group, Decimal]:
    """The amounts that credit notes have taken back of each tax group, with its tax."""
    credited: dict[Group, Decimal] = {}
    for note in credit_notes:
        for group in note.taxes:
            key = group.category, group.rate
            credited[key] = credited.get(key, NOTHING) + group.base + group.tax
    return credited


def line_totals(invoice: InvoiceDocument) -> tuple[Decimal, ...]:
    """The share of each line in the invoice's total, with its part of the tax and of the discounts: together exactly
    the total, but for adjustments with a tax that no line has."""
    decimals = decimals_of(invoice.currency)
    parts = [NOTHING] * len(invoice.lines)
    for group in invoice.taxes:
        own = [
            place
            for place, line in enumerate(invoice.lines)
            if (line.category, line.rate) == (group.category, group.rate)
        ]
        nets = [invoice.lines[place].net for place in own]
        for place, part in zip(own, shared(group.base + group.tax, nets, decimals), strict=True):
            parts[place] = part
    return tuple(parts)


def credit_of_lines(
    invoice: InvoiceDocument,
    positions: Sequence[int],
    credited: Mapping[Group, Decimal],
    amount: Decimal | None = None,
) -> tuple[DocumentLine, ...]:
    """The lines of a credit note, with gross prices, that takes back whole lines of an invoice, or an amount (tax
    included) of them, in proportion. Raises FieldError for a line that is not there, for lines that come to less
    than zero and for more than they come to, RefusedError where it is more than what is left of the invoice."""
    by_position = {line.position: place for place, line in enumerate(invoice.lines)}
    if unknown := [position for position in positions if position not in by_position]:
        raise FieldError(f"no line {unknown[0]}", field="line")
    places = [by_position[position] for position in dict.fromkeys(positions)]
    totals = line_totals(invoice)
    parts = [totals[place] for place in places]
    if sum(parts, NOTHING) < 0:
        comes_to = _money(invoice, sum(parts, NOTHING))
        raise FieldError(
            f"these lines come to {comes_to}, and a credit note does not charge the client; credit them together"
            " with others, or issue a new invoice",
            field="line",
        )
    if amount is not None:
        if amount <= 0:
            raise FieldError("give an amount above zero", field="amount")
        if amount > sum(parts, NOTHING):
            raise FieldError(f"these lines come to {_money(invoice, sum(parts, NOTHING))}", field="amount")
        parts = shared(amount, parts, decimals_of(invoice.currency))
    left = _left(invoice, credited)
    lines = []
    by_group: dict[Group, Decimal] = {}
    for number, (place, part) in enumerate(zip(places, parts, strict=True), 1):
        line = invoice.lines[place]
        key = line.category, line.rate
        by_group[key] = by_group.get(key, NOTHING) + part
        lines.append(_line_for(part, number, line))
    too_much = {key for key, amount in by_group.items() if abs(amount) > abs(left.get(key, NOTHING))}
    if too_much & {key for key, amount in credited.items() if amount}:
        raise RefusedError(
            "Part of these lines is already credited, so less is left of the invoice. Credit other lines, or an amount"
            " instead of lines. Nothing was changed."
        )
    whole, rest = sum(parts, NOTHING), sum(left.values(), NOTHING)
    if too_much or whole > rest:
        of_rate = rest if whole > rest else min((left.get(key, NOTHING) for key in too_much), default=rest)
        at_rate = "" if whole > rest else " at their tax rate"
        raise RefusedError(
            f"These lines come to {_money(invoice, whole)}, and only {_money(invoice, of_rate)} of the invoice{at_rate}"
            " is left to credit. Give a smaller amount,"
            " or credit other lines with them. Nothing was changed."
        )
    return tuple(lines)


def refuse_credited_lines(
    invoice: InvoiceDocument, positions: Sequence[int], credit_notes: Sequence[InvoiceDocument]
) -> None:
    """Raise RefusedError where a credit note has taken back one of these lines already. A line of a credit note is
    that of the invoice with the same words, tax and amount; of lines that are the same the first are taken back
    first."""
    parts = dict(zip(invoice.lines, line_totals(invoice), strict=True))
    credited = [_likeness(line, line.amount) for note in credit_notes for line in note.lines]
    for line, part in parts.items():
        alike = [other for other, other_part in parts.items() if _likeness(other, other_part) == _likeness(line, part)]
        left = len(alike) - credited.count(_likeness(line, part))
        if line.position in positions and left < sum(other.position in positions for other in alike):
            raise RefusedError(f"Line {line.position} ({line.name}) is already credited. Nothing was changed.")


def _likeness(line: DocumentLine, amount: Decimal) -> tuple[object, ...]:
    return line.name, line.description, line.unit, line.category, line.rate, amount


def credit_of_amount(
    invoice: InvoiceDocument, amount: Decimal, credited: Mapping[Group, Decimal], *, name: str
) -> tuple[DocumentLine, ...]:
    """The lines of a credit note, with gross prices, over an amount (tax included) of an invoice: one for each rate, in
    proportion to what is left of it. Raises FieldError where more is asked than is left. The amount that is left takes
    exactly the rest of each rate."""
    left = _left(invoice, credited)
    whole = sum(left.values(), NOTHING)
    if amount <= 0:
        raise FieldError("give an amount above zero", field="amount")
    if amount > whole:
        raise FieldError(f"only {_money(invoice, whole)} of this invoice can still be credited", field="amount")
    parts = shared(amount, list(left.values()), decimals_of(invoice.currency))
    named = [(key, part) for key, part in zip(left, parts, strict=True) if part]
    return tuple(
        DocumentLine(position=number, name=name, price=part, category=key[0], rate=key[1])
        for number, (key, part) in enumerate(named, 1)
    )


def _money(invoice: InvoiceDocument, amount: Decimal) -> str:
    return f"{as_written_in(amount, invoice.currency):f} {invoice.currency}"


def _left(invoice: InvoiceDocument, credited: Mapping[Group, Decimal]) -> dict[Group, Decimal]:
    """The amounts that can still be credited of each tax group, with its tax."""
    return {
        (group.category, group.rate): group.base + group.tax - credited.get((group.category, group.rate), NOTHING)
        for group in invoice.taxes
    }


def _line_for(part: Decimal, number: int, line: DocumentLine) -> DocumentLine:
    """A line of a credit note that comes to exactly `part`, with the quantity of the line that it takes back."""
    quantity = line.quantity or Decimal(1)
    return DocumentLine(
        position=number,
        name=line.name,
        description=line.description,
        unit=line.unit,
        item_number=line.item_number,
        quantity=quantity,
        price=part if quantity > 0 else -part,
        basis=abs(quantity),
        category=line.category,
        rate=line.rate,
    )

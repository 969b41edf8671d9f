"""Lines of a draft, and the discounts and charges on all of it: added, changed, moved and removed."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Annotated, Any

from crm.commands.billing.amounts import (
    AmountOfAnyCurrency,
    PriceOfAnyCurrency,
    amounts_in,
    refuse_too_exact,
    refuse_unsure,
)
from crm.commands.billing.documents import InvoiceCard, card_of
from crm.commands.billing.services import usual_rate
from crm.commands.billing.tax import category_for
from crm.commands.context import CRM
from crm.commands.registry import About, command
from crm.errors import FieldError, NotFoundError, RefusedError
from crm.invoicing.typed_lines import read_line
from crm.model import TAX_CATEGORIES, Adjustment, Conventions, Invoice, InvoiceLine, Service
from crm.model.encoding import plain
from crm.model.fields import Amount, Choice, Line, Prose, Quantity, Rate, Unit, Units, Whole
from crm.model.folding import fold
from crm.model.money import LARGEST_AMOUNT, MOST_DECIMALS, NOTHING, exact, exact_to
from crm.model.units import PIECE
from crm.repository import Query, Transaction, bills

TheInvoice = Annotated[Invoice, About("Invoice", "its number, or that of a draft", positional=True)]
# Of a line a sum in short may be part of what is sold: Screen 4k.
_SHORTENED = re.compile(r"(\d+(?:[.,]\d{1,2})?k)", re.IGNORECASE)
# An amount, however it is written.
_AMOUNT_LIKE = re.compile(r"\d{1,3}(?:[.,'\u2019]\d{3})+(?:[.,]\d{1,2})?|\d+[.,]\d{1,2}")
Position = Annotated[int, Whole(least=1, most=9999), About("Position", "of the line, from 1", positional=True)]
MaybeQuantity = Annotated[Decimal | None, Quantity(), About("Quantity")]
MaybePrice = Annotated[
    Decimal | None,
    PriceOfAnyCurrency(),
    About("Price", "of one unit, with up to ten decimals; with a minus, the quantity becomes negative"),
]
Basis = Annotated[Decimal | None, Units(), About("Price is for", "how many units the price is for; 1 by default")]
OfUnit = Annotated[str, Unit(), About("Unit", "hour, piece, month, or a code such as HUR")]
Discounts = Annotated[
    Sequence[Decimal], AmountOfAnyCurrency(), About("Discount", "an amount off the line; may be given again")
]
Charges = Annotated[
    Sequence[Decimal], AmountOfAnyCurrency(), About("Charge", "an amount added to the line; may be given again")
]
Category = Annotated[str, Choice(TAX_CATEGORIES), About("Tax category", "follows the rate by default")]
MaybeRate = Annotated[Decimal | None, Rate(), About("Tax rate", "in percent")]


@dataclass(frozen=True, slots=True)
class AdjustmentShown:
    """A discount or a charge on a whole invoice, with the currency of that."""

    adjustment: Adjustment
    currency: str

    def as_json(self) -> dict[str, Any]:
        """Its own fields, and the currency."""
        amount = amounts_in(self.currency, amount=self.adjustment.amount)
        return {**plain(self.adjustment), **amount, "currency": self.currency}


def draft(tx: Transaction, invoice: Invoice) -> Invoice:
    """An invoice as it is stored. Raises RefusedError where it is issued."""
    current = tx.get(Invoice, invoice.id)
    if current.state != "draft":
        instead = bills.instead_of_changing(current)
        raise RefusedError(f"{current.number} is issued and stays as it is. {instead}")
    return current


def typed_line(crm: CRM, services: Sequence[Service], text: str, *, invoice: Invoice) -> InvoiceLine:
    """A line of an invoice as it was typed, with the price in its currency: what a service of that name says fills in
    what is missing. Raises FieldError."""
    by = replace(crm.conventions, currency=invoice.currency)
    try:
        typed = read_line(text, by)
    except FieldError as error:
        # Whatever part of the line is wrong, it is the line that is typed again.
        raise error.at("line", "") from None
    service = next((service for service in services if fold(service.name) == fold(typed.name)), None)
    if typed.price is None and service is None:
        _refuse_foreign_amount(typed.name, by)
        example = f"{typed.name} 100"
        raise FieldError(f"say what {typed.name} costs, like {example}: no service has that name", field="line")
    if service is None:
        rate = usual_rate(crm) if typed.rate is None else typed.rate
        return InvoiceLine(
            name=typed.name, quantity=typed.quantity, unit=typed.unit or PIECE,
            **price_of(typed.price or NOTHING), tax_category=category_for("", rate), tax_rate=rate,
        )  # fmt: skip
    line = of_service(service, gross=invoice.gross)
    values: dict[str, Any] = {"quantity": typed.quantity}
    if typed.price is not None:
        values |= price_of(typed.price)
    if typed.rate is not None:
        values |= {"tax_rate": typed.rate, "tax_category": category_for("", typed.rate)}
    if typed.unit not in ("", PIECE):
        values["unit"] = typed.unit
    return _with(line, values)


def _refuse_foreign_amount(name: str, by: Conventions) -> None:
    """Raise FieldError where a name ends with an amount as others write it: Workshop 1.200,50."""
    last = name.split()[-1]
    if match := _SHORTENED.fullmatch(last):
        whole = Amount().read(match[1], by)
        raise FieldError(f"{last} may be part of the name; if it is the price, write {whole:f}", field="line")
    if not _AMOUNT_LIKE.fullmatch(last):
        return
    try:
        Amount().read(last, by)
    except FieldError as error:
        raise FieldError(error.reason, field="line", label="Line") from None


def price_of(price: Decimal, basis: Decimal = NOTHING) -> dict[str, Any]:
    """A price for a number of units as a line keeps it: of more than four decimals that for 10, 100 or more times as
    many units. Raises FieldError where that is too many."""
    if exact_to(price, MOST_DECIMALS):
        return {"price": price, **({"basis": basis} if basis else {})}
    basis = basis or Decimal(1)
    while not exact_to(price, MOST_DECIMALS):
        price, basis = price * 10, basis * 10
    if max(price, basis) > LARGEST_AMOUNT:
        raise FieldError("that is too large for so many decimals", field="price", label="Price")
    return {"price": exact(price), "basis": exact(basis)}


def _priced(price: Decimal, quantity: Decimal, basis: Decimal) -> dict[str, Any]:
    """A price as `price_of` keeps it; one with a minus turns the quantity round instead, as in a typed line."""
    turned = {"quantity": -quantity} if price < 0 else {}
    return price_of(abs(price), basis) | turned


def of_service(service: Service, *, gross: bool) -> InvoiceLine:
    """One unit of a service as a line. Raises FieldError where its price is of the other kind."""
    if service.gross != gross:
        one, other = ("with tax", "without") if service.gross else ("without tax", "with")
        raise FieldError(f"the price of {service.name} is {one}, and the prices of this invoice are {other}; add"
                         " it as a typed line with its price", field="line")  # fmt: skip
    return InvoiceLine(
        service=service.id, name=service.name, description=service.description, quantity=Decimal(1), unit=service.unit,
        price=service.price, tax_category=service.tax_category, tax_rate=service.tax_rate,
    )  # fmt: skip


def _with(line: InvoiceLine, values: dict[str, Any]) -> InvoiceLine:
    return replace(line, **values)


def put_lines(tx: Transaction, invoice: Invoice, lines: Sequence[InvoiceLine]) -> None:
    """Add lines after those that a draft has."""
    count = tx.count(InvoiceLine, Query({"invoice": invoice.id}))
    for position, line in enumerate(lines, start=count + 1):
        own = {"id": 0, "invoice": invoice.id, "position": position, "basis": line.basis or Decimal(1)}
        tx.add(_with(line, own))


def _shown(crm: CRM, tx: Transaction, invoice: Invoice) -> InvoiceCard:
    tx.settle()
    return card_of(crm, tx, tx.get(Invoice, invoice.id))


def name_of(invoice: Invoice) -> str:
    """An invoice in the history: its number, or that it is a draft."""
    noun = "credit note" if invoice.kind == "credit_note" else "invoice"
    return f"{noun} {invoice.number}" if invoice.number else f"draft {invoice.id}"


@command("invoices lines add", title="Add a line")
def add(
    crm: CRM,
    invoice: TheInvoice,
    line: Annotated[
        str,
        Line(500),
        About("Line", "as text, like 3 h Consulting 100 10%", positional=True),
    ] = "",
    name: Annotated[str, Line(300), About("Name", "what is sold")] = "",
    quantity: MaybeQuantity = None,
    price: MaybePrice = None,
    basis: Basis = None,
    unit: OfUnit = "",
    discount: Discounts = (),
    charge: Charges = (),
    tax_category: Category = "",
    tax_rate: MaybeRate = None,
    description: Annotated[str, Prose(2000), About("Description", "printed below the name")] = "",
    service: Annotated[Service | None, About("Service", "its name or number")] = None,
) -> InvoiceCard:
    """Add a line to a draft: typed as text, from a service, or from its parts."""
    services = [service] if service else []
    if line and (name or service):
        raise FieldError("give the line as text, or its parts", field="line", label="Line")
    _refuse_zero_units(basis)

    def change(tx: Transaction) -> InvoiceCard:
        current = draft(tx, invoice)
        if line:
            first = typed_line(crm, tx.find_all(Service, Query({"active": True})), line, invoice=current)
        elif services:
            first = of_service(services[0], gross=current.gross if price is None else services[0].gross)
        elif name:
            first = InvoiceLine(quantity=Decimal(1), unit=PIECE)
        else:
            raise FieldError("give a line like 3 h Consulting 100, or a name and a price", field="name", label="Name")
        values: dict[str, Any] = _given(name=name, quantity=quantity, basis=basis, unit=unit, description=description)
        if price is not None:
            refuse_unsure(crm, price, current.currency, field="price")
            values |= _priced(price, first.quantity if quantity is None else quantity, basis or first.basis)
        if price is None and not line and not services:
            raise FieldError("say what one of it costs", field="price", label="Price")
        values |= _taxed(crm, first, tax_category, tax_rate)
        values |= _several(crm, current, "discount", discount) | _several(crm, current, "charge", charge)
        put_lines(tx, current, [_with(first, values)])
        return _shown(crm, tx, current)

    return crm.transact(change, f"added a line to {name_of(invoice)}")


def _refuse_zero_units(basis: Decimal | None) -> None:
    if basis is not None and basis <= 0:
        raise FieldError("a price is for a number of units above 0", field="basis", label="Price is for")


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in (None, "")}


def _taxed(crm: CRM, line: InvoiceLine, category: str, rate: Decimal | None) -> dict[str, Any]:
    """The tax of a line: what was given, else its own, else the usual one."""
    if not category and rate is None and line.tax_category:
        return {}
    if rate is None:
        rate = (line.tax_rate or usual_rate(crm, category)) if category in ("", "S") else NOTHING
    return {"tax_category": category_for(category, rate), "tax_rate": rate}


def _several(crm: CRM, invoice: Invoice, field: str, amounts: Sequence[Decimal]) -> dict[str, Any]:
    """Several discounts or charges of a line: their sum, and each of them."""
    for amount in amounts:
        refuse_too_exact(crm, amount, invoice.currency, field=field)
    return {field: sum(amounts, NOTHING), f"{field}s": bills.written_parts(amounts)}


def line_at(tx: Transaction, invoice: Invoice, position: int) -> InvoiceLine:
    """The line at a position. Raises NotFoundError."""
    lines = tx.find_all(InvoiceLine, Query({"invoice": invoice.id, "position": position}))
    if not lines:
        raise NotFoundError(f"No line {position} on {name_of(invoice)}.")
    return lines[0]


@command("invoices lines edit", title="Edit a line")
def edit(
    crm: CRM,
    invoice: TheInvoice,
    position: Position,
    name: Annotated[str, Line(300), About("Name")] = "",
    quantity: MaybeQuantity = None,
    price: MaybePrice = None,
    basis: Basis = None,
    unit: OfUnit = "",
    discount: Discounts = (),
    charge: Charges = (),
    tax_category: Category = "",
    tax_rate: MaybeRate = None,
    description: Annotated[str | None, Prose(2000), About("Description")] = None,
) -> InvoiceCard:
    """Change a line of a draft; the other fields stay as they are. To change a discount or a charge, give all
    of them."""

    def change(tx: Transaction) -> InvoiceCard:
        current = draft(tx, invoice)
        line = line_at(tx, current, position)
        _refuse_zero_units(basis)
        values = _given(name=name, quantity=quantity, basis=basis, unit=unit)
        if price is not None:
            refuse_unsure(crm, price, current.currency, field="price")
            # Given twice it is the same: a minus takes something back, whatever the line did before.
            values |= _priced(price, abs(line.quantity) if quantity is None else quantity, basis or line.basis)
        if tax_category or tax_rate is not None:
            values |= _taxed(crm, line, tax_category, tax_rate)
        for field, amounts in (("discount", discount), ("charge", charge)):
            if amounts:
                values |= _several(crm, current, field, amounts)
        if description is not None:
            values["description"] = description
        if not values:
            raise FieldError("name at least one field to change")
        tx.change(line, **values)
        return _shown(crm, tx, current)

    return crm.transact(change, f"edited line {position} of {name_of(invoice)}")


@command("invoices lines remove", title="Remove a line")
def remove(crm: CRM, invoice: TheInvoice, position: Position) -> InvoiceCard:
    """Remove a line from a draft; the lines after it move up."""

    def change(tx: Transaction) -> InvoiceCard:
        current = draft(tx, invoice)
        tx.delete(line_at(tx, current, position))
        renumber(tx, _lines(tx, current))
        return _shown(crm, tx, current)

    return crm.transact(change, f"removed line {position} of {name_of(invoice)}")


@command("invoices lines move", title="Move a line")
def move(
    crm: CRM,
    invoice: TheInvoice,
    position: Position,
    to: Annotated[int, Whole(least=1, most=9999), About("To position", positional=True)],
) -> InvoiceCard:
    """Move a line of a draft to another position; 1 is the first."""

    def change(tx: Transaction) -> InvoiceCard:
        current = draft(tx, invoice)
        line = line_at(tx, current, position)
        others = [other for other in _lines(tx, current) if other.id != line.id]
        others.insert(to - 1, line)
        renumber(tx, others)
        return _shown(crm, tx, current)

    return crm.transact(change, f"moved line {position} of {name_of(invoice)} to {to}")


def _lines(tx: Transaction, invoice: Invoice) -> list[InvoiceLine]:
    return list(tx.find_all(InvoiceLine, Query({"invoice": invoice.id}, sort="position")))


def renumber(tx: Transaction, order: Sequence[InvoiceLine]) -> None:
    """Give lines their places, counted from one."""
    for position, line in enumerate(order, start=1):
        tx.change(tx.get(InvoiceLine, line.id), position=position)


def adjustment_of(
    crm: CRM, text: str, *, currency: str, is_charge: bool, category: str, rate: Decimal | None, reason: str
) -> Adjustment:
    """A discount or a charge as it was typed: 10%, or an amount in a currency. Raises FieldError."""
    written = text.strip()
    option = "charge" if is_charge else "discount"
    percent, amount = NOTHING, NOTHING
    try:
        if written.endswith("%"):
            percent = Rate().read(written, crm.conventions)
        else:
            amount = Amount().read(written, replace(crm.conventions, currency=currency))
    except FieldError as error:
        raise error.at(option, f"--{option}") from error
    if not (percent or amount or category):
        raise FieldError("give an amount above 0, or a percentage like 10%", field=option, label=option.capitalize())
    taxed: dict[str, Any] = {}
    if category or rate is not None:
        rate = (usual_rate(crm, category) if category in ("", "S") else NOTHING) if rate is None else rate
        taxed = {"tax_category": category_for(category, rate), "tax_rate": rate}
    return Adjustment(is_charge=is_charge, amount=amount, percent=percent, reason=reason, **taxed)


@command("invoices adjustments add", title="Add a discount or a charge")
def add_adjustment(
    crm: CRM,
    invoice: TheInvoice,
    discount: Annotated[str, Line(40), About("Discount", "an amount, or a percentage like 10%")] = "",
    charge: Annotated[str, Line(40), About("Charge", "an amount, or a percentage, on top")] = "",
    tax_category: Category = "",
    tax_rate: MaybeRate = None,
    reason: Annotated[str, Line(200), About("Reason")] = "",
) -> InvoiceCard:
    """Add a discount or a charge to a whole draft. Without a rate it is split over the tax rates of the lines."""
    if bool(discount) == bool(charge):
        raise FieldError("give a discount or a charge", field="discount", label="Discount")
    added = adjustment_of(
        crm, discount or charge, currency=invoice.currency, is_charge=bool(charge), category=tax_category,
        rate=tax_rate, reason=reason,
    )  # fmt: skip

    def change(tx: Transaction) -> InvoiceCard:
        current = draft(tx, invoice)
        tx.add(replace(added, invoice=current.id))
        return _shown(crm, tx, current)

    what = "charge" if charge else "discount"
    return crm.transact(change, f"added a {what} to {name_of(invoice)}")


@command("invoices adjustments list", title="Discounts and charges", nothing="No discounts or charges on this invoice.")
def list_adjustments(crm: CRM, invoice: TheInvoice) -> list[AdjustmentShown]:
    """List the discounts and charges on a whole invoice."""
    with crm.read() as snapshot:
        currency = snapshot.get(Invoice, invoice.id).currency
        adjustments = snapshot.find_all(Adjustment, Query({"invoice": invoice.id}, sort="id"))
        return [AdjustmentShown(adjustment, currency) for adjustment in adjustments]


@command("invoices adjustments remove", title="Remove a discount or a charge")
def remove_adjustment(
    crm: CRM,
    invoice: TheInvoice,
    adjustment: Annotated[Adjustment, About("Discount or charge", "its number", positional=True)],
) -> InvoiceCard:
    """Remove a discount or a charge from a draft."""

    def change(tx: Transaction) -> InvoiceCard:
        current = draft(tx, invoice)
        record = tx.get(Adjustment, adjustment.id)
        if record.invoice != current.id:
            raise NotFoundError(f"{name_of(current).capitalize()} has no discount or charge {adjustment.id}.")
        tx.delete(record)
        return _shown(crm, tx, current)

    return crm.transact(change, f"removed a discount or charge from {name_of(invoice)}")

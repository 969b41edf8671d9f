"""Rules for the e-invoices of others, in plain words.

They are the rules of EN 16931 that people run into: what must be there, sums, tax groups, categories; and two that it
does not have: quantity x price makes the net of a line, and the check digits of an IBAN.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Final

from crm.invoicing.document import CATEGORIES, TAXED
from crm.model.iban import is_iban
from crm.model.money import decimals_of, rounded
from crm.model.units import all_unit_codes
from crm.outward.einvoice import terms
from crm.outward.einvoice.codes import ADDRESS_SCHEMES, PAYMENT_MEANS, PEPPOL_SCHEMES
from crm.outward.einvoice.faults import Checked, Fault
from crm.outward.einvoice.reading import ReadInvoice, ReadLine, ReadParty, ReadTax

_NUMBER = re.compile(r"[-+]?(?:[0-9]{1,25}(?:\.[0-9]{0,20})?|\.[0-9]{1,20})")
_CENT = Decimal("0.01")
# Unit prices that were rounded; Peppol allows as much (R120).
_LINE_TOLERANCE = Decimal("0.02")
_NONE = Decimal(0)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# What may be invoiced with EN 16931 (UNTDID 1001).
_TYPES = """
    71 80 82 84 102 130 202 203 204 211 218 219 261 262 295 296 308 325 326 331 380 381 382 383 384 385 386
    387 388 389 390 393 394 395 396 420 456 457 458 471 472 473 500 501 502 503 527 532 553 575 623 633 751
    780 817 870 875 876 877 935
"""
# Of each category without tax: its name in the numbers of rules.
_RULE_NAMES: Final[Mapping[str, str]] = {"K": "IC", "L": "AF", "M": "AG"}
_FORMATS: Final[tuple[tuple[str, str], ...]] = (
    ("xrechnung_3", "XRechnung 3"),
    ("xrechnung_2", "XRechnung 2"),
    ("xrechnung", "XRechnung"),
    ("peppol.eu:2017:poacc:billing:3", "Peppol BIS Billing 3"),
    ("factur-x.eu:1p0:minimum", "Factur-X (Minimum)"),
    ("factur-x.eu:1p0:basicwl", "Factur-X (Basic WL)"),
    ("factur-x.eu:1p0:basic", "Factur-X (Basic)"),
    ("factur-x.eu:1p0:extended", "Factur-X (Extended)"),
    ("zugferd", "ZUGFeRD"),
)
# These say less than an invoice needs, and have no lines.
_WITHOUT_LINES = ("1p0:minimum", "1p0:basicwl")


def checked(invoice: ReadInvoice) -> Checked:
    """The verdict on an invoice."""
    return Checked(
        format=_format(invoice),
        number=invoice.number,
        seller=invoice.seller.name,
        buyer=invoice.buyer.name,
        issued_on=invoice.issued_on,
        currency=invoice.currency,
        total=invoice.total,
        faults=tuple(_faults(invoice)),
    )


def _format(invoice: ReadInvoice) -> str:
    for part, name in _FORMATS:
        if part in invoice.guideline:
            return f"{name}, {invoice.syntax}"
    if invoice.guideline == terms.EN16931:
        return "Factur-X / ZUGFeRD (EN 16931), CII" if invoice.syntax == "CII" else "EN 16931, UBL"
    return f"{invoice.syntax} that follows no known rules"


def _faults(invoice: ReadInvoice) -> Iterator[Fault]:
    yield from _required_terms(invoice)
    yield from _parties(invoice)
    for line in invoice.lines:
        yield from _line(line, invoice)
    for part in invoice.adjustments:
        if not part.reason:
            kind = "charge" if part.is_charge else "discount"
            yield Fault(
                rule="BR-38" if part.is_charge else "BR-33", sentence=f"A {kind} on the document has no reason."
            )
        yield from _two_decimals(part.amount, "an amount of a discount or charge", "BR-DEC-01")
    yield from _sums(invoice)
    yield from _taxes(invoice)
    yield from _categories(invoice)
    yield from _payment(invoice)


def _required_terms(invoice: ReadInvoice) -> Iterator[Fault]:
    for rule, text, what in (
        ("BR-01", invoice.guideline, "It does not say which rules it follows (BT-24)."),
        ("BR-02", invoice.number, "The invoice number is missing."),
        ("BR-03", invoice.issued_on, "The date of issue is missing."),
        ("BR-04", invoice.type_code, "It does not say whether it is an invoice or a credit note."),
        ("BR-05", invoice.currency, "The currency is missing."),
    ):
        if not text:
            yield Fault(rule=rule, sentence=what)
    if invoice.type_code and invoice.type_code not in _TYPES.split():
        yield Fault(rule="BR-CL-01", sentence=f"{invoice.type_code} is not a kind of invoice.")
    if invoice.currency and not _is_currency(invoice.currency):
        yield Fault(rule="BR-CL-04", sentence=f"{invoice.currency} is not a currency.")
    for text, what in ((invoice.issued_on, "date of issue"), (invoice.due_on, "due date")):
        if text and not _is_day(text):
            yield Fault(rule="BR-03", sentence=f"The {what}, {text}, is not a date.")
    if not invoice.lines and not any(part in invoice.guideline for part in _WITHOUT_LINES):
        yield Fault(rule="BR-16", sentence="The invoice has no line.")


def _parties(invoice: ReadInvoice) -> Iterator[Fault]:
    for party, who, rules in (
        (invoice.seller, "seller", ("BR-06", "BR-08", "BR-09")),
        (invoice.buyer, "buyer", ("BR-07", "BR-10", "BR-11")),
    ):
        if not party.name:
            yield Fault(rule=rules[0], sentence=f"The name of the {who} is missing.")
        if not party.has_address and "minimum" not in invoice.guideline:
            yield Fault(rule=rules[1], sentence=f"The address of the {who} is missing.")
        elif party.has_address and not party.country:
            yield Fault(rule=rules[2], sentence=f"The country of the {who} is missing.")
        if party.country and party.country not in _countries():
            yield Fault(rule="BR-CL-14", sentence=f"{party.country} is not a country ({who}).")
        if party.vat_id and not re.match(r"[A-Z]{2}", party.vat_id):
            yield Fault(
                rule="BR-CO-09", sentence=f"The VAT ID of the {who}, {party.vat_id}, does not begin with a country."
            )
        elif party.vat_id and party.vat_id[:2] not in _countries() | {"EL", "XI", "1A"}:
            yield Fault(
                rule="BR-CO-09", sentence=f"The VAT ID of the {who}, {party.vat_id}, does not begin with a country."
            )  # fmt: skip
        yield from _electronic_address(party, who, is_peppol="peppol.eu" in invoice.guideline)
    if invoice.delivery_country and invoice.delivery_country not in _countries():
        yield Fault(rule="BR-CL-14", sentence=f"{invoice.delivery_country} is not a country (delivery).")
    if not (invoice.seller.vat_id or invoice.seller.registration or invoice.seller.own_number):
        sentence = "The seller has no VAT ID, no register number and no number given by the buyer."
        yield Fault(rule="BR-CO-26", sentence=sentence)


def _electronic_address(party: ReadParty, who: str, *, is_peppol: bool) -> Iterator[Fault]:
    address, scheme = party.electronic_address, party.electronic_scheme
    if not scheme:
        if address:
            rule = "BR-62" if who == "seller" else "BR-63"
            yield Fault(rule=rule, sentence=f"The electronic address of the {who}, {address}, has no scheme.")
    elif scheme not in ADDRESS_SCHEMES:
        sentence = f"{scheme} is not a scheme of electronic addresses ({who})."
        yield Fault(rule="BR-CL-25", sentence=sentence)
    elif is_peppol and scheme not in PEPPOL_SCHEMES:
        sentence = f"{scheme} is not a scheme of addresses in Peppol ({who})."
        yield Fault(rule="PEPPOL-EN16931-CL008", sentence=sentence)


def _line(line: ReadLine, invoice: ReadInvoice) -> Iterator[Fault]:
    for rule, text, what in (
        ("BR-21", line.id, "has no number"),
        ("BR-22", line.quantity, "has no quantity"),
        ("BR-23", line.unit, "has no unit"),
        ("BR-24", line.net, "has no net amount"),
        ("BR-25", line.name, "does not say what was sold"),
        ("BR-26", line.price, "has no price"),
        ("BR-CO-04", line.category, "has no tax category"),
    ):
        if not text:
            yield Fault(rule=rule, line=line.id, sentence=f"Line {line.id or '?'} {what}.")
    for unit in sorted({line.unit, line.basis_unit} - {""} - all_unit_codes()):
        yield Fault(rule="BR-CL-23", line=line.id, sentence=f"Line {line.id}: {unit} is not the code of a unit.")
    if line.rate and _amount(line.rate) is None:
        yield Fault(
            rule="number", line=line.id, sentence=f"Line {line.id}: the tax rate, {line.rate}, is not a number."
        )
    for extra in line.extras:
        if not extra.reason:
            kind = "charge" if extra.is_charge else "discount"
            yield Fault(
                rule="BR-44" if extra.is_charge else "BR-42",
                line=line.id,
                sentence=f"Line {line.id}: a {kind} has no reason.",
            )
    yield from _two_decimals(line.net, f"the net amount of line {line.id}", "BR-DEC-23")
    for text, what in ((line.quantity, "quantity"), (line.price, "price"), (line.net, "net amount")):
        if text and _amount(text) is None:
            yield Fault(rule="number", line=line.id, sentence=f"Line {line.id}: the {what}, {text}, is not a number.")
            return
    quantity, price, net = (_amount(text) for text in (line.quantity, line.price, line.net))
    if price is not None and price < 0:
        yield Fault(rule="BR-27", line=line.id, sentence=f"Line {line.id}: the price, {line.price}, is below zero.")
    basis = _amount(line.basis) if line.basis else Decimal(1)
    if basis is None or basis <= 0:
        sentence = f"Line {line.id}: the quantity that the price is for, {line.basis}, is not above zero."
        yield Fault(rule="PEPPOL-R121", line=line.id, sentence=sentence)
        return
    if quantity is None or price is None or net is None:
        return
    extras = sum((_value(part.amount) * (1 if part.is_charge else -1) for part in line.extras), _NONE)
    right = rounded(quantity * price / basis, _decimals(invoice)) + extras
    if abs(right - net) > _LINE_TOLERANCE:
        per = f" / {line.basis}" if basis != 1 else ""
        more = f" {'+' if extras > 0 else '-'} {_money(abs(extras))}" if extras else ""
        sentence = f"Line {line.id}: {line.quantity} x {line.price}{per}{more} is {_money(right)}, not {line.net}."
        yield Fault(rule="line", line=line.id, sentence=sentence)


def _sums(invoice: ReadInvoice) -> Iterator[Fault]:
    figures = {
        "BR-12": (invoice.line_total, "the sum of the lines"),
        "BR-13": (invoice.net, "the total without tax"),
        "BR-14": (invoice.total, "the total with tax"),
        "BR-15": (invoice.due, "the amount due"),
    }
    is_minimum = "minimum" in invoice.guideline
    for rule, (text, what) in figures.items():
        if not text and not (is_minimum and rule == "BR-12"):
            yield Fault(rule=rule, sentence=f"{what[0].upper()}{what[1:]} is missing.")
    for rule, text, what in (
        ("BR-DEC-09", invoice.line_total, "the sum of the lines"),
        ("BR-DEC-10", invoice.discount_total, "the sum of the discounts"),
        ("BR-DEC-11", invoice.charge_total, "the sum of the charges"),
        ("BR-DEC-12", invoice.net, "the total without tax"),
        ("BR-DEC-13", invoice.tax, "the tax"),
        ("BR-DEC-14", invoice.total, "the total with tax"),
        ("BR-DEC-16", invoice.paid, "the amount paid"),
        ("BR-DEC-17", invoice.rounding, "the rounding"),
        ("BR-DEC-18", invoice.due, "the amount due"),
    ):
        yield from _two_decimals(text, what, rule)
    line_total, net, tax, total = (
        _value(text) for text in (invoice.line_total, invoice.net, invoice.tax, invoice.total)
    )
    discounts, charges = _value(invoice.discount_total), _value(invoice.charge_total)
    of_lines = sum((_value(line.net) for line in invoice.lines), _NONE)
    if invoice.lines and invoice.line_total and of_lines != line_total:
        yield _not_the_sum("BR-CO-10", "The lines", of_lines, invoice.line_total)
    if invoice.adjustments or invoice.lines:
        for rule, what, is_charge, text in (
            ("BR-CO-11", "The discounts on the document", False, invoice.discount_total),
            ("BR-CO-12", "The charges on the document", True, invoice.charge_total),
        ):
            parts = [_value(part.amount) for part in invoice.adjustments if part.is_charge == is_charge]
            if sum(parts, _NONE) != _value(text):
                yield _not_the_sum(rule, what, sum(parts, _NONE), text or "nothing")
    if invoice.line_total and invoice.net and line_total - discounts + charges != net:
        sentence = "Lines - discounts + charges"
        yield _not_the_sum("BR-CO-13", sentence, line_total - discounts + charges, f"{invoice.net} without tax")
    if invoice.taxes and sum((_value(group.tax) for group in invoice.taxes), _NONE) != tax:
        of_groups = sum((_value(group.tax) for group in invoice.taxes), _NONE)
        yield _not_the_sum("BR-CO-14", "The tax of all rates", of_groups, invoice.tax or "nothing")
    if invoice.net and invoice.total and net + tax != total:
        yield _not_the_sum("BR-CO-15", "Net + tax", net + tax, f"{invoice.total} as the total")
    due = total - _value(invoice.paid) + _value(invoice.rounding)
    if invoice.total and invoice.due and not is_minimum and due != _value(invoice.due):
        yield _not_the_sum("BR-CO-16", "Total - paid + rounding", due, f"{invoice.due} as due")


def _taxes(invoice: ReadInvoice) -> Iterator[Fault]:
    if not invoice.taxes and "minimum" not in invoice.guideline:
        yield Fault(rule="BR-CO-18", sentence="The tax is not given by category and rate.")
        return
    for group in invoice.taxes:
        name = _group_name(group)
        yield from _two_decimals(group.base, f"the amount that tax is on ({name})", "BR-DEC-19")
        yield from _two_decimals(group.tax, f"the tax ({name})", "BR-DEC-20")
        base, tax = _value(group.base), _value(group.tax)
        right = rounded(base * _value(group.rate) / 100, _decimals(invoice))
        # A cent more or less comes from prices that include the tax.
        if abs(right - tax) > _CENT:
            sentence = f"{name}: {_money(base)} x {group.rate or 0} % is {_money(right)}, not {group.tax or 'nothing'}."
            yield Fault(rule="BR-CO-17", sentence=sentence)
        if not invoice.lines:
            continue
        parts = [_value(line.net) for line in invoice.lines if _is_of(group, line.category, line.rate)]
        parts += [
            _value(part.amount) * (1 if part.is_charge else -1)
            for part in invoice.adjustments
            if _is_of(group, part.category, part.rate)
        ]
        if sum(parts, _NONE) != base:
            rule = f"BR-{_RULE_NAMES.get(group.category, group.category)}-08"
            yield _not_the_sum(rule, f"The lines, discounts and charges with {name}", sum(parts, _NONE), group.base)
    used = {(line.category, _value(line.rate)) for line in invoice.lines if line.category}
    known = {(group.category, _value(group.rate)) for group in invoice.taxes}
    for category, rate in sorted(used - known):
        name = _RULE_NAMES.get(category, category)
        yield Fault(rule=f"BR-{name}-01", sentence=f"There are lines with {category} {rate} %, and no tax for them.")


def _categories(invoice: ReadInvoice) -> Iterator[Fault]:
    categories = {line.category for line in invoice.lines} | {group.category for group in invoice.taxes} - {""}
    seller, buyer = invoice.seller, invoice.buyer
    for category in sorted(categories - {""}):
        name = _RULE_NAMES.get(category, category)
        word = CATEGORIES.get(category, category)
        if category not in CATEGORIES:
            yield Fault(rule="BR-CL-17", sentence=f"{category} is not a tax category.")
            continue
        if category == "O":
            if seller.vat_id or buyer.vat_id:
                yield Fault(rule="BR-O-02", sentence="An invoice of what is not subject to tax has no VAT IDs.")
            if len(categories - {""}) > 1:
                yield Fault(rule="BR-O-11", sentence="What is not subject to tax needs an invoice of its own.")
            continue
        if not (seller.vat_id or (seller.tax_number and category in (*TAXED, "Z", "E"))):
            yield Fault(rule=f"BR-{name}-02", sentence=f"The VAT ID of the seller is missing ({word} needs it).")
        if category in ("AE", "K") and not (buyer.vat_id or (category == "AE" and buyer.registration)):
            yield Fault(rule=f"BR-{name}-02", sentence=f"The VAT ID of the buyer is missing ({word} needs it).")
        for line in invoice.lines:
            if line.category != category:
                continue
            rate = _value(line.rate)
            if category == "S" and rate <= 0:
                yield Fault(
                    rule="BR-S-05", line=line.id, sentence=f"Line {line.id} has the standard rate, and it is 0."
                )
            elif category not in TAXED and rate:
                sentence = f"Line {line.id}: {word} has no tax, but the invoice says {line.rate} %."
                yield Fault(rule=f"BR-{name}-05", line=line.id, sentence=sentence)
    for group in invoice.taxes:
        name = _RULE_NAMES.get(group.category, group.category)
        if group.category in ("E", "AE", "K", "G", "O") and not group.reason:
            yield Fault(
                rule=f"BR-{name}-10", sentence=f"The reason is missing why there is no tax ({_group_name(group)})."
            )
        if group.category in (*TAXED, "Z") and group.reason:
            sentence = f"A reason for no tax is given for {_group_name(group)}, which does not take one."
            yield Fault(rule=f"BR-{name}-10", sentence=sentence)
    if "K" in categories:
        if not invoice.has_delivery_date:
            yield Fault(rule="BR-IC-11", sentence="The day of delivery is missing (intra-Community supply needs it).")
        if not invoice.delivery_country:
            yield Fault(
                rule="BR-IC-12", sentence="The country of delivery is missing (intra-Community supply needs it)."
            )


def _payment(invoice: ReadInvoice) -> Iterator[Fault]:
    if _value(invoice.due) > 0 and not (invoice.due_on or invoice.terms) and "minimum" not in invoice.guideline:
        yield Fault(rule="BR-CO-25", sentence="It does not say when it is due.")
    for means in invoice.payment_means:
        if not means:
            yield Fault(rule="BR-49", sentence="A means of payment has no code.")
        elif means not in PAYMENT_MEANS:
            yield Fault(rule="BR-CL-16", sentence=f"{means} is not the code of a means of payment.")
    if invoice.iban and re.match(r"[A-Z]{2}[0-9]{2}", invoice.iban) and not is_iban(invoice.iban):
        yield Fault(rule="IBAN", sentence=f"The IBAN {invoice.iban} is mistyped: its check digits do not match.")


def _two_decimals(text: str, what: str, rule: str) -> Iterator[Fault]:
    value = _amount(text) if text else _NONE
    if value is None:
        yield Fault(rule="number", sentence=f"{what[0].upper()}{what[1:]}, {text}, is not a number.")
    elif value != round(value, 2):
        yield Fault(rule=rule, sentence=f"{what[0].upper()}{what[1:]}, {text}, has more than two decimals.")


def _not_the_sum(rule: str, what: str, right: Decimal, text: str) -> Fault:
    return Fault(rule=rule, sentence=f"{what} come to {_money(right)}, but the invoice says {text}.")


def _is_of(group: ReadTax, category: str, rate: str) -> bool:
    return category == group.category and (_value(rate) == _value(group.rate) or category == "O")


def _group_name(group: ReadTax) -> str:
    return f"{CATEGORIES.get(group.category, group.category or 'no category')} {group.rate or 0} %"


def _amount(text: str) -> Decimal | None:
    """The number of a text; None where it is none."""
    if not _NUMBER.fullmatch(text):
        return None
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def _value(text: str) -> Decimal:
    """The number of a text, 0 where it is none; that it is none is said elsewhere."""
    return _amount(text) or _NONE


def _money(value: Decimal) -> str:
    return f"{value:.2f}" if value == round(value, 2) else f"{value:f}"


def _decimals(invoice: ReadInvoice) -> int:
    return min(decimals_of(invoice.currency), 2) if _is_currency(invoice.currency) else 2


def _is_day(text: str) -> bool:
    if not _DAY.match(text):
        return False
    try:
        date.fromisoformat(text[:10])
    except ValueError:
        return False
    return True


def _is_currency(code: str) -> bool:
    from babel.numbers import list_currencies

    return code in list_currencies()


def _countries() -> frozenset[str]:
    from babel import Locale

    codes = (str(code) for code in Locale("en").territories)
    return frozenset(code for code in codes if re.fullmatch("[A-Z]{2}", code)) - {"ZZ", "EU", "UN"}

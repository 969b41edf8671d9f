"""The rules that Peppol BIS Billing 3 adds to EN 16931, written from their published list: no package has the official
ones (PEPPOL-EN16931-UBL). What concerns one country only is left out."""

import re
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal

from lxml import etree

_NAMES = {
    "cbc": "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2",
    "cac": "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2",
}
_GUIDELINE = "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0"
_PROCESS = "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0"
_INVOICES = ("380", "383", "386", "393", "82", "80", "84", "395", "457", "456", "458", "326", "384", "389", "751")
_CREDIT_NOTES = ("381", "396", "81", "83", "532")
# Those of ISO 6523 and the VAT ids of countries (EAS); EM and others are none in Peppol.
_SCHEMES = re.compile(r"0(00[2-9]|0\d\d|1\d\d|2\d\d)|99(0[1-9]|1\d|2\d|3\d|4[0-9]|5[0-9])")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def peppol_faults(data: bytes) -> list[str]:
    """The rules that an invoice or a credit note breaks."""
    root = etree.fromstring(data)
    return [*_of_document(root), *_of_parties(root), *_of_amounts(root), *_of_lines(root)]


def _all(node: etree._Element, path: str) -> list[etree._Element]:
    return list(node.iterfind(path, _NAMES))


def _text(node: etree._Element, path: str) -> str:
    return (node.findtext(path, "", _NAMES) or "").strip()


def _sum(node: etree._Element, path: str) -> Decimal:
    return sum((Decimal(part.text or "0") for part in _all(node, path)), Decimal(0))


def _two(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


def _of_document(root: etree._Element) -> Iterator[str]:
    if _text(root, "cbc:ProfileID") != _PROCESS:
        yield "R001, R007: the business process"
    if len(_all(root, "cbc:Note")) > 1:
        yield "R002: more than one note"
    if not (_text(root, "cbc:BuyerReference") or _text(root, "cac:OrderReference/cbc:ID")):
        yield "R003: the buyer's reference or order number"
    if not _text(root, "cbc:CustomizationID").startswith(_GUIDELINE):
        yield "R004: the guideline"
    for node in root.iter("{*}*"):
        if not len(node) and not (node.text or "").strip():
            yield f"R008: {etree.QName(node).localname} is empty"
        if etree.QName(node).localname.endswith("Date") and not _DAY.fullmatch(node.text or ""):
            yield "F001: the form of a date"
    kind = etree.QName(root).localname
    if _text(root, f"cbc:{kind}TypeCode") not in (_INVOICES if kind == "Invoice" else _CREDIT_NOTES):
        yield "P0100, P0101: the kind of document"
    for means in _all(root, "cac:PaymentMeans"):
        if _text(means, "cbc:PaymentMeansCode") in ("49", "59") and not _text(means, "cac:PaymentMandate/cbc:ID"):
            yield "R061: a direct debit without a mandate"
    if len(_all(root, "cac:ProjectReference")) > 1:
        yield "R080: more than one project"


def _of_parties(root: etree._Element) -> Iterator[str]:
    for rule, of in (("R020", "Supplier"), ("R010", "Customer")):
        party = f"cac:Accounting{of}Party/cac:Party"
        address = root.find(f"{party}/cbc:EndpointID", _NAMES)
        if address is None or not (address.text or "").strip():
            yield f"{rule}: the electronic address"
        elif not _SCHEMES.fullmatch(address.get("schemeID", "")):
            yield f"CL008: {address.get('schemeID')} is no scheme of addresses"
        elif address.get("schemeID") == "0088" and not _is_gln(address.text or ""):
            yield "COMMON-R040: the check digit of a GLN"


def _is_gln(text: str) -> bool:
    digits = [int(digit) for digit in text if digit.isdigit()]
    weighed = sum(digit * (3 if place % 2 else 1) for place, digit in enumerate(reversed(digits)))
    return len(digits) == len(text) == 13 and weighed % 10 == 0


def _of_amounts(root: etree._Element) -> Iterator[str]:
    currency = _text(root, "cbc:DocumentCurrencyCode")
    if any(node.get("currencyID", currency) != currency for node in root.iter()):
        yield "R051: an amount in another currency"
    if _text(root, "cbc:TaxCurrencyCode") == currency:
        yield "R005: the currency of the tax is that of the document"
    with_groups = [total for total in _all(root, "cac:TaxTotal") if _all(total, "cac:TaxSubtotal")]
    if len(with_groups) != 1 or len(_all(root, "cac:TaxTotal")) != 1:
        yield "R053, R054: one total of the tax, by rate"
    for part in root.iter("{*}AllowanceCharge"):
        base, percent = _text(part, "cbc:BaseAmount"), _text(part, "cbc:MultiplierFactorNumeric")
        is_of_price = etree.QName(part.getparent()).localname == "Price"
        if _text(part, "cbc:ChargeIndicator") not in ("true", "false"):
            yield "R043: whether it is a charge"
        if is_of_price and _text(part, "cbc:ChargeIndicator") == "true":
            yield "R044: a charge on a price"
        if percent and not base:
            yield "R041: a percentage without what it is of"
        if base and not percent and not is_of_price:
            yield "R042: an amount of which no percentage is said"
        if base and percent:
            expected = Decimal(base) * Decimal(percent) / 100
            if abs(Decimal(_text(part, "cbc:Amount")) - expected) > Decimal("0.02"):
                yield "R040: amount = base x percentage"


def _of_lines(root: etree._Element) -> Iterator[str]:
    kind = "Invoiced" if etree.QName(root).localname == "Invoice" else "Credited"
    first, last = _text(root, "cac:InvoicePeriod/cbc:StartDate"), _text(root, "cac:InvoicePeriod/cbc:EndDate")
    for line in [*_all(root, "cac:InvoiceLine"), *_all(root, "cac:CreditNoteLine")]:
        begins, ends = (_text(line, f"cac:InvoicePeriod/cbc:{end}Date") for end in ("Start", "End"))
        if (begins and first and begins < first) or (ends and last and ends > last):
            yield "R110, R111: the period of a line is within that of the document"
        quantity = line.find(f"cbc:{kind}Quantity", _NAMES)
        basis = line.find("cac:Price/cbc:BaseQuantity", _NAMES)
        assert quantity is not None
        units = Decimal(basis.text or "1") if basis is not None else Decimal(1)
        if units <= 0:
            yield "R121: a price is for more than nothing"
            continue
        if basis is not None and basis.get("unitCode", quantity.get("unitCode")) != quantity.get("unitCode"):
            yield "R130: the unit of the price is that of the quantity"
        parts = sum(
            Decimal(_text(part, "cbc:Amount")) * (1 if _text(part, "cbc:ChargeIndicator") == "true" else -1)
            for part in _all(line, "cac:AllowanceCharge")
        )
        price = Decimal(_text(line, "cac:Price/cbc:PriceAmount"))
        expected = _two(Decimal(quantity.text or "0") * price / units) + parts
        if abs(_sum(line, "cbc:LineExtensionAmount") - expected) > Decimal("0.02"):
            yield "R120: net = quantity x price - discounts + charges"
        if price < 0:
            yield "BR-27: a negative price"
        if len(_all(line, "cbc:Note")) > 1:
            yield "a second note of a line"

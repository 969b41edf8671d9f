"""OASIS UBL 2.1, Invoice and CreditNote: XRechnung and Peppol BIS Billing 3."""

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from crm.invoicing.document import InvoiceDocument, Party
from crm.outward.einvoice import terms
from crm.outward.einvoice.terms import NetLine, Nodes, amount, day, number

if TYPE_CHECKING:
    from lxml import etree

INVOICE_SPACE: Final = "urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"
CREDIT_NOTE_SPACE: Final = "urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2"
SPACES: Final = {
    "cac": "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2",
    "cbc": "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2",
}
_NODES = Nodes(SPACES)
_add, _inside = _NODES.add, _NODES.inside


def write(document: InvoiceDocument, guideline: str) -> bytes:
    """The document as UBL that follows a guideline (BT-24)."""
    is_credit = terms.is_credit_note(document)
    name = "CreditNote" if is_credit else "Invoice"
    space = CREDIT_NOTE_SPACE if is_credit else INVOICE_SPACE
    root = Nodes({None: space, **SPACES}).root(name)  # type: ignore[dict-item]
    _add(root, "cbc:CustomizationID", guideline)
    _add(root, "cbc:ProfileID", terms.PROCESS)
    _add(root, "cbc:ID", document.number)
    _add(root, "cbc:IssueDate", day(document.issued_on))
    if is_credit:
        _add(root, "cbc:CreditNoteTypeCode", terms.CREDIT_NOTE_CODE)
    else:
        _add(root, "cbc:DueDate", day(document.due_on))
        _add(root, "cbc:InvoiceTypeCode", terms.INVOICE_CODE)
    _add(root, "cbc:Note", document.notes)
    _add(root, "cbc:DocumentCurrencyCode", document.currency)
    _add(root, "cbc:BuyerReference", document.buyer_reference)
    _period(root, document.period_from, document.period_to)
    if document.order_reference:
        _add(_inside(root, "cac:OrderReference"), "cbc:ID", document.order_reference)
    if document.corrects_number:
        corrected = _inside(root, "cac:BillingReference", "cac:InvoiceDocumentReference")
        _add(corrected, "cbc:ID", document.corrects_number)
        _add(corrected, "cbc:IssueDate", day(document.corrects_date))
    if document.contract_reference:
        _add(_inside(root, "cac:ContractDocumentReference"), "cbc:ID", document.contract_reference)
    shows_vat = not terms.is_not_subject(document)
    seller = _inside(root, "cac:AccountingSupplierParty", "cac:Party")
    _party(seller, document.seller, shows_vat, terms.seller_number(document), is_seller=True)
    _party(_inside(root, "cac:AccountingCustomerParty", "cac:Party"), document.buyer, shows_vat)
    _delivery(root, document)
    _payment(root, document, is_credit)
    for part in document.adjustments:
        adjustment = _inside(root, "cac:AllowanceCharge")
        _add(adjustment, "cbc:ChargeIndicator", _word(part.is_charge))
        _add(adjustment, "cbc:AllowanceChargeReason", part.reason or ("Charge" if part.is_charge else "Discount"))
        if part.percent is not None and part.base is not None:
            _add(adjustment, "cbc:MultiplierFactorNumeric", number(part.percent))
        _money(adjustment, "cbc:Amount", part.amount, document)
        if part.percent is not None and part.base is not None:
            _money(adjustment, "cbc:BaseAmount", part.base, document)
        _category(_inside(adjustment, "cac:TaxCategory"), part.category, part.rate)
    _taxes(_inside(root, "cac:TaxTotal"), document)
    _sums(_inside(root, "cac:LegalMonetaryTotal"), document)
    for line in terms.net_lines(document):
        _line(_inside(root, f"cac:{name}Line"), line, document, is_credit)
    return terms.as_bytes(root)


def _party(
    node: "etree._Element", party: Party, shows_vat: bool, own_number: str = "", *, is_seller: bool = False
) -> None:
    if party.electronic_address and party.electronic_scheme:
        _add(node, "cbc:EndpointID", party.electronic_address, schemeID=party.electronic_scheme)
    if own_number:
        _add(_inside(node, "cac:PartyIdentification"), "cbc:ID", own_number)
    _address(_inside(node, "cac:PostalAddress"), party)
    if party.vat_id and shows_vat:
        _tax_scheme(node, party.vat_id, "VAT")
    if is_seller and party.tax_number:
        _tax_scheme(node, party.tax_number, "FC")
    entity = _inside(node, "cac:PartyLegalEntity")
    _add(entity, "cbc:RegistrationName", party.name)
    _add(entity, "cbc:CompanyID", party.registration)
    if party.contact or (is_seller and (party.phone or party.email)):
        contact = _inside(node, "cac:Contact")
        _add(contact, "cbc:Name", party.contact)
        _add(contact, "cbc:Telephone", party.phone)
        _add(contact, "cbc:ElectronicMail", party.email)


def _tax_scheme(node: "etree._Element", text: str, scheme: str) -> None:
    registration = _inside(node, "cac:PartyTaxScheme")
    _add(registration, "cbc:CompanyID", text)
    _add(_inside(registration, "cac:TaxScheme"), "cbc:ID", scheme)


def _address(node: "etree._Element", party: Party) -> None:
    lines = [text for text in (party.street, party.extra_line) if text]
    for name, text in zip(("cbc:StreetName", "cbc:AdditionalStreetName"), lines, strict=False):
        _add(node, name, text)
    _add(node, "cbc:CityName", party.city)
    _add(node, "cbc:PostalZone", party.postcode)
    _add(node, "cbc:CountrySubentity", party.region)
    _add(_inside(node, "cac:Country"), "cbc:IdentificationCode", party.country)


def _delivery(root: "etree._Element", document: InvoiceDocument) -> None:
    place = terms.delivery_of(document)
    if not (place or document.delivered_on):
        return
    node = _inside(root, "cac:Delivery")
    _add(node, "cbc:ActualDeliveryDate", day(document.delivered_on))
    if place:
        _address(_inside(node, "cac:DeliveryLocation", "cac:Address"), place)
        _add(_inside(node, "cac:DeliveryParty", "cac:PartyName"), "cbc:Name", place.name)


def _payment(root: "etree._Element", document: InvoiceDocument, is_credit: bool) -> None:
    if code := terms.payment_means_code(document):
        means = _inside(root, "cac:PaymentMeans")
        _add(means, "cbc:PaymentMeansCode", code)
        if is_credit:
            _add(means, "cbc:PaymentDueDate", day(document.due_on))
        _add(means, "cbc:PaymentID", document.payment_reference or document.number)
        account = _inside(means, "cac:PayeeFinancialAccount")
        _add(account, "cbc:ID", terms.account(document))
        _add(account, "cbc:Name", document.account_holder or document.seller.name)
        if document.bic:
            _add(_inside(account, "cac:FinancialInstitutionBranch"), "cbc:ID", document.bic)
    if text := terms.terms_of(document):
        _add(_inside(root, "cac:PaymentTerms"), "cbc:Note", text)


def _taxes(node: "etree._Element", document: InvoiceDocument) -> None:
    _money(node, "cbc:TaxAmount", document.tax, document)
    for group in document.taxes:
        subtotal = _inside(node, "cac:TaxSubtotal")
        _money(subtotal, "cbc:TaxableAmount", group.base, document)
        _money(subtotal, "cbc:TaxAmount", group.tax, document)
        reason_code = terms.REASON_CODES.get(group.category, "")
        _category(_inside(subtotal, "cac:TaxCategory"), group.category, group.rate, reason_code, group.reason)


def _category(
    node: "etree._Element", category: str, rate: Decimal, reason_code: str = "", reason: str = ""
) -> None:  # fmt: skip
    _add(node, "cbc:ID", category)
    # XRechnung wants a rate for each group even of what is not subject to tax (BR-DE-14); nothing else may have one.
    if category != terms.NOT_SUBJECT or reason_code:
        _add(node, "cbc:Percent", number(rate))
    _add(node, "cbc:TaxExemptionReasonCode", reason_code)
    _add(node, "cbc:TaxExemptionReason", reason)
    _add(_inside(node, "cac:TaxScheme"), "cbc:ID", "VAT")


def _sums(node: "etree._Element", document: InvoiceDocument) -> None:
    _money(node, "cbc:LineExtensionAmount", document.line_total, document)
    _money(node, "cbc:TaxExclusiveAmount", document.net, document)
    _money(node, "cbc:TaxInclusiveAmount", document.total, document)
    if any(not part.is_charge for part in document.adjustments):
        _money(node, "cbc:AllowanceTotalAmount", document.discount_total, document)
    if any(part.is_charge for part in document.adjustments):
        _money(node, "cbc:ChargeTotalAmount", document.charge_total, document)
    if paid := terms.paid(document):
        _money(node, "cbc:PrepaidAmount", paid, document)
    _money(node, "cbc:PayableAmount", document.total - terms.paid(document), document)


def _line(node: "etree._Element", priced: NetLine, document: InvoiceDocument, is_credit: bool) -> None:
    line = priced.line
    _add(node, "cbc:ID", str(line.position))
    quantity = "cbc:CreditedQuantity" if is_credit else "cbc:InvoicedQuantity"
    _add(node, quantity, number(priced.quantity), unitCode=line.unit)
    _money(node, "cbc:LineExtensionAmount", line.net, document)
    _period(node, line.period_from, line.period_to)
    for extra in priced.extras:
        adjustment = _inside(node, "cac:AllowanceCharge")
        _add(adjustment, "cbc:ChargeIndicator", _word(extra.is_charge))
        _add(adjustment, "cbc:AllowanceChargeReason", extra.reason)
        _money(adjustment, "cbc:Amount", extra.amount, document)
    item = _inside(node, "cac:Item")
    _add(item, "cbc:Description", line.description)
    _add(item, "cbc:Name", line.name)
    if line.item_number:
        _add(_inside(item, "cac:SellersItemIdentification"), "cbc:ID", line.item_number)
    _category(_inside(item, "cac:ClassifiedTaxCategory"), line.category, line.rate)
    price = _inside(node, "cac:Price")
    _add(price, "cbc:PriceAmount", number(priced.price), currencyID=document.currency)
    if priced.basis != 1:
        _add(price, "cbc:BaseQuantity", number(priced.basis), unitCode=line.unit)


def _period(node: "etree._Element", begin: date | None, end: date | None) -> None:
    if begin or end:
        period = _inside(node, "cac:InvoicePeriod")
        _add(period, "cbc:StartDate", day(begin))
        _add(period, "cbc:EndDate", day(end))


def _money(node: "etree._Element", name: str, value: Decimal, document: InvoiceDocument) -> None:
    _add(node, name, amount(value), currencyID=document.currency)


def _word(value: bool) -> str:
    return "true" if value else "false"

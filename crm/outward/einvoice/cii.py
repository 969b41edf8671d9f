"""UN/CEFACT Cross Industry Invoice D16B: Factur-X, ZUGFeRD and XRechnung."""

from datetime import date
from typing import TYPE_CHECKING, Final

from crm.invoicing.document import InvoiceDocument, Party
from crm.outward.einvoice import terms
from crm.outward.einvoice.terms import NetLine, Nodes, amount, number

if TYPE_CHECKING:
    from lxml import etree

SPACES: Final = {
    "rsm": "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100",
    "ram": "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100",
    "udt": "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100",
    "qdt": "urn:un:unece:uncefact:data:standard:QualifiedDataType:100",
}
_NODES = Nodes(SPACES)
_add, _inside = _NODES.add, _NODES.inside


def write(document: InvoiceDocument, guideline: str) -> bytes:
    """The document as CII that follows a guideline (BT-24)."""
    root = _NODES.root("rsm:CrossIndustryInvoice")
    context = _inside(root, "rsm:ExchangedDocumentContext")
    if guideline != terms.EN16931:
        process = _inside(context, "ram:BusinessProcessSpecifiedDocumentContextParameter")
        _add(process, "ram:ID", terms.PROCESS)
    _add(_inside(context, "ram:GuidelineSpecifiedDocumentContextParameter"), "ram:ID", guideline)
    head = _inside(root, "rsm:ExchangedDocument")
    _add(head, "ram:ID", document.number)
    code = terms.CREDIT_NOTE_CODE if terms.is_credit_note(document) else terms.INVOICE_CODE
    _add(head, "ram:TypeCode", code)
    _date(head, "ram:IssueDateTime", document.issued_on)
    if document.notes.strip():
        _add(_inside(head, "ram:IncludedNote"), "ram:Content", document.notes)
    transaction = _inside(root, "rsm:SupplyChainTradeTransaction")
    for line in terms.net_lines(document):
        _line(_inside(transaction, "ram:IncludedSupplyChainTradeLineItem"), line)
    _agreement(_inside(transaction, "ram:ApplicableHeaderTradeAgreement"), document)
    _delivery(_inside(transaction, "ram:ApplicableHeaderTradeDelivery"), document)
    _settlement(_inside(transaction, "ram:ApplicableHeaderTradeSettlement"), document)
    return terms.as_bytes(root)


def _line(node: "etree._Element", priced: NetLine) -> None:
    line = priced.line
    _add(_inside(node, "ram:AssociatedDocumentLineDocument"), "ram:LineID", str(line.position))
    product = _inside(node, "ram:SpecifiedTradeProduct")
    _add(product, "ram:SellerAssignedID", line.item_number)
    _add(product, "ram:Name", line.name)
    _add(product, "ram:Description", line.description)
    price = _inside(node, "ram:SpecifiedLineTradeAgreement", "ram:NetPriceProductTradePrice")
    _add(price, "ram:ChargeAmount", number(priced.price))
    if priced.basis != 1:
        _add(price, "ram:BasisQuantity", number(priced.basis), unitCode=line.unit)
    delivery = _inside(node, "ram:SpecifiedLineTradeDelivery")
    _add(delivery, "ram:BilledQuantity", number(priced.quantity), unitCode=line.unit)
    settlement = _inside(node, "ram:SpecifiedLineTradeSettlement")
    tax = _inside(settlement, "ram:ApplicableTradeTax")
    _add(tax, "ram:TypeCode", "VAT")
    _add(tax, "ram:CategoryCode", line.category)
    if line.category != terms.NOT_SUBJECT:
        _add(tax, "ram:RateApplicablePercent", number(line.rate))
    _period(settlement, line.period_from, line.period_to)
    for extra in priced.extras:
        node_of = _inside(settlement, "ram:SpecifiedTradeAllowanceCharge")
        _add(_inside(node_of, "ram:ChargeIndicator"), "udt:Indicator", _word(extra.is_charge))
        _add(node_of, "ram:ActualAmount", amount(extra.amount))
        _add(node_of, "ram:Reason", extra.reason)
    sums = _inside(settlement, "ram:SpecifiedTradeSettlementLineMonetarySummation")
    _add(sums, "ram:LineTotalAmount", amount(line.net))


def _agreement(node: "etree._Element", document: InvoiceDocument) -> None:
    _add(node, "ram:BuyerReference", document.buyer_reference)
    shows_vat = not terms.is_not_subject(document)
    _party(_inside(node, "ram:SellerTradeParty"), document.seller, shows_vat, terms.seller_number(document))
    _party(_inside(node, "ram:BuyerTradeParty"), document.buyer, shows_vat)
    for name, reference in (
        ("ram:BuyerOrderReferencedDocument", document.order_reference),
        ("ram:ContractReferencedDocument", document.contract_reference),
    ):
        if reference:
            _add(_inside(node, name), "ram:IssuerAssignedID", reference)


def _party(node: "etree._Element", party: Party, shows_vat: bool, own_number: str = "") -> None:
    is_seller = node.tag.endswith("SellerTradeParty")
    _add(node, "ram:ID", own_number)
    _add(node, "ram:Name", party.name)
    if party.registration:
        _add(_inside(node, "ram:SpecifiedLegalOrganization"), "ram:ID", party.registration)
    if is_seller and (party.contact or party.phone or party.email):
        contact = _inside(node, "ram:DefinedTradeContact")
        _add(contact, "ram:PersonName", party.contact)
        if party.phone:
            _add(_inside(contact, "ram:TelephoneUniversalCommunication"), "ram:CompleteNumber", party.phone)
        if party.email:
            _add(_inside(contact, "ram:EmailURIUniversalCommunication"), "ram:URIID", party.email)
    _address(node, party)
    if party.electronic_address and party.electronic_scheme:
        uri = _inside(node, "ram:URIUniversalCommunication")
        _add(uri, "ram:URIID", party.electronic_address, schemeID=party.electronic_scheme)
    if is_seller and party.tax_number:
        _add(_inside(node, "ram:SpecifiedTaxRegistration"), "ram:ID", party.tax_number, schemeID="FC")
    if party.vat_id and shows_vat:
        _add(_inside(node, "ram:SpecifiedTaxRegistration"), "ram:ID", party.vat_id, schemeID="VA")


def _address(node: "etree._Element", party: Party) -> None:
    address = _inside(node, "ram:PostalTradeAddress")
    _add(address, "ram:PostcodeCode", party.postcode)
    lines = [text for text in (party.street, party.extra_line) if text]
    for name, text in zip(("ram:LineOne", "ram:LineTwo"), lines, strict=False):
        _add(address, name, text)
    _add(address, "ram:CityName", party.city)
    _add(address, "ram:CountryID", party.country)
    _add(address, "ram:CountrySubDivisionName", party.region)


def _delivery(node: "etree._Element", document: InvoiceDocument) -> None:
    if place := terms.delivery_of(document):
        receiver = _inside(node, "ram:ShipToTradeParty")
        _add(receiver, "ram:Name", place.name)
        _address(receiver, place)
    if document.delivered_on:
        _date(
            _inside(node, "ram:ActualDeliverySupplyChainEvent"), "ram:OccurrenceDateTime", document.delivered_on
        )  # fmt: skip


def _settlement(node: "etree._Element", document: InvoiceDocument) -> None:
    _add(node, "ram:PaymentReference", document.payment_reference or document.number)
    _add(node, "ram:InvoiceCurrencyCode", document.currency)
    if code := terms.payment_means_code(document):
        means = _inside(node, "ram:SpecifiedTradeSettlementPaymentMeans")
        _add(means, "ram:TypeCode", code)
        account = _inside(means, "ram:PayeePartyCreditorFinancialAccount")
        _add(account, "ram:IBANID", terms.account(document))
        _add(account, "ram:AccountName", document.account_holder or document.seller.name)
        if document.bic:
            _add(_inside(means, "ram:PayeeSpecifiedCreditorFinancialInstitution"), "ram:BICID", document.bic)
    for group in document.taxes:
        tax = _inside(node, "ram:ApplicableTradeTax")
        _add(tax, "ram:CalculatedAmount", amount(group.tax))
        _add(tax, "ram:TypeCode", "VAT")
        _add(tax, "ram:ExemptionReason", group.reason)
        _add(tax, "ram:BasisAmount", amount(group.base))
        _add(tax, "ram:CategoryCode", group.category)
        _add(tax, "ram:ExemptionReasonCode", terms.REASON_CODES.get(group.category, ""))
        # XRechnung wants a rate here even of what is not subject to tax (BR-DE-14).
        _add(tax, "ram:RateApplicablePercent", number(group.rate))
    _period(node, document.period_from, document.period_to)
    for part in document.adjustments:
        adjustment = _inside(node, "ram:SpecifiedTradeAllowanceCharge")
        _add(_inside(adjustment, "ram:ChargeIndicator"), "udt:Indicator", _word(part.is_charge))
        if part.percent is not None and part.base is not None:
            _add(adjustment, "ram:CalculationPercent", number(part.percent))
            _add(adjustment, "ram:BasisAmount", amount(part.base))
        _add(adjustment, "ram:ActualAmount", amount(part.amount))
        _add(adjustment, "ram:Reason", part.reason or ("Charge" if part.is_charge else "Discount"))
        tax = _inside(adjustment, "ram:CategoryTradeTax")
        _add(tax, "ram:TypeCode", "VAT")
        _add(tax, "ram:CategoryCode", part.category)
        if part.category != terms.NOT_SUBJECT:
            _add(tax, "ram:RateApplicablePercent", number(part.rate))
    if terms.terms_of(document) or document.due_on:
        payment = _inside(node, "ram:SpecifiedTradePaymentTerms")
        _add(payment, "ram:Description", terms.terms_of(document))
        _date(payment, "ram:DueDateDateTime", document.due_on)
    sums = _inside(node, "ram:SpecifiedTradeSettlementHeaderMonetarySummation")
    _add(sums, "ram:LineTotalAmount", amount(document.line_total))
    if any(part.is_charge for part in document.adjustments):
        _add(sums, "ram:ChargeTotalAmount", amount(document.charge_total))
    if any(not part.is_charge for part in document.adjustments):
        _add(sums, "ram:AllowanceTotalAmount", amount(document.discount_total))
    _add(sums, "ram:TaxBasisTotalAmount", amount(document.net))
    _add(sums, "ram:TaxTotalAmount", amount(document.tax), currencyID=document.currency)
    _add(sums, "ram:GrandTotalAmount", amount(document.total))
    if paid := terms.paid(document):
        _add(sums, "ram:TotalPrepaidAmount", amount(paid))
    _add(sums, "ram:DuePayableAmount", amount(document.total - terms.paid(document)))
    if document.corrects_number:
        corrected = _inside(node, "ram:InvoiceReferencedDocument")
        _add(corrected, "ram:IssuerAssignedID", document.corrects_number)
        _date(corrected, "ram:FormattedIssueDateTime", document.corrects_date, space="qdt")


def _period(node: "etree._Element", begin: date | None, end: date | None) -> None:
    if begin or end:
        period = _inside(node, "ram:BillingSpecifiedPeriod")
        _date(period, "ram:StartDateTime", begin)
        _date(period, "ram:EndDateTime", end)


def _date(node: "etree._Element", name: str, value: date | None, *, space: str = "udt") -> None:
    if value:
        _add(_inside(node, name), f"{space}:DateTimeString", f"{value:%Y%m%d}", format="102")


def _word(value: bool) -> str:
    return "true" if value else "false"

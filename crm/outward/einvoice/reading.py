"""Reader of an e-invoice of somebody else: CII or UBL, as XML or inside a PDF, into the terms of EN 16931.

Everything is text as it is in the file, '' where it is missing; `checking.py` judges it. No entity is resolved, nothing
is fetched, and a file with a DOCTYPE is refused.
"""

import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from lxml import etree

from crm.errors import FileError
from crm.model.fields import visible
from crm.outward.einvoice.cii import SPACES as CII_SPACES
from crm.outward.einvoice.ubl import CREDIT_NOTE_SPACE, INVOICE_SPACE
from crm.outward.einvoice.ubl import SPACES as UBL_SPACES

CII: Final = "CII"
UBL: Final = "UBL"
_LARGEST: Final = 50_000_000
_LONGEST_TEXT: Final = 200
_STREAM = re.compile(rb"stream\r?\n")
_UBL_SPACES: Final = frozenset({INVOICE_SPACE, CREDIT_NOTE_SPACE})


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadExtra:
    """A discount or a charge, of a line or of the document."""

    is_charge: bool
    amount: str
    category: str = ""
    rate: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadLine:
    """A line as it is in the file."""

    id: str
    name: str
    quantity: str
    unit: str
    basis_unit: str
    price: str
    basis: str
    net: str
    category: str
    rate: str
    extras: tuple[ReadExtra, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadTax:
    """The tax of a category and rate."""

    category: str
    rate: str
    base: str
    tax: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadParty:
    """The seller or the buyer."""

    name: str
    city: str
    country: str
    has_address: bool
    vat_id: str
    tax_number: str
    registration: str
    own_number: str
    electronic_address: str
    electronic_scheme: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadInvoice:
    """An e-invoice as it is in the file."""

    syntax: str
    guideline: str
    number: str
    type_code: str
    issued_on: str
    due_on: str
    currency: str
    terms: str
    iban: str
    payment_means: tuple[str, ...]
    seller: ReadParty
    buyer: ReadParty
    delivery_country: str
    has_delivery_date: bool
    lines: tuple[ReadLine, ...]
    adjustments: tuple[ReadExtra, ...]
    taxes: tuple[ReadTax, ...]
    line_total: str
    discount_total: str
    charge_total: str
    net: str
    tax: str
    total: str
    paid: str
    rounding: str
    due: str


def read(data: bytes) -> ReadInvoice:
    """The invoice in a file. Raises FileError where there is none."""
    if len(data) > _LARGEST:
        raise FileError("The file is too large to be an e-invoice.")
    root = _from_pdf(data) if data.lstrip()[:5] == b"%PDF-" else _parsed(data)
    if root is None:
        raise FileError("The file is neither XML nor a PDF with an e-invoice inside.")
    name = etree.QName(root)
    if name.localname == "CrossIndustryInvoice" and name.namespace == CII_SPACES["rsm"]:
        return _read_cii(_Reader(root, CII_SPACES))
    if name.localname in ("Invoice", "CreditNote") and name.namespace in _UBL_SPACES:
        return _read_ubl(_Reader(root, UBL_SPACES))
    raise FileError(f"The XML is not an e-invoice: it begins with {_short(name.localname)}, and not with CII or UBL.")


def _parsed(data: bytes) -> "etree._Element | None":
    """The XML in some bytes; None where they are none. Raises FileError for one with a DOCTYPE."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None
    if root.getroottree().docinfo.doctype:
        raise FileError("The XML has a DOCTYPE, which no e-invoice has. It was not read.")
    return root


def _from_pdf(data: bytes) -> "etree._Element":
    """The e-invoice that is attached to a PDF: the last one, where it was changed later."""
    if b"/Encrypt" in data:
        raise FileError("The PDF is encrypted, and what is inside cannot be read.")
    roots = [root for content in _xml_streams(data) if (root := _parsed(content)) is not None]
    known = {"CrossIndustryInvoice", "Invoice", "CreditNote"}
    invoices = [root for root in roots if etree.QName(root).localname in known]
    if not invoices:
        raise FileError("The PDF has no e-invoice inside. A person can read it, a program cannot.")
    return invoices[-1]


def _xml_streams(data: bytes) -> Iterator[bytes]:
    """The streams of a PDF that begin like XML. An attached file is a stream of its own, so the tables of the file need
    not be read."""
    for match in _STREAM.finditer(data):
        end = data.find(b"endstream", match.end())
        if end < 0:
            return
        content = data[match.end() : end]
        if not content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
            try:
                content = zlib.decompressobj().decompress(content, _LARGEST)
            except zlib.error:
                continue
        if b"Invoice" in content[:5000] or b"CreditNote" in content[:5000]:
            yield content.strip()


class _Reader:
    """A reader of an element's texts, by paths of one syntax."""

    def __init__(self, root: "etree._Element", spaces: Mapping[str, str]) -> None:
        self.root = root
        self._spaces = dict(spaces)

    def text(self, path: str) -> str:
        """The first text at a path, '' for none."""
        node = self.root.find(path, self._spaces)
        return _short(node.text or "") if node is not None else ""

    def attribute(self, path: str, name: str) -> str:
        """An attribute of the first element at a path."""
        node = self.root.find(path, self._spaces)
        return _short(node.get(name, "")) if node is not None else ""

    def has(self, path: str) -> bool:
        """Return whether there is an element at a path."""
        return self.root.find(path, self._spaces) is not None

    def all(self, path: str) -> "list[_Reader]":
        """A reader for each element at a path."""
        return [_Reader(node, self._spaces) for node in self.root.findall(path, self._spaces)]

    def by_attribute(self, path: str, name: str, value: str) -> str:
        """The text of the element at a path that has an attribute with a value."""
        return next((reader.own for reader in self.all(path) if reader.root.get(name) == value), "")

    @property
    def own(self) -> str:
        """The text of the element itself."""
        return _short(self.root.text or "")


def _short(text: str) -> str:
    """A text of the file as it may be shown: nothing in it acts, and it is not endless."""
    line = " ".join(visible(text).split())
    return line if len(line) <= _LONGEST_TEXT else f"{line[:_LONGEST_TEXT]}…"


def _read_cii(reader: _Reader) -> ReadInvoice:
    transaction = "rsm:SupplyChainTradeTransaction"
    agreement, delivery, settlement = (
        f"{transaction}/ram:ApplicableHeaderTrade{part}" for part in ("Agreement", "Delivery", "Settlement")
    )
    sums = f"{settlement}/ram:SpecifiedTradeSettlementHeaderMonetarySummation"
    currency = reader.text(f"{settlement}/ram:InvoiceCurrencyCode")
    terms = f"{settlement}/ram:SpecifiedTradePaymentTerms"
    period = f"{settlement}/ram:BillingSpecifiedPeriod"
    tax_total = f"{sums}/ram:TaxTotalAmount"
    means = f"{settlement}/ram:SpecifiedTradeSettlementPaymentMeans"
    return ReadInvoice(
        syntax=CII,
        guideline=reader.text("rsm:ExchangedDocumentContext/ram:GuidelineSpecifiedDocumentContextParameter/ram:ID"),
        number=reader.text("rsm:ExchangedDocument/ram:ID"),
        type_code=reader.text("rsm:ExchangedDocument/ram:TypeCode"),
        issued_on=_iso(reader.text("rsm:ExchangedDocument/ram:IssueDateTime/udt:DateTimeString")),
        due_on=_iso(reader.text(f"{terms}/ram:DueDateDateTime/udt:DateTimeString")),
        currency=currency,
        terms=reader.text(f"{terms}/ram:Description"),
        iban=reader.text(f"{means}/ram:PayeePartyCreditorFinancialAccount/ram:IBANID"),
        payment_means=tuple(part.text("ram:TypeCode") for part in reader.all(means)),
        seller=_cii_party(reader, f"{agreement}/ram:SellerTradeParty"),
        buyer=_cii_party(reader, f"{agreement}/ram:BuyerTradeParty"),
        delivery_country=reader.text(f"{delivery}/ram:ShipToTradeParty/ram:PostalTradeAddress/ram:CountryID"),
        has_delivery_date=reader.has(f"{delivery}/ram:ActualDeliverySupplyChainEvent") or reader.has(period),
        lines=tuple(
            _cii_line(line) for line in reader.all(f"{transaction}/ram:IncludedSupplyChainTradeLineItem")
        ),
        adjustments=_cii_extras(reader, f"{settlement}/ram:SpecifiedTradeAllowanceCharge"),
        taxes=tuple(
            ReadTax(
                category=tax.text("ram:CategoryCode"),
                rate=tax.text("ram:RateApplicablePercent"),
                base=tax.text("ram:BasisAmount"),
                tax=tax.text("ram:CalculatedAmount"),
                reason=tax.text("ram:ExemptionReason") or tax.text("ram:ExemptionReasonCode"),
            )
            for tax in reader.all(f"{settlement}/ram:ApplicableTradeTax")
        ),
        line_total=reader.text(f"{sums}/ram:LineTotalAmount"),
        discount_total=reader.text(f"{sums}/ram:AllowanceTotalAmount"),
        charge_total=reader.text(f"{sums}/ram:ChargeTotalAmount"),
        net=reader.text(f"{sums}/ram:TaxBasisTotalAmount"),
        tax=reader.by_attribute(tax_total, "currencyID", currency) or reader.text(tax_total),
        total=reader.text(f"{sums}/ram:GrandTotalAmount"),
        paid=reader.text(f"{sums}/ram:TotalPrepaidAmount"),
        rounding=reader.text(f"{sums}/ram:RoundingAmount"),
        due=reader.text(f"{sums}/ram:DuePayableAmount"),
    )  # fmt: skip


def _cii_party(reader: _Reader, path: str) -> ReadParty:
    registrations = f"{path}/ram:SpecifiedTaxRegistration/ram:ID"
    return ReadParty(
        name=reader.text(f"{path}/ram:Name"),
        city=reader.text(f"{path}/ram:PostalTradeAddress/ram:CityName"),
        country=reader.text(f"{path}/ram:PostalTradeAddress/ram:CountryID"),
        has_address=reader.has(f"{path}/ram:PostalTradeAddress"),
        vat_id=reader.by_attribute(registrations, "schemeID", "VA"),
        tax_number=reader.by_attribute(registrations, "schemeID", "FC"),
        registration=reader.text(f"{path}/ram:SpecifiedLegalOrganization/ram:ID"),
        own_number=reader.text(f"{path}/ram:ID") or reader.text(f"{path}/ram:GlobalID"),
        electronic_address=reader.text(f"{path}/ram:URIUniversalCommunication/ram:URIID"),
        electronic_scheme=reader.attribute(f"{path}/ram:URIUniversalCommunication/ram:URIID", "schemeID"),
    )


def _cii_line(line: _Reader) -> ReadLine:
    price = "ram:SpecifiedLineTradeAgreement/ram:NetPriceProductTradePrice"
    settlement = "ram:SpecifiedLineTradeSettlement"
    return ReadLine(
        id=line.text("ram:AssociatedDocumentLineDocument/ram:LineID"),
        name=line.text("ram:SpecifiedTradeProduct/ram:Name"),
        quantity=line.text("ram:SpecifiedLineTradeDelivery/ram:BilledQuantity"),
        unit=line.attribute("ram:SpecifiedLineTradeDelivery/ram:BilledQuantity", "unitCode"),
        basis_unit=line.attribute(f"{price}/ram:BasisQuantity", "unitCode"),
        price=line.text(f"{price}/ram:ChargeAmount"),
        basis=line.text(f"{price}/ram:BasisQuantity"),
        net=line.text(f"{settlement}/ram:SpecifiedTradeSettlementLineMonetarySummation/ram:LineTotalAmount"),
        category=line.text(f"{settlement}/ram:ApplicableTradeTax/ram:CategoryCode"),
        rate=line.text(f"{settlement}/ram:ApplicableTradeTax/ram:RateApplicablePercent"),
        extras=_cii_extras(line, f"{settlement}/ram:SpecifiedTradeAllowanceCharge"),
    )


def _cii_extras(reader: _Reader, path: str) -> tuple[ReadExtra, ...]:
    return tuple(
        ReadExtra(
            is_charge=extra.text("ram:ChargeIndicator/udt:Indicator") in ("true", "1"),
            amount=extra.text("ram:ActualAmount"),
            category=extra.text("ram:CategoryTradeTax/ram:CategoryCode"),
            rate=extra.text("ram:CategoryTradeTax/ram:RateApplicablePercent"),
            reason=extra.text("ram:Reason") or extra.text("ram:ReasonCode"),
        )
        for extra in reader.all(path)
    )


def _read_ubl(reader: _Reader) -> ReadInvoice:
    sums = "cac:LegalMonetaryTotal"
    is_credit = etree.QName(reader.root).localname == "CreditNote"
    currency = reader.text("cbc:DocumentCurrencyCode")
    totals = reader.all("cac:TaxTotal")
    tax_total = next(
        (total for total in totals if total.attribute("cbc:TaxAmount", "currencyID") == currency),
        totals[0] if totals else None,
    )
    delivery = "cac:Delivery"
    return ReadInvoice(
        syntax=UBL,
        guideline=reader.text("cbc:CustomizationID"),
        number=reader.text("cbc:ID"),
        type_code=reader.text("cbc:CreditNoteTypeCode" if is_credit else "cbc:InvoiceTypeCode"),
        issued_on=reader.text("cbc:IssueDate"),
        due_on=reader.text("cac:PaymentMeans/cbc:PaymentDueDate" if is_credit else "cbc:DueDate"),
        currency=currency,
        terms=reader.text("cac:PaymentTerms/cbc:Note"),
        iban=_ubl_iban(reader),
        payment_means=tuple(part.text("cbc:PaymentMeansCode") for part in reader.all("cac:PaymentMeans")),
        seller=_ubl_party(reader, "cac:AccountingSupplierParty/cac:Party"),
        buyer=_ubl_party(reader, "cac:AccountingCustomerParty/cac:Party"),
        delivery_country=reader.text(f"{delivery}/cac:DeliveryLocation/cac:Address/cac:Country/cbc:IdentificationCode"),
        has_delivery_date=reader.has(f"{delivery}/cbc:ActualDeliveryDate") or reader.has("cac:InvoicePeriod"),
        lines=tuple(
            _ubl_line(line, is_credit) for line in reader.all(f"cac:{'CreditNote' if is_credit else 'Invoice'}Line")
        ),
        adjustments=_ubl_extras(reader),
        taxes=tuple(
            ReadTax(
                category=tax.text("cac:TaxCategory/cbc:ID"),
                rate=tax.text("cac:TaxCategory/cbc:Percent"),
                base=tax.text("cbc:TaxableAmount"),
                tax=tax.text("cbc:TaxAmount"),
                reason=tax.text("cac:TaxCategory/cbc:TaxExemptionReason")
                or tax.text("cac:TaxCategory/cbc:TaxExemptionReasonCode"),
            )
            for tax in (tax_total.all("cac:TaxSubtotal") if tax_total else [])
        ),
        line_total=reader.text(f"{sums}/cbc:LineExtensionAmount"),
        discount_total=reader.text(f"{sums}/cbc:AllowanceTotalAmount"),
        charge_total=reader.text(f"{sums}/cbc:ChargeTotalAmount"),
        net=reader.text(f"{sums}/cbc:TaxExclusiveAmount"),
        tax=tax_total.text("cbc:TaxAmount") if tax_total else "",
        total=reader.text(f"{sums}/cbc:TaxInclusiveAmount"),
        paid=reader.text(f"{sums}/cbc:PrepaidAmount"),
        rounding=reader.text(f"{sums}/cbc:PayableRoundingAmount"),
        due=reader.text(f"{sums}/cbc:PayableAmount"),
    )  # fmt: skip


def _ubl_iban(reader: _Reader) -> str:
    """The account of a SEPA transfer; of other transfers it need not be an IBAN."""
    means = next((part for part in reader.all("cac:PaymentMeans") if part.text("cbc:PaymentMeansCode") == "58"), None)
    return means.text("cac:PayeeFinancialAccount/cbc:ID") if means else ""


def _ubl_party(reader: _Reader, path: str) -> ReadParty:
    schemes = {
        scheme.text("cac:TaxScheme/cbc:ID"): scheme.text("cbc:CompanyID")
        for scheme in reader.all(f"{path}/cac:PartyTaxScheme")
    }
    return ReadParty(
        name=reader.text(f"{path}/cac:PartyLegalEntity/cbc:RegistrationName"),
        city=reader.text(f"{path}/cac:PostalAddress/cbc:CityName"),
        country=reader.text(f"{path}/cac:PostalAddress/cac:Country/cbc:IdentificationCode"),
        has_address=reader.has(f"{path}/cac:PostalAddress"),
        vat_id=schemes.pop("VAT", ""),
        tax_number=next(iter(schemes.values()), ""),
        registration=reader.text(f"{path}/cac:PartyLegalEntity/cbc:CompanyID"),
        own_number=reader.text(f"{path}/cac:PartyIdentification/cbc:ID"),
        electronic_address=reader.text(f"{path}/cbc:EndpointID"),
        electronic_scheme=reader.attribute(f"{path}/cbc:EndpointID", "schemeID"),
    )


def _ubl_line(line: _Reader, is_credit: bool) -> ReadLine:
    quantity = "cbc:CreditedQuantity" if is_credit else "cbc:InvoicedQuantity"
    return ReadLine(
        id=line.text("cbc:ID"),
        name=line.text("cac:Item/cbc:Name"),
        quantity=line.text(quantity),
        unit=line.attribute(quantity, "unitCode"),
        basis_unit=line.attribute("cac:Price/cbc:BaseQuantity", "unitCode"),
        price=line.text("cac:Price/cbc:PriceAmount"),
        basis=line.text("cac:Price/cbc:BaseQuantity"),
        net=line.text("cbc:LineExtensionAmount"),
        category=line.text("cac:Item/cac:ClassifiedTaxCategory/cbc:ID"),
        rate=line.text("cac:Item/cac:ClassifiedTaxCategory/cbc:Percent"),
        extras=_ubl_extras(line),
    )


def _ubl_extras(reader: _Reader) -> tuple[ReadExtra, ...]:
    return tuple(
        ReadExtra(
            is_charge=extra.text("cbc:ChargeIndicator") in ("true", "1"),
            amount=extra.text("cbc:Amount"),
            category=extra.text("cac:TaxCategory/cbc:ID"),
            rate=extra.text("cac:TaxCategory/cbc:Percent"),
            reason=extra.text("cbc:AllowanceChargeReason") or extra.text("cbc:AllowanceChargeReasonCode"),
        )
        for extra in reader.all("cac:AllowanceCharge")
    )


def _iso(text: str) -> str:
    """A day of CII, 20261231, as UBL has it."""
    return f"{text[:4]}-{text[4:6]}-{text[6:]}" if re.fullmatch(r"[0-9]{8}", text) else text

"""E-invoices and the official rules: every file we write is valid, and both the rules and our own check find a
fault."""

import dataclasses
import re
from decimal import Decimal

import pytest

from crm.outward.einvoice import FORMATS, check, write
from tests.support.invoices import BUYER, invoice, kinds_of_invoices, line
from tests.support.official_rules import official_faults
from tests.support.peppol_rules import peppol_faults

pytestmark = pytest.mark.whole


@pytest.mark.many
@pytest.mark.parametrize("format", FORMATS)
def test_invoices_of_every_kind_keep_the_official_rules(format: str) -> None:
    kinds = kinds_of_invoices()
    assert len(kinds) >= 8
    assert {
        name: faults for name, document in kinds.items() if (faults := official_faults(write(document, format)))
    } == {}


_SILENT = {
    "BR-DE-15": (r"<ram:BuyerReference>.*?</ram:BuyerReference>", r"<cbc:BuyerReference>.*?</cbc:BuyerReference>"),
    "BR-DE-6": (
        r"<ram:TelephoneUniversal.*?</ram:TelephoneUniversalCommunication>",
        r"<cbc:Telephone>.*?</cbc:Telephone>",
    ),
    "BR-DE-4": (r"<ram:PostcodeCode>10969</ram:PostcodeCode>", r"<cbc:PostalZone>10969</cbc:PostalZone>"),
}


@pytest.mark.many
@pytest.mark.parametrize("format", ["xrechnung-cii", "xrechnung-ubl"])
def test_missing_german_requirements_are_found_by_the_german_rules(format: str) -> None:
    data = write(invoice(), format).decode()
    for rule, patterns in _SILENT.items():
        broken, times = re.subn(patterns[format.endswith("ubl")], "", data, count=1, flags=re.DOTALL)
        assert times == 1, rule
        assert [fault.partition(":")[0] for fault in official_faults(broken.encode())] == [rule]


def test_invoices_of_every_kind_keep_the_rules_that_peppol_adds() -> None:
    kinds = kinds_of_invoices()
    assert {
        name: faults for name, document in kinds.items() if (faults := peppol_faults(write(document, "peppol")))
    } == {}


# What is broken, and what the rules of Peppol say.
_BROKEN_FOR_PEPPOL = {
    "R001": (r"(<cbc:ProfileID>)[^<]*", r"\1urn:other"),
    "R002": (
        r"(<cbc:Note>.*?</cbc:Note>|(?=<cbc:DocumentCurrencyCode))",
        r"<cbc:Note>a</cbc:Note><cbc:Note>b</cbc:Note>",
    ),
    "R003": (r"<cbc:BuyerReference>.*?</cbc:BuyerReference>", ""),
    "R004": (r"(<cbc:CustomizationID>)[^<]*", r"\1urn:cen.eu:en16931:2017"),
    "R008": (r"(<cbc:BuyerReference>)[^<]*", r"\1"),
    "R010": (r"(AccountingCustomerParty.*?)<cbc:EndpointID.*?</cbc:EndpointID>", r"\1"),
    "R020": (r"<cbc:EndpointID.*?</cbc:EndpointID>", ""),
    "CL008": (r'<cbc:EndpointID schemeID="[^"]*"', '<cbc:EndpointID schemeID="EM"'),
    "R051": (r'currencyID="EUR"', 'currencyID="USD"'),
    "R053": (r"(<cac:TaxTotal>.*?</cac:TaxTotal>)", r"\1\1"),
    "R120": (r"(<cbc:InvoicedQuantity[^>]*>)[^<]*", r"\g<1>77"),
    "R130": (
        r"(<cbc:PriceAmount[^>]*>[^<]*</cbc:PriceAmount>)(<cbc:BaseQuantity.*?</cbc:BaseQuantity>)?",
        r'\1<cbc:BaseQuantity unitCode="XPK">1</cbc:BaseQuantity>',
    ),
    "P0100": (r"(<cbc:InvoiceTypeCode>)[^<]*", r"\g<1>999"),
}


def test_a_broken_peppol_rule_is_found() -> None:
    data = write(invoice(), "peppol").decode()
    missed = []
    for rule, (pattern, text) in _BROKEN_FOR_PEPPOL.items():
        broken, times = re.subn(pattern, text, data, count=1, flags=re.DOTALL)
        assert times == 1, rule
        if not any(fault.startswith(rule) for fault in peppol_faults(broken.encode())):
            missed.append(rule)
    assert missed == []


def test_our_check_finds_no_fault_in_valid_invoices() -> None:
    for format in FORMATS:
        for name, document in kinds_of_invoices().items():
            assert check(write(document, format)).faults == (), (name, format)


# What is broken: in CII, in UBL, and the rule that our check names.
_MUTANTS = {
    "unit": (r'(unitCode=")HUR', r'(unitCode=")HUR', "FOO", "BR-CL-23"),
    "means of payment": (
        r"(SettlementPaymentMeans>\s*<ram:TypeCode>)[^<]*", r"(<cbc:PaymentMeansCode>)[^<]*", "ZZ8", "BR-CL-16",
    ),
    "scheme of an address": (
        r'(<ram:URIID schemeID=")[^"]*', r'(<cbc:EndpointID schemeID=")[^"]*', "9999", "BR-CL-25",
    ),
    "amount due": (r"(<ram:DuePayableAmount>)[^<]*", r"(<cbc:PayableAmount[^>]*>)[^<]*", "200.00", "BR-CO-16"),
    "total": (r"(<ram:GrandTotalAmount>)[^<]*", r"(<cbc:TaxInclusiveAmount[^>]*>)[^<]*", "200.00", "BR-CO-15"),
    "tax total": (r"(<ram:TaxTotalAmount[^>]*>)[^<]*", r"(<cbc:TaxAmount[^>]*>)[^<]*", "9.99", "BR-CO-14"),
    "sum of the lines": (
        r"(HeaderMonetarySummation>\s*<ram:LineTotalAmount>)[^<]*",
        r"(LegalMonetaryTotal>\s*<cbc:LineExtensionAmount[^>]*>)[^<]*",
        "1.00",
        "BR-CO-10",
    ),
    "total without tax": (
        r"(<ram:TaxBasisTotalAmount>)[^<]*", r"(<cbc:TaxExclusiveAmount[^>]*>)[^<]*", "1.00", "BR-CO-13",
    ),
    "amount of a tax group": (r"(<ram:BasisAmount>)[^<]*", r"(<cbc:TaxableAmount[^>]*>)[^<]*", "77.00", "BR-S-08"),
    "number": (r"(ExchangedDocument>\s*<ram:ID>)[^<]*", r"(ProfileID>\s*<cbc:ID>)[^<]*", "", "BR-02"),
    "name of the seller": (
        r"(SellerTradeParty>\s*<ram:Name>)[^<]*", r"(<cbc:RegistrationName>)[^<]*", "", "BR-06",
    ),
    "VAT id of the seller": (
        r'(<ram:ID schemeID="VA">)[^<]*', r"(<cac:PartyTaxScheme>\s*<cbc:CompanyID>)[^<]*", "123456789", "BR-CO-09",
    ),
    "country": (r"(<ram:CountryID>)[^<]*", r"(<cbc:IdentificationCode>)[^<]*", "XY", "BR-CL-14"),
    "currency": (
        r"(<ram:InvoiceCurrencyCode>)[^<]*", r"(<cbc:DocumentCurrencyCode>)[^<]*", "EURO", "BR-CL-04",
    ),
    "three decimals": (
        r"(<ram:ApplicableTradeTax>\s*<ram:CalculatedAmount>)[^<]*",
        r"(<cac:TaxSubtotal>\s*<cbc:TaxableAmount[^>]*>)[^<]*",
        "100.001",
        "BR-DEC",
    ),
    "rate of a tax group": (
        r"(<ram:CategoryCode>S</ram:CategoryCode>\s*<ram:RateApplicablePercent>)19(?=[^\0]*<ram:SpecifiedTradePaymentT)",
        r"(<cac:TaxCategory>\s*<cbc:ID>S</cbc:ID>\s*<cbc:Percent>)[^<]*",
        "7",
        "BR-",
    ),
    "due date": (
        r"()<ram:SpecifiedTradePaymentTerms>.*?</ram:SpecifiedTradePaymentTerms>",
        r"()<cbc:DueDate>[^<]*</cbc:DueDate>", "", "BR-CO-25",
    ),
}  # fmt: skip
# The official rules only warn of these.
_OURS = frozenset({"due date"})


@pytest.mark.many
@pytest.mark.parametrize("format", ["factur-x", "xrechnung-ubl"])
def test_a_deliberate_error_is_found_by_the_official_rules_and_by_our_check(format: str) -> None:
    data = write(invoice(), format).decode()
    missed = []
    for name, (in_cii, in_ubl, text, rule) in _MUTANTS.items():
        pattern = in_cii if format == "factur-x" else in_ubl
        broken, times = re.subn(pattern, rf"\g<1>{text}", data, count=1, flags=re.DOTALL)
        assert times == 1, name
        assert broken != data, name
        if name not in _OURS and not official_faults(broken.encode()):
            missed.append(f"{name}: the official rules")
        faults = check(broken.encode()).faults
        if not any(fault.rule.startswith(rule) for fault in faults):
            missed.append(f"{name}: our check says {faults}")
    assert missed == []


@pytest.mark.many
@pytest.mark.parametrize("format", FORMATS)
def test_a_wrong_quantity_times_price_is_found_by_our_check(format: str) -> None:
    document = invoice(line("Consulting", "100", quantity=Decimal(3)))
    data = re.sub(r"(BilledQuantity[^>]*>|InvoicedQuantity[^>]*>)3<", r"\g<1>2<", write(document, format).decode())
    assert official_faults(data.encode()) == []
    (fault,) = check(data.encode()).faults
    assert (fault.rule, fault.line) == ("line", "1")
    assert fault.sentence == "Line 1: 2 x 100 is 200.00, not 300.00."


def test_peppol_accepts_a_vat_id_and_no_e_mail_address() -> None:
    by_email = dataclasses.replace(
        BUYER, electronic_address="a@example.org", electronic_scheme="EM", vat_id="ATU12345678"
    )
    data = write(invoice(buyer=by_email), "peppol").decode()
    assert '<cbc:EndpointID schemeID="9914">ATU12345678</cbc:EndpointID>' in data
    assert "EM" in write(invoice(buyer=by_email), "xrechnung-ubl").decode()

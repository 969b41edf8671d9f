"""The faults of an e-invoice that somebody sent."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that is wrong with an e-invoice. `rule` is the rule of EN 16931 (BR-CO-15), or one of ours."""

    rule: str
    sentence: str
    line: str = ""
    """The id of the invoice line, where it is about one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """An e-invoice that somebody sent, and what is wrong with it; nothing where `faults` is empty."""

    format: str
    """As a person calls it: Factur-X (EN 16931), XRechnung 3.0 (UBL), CII of an unknown profile."""
    number: str
    seller: str
    buyer: str
    issued_on: str
    currency: str
    total: str
    faults: tuple[Fault, ...]

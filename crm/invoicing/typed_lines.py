"""A line of an invoice as somebody types it: `3 h Consulting 100`, `2 x Table 49.90 19%`."""

from dataclasses import dataclass
from decimal import Decimal

from crm.model.conventions import Conventions


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedLine:
    """What was typed; `price` and `rate` are None where nothing was said of them (the service knows them)."""

    name: str
    quantity: Decimal
    unit: str
    price: Decimal | None
    rate: Decimal | None


def read_line(text: str, conventions: Conventions) -> TypedLine:
    """Read a line: [quantity [unit] [x]] name [price] [rate%]. Raises FieldError with an example."""
    raise NotImplementedError


def unit_code(text: str) -> str:
    """The code of a unit as people write it (h, hours, Std, pcs, kg) or as a code; '' for none."""
    raise NotImplementedError


def unit_name(code: str) -> str:
    """A unit as it is printed beside a quantity: h, days, kg; '' for pieces; an unknown code as it is."""
    raise NotImplementedError

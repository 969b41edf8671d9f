"""Records: services that are sold."""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from crm.model.fields import Choice, Flag, Line, Price, Prose, Rate, Unit
from crm.model.kind import ALL, Export, Kind, May, Rights, Tab
from crm.model.record import Record, described

# The categories of tax (UNTDID 5305) as EN 16931 knows them.
TAX_CATEGORIES = {
    "S": "standard rate",
    "Z": "zero rate",
    "E": "exempt",
    "AE": "reverse charge",
    "K": "intra-Community supply",
    "G": "export",
    "O": "not subject to tax",
}
PERIODS = {
    "once": "once",
    "weekly": "weekly",
    "monthly": "monthly",
    "quarterly": "quarterly",
    "half-yearly": "half-yearly",
    "yearly": "yearly",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Service(Record):
    """Something that is sold by the unit. One that is not offered any more is retired: not `active`."""

    about: ClassVar[Kind] = Kind(
        "service",
        "services",
        place=20,
        needs=("name",),
        called="name",
        order=("name", "id"),
        unique=("name",),
        rights=Rights(staff=May(ALL, ALL, ALL)),
        tab=Tab(number=40, colour="7a5c99", rows=60, first=("name", "price", "unit"), since=8),
        export=Export(place=20),
        since=9,
    )

    name: str = described("Name", Line(200))
    description: str = described("Description", Prose(2000), help="stands below the name on an invoice")
    unit: str = described("Unit", Unit(), help="hour, piece, month, or a code such as HUR")
    price: Decimal = described("Price", Price(), help="of one unit, with up to four decimals")
    gross: bool = described("Price includes tax", Flag())
    tax_category: str = described("Tax category", Choice(TAX_CATEGORIES), help="S standard, Z zero, E exempt, ...")
    tax_rate: Decimal = described("Tax rate", Rate(), help="in percent")
    period: str = described("Period", Choice(PERIODS), help="how often it is billed")
    active: bool = described("Offered", Flag(), help="whether it can be put on invoices")

"""Records: vehicles that clients own, and what was repaired."""

from datetime import date
from decimal import Decimal
from typing import ClassVar

from crm.lean_dataclass import dataclass
from crm.model.fields import Amount, Choice, Day, Id, Line, Whole
from crm.model.kind import EVERYTHING, READ_OWN, Derived, Export, Indexed, Kind, Rights, Sum, Tab
from crm.model.record import Record, described

STATES = {"used": "in use", "sold": "sold"}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Vehicle(Record):
    """A vehicle of a client; `spent` is what its repairs have cost."""

    about: ClassVar[Kind] = Kind(
        "vehicle",
        "vehicles",
        needs=("client", "plate", "on"),
        called="plate",
        order=("-on", "sort_plate", "id"),
        day="on",
        unique=("plate", "chassis"),
        derived={"sort_plate": Derived(("plate",), lambda plate: plate.lower(), 20)},
        indexes={
            "by_client": ("client", "on"),
            "by_plate": ("sort_plate",),
            "by_note": Indexed(("note", "on"), folded=True, given="note"),
        },
        rights=Rights(staff=EVERYTHING, client=READ_OWN, owned_by=("client", "client"), internal=("note",)),
        tab=Tab(number=70, first=("plate", "state"), since=99),
        export=Export(),
        since=99,
    )

    client: int = described("Client", Id("client", owns=True))
    plate: str = described("Plate", Line(20))
    on: date = described("Bought", Day())
    chassis: int = described("Chassis", Whole())
    price: Decimal = described("Price", Amount())
    state: str = described("State", Choice(STATES))
    note: str = described("Note", Line(200))
    spent: Decimal = described("Spent", Amount(), by="facts")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Repair(Record):
    """A repair of a vehicle."""

    about: ClassVar[Kind] = Kind(
        "repair",
        "repairs",
        needs=("vehicle", "cost"),
        sums=(Sum(name="spent", function="sum", of="cost", onto="vehicle"),),
        rights=Rights(staff=EVERYTHING),
        tab=Tab(number=71, since=99),
        since=99,
    )

    vehicle: int = described("Vehicle", Id("vehicle", owns=True))
    cost: Decimal = described("Cost", Amount())

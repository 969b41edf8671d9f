"""Vehicles: added and listed."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any

from crm.model.vehicles import Repair, Vehicle

from crm.commands.context import CRM
from crm.commands.registry import EVERYBODY, About, FieldsOf, Takes, command
from crm.model import Client
from crm.model.fields import Amount, Line


@command("vehicles add", title="Add a vehicle", menu="vehicles", hint="One that a client owns")
def add(
    crm: CRM,
    client: Annotated[Client, About("Client", "its number, reference or name", positional=True)],
    plate: Annotated[str, Line(20), About("Plate")],
    price: Annotated[Decimal, Amount(), About("Price")],
) -> Vehicle:
    """Add a vehicle of a client."""
    return crm.transact(
        lambda tx: tx.add(Vehicle(client=client.id, plate=plate, price=price, state="used", on=tx.today)),
        f"added the vehicle {plate}",
    )


@command("vehicles repair", title="Repair a vehicle", menu="vehicles", hint="What it has cost")
def repair(
    crm: CRM,
    vehicle: Annotated[Vehicle, About("Vehicle", "its number or plate", positional=True)],
    cost: Annotated[Decimal, Amount(), About("Cost")],
) -> Repair:
    """Note what a repair of a vehicle has cost."""
    return crm.transact(lambda tx: tx.add(Repair(vehicle=vehicle.id, cost=cost)), f"repaired {vehicle.plate}")


@command("vehicles edit", title="Edit a vehicle", menu="vehicles", hint="Plate, price, state or note")
def edit(
    crm: CRM,
    vehicle: Annotated[Vehicle, About("Vehicle", "its number or plate", positional=True)],
    changes: Annotated[Mapping[str, Any], FieldsOf(Vehicle, Takes.CHANGES, but=("client",))],
) -> Vehicle:
    """Change fields of a vehicle."""
    return crm.transact(lambda tx: tx.change(vehicle, **changes), f"edited {vehicle.plate}")


@command("vehicles register", title="Fill in a new vehicle", menu="vehicles", hint="With all that is known of it")
def register(
    crm: CRM,
    client: Annotated[Client, About("Client", "its number, reference or name", positional=True)],
    values: Annotated[Mapping[str, Any], FieldsOf(Vehicle, Takes.NEW, but=("client", "state", "on"))],
) -> Vehicle:
    """Add a vehicle of a client with all that is known of it."""
    return crm.transact(
        lambda tx: tx.add(Vehicle(client=client.id, state="used", on=tx.today, **values)), "registered a vehicle"
    )


@command(
    "vehicles repaired", title="List repairs", menu="vehicles", hint="The first one first", nothing="No repairs yet."
)
def list_repairs(crm: CRM) -> list[Repair]:
    """List repairs."""
    with crm.read() as snapshot:
        return list(snapshot.find_all(Repair))


@command("vehicles correct", title="Correct a repair", menu="vehicles", hint="Its vehicle or cost")
def correct(
    crm: CRM,
    repair: Annotated[Repair, About("Repair", "its number", positional=True)],
    changes: Annotated[Mapping[str, Any], FieldsOf(Repair, Takes.CHANGES)],
) -> Repair:
    """Change fields of a repair."""
    return crm.transact(lambda tx: tx.change(repair, **changes), "corrected a repair")


@command(
    "vehicles list",
    title="List vehicles",
    menu="vehicles",
    hint="The newest first",
    roles=EVERYBODY,
    nothing="No vehicles yet.",
)
def list_all(crm: CRM) -> list[Vehicle]:
    """List vehicles, the newest first."""
    with crm.read() as snapshot:
        return list(snapshot.find_all(Vehicle))

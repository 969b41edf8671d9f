"""Vehicles: added and listed."""

from decimal import Decimal
from typing import Annotated

from crm.model.vehicles import Repair, Vehicle

from crm.commands.context import CRM
from crm.commands.registry import EVERYBODY, About, command
from crm.model import Client
from crm.model.fields import Amount, Line


@command("vehicles add", title="Add a vehicle", menu="vehicles")
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


@command("vehicles repair", title="Repair a vehicle", menu="vehicles")
def repair(
    crm: CRM,
    vehicle: Annotated[Vehicle, About("Vehicle", "its number or plate", positional=True)],
    cost: Annotated[Decimal, Amount(), About("Cost")],
) -> Repair:
    """Note what a repair of a vehicle has cost."""
    return crm.transact(lambda tx: tx.add(Repair(vehicle=vehicle.id, cost=cost)), f"repaired {vehicle.plate}")


@command("vehicles list", title="List vehicles", menu="vehicles", roles=EVERYBODY)
def list_all(crm: CRM) -> list[Vehicle]:
    """List vehicles, the newest first."""
    with crm.read() as snapshot:
        return list(snapshot.find_all(Vehicle))

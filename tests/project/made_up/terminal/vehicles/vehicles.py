"""A vehicle at the menu."""

from crm.model.vehicles import Vehicle

from crm.terminal.toolkit.pages import page
from crm.terminal.toolkit.session import Session


@page(Vehicle)
def vehicle_page(session: Session, vehicle: Vehicle) -> None:
    """A vehicle whole."""
    session.page("Vehicles", vehicle.plate)

"""Vehicles on screen."""

from crm.model.vehicles import Vehicle
from rich.text import Text

from crm.model import Conventions
from crm.terminal.drawing.render import renderer
from crm.terminal.drawing.screen import Screen, clean


@renderer(Vehicle)
def draw_vehicle(result: Vehicle, screen: Screen, by: Conventions) -> None:
    """A vehicle in a line."""
    screen.print(Text(f"Vehicle {clean(result.plate)} of {by.money(result.price)}"))

"""A vehicle at the menu."""

from collections.abc import Sequence

from crm.model.vehicles import Vehicle

from crm.terminal.console.keyboard import Choice
from crm.terminal.drawing.render import show
from crm.terminal.toolkit.record_page import RecordPage, record_page


@record_page(Vehicle)
class VehiclePage(RecordPage[Vehicle, Vehicle]):
    """A vehicle, and what can be done with it."""

    def crumbs(self) -> Sequence[str]:
        return ["Vehicles", self.record.plate]

    def draw(self) -> None:
        show(self.session.screen, self.card, self.session.crm.conventions)

    def entries(self) -> Sequence[Choice]:
        return [
            Choice("Repair it", self.starts("vehicles repair")),
            Choice("Edit it", self.starts("vehicles edit")),
        ]

"""Vehicles in the timelines of clients."""

from crm.model.vehicles import Vehicle

from crm.commands.timeline_entries import Entry
from crm.commands.timeline_sources import Row, Source, source
from crm.model import Conventions


@source(Vehicle, {"vehicle": "vehicles"})
class Vehicles(Source):
    """Vehicles on the day on which they were bought."""

    def entry(self, row: Row, by: Conventions) -> Entry:
        note = f": {row.note}" if row.note else ""
        return Entry(row.on, "", "vehicle", f"Vehicle {row.plate}{note}", "", row.price, "vehicle", row.id)

"""Sales and deals in the timelines of clients."""

from collections.abc import Sequence

from crm.commands.timeline_entries import Entry
from crm.commands.timeline_sources import Keyed, Part, Row, Source, source
from crm.model import Conventions, Deal, Sale, Stage
from crm.repository.queries import timeline


@source(Sale, {"sale": "sales"}, place=10, first=True)
class Sales(Source):
    """Sales: 'Sale 7 (order 12): by phone'."""

    def rows(self, part: Part) -> list[Keyed]:
        return part.keyed(timeline.sales(part.snapshot, part.client, part.until, part.most))

    def own_rows(self, part: Part) -> list[Keyed]:
        """Whole records, in which the notes of the team are blank."""
        return super().rows(part)

    def entry(self, row: Row, by: Conventions) -> Entry:
        reference = f" ({row.reference})" if row.reference else ""
        text = f"Sale {row.id}{reference}" + (f": {row.note}" if row.note else "")
        return Entry(row.on, "", "sale", text, row.user, row.amount, "sale", row.id)


@source(Deal, {"deal": "deals"}, place=20)
class Deals(Source):
    """The moves of deals from stage to stage; every deal comes into stages by moves, the first one when it is added."""

    def rows(self, part: Part) -> list[Keyed]:
        return part.keyed(timeline.stage_moves(part.snapshot, part.client, part.until, part.most))

    def entries(self, part: Part, rows: Sequence[Row]) -> list[Entry]:
        snapshot, clock = part.snapshot, part.by.clock
        moved = {deal.id: deal for deal in timeline.moved_deals(snapshot, [row.id for row in rows])}
        stages = {stage.id: stage for stage in snapshot.find_all(Stage)}
        entries = []
        for row in rows:
            deal, now = moved[row.id], stages.get(row.stage)
            if now and now.outcome != "open":
                text = f"Deal {now.outcome}: {deal.title}"
                text += f" ({deal.lost_reason})" if now.outcome == "lost" and deal.lost_reason else ""
            elif deal.before is None:
                text = f"Deal added: {deal.title}"
            else:
                before = stages.get(deal.before)
                text = f"Deal {deal.title}: {before.name if before else '?'} → {now.name if now else '?'}"
            # One that is recorded on a later day has no time of day.
            at = clock.time_of(row.created_at) if clock.day_of(row.created_at) == row.on else ""
            entries.append(Entry(row.on, at, "deal", text, row.user, None, "deal", row.deal))
        return entries

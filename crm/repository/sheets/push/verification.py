"""The verification of the preconditions of a commit, read just before it is sent."""

from crm.repository.sheets.google.spreadsheet import Rejected, Service
from crm.repository.sheets.grid.layout import BEFORE, HISTORY, TABS, GridRange, runs, trimmed
from crm.repository.sheets.mirror import history_tab
from crm.repository.sheets.mirror.before_images import came_first
from crm.repository.sheets.mirror.mirror import META_RANGE, Seen
from crm.repository.sheets.pull.reading import is_merged, is_serialised, state_in, without_tabs
from crm.repository.sheets.push.plan import Plan

# Rows are asked for one by one up to so many; more are read in one piece, whatever lies between.
_APART = 50


class Verified:
    """The preconditions of a commit, as they are just before: the state, the headings, and the rows it will write
    to."""

    def __init__(self, service: Service, plan: Plan, seen: Seen) -> None:
        self._plan = plan
        self._seen = seen
        spans = [(kind, *span) for kind in plan.kinds for span in self._spans(plan, kind)]
        asked: list[GridRange] = [
            META_RANGE,
            BEFORE.rows(0, 1),
            HISTORY.rows(seen.state.history_rows),
            *(TABS[kind].rows(0, 1) for kind in plan.kinds),
        ]
        asked += [TABS[kind].rows(first, end) for kind, first, end in spans]
        try:
            meta, before, history, *answers = service.values(asked)
        except Rejected as error:
            raise without_tabs(service, error) from error
        self.state, self.serialises = state_in(meta.rows), is_serialised(meta.rows)
        self.merges = is_merged(meta.rows)
        self._before = before.rows[0] if before.rows else []
        self._history = [trimmed(row) for row in history.rows]
        headings = answers[: len(plan.kinds)]
        self.titles = {kind: values.title for kind, values in zip(plan.kinds, headings, strict=True)}
        self.headings = {
            kind: values.rows[0] if values.rows else [] for kind, values in zip(plan.kinds, headings, strict=True)
        }
        self._rows = {
            (kind, first + offset): row
            for (kind, first, _), values in zip(spans, answers[len(plan.kinds) :], strict=True)
            for offset, row in enumerate(values.rows)
        }

    @staticmethod
    def _spans(plan: Plan, kind: type) -> list[tuple[int, int]]:
        rows = [written.row for written in plan.touched if written.kind is kind]
        if len(rows) > _APART:
            return [(min(rows), max(rows) + 1)]
        return [(first, first + count) for first, count in runs(rows)]

    def holds(self) -> bool:
        """Return whether everything is where the plan has it, and nothing came twice."""
        seen = self._seen
        if not self.state.is_at(seen.state) or not came_first(self._before, self.state) or not self._history_ends:
            return False
        for kind in self._plan.kinds:
            place = seen.places[kind.kind_name]
            if trimmed(self.headings[kind]) != trimmed(place.heading) or self.titles[kind] != place.title:
                return False
        return all(row.fits(self._rows.get((row.kind, row.row), [])) for row in self._plan.touched)

    @property
    def _history_ends(self) -> bool:
        """The end of the history is where it is thought to be."""
        end = self._seen.places[HISTORY.title].heading
        return len(self._history) == 1 and (not end or end == [history_tab.digest(self._history[0])])

"""Today: the first screen, what its reader has chosen to look at in the morning."""

from collections.abc import Generator, Mapping, Sequence
from datetime import date
from typing import Any

from crm.commands.activity.agenda import Agenda
from crm.commands.context import CRM
from crm.commands.home.figures import Start, start_of
from crm.commands.home.tiles import DEFAULT, TILES, Tile
from crm.commands.ownership import Mine
from crm.commands.registry import command
from crm.lean_dataclass import dataclass
from crm.model import Dashboard
from crm.model.encoding import plain
from crm.repository import Query, Snapshot

_NOTHING_TO_DO = Agenda([], 0, 0)


@dataclass(frozen=True, slots=True)
class TodayReport:
    """The state of things on a day: what each tile of the dashboard shows, by its name, in order."""

    on: date
    tiles: Mapping[str, Any]

    @property
    def agenda(self) -> Agenda:
        """The most urgent items; none where that tile is not on the dashboard."""
        tile: Agenda = self.tiles.get("agenda", _NOTHING_TO_DO)
        return tile

    def as_json(self) -> dict[str, Any]:
        """The day, the names of the tiles, and what each holds."""
        written: dict[str, Any] = {"on": self.on, "tiles": list(self.tiles)}
        for name, content in self.tiles.items():
            written |= TILES[name].as_json(content)
        return {name: plain(value) for name, value in written.items()}


@command("today", title="Today", menu="today")
def today(crm: CRM, mine: Mine = False) -> TodayReport:
    """Show your dashboard: what needs doing, clients by status, sales by month, and so on.

    `mine` shows only what you have to do; `agenda` lists everything. `dashboard set` chooses what is shown, and in
    which order.
    """
    with crm.read() as snapshot:
        names = arranged(crm, snapshot)
        contents = {name: read(crm, snapshot, mine) for name in names if (read := TILES[name].read)}
    # A report reads for itself.
    return TodayReport(
        crm.today, {name: contents[name] if name in contents else TILES[name].reported(crm) for name in names}
    )


def one(crm: CRM, tile: Tile) -> Any:
    """The content of one tile; nothing else is read."""
    if tile.read is None:
        return tile.reported(crm)
    with crm.read() as snapshot:
        return tile.read(crm, snapshot, False)


class Brief:
    """The brief above the menu: a few lines, kept until the store is changed, another day begins or somebody else
    looks."""

    def __init__(self) -> None:
        self._revision: object = None
        self._of: object = None
        self._tiles: Sequence[Tile] = ()
        self._contents: dict[str, Any] = {}
        self.start = Start((), {})

    def read(self, crm: CRM) -> Start:
        """The things to do, and the figures of the main menu."""
        with crm.read() as snapshot:
            self._look(crm, snapshot)
        return self.start

    def _look(self, crm: CRM, snapshot: Snapshot) -> None:
        revision = (crm.repository.url, snapshot.revision)
        if revision != self._revision:
            if self._revision is not None:
                # Somebody else may have changed the settings, the time zone among them.
                crm.forget_settings()
            self._revision = revision
        of = (revision, snapshot.today, crm.reader)
        if of != self._of:
            arranged_ = [TILES[name] for name in arranged(crm, snapshot)]
            self._tiles = sorted(arranged_, key=lambda tile: tile.listed)
            self._of, self._contents = of, {}
            self.start = start_of(crm, snapshot)

    def tiles(self, crm: CRM, further: Sequence[str] = ()) -> Generator[tuple[Tile, Any], None, None]:
        """The tiles of the dashboard, figures before what is listed, and `further` ones by name, each with what it
        shows; only what is asked for is read. Reports are not among them, nor what needs doing."""
        with crm.read() as snapshot:
            self._look(crm, snapshot)
            names = dict.fromkeys([*(tile.name for tile in self._tiles), *further])
            for tile in map(TILES.__getitem__, names):
                if tile.name == "agenda":
                    continue
                if tile.name not in self._contents:
                    if tile.brief is not None:
                        self._contents[tile.name] = tile.brief(crm, snapshot)
                    elif tile.read is not None:
                        self._contents[tile.name] = tile.read(crm, snapshot, True)
                    else:
                        continue
                yield tile, self._contents[tile.name]


def arranged(crm: CRM, snapshot: Snapshot) -> tuple[str, ...]:
    """The names of the tiles on the reader's dashboard, in order; those that this version does not know are skipped."""
    own = dashboard_of(crm, snapshot)
    return DEFAULT if own is None else tuple(name for name in dict.fromkeys(own.tiles.split(",")) if name in TILES)


def dashboard_of(crm: CRM, snapshot: Snapshot) -> Dashboard | None:
    """The dashboard that the reader has arranged; None where they have what everybody starts with."""
    owner = {"user_id": crm.reader.user} if crm.reader.user else {"user": crm.me}
    return next(iter(snapshot.find_all(Dashboard, Query(owner))), None)

"""The dashboard: everybody chooses which tiles are on their first screen, and in which order."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from crm.commands.context import CRM
from crm.commands.home.tiles import DEFAULT, TILES
from crm.commands.home.today import arranged, dashboard_of
from crm.commands.registry import About, command
from crm.errors import FieldError
from crm.model import Dashboard
from crm.model.fields import Line
from crm.repository import Transaction


@dataclass(frozen=True, slots=True)
class TileShown:
    """A tile, and its `place` on the reader's dashboard, counted from 1; 0 where it is not on it."""

    name: str
    title: str
    place: int


@command("dashboard show", title="My dashboard", nothing="No tiles are on the dashboard.")
def show(crm: CRM) -> list[TileShown]:
    """List the tiles on your dashboard, in order."""
    return [tile for tile in tiles(crm) if tile.place]


@command("dashboard tiles", title="Tiles for the dashboard", nothing="No tiles to choose from.")
def tiles(crm: CRM) -> list[TileShown]:
    """List all tiles for a dashboard: first those on yours, in order, then the rest."""
    with crm.read() as snapshot:
        names = arranged(crm, snapshot)
    return [TileShown(name, TILES[name].title, place) for place, name in enumerate(names, start=1)] + [
        TileShown(name, tile.title, 0) for name, tile in TILES.items() if name not in names
    ]


@command("dashboard set", title="Arrange my dashboard", nothing="No tiles are on the dashboard.")
def set_(
    crm: CRM,
    tiles: Annotated[
        str,
        Line(1000),
        About(
            "Tiles",
            "their names in order, separated by commas; `dashboard tiles` lists them",
            positional=True,
            completed_by="listed dashboard tiles",
        ),
    ],
) -> list[TileShown]:
    """Choose the tiles on your dashboard, and their order.

    On Today, figures come before the entries that you can open by number, both in this order. Other people's dashboards
    do not change.
    """
    names = _names(tiles)

    def change(tx: Transaction) -> None:
        own = dashboard_of(crm, tx)
        if own is None:
            tx.add(Dashboard(user=crm.me, user_id=crm.reader.user, tiles=",".join(names)))
        else:
            tx.change(own, tiles=",".join(names))

    crm.transact(change, "arranged the dashboard")
    return show(crm)


@command("dashboard reset", title="Reset my dashboard", nothing="No tiles are on the dashboard.")
def reset(crm: CRM) -> list[TileShown]:
    """Reset your dashboard to the default."""

    def change(tx: Transaction) -> None:
        own = dashboard_of(crm, tx)
        if own is not None:
            tx.delete(own)

    crm.transact(change, "reset the dashboard")
    return show(crm)


def _names(written: str) -> Sequence[str]:
    """The names of tiles that were written, each once, in order. Raises FieldError."""
    names = tuple(dict.fromkeys(" ".join(part.casefold().split()) for part in written.split(",") if part.strip()))
    unknown = [name for name in names if name not in TILES]
    if unknown:
        raise FieldError(f"no tile {unknown[0]!r:.60}; use {', '.join(TILES)}", field="tiles", label="Tiles")
    if not names:
        raise FieldError(f"choose at least one; the default is: {', '.join(DEFAULT)}", field="tiles", label="Tiles")
    return names

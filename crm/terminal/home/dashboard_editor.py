"""The dashboard arranged at the menu: tiles switched on and off, and moved up and down, by keys."""

from collections.abc import Callable, Sequence
from typing import Any

from rich.text import Text

from crm.commands.home.dashboard import TileShown
from crm.commands.home.tiles import DEFAULT
from crm.commands.registry import named
from crm.errors import CRMError
from crm.terminal.console.keyboard import Back, Choice
from crm.terminal.drawing.screen import clean
from crm.terminal.toolkit import letters
from crm.terminal.toolkit.pages import flow
from crm.terminal.toolkit.session import Session

# The entries, the way back, the keys, how many more there are and a blank line.
_AROUND = 6
_ABOUT = "The arrow keys choose a tile, Enter turns it on or off. 0 saves, Ctrl-C cancels."


class DashboardEditor:
    """The tiles that are on the dashboard in order, then those that do not; one of them is pointed at. What was done is
    saved as the person goes back."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.at = 0
        self._top = 0
        tiles: list[TileShown] = named("dashboard tiles")(session.crm)
        self._titles = {tile.name: tile.title for tile in tiles}
        self._on = [tile.name for tile in tiles if tile.place]
        self._before = list(self._on)
        # Those that are off keep one order, whatever is switched.
        self._known = [tile.name for tile in sorted(tiles, key=lambda tile: tile.title)]

    @property
    def _all(self) -> Sequence[str]:
        return [*self._on, *(name for name in self._known if name not in self._on)]

    def show(self) -> None:
        """Show the tiles until the person goes back. Raises Cancelled."""
        while True:
            self.session.page("Today", "Arrange")
            self._draw()
            name = self._pointed
            label = f"Switch {'off' if name in self._on else 'on'}: {self._titles[name]}"
            entries = [
                Choice(self.session.screen.cut(label, 8), self._switch),
                Choice("Reset to default", self._reset),
            ]
            try:
                chosen = self.session.choose(
                    "", entries, back="Save and go back", keys=self._keys(), silent=self._arrows(), about=_ABOUT
                )
            except Back:
                if self._save():
                    return
                continue
            self.session.attempt(chosen)

    def _save(self) -> bool:
        """Return whether it is saved, or was not changed; the error is shown."""
        if self._on == self._before:
            return True
        try:
            if self._on == list(DEFAULT):
                named("dashboard reset")(self.session.crm)
            else:
                named("dashboard set")(self.session.crm, ",".join(self._on))
        except CRMError as error:
            self.session.fail(error)
            return False
        return True

    @property
    def _pointed(self) -> str:
        return self._all[self.at]

    def _draw(self) -> None:
        screen = self.session.screen
        rows = max(3, screen.left - _AROUND)
        listed = self._all
        self._top = max(0, min(self._top, self.at, len(listed) - rows), self.at - rows + 1)
        for place, name in enumerate(listed[self._top : self._top + rows], start=self._top):
            mark = f"{place + 1:>2} {screen.sign('✓', 'x')}" if name in self._on else "    "
            style = "" if name in self._on else "muted"
            pointer = screen.sign("›", "*") if place == self.at else " "
            line = Text.assemble((f"{pointer} ", ""), (f"{mark} {clean(self._titles[name])}", style))
            line.truncate(screen.width, overflow="ellipsis" if screen.unicode else "crop")
            if place == self.at:
                # The sign » is before the chosen action below.
                line.append(" ").stylize("selected", 2)
            screen.print(line)
        above, below = self._top, len(listed) - self._top - rows
        more = [f"{screen.sign('↑', '^')} {above}"] if above else []
        more += [f"{screen.sign('↓', 'v')} {below} more"] if below > 0 else []
        screen.print(Text(f"  {'  '.join(more)}", "muted"))

    # Keys

    def _keys(self) -> Sequence[Choice]:
        return [
            letters.MARK(self._switch),
            letters.MOVE_BACK(lambda: self._move(-1), "a place"),
            letters.MOVE_ON(lambda: self._move(1), "a place"),
        ]

    def _arrows(self) -> Sequence[Choice]:
        keys: dict[str, tuple[str, Callable[[], Any]]] = {
            "up": ("other tile", lambda: self._go(-1)),
            "down": ("other tile", lambda: self._go(1)),
            "s-up": ("move the tile", lambda: self._move(-1)),
            "s-down": ("move the tile", lambda: self._move(1)),
        }
        return [Choice(label, action, key) for key, (label, action) in keys.items()]

    def _go(self, steps: int) -> None:
        self.at = max(0, min(self.at + steps, len(self._known) - 1))

    def _switch(self) -> None:
        """On, as the last one, or off; the pointer stays where it is, for the next one."""
        name = self._pointed
        if name in self._on:
            self._on.remove(name)
        else:
            self._on.append(name)

    def _move(self, steps: int) -> None:
        name, to = self._pointed, self.at + steps
        if name in self._on and 0 <= to < len(self._on):
            self._on.remove(name)
            self._on.insert(to, name)
            self.at = to

    def _reset(self) -> None:
        self._on, self.at = list(DEFAULT), 0


@flow("dashboard set")
def arrange(session: Session, **_: Any) -> None:
    """The tiles by keys; where nothing can be drawn, their names are typed. Raises Cancelled, Back."""
    if session.screen.plain:
        session.lead(named("dashboard set"))
        return
    DashboardEditor(session).show()

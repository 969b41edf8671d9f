"""The console of rich with the tokens of the theme. A list for a pipe is written without it."""

from collections.abc import Callable

from rich.console import Console
from rich.style import Style, StyleType


class ThemedConsole(Console):
    """A console that knows the tokens of the theme, as the screen has them at the moment."""

    look: Callable[[str], Style | None]

    def get_style(self, name: StyleType, *, default: StyleType | None = None) -> Style:
        known = self.look(name) if isinstance(name, str) else None
        return super().get_style(name, default=default) if known is None else known

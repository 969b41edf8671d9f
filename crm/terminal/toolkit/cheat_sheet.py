"""The keys of a page on one screen, made from the keys themselves."""

from collections.abc import Sequence

from rich.text import Text

from crm.terminal.console.keyboard import Choice
from crm.terminal.drawing.screen import Screen, clean
from crm.terminal.toolkit.letters import BACK, EVERYWHERE, MEANINGS, name_of

_KEY = 9
_GAP = 2
_LEAST = 30
# The title, the rule, the line below and the one for any key.
_AROUND = 5
# What says more than the label of the key.
_BY_MEANING = (*EVERYWHERE, "]", "[")
_GENERAL = (
    ("Enter", "opens the line marked »"),
    ("0, Esc", "goes back one step"),
    ("Ctrl-C", "cancels a form without saving"),
)


def draw_keys(screen: Screen, entries: Sequence[Choice], keys: Sequence[Choice], about: str = "") -> None:
    """Draws what a page is for and its keys, in two columns where one does not fit."""
    if about:
        screen.explain(about)
        screen.print()
    rows = [*_opening(entries), *((name_of(key.key), _says(key)) for key in keys if key.key != BACK.key), *_GENERAL]
    columns = 1
    if not screen.plain and len(rows) > screen.left - _AROUND and screen.width >= 2 * _LEAST:
        columns = 2
    width = (screen.width - 1 - _GAP * (columns - 1)) // columns
    high = -(-len(rows) // columns)
    for at in range(high):
        line = Text(" ")
        for key, words in rows[at::high]:
            cell = Text(f"{key:<{_KEY}}", "bold").append(clean(words), "not bold")
            cell.truncate(width, overflow="ellipsis" if screen.unicode else "crop", pad=not screen.plain)
            line.append_text(cell).append(" " * _GAP)
        line.rstrip()
        screen.print(line)


def _opening(entries: Sequence[Choice]) -> list[tuple[str, str]]:
    numbered = sum(1 for entry in entries if not entry.key)
    own = [(name_of(entry.key), entry.label) for entry in entries if entry.key]
    if not numbered:
        return own
    return [("1" if numbered == 1 else f"1 to {min(numbered, 9)}", "opens that line"), *own]


def _says(key: Choice) -> str:
    """The label of a key on a page; those of every page with their meaning."""
    words = MEANINGS[key.key] if key.key in _BY_MEANING else key.label
    return f"{words[:1].lower()}{words[1:]}"

"""The keys of a page on one screen, made from the keys themselves."""

from collections.abc import Sequence

from rich.text import Text

from crm.terminal.console.keyboard import Choice
from crm.terminal.drawing.screen import Screen, clean, data
from crm.terminal.toolkit.letters import BACK, EVERYWHERE, MEANINGS, name_of, word_of

# The columns of the keys; in short words, of short ones.
_KEY, _SHORT_KEY = 9, 6
_GAP = 2
_LEAST = 30
# What says more than the label of the key.
_BY_MEANING = (*EVERYWHERE, "]", "[")
_ENTER, _SHORT_ENTER = ("Enter", "opens the line marked »"), ("Enter", "opens »")
# Where the page is not the first one.
_LEAVE, _SHORT_LEAVE = ("0, Esc", "goes back one step"), ("0 Esc", "back")
# In a form.
_OF_FORM = (("a to z", "marks the next field that begins with it"), ("Ctrl-C", "leaves a form without saving"))
_SHORT_OF_FORM = (("a-z", "marks a field"), ("^C", "cancel"))
# What is too long for half of forty columns.
_SHORTER = {"b": "draft invoice", "g": "bulk actions"}


def draw_keys(screen: Screen, entries: Sequence[Choice], keys: Sequence[Choice], room: int, about: str = "") -> None:
    """Draw what a page is for and its keys, in so many lines if possible: in two columns where one does not fit,
    and in short words without what the page is for where these do not fit either."""
    own = [key for key in keys if key.key != BACK.key]
    is_form, is_first = any(entry.field for entry in entries), any(entry.key == BACK.key for entry in entries)
    leave = () if is_first else (_LEAVE,)
    form = _OF_FORM if is_form else ()
    rows = [*_opening(entries), *((name_of(key.key), _says(key)) for key in own), _ENTER, *leave, *form]
    above = len(data(about).wrap(screen.console, screen.width)) + 1 if about else 0
    columns = 1 if screen.plain or len(rows) + above <= room or screen.width < 2 * _LEAST else 2
    wide = _KEY
    if not screen.plain and above + -(-len(rows) // columns) > room:
        short = [
            *_opening(entries, "-", "opens it"),
            *((name_of(key.key), _says_shortly(key)) for key in own),
            _SHORT_ENTER,
            *(() if is_first else (_SHORT_LEAVE,)),
            *(_SHORT_OF_FORM if is_form else ()),
        ]
        about = about if above + -(-len(short) // 2) <= room else ""
        rows, columns, wide = short, 2, _SHORT_KEY
    if about:
        screen.explain(about)
        screen.print()
    _draw_columns(screen, rows, columns, wide)


def _draw_columns(screen: Screen, rows: Sequence[tuple[str, str]], columns: int, wide: int) -> None:
    gap = _GAP if wide == _KEY else 1
    width = (screen.width - 1 - gap * (columns - 1)) // columns
    high = -(-len(rows) // columns)
    for at in range(high):
        line = Text(" ")
        for key, words in rows[at::high]:
            cell = Text(f"{key:<{wide}}", "bold").append(clean(words), "not bold")
            cell.truncate(width, overflow="ellipsis" if screen.unicode else "crop", pad=not screen.plain)
            line.append_text(cell).append(" " * gap)
        line.rstrip()
        screen.print(line)


def _opening(entries: Sequence[Choice], to: str = " to ", opens: str = "opens that line") -> list[tuple[str, str]]:
    numbered = sum(1 for entry in entries if not entry.key)
    own = [(name_of(entry.key), entry.label) for entry in entries if entry.key]
    if not numbered:
        return own
    return [("1" if numbered == 1 else f"1{to}{min(numbered, 9)}", opens), *own]


def _says(key: Choice) -> str:
    """The label of a key on a page; those of every page with their meaning."""
    words = MEANINGS[key.key] if key.key in _BY_MEANING else key.label
    return f"{words[:1].lower()}{words[1:]}"


def _says_shortly(key: Choice) -> str:
    words = _SHORTER.get(key.key, word_of(key))
    return f"{words[:1].lower()}{words[1:]}"

"""The keys of a page on one screen, made from the keys themselves."""

from collections.abc import Mapping, Sequence

from rich.text import Text

from crm.terminal.console.keyboard import CAPITAL, Choice
from crm.terminal.drawing.screen import Screen, clean, data
from crm.terminal.toolkit.letters import BACK, EVERYWHERE, MEANINGS, name_of, word_of

# The columns of the keys; in short words, of short ones.
_KEY, _SHORT_KEY = 11, 6
_GAP = 2
_LEAST = 30
# More rows than these have two columns in a wide window, however high it is.
_MOST = 18
# What says more than the label of the key.
_BY_MEANING = (*EVERYWHERE, "]", "[")
_ENTER, _SHORT_ENTER = ("Enter", "opens the line marked »"), ("Enter", "opens »")
# Where the page is not the first one.
_LEAVE, _SHORT_LEAVE = ("0, Esc", "goes back one step"), ("0 Esc", "back")
# What moves the mark where the page does not say that its arrows do something else.
_UP_DOWN, _LEFT_RIGHT = ("↑ ↓", "↑ ↓"), ("← →", "← →")
_MOVES, _SHORT_MOVES = "moves the mark »", "moves »"
_ACROSS, _SHORT_ACROSS = "goes to the other column", "other column"
# In a form, and on a question that letters narrow.
_OF_FORM = (
    ("a to z", "marks the next field that begins with it"),
    ("Ctrl-C", "leaves a form without saving"),
    ("*", "marks what you changed"),
)
_SHORT_OF_FORM = (("a-z", "marks a field"), ("^C", "cancel"), ("*", "changed"))
_NARROWS, _SHORT_NARROWS = ("a to z", "type to narrow the list"), ("a-z", "narrow list")
# The keys without a character, with a name and a short one. Those of one name have one line; what has no short name has
# no line where there is little room, since a letter does the same.
_NAMES: Mapping[str, tuple[str, str]] = {
    "up": _UP_DOWN,
    "down": _UP_DOWN,
    "left": _LEFT_RIGHT,
    "right": _LEFT_RIGHT,
    "s-up": ("Shift ↑ ↓", ""),
    "s-down": ("Shift ↑ ↓", ""),
    "s-left": ("Shift ← →", ""),
    "s-right": ("Shift ← →", ""),
    "pageup": ("PgUp PgDn", "PgUp"),
    "pagedown": ("PgUp PgDn", "PgDn"),
    "home": ("Home End", "Home"),
    "end": ("Home End", "End"),
    CAPITAL: ("A to Z", "A-Z"),
}
# What is too long for half of forty columns.
_SHORTER = {"b": "draft invoice", "g": "bulk actions"}
_WITHOUT_ARROWS = str.maketrans({"↑": "Up", "↓": "Dn", "←": "Lt", "→": "Rt", "»": ">"})


def draw_keys(
    screen: Screen,
    entries: Sequence[Choice],
    keys: Sequence[Choice],
    room: int,
    about: str = "",
    *,
    silent: Sequence[Choice] = (),
    in_columns: bool = False,
    narrows: bool = False,
) -> None:
    """Draw what a page is for and its keys, in so many lines if possible: in two columns where one does not fit
    or would be long, and in short words without what the page is for where these do not fit either. The `silent` keys
    are those without a character; the entries may stand `in_columns`, and letters may `narrow` them."""
    own = [key for key in keys if key.key != BACK.key]
    is_form, is_first = any(entry.field for entry in entries), any(entry.key == BACK.key for entry in entries)
    moves = len(entries) > 1 and not any(key.key in ("up", "down") for key in silent)
    rows = [
        *_opening(entries),
        *((name_of(key.key), _says(key)) for key in own),
        _ENTER,
        *([(_UP_DOWN[0], _MOVES)] if moves else []),
        *([(_LEFT_RIGHT[0], _ACROSS)] if in_columns else []),
        *_scrolling(silent, 0),
        *([_NARROWS] if narrows else []),
        *(() if is_first else (_LEAVE,)),
        *(_OF_FORM if is_form else ()),
    ]
    above = len(data(about).wrap(screen.console, screen.width)) + 1 if about else 0
    fits = len(rows) + above <= room and (len(rows) <= _MOST or not screen.side)
    columns = 1 if screen.plain or fits or screen.width < 2 * _LEAST else 2
    wide = _KEY
    if not screen.plain and above + -(-len(rows) // columns) > room:
        short = [
            *_opening(entries, "-", "opens it"),
            *((name_of(key.key), _says_shortly(key)) for key in own),
            _SHORT_ENTER,
            *([(_UP_DOWN[1], _SHORT_MOVES)] if moves else []),
            *([(_LEFT_RIGHT[1], _SHORT_ACROSS)] if in_columns else []),
            *_scrolling(silent, 1),
            *([_SHORT_NARROWS] if narrows else []),
            *(() if is_first else (_SHORT_LEAVE,)),
            *(_SHORT_OF_FORM if is_form else ()),
        ]
        about = about if above + -(-len(short) // 2) <= room else ""
        rows, columns, wide = short, 2, _SHORT_KEY
    if about:
        screen.explain(about)
        screen.print()
    if not screen.unicode:
        rows = [(key.translate(_WITHOUT_ARROWS), words.translate(_WITHOUT_ARROWS)) for key, words in rows]
    _draw_columns(screen, rows, columns, wide)


def _scrolling(silent: Sequence[Choice], length: int) -> list[tuple[str, str]]:
    """The keys without a character by their names (long or short), with what each does on this page."""
    labels: dict[str, list[str]] = {}
    for name, names in _NAMES.items():
        words = [key.label for key in silent if key.key == name and names[length]]
        labels.setdefault(names[length], []).extend(words)
    return [(name, ", ".join(dict.fromkeys(words))) for name, words in labels.items() if words]


def _draw_columns(screen: Screen, rows: Sequence[tuple[str, str]], columns: int, wide: int) -> None:
    gap = _GAP if wide == _KEY else 1
    width = (screen.width - 1 - gap * (columns - 1)) // columns
    high = -(-len(rows) // columns)
    for at in range(high):
        line = Text(" ")
        for key, words in rows[at::high]:
            cell = Text(f"{key:<{wide}}", "chosen").append(clean(words), "default")
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

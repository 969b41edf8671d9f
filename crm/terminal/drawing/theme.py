"""The theme: each colour and weight that the screens use, by what it means.

No colour can be read well on every background, so there are three sets of them: for dark ones, for light ones, and one
that can be read on black and on white alike, where it is not known which of them the terminal has."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from crm.lean_dataclass import dataclass

# The backgrounds that a terminal may have, and where it has not said which.
DARK, LIGHT, UNKNOWN = GROUNDS = ("dark", "light", "")
# The colours on each background, all of the palette that terminals of 256 colours share, but those of UNKNOWN.
_COLOURS: Mapping[str, Mapping[str, str]] = {
    DARK: {
        "green": "#5faf5f",
        "amber": "#d7af00",
        "red": "#ff8787",
        "blue": "#87afff",
        "violet": "#af87ff",
        "magenta": "#ff87d7",
        "grey": "#a8a8a8",
    },
    LIGHT: {
        "green": "#005f00",
        "amber": "#875f00",
        "red": "#d70000",
        "blue": "#005fd7",
        "violet": "#8700af",
        "magenta": "#af0087",
        "grey": "#626262",
    },
    UNKNOWN: {
        "green": "#00875f",
        "amber": "#b46000",
        "red": "#c24f4f",
        "blue": "#5f5fff",
        "violet": "#875fd7",
        "magenta": "#d700af",
        "grey": "#767676",
    },
}
# The background of the row that is pointed at, on which all colours can be read; none where nothing is known.
_ROW: Mapping[str, str] = {DARK: "#303030", LIGHT: "#f0f0f0", UNKNOWN: ""}
# The parts of a colour that are at least this, of 0 to 255 and as bright as they look, make a background light.
_LIGHT_FROM = 128
_WEIGHTS = (0.299, 0.587, 0.114)
# The last number of COLORFGBG, by which some terminals say their background, is one of the sixteen named colours.
_NAMED = {str(number): DARK if number in (0, 1, 2, 3, 4, 5, 6, 8) else LIGHT for number in range(16)}


def ground_in(environment: Mapping[str, str]) -> str:
    """The background that the environment of a terminal names: what a person has set, or the terminal itself."""
    chosen = environment.get("CRM_BACKGROUND", "").strip().casefold()
    if chosen in (DARK, LIGHT):
        return chosen
    return _NAMED.get(environment.get("COLORFGBG", "").rpartition(";")[2], UNKNOWN)


def ground_of(colour: Sequence[float]) -> str:
    """The background of a colour, in parts of red, green and blue from 0 to 255."""
    bright = sum(weight * part for weight, part in zip(_WEIGHTS, colour, strict=True))
    return LIGHT if bright >= _LIGHT_FROM else DARK


@dataclass(frozen=True, slots=True)
class Token:
    """The look of a meaning: the name of its colour ('' for the terminal's own), and what makes it seen without
    colours."""

    hue: str = ""
    bold: bool = False
    italic: bool = False
    reverse: bool = False
    # Whether it has a background of its own, and leaves colour and weight as they are.
    row: bool = False

    def colour(self, ground: str = UNKNOWN) -> str:
        """The colour on a background; '' for the terminal's own."""
        return _COLOURS[ground][self.hue] if self.hue else ""

    def background(self, ground: str = UNKNOWN) -> str:
        """The background that it has on one of the terminal; '' for that itself."""
        return _ROW[ground] if self.row else ""

    def style(self, ground: str = UNKNOWN) -> str:
        """The same as a style of rich. Within a bold line it is bold only where it says so."""
        weights = self._weights if self.bold or self.row else ["not bold", *self._weights]
        behind = self.background(ground)
        return " ".join([*weights, *filter(None, [self.colour(ground), f"on {behind}" if behind else ""])]) or "none"

    def prompt_style(self, ground: str = UNKNOWN) -> str:
        """The same as a style of prompt_toolkit."""
        colours = {"fg": self.colour(ground), "bg": self.background(ground)}
        return " ".join([*self._weights, *(f"{place}:{colour}" for place, colour in colours.items() if colour)])

    @property
    def _weights(self) -> list[str]:
        return [word for word in ("bold", "italic", "reverse") if getattr(self, word)]


# The colours of statuses, in the order in which they are given: bold ones first, then the same in italics.
_HUES = ("magenta", "blue", "green", "violet", "amber")
TOKENS: Mapping[str, Token] = {
    # What is chosen, and what a chart is drawn in.
    "accent": Token("blue"),
    "chosen": Token("blue", bold=True),
    "row": Token(row=True),
    # What helps to read the rest: labels, hints, headings of columns.
    "muted": Token("grey"),
    "heading": Token(bold=True),
    "note": Token(italic=True),
    "selected": Token(bold=True, reverse=True),
    # What was done, money, what soon matters, what is late, refused or destroys something.
    "success": Token("green"),
    "gained": Token("green", bold=True),
    "money": Token("green", bold=True),
    "warning": Token("amber"),
    "alert": Token("amber", bold=True),
    "danger": Token("red"),
    "overdue": Token("red", bold=True),
    # That this is not the team's own data.
    "sample": Token("amber", bold=True, reverse=True),
    # A status is known by its words; the look only helps to find it again.
    **{
        f"status_{place}": Token(hue, bold=place <= len(_HUES), italic=place > len(_HUES))
        for place, hue in enumerate((*_HUES, *_HUES), 1)
    },
}
_STATUS_LOOKS = [name for name in TOKENS if name.startswith("status_")]
# What the style of a status begins with; which token it is depends on the other statuses of the team.
_STATUS = "status: "


def status_style(status: str) -> str:
    """The style of a status; '' for none."""
    return f"{_STATUS}{status}" if status else ""


def token_of(style: str, statuses: Sequence[str]) -> str:
    """The token of a style, where the team has these statuses, those of its rules first; other styles stay."""
    return _looks(tuple(statuses)).get(style.removeprefix(_STATUS), "") if is_of_status(style) else style


def is_of_status(style: str) -> bool:
    """Return whether a style is that of a status."""
    return style.startswith(_STATUS)


@lru_cache(maxsize=16)
def _looks(statuses: tuple[str, ...]) -> Mapping[str, str]:
    """A token for each status, by its place: no two share one as long as there are any left."""
    return {status: _STATUS_LOOKS[place % len(_STATUS_LOOKS)] for place, status in enumerate(statuses)}

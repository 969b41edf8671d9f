"""The theme: each colour and weight that the screens use, by what it means.

The colours read on black and on white alike (WCAG AA), so nobody has to say which of them their terminal is."""

from collections.abc import Mapping
from dataclasses import dataclass

_GREEN = "#00875f"
_AMBER = "#b46000"
_RED = "#c24f4f"
_BLUE = "#5f5fff"
_VIOLET = "#875fd7"
_MAGENTA = "#d700af"
_GREY = "#767676"


@dataclass(frozen=True, slots=True)
class Token:
    """The look of a meaning: its colour ('' for the terminal's own), and what makes it seen without colours."""

    colour: str = ""
    bold: bool = False
    italic: bool = False
    reverse: bool = False

    @property
    def style(self) -> str:
        """The same as a style of rich."""
        words = [word for word in ("bold", "italic", "reverse") if getattr(self, word)]
        return " ".join([*words, *filter(None, [self.colour])]) or "none"

    @property
    def prompt_style(self) -> str:
        """The same as a style of prompt_toolkit."""
        words = [word for word in ("bold", "italic", "reverse") if getattr(self, word)]
        return " ".join([*words, *(f"fg:{colour}" for colour in [self.colour] if colour)])


TOKENS: Mapping[str, Token] = {
    # What is chosen, and what a chart is drawn in.
    "accent": Token(_BLUE),
    "chosen": Token(_BLUE, bold=True),
    # What helps to read the rest: labels, hints, headings of columns.
    "muted": Token(_GREY),
    "heading": Token(bold=True),
    "note": Token(italic=True),
    "selected": Token(bold=True, reverse=True),
    # What was done, money, what soon matters, what is late, refused or destroys something.
    "success": Token(_GREEN),
    "gained": Token(_GREEN, bold=True),
    "money": Token(_GREEN, bold=True),
    "warning": Token(_AMBER),
    "alert": Token(_AMBER, bold=True),
    "danger": Token(_RED),
    "overdue": Token(_RED, bold=True),
    # That this is not the team's own data.
    "sample": Token(_AMBER, bold=True, reverse=True),
    # A status is known by its words; the colour only helps to find it again.
    "status_1": Token(_GREEN, bold=True),
    "status_2": Token(_BLUE, bold=True),
    "status_3": Token(_AMBER, bold=True),
    "status_4": Token(_VIOLET, bold=True),
    "status_5": Token(_MAGENTA, bold=True),
    "status_6": Token(_GREEN, italic=True),
    "status_7": Token(_BLUE, italic=True),
    "status_8": Token(_VIOLET, italic=True),
}
_STATUSES = [name for name in TOKENS if name.startswith("status_")]
# The statuses of the ready-made sets of rules: no two of a set look alike.
_LOOKS: Mapping[str, str] = {
    "VIP": "status_5",
    "Platinum": "status_5",
    "Gold": "status_3",
    "Silver": "status_4",
    "Bronze": "status_1",
    "Prospect": "status_2",
    "New": "status_5",
    "Active": "status_1",
    "At risk": "status_3",
    "Dormant": "status_4",
    "Champion": "status_1",
    "Loyal": "status_4",
    "Promising": "status_6",
    "Cannot lose": "status_7",
    "Lost": "status_8",
}


def status_style(status: str) -> str:
    """The token of a status, the same each time; '' for the one that everybody has."""
    if not status or status == "Regular":
        return ""
    return _LOOKS.get(status) or _STATUSES[sum(map(ord, status)) % len(_STATUSES)]

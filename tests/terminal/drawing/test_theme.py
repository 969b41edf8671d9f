"""The theme: its colours read on dark and on light terminals, and a meaning is seen without colour too."""

import io
import re

import pytest
from rich.color import Color, ColorSystem
from rich.color_triplet import ColorTriplet
from rich.text import Text

from crm.rules import SETS, ReadySet
from crm.terminal.console.prompt import STYLE
from crm.terminal.drawing.screen import Screen
from crm.terminal.drawing.theme import TOKENS, status_style
from tests.terminal.conftest import ROOT

BLACK, WHITE = ColorTriplet(0, 0, 0), ColorTriplet(255, 255, 255)
# WCAG 2.2, 1.4.3. What a terminal of 256 colours has instead comes as near as its palette goes.
AA, OF_256 = 4.5, 4.4
COLOURED = sorted({token.colour for token in TOKENS.values()} - {""})


def luminance(colour: ColorTriplet) -> float:
    parts = [part / 255 for part in colour]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: ColorTriplet, other: ColorTriplet) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("colour", COLOURED)
@pytest.mark.parametrize("ground", [BLACK, WHITE])
def test_a_colour_reads_on_black_and_on_white(colour: str, ground: ColorTriplet) -> None:
    exact = Color.parse(colour)
    assert contrast(exact.get_truecolor(), ground) >= AA
    assert contrast(exact.downgrade(ColorSystem.EIGHT_BIT).get_truecolor(), ground) >= OF_256


def test_contrast_is_reckoned_as_the_standard_does() -> None:
    assert contrast(BLACK, WHITE) == pytest.approx(21)
    assert contrast(ColorTriplet(0x76, 0x76, 0x76), WHITE) == pytest.approx(4.54, abs=0.01)


def test_every_token_is_a_style_of_pages_and_of_questions() -> None:
    screen = Screen(io.StringIO(), plain=False, environment={"TERM": "xterm-256color"})
    for name, token in TOKENS.items():
        assert screen.console.get_style(name) == screen.console.get_style(token.style)
        attributes = STYLE.get_attrs_for_style_str(f"class:{name}")
        assert (attributes.color or "", bool(attributes.bold)) == (token.colour.removeprefix("#"), token.bold)


def test_without_colours_weight_remains() -> None:
    out = io.StringIO()
    screen = Screen(out, plain=False, environment={"TERM": "xterm-256color", "NO_COLOR": "1"})
    screen.print(Text("late", "overdue"))
    assert out.getvalue() == "\x1b[1mlate\x1b[0m\n"


def test_a_status_keeps_its_colour() -> None:
    assert status_style("VIP") == status_style("VIP") != ""
    assert status_style("Regular") == status_style("") == ""
    assert all(status_style(name) in TOKENS for name in ("VIP", "Gold", "At risk", "Ünterwegs"))


@pytest.mark.parametrize("ready", SETS.values(), ids=list(SETS))
def test_no_two_statuses_of_a_ready_made_set_look_alike(ready: ReadySet) -> None:
    looks = [TOKENS[style].style if (style := status_style(status)) else "" for status, _ in ready.rules()]
    assert len(set(looks)) == len(looks) > 1


def test_pages_name_what_they_mean_and_no_colour() -> None:
    colour = re.compile(r'"(?:bold |dim )?(?:dim|black|red|green|yellow|blue|magenta|cyan|white|#[0-9a-f]{6})"')
    for path in (ROOT / "crm" / "terminal").rglob("*.py"):
        if path.name != "theme.py":
            assert not colour.search(path.read_text("utf-8")), path

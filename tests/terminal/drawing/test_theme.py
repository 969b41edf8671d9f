"""The theme: readable colours on dark and light terminals, and no meaning by colour alone."""

import io
import re
from collections.abc import Sequence

import pytest
from rich.color import Color, ColorSystem
from rich.color_triplet import ColorTriplet
from rich.style import Style
from rich.text import Text

from crm.rules import SETS, ReadySet
from crm.terminal.console.prompt import style_on
from crm.terminal.drawing import tables
from crm.terminal.drawing.cards import badge
from crm.terminal.drawing.screen import Screen
from crm.terminal.drawing.theme import (
    DARK,
    GROUNDS,
    LIGHT,
    TOKENS,
    UNKNOWN,
    Token,
    ground_of,
    status_style,
    token_of,
)
from crm.terminal.home import tiles
from tests.terminal.conftest import ROOT

BLACK, WHITE = ColorTriplet(0, 0, 0), ColorTriplet(255, 255, 255)
# The backgrounds that terminals have from the beginning, and of the schemes that people like.
BACKGROUNDS = {
    DARK: {
        "xterm, black": "#000000",
        "Windows Terminal": "#0c0c0c",
        "GNOME": "#1e1e1e",
        "macOS": "#1e1e1e",
        "VS Code": "#1e1e1e",
        "Ubuntu": "#300a24",
        "Solarized": "#002b36",
        "Gruvbox": "#282828",
        "Dracula": "#282a36",
        "One Dark": "#282c34",
        "Nord": "#2e3440",
    },
    LIGHT: {"white": "#ffffff", "Solarized": "#fdf6e3", "Gruvbox": "#fbf1c7", "Catppuccin": "#eff1f5"},
    UNKNOWN: {"black": "#000000", "white": "#ffffff"},
}
for _ground in (DARK, LIGHT):
    BACKGROUNDS[_ground]["chosen row"] = TOKENS["row"].background(_ground)
# WCAG 2.2, 1.4.3 and 1.4.11. What a terminal of 256 colours has instead comes as near as its palette goes.
AA, OF_256, FRAMES = 4.5, 4.4, 3.0
HUES = sorted({token.hue for token in TOKENS.values()} - {""})


def luminance(colour: ColorTriplet) -> float:
    parts = [part / 255 for part in colour]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: ColorTriplet, other: ColorTriplet) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("hue", HUES)
@pytest.mark.parametrize(
    ("ground", "name"), [(ground, name) for ground, named in BACKGROUNDS.items() for name in named]
)
def test_a_colour_can_be_read_on_every_usual_background_of_its_set(hue: str, ground: str, name: str) -> None:
    exact = Color.parse(Token(hue).colour(ground))
    background = Color.parse(BACKGROUNDS[ground][name]).get_truecolor()
    assert contrast(exact.get_truecolor(), background) >= AA
    assert contrast(exact.downgrade(ColorSystem.EIGHT_BIT).get_truecolor(), background) >= OF_256
    assert ground_of(background) == ground or not ground


@pytest.mark.parametrize("background", ["#1e1e1e", "#002b36", "#fdf6e3"])
def test_frames_are_visible_on_an_unknown_background(background: str) -> None:
    frame = Color.parse(TOKENS["muted"].colour()).get_truecolor()
    assert contrast(frame, Color.parse(background).get_truecolor()) >= FRAMES


def test_no_colour_is_readable_on_both_dark_grey_and_white() -> None:
    dark, light = (luminance(Color.parse(colour).get_truecolor()) for colour in ("#1e1e1e", "#ffffff"))
    assert ((light + 0.05) / (dark + 0.05)) ** 0.5 == pytest.approx(4.08, abs=0.01)


@pytest.mark.parametrize(
    ("environment", "ground"),
    [
        ({}, UNKNOWN),
        ({"COLORFGBG": "15;0"}, DARK),
        ({"COLORFGBG": "0;default;15"}, LIGHT),
        ({"COLORFGBG": "0;7"}, LIGHT),
        ({"COLORFGBG": "12;8"}, DARK),
        ({"COLORFGBG": "default;default"}, UNKNOWN),
        ({"COLORFGBG": "\u00b2"}, UNKNOWN),
        ({"CRM_BACKGROUND": "Light", "COLORFGBG": "15;0"}, LIGHT),
        ({"CRM_BACKGROUND": "dark"}, DARK),
        ({"CRM_BACKGROUND": "pink"}, UNKNOWN),
    ],
)
def test_the_environment_says_whether_a_background_is_dark(environment: dict[str, str], ground: str) -> None:
    screen = Screen(io.StringIO(), plain=False, environment={"TERM": "xterm-256color", **environment})
    (late, *_) = screen.console.render(Text("late", "muted"))
    assert screen.ground == ground
    assert late.style == Style.parse(TOKENS["muted"].style(ground))


def test_contrast_is_computed_as_in_the_standard() -> None:
    assert contrast(BLACK, WHITE) == pytest.approx(21)
    assert contrast(ColorTriplet(0x76, 0x76, 0x76), WHITE) == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("ground", GROUNDS)
def test_every_token_is_a_style_of_pages_and_of_questions(ground: str) -> None:
    screen = Screen(io.StringIO(), plain=False, environment={"TERM": "xterm-256color", "CRM_BACKGROUND": ground})
    for name, token in TOKENS.items():
        assert screen.console.get_style(name) == screen.console.get_style(token.style(ground))
        attributes = style_on(ground).get_attrs_for_style_str(f"class:{name}")
        assert (attributes.color or "", bool(attributes.bold)) == (token.colour(ground).removeprefix("#"), token.bold)
        assert (attributes.bgcolor or "") == token.background(ground).removeprefix("#")


def test_plain_text_stays_plain_in_a_bold_line() -> None:
    screen = Screen(io.StringIO(), plain=False, environment={"TERM": "xterm-256color", "CRM_BACKGROUND": DARK})
    line = Text("Anna Berg", "bold").append("  no. 7", "muted").append("  in 2 sales", "default")
    assert [bool(part.style and part.style.bold) for part in screen.console.render(line) if part.text.strip()] == [
        True, False, False,
    ]  # fmt: skip


def test_without_colours_bold_text_remains() -> None:
    out = io.StringIO()
    screen = Screen(out, plain=False, environment={"TERM": "xterm-256color", "NO_COLOR": "1"})
    screen.print(Text("late", "overdue"))
    assert out.getvalue() == "\x1b[1mlate\x1b[0m\n"


LOOKS = len([name for name in TOKENS if name.startswith("status_")])


def look(style: str, statuses: Sequence[str], ground: str = UNKNOWN) -> str:
    token = token_of(style, statuses)
    return TOKENS[token].style(ground) if token else ""


@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize(
    "statuses",
    [
        [f"Level {place}" for place in range(LOOKS)],
        # The sums of their letters are one.
        ["abc", "acb", "bac", "bca", "cab", "cba"],
        ["VIP", "Ünterwegs", "status_1", "not bold", "[red]x[/]"],
    ],
)
def test_statuses_have_different_styles_while_there_are_enough(statuses: list[str], ground: str) -> None:
    looks = {look(status_style(status), statuses, ground) for status in statuses}
    assert len(looks) == len(statuses)
    assert "" not in looks


def test_with_more_statuses_than_styles_the_styles_repeat() -> None:
    statuses = [f"Level {place}" for place in range(LOOKS + 1)]
    assert look(status_style("Level 0"), statuses) == look(status_style(statuses[-1]), statuses) != ""


@pytest.mark.parametrize("status", ["", "Regular", "unknown"])
def test_a_status_without_a_style_has_the_colour_of_the_text(status: str) -> None:
    screen = Screen(io.StringIO(), plain=False, environment={"TERM": "xterm-256color"})
    screen.statuses = lambda: ["VIP"]
    assert tables.styled(screen, tables.status(status), 20) == ([("", status)] if status else [])
    assert screen.console.get_style(status_style(status) or "none") == Style.null()


@pytest.mark.parametrize("ready", SETS.values(), ids=list(SETS))
def test_no_two_statuses_of_a_ready_made_set_look_alike(ready: ReadySet) -> None:
    coloured = [status for status, condition in ready.rules() if condition]
    looks = [look(status_style(status), coloured) for status, _ in ready.rules()]
    assert len(set(looks)) == len(looks) > 1


def test_a_status_has_one_style_on_pages_in_lists_and_in_panels() -> None:
    screen = Screen(io.StringIO(), plain=False, environment={"TERM": "xterm-256color", "CRM_BACKGROUND": DARK})
    screen.statuses = lambda: ["Gold", "VIP"]
    expected = Style.parse(TOKENS["status_2"].style(DARK))
    (bar,) = tiles.bars(screen, [(Text("VIP", status_style("VIP")), "3", 3)])
    drawn = [*screen.console.render(badge("VIP", status_style("VIP"))), *screen.console.render(bar)]
    assert [part.text[:5] for part in drawn if part.style == expected] == ["[VIP]", "VIP  ", "  3  ", "━━━━━"]
    assert tables.styled(screen, tables.status("VIP"), 9) == [("status_2", "VIP")]


def test_pages_use_named_styles_and_no_colours() -> None:
    colour = re.compile(r'"(?:bold |dim )?(?:dim|black|red|green|yellow|blue|magenta|cyan|white|#[0-9a-f]{6})"')
    for path in (ROOT / "crm" / "terminal").rglob("*.py"):
        if path.name != "theme.py":
            assert not colour.search(path.read_text("utf-8")), path

"""Charts as pictures, PNG or SVG; what is in a record is drawn as it is, and never read as markup."""

import logging
import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from crm.errors import FileError
from crm.files.safe_writing import replacing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Number = int | Decimal | None

_LONGEST_NAME = 32
_NAMES_ALONG = 16
_WIDTH = 9.0
_DOTS = 150
_COLOURS = ("#2a6f97", "#b8c4cc", "#e07a5f", "#81b29a")
_SHADES = "Blues"
# Whatever letters the first has not, one of the others may have, where it is there.
_FONTS = (
    "DejaVu Sans", "Noto Sans", "Noto Sans CJK JP", "Noto Sans CJK SC", "Noto Sans Arabic", "Noto Sans Hebrew",
    "Noto Sans Devanagari", "Noto Sans Thai", "WenQuanYi Zen Hei", "Microsoft YaHei", "Hiragino Sans", "PingFang SC",
    "Segoe UI", "Arial Unicode MS", "Noto Emoji", "Segoe UI Symbol", "Apple Symbols",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Series:
    """Figures of one kind, one for each name along the picture; None where there is none."""

    name: str
    values: Sequence[Number]


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart: `columns` side by side, `bars` one below another (the first series alone), or a `grid` with a column for
    each series. `about` is below the title; `show` says how a figure is written."""

    title: str
    about: str
    kind: Literal["columns", "bars", "grid"]
    names: Sequence[str]
    series: Sequence[Series]
    show: Callable[[int | Decimal], str]


def write_picture(path: Path, picture: Picture) -> None:
    """Draw a picture to a file whose ending, .png or .svg, says how. Raises FileError."""
    ending = path.suffix.lower().removeprefix(".")
    if ending not in ("png", "svg"):
        raise FileError(f"{path.name} is not a picture: its name ends with .png or .svg.")
    with _drawing(), replacing(path) as file:
        # Without a date the same figures are the same file.
        metadata = {"Date": None} if ending == "svg" else {"Software": None}
        _drawn(picture).savefig(file, format=ending, dpi=_DOTS, metadata={"Title": clean(picture.title), **metadata})


@contextmanager
def _drawing() -> Iterator[None]:
    """The settings of matplotlib for a drawing: text is no formula, and letters that no font has are no error."""
    # Its first use of all makes a list of fonts, and says so.
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    from matplotlib import font_manager, rc_context

    installed = set(font_manager.fontManager.get_font_names())
    settings: Any = {
        "text.parse_math": False,
        "text.usetex": False,
        "axes.unicode_minus": True,
        "font.family": [name for name in _FONTS if name in installed] or ["sans-serif"],
        "font.size": 9.0,
        # As outlines it looks alike wherever it is opened.
        "svg.fonttype": "path",
        "svg.hashsalt": "report",
    }
    with rc_context(settings), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _drawn(picture: Picture) -> "Figure":
    from matplotlib.figure import Figure

    many = len(picture.names)
    height = {"columns": 4.5, "bars": 1.8 + 0.3 * many, "grid": 1.8 + 0.34 * many}[picture.kind]
    figure = Figure(figsize=(_WIDTH, height), layout="constrained")
    figure.suptitle(clean(picture.title), x=0.01, ha="left", fontsize=13, fontweight="bold")
    axes = figure.add_subplot()
    axes.set_title(clean(picture.about), loc="left", fontsize=8, color="#555555", wrap=True)
    for side in ("top", "right", *(("left", "bottom") if picture.kind == "grid" else ())):
        axes.spines[side].set_visible(False)
    if not any(value for series in picture.series for value in series.values):
        axes.set_axis_off()
        axes.text(0.5, 0.5, "Nothing to draw.", ha="center", va="center", transform=axes.transAxes)
    else:
        {"columns": _columns, "bars": _bars, "grid": _grid}[picture.kind](axes, picture)
    return figure


def _columns(axes: "Axes", picture: Picture) -> None:
    many = len(picture.series)
    wide = 0.8 / many
    for place, series in enumerate(picture.series):
        at = [number + (place - (many - 1) / 2) * wide for number in range(len(series.values))]
        heights = [float(value or 0) for value in series.values]
        axes.bar(at, heights, wide * 0.95, label=clean(series.name), color=_COLOURS[place % len(_COLOURS)])
    every = math.ceil(len(picture.names) / _NAMES_ALONG)
    ticks = range(0, len(picture.names), every)
    axes.set_xticks(list(ticks), labels=[_short(picture.names[at]) for at in ticks])
    axes.yaxis.set_major_formatter(lambda value, _: picture.show(Decimal(str(value))) if value == round(value) else "")
    axes.axhline(0, color="#555555", linewidth=0.8)
    axes.grid(axis="y", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    if many > 1:
        axes.legend(frameon=False, ncols=many, loc="upper right", bbox_to_anchor=(1, 1.12))


def _bars(axes: "Axes", picture: Picture) -> None:
    values = picture.series[0].values
    drawn = axes.barh(range(len(values)), [float(value or 0) for value in values], 0.75, color=_COLOURS[0])
    axes.bar_label(drawn, ["" if value is None else picture.show(value) for value in values], padding=3, fontsize=8)
    axes.set_yticks(range(len(values)), labels=[_short(name) for name in picture.names])
    axes.invert_yaxis()
    axes.set_xticks([])
    axes.margins(x=0.12)
    axes.spines["bottom"].set_visible(False)


def _grid(axes: "Axes", picture: Picture) -> None:
    cells = [[math.nan if series.values[at] is None else float(series.values[at] or 0) for series in picture.series]
             for at in range(len(picture.names))]  # fmt: skip
    most = max(0.01, *(value for row in cells for value in row if not math.isnan(value)))
    axes.imshow(cells, cmap=_SHADES, aspect="auto", vmin=0, vmax=most)
    for at, row in enumerate(cells):
        for place, value in enumerate(row):
            figure = picture.series[place].values[at]
            if figure is not None:
                colour = "white" if value > 0.6 * most else "#222222"
                size = 8 if len(row) < 10 else 6
                axes.text(place, at, picture.show(figure), ha="center", va="center", color=colour, fontsize=size)
    axes.set_xticks(range(len(picture.series)), labels=[_short(series.name) for series in picture.series])
    axes.set_yticks(range(len(picture.names)), labels=[_short(name) for name in picture.names])
    axes.tick_params(length=0, labeltop=True, labelbottom=False)


def clean(text: str) -> str:
    """Text as it may be drawn: one line, with a sign in place of what cannot be seen."""
    return "".join(char if char.isprintable() else "\ufffd" for char in " ".join(text.split()))


def _short(name: str) -> str:
    cleaned = clean(name)
    return cleaned if len(cleaned) <= _LONGEST_NAME else f"{cleaned[: _LONGEST_NAME - 1]}…"

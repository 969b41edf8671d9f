"""The screen: all that is printed, and the one place where text from records is escaped."""

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache, cached_property
from io import StringIO, TextIOWrapper
from threading import Lock, Timer
from types import MappingProxyType
from typing import IO, TYPE_CHECKING, Any

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text

from crm.lazy_pattern import lazy_pattern
from crm.repository import Wait
from crm.terminal.drawing.theme import TOKENS, ground_in, is_of_status, token_of

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

# Controls, line separators, and the marks that reorder or hide text; what came in through a file or
# another program may hold them even though no form accepts them.
_UNSEEN = lazy_pattern("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]")
_BREAKS = lazy_pattern(r"\r\n|[\r\n\u2028\u2029]")
_BLANK_ENDS = lazy_pattern(r"[ ]+$", re.MULTILINE)
_SHOWN_AFTER = 0.25
# The signs that a message begins with, and the columns before its words.
_SIGNS, _BEHIND_SIGN = ("✓ ", "✗ ", "! "), 2
_UNBOUNDED = 1_000_000
_CHARACTERS_IN_A_COLUMN = 8
# Where one is, and the line below it.
_TITLE_LINES = 2
# From so many columns on a list has the card of the chosen row beside it, which has so many at least and at most; the
# list itself has as many as in a window of 80 where there is room.
_WITH_SIDE, _LEAST_SIDE, _WIDEST_SIDE, _LIST = 110, 40, 60, 80
# What makes one character of several.
_JOINER = "\u200d"
# Addresses in a sentence: of pages, and of e-mail.
_ADDRESSES = lazy_pattern(r"(https?://[^\s“”]+[^\s“”.,;:]|[\w.+-]+@[\w-]+(?:\.[\w-]+)+)")

_NOTHING_SET: Mapping[str, str] = MappingProxyType({})


@cache
def _styles_on(ground: str) -> Mapping[str, Style]:
    """The tokens of the theme as styles of rich, and the plain text within a line of another look."""
    return {name: Style.parse(token.style(ground)) for name, token in TOKENS.items()} | {
        "default": Style.parse("not bold default")
    }


def _visible(match: re.Match[str]) -> str:
    character = match.group()
    if character == "\t":
        return " "
    return chr(0x2400 + ord(character)) if character < " " else "\ufffd"


def clean(text: str, *, lines: bool = False) -> str:
    """Text as it may be shown: nothing in it moves the cursor, changes colours or turns the line around.

    Line breaks become blanks unless `lines`.
    """
    # All of them are what Python does not print either, which it finds sooner.
    return text if text.isprintable() else _UNSEEN.sub(_visible, _BREAKS.sub("\n" if lines else " ", text))


def side_of(columns: int, *, is_broad: bool = False) -> int:
    """The number of columns of a window that are for the card beside a list; a `broad` one stands beside short
    entries."""
    if columns < _WITH_SIDE:
        return 0
    return min(_WIDEST_SIDE, columns // 2 if is_broad else max(_LEAST_SIDE, columns - _LIST))


def data(text: object, style: str = "", *, lines: bool = False) -> Text:
    """A piece of a record for the screen."""
    return Text(clean(str(text), lines=lines), style)


class Screen:
    """The screen: everything is printed here. `plain` where there is no terminal to draw on: line after line, no
    escapes; `piped` where a program reads it."""

    piped = False

    def __init__(self, out: IO[str], *, plain: bool, environment: Mapping[str, str] = _NOTHING_SET) -> None:
        self.plain = plain
        # Where the screen is, and not this process.
        self.environment = environment
        columns = environment.get("COLUMNS", "0")
        from crm.terminal.drawing.themed_console import ThemedConsole

        console = ThemedConsole(
            file=out,
            markup=False,
            highlight=False,
            emoji=False,
            force_terminal=not plain,
            color_system=None if plain else "auto",
            soft_wrap=False,
            legacy_windows=False,
            # A plain door may stand anywhere: on a dumb terminal of 80 columns, or in a pipe.
            width=(int(columns) or 80) if plain and columns.isdigit() else None,
            _environ=environment,
        )
        console.look = self._look
        self.console: Console = console
        # The background of the terminal, as far as it is known, and the team's statuses, those of its rules first.
        self.ground = ground_in(environment)
        self.statuses: Callable[[], Sequence[str]] = tuple
        self._wait: Wait | None = None
        # A countdown is on the line of the cursor; whatever is printed next takes its place.
        self._counting = False
        # Says something beside the bar that is being shown.
        self._beside_bar: Callable[[str], None] | None = None
        # A page that is drawn at once is written out when it is whole, not line by line.
        self._at_once = False
        if not plain and isinstance(out, TextIOWrapper):
            out.reconfigure(line_buffering=False, write_through=False)
        # Whether what stands beside the entries of this page has more columns than beside a list.
        self.is_side_broad = False
        # Lines printed since the page began, so that what comes last can be cut to what is left.
        self.used = 0
        # What was printed since then, to be shown once more.
        self._page: list[str] = []

    def _look(self, style: str) -> Style | None:
        """A token of the theme, or the style of a status, as a style of rich; None for another."""
        return _styles_on(self.ground).get(self.token(style), Style.null() if is_of_status(style) else None)

    def token(self, style: str) -> str:
        """The token of the theme for the style of a status; other styles stay as they are."""
        return token_of(style, self.statuses()) if is_of_status(style) else style

    def bar_token(self, style: str) -> str:
        """The token of a bar beside a name of this style: that of its status, and a weak one for the status that
        everybody else has."""
        return self.token(style) or ("muted" if is_of_status(style) else "accent")

    @property
    def left(self) -> int:
        """The number of lines of the page that are still free."""
        return self.height - self.used

    @property
    def width(self) -> int:
        """The number of columns."""
        return max(20, self.console.width)

    @property
    def side(self) -> int:
        """The number of columns that the card of the chosen row has beside a list; 0 where there is no room for one."""
        return 0 if self.plain else side_of(self.width, is_broad=self.is_side_broad)

    @property
    def height(self) -> int:
        """The number of lines."""
        return max(10, self.console.height)

    @property
    def unicode(self) -> bool:
        """Return whether bars and arrows can be drawn."""
        return self.console.encoding.lower().replace("-", "").startswith("utf")

    def sign(self, drawn: str, spelled: str) -> str:
        """A sign, or how it is spelled where it cannot be drawn."""
        return drawn if self.unicode else spelled

    @cached_property
    def measure(self) -> Callable[[str], int]:
        """The width of a text, in columns, in what one chooses from. On a terminal that is drawn by prompt_toolkit,
        which counts each character of a joined one (👩‍🔬) where rich counts the whole."""
        if self.plain:
            return cell_len
        from prompt_toolkit.utils import get_cwidth

        return get_cwidth

    def fit(self, text: str, columns: int) -> str:
        """A text of at most so many columns, for what one chooses from; where something is left out it ends in dots."""
        text = clean(text)
        if self.measure(text) <= columns:
            return text
        more = self.sign("…", "")
        # Of a long text most is left out at once: few characters take no room.
        text = text[: max(1, columns) * _CHARACTERS_IN_A_COLUMN]
        while text and self.measure(text + more) > columns:
            text = text[:-1]
        return text.rstrip(_JOINER) + more

    def cut(self, text: str, before: int = 0) -> str:
        """A text that fits on one line with so many columns before it."""
        return self.fit(text, max(8, self.width - before))

    def print(self, content: "RenderableType" = "") -> None:
        """Print a Text or another thing of rich; a str is the program's own words."""
        drawn = self._rendered(lambda: self.console.print(Text(content) if isinstance(content, str) else content))
        if self.plain:
            drawn = _BLANK_ENDS.sub("", drawn)
        self._end_countdown()
        self.used += drawn.count("\n")
        self._write(drawn)

    def print_signed(self, sentence: Text) -> None:
        """Print a sentence that may begin with a sign: its further lines begin where the first does behind that."""
        if self.plain or not sentence.plain.startswith(_SIGNS):
            self.print(sentence)
            return
        before = sentence[:_BEHIND_SIGN]
        for line in sentence[_BEHIND_SIGN:].wrap(self.console, self.width - _BEHIND_SIGN):
            self.print(before.append_text(line))
            before = Text(" " * _BEHIND_SIGN)

    def drawn(self, steps: Sequence[Callable[[], None]]) -> str:
        """The output of some steps, drawn, instead of printing it."""
        file, used, page = self.console.file, self.used, self._page
        self.console.file = kept = StringIO()
        self._page = []
        try:
            for step in steps:
                step()
        finally:
            self.console.file, self.used, self._page = file, used, page
        return kept.getvalue()

    def page(self) -> tuple[int, str]:
        """The page as it stands, to be shown once more by `show_page`."""
        return self.used, "".join(self._page)

    def show_page(self, page: tuple[int, str]) -> None:
        """Show a page as it stood before."""
        self.clear()
        self._write(page[1])
        self.used = page[0]

    def show_resized(self) -> None:
        """Show the page once more in a window of another size: lines that are too long now are cut."""
        used, page = self.page()
        lines = [Text.from_ansi(line, end="") for line in page.splitlines()]
        for line in lines:
            line.truncate(self.width)
        self.clear()

        def show() -> None:
            for line in lines:
                self.console.print(line, end="\n")

        self._write(self._rendered(show))
        # It is cut again from the full lines when the window changes its size.
        self.used, self._page = used, [page]

    def shorten(self, most: int) -> None:
        """Show only the first lines of the page, so many with a sign that there are more, but always its title."""
        used, page = self.page()
        most = max(_TITLE_LINES, most)
        if used <= most:
            return
        lines = page.splitlines(keepends=True)
        more = [f"{self.sign('…', '...')}\n"] if most > _TITLE_LINES else []
        kept = [*lines[: most - len(more)], *more]
        self.show_page((len(kept), "".join(kept)))

    def erase(self, lines: str) -> None:
        """Show the page once more without these lines, as `drawn` gave them."""
        used, page = self.page()
        before, erased, after = page.rpartition(lines)
        if erased:
            self.show_page((used - lines.count("\n"), f"{before}{after}"))

    def write_lines(self, lines: Sequence[str]) -> None:
        """Lines as `drawn` gave them."""
        self.used += len(lines)
        self._write("".join(f"{line}\n" for line in lines))

    def send(self, sequence: str) -> None:
        """A sequence of the program's own that prints nothing."""
        self._write(sequence)
        self.console.file.flush()

    def copyable(self, text: str) -> None:
        """A line that can be copied in one piece: only the terminal itself breaks it where it is too long."""
        line = clean(text)
        self._end_countdown()
        self.used += max(1, math.ceil(Text(line).cell_len / self.width))
        self._write(f"{line}\n")

    def _rendered(self, draw: Callable[[], None]) -> str:
        """The output of a step on the console, instead of printing it."""
        self.console.begin_capture()
        try:
            draw()
        finally:
            # Else it would write out what a page has so far, which is shown when it is whole.
            self.console.quiet = True
            drawn = self.console.end_capture()
            self.console.quiet = False
        return drawn

    def _write(self, drawn: str) -> None:
        self.console.file.write(drawn)
        if not self.plain:
            self._page.append(drawn)
        if not self._at_once:
            self.console.file.flush()

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Print in one piece what is printed meanwhile: with the first question, where there is a wait, or at the
        end."""
        before, self._at_once = self._at_once, True
        try:
            yield
        finally:
            self._at_once = before
            self.console.file.flush()

    def explain(self, sentence: str, style: str = "") -> None:
        """A sentence whose addresses are on lines of their own, to be copied."""
        for place, piece in enumerate(_ADDRESSES.split(sentence)):
            if place % 2:
                self.copyable(piece)
            elif words := piece.strip(" ,\n" if place else " \n"):
                self.print(Text(clean(words, lines=True), style))

    def clear(self) -> None:
        """Start a new page."""
        self.used = 0
        self._counting = False
        if not self.plain:
            self._write(self._rendered(self.console.clear))
            self._page.clear()

    def waiting(self, wait: Wait) -> None:
        """Say once a wait what is waited for; on a terminal the seconds that are left count down in their line."""
        goes_on = wait.follows(self._wait)
        self._wait = wait
        if wait.left == 0:
            self._end_countdown()
            if self._beside_bar:
                self._beside_bar("")
        elif self._beside_bar:
            self._beside_bar(wait.sentence)
        elif wait.left is not None and not self.plain:
            self._count_down(wait.sentence)
        elif not goes_on:
            self.print(Text(f"{wait.sentence}…" if wait.left is None else f"{wait.sentence}.", "warning"))
            self.console.file.flush()

    def _count_down(self, line: str) -> None:
        drawn = self._rendered(lambda: self.console.print(Text(self.cut(line, before=1), "warning"), end=""))
        self._end_countdown()
        self.console.file.write(drawn)
        self.console.file.flush()
        self._counting = True

    def _end_countdown(self) -> None:
        if self._counting:
            self.console.file.write("\r\x1b[2K")
            self.console.file.flush()
        self._counting = False

    @contextmanager
    def progress(self, label: str) -> Iterator[Callable[[int, int], None]]:
        """A bar for a long piece of work, however seldom it tells how far it is; short ones do not flash it."""
        if self.plain:
            yield lambda _done, _all: None
            return
        bar = _Bar(self.console, label, self._end_countdown)
        # It is drawn aside: the work itself may be long in one place.
        timer = Timer(_SHOWN_AFTER, bar.show)
        timer.daemon = True
        timer.start()
        self._beside_bar = bar.beside
        try:
            yield bar.report
        finally:
            timer.cancel()
            self._beside_bar = None
            bar.end()


class PipedScreen(Screen):
    """The screen of a program that reads what is printed: everything whole, a line for each line, the cells of a row
    between tabs. Nothing is cut, wrapped or drawn."""

    piped = True

    def __init__(self, out: IO[str], environment: Mapping[str, str] = _NOTHING_SET) -> None:
        super().__init__(out, plain=True, environment=environment)

    @property
    def width(self) -> int:
        return _UNBOUNDED

    @property
    def height(self) -> int:
        return _UNBOUNDED

    def fit(self, text: str, columns: int) -> str:
        return clean(text)

    def print(self, content: "RenderableType" = "") -> None:
        self._write("".join(f"{line}\n" for line in _whole_lines(content)))


def _whole_lines(content: "RenderableType") -> Iterator[str]:
    """The printed objects as lines of text, tables with tabs between their cells."""
    from rich.console import Group
    from rich.padding import Padding
    from rich.table import Table

    if isinstance(content, Group):
        for part in content.renderables:
            yield from _whole_lines(part)
    elif isinstance(content, Padding):
        yield from _whole_lines(content.renderable)
    elif isinstance(content, Table):
        cells = [[_plain(cell) for cell in column.cells] for column in content.columns]
        if content.show_header:
            yield "\t".join(_plain(column.header) for column in content.columns).rstrip("\t")
        for row in zip(*cells, strict=True):
            # Labels and values that are side by side are a line each.
            step = len(row) if content.show_header else 2
            for at in range(0, len(row), step):
                if line := "\t".join(row[at : at + step]).rstrip("\t"):
                    yield line
    else:
        yield from _plain(content, lines=True).split("\n")


def _plain(content: "RenderableType", *, lines: bool = False) -> str:
    text = content.plain if isinstance(content, Text) else str(content)
    return text.rstrip(" ") if lines else clean(text)


class _Bar:
    """The progress of a piece of work, once it is shown."""

    def __init__(self, console: "Console", what: str, before: Callable[[], None]) -> None:
        self._console = console
        self._what = what
        self._before = before
        self._lock = Lock()
        self._ended = False
        self._bar: Any = None
        self._task: Any = None
        self._at: tuple[int, int | None] = 0, None
        self._words = what

    def show(self) -> None:
        """Show it from now on, unless it has ended."""
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

        with self._lock:
            if self._ended:
                return
            described = TextColumn("{task.description}", markup=False)
            bar = Progress(described, BarColumn(), TaskProgressColumn(), console=self._console, transient=True)
            self._before()
            self._task = bar.add_task(self._words, completed=self._at[0], total=self._at[1])
            bar.start()
            self._bar = bar

    def report(self, done: int, of: int) -> None:
        """Report progress: so much done, of how many in all (0 while unknown)."""
        with self._lock:
            self._at = done, of or None
            if self._bar is not None:
                self._bar.update(self._task, completed=done, total=of or None)

    def beside(self, note: str) -> None:
        """Say something beside it."""
        with self._lock:
            self._words = f"{self._what} ({note})" if note else self._what
            if self._bar is not None:
                self._bar.update(self._task, description=self._words)

    def end(self) -> None:
        """End the progress: the work is done, or has failed."""
        with self._lock:
            self._ended = True
            if self._bar is not None:
                self._bar.stop()

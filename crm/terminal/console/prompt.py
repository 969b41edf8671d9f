"""A prompt on a terminal: how questions look, the keys that leave them, and how they are run."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, cast

from prompt_toolkit.application import Application
from prompt_toolkit.application.current import get_app_session
from prompt_toolkit.formatted_text import AnyFormattedText
from prompt_toolkit.input.typeahead import get_typeahead, store_typeahead
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.key_binding.key_processor import KeyPress, KeyProcessor
from prompt_toolkit.keys import Keys
from prompt_toolkit.layout import (
    AnyContainer,
    Container,
    Dimension,
    DynamicContainer,
    FormattedTextControl,
    VSplit,
    Window,
)
from prompt_toolkit.styles import Style
from prompt_toolkit.utils import get_cwidth

from crm.errors import Cancelled
from crm.lazy_pattern import lazy_pattern
from crm.terminal.console.keyboard import KEYS_APART, Back, Closed, End
from crm.terminal.drawing.theme import TOKENS

# What questionary and prompt_toolkit call what the theme has a token for.
_PARTS = {
    "question": "heading",
    "pointer": "chosen",
    "highlighted": "heading",
    "instruction": "muted",
    "error": "danger",
}
# Seconds of silence after which an Esc is not the start of an arrow key.
ESCAPE_SECONDS = 0.04
# Lines that a question has in the lowest window, where those above it are scrolled away.
_LEAST_LINES = 4
_WORDS = lazy_pattern(r"\s*\S+")


@cache
def style_on(ground: str) -> Style:
    """Return the style of questions on a background."""
    parts = {name: token.prompt_style(ground) for name, token in TOKENS.items()}
    return Style(
        [
            *parts.items(),
            *((part, parts[name]) for part, name in _PARTS.items()),
            # What a text may be completed to is on the terminal's own ground.
            ("completion-menu.completion", "bg:default fg:default"),
            ("completion-menu.completion.current", "noreverse bg:default fg:default bold reverse"),
            ("completion-menu.meta.completion", f"bg:default {parts['muted']}"),
            ("completion-menu.meta.completion.current", f"bg:default bold {parts['muted']}"),
            ("scrollbar.background", "bg:default"),
            ("scrollbar.button", f"bg:default {parts['row']}"),
        ]
    )


def wrapped(text: str, before: int = 1, side: int = 0) -> str:
    """A text broken between words, with `before` columns left free, and a `side` for what is beside it; the heads and
    rows of a list fit as they are."""
    width = get_app_session().output.get_size().columns - before - 1 - side
    if get_cwidth(text) <= width and "\n" not in text:
        return text
    lines = [piece for line in text.split("\n") for piece in _filled(line, max(20, width))]
    return ("\n" + " " * before).join(lines)


def _filled(text: str, width: int) -> list[str]:
    """A line broken between its words, or within one that is too long for a line of its own."""
    lines = [""]
    for word in _WORDS.findall(text):
        if get_cwidth(lines[-1] + word) <= width:
            lines[-1] += word
            continue
        lines += [""] if lines[-1] else []
        for character in word.lstrip():
            if get_cwidth(lines[-1] + character) > width:
                lines.append("")
            lines[-1] += character
    return lines


def styled(pieces: Sequence[tuple[str, str]]) -> AnyFormattedText:
    """Pieces of one token each as prompt_toolkit draws them."""
    return cast(AnyFormattedText, [(style_of(token), text) for token, text in pieces])


def style_of(token: str) -> str:
    """The name that prompt_toolkit has for a token of the theme."""
    return f"class:{token}" if token in TOKENS else token


def keys_of(line: str) -> list[tuple[str, str]]:
    """A line of keys in the pieces that prompt_toolkit draws: the keys seen before what they do."""
    pieces: list[tuple[str, str]] = []
    for place, part in enumerate(line.split(KEYS_APART)):
        key, _, words = part.lstrip().partition(" ")
        blanks = KEYS_APART * bool(place) + " " * (len(part) - len(part.lstrip()))
        # A sentence names no key.
        named = bool(words) and (len(key) == 1 or key.islower())
        pieces += [("class:instruction", blanks), ("class:accent" if named else "class:instruction", key)]
        pieces.append(("class:instruction", f" {words}" if words else ""))
    return pieces


def with_card(content: AnyContainer, card: Callable[[], AnyFormattedText], width: Callable[[], int]) -> Container:
    """A container with a card beside it, so many columns wide and as high as there is room; 0 for none."""
    edge = Window(char="│" if is_drawable() else "|", style="class:muted", width=1)
    beside = VSplit([edge, Window(FormattedTextControl(card))], width=lambda: Dimension.exact(width()))
    both = VSplit([content, beside])
    return DynamicContainer(lambda: both if width() else content)


def left_over(card: Callable[[], AnyFormattedText]) -> Window:
    """A card in the lines that nothing else takes."""
    return Window(FormattedTextControl(card), height=Dimension(preferred=0))


def filling(room: int) -> Callable[[], Dimension]:
    """The height of a question that has so many lines of the window, which may be resized: what is above it stays."""
    above = get_app_session().output.get_size().rows - room
    return lambda: Dimension.exact(max(_LEAST_LINES, get_app_session().output.get_size().rows - above))


def is_drawable() -> bool:
    """Return whether arrows and the like can be drawn on the terminal."""
    return get_app_session().output.encoding().lower().replace("-", "").startswith("utf")


def leaving_keys() -> KeyBindings:
    """Key bindings with the ways out of a question in them."""
    keys = KeyBindings()
    keys.add(Keys.Escape, eager=True)(leave(Back))
    keys.add(Keys.ControlC, eager=True)(leave(Cancelled))
    keys.add(Keys.ControlD, eager=True)(leave(End))
    return keys


def bind_only(application: Application[Any], keys: KeyBindings) -> None:
    """Bind these keys of an application and no others. prompt_toolkit adds those of Emacs and vi, which no page of ours
    expects: one of them leaves a question with an empty answer, one writes the screen over, one opens an editor."""
    # A processor of its own, which for each key does not look through the layout for more of them.
    application.key_processor = KeyProcessor(keys)


def leave(error: type[BaseException]) -> Callable[[KeyPressEvent], None]:
    """The handler of a key that leaves a question with an error."""

    def leaves(event: KeyPressEvent) -> None:
        event.app.exit(exception=error())

    return leaves


def writes(key: KeyPress) -> bool:
    """Return whether a key is one of those that a text is typed with: a character, Enter, or something pasted."""
    return key.key in (Keys.ControlM, Keys.ControlJ, Keys.Tab, Keys.BracketedPaste) or not isinstance(key.key, Keys)


def run(application: Application[Any], *, fresh: bool = False, above: Callable[[], None] | None = None) -> Any:
    """Ask: run an application, which may have run before, until a key leaves it. Where the question is to be `fresh`,
    nothing that was typed before it was drawn answers it. In a window of another size `above` clears the page and shows
    again what is above the question. Raises Back, Cancelled or Closed."""
    application.timeoutlen = application.ttimeoutlen = ESCAPE_SECONDS
    # An Esc that came too late for the question before belongs to this one.
    typed = [*get_typeahead(application.input), *application.input.flush_keys()]
    if fresh:
        with application.input.raw_mode():
            typed += application.input.read_keys()
        typed = [key for key in typed if not writes(key)]
    store_typeahead(application.input, typed)
    if application.output.stdout is not None:
        # What was printed above the question is there first.
        application.output.stdout.flush()
    redraw = _redrawing(application, above)
    application.before_render += redraw
    try:
        # asyncio handles the signal to interrupt; a handler of prompt_toolkit's own would cost as much as a loop.
        return application.run(handle_sigint=False)
    except KeyboardInterrupt:
        raise Cancelled from None
    except EOFError:
        raise Closed from None
    finally:
        application.before_render -= redraw


def _redrawing(application: Application[Any], above: Callable[[], None] | None) -> Callable[[Application[Any]], None]:
    """Show what is above a question again before it is drawn in a window of another size: a terminal breaks lines that
    have become too long for it, which moves all that is below."""
    drawn_in = application.output.get_size()

    def redraw(application: Application[Any]) -> None:
        nonlocal drawn_in
        size = application.output.get_size()
        if above is not None and size != drawn_in:
            application.renderer.erase()
            above()
        drawn_in = size

    return redraw

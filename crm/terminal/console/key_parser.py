"""The parser of keys: only what is a key, whole, and in the terminal's encoding."""

import re
import sys
import time
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, TextIO, cast

from prompt_toolkit.input import Input, create_input
from prompt_toolkit.input.vt100_parser import Vt100Parser
from prompt_toolkit.key_binding.key_processor import KeyPress
from prompt_toolkit.keys import Keys

from crm.lazy_pattern import lazy_pattern
from crm.terminal.drawing.theme import ground_of

if TYPE_CHECKING:
    from prompt_toolkit.input.vt100 import Vt100Input

# A control sequence from its Esc to its last character; those of function keys and the mouse go their own ways.
_WHOLE = lazy_pattern(r"\x1b(?:\[M[\s\S]{3}|\[\[.|\[(?![M[])[0-?]*[ -/]*[@-~]|O[0-9;]+[@-~])")
_BEGUN = lazy_pattern(r"\x1b(?:\[(?:M[\s\S]{0,2}|\[|[0-?]*[ -/]*)?|O[0-9;]*)?\Z")
_BROKEN = lazy_pattern(r"\x1b(?:\[[0-?]*[ -/]*|O[0-9;]+)")
# The answer of a terminal that was asked for its background: parts of red, green and blue, each of one to four digits.
_BACKGROUND = lazy_pattern(r"\x1b\]11;([^\x07\x1b]{0,48})(?:\x07|\x1b\\)")
_BACKGROUND_BEGUN = lazy_pattern(r"\x1b\](?:1(?:1(?:;[^\x07\x1b]{0,48}\x1b?)?)?)?\Z")
_COLOUR = lazy_pattern("rgba?:([0-9a-f]{1,4})/([0-9a-f]{1,4})/([0-9a-f]{1,4})(?:/[0-9a-f]{1,4})?", re.IGNORECASE)
# What has begun goes on within so many seconds, however busy the program is, and is not longer than that.
_GOES_ON_SECONDS, _LONGEST = 1.0, 64


# Takes the background that a terminal says it has.
TakeGround = Callable[[str], None]


def keys_of(source: IO[str], on_ground: TakeGround = lambda _: None) -> Input:
    """The keys of a terminal; `on_ground` gets its background (dark or light) once the terminal says it."""
    made = create_input(cast(TextIO, source))
    if sys.platform != "win32":
        from prompt_toolkit.input.vt100 import Vt100Input

        if isinstance(made, Vt100Input):
            read_carefully(made, on_ground)
    return made


def read_carefully(made: "Vt100Input", on_ground: TakeGround = lambda _: None) -> None:
    """Make an input give nothing but keys and characters."""
    if sys.platform != "win32":
        from prompt_toolkit.input.posix_utils import PosixStdinReader

        # What is no character cannot be searched for nor kept, and is shown for what it is.
        made.stdin_reader = PosixStdinReader(made.fileno(), "replace", made.stdin.encoding)
        made.vt100_parser = KeyParser(made.vt100_parser.feed_key_callback, on_ground)


class KeyParser(Vt100Parser):
    """A parser that drops each sequence that is no key of ours. prompt_toolkit takes one for Esc and the characters
    after it: a page would be left, and another chosen from by the digits."""

    def __init__(self, feed_key_callback: Callable[[KeyPress], None], on_ground: TakeGround = lambda _: None) -> None:
        super().__init__(feed_key_callback)
        self._on_ground = on_ground
        self._begun = ""
        self._fed = 0.0

    def feed(self, data: str) -> None:
        """Take in what was typed; a sequence that is not complete waits for its end."""
        now = time.monotonic()
        if now - self._fed < _GOES_ON_SECONDS:
            data = self._begun + data
        self._begun, self._fed = "", now
        while data and not self._in_bracketed_paste:
            plain = data.partition("\x1b")[0]
            if plain:
                super().feed(plain)
                data = data[len(plain) :]
            elif whole := _WHOLE.match(data):
                if self._get_match(whole.group()) not in (None, Keys.Ignore):
                    super().feed(whole.group())
                data = data[whole.end() :]
            elif answer := _BACKGROUND.match(data):
                if colour := _COLOUR.fullmatch(answer.group(1)):
                    self._on_ground(
                        ground_of([255 * int(part, 16) / (16 ** len(part) - 1) for part in colour.groups()])
                    )
                data = data[answer.end() :]
            elif _BEGUN.match(data) or _BACKGROUND_BEGUN.match(data):
                self._begun = data[:_LONGEST]
                return
            else:
                broken = _BROKEN.match(data)
                if not broken:
                    super().feed("\x1b")
                data = data[broken.end() if broken else 1 :]
        if data:
            super().feed(data)

    def flush(self) -> None:
        """Pass on what was begun when nothing has followed: an Esc was an Esc, and an O an O."""
        if self._begun in ("\x1b", "\x1bO", "\x1b]"):
            typed, self._begun = self._begun, ""
            super().feed(typed)
        super().flush()

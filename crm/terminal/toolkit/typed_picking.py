"""One of many, found by typing part of what it is called, or its number."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from crm.errors import FieldError
from crm.terminal.console.keyboard import Back, Choice, Keyboard, Needed, Suggestion

Found = TypeVar("Found")

_LEAST_TYPED = 2
_LONGEST_NUMBER = 9


def is_too_short(typed: str) -> bool:
    """Whether too little was typed to suggest anything by it."""
    return len(typed.strip()) < _LEAST_TYPED and not typed.strip().isdigit()


def number_in(word: str) -> int | None:
    """The number that a word is, None where it is none that a record can have."""
    return int(word) if word.isascii() and word.isdigit() and len(word) <= _LONGEST_NUMBER else None


def pick_typed(
    keyboard: Keyboard,
    label: str,
    search: Callable[[str], Sequence[Found]],
    suggest: Callable[[str], list[Suggestion]],
    entry: Callable[[Found], Choice],
    question: Callable[[int], str],
    *,
    help: str,
    nothing: str,
    required: bool,
) -> Any:
    """What an `entry` stands for, found by typing; None where it may be left out and is. Where several are found, so
    many, a `question` asks which; where none is, `nothing` says so. Raises Back."""
    typed = ""

    def read(text: str) -> Sequence[Found] | None:
        nonlocal typed
        typed = text
        if not text.strip():
            if required:
                raise Needed
            return None
        if found := search(text):
            return found
        raise FieldError(nothing)

    while True:
        found = keyboard.text(label, read, default=typed, help=help, suggest=suggest)
        if found is None:
            return None
        if len(found) == 1:
            return entry(found[0]).value
        try:
            return keyboard.choose(question(len(found)), [entry(item) for item in found])
        except Back:
            continue

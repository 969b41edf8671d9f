"""The question before typed text is lost."""

from collections.abc import Sequence
from typing import Any

from crm.errors import Cancelled
from crm.terminal.console.keyboard import BACK, Back, Choice, Keyboard, yes_or_no

_QUESTION = "Discard what you typed?"
_KEYS = "y discard   esc keep editing"


class Discarded(Cancelled):
    """The person left, and said that what they had typed may be lost."""


def discards(keyboard: Keyboard, question: str = _QUESTION) -> bool:
    """Ask whether what was typed may be lost. Ctrl-C says yes: it was pressed to leave."""
    return _asked(keyboard, [Choice("Discard", True)], question) is True


def leave_form(keyboard: Keyboard, others: Sequence[Choice] = ()) -> Any:
    """Ask what Esc meant in a form whose first fields were asked one by one: None to keep editing, or the value of one
    of the `others`. Raises Back for the question before the form, and Cancelled where what was typed may be lost."""
    chosen = _asked(keyboard, [Choice("Discard", True), Choice("Go back a question", False), *others])
    if chosen is True:
        raise Discarded
    if chosen is False:
        raise Back
    return chosen


def _asked(keyboard: Keyboard, entries: list[Choice], question: str = _QUESTION) -> Any:
    """The answer; None to keep editing."""
    try:
        return keyboard.choose(question, entries, back="Keep editing", hidden=yes_or_no(True), hint=_KEYS, at=BACK)
    except Back:
        return None
    except Cancelled:
        return True


def leave(keyboard: Keyboard, left: Cancelled, *, is_written: bool) -> None:
    """Leave what `left` interrupted, where nothing would be lost by it or it may be; otherwise go on with it. Raises
    Cancelled."""
    if isinstance(left, Discarded) or not is_written:
        raise left
    if discards(keyboard):
        raise Discarded from left

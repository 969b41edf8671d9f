"""The question before typed text is lost."""

from crm.errors import Cancelled
from crm.terminal.console.keyboard import BACK, YES_OR_NO, Back, Choice, Keyboard, yes_or_no


class Discarded(Cancelled):
    """The person left, and said that what they had typed may be lost."""


def discards(keyboard: Keyboard) -> bool:
    """Ask whether what was typed may be lost. Ctrl-C says yes: it was pressed to leave."""
    entries = [Choice("Discard", True)]
    try:
        keyboard.choose(
            "Discard what you typed?", entries, back="Keep editing", hidden=yes_or_no(True), hint=YES_OR_NO, at=BACK
        )
    except Back:
        return False
    except Cancelled:
        pass
    return True


def leave(keyboard: Keyboard, left: Cancelled, *, is_written: bool) -> None:
    """Leave what `left` interrupted, where nothing would be lost by it or it may be; otherwise go on with it. Raises
    Cancelled."""
    if isinstance(left, Discarded) or not is_written:
        raise left
    if discards(keyboard):
        raise Discarded from left

"""The key that copies an address or a number from a page to the clipboard."""

from collections.abc import Callable, Sequence

from crm.terminal.console.keyboard import Choice
from crm.terminal.drawing.links import copied
from crm.terminal.drawing.screen import clean
from crm.terminal.toolkit import letters
from crm.terminal.toolkit.session import Session

# The columns before and after what is said.
_SIGN = 4


def copy_keys(session: Session, values: Callable[[], Sequence[tuple[str, str]]]) -> list[Choice]:
    """The key, where there is a terminal that may have a clipboard; `values` are what can be copied, each with its
    label."""

    def copy() -> None:
        copyable = [(label, value) for label, value in values() if value]
        if not copyable:
            session.say("Nothing to copy: no e-mail address and no phone number.")
            return
        text = copyable[0][1]
        if len(copyable) > 1:
            text = session.keyboard.choose("Copy:", [Choice(f"{label}: {value}", value) for label, value in copyable])
        session.screen.send(copied(text))
        # An address without room is broken at its @, if anywhere.
        measure, room = session.screen.measure, session.screen.width - _SIGN
        sentence = "Copied, if your terminal allows it:"
        address = text if measure(clean(text)) <= room else text.replace("@", "\n@")
        between = " " if measure(f"{sentence} {clean(text)}") <= room else "\n"
        session.done(f"{sentence}{between}{address}")

    return [] if session.screen.plain else [letters.COPY(copy)]

"""Questions line by line, where input or output is not a terminal that can be drawn on."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import IO, Any

from crm.errors import Cancelled, FieldError, RuleError
from crm.terminal.console.keyboard import BACK, Back, Choice, Closed, FormPlace, Needed, Suggestion, numbered, reason
from crm.terminal.console.tty import unseen
from crm.terminal.drawing.screen import Screen, clean


class LineKeyboard:
    """A Keyboard that prints numbered entries and reads lines; the end of the input ends the program."""

    pointed: Any = None

    def __init__(self, source: IO[str], screen: Screen) -> None:
        self._source = source
        self._screen = screen
        self._ahead: list[str] = []

    def _line(self, prompt: str) -> str:
        if self._ahead:
            return self._ahead.pop()
        out = self._screen.console.file
        out.write(f"{clean(prompt)} ")
        out.flush()
        try:
            line = self._source.readline()
        except KeyboardInterrupt:
            out.write("\n")
            raise Cancelled from None
        except (OSError, ValueError):
            raise Closed from None
        if not self._source.isatty():
            out.write("\n")
        if not line:
            raise Closed
        return line.rstrip("\r\n")

    def choose(
        self,
        question: str,
        choices: Sequence[Choice],
        *,
        back: str = "Back",
        hidden: Sequence[Choice] = (),
        hint: str = "",
        at: Any = None,
        resized: Any = None,
        room: int = 0,
        note: str = "",
        in_column: int = 0,
        narrows: bool = False,
        above: Callable[[], None] | None = None,
    ) -> Any:
        keyed = numbered(choices, len(choices))
        wide = max((len(choice.key) for choice in keyed), default=1)
        for line in question.splitlines():
            self._screen.print(clean(line))
        for choice in keyed:
            if choice.heading:
                self._screen.print(clean(choice.heading))
            self._screen.print(f"{choice.key:<{wide}}  {clean(choice.label)}")
        if back:
            self._screen.print(f"{'0':<{wide}}  {back}")
        if hint:
            self._screen.print(hint)
        while True:
            answer = self._line(">").strip()
            if answer == "" or (back and answer == "0"):
                raise Back
            if len(answer) > 1 and answer.startswith("/") and any(choice.key == "/" for choice in hidden):
                self._ahead.append(answer[1:])
                answer = "/"
            for choice in (*keyed, *hidden):
                if answer.casefold() in (choice.key.casefold(), choice.label.strip().casefold()):
                    if choice.value is BACK:
                        raise Back
                    return choice.value
            keys = [*(choice.key for choice in keyed if choice.key), *(["0"] if back else [])]
            self._screen.print(f"{clean(answer)[:40]} is not on this page. Choose one of {' '.join(keys)}.")

    def text(
        self,
        label: str,
        read: Callable[[str], Any],
        *,
        default: str = "",
        help: str = "",
        error: str = "",
        suggest: Callable[[str], Sequence[Suggestion]] | None = None,
        multiline: bool = False,
        path: bool = False,
        secret: bool = False,
        begun: bool = False,
        form: FormPlace | None = None,
        passing: bool = False,
        room: int = 0,
        card: Callable[[], Sequence[tuple[str, str]]] | None = None,
        above: Callable[[], None] | None = None,
    ) -> Any:
        if error:
            self._screen.print(clean(error, lines=True))
        about = f" ({help})" if help else ""
        kept = f" [{default}; Enter keeps it, - clears it]" if default else ""
        while True:
            with unseen(self._source) if secret else nullcontext():
                line = self._line(f"{label}{about}{kept}:")
            if default:
                line = {"": default, "-": ""}.get(line, line)
            try:
                return read(line)
            except Needed:
                self._screen.print(f"{label} is required.")
                raise Back from None
            except (FieldError, RuleError) as wrong:
                self._screen.print(clean(reason(wrong, self._screen.width - 1), lines=True))

    def pause(self, room: int = 0) -> None:
        """Do nothing: nobody is kept waiting here."""

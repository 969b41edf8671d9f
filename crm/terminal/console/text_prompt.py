"""A question that is answered by a line or more of text, which is completed and checked in place."""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, cast

from prompt_toolkit import PromptSession
from prompt_toolkit.application.current import get_app_session
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.clipboard import InMemoryClipboard
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Condition, to_filter
from prompt_toolkit.formatted_text import AnyFormattedText
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.key_binding.bindings.basic import if_no_repeat
from prompt_toolkit.key_binding.bindings.named_commands import get_by_name
from prompt_toolkit.keys import Keys
from prompt_toolkit.layout import (
    BufferControl,
    ConditionalContainer,
    Dimension,
    FormattedTextControl,
    HSplit,
    Layout,
    Window,
)
from prompt_toolkit.layout.processors import Processor, Transformation, TransformationInput
from prompt_toolkit.selection import SelectionState
from prompt_toolkit.styles import DynamicStyle
from prompt_toolkit.utils import get_cwidth

from crm.errors import FieldError, RuleError
from crm.model.paths import with_home
from crm.terminal.console.keyboard import KEYS_APART, Back, FormPlace, Interrupted, Suggestion, reason
from crm.terminal.console.prompt import (
    bind_only,
    filling,
    is_drawable,
    keys_of,
    leaving_keys,
    left_over,
    run,
    style_on,
    styled,
    with_card,
    wrapped,
)
from crm.terminal.drawing.screen import clean

_BREAKS = re.compile(r"\s*[\r\n]+\s*")
# A hint that takes more of the line leaves no room to type, and is above it.
_HINT_BESIDE = 0.75
_WIDE = 110
# Lines that are kept free for what a text may be completed to.
_SUGGESTIONS = 8
# In a low window those give way to what stands around the text: an error, a hint, the keys.
_AROUND = 4
# In fewer lines a text takes what it needs.
_LEAST_ROOM = _SUGGESTIONS + 3
# The keys that move and edit, with their names in readline.
_EDITING = {
    Keys.Left: "backward-char", Keys.Right: "forward-char", Keys.Home: "beginning-of-line", Keys.End: "end-of-line",
    Keys.ControlLeft: "backward-word", Keys.ControlRight: "forward-word",
    Keys.Backspace: "backward-delete-char", Keys.Delete: "delete-char",
    Keys.ControlA: "beginning-of-line", Keys.ControlE: "end-of-line", Keys.ControlB: "backward-char",
    Keys.ControlF: "forward-char", Keys.ControlK: "kill-line", Keys.ControlU: "unix-line-discard",
    Keys.ControlW: "unix-word-rubout", Keys.ControlY: "yank", Keys.ControlUnderscore: "undo",
}  # fmt: skip


# Those of them that clear a default as a whole.
_CLEARING = ("backward-delete-char", "delete-char")


class _Harmless(Processor):
    """A processor that shows typed text like stored text: invisible characters have a place of their own."""

    def apply_transformation(self, transformation_input: TransformationInput) -> Transformation:
        return Transformation(
            [(fragment[0], clean(fragment[1]), *fragment[2:]) for fragment in transformation_input.fragments]
        )


class TextPrompt:
    """A question for a text. One session of prompt_toolkit serves all questions; one leaves no input for the next."""

    def __init__(self, ground: Callable[[], str], side: Callable[[], int]) -> None:
        self._columns_at_side = side
        self._label = self._help = self._error = ""
        self._read: Callable[[str], Any] = str
        self._form: FormPlace | None = None
        # The lines that the question has, 0 where it takes what it needs; and what is beside it, or below it
        # in a narrow window.
        self._room = 0
        self._card: Sequence[tuple[str, str]] = ()
        self._suggest: Callable[[str], Sequence[Suggestion]] | None = None
        self._session: PromptSession[Any] = PromptSession(
            self._message,
            style=DynamicStyle(lambda: style_on(ground())),
            input_processors=[_Harmless()],
            erase_when_done=True,
        )
        # What a text may be completed to begins where the text does.
        control = self._session.layout.current_control
        if isinstance(control, BufferControl):
            control.menu_position = lambda: 0
        bind_only(self._session.app, self._keys())
        self._session.default_buffer.on_text_changed += self._forget_error
        # A toolbar of prompt_toolkit is only seen where the terminal says where its cursor is.
        self._session.layout.current_window.dont_extend_height = to_filter(True)
        self._session.layout.current_window.height = self._least_height
        later = ConditionalContainer(
            Window(FormattedTextControl(self._later), dont_extend_height=Condition(lambda: not self._side())),
            Condition(lambda: bool(self._side()) or (self._form is not None and bool(self._form.after))),
        )
        below = left_over(self._card_below)
        fills = ConditionalContainer(below, Condition(lambda: self._room > 0 and not self._side()))
        keys = Window(FormattedTextControl(self._key_line), dont_extend_height=True)
        asked = HSplit([self._session.layout.container, later])
        self._container = HSplit([with_card(asked, lambda: styled(self._card), self._side), fills, keys])
        self._session.layout = self._session.app.layout = Layout(self._container, self._session.default_buffer)

    def ask(
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
        room: int = 0,
        card: Callable[[], Sequence[tuple[str, str]]] | None = None,
        above: Callable[[], None] | None = None,
    ) -> Any:
        """Ask as Keyboard.text does. Raises Back, Cancelled or Closed."""
        self._label, self._read, self._error, self._form, self._help = label, read, error, form, help
        self._room = room if room >= _LEAST_ROOM else 0
        self._container.height = filling(self._room) if self._room else None
        self._card = card() if card else ()
        session = self._session
        session.completer = _paths() if path else _Suggestions(suggest) if suggest else None
        session.multiline = multiline
        session.is_password = secret
        # What was cut out of a secret is not pasted elsewhere.
        session.clipboard = InMemoryClipboard()
        self._suggest = None
        session.default_buffer.reset(Document(default))
        if default and not (begun or error or multiline):
            session.default_buffer.selection_state = SelectionState(0)
        self._suggest = suggest
        session.layout.focus(session.default_buffer)
        return run(session.app, above=above)[0]

    def _side(self) -> int:
        """The columns of what is beside the question in the window as it is now, which may have been resized."""
        return self._columns_at_side() if self._card else 0

    def _card_below(self) -> AnyFormattedText:
        """The panel of a wide window, below the question; below a text that is completed there are its suggestions."""
        return styled([("", "\n"), *self._card]) if self._card and self._session.completer is None else ""

    def _least_height(self) -> Dimension:
        """The lines that the text is sure to have: never more than the window has, or nothing would be drawn."""
        if self._session.app.is_done:
            return Dimension()
        below = _SUGGESTIONS if self._session.completer else 1
        return Dimension(min=max(1, min(below, self._lines() - _AROUND)))

    def _message(self) -> AnyFormattedText:
        pieces: list[tuple[str, str]] = []
        if self._error:
            # What is above the line is cut where it is longer than that.
            pieces.append(("class:error", f"{wrapped(clean(self._error, lines=True), 0, self._side())}\n"))
        hint = f" ({clean(self._help)})" if self._help else ""
        side = self._side()
        columns = get_app_session().output.get_size().columns - side
        # In a wide window suggestions would stand far at the right, behind the hint.
        is_far = bool(hint and self._suggest and columns + side >= _WIDE)
        if is_far or self._session.multiline or get_cwidth(self._label + hint) > _HINT_BESIDE * columns:
            pieces += [("class:instruction", f"{wrapped(hint.strip(), 0, side)}\n")] if hint else []
            hint = ""
        # Beside a text that fills the screen the label would be scrolled away with its first line.
        end = ":\n" if self._is_long() else ": "
        pieces += [("class:question", clean(self._label)), ("class:instruction", hint), ("", end)]
        return cast(AnyFormattedText, pieces)

    def _later(self) -> AnyFormattedText:
        """The fields of the form that come after this one."""
        labels = self._form.after if self._form else ()
        later = "\n".join(clean(label) for label in labels[: max(0, self._lines() // 2 - 3)])
        return [("class:instruction", later)]

    def _key_line(self) -> AnyFormattedText:
        """The keys of a text."""
        arrows = "↑ ↓" if is_drawable() else "up, down:"
        later, before = (self._form.after, self._form.before) if self._form else ((), False)
        keys = ["enter next" if later else "enter done"]
        keys += ["ctrl-j new line"] if self._session.multiline else []
        keys += [f"{arrows} fields"] if before else []
        keys += ["esc back"] if self._form is None or self._form.leaves else []
        words, end = KEYS_APART.join(keys), "" if self._room else "\n"
        return cast(AnyFormattedText, keys_of(f"{end} {wrapped(words)}"))

    def _lines(self) -> int:
        return get_app_session().output.get_size().rows

    def _is_long(self) -> bool:
        size, text = get_app_session().output.get_size(), self._session.default_buffer.text
        return text.count("\n") + len(text) // size.columns > size.rows // 2

    def _keys(self) -> KeyBindings:
        keys = leaving_keys()
        keys.add(Keys.Escape, eager=True)(self._leave)
        keys.add(Keys.ControlC, eager=True)(self._interrupt)
        keys.add(Keys.ControlM)(self._take)
        keys.add(Keys.ControlJ)(self._break)
        keys.add(Keys.BracketedPaste)(self._paste)
        for up in (Keys.Up, Keys.ControlP):
            keys.add(up)(self._up)
        for down in (Keys.Down, Keys.ControlN):
            keys.add(down)(self._down)
        keys.add(Keys.Tab)(self._tab)
        keys.add(Keys.BackTab)(self._back_tab)
        for key, command in _EDITING.items():
            keys.add(key, save_before=if_no_repeat)(_editing(command))
        keys.add(Keys.Any, save_before=if_no_repeat)(self._type)
        return keys

    def _type(self, event: KeyPressEvent) -> None:
        # A key that is not listed has a name instead of a character, and writes nothing.
        if not isinstance(event.key_sequence[0].key, Keys):
            _replace_selected(event.current_buffer)
            event.current_buffer.insert_text(event.data)

    def _up(self, event: KeyPressEvent) -> None:
        """A line up; from the first one of a field of a form to the field before."""
        buffer = event.current_buffer
        first = buffer.complete_state is None and not buffer.document.cursor_position_row
        if self._form is not None and first:
            if self._form.before:
                self._leave(event)
        else:
            buffer.exit_selection()
            buffer.auto_up()

    def _down(self, event: KeyPressEvent) -> None:
        """A line down; from the last one of a field of a form to the next field, as Enter does."""
        buffer = event.current_buffer
        last = buffer.complete_state is None and buffer.document.on_last_line
        if self._form is not None and self._form.after and last:
            self._take(event)
        else:
            buffer.exit_selection()
            buffer.auto_down()

    def _tab(self, event: KeyPressEvent) -> None:
        """Complete what is typed; in a form, go to the next field as Enter does where there is nothing to complete."""
        if self._completes(event):
            _editing("menu-complete")(event)
        elif self._form is not None and self._form.after:
            self._take(event)
        else:
            self._error = "Press Enter when you are done."

    def _back_tab(self, event: KeyPressEvent) -> None:
        if self._completes(event):
            _editing("menu-complete-backward")(event)
        elif self._form is not None and self._form.before:
            self._leave(event)

    def _completes(self, event: KeyPressEvent) -> bool:
        """Return whether there is anything that the text may be completed to."""
        buffer, completer = event.current_buffer, self._session.completer
        if buffer.complete_state is not None or completer is None:
            return completer is not None
        return any(completer.get_completions(buffer.document, CompleteEvent(completion_requested=True)))

    def _leave(self, event: KeyPressEvent) -> None:
        event.app.exit(exception=Back(self._typed(event)))

    def _interrupt(self, event: KeyPressEvent) -> None:
        event.app.exit(exception=Interrupted(self._typed(event)))

    def _typed(self, event: KeyPressEvent) -> str:
        return "" if self._session.is_password else event.current_buffer.text

    def _take(self, event: KeyPressEvent) -> None:
        typed = event.current_buffer.text
        try:
            result = self._read(typed)
        except (FieldError, RuleError) as wrong:
            self._error = reason(wrong, event.app.output.get_size().columns - 1)
            event.current_buffer.exit_selection()
            if self._session.is_password:
                # It cannot be seen, so it cannot be corrected.
                event.current_buffer.reset()
            if isinstance(wrong, RuleError) and wrong.text == typed:
                event.current_buffer.cursor_position = min(wrong.position, len(typed))
        except Back as left:
            event.app.exit(exception=left)
        else:
            self._error = ""
            event.current_buffer.cancel_completion()
            event.app.exit(result=(result,))

    def _forget_error(self, buffer: Buffer) -> None:
        """Forget an error that was about an earlier text, where something is found for the present one."""
        if self._error and self._suggest is not None and self._suggest(buffer.text):
            self._error = ""

    def _break(self, event: KeyPressEvent) -> None:
        if self._session.multiline:
            event.current_buffer.insert_text("\n")
        else:
            self._take(event)

    def _paste(self, event: KeyPressEvent) -> None:
        pasted = event.data.replace("\r\n", "\n").replace("\r", "\n")
        _replace_selected(event.current_buffer)
        event.current_buffer.insert_text(pasted if self._session.multiline else _BREAKS.sub(" ", pasted))


def _editing(command: str) -> Callable[[KeyPressEvent], None]:
    """A key that moves or edits: in a default that is still as it was it begins to, or clears it."""
    binding = get_by_name(command)

    def edits(event: KeyPressEvent) -> None:
        if command in _CLEARING and _replace_selected(event.current_buffer):
            return
        event.current_buffer.exit_selection()
        binding.call(event)

    return edits


def _replace_selected(buffer: Buffer) -> bool:
    """Clear a default that is still as it was, in the place of which something is typed; False where none is."""
    if buffer.selection_state is None:
        return False
    buffer.exit_selection()
    buffer.text = ""
    return True


class _Suggestions(Completer):
    """Completion by what the program suggests for the whole line."""

    def __init__(self, suggest: Callable[[str], Sequence[Suggestion]]) -> None:
        self._suggest = suggest

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        typed = document.text
        for suggestion in self._suggest(typed):
            yield Completion(
                clean(suggestion.text),
                -len(document.text_before_cursor),
                clean(suggestion.label),
                display_meta=clean(suggestion.about),
            )


def _paths() -> Completer:
    from prompt_toolkit.completion import PathCompleter

    class Paths(PathCompleter):
        """Paths, with ~ for the home folder of this menu."""

        def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
            return super().get_completions(Document(with_home(document.text_before_cursor)), complete_event)

    return Paths()

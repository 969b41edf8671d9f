"""Questions on a terminal: one key chooses, and what is typed is completed and checked in place."""

import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import IO, Any, TextIO, cast

import questionary
from prompt_toolkit import PromptSession
from prompt_toolkit.application import Application
from prompt_toolkit.application.current import create_app_session, get_app_session
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Condition, Filter
from prompt_toolkit.formatted_text import AnyFormattedText
from prompt_toolkit.input import create_input
from prompt_toolkit.input.typeahead import get_typeahead, store_typeahead
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys
from prompt_toolkit.layout import ConditionalContainer, FormattedTextControl, HSplit, Window
from prompt_toolkit.layout.processors import Processor, Transformation, TransformationInput
from prompt_toolkit.styles import Style
from prompt_toolkit.utils import get_cwidth
from questionary.prompts.common import InquirerControl

from crm.errors import Cancelled, FieldError, RuleError
from crm.terminal.keyboard import Back, Choice, Closed, End, Suggestion, numbered, reason
from crm.terminal.screen import clean
from crm.terminal.tty import output_to, quiet

_STYLE = Style(
    [
        ("qmark", ""),
        ("question", "bold"),
        ("answer", ""),
        ("pointer", "bold fg:ansicyan"),
        ("highlighted", "bold"),
        ("instruction", "fg:ansibrightblack"),
        ("error", "fg:ansired"),
        ("validation-toolbar", "fg:ansired bg:default noreverse"),
        ("bottom-toolbar", "noreverse"),
    ]
)
_WORDS = re.compile(r"\s*\S+")
_BREAKS = re.compile(r"\s*[\r\n]+\s*")
# An Esc is told from the start of an arrow key by what follows within so many seconds.
_ESCAPE_SECONDS = 0.04
_RESIZED_SECONDS = 0.1
_TYPED_ON_SECONDS = 1.0
_NO_SEARCH = "/ finds nothing here, and what is typed after it is not taken; Esc goes back to where it does."
_BACK = object()
# What stands before an entry: the pointer, its key and a bracket.
_KEYED = 6
# A hint that takes more of the line leaves no room to type, and stands above it.
_HINT_BESIDE = 0.75


class _Harmless(Processor):
    """What is typed or pasted is shown like what is stored: marks that nobody sees have a place of their own."""

    def apply_transformation(self, transformation_input: TransformationInput) -> Transformation:
        return Transformation(
            [(fragment[0], clean(fragment[1]), *fragment[2:]) for fragment in transformation_input.fragments]
        )


@contextmanager
def terminal(source: IO[str], out: IO[str]) -> Iterator["TerminalKeyboard"]:
    """The keyboard of a terminal, which is left as it was."""
    with quiet(source), create_app_session(input=create_input(cast(TextIO, source)), output=output_to(out)):
        yield TerminalKeyboard()


class TerminalKeyboard:
    """A Keyboard over questionary and prompt_toolkit."""

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
    ) -> Any:
        keyed = numbered(choices, hidden)
        if back:
            keyed.append(Choice(back, _BACK, "0"))
        pointed = next((index for index, each in enumerate(keyed) if at is not None and each.value == at), 0)
        options = [
            questionary.Choice(_wrapped(clean(each.label), _KEYED), value=index, shortcut_key=each.key)
            for index, each in enumerate(keyed)
        ]
        asked = questionary.select(
            _wrapped(clean(question, lines=True)),
            options,
            default=options[pointed],
            qmark="",
            pointer="»" if _drawable() else ">",
            instruction=" ",
            use_shortcuts=True,
            use_jk_keys=False,
            style=_STYLE,
        )
        keys = _keys(asked.application)
        vain = _InVain()
        for each in (*keyed, *hidden):
            keys.add(each.key, eager=True)(_exits(each.value, vain))
        controls: Iterable[Any] = asked.application.layout.find_all_controls()
        control: Any = next(each for each in controls if isinstance(each, InquirerControl))
        control.default = None
        control.selected_options = []
        under = [("class:instruction", f" {_wrapped(clean(hint))}")] if hint else []
        _underline(asked.application, lambda: cast(AnyFormattedText, under), headed=bool(question))

        @keys.add(Keys.ControlM, eager=True)
        def _(event: KeyPressEvent) -> None:
            if vain.goes_on():
                vain.end()
                return
            event.app.exit(result=keyed[control.pointed_at].value)

        @keys.add(Keys.Any)
        @keys.add(Keys.BracketedPaste, eager=True)
        def _(event: KeyPressEvent) -> None:
            pressed = event.key_sequence[0].data
            if pressed == "/":
                vain.begin()
            if vain.goes_on():
                under[:] = [("class:error", " " + _wrapped(_NO_SEARCH))]
                return
            told = clean(pressed) if len(pressed) == 1 and pressed.isprintable() else "That"
            under[:] = [("class:error", " " + _wrapped(f"{told} is no choice here; {_span(keyed)}"))]

        if resized is not None:
            _leave_when_resized(asked.application, resized)
        chosen = _run(asked)
        if chosen is _BACK:
            raise Back
        return chosen

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
    ) -> Any:
        told = [error]

        def message() -> AnyFormattedText:
            pieces: list[tuple[str, str]] = [("class:error", f"{clean(told[0], lines=True)}\n")] if told[0] else []
            about = "; ".join(filter(None, (help, "Enter saves, Ctrl-J starts a new line" if multiline else "")))
            hint = f" ({clean(about)})" if about else ""
            if get_cwidth(label + hint) > _HINT_BESIDE * get_app_session().output.get_size().columns:
                pieces.append(("class:instruction", f"{_wrapped(hint.strip(), 0)}\n"))
                hint = ""
            pieces += [("class:question", clean(label)), ("class:instruction", hint)]
            return cast(AnyFormattedText, [*pieces, ("", ": ")])

        completer = _paths() if path else _Suggestions(suggest) if suggest else None
        session: PromptSession[Any] = PromptSession(
            message,
            style=_STYLE,
            multiline=multiline,
            completer=completer,
            complete_while_typing=True,
            input_processors=[_Harmless()],
            is_password=secret,
            reserve_space_for_menu=8 if completer else 0,
        )
        session.default_buffer.reset(Document(default))
        asked = questionary.Question(session.app)
        keys = _keys(session.app)

        def take(event: KeyPressEvent) -> None:
            typed = event.current_buffer.text
            try:
                result = read(typed)
            except (FieldError, RuleError) as wrong:
                told[0] = reason(wrong, event.app.output.get_size().columns - 1)
                if isinstance(wrong, RuleError) and wrong.text == typed:
                    event.current_buffer.cursor_position = min(wrong.position, len(typed))
            except Back as left:
                event.app.exit(exception=left)
            else:
                told[0] = ""
                event.current_buffer.cancel_completion()
                event.app.exit(result=(result,))

        keys.add(Keys.ControlM, eager=True)(take)
        if multiline:
            # Else it would be taken for Enter.
            keys.add(Keys.ControlJ, eager=True)(lambda event: event.current_buffer.insert_text("\n"))
        else:
            keys.add(Keys.ControlJ, eager=True)(take)

        @keys.add(Keys.ControlZ, eager=True)
        def _(_: KeyPressEvent) -> None:
            """Without this it would be written down."""

        @keys.add(Keys.BracketedPaste, eager=True)
        def _(event: KeyPressEvent) -> None:
            pasted = event.data.replace("\r\n", "\n").replace("\r", "\n")
            event.current_buffer.insert_text(pasted if multiline else _BREAKS.sub(" ", pasted))

        return _run(asked)[0]

    def pause(self) -> None:
        """Waits for any key."""
        asked = questionary.press_any_key_to_continue("Any key goes on.", style=_STYLE)
        asked.application.erase_when_done = True
        _run(asked)


def _underline(application: Application[Any], words: Callable[[], AnyFormattedText], *, headed: bool) -> None:
    """Words under a question: what else can be pressed, or what was pressed in vain. A question without
    words takes no line."""
    container = application.layout.container
    if isinstance(container, HSplit):
        if not headed:
            container.children[0] = ConditionalContainer(container.children[0], Condition(lambda: False))
        container.children.append(Window(FormattedTextControl(words), dont_extend_height=True, wrap_lines=True))


def _wrapped(text: str, before: int = 1) -> str:
    """A text broken between words, with so many columns before it; the heads and rows of a list fit as they are."""
    width = get_app_session().output.get_size().columns - before - 1
    if get_cwidth(text) <= width:
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


def _leave_when_resized(application: Application[Any], value: Any) -> None:
    """Answers with `value` once the terminal has had another size for a moment: a window that is dragged has many."""
    before = application.output.get_size()

    def leave() -> None:
        if application.is_running and not application.is_done:
            application.exit(result=value)

    def look(drawn: Application[Any]) -> None:
        if drawn.loop is not None and drawn.output.get_size() != before:
            drawn.loop.call_later(_RESIZED_SECONDS, leave)

    application.after_render += look


def _drawable() -> bool:
    return get_app_session().output.encoding().lower().replace("-", "").startswith("utf")


class _InVain:
    """A search that is typed where there is none: what comes within a second of its last key belongs to it, and
    chooses nothing."""

    def __init__(self) -> None:
        self._ends = 0.0

    def begin(self) -> None:
        self._ends = time.monotonic() + _TYPED_ON_SECONDS

    def goes_on(self) -> bool:
        if time.monotonic() > self._ends:
            return False
        self.begin()
        return True

    def end(self) -> None:
        self._ends = 0.0


def _exits(value: Any, vain: _InVain) -> Callable[[KeyPressEvent], None]:
    def leave(event: KeyPressEvent) -> None:
        if not vain.goes_on():
            event.app.exit(result=value)

    return leave


def _keys(application: Application[Any]) -> KeyBindings:
    """Key bindings that stand above the question's own, with the ways out in them."""
    from prompt_toolkit.key_binding import merge_key_bindings

    keys = KeyBindings()
    application.key_bindings = merge_key_bindings([*filter(None, [application.key_bindings]), keys])
    application.erase_when_done = True
    application.ttimeoutlen = _ESCAPE_SECONDS
    application.timeoutlen = _ESCAPE_SECONDS

    def leave(error: type[BaseException]) -> Callable[[KeyPressEvent], None]:
        def leaves(event: KeyPressEvent) -> None:
            event.app.exit(exception=error())

        return leaves

    keys.add(Keys.Escape, eager=True)(leave(Back))
    keys.add(Keys.ControlC, eager=True)(leave(Cancelled))
    keys.add(Keys.SIGINT, eager=True)(leave(Cancelled))
    keys.add(Keys.ControlD, eager=True)(leave(End))
    return keys


def _run(asked: questionary.Question) -> Any:
    source = get_app_session().input
    # An Esc that came too late for the question before belongs to this one.
    store_typeahead(source, [*get_typeahead(source), *source.flush_keys()])
    try:
        return asked.unsafe_ask()
    except KeyboardInterrupt:
        raise Cancelled from None
    except EOFError:
        raise Closed from None
    finally:
        _forget_question()


def _forget_question() -> None:
    """Lets go of a question that was answered: prompt_toolkit's own filters remember for ever each filter that they
    were combined with, and through it all of the question."""
    for each in _own_filters():
        for own in (each, each._invert_result):
            if own is not None:
                own._and_cache.clear()
                own._or_cache.clear()


@cache
def _own_filters() -> list[Filter]:
    modules = [module for name, module in sys.modules.items() if name.startswith("prompt_toolkit.")]
    return [each for module in modules for each in vars(module).values() if isinstance(each, Filter)]


def _span(keyed: Sequence[Choice]) -> str:
    """The keys there are, in short: 1-9 a-d 0."""
    digits = [each.key for each in keyed if each.key.isdigit() and each.key != "0"]
    letters = [each.key for each in keyed if not each.key.isdigit()]
    spans = [f"{some[0]}-{some[-1]}" if len(some) > 1 else some[0] for some in (digits, letters) if some]
    if any(each.key == "0" for each in keyed):
        spans.append("0 goes back" if keyed[-1].value is _BACK else "0")
    return "press " + ", ".join(spans)


class _Suggestions(Completer):
    """Completion by what the program suggests for the whole line."""

    def __init__(self, suggest: Callable[[str], Sequence[Suggestion]]) -> None:
        self._suggest = suggest

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        typed = document.text
        for each in self._suggest(typed):
            yield Completion(
                clean(each.text), -len(document.text_before_cursor), clean(each.label), display_meta=clean(each.about)
            )


def _paths() -> Completer:
    from prompt_toolkit.completion import PathCompleter

    return PathCompleter(expanduser=True)

"""A question that is answered by one key: entries below each other, drawn by questionary."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, cast

import questionary
from prompt_toolkit.application import Application
from prompt_toolkit.application.current import get_app_session
from prompt_toolkit.data_structures import Point
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import ANSI, AnyFormattedText, StyleAndTextTuples, to_formatted_text
from prompt_toolkit.key_binding import KeyBindings, KeyPress, KeyPressEvent
from prompt_toolkit.keys import Keys
from prompt_toolkit.layout import (
    ConditionalContainer,
    Dimension,
    FormattedTextControl,
    HSplit,
    Layout,
    UIContent,
    Window,
)
from prompt_toolkit.styles import DynamicStyle
from prompt_toolkit.utils import get_cwidth
from questionary.prompts.common import InquirerControl

from crm.terminal.console.keyboard import (
    ARROWS,
    BACK,
    BEYOND_FIRST,
    BEYOND_LAST,
    CAPITAL,
    KEYED,
    KEYS_APART,
    NO,
    YES,
    Back,
    Choice,
    lines_of,
    narrowed,
    numbered,
)
from crm.terminal.console.prompt import (
    bind_only,
    filling,
    is_drawable,
    keys_of,
    leaving_keys,
    left_over,
    run,
    style_of,
    style_on,
    styled,
    with_card,
    wrapped,
    writes,
)
from crm.terminal.drawing.screen import clean

_RESIZED_SECONDS = 0.1
_TYPED_ON_SECONDS = 1.0
_PICK_FIRST = "Pick a field first: press its number, or its first letter and Enter."
_NO_NUMBER = "Press Enter to open {field} first, or an arrow key to choose by number."
_NO_OTHER = "Press Enter to open {field} first, or an arrow key to choose another field."
# In the place of the letter that has pointed at an entry, where more letters came behind it.
_MORE_LETTERS = "\n"
# Keys after which one types on: where they do not work, what follows them does nothing either.
_TYPED_AFTER = {"/": "Search", "q": "Quick note"}
_NOT_HERE = "{what} does not work on this page."
# So many characters that come at once are a text, pasted or typed for another place: nobody presses keys as fast.
TEXT = 4
# The key of the way back, and at the end of it of the way out.
_ZERO = "0"
_EXITS = "You are back at the start. Press 0 again to exit."
_NO_TEXT = "Pasted text was ignored: this page takes single keys."
# Takes the keys that a question knows, each with its words.
ShowKeys = Callable[[Sequence[tuple[str, str]]], None]
# In fewer lines a question takes what it needs.
_LEAST_ROOM = 4
# In fewer lines there is no room to say that there are more entries.
_LEAST_CUT = 2
# Lines that the entries have, and the end of their question, in the lowest window.
_LEAST_ENTRIES, _LEAST_QUESTION = 2, 2
# The question, a message and the keys stand around entries.
_AROUND_ENTRIES = 6
# What stands between two keys in a hint.
_BETWEEN = (" · ", KEYS_APART)
# The look of the row that is pointed at.
_ROW = "class:row"
# The blanks behind the longest entry of a column, and those of them that are on no ground.
_APART, _BETWEEN_COLUMNS = 6, 4


class _Entries(InquirerControl):
    """The entries of questionary; those without a key have a blank instead, and a label may have colours."""

    def __init__(self, pointer: str) -> None:
        super().__init__(
            [questionary.Choice("", shortcut_key="0")],
            pointer=pointer,
            use_indicator=False,
            use_shortcuts=True,
            focusable=True,
            show_cursor=False,
        )
        self.entries: Sequence[Choice] = ()
        # How many entries are below each other where they have two columns; 0 where they have one.
        self.in_column = 0
        # How many columns the window has, and whether it has room for a blank line above headings.
        self.columns = 0
        self.is_roomy = False

    def fill(self, entries: Sequence[Choice], at: int, in_column: int = 0) -> None:
        """List these entries, of which one is pointed at, in one column or in two of so many entries."""
        self.in_column = in_column
        labels = [wrapped(clean(entry.label), KEYED) for entry in entries]
        self.entries = [
            entry if entry.label == label else replace(entry, label=label)
            for entry, label in zip(entries, labels, strict=True)
        ]
        self.choices = [
            questionary.Choice(entry.label, entry.key, shortcut_key=entry.key or False) for entry in self.entries
        ]
        self.pointed_at = at

    def _get_choice_tokens(self) -> list[tuple[str, str]]:
        lines = [self._drawn(place) for place in range(len(self.entries))]
        if self.in_column:
            widest = max((get_cwidth(entry.label) for entry in self.entries), default=0)
            # The second column begins in the middle of the window, as what stands in two columns above it does.
            width = max(widest + _APART, (self.columns + _BETWEEN_COLUMNS) // 2 - KEYED)
            for place, entry in enumerate(self.entries):
                ground = _ROW if place == self.pointed_at else ""
                blank = " " * (width - get_cwidth(entry.label) - _BETWEEN_COLUMNS)
                lines[place] += [(f"class:text {ground}".rstrip(), blank), ("", " " * _BETWEEN_COLUMNS)]
            for place in range(self.in_column):
                lines[place] += lines[place + self.in_column] if place + self.in_column < len(lines) else []
            del lines[self.in_column :]
        return [piece for line in lines for piece in (*line, ("", "\n"))][:-1]

    def count_lines(self) -> int:
        """Count the lines that the entries take. prompt_toolkit would draw all of them, twice for each page."""
        return 1 + sum(text.count("\n") for _, text in self._get_choice_tokens())

    def create_content(self, width: int, height: int | None) -> UIContent:
        """The entries, the one that is pointed at on a ground of its own as wide as the window; in one that is too low
        for all, those around it, and below them how many more there are."""
        self.columns = width
        content = super().create_content(width, height)
        content_line = content.get_line
        if not self.in_column and self.choices:
            first = content.cursor_position.y
            last = first + sum(text.count("\n") for style, text in self._drawn(self.pointed_at) if _ROW in style)
            content = UIContent(
                lambda line: _filled(content_line(line), width) if first <= line <= last else content_line(line),
                content.line_count,
                content.cursor_position,
                show_cursor=content.show_cursor,
            )
        if height is None or height < _LEAST_CUT or content.line_count <= height:
            return content
        room, at = height - 1, content.cursor_position.y
        # One more than what is pointed at is seen where there is room.
        top = max(0, min(at, at - room + 2, content.line_count - room))
        places = self._lines_of_entries()
        above, below = sum(line < top for line in places), sum(line >= top + room for line in places)
        counts = [f"{count} more {where}" for count, where in ((above, "above"), (below, "below")) if count]
        lines = [content.get_line(top + line) for line in range(room)]
        lines.append([("class:muted", f"   {', '.join(counts)}")])
        return UIContent(lines.__getitem__, len(lines), Point(0, at - top), show_cursor=content.show_cursor)

    def _lines_of_entries(self) -> list[int]:
        """The line on which each entry begins, below its heading."""
        lines, line = list[int](), 0
        for place, entry in enumerate(self.entries[: self.in_column or None]):
            lines.append(line + bool(entry.heading) + self._is_apart(place))
            line += 1 + sum(text.count("\n") for _, text in self._drawn(place))
        return [*lines, *lines[: len(self.entries) - len(lines)]]

    def _is_apart(self, place: int) -> bool:
        """Return whether a blank line is above an entry with a heading."""
        return self.is_roomy and place > 0 and bool(self.entries[place].heading)

    def _drawn(self, place: int) -> list[tuple[str, str]]:
        """An entry with what is before it."""
        entry, pointed = self.entries[place], place == self.pointed_at
        whole = f"class:highlighted {_ROW}" if pointed else "class:text"
        return [
            *([("", "\n")] if self._is_apart(place) else []),
            *([("class:heading", f"   {wrapped(clean(entry.heading), 3)}\n")] if entry.heading else []),
            (f"class:pointer {_ROW}", f" {self.pointer} ") if pointed else ("class:text", "   "),
            *([("[SetCursorPosition]", "")] if pointed else []),
            (whole, f"{entry.key}) " if entry.key else "   "),
            *([(f"{whole} {style_of(style)}", text) for style, text in entry.pieces] or [(whole, entry.label)]),
        ]


class SelectPrompt:
    """A question for one of several entries. One application serves all questions: to build one costs several times
    what it costs to draw a page, and questionary.select builds three."""

    def __init__(self, show_keys: ShowKeys, ground: Callable[[], str], side: Callable[[], int]) -> None:
        self._show_keys = show_keys
        self._columns_at_side = side
        self._question = ""
        # The line below the entries: the hint, or instead the effect of the last key.
        self._hint: list[tuple[str, str]] = []
        self._under: list[tuple[str, str]] = []
        self._entries: Sequence[Choice] = ()
        self._by_key: dict[str, Choice] = {}
        self._size = get_app_session().output.get_size()
        self._resized: Any = None
        # Keys before this moment belong to what was begun by a key that does not work here, and are ignored.
        self._ignored_until = 0.0
        self._ignored_after = ""
        # Whether 0 has led here from the question before, and whether it leaves this one. Where it exits, one 0 too
        # many does not.
        self._came_by_zero = self._leaves_by_zero = False
        # Whether a letter was pressed in a form, to which what is typed next may belong; and the one that has pointed
        # at a field.
        self._marks, self._letter = False, ""
        self._control = _Entries("»" if is_drawable() else ">")
        self._more = "…" if is_drawable() else "..."
        # The lines of the page that the question has, 0 where it takes what it needs; and the note above the hint.
        self._room = 0
        self._note: AnyFormattedText = ""
        # Whether letters narrow the entries, what was typed for that, and what the question was asked with.
        self._narrows, self._typed = False, ""
        self._listed: Sequence[Choice] = ()
        self._hidden: Sequence[Choice] = ()
        self._back = ""
        # Whether any of the entries has a card.
        self._has_cards = False
        question = FormattedTextControl(lambda: cast(AnyFormattedText, self._question_line()))
        note = FormattedTextControl(lambda: self._note)
        under = FormattedTextControl(lambda: cast(AnyFormattedText, self._under))
        entries = Window(
            self._control,
            height=lambda: Dimension(
                min=min(_LEAST_ENTRIES, len(self._entries)), preferred=self._control.count_lines()
            ),
            dont_extend_height=Condition(lambda: not self._side()),
        )
        # The card of the entry that is pointed at, where the entries have one and there is room.
        beside = with_card(entries, self._card, self._side)
        below = left_over(self._card_below)
        container = HSplit(
            [
                ConditionalContainer(
                    Window(question, dont_extend_height=True, wrap_lines=True),
                    Condition(lambda: bool(self._question or self._typed)),
                ),
                ConditionalContainer(beside, Condition(lambda: bool(self._entries))),
                ConditionalContainer(below, Condition(lambda: self._room > 0 and not self._side())),
                ConditionalContainer(Window(note, dont_extend_height=True), Condition(lambda: bool(self._note))),
                Window(under, height=Dimension(min=1), dont_extend_height=True, wrap_lines=True),
            ],
        )
        self._container = container
        style = DynamicStyle(lambda: style_on(ground()))
        self._application: Application[Any] = Application(Layout(container), style, erase_when_done=True)
        bind_only(self._application, self._keys())
        self._application.after_render += self._look_at_size

    def ask(
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
        """Ask as Keyboard.choose does; without choices any key answers. Raises Back, Cancelled or Closed."""
        self._narrows, self._typed = narrows, ""
        self._listed, self._hidden, self._back = choices, hidden, back
        entries = self._with_back(narrowed(choices, "") if narrows else numbered(choices))
        self._question = wrapped(clean(question, lines=True))
        self._under = self._hint = _hinted(clean(hint))
        self._entries = entries
        self._by_key = {entry.key: entry for entry in (*entries, *hidden) if entry.key}
        self._resized = resized
        self._ignored_until, self._marks, self._letter = 0.0, False, ""
        self._came_by_zero, self._leaves_by_zero = self._leaves_by_zero, False
        at_first = next((place for place, entry in enumerate(entries) if at is not None and entry.value == at), 0)
        self._control.fill(entries, at_first, in_column)
        headings = sum(bool(entry.heading) for entry in entries)
        columns = get_app_session().output.get_size().columns
        self._control.is_roomy = headings > 0 and lines_of(entries, columns) + headings + _AROUND_ENTRIES <= room
        self._note = ANSI(note.rstrip("\n")) if note else ""
        self._room = room if room >= _LEAST_ROOM else 0
        self._container.height = filling(self._room) if self._room else None
        self._question = self._end_of_question()
        self._size = self._application.output.get_size()
        self._has_cards = any(entry.card for entry in entries)
        self._show_keys(
            [
                (key, clean(choice.label))
                for key, choice in self._by_key.items()
                if len(key) == 1 and choice.label not in (YES, NO)
            ]
        )
        # A character of a text that was typed before the question was seen says neither yes nor no.
        is_fresh = any(choice.label in (YES, NO) for choice in hidden)
        chosen = run(self._application, fresh=is_fresh, above=above if resized is None else None)
        if chosen is BACK:
            raise Back
        if resized is not None and chosen is resized:
            self._leaves_by_zero = self._came_by_zero
        return chosen

    def _end_of_question(self) -> str:
        """The question; of one that is too long for its room beside its entries the end, which says what they do."""
        lines = self._question.split("\n")
        if not self._room or len(lines) <= _LEAST_QUESTION:
            return self._question
        pieces = (*self._under, *to_formatted_text(self._note))
        below = 1 + sum(text.count("\n") for _, text, *_ in pieces) + bool(self._note)
        room = max(_LEAST_QUESTION, self._room - self._control.count_lines() - below)
        if len(lines) <= room:
            return self._question
        return "\n".join((self._more, *lines[len(lines) - room + 1 :]))

    def _with_back(self, entries: list[Choice]) -> list[Choice]:
        return [*entries, Choice(self._back, BACK, "0")] if self._back else entries

    def _narrow(self, typed: str) -> bool:
        """List only what fits what was typed; False where nothing would, and it stays as it was."""
        fitting = narrowed(self._listed, typed)
        if not fitting:
            return False
        self._typed, self._under = typed, self._hint
        self._entries = self._with_back(fitting)
        self._by_key = {entry.key: entry for entry in (*self._entries, *self._hidden) if entry.key}
        self._control.fill(self._entries, 0)
        return True

    def _question_line(self) -> list[tuple[str, str]]:
        """The question, and what was typed to narrow its entries."""
        typed = [("class:chosen", f" {clean(self._typed)}")] if self._typed else []
        return [("class:question", f" {self._question}"), *typed]

    def _side(self) -> int:
        """The columns beside the entries that their cards have in the window as it is now."""
        return self._columns_at_side() if self._has_cards else 0

    def _card(self) -> AnyFormattedText:
        """The card of the entry that is pointed at; the way back has that of the others where they have one in
        common."""
        card = self._entries[self._control.pointed_at].card if self._entries else None
        if card is None and len(cards := {entry.card for entry in self._entries if entry.card}) == 1:
            (card,) = cards
        return styled(card()) if card else ""

    def _card_below(self) -> AnyFormattedText:
        """The same in a window that is too narrow for it beside the entries."""
        return [("", "\n"), *to_formatted_text(self._card())] if self._has_cards else ""

    def _keys(self) -> KeyBindings:
        keys = leaving_keys()
        for down in (Keys.Down, Keys.ControlN):
            keys.add(down, eager=True)(lambda event: self._move(event, 1))
        for up in (Keys.Up, Keys.ControlP):
            keys.add(up, eager=True)(lambda event: self._move(event, -1))
        in_columns = Condition(lambda: self._control.in_column > 0)
        keys.add(Keys.Right, eager=True, filter=in_columns)(lambda event: self._move_across(event, 1))
        keys.add(Keys.Left, eager=True, filter=in_columns)(lambda event: self._move_across(event, -1))
        for name in ARROWS:
            keys.add(name, eager=True, filter=Condition(partial(self._is_chosen_by, name)))(self._press)
        keys.add(Keys.ControlM, eager=True)(self._enter)
        is_narrowed = Condition(lambda: bool(self._typed))
        keys.add(Keys.Backspace, eager=True, filter=is_narrowed)(lambda _: self._narrow(self._typed[:-1]))
        keys.add(Keys.Escape, eager=True, filter=is_narrowed)(lambda _: self._narrow(""))
        keys.add(Keys.BracketedPaste, eager=True)(self._take_text)
        keys.add(Keys.Any)(self._press)
        return keys

    def _move(self, event: KeyPressEvent, by: int) -> None:
        """Point at the next entry; where there is none, at what is beyond, or at the first one again."""
        if not self._entries:
            self._refuse(event)
            return
        self._marks, self._letter, self._under = False, "", self._hint
        to = self._control.pointed_at + by
        beyond = self._by_key.get(BEYOND_LAST if by > 0 else BEYOND_FIRST)
        if beyond is not None and not 0 <= to < len(self._entries):
            event.app.exit(result=beyond.value)
        else:
            self._control.pointed_at = to % len(self._entries)

    def _move_across(self, event: KeyPressEvent, by: int) -> None:
        """Point at the entry beside, where there is one."""
        self._under = self._hint
        to = self._control.pointed_at + by * self._control.in_column
        if 0 <= to < len(self._entries):
            self._control.pointed_at = to

    @property
    def pointed(self) -> Any:
        """The value of the entry that was pointed at when the last question was answered."""
        return self._entries[self._control.pointed_at].value if self._entries else None

    def _take_text(self, event: KeyPressEvent) -> None:
        """Handle pasted text: it filters the entries where letters do, and is never read as keys."""
        is_pasted = event.key_sequence[0].key is Keys.BracketedPaste
        if not self._entries:
            _typed_on(event)
            event.app.exit(result=None)
        elif self._narrows and (is_pasted or not event.data.isdigit()):
            letters = " ".join(event.data.split())
            letters += "".join(key.data for key in ([] if is_pasted else _typed_on(event, until=_is_no_letter)))
            if not all(map(self._narrow_by, letters)):
                _typed_on(event)
        else:
            _typed_on(event)
            self._under = [("class:error", f" {wrapped(_NO_TEXT)}")]

    def _narrow_by(self, more: str) -> bool:
        """Narrow the entries by more letters; False where none would be left, which is said."""
        typed = f"{self._typed}{more}".lstrip()
        if self._narrow(typed):
            return True
        self._under = [("class:error", f" {wrapped(f'No entry matches {clean(typed)}.')}")]
        return False

    def _enter(self, event: KeyPressEvent) -> None:
        if self._is_ignored():
            self._ignored_until = 0.0
        elif self._marks and not self._is_picked():
            # The end of a text for which no field was picked does not save the form.
            self._marks, self._letter = False, ""
            self._under = [("class:error", f" {wrapped(_PICK_FIRST)}")]
        else:
            event.app.exit(result=self._entries[self._control.pointed_at].value if self._entries else None)

    def _press(self, event: KeyPressEvent) -> None:
        is_begun = event.data in _TYPED_AFTER and event.data in self._by_key
        if _is_text(event) and not is_begun:
            self._take_text(event)
            return
        key = event.key_sequence[0].key
        name = key.value if isinstance(key, Keys) else key
        chosen = self._by_key.get(name)
        if chosen is None and (answer := self._by_key.get(name.lower())) is not None and answer.label in (YES, NO):
            chosen = answer
        if any(entry.field for entry in self._entries) and self._types_into_form(event, chosen):
            return
        if chosen is None and self._narrows and event.data.isprintable() and not event.data.isdigit():
            self._narrow_by(event.data)
        elif chosen is None and event.data.isupper() and CAPITAL in self._by_key and not self._is_ignored():
            event.app.exit(result=partial(self._by_key[CAPITAL].value, event.data))
        elif chosen is None:
            self._refuse(event)
        elif name == _ZERO and chosen.value is not BACK and self._came_by_zero:
            self._came_by_zero = False
            self._under = [("class:warning", f" {wrapped(_EXITS)}")]
        elif not self._is_ignored():
            self._leaves_by_zero = name == _ZERO
            event.app.exit(result=chosen.value)

    def _types_into_form(self, event: KeyPressEvent, chosen: Choice | None) -> bool:
        """Point at the field that begins with a letter, first at the one that is pointed at, and after the last at what
        saves the form, if that begins with it too. From then on no number and no other letter chooses, until an arrow
        is pressed: they may be typed into the field that the letter has pointed at."""
        letter = event.data.casefold()
        if (chosen is not None and not self._marks) or not event.data.isprintable() or event.data in ("/", ""):
            return False
        pointed = self._control.pointed_at
        named = [place for place, entry in enumerate(self._entries) if _begins_with(entry, letter)]
        fields = sorted(named, key=lambda place: not self._entries[place].field)
        field = self._entries[pointed].field
        if not event.data.isalpha() or not fields:
            words = _NO_NUMBER.format(field=clean(field)) if self._marks and field else _PICK_FIRST
            self._under = [("class:error", f" {wrapped(words)}")]
            self._marks = self._marks or event.data.isalpha()
            self._letter = self._letter if field or not self._letter else _MORE_LETTERS
            return True
        if self._letter not in ("", letter):
            self._under = [
                ("class:error", f" {wrapped(_NO_OTHER.format(field=clean(field)) if field else _PICK_FIRST)}")
            ]
            self._letter = self._letter if field else _MORE_LETTERS
            return True
        if pointed not in fields:
            self._control.pointed_at = next((place for place in fields if place > pointed), fields[0])
        elif self._marks or not field:
            self._control.pointed_at = fields[(fields.index(pointed) + 1) % len(fields)]
        self._marks, self._letter = True, letter
        entry = self._entries[self._control.pointed_at]
        words = f"Enter opens {entry.field}" if entry.field else f"Enter: {entry.label}"
        self._under = [("class:instruction", f" {wrapped(clean(words))}")]
        return True

    def _is_picked(self) -> bool:
        """Return whether Enter does what is pointed at: it is a field, or a letter alone has pointed at it."""
        entry = self._entries[self._control.pointed_at]
        return bool(entry.field) or bool(self._letter and _begins_with(entry, self._letter))

    def _is_chosen_by(self, name: str) -> bool:
        return name in self._by_key

    def _refuse(self, event: KeyPressEvent) -> None:
        """Say that a key chooses nothing, and nothing that was typed with it. A search or a quick note that is begun
        on a page without it is ignored as a whole."""
        if not self._entries:
            event.app.exit(result=None)
            return
        if writes(event.key_sequence[0]):
            _typed_on(event)
        if event.data in _TYPED_AFTER and not self._is_ignored():
            self._ignored_until = time.monotonic() + _TYPED_ON_SECONDS
            self._ignored_after = _TYPED_AFTER[event.data]
        if self._is_ignored():
            words = _NOT_HERE.format(what=self._ignored_after)
        else:
            key = clean(event.data) if len(event.data) == 1 and event.data.isprintable() else "That"
            words = f"{key} is not a choice here. Press {_listed(_spans(self._entries, others='?' in self._by_key))}"
        self._under = [("class:error", f" {wrapped(words)}")]

    def _is_ignored(self) -> bool:
        """Return whether a key belongs to what is still being typed: it comes within a second of the last."""
        now = time.monotonic()
        if now > self._ignored_until:
            return False
        self._ignored_until = now + _TYPED_ON_SECONDS
        return True

    def _look_at_size(self, application: Application[Any]) -> None:
        """Answer once the terminal has had another size for a moment: a window that is dragged has many."""
        if self._resized is None or application.loop is None or application.output.get_size() == self._size:
            return

        application.loop.call_later(_RESIZED_SECONDS, self._draw_page_again)

    def redraw(self) -> None:
        """Draw the page that is shown once more, in the colours that there are now; a question without a page of its
        own alone."""
        if self._application.loop is not None and self._application.is_running:
            self._application.loop.call_soon(self._draw_page_again)

    def _draw_page_again(self) -> None:
        if self._application.is_done:
            return
        if self._resized is None:
            self._application.invalidate()
        else:
            self._application.exit(result=self._resized)


def _begins_with(entry: Choice, letter: str) -> bool:
    """Return whether a field, or another entry of its form but the way back, begins with a letter."""
    return entry.value is not BACK and (entry.field or entry.label).casefold().startswith(letter)


def _filled(line: StyleAndTextTuples, width: int) -> StyleAndTextTuples:
    """A line on the ground of the row that is pointed at, as wide as its window."""
    used = sum(get_cwidth(text) for _, text, *_ in line)
    return [*line, (_ROW, " " * max(0, width - used))]


def _is_text(event: KeyPressEvent) -> bool:
    """Return whether a character came with so many others at once that no person has pressed them as keys."""
    waiting = list(event.key_processor.input_queue)[: TEXT - 1]
    return event.data.isprintable() and len(waiting) == TEXT - 1 and all(map(writes, waiting))


def _typed_on(event: KeyPressEvent, until: Callable[[str], bool] = lambda _: False) -> list[KeyPress]:
    """Take away the characters that came with a key, up to the next key that writes nothing, or `until` one."""
    taken: list[KeyPress] = []
    waiting = event.key_processor.input_queue
    while waiting and writes(waiting[0]) and not until(waiting[0].data):
        taken.append(waiting.popleft())
    return taken


def _is_no_letter(data: str) -> bool:
    return data.isdigit() or not data.isprintable()


def _hinted(hint: str) -> list[tuple[str, str]]:
    """A hint in the pieces that prompt_toolkit draws, broken only between two keys."""
    if not hint:
        return []
    between = next((mark for mark in _BETWEEN if mark in hint), _BETWEEN[0])
    width = get_app_session().output.get_size().columns - 2
    lines = [""]
    for key in hint.split(between):
        longer = f"{lines[-1]}{between}{key}" if lines[-1] else key
        if get_cwidth(longer) <= width or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(key)
    drawn = [
        keys_of(f" {wrapped(line)}") if between == KEYS_APART else [("class:instruction", f" {wrapped(line)}")]
        for line in lines
    ]
    return [piece for line in drawn for piece in (*line, ("", "\n"))][:-1]


def _spans(entries: Sequence[Choice], *, others: bool) -> list[str]:
    """The keys of entries, in short: 1-9, 0 to go back; and the one that lists the others, where there is one."""
    spans: list[str] = []
    for key in sorted(entry.key for entry in entries if entry.key not in ("", "0")):
        if spans and ord(key) == ord(spans[-1][-1]) + 1:
            spans[-1] = f"{spans[-1][0]}-{key}"
        else:
            spans.append(key)
    if any(entry.key == "0" for entry in entries):
        spans.append("0 to go back" if entries[-1].value is BACK else "0")
    return [*spans, *(["? for all keys"] if others else [])]


def _listed(words: Sequence[str]) -> str:
    return ", ".join([*words[:-1], f"or {words[-1]}" if len(words) > 1 else words[-1]]) if words else "Esc to go back"

"""Lists, shown a page at a time, with keys that turn, sort and filter, and the way from one record of a list to the
next."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any, Generic, TypeVar

from rich.text import Text

from crm.commands import subject_of
from crm.commands.registry import Command, named
from crm.errors import Cancelled, FieldError, RuleError
from crm.model import Client, Record
from crm.model.fields import Flag
from crm.model.record import AnyRecord
from crm.model.rights import CLIENT
from crm.terminal.console.keyboard import BACK, BEYOND_FIRST, BEYOND_LAST, CAPITAL, Back, Choice
from crm.terminal.drawing import tables
from crm.terminal.drawing.screen import clean
from crm.terminal.toolkit import letters
from crm.terminal.toolkit.pages import flow, flow_of, load_pages
from crm.terminal.toolkit.session import Session

# The rows of a page where lines are typed, and on a screen those that have a digit for their key.
PAGE = 9
# So many of a list's own keys are named before those that turn the page.
_FIRST = 2
# Beside the rows stand their heads, a blank line and the keys; in a window that is too low for more, so many rows. Rows
# of two lines have no heads, but which they are may take a line of its own.
_AROUND, _AROUND_NARROW, _LEAST = 4, 2, 3
# In fewer columns a row takes two lines.
_NARROW = 60
# So many rows are looked at for one that begins with a letter.
_MOST_SEARCHED = 500


# The keys that bring the first row into an empty list, and what each does; the first does what the page says.
_ADDING = ((letters.NEW, ""), (letters.LOG, "logs one"), (letters.FETCH, "fetches e-mail"))

# Filters that say whose rows are listed: with these alone an empty list is no search without a result.
_WHOSE = frozenset(("client", "mine"))
# The pages, by the words of their commands; and those that a client's own account has instead.
_OF_COMMAND: "dict[str, type[ListPage]]" = {}
_OWN: "dict[str, type[ListPage]]" = {}


class ListPage:
    """The page of a list command: paged, sorted and filtered by the parameters of the command. Subclasses say which
    command it is and what opening a row does."""

    title: str
    # What the rows are called where the title does not say it.
    plural = ""
    # What the page is for; an empty list says it.
    purpose = ""
    columns: Sequence[tables.Column]
    # The name of the record that a row holds, where it is no record itself.
    holds = ""
    # Whether each row begins with a name, so that a capital letter goes to the next row that begins with it.
    is_by_name = False
    # The titles of the columns that are not shown here.
    hides: tuple[str, ...] = ()
    sorts: Mapping[str, str] = {}
    # The commands about a record that have a key here, too: it acts on the row that is pointed at.
    lettered: Mapping[str, letters.Letter] = {}
    downwards = frozenset(("total_spend", "sales_count", "last_sale_on", "created_at", "amount"))
    # The words of the command, and those of its parameters that filter it, with their titles, in the order of a menu.
    command: str
    filter_by: Mapping[str, str] = {}
    # The filter for rows that are not listed without it, and the word for them; '' where all are listed.
    left_out = ("", "")
    # Of each of these filters at most one is set.
    rivals: Sequence[frozenset[str]] = ()
    # What stays where everything is shown again, and how that is called.
    lasting: frozenset[str] = frozenset()
    show_all = "Show all again"
    # What the key for a new row does, in an empty list.
    adds = "adds one"

    def __init_subclass__(cls) -> None:
        if "command" in cls.__dict__:
            _OF_COMMAND[cls.command] = cls

    def __init__(self, session: Session, **filters: Any) -> None:
        """`filters` are those that are set from the beginning, by the names of the parameters; empty ones are not."""
        self.session = session
        self.filters = {name: value for name, value in filters.items() if value}
        self.offset = 0
        self.sort = ""
        # What the command has returned.
        self.result: Any = None
        # Whether that was all there is.
        self._is_whole = False
        # The rows that are on the screen, and which of them is pointed at.
        self.drawn: Sequence[Any] = ()
        self.at = 0
        self._layout = tables.Layout()

    def rows(self, limit: int, offset: int) -> Sequence[Any]:
        """The rows of a page; a command that pages nothing is asked for all of them."""
        command = named(self.command)
        paging = {"sort": self.sort, "limit": limit, "offset": offset}
        arguments = {name: value for name, value in paging.items() if name in command.parameters}
        self.result = command(self.session.crm, **arguments, **self.filters)
        self._is_whole = "limit" not in arguments
        return self.listed()[offset : offset + limit] if self._is_whole else self.listed()

    def listed(self) -> Sequence[Any]:
        """The rows in what the command has returned."""
        rows: Sequence[Any] = self.result
        return rows

    def count(self) -> int | None:
        """The count of all of them; None where that is not known, as the command gives one page after the other."""
        return len(self.listed()) if self._is_whole else None

    def crumbs(self) -> Sequence[str]:
        """The breadcrumbs above the list."""
        return [self.title]

    def about(self) -> str:
        """The purpose of the page."""
        return named(self.command).summary if hasattr(self, "command") else ""

    def about_rows(self) -> str:
        """The summary of all rows beside the title, such as their sum; '' for none."""
        return ""

    def beginnings(self) -> Sequence[Choice]:
        """The entries of an empty list: other ways to its first rows than the key that adds one."""
        return ()

    def nothing(self, keys: Sequence[Choice]) -> str:
        """The text of an empty list: it names the rows that are left out of it."""
        name, others = self.left_out
        if count := self._left_out_count(name):
            number = self.session.crm.conventions.number(count)
            where = f"press {letters.FILTER.key} and choose {self.filter_by[name]}"
            return f"No {self.plural or self.title.lower()}, {number} {others}: {where}."
        pressed = {key.key for key in keys}
        adds = next((f" {letter.key} {does or self.adds}." for letter, does in _ADDING if letter.key in pressed), "")
        return f"No {self.plural or self.title.lower()} yet.{adds}"

    def _left_out_count(self, name: str) -> int:
        """The number of rows that a filter alone lists; 0 where it is set, or a rival of it."""
        rivals = {name}.union(*(rivals for rivals in self.rivals if name in rivals))
        if not name or rivals & self.filters.keys():
            return 0
        page = type(self)(self.session, **self.filters, **{name: True})
        rows = page.rows(_MOST_SEARCHED, 0)
        count = page.count()
        return len(rows) if count is None else count

    def open(self, row: Any) -> None:
        """Open a row: its page, where it is a record."""
        self.session.open(self.record_of(row))

    def narrowed(self) -> str:
        """The filters of the list, in words."""
        return ", ".join(self.filter_text(name, value) for name, value in self.filters.items())

    def filter_text(self, name: str, value: Any) -> str:
        """A filter in words."""
        parameter = named(self.command).parameters[name]
        if parameter.record:
            return str(value.name)
        label = parameter.label.lower()
        return label if value is True else f"{label} {parameter.value_check.show(value, self.session.crm.conventions)}"

    def sign(self, row: Any) -> str:
        """The sign before a row, of one width for all of them."""
        return ""

    def widen(self) -> bool:
        """Drop all that narrows or sorts the list; whether there was anything."""
        narrowed = bool(self._dropped() or self.sort)
        self._show_all()
        self.sort = ""
        return narrowed

    def card(self, row: Any) -> Sequence[tuple[str, str]]:
        """The card of a row that a wide window shows beside the list while it is pointed at; without one, () for all
        rows."""
        return ()

    def client_of(self, row: Any) -> Client | None:
        """The client that a row stands for, which further actions are about; None where it stands for none."""
        return None

    def keys(self) -> Sequence[Choice]:
        """Further keys of this list; their values are actions."""
        return ()

    def further(self) -> Sequence[Choice]:
        """Entries of this list under More, beside those of its section."""
        return ()

    def jumps_by(self) -> Callable[[Any], str] | None:
        """The sort key of the rows, where a capital letter jumps to the first that begins with it."""
        return None

    def preview(self, width: int, most: int) -> tuple[str, Sequence[tables.Line]]:
        """The heads and the first rows, as they are beside a menu that leads here."""
        by = self.session.conventions
        rows = self.rows(most, 0)
        # A record has its number on its page, and the client of all rows is named where one came from.
        left_out = (tables.NUMBER, *(["Client"] if "client" in self.filters else []))
        columns = [tables.giving_way(column) for column in self._seen() if column.title not in left_out]
        return tables.lines(self.session.screen, columns, rows, by, width) if rows else ("", [])

    def show(self) -> None:
        """Show the list until the person goes back."""
        while True:
            try:
                with self.session.screen.at_once(), self.session.crm.at_one_moment():
                    head, entries, keys, silent = self._draw()
            except (FieldError, RuleError) as error:
                # A sort, a filter or a view that came in from outside cannot be read: shown without it.
                self.session.fail(error)
                if not self.widen():
                    return
                self.offset = 0
                continue
            try:
                # Where there is nothing, there is still the way back to point at.
                back = "" if entries and silent else "Back"
                chosen = self.session.choose(
                    head,
                    entries,
                    back=back,
                    keys=keys,
                    quiet=self._row_keys(),
                    silent=silent,
                    at=_Open(self.at),
                    about=self.about(),
                )
            except (Back, Cancelled):
                return
            pointed = self.session.keyboard.pointed
            self.at = pointed.place if isinstance(pointed, _Open) else 0
            self.session.attempt(chosen)

    def _draw(self) -> tuple[str, Sequence[Choice], Sequence[Choice], Sequence[Choice]]:
        """Draw what is above the rows; their heads, the rows as choices, further keys, and arrows."""
        screen = self.session.screen
        size = self._size()
        rows = self.rows(size + 1, self.offset)
        if not rows and self.offset:
            # What was there is gone by now.
            self.offset = self._last(size)
            rows = self.rows(size + 1, self.offset)
        self.drawn = rows[:size]
        self.at = max(0, min(self.at, len(self.drawn) - 1))
        position = self._position(self.drawn, len(rows) > size)
        keys = self._keys(len(rows) > size, size)
        self.session.page(*self.crumbs(), about=position, foot=True)
        is_filtered = bool(set(self._dropped()) - _WHOSE)
        if not rows:
            screen.print("No matches." if is_filtered else self.nothing(keys))
            if not (is_filtered or screen.plain):
                screen.print()
                screen.explain(self.purpose or self.about(), "muted")
                screen.print()
        head, lines = self._lines(self.drawn)
        if head and not screen.plain:
            screen.print(Text(f" {head}", "muted"))
            head = ""
        has_card = screen.side and self._has_card()
        entries = [
            Choice(
                line,
                _Open(place, self, row),
                keyed=place < PAGE,
                pieces=pieces,
                card=cache(partial(self.card, row)) if has_card else None,
            )
            for place, ((line, pieces), row) in enumerate(zip(lines, self.drawn, strict=True))
        ]
        if not rows and not set(self._dropped()) - _WHOSE and not self._left_out_count(self.left_out[0]):
            entries = list(self.beginnings())
        elif not rows and is_filtered:
            entries = [Choice(self.show_all, self._show_all)]
        if screen.plain or not rows:
            return head, entries, keys, []
        return head, entries, [Choice("Back", BACK, "0"), *keys], self._arrows(len(rows) > size, size)

    def _size(self) -> int:
        """The number of rows that there is room for."""
        screen = self.session.screen
        if screen.plain:
            return PAGE
        room = screen.height - self.session.lines_above()
        return max(_LEAST, (room - _AROUND_NARROW) // 2 if self._is_narrow() else room - _AROUND)

    def _seen(self) -> Sequence[tables.Column]:
        return [column for column in self.columns if column.title not in self.hides]

    def _has_card(self) -> bool:
        return type(self).card is not ListPage.card

    def _is_narrow(self) -> bool:
        return not self.session.screen.plain and self.session.screen.width < _NARROW

    # Scrolling

    def _arrows(self, more: bool, size: int) -> list[Choice]:
        """The keys that scroll: a row or a page on, to either end, and to a letter."""

        def go(offset: int, place: int) -> None:
            self.offset, self.at = max(0, offset), place

        def end() -> None:
            go(self._last(size), size)

        keys = [
            Choice(
                "page down", lambda: go(self.offset + size if more else self.offset, 0 if more else size), "pagedown"
            ),
            Choice("page up", lambda: go(self.offset - size, 0), "pageup"),
            Choice("first row", lambda: go(0, 0), "home"),
            Choice("last row", end, "end"),
        ]
        if more or self.offset:
            below = (lambda: go(self.offset + 1, size)) if more else (lambda: go(0, 0))
            above = (lambda: go(self.offset - 1, 0)) if self.offset else end
            keys += [Choice("", below, BEYOND_LAST), Choice("", above, BEYOND_FIRST)]
        if (word := self.jumps_by()) is not None:
            keys.append(Choice("to that name", lambda letter: self._jump(letter, word, size), CAPITAL))
        elif self.is_by_name and self.drawn:
            keys.append(Choice("to the next row that begins with it", lambda letter: self._find(letter, size), CAPITAL))
        return keys

    def _find(self, letter: str, size: int) -> None:
        """Point at the next row that begins with a letter, from the first again after the last."""
        begins, by, name = letter.casefold(), self.session.conventions, self._seen()[0]
        rows = self.rows(_MOST_SEARCHED, 0)
        here = self.offset + self.at
        for place in [*range(here + 1, len(rows)), *range(min(here + 1, len(rows)))]:
            if name.text(rows[place], by).plain.strip()[:1].casefold() == begins:
                if not self.offset <= place < self.offset + size:
                    self.offset = min(place, self._last(size))
                self.at = place - self.offset
                return
        self.session.say(f"Nothing here begins with {letter}.", "muted")

    def _jump(self, letter: str, word: Callable[[Any], str], size: int) -> None:
        """Point at the first row that begins with a letter, or at what comes after where none does."""
        begins = letter.casefold()

        def is_before(offset: int) -> bool:
            row = self.rows(1, offset)
            return bool(row) and word(row[0])[:1] < begins

        at = _first(lambda offset: not is_before(offset))
        last = self._last(size)
        self.offset = min(at, last)
        self.at = at - self.offset

    def _last(self, size: int) -> int:
        """The offset of the last page."""
        count = self.count()
        if count is None:
            count = _first(lambda offset: not self.rows(1, offset))
        return max(0, count - size)

    # Filters

    def filter_key(self) -> Choice:
        """The key that filters the list."""
        return letters.FILTER(self._choose_filter)

    def mine_key(self) -> Choice:
        """The key that turns from everyone's to mine, and back."""
        return (letters.EVERYONES if "mine" in self.filters else letters.MINE)(self._turn)

    def filter(self, name: str, value: Any) -> None:
        """Set a filter in the place of its rivals, or drop it where the value is empty."""
        dropped = {name}.union(*(rival for rival in self.rivals if name in rival and value))
        self.filters = {filter_: kept for filter_, kept in self.filters.items() if filter_ not in dropped}
        if value not in (None, ""):
            self.filters[name] = value
        self.offset = 0

    def _choose_filter(self) -> None:
        entries = [Choice(label, name) for name, label in self.filter_by.items()]
        if self._dropped():
            entries.append(Choice(self.show_all, ""))
        self.session.page(*self.crumbs(), letters.FILTER.word)
        name = self.session.keyboard.choose("Filter by:", entries)
        if not name:
            self._show_all()
            return
        parameter = named(self.command).parameters[name]
        try:
            self.filter(name, isinstance(parameter.check, Flag) or self.session.prompts.ask(parameter))
        except Cancelled as left:
            # A filter that is not chosen is nothing that was not saved.
            raise Back from left

    def _turn(self) -> None:
        was_mine = self.filters.pop("mine", False)
        self.filter("mine", not was_mine or None)

    def _dropped(self) -> list[str]:
        """The filters that are set, without those that last."""
        return [name for name in self.filters if name not in self.lasting]

    def _show_all(self) -> None:
        self.filters = {name: value for name, value in self.filters.items() if name in self.lasting}
        self.offset = 0

    # Drawing

    def _position(self, rows: Sequence[Any], more: bool) -> str:
        by = self.session.crm.conventions
        # At the end of a list its length is known.
        known = self.count()
        count = self.offset + len(rows) if known is None and not more else known
        pieces = []
        if rows:
            span = f"{by.number(self.offset + 1)}-{by.number(self.offset + len(rows))}"
            pieces.append(f"{span} of {by.number(count)}" if count is not None else span)
        if self.narrowed():
            pieces.append(clean(self.narrowed()))
        if about := self.about_rows():
            pieces.append(about)
        if self.sort:
            label = next(
                (label for label, name in self.sorts.items() if name == self.sort.removeprefix("-")), self.sort
            )
            pieces.append(f"by {label.lower()}{', largest first' if self.sort.startswith('-') else ''}")
        elif rows and self.jumps_by() and not self._is_narrow():
            pieces.append("by last name")
        return " · ".join(pieces)

    def _lines(self, rows: Sequence[Any]) -> tuple[str, list[tables.Line]]:
        """The heads and the rows as they are beside their keys. A record's own number is on its page alone: beside a
        key it would be taken for one."""
        screen = self.session.screen
        if not rows:
            return "", []
        signs = [self.sign(row) for row in rows]
        before = (3 if screen.plain else 6) + len(signs[0])
        by = self.session.conventions
        columns = [column for column in self._seen() if column.title != tables.NUMBER]
        width = screen.width - before - 1 - (screen.side if self._has_card() else 0)
        if self._is_narrow():
            head, lines = "", tables.two_lines(screen, columns, rows, by, width)
        else:
            if not self.offset:
                self._layout = tables.Layout()
            head, lines = tables.lines(screen, columns, rows, by, width, self._layout)
        # prompt_toolkit puts a blank before a question of its own, and so does the line above the rows.
        head = " " * (before - (0 if screen.plain else 1)) + head if head else ""
        return head, [
            (sign + line, [("accent", sign), *pieces] if sign else pieces)
            for sign, (line, pieces) in zip(signs, lines, strict=True)
        ]

    def _keys(self, more: bool, size: int) -> list[Choice]:
        def turn(to: int) -> Callable[[], None]:
            def turned() -> None:
                self.offset, self.at = max(0, to), 0

            return turned

        own = list(self.keys())
        turning = [letters.NEXT_PAGE(turn(self.offset + size))] if more else []
        turning += [letters.PREVIOUS_PAGE(turn(self.offset - size))] if self.offset else []
        keys = [*own[:_FIRST], *([letters.SORT(self._choose_sort)] if self.sorts else [])]
        # Where few keys are named, that there are more rows comes first.
        keys = [*turning, *keys] if self._is_narrow() else [*keys, *turning]
        keys += (
            self.session.more(self.command, self._client_pointed_at, self.further) if hasattr(self, "command") else []
        )
        return [*keys, *own[_FIRST:]]

    def starts(self, words: str) -> Callable[[], None]:
        """The action that leads through a command, for the client that the list is narrowed to."""
        client = self.filters.get("client")
        return lambda: self.session.start(named(words), **({"client": client} if client else {}))

    def record_of(self, row: Any) -> Record:
        """The record that a row is about."""
        record: Record = getattr(row, self.holds) if self.holds else row
        return record

    def _row_keys(self) -> list[Choice]:
        if not self.drawn or self.session.screen.plain:
            return []
        return [
            letter(partial(self._start_with_row, named(words)))
            for words, letter in self.lettered.items()
            if self.session.offers(named(words))
        ]

    def _start_with_row(self, command: Command) -> None:
        """Lead through a command about the row that is pointed at."""
        record = self.record_of(self.drawn[self.at])
        subject = command.parameter_of(type(record))
        self.session.start(command, **{subject.name: [record] if subject.many else record})

    def _client_pointed_at(self) -> Client | None:
        return self.client_of(self.drawn[self.at]) if self.drawn else None

    def _choose_sort(self) -> None:
        entries = [Choice(label, name) for label, name in self.sorts.items()]
        self.session.page(*self.crumbs(), letters.SORT.word)
        chosen = self.session.keyboard.choose(
            "Sort by (choose again to reverse):", entries, at=self.sort.removeprefix("-")
        )
        # Of amounts and days one wants the largest first.
        first, second = (f"-{chosen}", chosen) if chosen in self.downwards else (chosen, f"-{chosen}")
        self.sort = second if self.sort == first else first
        self.offset = 0


@dataclass(frozen=True, slots=True)
class _Open:
    """The action that opens the row at a place of a page."""

    place: int
    page: ListPage | None = field(default=None, compare=False)
    row: Any = field(default=None, compare=False)

    def __call__(self) -> Any:
        return self.page.open(self.row) if self.page is not None else None


def _first(holds: Callable[[int], bool]) -> int:
    """The first offset for which something holds that holds for all that come after it."""
    step = 1
    while not holds(step - 1):
        step *= 2
    low, high = step // 2, step - 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return high


# The records of a list, by limit and offset.
Listed = Callable[[int, int], Sequence[AnyRecord]]


class Neighbours(Generic[AnyRecord]):
    """The record that is shown, and its place in a list that may change meanwhile; without a list it is alone."""

    def __init__(
        self, session: Session, record: AnyRecord, listed: Listed[AnyRecord] | None = None, at: int = 0
    ) -> None:
        self.session = session
        self.record = record
        self._listed = listed
        self._at = at

    def choices(self) -> list[Choice]:
        """The keys that lead on; their values are actions."""
        if self._listed is None:
            return []
        return [
            letters.NEXT(lambda: self.step(1), self.record.noun),
            letters.PREVIOUS(lambda: self.step(-1), self.record.noun),
        ]

    def step(self, by: int) -> None:
        """Go on to the next record (1) or back to the one before (-1); say so where there is none."""
        if self._listed is None:
            return
        first = max(0, self._at - 1)
        around = [record.id for record in self._listed(3, first)]
        # Where it has left the list, the one after it has moved up.
        stays = self.record.id in around
        place = first + around.index(self.record.id) + by if stays else self._at + min(by, 0)
        records = self._listed(1, place) if place >= 0 else []
        if records:
            self._at, self.record = place, records[0]
        else:
            self.session.say(f"This is the {'last' if by > 0 else 'first'} {self.record.noun} in the list.", "muted")


_List = TypeVar("_List", bound=type[ListPage])


def open_list(session: Session, words: str, **filters: Any) -> None:
    """Open the list of a command, so that a page opens one without importing it; a client's own account has lists of
    its own. Raises Back."""
    load_pages(subject_of(named(words).function.__module__))
    own = _OWN.get(words) if session.crm.reader.role == CLIENT else None
    (own or _OF_COMMAND[words])(session, **filters).show()


def own_list(list_type: _List) -> _List:
    """Register a list as the one that a client's own account has of what the list's command lists."""
    _OWN[list_type.command] = list_type
    return list_type


def list_of(command: Command) -> type[ListPage] | None:
    """The page on which a command lists what it is called for without any choice; None where it has none."""
    asks = any(parameter.required for parameter in command.parameters.values())
    return None if asks or flow_of(command) is None else _OF_COMMAND.get(command.words)


def list_page(list_type: _List) -> _List:
    """Register a list as the way in which the menu leads through its command; the parameters that are set already
    filter it."""

    def show(session: Session, **filters: Any) -> None:
        list_type(session, **filters).show()

    show.__module__ = list_type.__module__
    flow(list_type.command)(show)
    return list_type

"""Lists whose rows can be marked, so that one thing is done with several of them at once."""

import dataclasses
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from crm.commands.client_selection import pluralize
from crm.commands.registry import Command, named
from crm.errors import NotFoundError
from crm.model import Record
from crm.terminal.console.keyboard import Choice
from crm.terminal.toolkit import letters
from crm.terminal.toolkit.lists import ListPage
from crm.terminal.toolkit.session import Session


class MarkingPage(ListPage):
    """A list with marks: space marks the row that is pointed at, and keys act on all marked ones. Subclasses say which
    keys these are, and what can be done with a group."""

    # The kind of the rows, and what one and several are called.
    kind: type[Record]
    nouns: tuple[str, str]
    # What the keys do with the marked rows, by the words of the command.
    of_marked: Mapping[str, letters.Letter] = {}

    def __init__(self, session: Session, **filters: Any) -> None:
        super().__init__(session, **filters)
        self.marked: dict[int, Record] = {}
        self.marking = False
        self.counted = 0

    def act_on_all(self) -> None:
        """Ask what is done with everything that the list shows, on all of its pages, and do it. Raises Back."""
        raise NotImplementedError

    def act_on_marked(self) -> None:
        """Ask what is done with the marked rows, and do it. Raises Back."""
        raise NotImplementedError

    def start_with(self, command: Command, records: Sequence[Any]) -> None:
        """Lead through a command about these records. Raises Back."""
        raise NotImplementedError

    def open(self, row: Any) -> None:
        if self.marking:
            self.turn_mark(row)
        else:
            super().open(row)

    def filter(self, name: str, value: Any) -> None:
        # What was marked in it is not carried over unseen.
        super().filter(name, value)
        self.marked = {}

    def widen(self) -> bool:
        self.marked = {}
        return super().widen()

    def sign(self, row: Any) -> str:
        if not (self.marking or self.marked):
            return ""
        return "* " if self.record_of(row).id in self.marked else "  "

    def marks_in_words(self) -> list[str]:
        """The count of marked rows, and where lines are typed how one marks, for the line above the list."""
        parts = [f"{len(self.marked)} marked"] if self.marked else []
        return [*parts, *(["press a number to mark"] if self.marking else [])]

    def unmark(self) -> None:
        """Take all marks away."""
        self.marked, self.marking = {}, False

    def counted_words(self, count: int) -> str:
        """A number of rows, in words."""
        return pluralize(count, *self.nouns, self.session.crm.conventions)

    def mark_keys(self) -> Sequence[Choice]:
        """The keys that mark and that act on the group; none where there is nothing."""
        if not (self.counted or self.marked):
            return []
        number = self.session.conventions.number
        which = f"({number(len(self.marked))} marked)" if self.marked else f"({number(self.counted)})"
        mark = (letters.STOP_MARKING if self.marking else letters.MARK)(self._mark)
        group = letters.GROUP(self.act_on_group, which)
        return [mark, group] if self.marking else [group, mark]

    def marked_keys(self) -> Sequence[Choice]:
        """The keys that act on the marked rows; none where none is marked."""
        return [
            letter(partial(self._start_with_marked, named(words)))
            for words, letter in self.of_marked.items()
            if self.marked and self.session.offers(named(words))
        ]

    def further(self) -> Sequence[Choice]:
        if not (self.counted or self.marked):
            return []
        how = "" if self.session.screen.plain else f" ({letters.name_of(letters.MARK.key)} marks a row)"
        return [Choice(f"{letters.GROUP.word}{how}", self.act_on_group)]

    def _keys(self, more: bool, size: int) -> list[Choice]:
        # With some marked, what can be done with them comes first.
        first = [letter.key for letter in self.of_marked.values()] if self.marked else []
        keys = super()._keys(more, size)
        return sorted(keys, key=lambda key: first.index(key.key) if key.key in first else len(first))

    def _row_keys(self) -> list[Choice]:
        if not self.marked:
            return super()._row_keys()
        of_marked = [letter.key for letter in self.of_marked.values()]
        return [
            dataclasses.replace(key, value=self.refuse_marked)
            for key in super()._row_keys()
            if key.key not in of_marked
        ]

    def refuse_marked(self) -> None:
        """Say that a key is about one row alone, while several may be meant."""
        one, several = self.nouns
        count = pluralize(len(self.marked), f"{one} is", f"{several} are", self.session.crm.conventions)
        self.session.say(f"{count} marked, and this key works on one. Open the {one}, or unmark with space.", "muted")

    def still_marked(self) -> tuple[Any, ...]:
        """The marked records as they are now. Raises NotFoundError where all of them are gone."""
        with self.session.crm.read() as snapshot:
            records = {number: snapshot.find(self.kind, number) for number in self.marked}
        self.marked = {number: record for number, record in records.items() if record is not None}
        if not self.marked:
            raise NotFoundError(f"The {self.nouns[1]} you marked no longer exist.")
        return tuple(self.marked.values())

    def _start_with_marked(self, command: Command) -> None:
        """Lead through a command about the marked rows; afterwards none is marked."""
        self.start_with(command, self.still_marked())
        self.marked, self.offset = {}, 0

    def _mark(self) -> None:
        """Mark the row that is pointed at, or take its mark away, and go on to the next; where nothing is pointed
        at, the numbers mark until they open again."""
        if self.session.screen.plain:
            self.marking = not self.marking
        elif self.drawn:
            self.turn_mark(self.drawn[self.at])
            if self.at + 1 < len(self.drawn):
                self.at += 1
            elif self.offset + len(self.drawn) < self.counted:
                self.offset += 1

    def turn_mark(self, row: Any) -> None:
        """Mark a row, or take its mark away."""
        record = self.record_of(row)
        if self.marked.pop(record.id, None) is None:
            self.marked[record.id] = record

    def act_on_group(self) -> None:
        """Do something with the rows that are marked; where none are, with all that the list shows if that is meant."""
        if not self.marked and not self._all_are_meant():
            if self.session.screen.plain:
                self.marking = True
            else:
                self.session.say("Space marks the selected row and moves to the next.", "muted")
            return
        self.session.page(*self.crumbs(), letters.GROUP.word)
        if self.marked:
            self.act_on_marked()
        else:
            self.act_on_all()
        self.unmark()
        self.offset = 0

    def _all_are_meant(self) -> bool:
        everything = Choice(f"All {self.counted_words(self.counted)} in the list", True)
        self.session.page(*self.crumbs(), letters.GROUP.word)
        question = f"No {self.nouns[0]} is marked."
        return bool(self.session.keyboard.choose(question, [Choice("Mark some of them", False), everything]))

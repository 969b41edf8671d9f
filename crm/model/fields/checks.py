"""The interface of a check, and the checks of plain text, choices, numbers and lists."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any, ClassVar

from crm.errors import FieldError
from crm.lazy_pattern import lazy_pattern
from crm.lean_dataclass import dataclass
from crm.model.conventions import Conventions
from crm.model.local_labels import local_label

# Controls, line separators and the marks that reorder text on screen; the plain left-to-right and
# right-to-left marks are part of names in Arabic and Hebrew and stay.
_FORBIDDEN = lazy_pattern("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]")
_SPACES = lazy_pattern(r"\s+")
_WORD = lazy_pattern(r"\w+")
_CONTROL_NAMES = {"\x00": "NUL", "\x07": "bell", "\x08": "backspace", "\x1b": "escape", "\x7f": "delete"}


def forbidden_character(text: str) -> str:
    """The first character in `text` that must not be stored, in words; '' when there is none."""
    # Most texts have line breaks at most, and are not searched.
    match = None if text.replace("\n", " ").isprintable() else _FORBIDDEN.search(text)
    if match is None:
        return ""
    character = match.group()
    name = _CONTROL_NAMES.get(character, f"U+{ord(character):04X}")
    return f"an invisible control character ({name}) at position {match.start() + 1}"


_BREAKS = lazy_pattern("[\v\f\x85\u2028\u2029]")
_UNSEEN = lazy_pattern("\u200b|(?!\n)" + _FORBIDDEN.pattern)


def visible(text: str) -> str:
    """A text from elsewhere without the signs that must not be stored: other line breaks are \\n, the rest is left
    out."""
    if text.isprintable():
        return text
    return _UNSEEN.sub("", _BREAKS.sub("\n", text.replace("\r\n", "\n").replace("\r", "\n")))


def _acceptable(text: str, longest: int) -> str:
    """The text, if it may be stored. Raises FieldError for what is hidden in it or too much of it."""
    if forbidden := forbidden_character(text):
        raise FieldError(f"there is {forbidden}; leave it out")
    if len(text) > longest:
        raise FieldError(f"at most {longest} characters, this has {len(text)}")
    return text


class Check:
    """The check of one kind of field. Subclasses say how a value is read and shown."""

    empty: ClassVar[Any] = ""
    example: ClassVar[str] = ""
    # A value that cannot be read is still worth keeping as it was typed when it comes from a file.
    keeps_unreadable: ClassVar[bool] = False
    # What completes a value on a command line, as `crm.shell.words` calls it.
    completed_by: ClassVar[str] = ""

    @property
    def choices(self) -> Sequence[str]:
        """The values there are, where they are few and known to the program."""
        return ()

    def read(self, typed: str, by: Conventions) -> Any:
        """The value of what was typed. Raises FieldError."""
        raise NotImplementedError

    def read_all(self, texts: Sequence[str], by: Conventions) -> Sequence[Any] | None:
        """The values of many texts, '' of a blank one; None where one of them has to be looked at by itself."""
        return None

    def show(self, value: Any, by: Conventions) -> str:
        """The value for people to read."""
        return str(value) if value is not None else ""

    def edit(self, value: Any, by: Conventions) -> str:
        """The value as text that `read` takes back unchanged."""
        return self.show(value, by)

    def hint(self, by: Conventions) -> str:
        """An example of what may be typed, as this team writes it; '' for none."""
        return self.example

    def entered(self, typed: str, by: Conventions) -> Any:
        """The value of what a person has typed for a record: parsed, or kept as typed where that may still be right.
        Raises FieldError."""
        return self.read(typed, by)

    def doubt(self, value: Any, by: Conventions) -> str:
        """The doubt about a stored value, as a sentence; '' when nothing is."""
        return ""


@dataclass(frozen=True)
class Line(Check):
    """One line of text; blanks at the ends and runs of blanks are tidied. Of a field that many records have in common
    (`shared`), a command line completes the values there are."""

    longest: int = 200
    shared: bool = field(default=False, kw_only=True)

    def read(self, typed: str, by: Conventions) -> str:
        if typed.isprintable() and len(typed) <= self.longest and "  " not in typed:
            return typed.strip()
        return _acceptable(_SPACES.sub(" ", typed).strip(), self.longest)

    def read_all(self, texts: Sequence[str], by: Conventions) -> Sequence[str] | None:
        whole = "|".join(texts)
        is_plain = whole.isprintable() and "  " not in whole and max(map(len, texts), default=0) <= self.longest
        # Subclasses read in ways of their own.
        return list(map(str.strip, texts)) if is_plain and type(self) is Line else None


@dataclass(frozen=True)
class NameOf(Line):
    """The name of a record that exists: a command line completes it. `record` is its kind."""

    record: str = ""


@dataclass(frozen=True)
class Prose(Check):
    """Text of any number of lines."""

    longest: int = 20_000

    def read(self, typed: str, by: Conventions) -> str:
        return _acceptable(typed.replace("\r\n", "\n").replace("\r", "\n").strip(), self.longest)


class Secret(Check):
    """Text that is taken as it is and shown to nobody."""

    def read(self, typed: str, by: Conventions) -> str:
        return typed

    def show(self, value: Any, by: Conventions) -> str:
        return "(set)" if value else ""


@dataclass(frozen=True)
class Choice(Check):
    """One of a few words; `options` maps each value to what people read."""

    options: Mapping[str, str]

    @property
    def choices(self) -> Sequence[str]:
        return tuple(self.options)

    def words(self, by: Conventions) -> Mapping[str, str]:
        """The words for each value, as they are said in the team's country."""
        return {value: local_label(words, by.country) for value, words in self.options.items()}

    def read(self, typed: str, by: Conventions) -> str:
        text = typed.strip().lower()
        if not text:
            return ""
        for value, words in self.options.items():
            if text in (value.lower(), words.lower(), local_label(words, by.country).lower()):
                return value
        # Not loaded to read.
        from difflib import get_close_matches

        readable = {words.lower(): value for value, words in self.options.items()}
        by_word = [value for words, value in readable.items() if text in _WORD.findall(words)]
        names = {**readable, **{value.lower(): value for value in self.options}}
        close = by_word if len(by_word) == 1 else [names[name] for name in get_close_matches(text, names, n=1)]
        if close:
            raise FieldError(f"that is not one of the choices; did you mean {close[0]}?")
        raise FieldError(f"that is not one of the choices; use {', '.join(self.options)}")

    def show(self, value: Any, by: Conventions) -> str:
        return local_label(self.options.get(value, value), by.country)

    def edit(self, value: Any, by: Conventions) -> str:
        return str(value)

    def __hash__(self) -> int:
        return hash(tuple(self.options))


class Flag(Check):
    """Yes or no."""

    empty = False
    example = "yes or no"

    def read(self, typed: str, by: Conventions) -> bool:
        text = typed.strip().lower()
        if text in ("yes", "y", "true", "1", "on", "x", "opted in", "subscribed"):
            return True
        if text in ("", "no", "n", "false", "0", "off", "opted out", "unsubscribed"):
            return False
        raise FieldError("answer yes or no")

    def show(self, value: Any, by: Conventions) -> str:
        return "yes" if value else "no"


class Tags(Check):
    """Any number of tags, lower case, separated by commas; each at most 40 characters."""

    empty = ()
    example = "gold, newsletter"

    def read(self, typed: str, by: Conventions) -> tuple[str, ...]:
        tags = {Line(40).read(part.lower(), by): None for part in re.split(r"[,;\n]", typed)}
        tags.pop("", None)
        if len(tags) > 50:
            raise FieldError("there are more than 50 tags; leave some out")
        return tuple(tags)

    def show(self, value: Any, by: Conventions) -> str:
        return ", ".join(value)


@dataclass(frozen=True)
class Whole(Check):
    """A whole number within bounds."""

    least: int = 0
    most: int = 2**31 - 1

    empty = 0

    def read(self, typed: str, by: Conventions) -> int:
        text = typed.strip().lstrip("#")
        if not (text.isascii() and text.isdigit()):
            if text.isascii() and text.startswith("-") and text[1:].isdigit():
                raise FieldError(f"it cannot be below {self.least}")
            raise FieldError("that is not a whole number; write it in digits")
        if len(text) > 12 or not self.least <= int(text) <= self.most:
            raise FieldError(f"that is out of range; give a whole number from {self.least} to {self.most}")
        return int(text)


@dataclass(frozen=True)
class Id(Check):
    """The number of another record, whose `kind_name` is `record`; 0 for none. A record cannot be without one that
    `owns` it, and goes with it; one that it `keeps` cannot be deleted before it. Where any other is gone its number
    stays, and names nothing any more."""

    record: str
    owns: bool = False
    keeps: bool = False

    empty = 0

    def read(self, typed: str, by: Conventions) -> int:
        return Whole().read(typed, by) if typed.strip() or self.owns else 0


@dataclass(frozen=True)
class Person(Line):
    """Somebody of the team, by name."""

    completed_by: ClassVar[str] = "people"
    longest: int = 100


class Extra(Check):
    """The team's own fields of a record, `name=value` separated by line breaks; values are text."""

    empty: ClassVar[Mapping[str, str]] = {}
    example = "shoe size=42"

    def read(self, typed: str, by: Conventions) -> dict[str, str]:
        fields: dict[str, str] = {}
        for line in filter(None, (part.strip() for part in typed.splitlines())):
            name, equals, value = line.partition("=")
            if not equals or not name.strip():
                raise FieldError("write each of your own fields as name=value")
            fields[Line(60).read(name, by)] = Line(2000).read(value, by)
        return fields

    def show(self, value: Any, by: Conventions) -> str:
        return ", ".join(f"{name}: {text}" for name, text in value.items())

    def edit(self, value: Any, by: Conventions) -> str:
        return "\n".join(f"{name}={text}" for name, text in value.items())

"""Records chosen: by typing, or from a list. How those of a subject are chosen, and the line that stands for one, is
said in the `picking` of the subject."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeVar

from crm.commands.context import CRM
from crm.errors import FieldError
from crm.lean_dataclass import dataclass
from crm.model import Client, Conventions, Record
from crm.repository import Query
from crm.terminal.console.keyboard import Back, Choice, Keyboard, Needed, Suggestion
from crm.terminal.drawing.list_conventions import ListConventions
from crm.terminal.drawing.subject_parts import load
from crm.terminal.toolkit import letters

Found = TypeVar("Found")
_Function = TypeVar("_Function", bound=Callable[..., Any])

_LEAST_TYPED = 2
_LONGEST_NUMBER = 9
_PAGE = 9
_PICKERS: dict[tuple[type[Record], bool], Callable[..., Any]] = {}
_LINES: dict[type[Record], Callable[..., str]] = {}


@dataclass(frozen=True, slots=True)
class RecordQuestion:
    """A question for a record: its label, the `help` beside it ('' for the usual one), whether an answer is `required`,
    and the `current` record, which was chosen before."""

    crm: CRM
    keyboard: Keyboard
    label: str
    help: str = ""
    required: bool = True
    current: Any = None


def picker(kind: type[Record], *, several: bool = False) -> Callable[[_Function], _Function]:
    """Register how a record of a kind is chosen: by a function of a `RecordQuestion`. It returns None where it may be
    left out and is. `several` are chosen by a function of the CRM, the keyboard, the label and the answers so far, by
    their names."""

    def register(function: _Function) -> _Function:
        _PICKERS[kind, several] = function
        return function

    return register


def line_for(kind: type[Record]) -> Callable[[_Function], _Function]:
    """Register the line that stands for a record of a kind: a function of the record, the conventions and the name of
    the client that it belongs to."""

    def register(function: _Function) -> _Function:
        _LINES[kind] = function
        return function

    return register


def pick(
    crm: CRM,
    keyboard: Keyboard,
    kind: type[Record],
    label: str,
    *,
    help: str = "",
    required: bool = True,
    current: Record | None = None,
) -> Any:
    """A record of a kind, chosen; None where it may be left out and is. `current` is the one that was chosen before.
    Raises Back."""
    load(kind, "picking")
    if chosen := _PICKERS.get((kind, False)):
        return chosen(RecordQuestion(crm, keyboard, label, help, required, current))
    by = ListConventions.of(crm.conventions)

    def fetch(limit: int, offset: int) -> Sequence[tuple[str, Any]]:
        with crm.read() as snapshot:
            records = snapshot.find_all(kind, Query(limit=limit, offset=offset))
            clients = {getattr(record, "client", 0) for record in records} - {0}
            owners = snapshot.find_all(Client, Query({"id": sorted(clients)})) if clients else ()
        names = {client.id: client.name for client in owners}
        return [(line_of(record, by, names.get(getattr(record, "client", 0), "")), record) for record in records]

    return pick_listed(keyboard, f"{label}:", fetch, nothing=f"no {kind.nouns} yet", required=required, current=current)


def pick_several(
    crm: CRM, keyboard: Keyboard, kind: type[Record], label: str, beside: Mapping[str, Any] = MappingProxyType({})
) -> Any:
    """Records of a kind, chosen one after another; `beside` are the answers so far, by their names. Raises Back."""
    load(kind, "picking")
    return _PICKERS[kind, True](crm, keyboard, label, beside)


def several_can_be_picked(kind: type[Record]) -> bool:
    """Return whether it was registered how several records of a kind are chosen."""
    load(kind, "picking")
    return (kind, True) in _PICKERS


def line_of(record: Record, by: Conventions, client: str = "") -> str:
    """A record on one line, enough to tell it from others; `client` is the name of the one that it belongs to."""
    load(type(record), "picking")
    if line := _LINES.get(type(record)):
        return line(record, by, client)
    called = getattr(record, record.about.called) if record.about.called else ""
    return joined(str(called or f"{record.noun} {record.id}"), client)


def joined(*parts: str) -> str:
    """Parts of a record, joined on one line."""
    return " · ".join(filter(None, parts))


def is_too_short(typed: str) -> bool:
    """Return whether too little was typed to suggest anything by it."""
    return len(typed.strip()) < _LEAST_TYPED and not typed.strip().isdigit()


def number_in(word: str) -> int | None:
    """The number that a word is, None where it is none that a record can have."""
    return int(word) if word.isascii() and word.isdigit() and len(word) <= _LONGEST_NUMBER else None


def pick_typed(
    asked: RecordQuestion,
    search: Callable[[str], Sequence[Found]],
    suggest: Callable[[str], list[Suggestion]],
    entry: Callable[[Found], Choice],
    question: Callable[[int], str],
    *,
    help: str,
    nothing: str,
    typed: str = "",
) -> Any:
    """Pick a record by typing, `typed` is in the line at first, and `help` is the usual one; None where it may be left
    out and is. Where several are found, so many, a `question` asks which; where none is, `nothing` says so. Raises
    Back."""

    def read(text: str) -> Sequence[Found] | None:
        nonlocal typed
        typed = text
        if not text.strip():
            if asked.required:
                raise Needed
            return None
        if matches := search(text):
            return matches
        raise FieldError(nothing)

    begun, keyboard = False, asked.keyboard
    hint = f"{asked.help or help}{'' if asked.required else '; optional'}"
    while True:
        answer = keyboard.text(asked.label, read, default=typed, help=hint, suggest=suggest, begun=begun, passing=begun)
        begun = True
        if answer is None:
            return None
        if len(answer) == 1:
            return entry(answer[0]).value
        try:
            return keyboard.choose(question(len(answer)), [entry(item) for item in answer])
        except Back:
            continue


def pick_listed(
    keyboard: Keyboard,
    question: str,
    fetch: Callable[[int, int], Sequence[tuple[str, Any]]],
    *,
    nothing: str,
    required: bool = True,
    current: Any = None,
) -> Any:
    """One of a list that is fetched page by page (limit, offset) as (line, value); None where it may be left out and is
    or there is nothing to choose. `current` is the one that was chosen before. Raises Back."""
    offset = 0
    while True:
        rows = fetch(_PAGE + 1, offset)
        if not rows and not offset:
            if not required:
                return None
            raise FieldError(nothing)
        hidden = [letters.NEXT_PAGE(1)] if len(rows) > _PAGE else []
        hidden += [letters.PREVIOUS_PAGE(-1)] if offset else []
        entries = [Choice(line, [value]) for line, value in rows[:_PAGE]]
        entries += [] if required else [Choice("None of them", [None])]
        chosen = keyboard.choose(question, entries, hidden=hidden, hint=letters.line(hidden), at=[current])
        if isinstance(chosen, list):
            return chosen[0]
        offset = max(0, offset + chosen * _PAGE)

"""The words that commands are called with, as they can be written down: `words.json` has them all, so that completion
loads no command. docs/reference.py writes it."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from functools import cache, partial
from pathlib import Path
from typing import Any

from crm.lean_dataclass import dataclass

FILE = Path(__file__).with_name("words.json")
# What completes a value, beside the names of records (`record client`), the values of a field (`field client city`) and
# what a command lists (`listed dashboard tiles`).
SWITCH, CHOICE, CONDITION, PATH, TAGS, PEOPLE, STATUS, GREETING, CURRENCY, UNIT = (
    "switch", "choice", "condition", "path", "tags", "people", "status", "record greeting", "currency", "unit",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class OptionWords:
    """An option: its `names` as click has them, the last the parameter's; of an `argument` only that. `takes` says what
    completes its value, `choices` are the values that no store is needed for."""

    names: Sequence[str]
    help: str
    metavar: str = ""
    argument: bool = False
    several: bool = False
    takes: str = ""
    choices: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class CommandWords:
    """A command: how the shell calls it, its help, and its options."""

    words: str
    help: str
    options: Sequence[OptionWords]

    @property
    def name(self) -> str:
        """The last of its words."""
        return self.words.rpartition(" ")[2]


def written_down(commands: Iterable[CommandWords]) -> str:
    """The content of `words.json`."""
    lines = []
    for words in commands:
        options = ",\n".join(f"  {json.dumps(_short(option), ensure_ascii=False)}" for option in words.options)
        head = f"{json.dumps(words.words)}: [{json.dumps(words.help, ensure_ascii=False)}, ["
        lines.append(f"{head}\n{options}]]" if options else f"{head}]]")
    return "{" + ",\n".join(lines) + "}\n"


def every_command() -> Iterable[str]:
    """The words of all commands."""
    return _known().keys()


def known(word: str) -> Mapping[str, Callable[[], CommandWords]]:
    """The commands that begin with a word, by the words behind it; each is made when it is asked for."""
    begun = [words for words in _known() if words.partition(" ")[0] == word]
    return {words.removeprefix(f"{word} "): partial(_command, words) for words in begun}


def _short(option: OptionWords) -> dict[str, Any]:
    usual = {field.name: field.default for field in fields(OptionWords)}
    return {name: value for name, value in asdict(option).items() if value != usual[name]}


def _command(words: str) -> CommandWords:
    help_text, options = _known()[words]
    return CommandWords(words, help_text, [OptionWords(**option) for option in options])


@cache
def _known() -> Mapping[str, Any]:
    read: Mapping[str, Any] = json.loads(FILE.read_text("utf-8"))
    return read

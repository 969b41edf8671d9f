"""A condition cut into numbers, quoted texts, words and signs, each with its place in the text."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeAlias

from crm.errors import RuleError

MAX_LENGTH = 1000
_LONGEST_SHOWN = 1100
_MOST_DIGITS = 15
_MOST_DECIMALS = 6

TokenKind: TypeAlias = Literal["number", "text", "word", "sign", "end"]

_BLANKS = re.compile(r"\s+")
_NUMBER = re.compile(r"[0-9][\w.]*")
_WRITTEN_NUMBER = re.compile(r"([0-9]+(?:_[0-9]+)*)(?:\.([0-9]+))?")
_TEXT = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*\"""")
_WORD = re.compile(r"[^\W\d]\w*")
_FOREIGN = re.compile(r"=>|=<|===|&&|\|\||\*\*|//")
_SIGN = re.compile(r"<=|>=|<>|!=|==|[-=<>+*/(),]")

_HINTS = {
    "=>": "Write >= for at least.",
    "=<": "Write <= for at most.",
    "===": "Write = for equal.",
    "&&": "Write “and” between conditions that must both be true.",
    "&": "Write “and” between conditions that must both be true.",
    "||": "Write “or” between conditions of which one must be true.",
    "|": "Write “or” between conditions of which one must be true.",
    "!": "Write “not” for the opposite, or != between two values.",
    "**": "Powers do not work here. Use + - * /.",
    "^": "Powers do not work here. Use + - * /.",
    "//": "Write / to divide.",
    "%": "A percent sign does not work here. Write * 0.1 for ten percent.",
    "≥": "Write >= for at least.",
    "≤": "Write <= for at most.",
    "≠": "Write != for not equal.",
    ".": "A name cannot contain a point. Use a point only for decimals, as in 0.5.",
    "[": "Put a list in ( ).",
    "{": "Put a list in ( ).",
} | dict.fromkeys("‘’‚“”„«»`", "Put text in quotes: 'DE' or \"DE\".")  # noqa: RUF001


@dataclass(frozen=True, slots=True)
class Token:
    """One piece of a condition; `value` of a number or text, `word` in lower case for a word."""

    kind: TokenKind
    source: str
    start: int
    value: int | Decimal | str = ""
    word: str = ""

    @property
    def end(self) -> int:
        """The position behind the token."""
        return self.start + len(self.source)


def tokens(text: str) -> Iterator[Token]:
    """Cut `text` into tokens, the last of kind 'end'. Raises RuleError at the first piece that is not one."""
    if len(text) > MAX_LENGTH:
        raise error_at(f"A condition can have at most {MAX_LENGTH} characters.", text, MAX_LENGTH)
    refuse_control_characters(text)
    at = 0
    while at < len(text):
        if blanks := _BLANKS.match(text, at):
            at = blanks.end()
            continue
        token = _token(text, at)
        at = token.end
        yield token
    yield Token("end", "", len(text))


def _token(text: str, at: int) -> Token:
    if match := _NUMBER.match(text, at):
        return _number(text, match.group(), at)
    if match := _WORD.match(text, at):
        source = match.group()
        # Only plain letters have a lower case here: the Kelvin sign is no k.
        return Token("word", source, at, word=source.lower() if source.isascii() else source)
    if text[at] in "'\"":
        return _quoted(text, at)
    if match := _FOREIGN.match(text, at):
        raise error_at(_HINTS[match.group()], text, at)
    if match := _SIGN.match(text, at):
        return Token("sign", match.group(), at)
    sign = text[at]
    raise error_at(_HINTS.get(sign, f"The sign {sign} has no meaning in a rule."), text, at)


def _number(text: str, source: str, at: int) -> Token:
    written = _WRITTEN_NUMBER.fullmatch(source)
    if written is None:
        raise error_at(f"{clipped(source)} is not a number. Write 35000, 35_000 or 0.5.", text, at)
    whole, decimals = written.group(1).replace("_", ""), written.group(2)
    if len(whole.lstrip("0")) > _MOST_DIGITS or len(decimals or "") > _MOST_DECIMALS:
        limits = f"{_MOST_DIGITS} digits before the point and {_MOST_DECIMALS} after it"
        raise error_at(f"A number has at most {limits}.", text, at)
    return Token("number", source, at, int(whole) if decimals is None else Decimal(f"{whole}.{decimals}"))


def _quoted(text: str, at: int) -> Token:
    match = _TEXT.match(text, at)
    quote = text[at]
    if match is None:
        raise error_at(f"The text that begins here has no closing {quote}", text, at)
    source = match.group()
    value = source[1:-1].replace(quote * 2, quote)
    if not value:
        raise error_at("An empty text equals nothing. Write “none”, as in country = none.", text, at)
    return Token("text", source, at, value)


def is_control(character: str) -> bool:
    """Return whether a character steers the terminal or the writing direction instead of being read."""
    # The two joiners belong to written words in some scripts, and to emoji.
    if character in "\u200c\u200d":
        return False
    return unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"}


def refuse_control_characters(text: str) -> None:
    """Raise RuleError at the first control character."""
    for at, character in enumerate(text):
        if is_control(character):
            instead = ". Write a space." if character in "\t\r\n" else "."
            raise error_at(f"A rule cannot contain control characters (U+{ord(character):04X}){instead}", text, at)


def error_at(reason: str, text: str, position: int, names: Sequence[str] = ()) -> RuleError:
    """A RuleError that is safe to print: control characters show as ?, a very long text is left out."""
    excerpt = "" if len(text) > _LONGEST_SHOWN else "".join("?" if is_control(c) else c for c in text)
    return RuleError(reason, text=excerpt, position=position, names=names)


def clipped(source: str) -> str:
    """A piece of a rule, short enough to stand inside a sentence."""
    return source if len(source) <= 40 else f"{source[:37]}..."

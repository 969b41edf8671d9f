"""The reader of a condition's text into its tree; a refusal says where, why, and what to write instead."""

import re
from difflib import get_close_matches
from typing import NoReturn

from crm.errors import RuleError
from crm.rules.grammar import Condition, Literal, Name, Not
from crm.rules.metrics import METRICS, OFTEN_USED
from crm.rules.parts import (
    COMPARISONS,
    MAX_NESTING,
    Checker,
    ConditionPart,
    MissingPart,
    Part,
    ValuePart,
    all_of,
    any_of,
)
from crm.rules.tokens import Token, clipped, error_at, tokens

_KEYWORDS = frozenset({"and", "or", "not", "in", "none", "when", "otherwise"})
_SPACED_NUMBER = re.compile(r"[0-9_]+(?:\s+[0-9]+)+")


def parse_condition(text: str) -> Condition:
    """Read a condition such as `total_spend >= 35000 and country = 'DE'`.

    Raises RuleError with the 0-based position in `text`, and with the names that are used most for an unknown name.
    """
    return _Parser(text).whole()


class _Parser:
    """Recursive descent, one token ahead; parentheses may hold a condition or a value, distinguished by type."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._check = Checker(text)
        self._tokens = tokens(text)
        self._token = next(self._tokens)
        self._previous = self._token
        self._nesting = 0

    def whole(self) -> Condition:
        if self._ended():
            raise self._error("The condition is empty. Write one such as total_spend > 0.", 0)
        part = self._either()
        if not self._ended():
            self._stray()
        return self._check.condition(part)

    def _either(self) -> Part:
        part = self._both()
        if self._token.word != "or":
            return part
        conditions = [self._check.condition(part)]
        while self._token.word == "or":
            self._advance()
            conditions.append(self._check.condition(self._both()))
        return ConditionPart(any_of(conditions), part.start)

    def _both(self) -> Part:
        part = self._opposite()
        if self._token.word != "and":
            return part
        conditions = [self._check.condition(part)]
        while self._token.word == "and":
            self._advance()
            conditions.append(self._check.condition(self._opposite()))
        return ConditionPart(all_of(conditions), part.start)

    def _opposite(self) -> Part:
        if self._token.word != "not":
            return self._comparison()
        start = self._descend().start
        condition = self._check.condition(self._opposite())
        self._nesting -= 1
        return ConditionPart(Not(condition), start)

    def _comparison(self) -> Part:
        first = left = self._sum()
        if self._token.word in {"in", "not"}:
            return self._membership(first)
        links = []
        while self._token.source in COMPARISONS:
            sign = self._advance()
            right = self._sum()
            links.append(self._check.compared(left, sign, right))
            left = right
        return ConditionPart(all_of(links), first.start) if links else first

    def _membership(self, left: Part) -> ConditionPart:
        word = self._advance()
        negated = word.word == "not"
        if negated:
            if self._token.word != "in":
                raise self._error("Write “not” before a comparison or “in”, as in 'gold' not in tags.", word.start)
            self._advance()
        if self._token.source == "(":
            return ConditionPart(self._check.in_list(left, self._list(), negated), left.start)
        if self._token.kind == "word" and self._metric(self._token) == "tags":
            self._advance()
            return ConditionPart(self._check.in_tags(left, negated), left.start)
        example = "as in country in ('DE', 'AT')"
        raise self._error(f"After “in” comes tags, or a list in parentheses, {example}.", self._token.start)

    def _list(self) -> list[str]:
        opening = self._advance()
        texts: list[str] = []
        while True:
            self._must_close(opening)
            if self._token.kind != "text":
                raise self._error("Put each text of a list in quotes, as in ('DE', 'AT').", self._token.start)
            texts.append(str(self._advance().value))
            self._must_close(opening)
            separator = self._advance()
            if separator.source == ")":
                return texts
            if separator.source != ",":
                raise self._error("Separate the texts of a list with commas.", separator.start)

    def _sum(self) -> Part:
        left = self._product()
        while self._token.source in {"+", "-"}:
            left = self._check.calculated(left, self._advance(), self._product())
        return left

    def _product(self) -> Part:
        left = self._signed()
        while self._token.source in {"*", "/"}:
            left = self._check.calculated(left, self._advance(), self._signed())
        return left

    def _signed(self) -> Part:
        if self._token.source != "-":
            return self._single()
        start = self._descend().start
        part = self._check.negated(self._signed(), start)
        self._nesting -= 1
        return part

    def _single(self) -> Part:
        token = self._token
        if token.source == "(":
            return self._group()
        if token.kind == "number" or token.kind == "text":
            self._advance()
            return ValuePart(Literal(token.value), token.kind, token.start)
        if token.word == "none":
            self._advance()
            return MissingPart(token.start)
        if token.word == "otherwise":
            raise self._error("Write “otherwise” right after the status: Regular otherwise.", token.start)
        if token.kind == "word" and token.word not in _KEYWORDS:
            name = self._metric(token)
            self._advance()
            kind = METRICS[name].kind
            return ValuePart(Name(name), "number" if kind == "money" else kind, token.start)
        if self._ended():
            raise self._error("A name, a number or a text is missing at the end.", token.start)
        raise self._error(f"A name, a number or a text is missing before “{clipped(token.source)}”.", token.start)

    def _group(self) -> Part:
        opening = self._descend()
        part = self._either()
        self._must_close(opening)
        if self._token.source != ")":
            self._stray()
        self._advance()
        self._nesting -= 1
        return part

    def _metric(self, token: Token) -> str:
        if token.word in METRICS:
            return token.word
        name = clipped(token.source)
        close = get_close_matches(token.word.lower(), METRICS, n=1)
        advice = f"Did you mean {close[0]}?" if close else f"Put text in quotes: '{name}'."
        raise error_at(f"Unknown name: {name}. {advice}", self._text, token.start, OFTEN_USED)

    def _ended(self) -> bool:
        return self._token.kind == "end"

    def _advance(self) -> Token:
        self._previous, self._token = self._token, next(self._tokens, self._token)
        return self._previous

    def _descend(self) -> Token:
        self._nesting += 1
        if self._nesting > MAX_NESTING:
            raise self._error(f"At most {MAX_NESTING} levels can be nested.", self._token.start)
        return self._advance()

    def _must_close(self, opening: Token) -> None:
        if self._ended():
            raise self._error("This ( has no closing ).", opening.start)

    def _stray(self) -> NoReturn:
        """Refuse the current token, which cannot follow the one before it."""
        token, previous = self._token, self._previous
        if previous.kind == "number" and token.kind == "number":
            spaced = _SPACED_NUMBER.match(self._text, previous.start)
            digits = "".join(spaced.group().split()) if spaced else previous.source
            raise self._error(f"A number cannot contain spaces. Write {clipped(digits)}.", previous.end)
        if previous.kind == "number" and token.source == ",":
            raise self._error("A number cannot contain a comma. Write 35000, 35_000 or 0.5.", token.start)
        if previous.kind == "word" and token.source == "(":
            raise self._error(f"{previous.source} is a name. A rule has no functions.", token.start)
        if token.source == ")":
            raise self._error("This ) has no opening (. Delete it, or add a ( before it.", token.start)
        if token.source in COMPARISONS or token.word in {"not", "in"}:
            raise self._error(f"“{token.source}” cannot follow. Join conditions with “and” or “or”.", token.start)
        if token.kind == "word" and token.word not in _KEYWORDS and token.word not in METRICS:
            self._metric(token)
        source = clipped(token.source)
        raise self._error(f"Before “{source}” a comparison (=, <, >=, in), “and” or “or” is missing.", token.start)

    def _error(self, reason: str, position: int) -> RuleError:
        return error_at(reason, self._text, position)

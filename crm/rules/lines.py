"""A rule as one line, `VIP when total_spend >= 35000` or `Regular otherwise`, split and put together."""

import re

from crm.errors import RuleError
from crm.rules.grammar import Condition
from crm.rules.parser import parse_condition
from crm.rules.tokens import error_at, refuse_control_characters

MAX_STATUS_LENGTH = 40

_WHEN = re.compile(r"(?<!\S)when(?=[\s('\"]|$)\s*", re.IGNORECASE)
_OTHERWISE = re.compile(r"(?<!\S)otherwise(?!\S)\s*", re.IGNORECASE)


def split_rule(text: str) -> tuple[str, str]:
    """Read a whole rule into its status and its condition, which is '' for otherwise.

    The condition is read too, so a line that comes back can be used. Runs of blanks in the status become
    one. Raises RuleError with the 0-based position in `text`.
    """
    refuse_control_characters(text)
    if match := _WHEN.search(text):
        status = _status_in(text, match.start())
        when = text[match.end() :].rstrip()
        _read(when, text, match.end())
        return status, when
    if (match := _OTHERWISE.search(text)) is None:
        example = "VIP when total_spend >= 35000, or Regular otherwise"
        raise error_at(f"A rule says when a client gets the status, like {example}.", text, len(text.rstrip()))
    status = _status_in(text, match.start())
    if match.end() < len(text):
        raise error_at("otherwise comes last. Delete what is after it.", text, match.end())
    return status, ""


def rule_text(status: str, when: str) -> str:
    """The whole rule as one line; the inverse of split_rule."""
    return f"{status} when {when}" if when else f"{status} otherwise"


def checked_status(status: str) -> str:
    """A status as a rule can give it: 1 to 40 characters, runs of blanks made one.

    Raises RuleError for an empty or too long one, for a control character, and for the words when and
    otherwise, at which a rule is split.
    """
    refuse_control_characters(status)
    if match := _WHEN.search(status):
        raise error_at("A status cannot contain the word when.", status, match.start())
    return _status_in(status, len(status))


def read_rule(status: str, when: str) -> Condition | None:
    """The condition of a rule, None for otherwise. Raises RuleError placed in the whole line."""
    return _read(when, rule_text(status, when), len(status) + len(" when ")) if when else None


def _read(when: str, line: str, begin: int) -> Condition:
    try:
        return parse_condition(when)
    except RuleError as error:
        raise error_at(error.reason, line, begin + error.position, error.names) from None


def _status_in(text: str, end: int) -> str:
    words = text[:end].split()
    status = " ".join(words)
    if not status:
        raise error_at("A rule begins with the status, as in VIP when total_spend >= 35000.", text, 0)
    if len(status) > MAX_STATUS_LENGTH:
        position = len(text[:end]) - len(text[:end].lstrip()) + MAX_STATUS_LENGTH
        raise error_at(f"A status can have at most {MAX_STATUS_LENGTH} characters.", text, position)
    if match := _OTHERWISE.search(text, 0, end):
        raise error_at("A status cannot contain the word otherwise.", text, match.start())
    return status

"""Sums with a blank between their thousands: 4 500, 1 234 567.50."""

from crm.lazy_pattern import lazy_pattern

# The first one to three digits of such a sum, and three more with what may be behind the last of them.
_HEAD = r"[1-9]\d{0,2}"
_HEAD_WORD = lazy_pattern(rf"[^\s\d]*{_HEAD}")
_GROUP_WORD = lazy_pattern(r"\d{3}")
_LAST_WORD = lazy_pattern(r"\d{3}(?:[.,]\d{1,2})?[^\s\d.,%]*")
_BETWEEN = lazy_pattern(r"(?<=\d)\s(?=\d{3}(?!\d))")
# A blank that keeps a number in one line says by itself that it is one.
_KEPT_TOGETHER = lazy_pattern(r"(?<=\d)[\u00a0\u2009\u202f](?=\d{3}(?!\d))")
# Such a sum in a text, with its currency beside it.
GROUPED_SUM = rf"[^\s\d]*{_HEAD}(?:\s\d{{3}})+(?:[.,]\d{{1,2}})?[^\s\d.,]*"


def words_of_sum(words: list[str]) -> int:
    """The number of words at the end that may be one sum; 0 where the last word is alone."""
    if len(words) < 2 or not _LAST_WORD.fullmatch(words[-1]):
        return 0
    start = len(words) - 2
    while start > 0 and _GROUP_WORD.fullmatch(words[start]) and _HEAD_WORD.fullmatch(words[start - 1]):
        start -= 1
    return len(words) - start if _HEAD_WORD.fullmatch(words[start]) else 0


def without_blanks(written: str) -> str:
    """A sum without the blanks between its thousands."""
    return _BETWEEN.sub("", written)


def joined_where_sure(text: str) -> str:
    """A text in which the blanks that keep a number in one line are gone."""
    return _KEPT_TOGETHER.sub("", text)

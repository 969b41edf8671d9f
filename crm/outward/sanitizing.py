"""Text from elsewhere made harmless: nothing in it moves a cursor, turns a line around or begins a header."""

import re

# Controls, line separators, and the marks that reorder or hide text.
_UNSEEN = "\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff"
_IN_LINES = re.compile(f"[{_UNSEEN}]")
_IN_A_LINE = re.compile(rf"[{_UNSEEN}\s]+")
_BREAKS = re.compile(r"\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_BLANKS = " \t\xa0"
_MANY_BREAKS = re.compile(r"\n{3,}")


def line(text: str, longest: int = 1000) -> str:
    """A text as one line of at most so many characters; characters that break or hide it become blanks."""
    # Most texts have no such characters.
    cleaned = text if text.isprintable() and "  " not in text else _IN_A_LINE.sub(" ", text)
    return _shortened(cleaned.strip(), longest)


def prose(text: str, longest: int | None = None) -> str:
    """A text of any number of lines, at most so many characters if told, with no two empty lines in a row."""
    if text.isprintable():
        return _shortened(text.rstrip(" "), longest)
    cleaned = _IN_LINES.sub("", _BREAKS.sub("\n", text))
    lines = "\n".join(part.rstrip(_BLANKS) for part in cleaned.split("\n"))
    return _shortened(_MANY_BREAKS.sub("\n\n", lines).strip("\n"), longest)


def _shortened(text: str, longest: int | None) -> str:
    return text if longest is None or len(text) <= longest else f"{text[: longest - 1].rstrip()}…"

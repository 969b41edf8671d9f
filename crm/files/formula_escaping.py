"""Text that a spreadsheet would run as a formula, made harmless in CSV by a quote before it, and back."""

import re

_SIGNS = "=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20"  # the last four are the full-width variants
# Quotes before a sign count too: one is added to those there are, and one taken off.
_FORMULA = re.compile(f"'*[{_SIGNS}]")
_GUARDED = re.compile(f"'+[{_SIGNS}]")
_E164 = re.compile(r"\+[0-9]+")

ANY_GUARDED = re.compile(f"'[{_SIGNS}]")


def harmless(text: str) -> str:
    """The text with a quote before it if it could be a formula; a telephone number in digits cannot."""
    return "'" + text if _FORMULA.match(text) and not _E164.fullmatch(text) else text


def restored(text: str) -> str:
    """The text that `harmless` was given."""
    return text[1:] if _GUARDED.match(text) else text

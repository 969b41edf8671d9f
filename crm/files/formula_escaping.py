"""Text that a spreadsheet would run as a formula, made harmless in CSV by a quote before it, and back."""

import re

_SIGNS = "=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20"  # the last four are the full-width variants
# Quotes before a sign count too: one is added to those there are, and one taken off. The same holds before digits,
# where people put one so that Excel keeps the noughts.
_FORMULA = re.compile(f"'*[{_SIGNS}]|'+[0-9]")
_GUARDED = re.compile(f"'+[{_SIGNS}0-9]")
_E164 = re.compile(r"\+[0-9]+")
_NUMBER = re.compile(r"-[0-9]+(\.[0-9]+)?")
# ="00042": a formula that is nothing but a text, by which programs have Excel keep it as it is.
_TEXT = re.compile(r'=\s*(?:T\()?"((?:[^"]|"")*)"\)?')

ANY_GUARDED = re.compile(f"'[{_SIGNS}0-9]|=\\s*(?:T\\()?\"")


def harmless(text: str) -> str:
    """The text with a quote before it if it could be a formula; a number and a phone number in digits cannot."""
    is_number = _E164.fullmatch(text) or _NUMBER.fullmatch(text)
    return "'" + text if _FORMULA.match(text) and not is_number else text


def restored(text: str) -> str:
    """The text that `harmless` was given, and that of a formula which is nothing but a text."""
    if _GUARDED.match(text):
        return text[1:]
    match = _TEXT.fullmatch(text.strip()) if text[:1] == "=" else None
    return match[1].replace('""', '"') if match else text

"""Links that a terminal opens with a click (OSC 8), and text that it takes to the clipboard (OSC 52).

What is in a record never gets into a sequence as it is: a link has one of three schemes and is percent-encoded, what is
copied is encoded as base64.
"""

import base64
import re
from urllib.parse import quote, urlsplit

from rich.style import Style
from rich.text import Text

from crm.lazy_pattern import lazy_pattern
from crm.terminal.drawing.screen import clean

_ADDRESS = lazy_pattern(r"[^\s<>()\[\],;:\\\"\x00-\x1f\x7f-\x9f]+@[^\s<>()\[\],;:\\\"@\x00-\x1f\x7f-\x9f]+")
_LONGEST = 2000
# Terminals take this much to the clipboard at once.
_MOST_COPIED = 50_000


def mail_link(address: str) -> str:
    """A link that writes to an e-mail address; '' for what is none."""
    return f"mailto:{quote(address, safe='@')}" if _ADDRESS.fullmatch(address) else ""


def phone_link(number: str) -> str:
    """A link that calls a phone number; '' for what is none, or has more than digits, like an extension."""
    digits = re.sub(r"[\s()/.-]", "", number)
    return f"tel:{digits}" if re.fullmatch(r"\+?[0-9]{3,20}", digits) else ""


def web_link(address: str) -> str:
    """A link to a page on the web; '' for what is none."""
    try:
        parts = urlsplit(address.strip())
        is_page = parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.username
    except ValueError:
        return ""
    return quote(address.strip(), safe=":/?#[]@!$&'()*+,;=%~") if is_page and len(address) < _LONGEST else ""


def link_of(field: str, value: str) -> str:
    """The address that the value of a field links to, by the name of the field; '' for none."""
    return {"email": mail_link, "phone": phone_link}.get(field, web_link)(value)


def linked(cell: Text, link: str) -> Text:
    """A text that leads somewhere."""
    if link:
        cell.stylize(Style(link=link))
    return cell


def copied(text: str) -> str:
    """The sequence by which a terminal takes a text to the clipboard."""
    encoded = base64.b64encode(clean(text, lines=True).encode()[:_MOST_COPIED]).decode("ascii")
    return f"\x1b]52;c;{encoded}\x07"


_LINKS = lazy_pattern(r"\x1b]8;[^\x1b\x07]*(?:\x1b\\|\x07)")


def without_links(drawn: str) -> str:
    """The drawing without its links, for where only colours are known."""
    return _LINKS.sub("", drawn)

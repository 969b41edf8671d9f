"""HTML from elsewhere as plain text; nothing in it is fetched, run or shown as more than it is."""

import re
from typing import Any

# Longer ones only tell their owner who follows them.
_ADDRESS = re.compile(r"https?://[^\s<>]{1,300}", re.IGNORECASE)
_HIDDEN = ("display:none", "visibility:hidden", "mso-hide:all")
_FURNITURE = ("table", "thead", "tbody", "tfoot", "tr")
_CELLS = ("td", "th")


def _name_address(link: Any) -> None:
    """Put the address of a link behind its words, where they do not say it themselves."""
    address, words = str(link.get("href") or "").strip(), "".join(link.itertext()).strip()
    if not words or not _ADDRESS.fullmatch(address) or address.partition("://")[2].rstrip("/") in words:
        return
    last = link[-1] if len(link) else None
    if last is None:
        link.text = f"{link.text} ({address})"
    else:
        last.tail = f"{last.tail or ''} ({address})"


def plain_text(html: str) -> str:
    """The visible text of a page, '' where it shows nothing."""
    from inscriptis import Inscriptis  # type: ignore[import-untyped]
    from inscriptis.model.config import ParserConfig  # type: ignore[import-untyped]
    from lxml import html as markup
    from lxml.etree import ParserError, XMLSyntaxError

    try:
        page = markup.document_fromstring(
            html.replace("\0", "").encode("utf-8", "replace"), parser=markup.HTMLParser(encoding="utf-8")
        )
    except (ParserError, XMLSyntaxError):
        return ""
    for element in list(page.iter()):
        style = str(element.attrib.pop("style", "")).replace(" ", "").lower()
        if any(hidden in style for hidden in _HIDDEN) and element.getparent() is not None:
            # What is behind it belongs to the page.
            element.drop_tree()
        # Mails are laid out with tables and margins; drawn as such, a small page would make a text without end.
        elif element.tag in _FURNITURE:
            element.tag = "div"
        elif element.tag in _CELLS:
            element.tag, element.tail = "span", f" {element.tail or ''}"
        elif element.tag == "a":
            _name_address(element)
    text: str = Inscriptis(page, ParserConfig(display_links=False, display_images=False)).get_text()
    return "\n".join(part.strip(" ") if not part.strip() else part.rstrip() for part in text.split("\n"))

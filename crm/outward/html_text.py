"""HTML from elsewhere as plain text; nothing in it is fetched, run or shown as more than it is."""

_HIDDEN = ("display:none", "visibility:hidden", "mso-hide:all")
_FURNITURE = ("table", "thead", "tbody", "tfoot", "tr")
_CELLS = ("td", "th")


def plain_text(hypertext: str) -> str:
    """The visible text of a page, '' where it shows nothing."""
    from inscriptis import Inscriptis  # type: ignore[import-untyped]
    from inscriptis.model.config import ParserConfig  # type: ignore[import-untyped]
    from lxml import html as markup  # type: ignore[import-untyped]
    from lxml.etree import ParserError, XMLSyntaxError  # type: ignore[import-untyped]

    try:
        page = markup.document_fromstring(
            hypertext.replace("\0", "").encode("utf-8", "replace"), parser=markup.HTMLParser(encoding="utf-8")
        )
    except (ParserError, XMLSyntaxError):
        return ""
    for element in list(page.iter()):
        style = str(element.attrib.pop("style", "")).replace(" ", "").lower()
        if any(hidden in style for hidden in _HIDDEN) and element.getparent() is not None:
            # What stands behind it belongs to the page.
            element.drop_tree()
        # Mails are laid out with tables and margins; drawn as such, a small page would make a text without end.
        elif element.tag in _FURNITURE:
            element.tag = "div"
        elif element.tag in _CELLS:
            element.tag, element.tail = "span", f" {element.tail or ''}"
    text: str = Inscriptis(page, ParserConfig(display_links=False, display_images=False)).get_text()
    return "\n".join(part.strip(" ") if not part.strip() else part.rstrip() for part in text.split("\n"))

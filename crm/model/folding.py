"""Text compared whatever its case and accents."""

import unicodedata


def fold(text: str) -> str:
    """Text as it is searched and sorted: no case, no accents (Straße and STRASSE, José and jose are alike)."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character)).casefold()


def words(listed: str) -> frozenset[str]:
    """The words of a list with blanks between them."""
    return frozenset(listed.split())

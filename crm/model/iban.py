"""Numbers of bank accounts (IBAN, ISO 13616): written without blanks, and checked by their check digits."""

from crm.lazy_pattern import lazy_pattern

_SHAPE = lazy_pattern(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")


def bare_iban(text: str) -> str:
    """An IBAN without blanks, in capitals."""
    return "".join(text.split()).upper()


def is_like_iban(text: str) -> bool:
    """Return whether a text is written like an IBAN, whatever its check digits are."""
    return bool(_SHAPE.fullmatch(bare_iban(text)))


def is_iban(text: str) -> bool:
    """Return whether a text is an IBAN whose check digits fit."""
    iban = bare_iban(text)
    if not is_like_iban(iban):
        return False
    return int("".join(str(int(sign, 36)) for sign in iban[4:] + iban[:4])) % 97 == 1


def grouped_iban(text: str) -> str:
    """An IBAN in groups of four, as it is printed."""
    iban = bare_iban(text)
    return " ".join(iban[place : place + 4] for place in range(0, len(iban), 4))

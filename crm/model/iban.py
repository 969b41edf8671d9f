"""Numbers of bank accounts (IBAN, ISO 13616): written without blanks, and checked by their check digits."""

from crm.lazy_pattern import lazy_pattern

# From the register of IBANs.
_EXAMPLES = {
    "AT": "AT611904300234573201", "BE": "BE68539007547034", "CH": "CH9300762011623852957",
    "DE": "DE89370400440532013000", "DK": "DK5000400440116243", "ES": "ES9121000418450200051332",
    "FI": "FI2112345600000785", "FR": "FR1420041010050500013M02606", "GB": "GB29NWBK60161331926819",
    "IE": "IE29AIBK93115212345678", "IT": "IT60X0542811101000000123456", "NL": "NL91ABNA0417164300",
    "NO": "NO9386011117947", "PL": "PL61109010140000071219812874", "PT": "PT50000201231234567890154",
    "SE": "SE4550000000058398257466",
}  # fmt: skip
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


def iban_like(country: str) -> str:
    """An example of the IBANs of a country (ISO 3166), as it is printed; that of Germany where none is known."""
    return grouped_iban(_EXAMPLES.get(country, _EXAMPLES["DE"]))


def grouped_iban(text: str) -> str:
    """An IBAN in groups of four, as it is printed."""
    iban = bare_iban(text)
    return " ".join(iban[place : place + 4] for place in range(0, len(iban), 4))

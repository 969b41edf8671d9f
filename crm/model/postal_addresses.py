"""The line of a postal address that names the town, in the order of its country."""

# Most countries write the postcode before the city; these after it, and after the state or region.
_POSTCODE_LAST = frozenset(("US", "CA", "GB", "AU", "NZ", "IE"))


def is_postcode_last(country: str) -> bool:
    """Return whether the postcode stands after the city there."""
    return country in _POSTCODE_LAST


def town_line(country: str, postcode: str, city: str, region: str) -> str:
    """The line: Columbus, OH 43215 or 1010 Vienna. A region without a country is taken for a state of the US; letters
    of a postcode are capitals everywhere."""
    postcode = postcode.upper()
    if is_postcode_last(country) or (region and not country):
        comma = "," * (country in ("US", "") and bool(city and region))
        parts = (f"{city}{comma}", region, postcode)
    else:
        parts = (postcode, city, "")
    return " ".join(part for part in parts if part)

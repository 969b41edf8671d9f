"""SMS segments: a message is sent, and paid for, in parts."""

# 3GPP TS 23.038: the letters that take seven bits, and those that take two of them.
_SHORT = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_LONG = frozenset("^{}\\[~]|€\f")
# How much one SMS holds, and each of several, which say in what order they belong.
_OF_LETTERS, _OF_UNITS = (160, 153), (70, 67)


def parts(text: str) -> int:
    """The number of SMS that a text is sent in, 0 for none. One letter beyond the short alphabet (a curly quote, an
    emoji) more than halves what each holds."""
    if _SHORT.union(_LONG).issuperset(text):
        sizes, (whole, size_of_part) = [2 if sign in _LONG else 1 for sign in text], _OF_LETTERS
    else:
        sizes, (whole, size_of_part) = [2 if sign > "\uffff" else 1 for sign in text], _OF_UNITS
    if sum(sizes) <= whole:
        return 1 if text else 0
    count, used = 1, 0
    for size in sizes:
        # What takes two places is not torn in two.
        if used + size > size_of_part:
            count, used = count + 1, 0
        used += size
    return count

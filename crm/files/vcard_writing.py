"""Writing clients as vCards."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from crm.files.safe_writing import replacing
from crm.model import Client

_ESCAPES = str.maketrans(
    {"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n"}
    # Nothing else may end a line, or a name could add properties of its own.
    | dict.fromkeys("\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029", " ")
    | {chr(code): "" for code in (*range(9), *range(14, 28), 31, 127)}
)
_LONGEST_LINE = 75  # bytes


def write_vcards(path: Path, clients: Iterable[Client]) -> int:
    """Write clients as one file of cards, their number is returned. Raises FileError.

    Cards are version 3.0, which iPhones, Android, Outlook and Google all read; 4.0 Outlook does not.
    They hold what an address book has a place for, so not the source, owner, consent and own fields.
    """
    count = 0
    with replacing(path) as file:
        for client in clients:
            for line in _lines(client):
                file.write(_folded(line.encode("utf-8", "replace")))
            count += 1
    return count


def _lines(client: Client) -> Iterator[str]:
    yield "BEGIN:VCARD"
    yield "VERSION:3.0"
    yield f"N:{_escaped(client.last_name)};{_escaped(client.first_name)};;;"
    yield f"FN:{_escaped(client.name or client.email or client.phone)}"
    if client.company:
        yield f"ORG:{_escaped(client.company)}"
    if client.kind == "company":
        yield "X-ABShowAs:COMPANY"
    elif client.kind:
        yield "KIND:individual"
    if client.email:
        yield f"EMAIL;TYPE=INTERNET:{_escaped(client.email)}"
    if client.phone:
        yield f"TEL;TYPE=VOICE:{_escaped(client.phone)}"
    if client.address or client.city or client.region or client.postcode or client.country:
        parts = ("", "", client.address, client.city, client.region, client.postcode, client.country)
        yield "ADR;TYPE=POSTAL:" + ";".join(map(_escaped, parts))
    if client.date_of_birth is not None:
        yield f"BDAY:{client.date_of_birth.isoformat()}"
    if client.tags:
        yield "CATEGORIES:" + ",".join(map(_escaped, client.tags))
    if client.notes:
        yield f"NOTE:{_escaped(client.notes)}"
    if client.reference:
        yield f"UID:{_escaped(client.reference)}"
    yield "END:VCARD"


def _escaped(text: str) -> str:
    return text.replace("\r\n", "\n").translate(_ESCAPES)


def _folded(line: bytes) -> bytes:
    """A line in pieces of at most 75 bytes, none of which ends within a character."""
    pieces = []
    longest = _LONGEST_LINE
    while len(line) > longest:
        end = longest
        while line[end] & 0xC0 == 0x80:
            end -= 1
        pieces.append(line[:end])
        line, longest = line[end:], _LONGEST_LINE - 1
    return b"\r\n ".join([*pieces, line]) + b"\r\n"

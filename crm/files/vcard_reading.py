"""vCards 2.1, 3.0 and 4.0 as rows of text, card by card.

They are taken apart here, because vobject gives up a whole file for one broken card and decodes
quoted-printable text of another charset wrongly.
"""

import binascii
import io
import quopri
import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import BinaryIO, ClassVar, NamedTuple

from crm.errors import FileError
from crm.files.charset import SPLIT_LETTER, Charset, repaired
from crm.files.names import split_name
from crm.files.source import SAMPLE_ROWS, Row, Source
from crm.model.file_errors import unreadable

COLUMNS = (
    "First name", "Last name", "Company", "E-mail", "Phone", "Address", "City", "State/Region", "Postcode", "Country",
    "Date of birth", "Tags", "Notes", "Reference", "Kind", "E-mail 2", "Phone 2", "Other address",
    # No field of a client takes these by itself; a person may choose an own field for them.
    "Position", "Department", "Website", "Fax", "Pager", "Messenger", "Anniversary", "Photo", "Nickname",
    "Name prefix", "Name suffix", "Other properties",
)  # fmt: skip
_LINE = re.compile(r'(?:[\w-]+\.)?([\w-]+)((?:;(?:"[^"]*"|[^":])*)?):(.*)', re.DOTALL)
_PARAMETER = re.compile(r';([^;="]+)(?:=((?:"[^"]*"|[^;"])*))?')
_TOKEN = re.compile(r"\\.|[^\\;,]+|.", re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_BASE64 = re.compile(r"[A-Za-z0-9+/=]+")
_BIRTHDAY = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)(?:[T ].*)?")
_KINDS = ("KIND", "X-ADDRESSBOOKSERVER-KIND")
_MESSENGERS = frozenset(
    ("IMPP", "X-AIM", "X-GOOGLE-TALK", "X-ICQ", "X-JABBER", "X-MSN", "X-QQ", "X-SKYPE", "X-SKYPE-USERNAME", "X-YAHOO")
)
_ANNIVERSARIES = frozenset(("ANNIVERSARY", "X-ANNIVERSARY", "X-EVOLUTION-ANNIVERSARY", "X-KADDRESSBOOK-X-ANNIVERSARY"))
_PICTURES = frozenset(("PHOTO", "LOGO"))
# What a card says of itself, or says twice; and what has a column.
_TECHNICAL = frozenset(
    (
        "VERSION", "PRODID", "REV", "MAILER", "SOURCE", "CLASS", "PROFILE", "CLIENTPIDMAP", "XML", "KEY", "SOUND", "TZ",
        "LABEL", "SORT-STRING", "X-ABLABEL", "X-ABADR", "X-ABUID", "X-ABSHOWAS", "X-IMAGETYPE", "X-IMAGEHASH",
        "X-SHARED-PHOTO-DISPLAY-PREF", "X-EVOLUTION-FILE-AS", "X-EVOLUTION-WEBDAV-ETAG", "X-RADICALE-NAME",
        "X-PHONETIC-FIRST-NAME", "X-PHONETIC-LAST-NAME", "X-MS-OL-DEFAULT-POSTAL-ADDRESS", "X-MS-OL-DESIGN",
    )
)  # fmt: skip
_IN_COLUMNS = frozenset(
    (
        "N", "FN", "ORG", "EMAIL", "TEL", "ADR", "BDAY", "CATEGORIES", "NOTE", "UID", "TITLE", "ROLE", "URL",
        "NICKNAME", *_KINDS,
    )
)  # fmt: skip
# How Apple and Google write any other day; its label is a property beside it.
_LABELLED_DAY = "X-ABDATE"
_LONGEST_OTHER = 200
_FULL_DATE = re.compile(r"\d\D+\d+\D+\d|\d{6,}|\d.*[^\W\d_]{3}.*\d|[^\W\d_]{3}.*\d\D+\d")
_LARGEST_LINE = 1_000_000


class _Property(NamedTuple):
    name: str
    traits: frozenset[str]  # what the parameters say, in capitals: HOME, PREF, FAX, ...
    value: str


class VcardSource(Source):
    """A file of cards, each a row with the same columns. A broken card says so in its `problem`."""

    kind: ClassVar[str] = "vcard"

    def __init__(self, path: Path, charset: Charset) -> None:
        super().__init__(path)
        self._charset = charset
        self._done, self._total = 0, path.stat().st_size
        self._file: BinaryIO | None = None
        self.encoding = charset.encoding
        self.columns = COLUMNS
        first = [*islice(self.rows(), SAMPLE_ROWS)]
        if not any(not row.problem for row in first) and all("outside" in row.problem for row in first):
            raise FileError(f"No card in {path.name}. Export it again as vCard.")
        self.sample = tuple(row.cells for row in first)

    def progress(self) -> tuple[int, int]:
        return (self._file.tell() if self._file is not None else self._done), self._total

    def rows(self) -> Iterator[Row]:
        try:
            with self.path.open("rb") as file:
                self._file = file
                text = _lines(file, self._charset)
                try:
                    for number, lines, problem in _cards(map(repaired, text) if self._charset.stray else text):
                        yield _row(number, lines, problem)
                finally:
                    self._done, self._file = file.tell(), None
        except OSError as error:
            raise unreadable(self.path, error) from error


def _lines(file: BinaryIO, charset: Charset) -> Iterator[str]:
    """The lines of a file as text. Some programs fold a line inside a letter: its bytes are put together first, and
    what was folded counts as a blank line."""
    if charset.encoding.startswith(("utf-16", "utf-32")):
        text = io.TextIOWrapper(file, charset.encoding, charset.errors)
        try:
            yield from text
        finally:
            # The caller that opened the file closes it, perhaps already.
            with suppress(ValueError):
                text.detach()
        return
    waiting: bytes | None = None
    blank = 0
    for chunk in file:
        for raw in chunk.splitlines():
            if waiting is not None and SPLIT_LETTER.match(waiting[-1:] + b"\n" + raw[:2]):
                waiting += raw[1:]
                blank += 1
                continue
            if waiting is not None:
                yield waiting.decode(charset.encoding, charset.errors)
                yield from [""] * blank
            waiting, blank = raw, 0
    if waiting is not None:
        yield waiting.decode(charset.encoding, charset.errors)


def _cards(text: Iterator[str]) -> Iterator[tuple[int, list[str], str]]:
    """Each card: the line it begins on, the lines between its first and its last, and what is wrong."""
    begun, lines, size, inner = 0, list[str](), 0, 0
    outside = False
    for number, line in enumerate(text, 1):
        line = line.rstrip("\r\n")
        mark = line.strip("\ufeff \t").upper().replace(" ", "")
        if inner:
            # A card within a card (AGENT, of 2.1) is somebody else's.
            inner += (mark == "BEGIN:VCARD") - (mark == "END:VCARD")
        elif mark == "BEGIN:VCARD" and begun and lines and lines[-1].upper().startswith("AGENT"):
            inner = 1
        elif mark == "BEGIN:VCARD":
            if begun:
                yield begun, lines, "this card has no end (END:VCARD)"
            begun, lines, size, outside = number, [], 0, False
        elif mark == "END:VCARD" and begun:
            yield begun, lines, "" if size <= _LARGEST_LINE * 10 else "this card is too large"
            begun = 0
        elif begun:
            size += len(line)
            if size <= _LARGEST_LINE * 10:
                lines.append(line)
        elif mark and not outside:
            outside = True
            yield number, [], "these lines are outside of any card"
    if begun:
        yield begun, lines, "this card has no end (END:VCARD)"


def _row(number: int, lines: list[str], problem: str) -> Row:
    properties: list[_Property] = []
    for line in _unfolded(lines):
        match = _LINE.fullmatch(line)
        if match is None:
            problem = problem or f"this line of the card cannot be read: {line[:60]}"
            continue
        try:
            properties.append(_property(*match.groups()))
        except (LookupError, binascii.Error, ValueError):
            problem = problem or f"the encoding of {match.group(1)} in this card cannot be read"
    kinds = {entry.value.strip().casefold() for entry in properties if entry.name in _KINDS}
    if "group" in kinds and not problem:
        problem = "this card is a group, not a client"
    return Row(number, _cells(properties), problem)


def _unfolded(lines: list[str]) -> Iterator[str]:
    whole: list[str] = []
    quoted = based = False
    for line in lines:
        if whole and (quoted and whole[-1].endswith("=")):
            whole[-1] = whole[-1][:-1]
            whole.append(line)
        elif whole and (line[:1] in (" ", "\t")):
            whole.append(line[1:])
        elif whole and based and _BASE64.fullmatch(line):
            whole.append(line)
        elif line.strip():
            if whole:
                yield "".join(whole)
            whole = [line]
            head = line.partition(":")[0].upper()
            quoted = "QUOTED-PRINTABLE" in head
            based = "BASE64" in head or "ENCODING=B" in head
    if whole:
        yield "".join(whole)


def _property(name: str, parameters: str, value: str) -> _Property:
    traits: set[str] = set()
    charset = ""
    for key, parameter in _PARAMETER.findall(parameters):
        trait = parameter.strip('"') or key
        if key.upper() == "CHARSET":
            charset = trait
        elif key.upper() == "PREF":  # 4.0 counts from 1
            traits.add("PREF" if trait in ("1", key) else "")
        else:
            traits.update(trait.upper().replace('"', "").split(","))
    if "QUOTED-PRINTABLE" in traits:
        raw = quopri.decodestring(value.encode("utf-8"))
        try:
            value = raw.decode(charset or "utf-8")
        except UnicodeDecodeError:
            value = raw.decode("cp1252", "replace")
    return _Property(name.upper(), frozenset(traits), value)


def _cells(properties: list[_Property]) -> tuple[str, ...]:
    def every(name: str) -> list[_Property]:
        return [prop for prop in properties if prop.name == name and prop.value.strip()]

    def only(name: str) -> str:
        return _plain(every(name)[0].value) if every(name) else ""

    def all_of(*names: str) -> str:
        return "; ".join(dict.fromkeys(_plain(entry.value) for name in names for entry in every(name)))

    last, first, middle, prefix, suffix, *_ = (*_pieces(every("N")[0].value if every("N") else ""), *[""] * 5)
    first = f"{first} {middle}".strip()
    company, *departments = _pieces(every("ORG")[0].value) if every("ORG") else [""]
    display_name = only("FN")
    kind = {"org": "company", "organization": "company", "individual": "person"}.get(only("KIND").casefold(), "")
    if only("X-ABSHOWAS").casefold() == "company":
        kind = "company"
    if kind == "company":
        company = company or display_name
    elif not (first or last) and display_name != company:
        first, last = split_name(display_name)
    nickname = all_of("NICKNAME")
    if not (first or last or company):
        (first, last), nickname = split_name(only("NICKNAME")), ""
    born, notes = _birthday(only("BDAY")), [_plain(entry.value) for entry in every("NOTE")]
    if born and not born.startswith("--") and not _FULL_DATE.search(born):
        # A year alone, or words: no card is lost for it.
        notes.append(f"Birthday: {born}")
        born = ""
    (box, extension, street, city, region, postcode, country), *others = _addresses(every("ADR"))
    address = ", ".join(filter(None, (street, extension, box)))
    elsewhere = "; ".join(
        ", ".join(filter(None, (street, extension, box, city, region, postcode, country)))
        for box, extension, street, city, region, postcode, country in others
    )
    emails, phones = _reached(every("EMAIL")), _reached(every("TEL"))
    tags = ", ".join(part for entry in every("CATEGORIES") for part in _pieces(entry.value, ",;") if part)
    return (
        first, last, company, emails[0], phones[0], address, city, region, postcode, country,
        born, tags, "\n".join(notes), only("UID").removeprefix("urn:uuid:"), kind,
        "; ".join(emails[1:]), "; ".join(phones[1:]), elsewhere,
        all_of("TITLE", "ROLE"), ", ".join(filter(None, departments)), all_of("URL"), _numbers_of("FAX", every("TEL")),
        _numbers_of("PAGER", every("TEL")), all_of(*sorted(_MESSENGERS)), _anniversary(properties),
        "yes" if any(map(every, _PICTURES)) else "", nickname, prefix, suffix, _others(properties),
    )  # fmt: skip


def _numbers_of(device: str, entries: list[_Property]) -> str:
    return "; ".join(_plain(entry.value) for entry in entries if device in entry.traits)


def _anniversary(properties: list[_Property]) -> str:
    """The days that the card names beside the birthday."""
    return "; ".join(
        _plain(entry.value)
        for entry in properties
        if (entry.name in _ANNIVERSARIES or entry.name == _LABELLED_DAY) and entry.value.strip()
    )


def _others(properties: list[_Property]) -> str:
    """The rest of the card, by the names of its properties."""
    known = _IN_COLUMNS | _MESSENGERS | _ANNIVERSARIES | _PICTURES | _TECHNICAL | {_LABELLED_DAY}
    return "; ".join(
        f"{entry.name}: {_plain(entry.value)[:_LONGEST_OTHER]}"
        for entry in properties
        if entry.name not in known and entry.value.strip()
    )


def _reached(entries: list[_Property]) -> list[str]:
    """The addresses or numbers, the preferred one first, of numbers rather a mobile one and never a fax; '' if none."""
    ranked = sorted(
        (entry for entry in entries if not entry.traits & {"FAX", "PAGER"}),
        key=lambda entry: ("PREF" not in entry.traits, "CELL" not in entry.traits),
    )
    plain = (re.sub(r"^(tel|mailto):", "", _plain(entry.value), flags=re.IGNORECASE) for entry in ranked)
    # An extension is a part of the number (RFC 3966).
    return [re.sub(r";ext=", " ext ", text, flags=re.IGNORECASE) for text in plain] or [""]


def _addresses(entries: list[_Property]) -> list[list[str]]:
    """The postal addresses in their parts, the preferred one first."""
    ranked = sorted(entries, key=lambda entry: "PREF" not in entry.traits)
    parts = [[re.sub(r"\s*\n\s*", ", ", piece) for piece in _pieces(entry.value)] for entry in ranked]
    return [(pieces + [""] * 7)[:7] for pieces in parts if any(pieces)] or [[""] * 7]


def _birthday(text: str) -> str:
    """ISO where the card's compact form allows; '--04-12' where it names no year."""
    if yearless := re.fullmatch(r"(?:--|1604-?)(\d\d)-?(\d\d)", text):  # 1604 is how Apple says that there is none
        return f"--{yearless.group(1)}-{yearless.group(2)}"
    match = _BIRTHDAY.fullmatch(text)
    return "-".join(match.groups()) if match else text


def _pieces(value: str, marks: str = ";") -> list[str]:
    """The parts of a value with semicolons (or other marks) between, as plain text."""
    pieces = [""]
    for token in _TOKEN.findall(value):
        if token in marks:
            pieces.append("")
        else:
            pieces[-1] += token
    return [_plain(piece) for piece in pieces]


def _plain(value: str) -> str:
    text = _ESCAPE.sub(lambda match: "\n" if match.group(1) in "nN" else match.group(1), value)
    return text.replace("\r\n", "\n").strip()

"""Detection of a text file's encoding, over the whole of it in constant memory."""

import codecs
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from crm.errors import FileError
from crm.files.formula_escaping import ANY_GUARDED

_CHUNK = 1 << 20
_EXCERPT = 1 << 16
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Where a card was folded inside a letter: its last bytes are on the next line.
SPLIT_LETTER = re.compile(rb"([\x80-\xff])\r?\n[ \t]([\x80-\xbf])")
_STRAY = re.compile("[\udc80-\udcff]")

# The letters beyond ASCII of the languages that an encoding was made for. Where the bytes are not UTF-8
# they are most often one of these; the first counts where several fit alike.
_WESTERN = (
    "äöüß", "àâæçéèêëîïôœùûü", "áéíóúñüªº", "àèéìíîòóùú", "ãáàâçéêíóôúü", "éëïóöüáèç", "æøåéö", "åäöéü", "áðéíóúýþæö",
)  # fmt: skip
_LANGUAGES = {
    "cp1252": _WESTERN,
    "mac_roman": _WESTERN,
    "cp850": _WESTERN,
    "cp1250": ("áčďéěíňóřšťúůýžäĺľŕô", "ąćęłńóśźż", "áéíóöőúüű", "čćđšž", "ăâîşţșț"),
    "cp1254": ("çğ\u0131öşüâîû",),
    "cp1257": ("ąčęėįšųūž", "āčēģīķļņšūž", "äöõüšž"),
}
_OTHERS = (
    "cp1251", "koi8_r", "cp866", "cp1253", "cp1255", "cp1256", "iso8859_2", "shift_jis", "euc_jp", "gb18030", "big5",
    "cp949",
)  # fmt: skip
_SIGNS = frozenset("€£\u201a„“”\u2018\u2019\u2013—…•°§©®™«»¿¡½²\xa0")
_RUN = re.compile(r"[^\x00-\x7f]{3,}")


@dataclass(frozen=True, slots=True)
class Charset:
    """The encoding of a file, and what was seen in it on the way.

    `guarded`: a quote is before a formula sign somewhere; `quotes`: the number of quotation marks;
    `nul`: there are NUL characters; `stray`: bytes that are not UTF-8 are in an otherwise UTF-8 file.
    """

    encoding: str
    errors: str
    guarded: bool
    nul: bool
    quotes: int
    stray: bool


def repaired(text: str) -> str:
    """Text whose stray bytes (surrogates, as read in a file that is mostly UTF-8) are read as Windows wrote them."""
    return _STRAY.sub(lambda match: bytes([ord(match.group()) - 0xDC00]).decode("cp1252", "replace"), text)


def charset_of(path: Path, encoding: str = "", *, folded: bool = False) -> Charset:
    """The charset of a text file: `encoding` if it is given, else what is found. `folded` where lines may be broken
    inside a letter, as in cards.

    Raises FileError where the file is not text, or not in the encoding given; OSError as the system does.
    """
    with path.open("rb") as file:
        head = file.read(_EXCERPT)
    named = bool(encoding)
    if named:
        encoding = _known(encoding, head)
    else:
        encoding = next((name for mark, name in _BOMS if head.startswith(mark)), "") or _wide(head) or "utf-8"
    seen = _Scan(path, encoding, folded)
    if named and seen.broken:
        raise FileError(
            f"{path.name} is not written in {encoding} (line {seen.broken_line} cannot be read)."
            " Leave the encoding out to have it detected, or name another one."
        )
    if encoding == "utf-8" and _is_binary(head):
        raise FileError(f"{path.name} is not a text table. Export it as CSV, .xlsx or vCard.")
    # More characters that are rightly UTF-8 than bytes that are not: a file put together from two.
    if encoding == "utf-8" and seen.broken > seen.foreign:
        encoding = _legacy(seen.excerpt)
    utf8 = encoding.startswith("utf-8")
    errors = "surrogateescape" if utf8 else "replace"
    return Charset(encoding, errors, seen.guarded, seen.nul, seen.quotes, utf8 and seen.broken > 0)


def _known(encoding: str, head: bytes) -> str:
    try:
        name = codecs.lookup(encoding).name
        b"".decode(name)
    except LookupError as error:
        raise FileError(f"No encoding {encoding}. Name one like utf-8, cp1252 or utf-16.") from error
    return "utf-8-sig" if name == "utf-8" and head.startswith(codecs.BOM_UTF8) else name


def _wide(head: bytes) -> str:
    """UTF-16 without its mark: every other byte of western text is zero."""
    even, odd, half = head[::2].count(0), head[1::2].count(0), len(head) // 2
    if half < 2:
        return ""
    if odd > half * 0.7 and even < half * 0.05:
        return "utf-16-le"
    return "utf-16-be" if even > half * 0.7 and odd < half * 0.05 else ""


def _is_binary(head: bytes) -> bool:
    controls = sum(head.count(code) for code in (*range(9), *range(14, 27), *range(28, 32)))
    return controls > max(8, len(head) // 50)


class _Scan:
    """One pass over a file's bytes, decoded piece by piece."""

    def __init__(self, path: Path, encoding: str, folded: bool) -> None:
        self.broken = self.foreign = self.quotes = self.broken_line = 0
        self.guarded = self.nul = False
        self.excerpt = b""
        self._lines = 1
        utf8 = encoding.startswith("utf-8")
        bad = _STRAY if utf8 else re.compile("\ufffd")
        decoder = codecs.getincrementaldecoder(encoding)("surrogateescape" if utf8 else "replace")
        last = ""
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                text = decoder.decode(SPLIT_LETTER.sub(rb"\1\2", chunk) if folded else chunk)
                self._note(text, bad, last)
                last = text[-1:]
        self._note(decoder.decode(b"", True), bad, last)

    def _note(self, text: str, bad: re.Pattern[str], last: str) -> None:
        self.quotes += text.count('"')
        self.nul = self.nul or "\0" in text
        self.guarded = self.guarded or ANY_GUARDED.search(last + text) is not None
        if not text.isascii():
            broken = len(bad.findall(text))
            self.foreign += sum(map(len, re.findall(r"[^\x00-\x7f]+", text))) - broken
            if broken and not self.broken:
                match = bad.search(text)
                self.broken_line = self._lines + text.count("\n", 0, match.start() if match else 0)
            if broken and len(self.excerpt) < _EXCERPT:
                lines = "\n".join(line for line in text.split("\n") if bad.search(line))[:_EXCERPT]
                self.excerpt += lines.encode("utf-8", "surrogateescape" if bad is _STRAY else "replace")
            self.broken += broken
        self._lines += text.count("\n")


def _legacy(excerpt: bytes) -> str:
    """The most likely encoding of lines that are not UTF-8."""
    fits = {encoding: _fit(excerpt, encoding) for encoding in _LANGUAGES}
    fits["cp1252"] += 0.1  # by far the most frequent, and a list of clients has names of many languages
    best = max(_LANGUAGES, key=lambda encoding: fits[encoding])
    if fits[best] >= 0.6:
        return best
    from charset_normalizer import from_bytes

    guess = from_bytes(excerpt, cp_isolation=list(_OTHERS)).best()
    return guess.encoding if guess is not None else "cp1252"


def _fit(excerpt: bytes, encoding: str) -> float:
    """The share of the characters beyond ASCII that one of the encoding's languages has, standing where it would."""
    text = excerpt.decode(encoding, "replace")
    # Long runs of accented letters are Greek, Cyrillic or Hebrew read wrongly.
    text = _RUN.sub(lambda run: "\ufffd" * len(run.group()), text)
    letters: Counter[str] = Counter()
    signs = total = 0
    for place, character in enumerate(text):
        if character.isascii():
            continue
        total += 1
        before, after = text[place - 1 : place], text[place + 1 : place + 2]
        if character in _SIGNS:
            signs += character == "\u2019" or not (before.isalpha() and after.isalpha())
        elif character.islower() or not before.islower():
            letters[character.lower()] += 1
    known = max(sum(letters[letter] for letter in language) for language in _LANGUAGES[encoding])
    return (signs + known) / total if total else 1.0

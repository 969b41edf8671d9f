"""German words of dates and times in English, for the reader of dates: übermorgen, in zwei Wochen, Ende des Monats."""

import re
from collections.abc import Mapping

_ONE_WORD: Mapping[str, str] = {
    "heute": "today", "morgen": "tomorrow", "übermorgen": "day after tomorrow", "gestern": "yesterday",
    "vorgestern": "day before yesterday", "mittag": "noon", "mittags": "noon", "vormittag": "morning",
    "vormittags": "morning", "früh": "morning", "nachmittag": "afternoon", "nachmittags": "afternoon",
    "abend": "evening", "abends": "evening", "anfang": "start of", "mitte": "mid", "ende": "end of",
    "bis": "until", "am": "on", "im": "in", "um": "at", "gegen": "at", "ab": "on", "seit": "since",
    "heiligabend": "christmas eve", "weihnachten": "christmas", "silvester": "new year's eve",
    "neujahr": "new year's day", "ostern": "easter", "ostersonntag": "easter sunday", "ostermontag": "easter monday",
    "karfreitag": "good friday", "karsamstag": "easter saturday", "gründonnerstag": "maundy thursday",
    "palmsonntag": "palm sunday", "rosenmontag": "shrove monday", "faschingsdienstag": "shrove tuesday",
    "aschermittwoch": "ash wednesday", "himmelfahrt": "ascension day", "pfingsten": "pentecost",
    "pfingstsonntag": "pentecost", "pfingstmontag": "whit monday", "fronleichnam": "corpus christi",
    "quartalsende": "end of quarter", "monatsende": "end of month", "jahresende": "end of year",
    "wochenende": "weekend", "halbjahr": "6 months", "werktag": "working day", "werktage": "working days",
    "werktagen": "working days", "arbeitstag": "working day", "arbeitstage": "working days",
    "arbeitstagen": "working days",
}  # fmt: skip
_COUNTS: Mapping[str, str] = {
    "zwei": "two", "drei": "three", "vier": "four", "fünf": "five", "sechs": "six", "sieben": "seven",
    "acht": "eight", "neun": "nine", "zehn": "ten", "elf": "eleven", "zwölf": "twelve", "paar": "few",
}  # fmt: skip
# Words with endings: of each what is before them.
_INFLECTED: Mapping[str, str] = {
    "nächst": "next", "kommend": "coming", "dies": "this", "letzt": "last", "vorig": "last", "vergangen": "last",
    "erst": "first", "zweit": "second", "dritt": "third", "viert": "fourth",
}  # fmt: skip
_NOUNS: Mapping[str, str] = {
    "tag": "day", "woche": "week", "monat": "month", "quartal": "quarter", "jahr": "year", "stunde": "hour",
    "minute": "minute",
}  # fmt: skip
_ENDINGS = r"(?:e|es|en|er|em|n|s)?"
_ARTICLES = frozenset(("der", "die", "das", "des", "dem", "den"))
_A = re.compile(rf"\bein{_ENDINGS}\b")
_UMLAUTS = (("ae", "ä"), ("oe", "ö"), ("ue", "ü"))
_HALF_TO = re.compile(r"\bhalb (\S+)")
_QUARTER = re.compile(r"\b(?:viertel|dreiviertel) (?:(vor|nach) )?(\S+)")
_OCLOCK = re.compile(r"\b(\d{1,2})(?:[:.](\d\d))? uhr(?: (\d\d))?\b")
_AGO = re.compile(r"\bvor (.+)$")
_HALVES = (
    (re.compile(r"\b(?:einem )?halben jahr\b"), "6 months"),
    (re.compile(r"\beiner halben stunde\b"), "half an hour"),
)
_DAYS_OF_WEEK: Mapping[str, str] = {
    "montag": "monday", "dienstag": "tuesday", "mittwoch": "wednesday", "donnerstag": "thursday", "freitag": "friday",
    "samstag": "saturday", "sonnabend": "saturday", "sonntag": "sunday",
}  # fmt: skip
_MONTHS: Mapping[str, str] = {
    "januar": "january", "jänner": "january", "februar": "february", "feber": "february", "märz": "march",
    "mai": "may", "juni": "june", "juli": "july", "oktober": "october", "dezember": "december",
}  # fmt: skip
_WEEKDAY = rf"({'|'.join(_DAYS_OF_WEEK)})"
# Of what comes after the next one, and of a day of the week after next.
_AFTER_NEXT = (
    (re.compile(rf"\bübernächste[nrsm]? {_WEEKDAY}\b"), r"\1 week"),
    (re.compile(rf"\b{_WEEKDAY} in (?:acht|8) tagen\b"), r"\1 week"),
    (re.compile(r"\bübernächste[nrsm]? (woche|monat|quartal|jahr)(?:e?s)?\b"), r"\1 after next"),
)
_AT_HOLIDAYS = re.compile(r"\b(?:zu|an|über) (?=ostern|weihnachten|pfingsten|silvester|neujahr)")
# In a note what shows that a day is mentioned, even where it cannot be read.
_IN_NOTES: Mapping[str, str] = {
    "pro": "per", "nach": "after", "vor": "before", "seit": "since", "am": "on", "ab": "on", "im": "in",
}  # fmt: skip
_EVERY = re.compile(r"jede[nrsm]?")
_COMPOUND = re.compile(r"\w+(?:(?P<week>woche|wochen|wochenendes?)|(?P<month>monat|h(?:ä|ae)lfte)s?)")
_HOURS = {word: number for number, word in enumerate(
    ("eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn", "elf", "zwölf"), 1
)}  # fmt: skip
_PARTS_OF_DAY = r"(vormittag|nachmittag|morgen|mittag|abend)"
# Montagmorgen, and am Morgen, heute Morgen, am Montag Morgen: the morning, not the day after this one.
_PART_OF_WEEKDAY = re.compile(rf"\b{_WEEKDAY}{_PARTS_OF_DAY}\b")
_IN_MORNING = re.compile(rf"\b(am|heute|{_WEEKDAY}) morgen\b")
_WEEKDAY_IN_A_WEEK = re.compile(rf"\b{_WEEKDAY} in einer woche\b")
# Where an hour is named, too: morgen früh um 8, nachmittags um 3.
_HOUR_OF_PART = re.compile(
    r"\b(?:am )?(?:(früh|morgens|vormittags?)|nachmittags?|abends?) (?:um|gegen) (\d{1,2})(?:[:.](\d\d))?(?: uhr)?\b"
)


def in_english(written: str) -> str:
    """A German date or time, in small letters, in English words; the names of days and months stay as they are."""
    text = " ".join(_with_umlauts(word) for word in written.split())
    for after_next, english in _AFTER_NEXT:
        text = after_next.sub(english, text)
    text = _PART_OF_WEEKDAY.sub(r"\1 \2", text)
    text = _IN_MORNING.sub(r"\1 früh", text)
    text = _HOUR_OF_PART.sub(_hour_of_part, text)
    text = _WEEKDAY_IN_A_WEEK.sub(r"\1 week", text)
    text = _AT_HOLIDAYS.sub("at ", text).replace("christi himmelfahrt", "himmelfahrt")
    text = _HALF_TO.sub(lambda match: _clock(match[1], -30) or match[0], text)
    text = _QUARTER.sub(_quarter, text)
    text = _OCLOCK.sub(lambda match: f"at {match[1]}:{match[2] or match[3] or '00'}", text)
    for half, english in _HALVES:
        text = half.sub(english, text)
    if ago := _AGO.search(text):
        text = f"{text[: ago.start()]}{ago[1]} ago"
    text = _A.sub("a", text)
    # Um 10 Uhr is at 10:00 once.
    return re.sub(r"\bat at\b", "at", " ".join(filter(None, map(_word, text.split()))))


def kind_of_word(word: str) -> str:
    """The English word for a German one of a note, in small letters, as far as it can belong to a day: a day or month
    by its name, week for Maiwoche, next for übernächste; any other word as it is."""
    word = _with_umlauts(word)
    if word in _ARTICLES:
        return "the"
    if _EVERY.fullmatch(word):
        return "every"
    if _A.fullmatch(word):
        return "a"
    for known in (_IN_NOTES, _DAYS_OF_WEEK, _MONTHS):
        if word in known:
            return known[word]
    english = _word(word.removeprefix("über") if word.startswith("übernächst") else word).partition(" ")[0]
    if english == word and (compound := _COMPOUND.fullmatch(word)):
        return "week" if compound["week"] else "month"
    return english


def _with_umlauts(word: str) -> str:
    """Write naechste as nächste, where that is a word of a date."""
    spelled = word
    for letters, umlaut in _UMLAUTS:
        spelled = spelled.replace(letters, umlaut)
    return spelled if spelled != word and _word(spelled) != spelled else word


def _word(word: str) -> str:
    if word in _ARTICLES:
        return ""
    if word in _ONE_WORD or word in _COUNTS:
        return _ONE_WORD.get(word) or _COUNTS[word]
    for stems, plural in ((_INFLECTED, ""), (_NOUNS, "s")):
        for stem, english in stems.items():
            if re.fullmatch(stem + _ENDINGS, word):
                # In zwei Wochen are weeks; Monats and Jahres are of one.
                return english + (plural if word.endswith("n") else "")
    return word


def _quarter(match: re.Match[str]) -> str:
    if match[0].startswith("dreiviertel"):
        return _clock(match[2], -15) or match[0]
    return _clock(match[2], {"vor": -15, "nach": 15}.get(match[1], -45)) or match[0]


def _hour_of_part(match: re.Match[str]) -> str:
    hour = int(match[2])
    return f"at {hour + (12 if not match[1] and hour < 12 else 0)}:{match[3] or '00'}"


def _clock(hour: str, minutes: int) -> str:
    """The time so many minutes from a full hour, of a working day."""
    number = _HOURS.get(hour) or (int(hour) if hour.isdigit() else 0)
    if not 1 <= number <= 24:
        return ""
    late = number * 60 + minutes
    return f"at {late // 60 + (12 if late < 7 * 60 else 0)}:{late % 60:02}"

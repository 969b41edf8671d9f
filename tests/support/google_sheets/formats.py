"""Number formats: values as text, and typed text as a value with a format."""

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

EPOCH = datetime(1899, 12, 30)
PATTERNS = {
    "DATE": "m/d/yyyy",
    "TIME": "h:mm:ss am/pm",
    "DATE_TIME": "m/d/yyyy h:mm:ss",
    "NUMBER": "#,##0.00",
    "PERCENT": "0.00%",
    "CURRENCY": "$#,##0.00",
    "SCIENTIFIC": "0.00E+00",
}
TIMES = {"DATE", "TIME", "DATE_TIME"}
_DATE_PARTS = re.compile(r'y+|m+|d+|h+|s+|am/pm|a/p|\.0+|"[^"]*"|.', re.IGNORECASE)
_NUMBER = re.compile(
    r"(?P<sign>[-+]?)(?P<money>\$?)(?P<whole>\d{1,3}(?:,\d{3})+|\d*)(?P<rest>\.\d*)?"
    r"(?P<power>[eE][-+]?\d+)?(?P<percent>%?)"
)
_ISO = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})")
_AMERICAN = re.compile(r"(\d{1,2})([-/])(\d{1,2})\2(\d{4}|\d{2})")
_TIME = re.compile(r"(\d{1,2}):(\d\d)(?::(\d\d)(\.\d+)?)?(?: ?([ap])m)?", re.IGNORECASE)

Format = Mapping[str, Any]


def number(given: float) -> float:
    """A number as a cell holds it: a double, told without a point where it is whole."""
    double = float(given)
    return int(double) if double == int(double) and abs(double) < 1e21 else double


def plain(value: float) -> str:
    """A number in a cell that has no format of its own."""
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    if abs(value) >= 1e15 or 0 < abs(value) < 1e-6:
        digits, power = f"{value:.5E}".split("E")
        return f"{digits.rstrip('0').rstrip('.')}E{power}"
    text = f"{value:.10g}"
    return f"{value:.15f}".rstrip("0") if "e" in text else text


def shown(value: float, style: Format | None) -> str:
    """A number as its cell shows it."""
    numbers = (style or {}).get("numberFormat")
    if not numbers or numbers.get("type") == "TEXT":
        return plain(value)
    kind = numbers.get("type", "NUMBER")
    pattern = numbers.get("pattern") or PATTERNS.get(kind, "")
    if not pattern or pattern in ("General", "@"):
        return plain(value)
    return _date(value, pattern) if kind in TIMES else _amount(value, pattern)


def _date(value: float, pattern: str) -> str:
    moment = EPOCH + timedelta(seconds=round(value * 86400, 3))
    parts = _DATE_PARTS.findall(pattern)
    half_day = any(part.lower() in ("am/pm", "a/p") for part in parts)
    out, hours_before = [], False
    for at, part in enumerate(parts):
        low = part.lower()
        following = next((other.lower() for other in parts[at + 1 :] if other[0].lower() in "ymdhs"), "")
        if low[0] == "y":
            out.append(f"{moment.year:04d}" if len(low) > 2 else f"{moment.year % 100:02d}")
        elif low[0] == "m" and (hours_before or following.startswith("s")) and len(low) < 3:
            out.append(f"{moment.minute:0{len(low)}d}")
        elif low[0] == "m":
            out.append(_name(moment, low, "%b", "%B", moment.month))
        elif low[0] == "d":
            out.append(_name(moment, low, "%a", "%A", moment.day))
        elif low[0] == "h":
            hour = (moment.hour % 12 or 12) if half_day else moment.hour
            out.append(f"{hour:0{min(len(low), 2)}d}")
        elif low[0] == "s":
            out.append(f"{moment.second:0{min(len(low), 2)}d}")
        elif low == "am/pm":
            out.append("AM" if moment.hour < 12 else "PM")
        elif low.startswith(".0"):
            out.append(f".{moment.microsecond:06d}"[: len(low)])
        else:
            out.append(part.strip('"') if len(part) > 1 else part)
        if low[0] in "ymdhs":
            hours_before = low[0] == "h"
    return "".join(out)


def _name(moment: datetime, part: str, short: str, long: str, number: int) -> str:
    if len(part) > 2:
        return moment.strftime(short if len(part) == 3 else long)
    return f"{number:0{len(part)}d}"


def _amount(value: float, pattern: str) -> str:
    parts = pattern.split(";")
    if value < 0 and len(parts) > 1:
        return _amount(-value, parts[1])
    core = re.search(r"[#0?][#0?,]*(?:\.[0#?]*)?(?:E\+0+)?", parts[0])
    if not core:
        return plain(value)
    before, after = parts[0][: core.start()], parts[0][core.end() :]
    value = value * 100 if "%" in after else value
    digits, _, decimals = core[0].partition(".")
    needed, most = decimals.count("0"), len(decimals)
    if "E+" in core[0]:
        text = f"{abs(value):.{decimals.split('E')[0].count('0')}E}"
    else:
        text = f"{abs(value):{',' if ',' in digits else ''}.{most}f}"
        if most > needed:
            whole, _, rest = text.partition(".")
            rest = rest[:needed] + rest[needed:].rstrip("0")
            text = f"{whole}.{rest}" if rest else whole
    sign = "-" if value < 0 else ""
    return f"{sign}{_literal(before)}{text}{_literal(after)}"


def _literal(text: str) -> str:
    return re.sub(r"\[[^\]]*\]|\\(?=.)|_.|\*.", "", text).replace('"', "")


def serial(day: date, hours: float = 0.0) -> float:
    """A day as the number that its cell holds."""
    return number((datetime(day.year, day.month, day.day) - EPOCH).days + hours / 24)


# Where a comma stands before the decimals, and a point between thousands.
_COMMA = frozenset(("de", "fr", "es", "it", "nl", "pt", "pl", "ru", "tr", "sv", "da", "nb", "fi", "cs"))
_WITH_COMMA = re.compile(r"([-+]?\d{1,3}(?:\.\d{3})+|[-+]?\d*)(,\d+)?( ?[€%])?")


def typed_number(text: str, locale: str = "en_US") -> tuple[float, Format | None] | None:
    """The number and format that a typed text makes, or None when it makes none."""
    if text.isdecimal() and text.isascii():
        return number(int(text)), None
    if locale.partition("_")[0] in _COMMA:
        found = _WITH_COMMA.fullmatch(text)
        if found is None or not (found[1].lstrip("+-") or found[2]):
            return None
        text = found[1].replace(".", ",") + (found[2] or "").replace(",", ".") + (found[3] or "").strip()
        made = typed_number(text.removesuffix("€"))
        if made is None or not text.endswith("€"):
            return made
        return made[0], _format("CURRENCY", '#,##0.00 "€"')
    found = _NUMBER.fullmatch(text)
    if found is None or not (found["whole"] or found["rest"] not in (None, ".")):
        return None
    value = float(f"{found['sign']}{found['whole'].replace(',', '') or '0'}{found['rest'] or ''}{found['power'] or ''}")
    cents = len(found["rest"] or "") > 1
    amount = ("#,##0" if "," in found["whole"] or found["money"] else "0") + (".00" if cents else "")
    if found["percent"]:
        return number(round(value / 100, 15)), _format("PERCENT", "0.00%" if cents else "0%")
    if found["money"]:
        return number(value), _format("CURRENCY", "$" + amount)
    if found["power"]:
        return number(value), _format("SCIENTIFIC", "0.00E+00")
    return number(value), _format("NUMBER", amount) if "," in found["whole"] else None


def _format(kind: str, pattern: str) -> Format:
    return {"numberFormat": {"type": kind, "pattern": pattern}}


def typed_date(text: str, locale: str) -> tuple[float, Format] | None:
    """The serial number and format that a typed date or time makes, or None when it makes none."""
    if not text[:1].isdigit():
        return None
    day, _, clock = text.replace("T", " ", 1).partition(" ")
    if ":" in day:
        day, clock = "", text
    hours = _hours(clock) if clock else 0.0
    if hours is None:
        return None
    if not day:
        return number(hours / 24), _format("TIME", PATTERNS["TIME"])
    found = _day(day, locale)
    if found is None:
        return None
    if clock:
        return serial(found[0], hours), _format("DATE_TIME", f"{found[1]} h:mm:ss")
    return serial(found[0]), _format("DATE", found[1])


def _hours(text: str) -> float | None:
    clock = _TIME.fullmatch(text.strip())
    if clock is None or int(clock[2]) > 59 or int(clock[3] or 0) > 59:
        return None
    hour = int(clock[1])
    if clock[5]:
        hour = hour % 12 + (12 if clock[5].lower() == "p" else 0)
    return hour + int(clock[2]) / 60 + (int(clock[3] or 0) + float(clock[4] or 0)) / 3600


def _day(text: str, locale: str) -> tuple[date, str] | None:
    try:
        if found := _ISO.fullmatch(text):
            mark = text[4]
            return date(int(found[1]), int(found[2]), int(found[3])), f"yyyy{mark}mm{mark}dd"
        if found := _AMERICAN.fullmatch(text):
            year = int(found[4]) + (2000 if len(found[4]) == 2 else 0)
            first, second, mark = int(found[1]), int(found[3]), found[2]
            if locale == "en_US":
                return date(year, first, second), f"m{mark}d{mark}yyyy"
            return date(year, second, first), f"dd{mark}mm{mark}yyyy"
        if locale != "en_US" and (found := re.fullmatch(r"(\d{1,2})\.(\d{1,2})\.(\d{4})", text)):
            return date(int(found[3]), int(found[2]), int(found[1])), "dd.mm.yyyy"
    except ValueError:
        return None
    return None

"""The content of a cell: a value as it is, or a Cell where there is more to it (a formula, a format, a note)."""

import ast
import operator
import re
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from . import fields, formats
from .formats import Format
from .refusals import Invalid

LONGEST = 50_000


@dataclass(frozen=True, slots=True)
class Mistake:
    """The value of a formula that has none."""

    kind: str
    shown: str
    message: str


Value = str | float | bool | Mistake | None


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell that holds more than a value. Never changed: a change puts another in its place."""

    value: Value = None
    formula: str | None = None
    style: Format | None = None
    note: str | None = None
    more: Mapping[str, Any] | None = None

    def simplest(self) -> "Content":
        """The bare value when there is nothing but it."""
        if self.formula is None and not self.style and not self.note and not self.more:
            return None if isinstance(self.value, Mistake) else self.value
        return self


Content = str | float | bool | None | Cell
Row = list[Content]
"""Without empty cells at its end. Never changed in place, so that a copy of a sheet can share it."""


def value_of(content: Content) -> Value:
    """The value in a cell."""
    return content.value if isinstance(content, Cell) else content


def style_of(content: Content) -> Format | None:
    """The format given to a cell."""
    return content.style if isinstance(content, Cell) else None


def is_empty(content: Content) -> bool:
    """True if a cell shows nothing; it may still have a format or a note."""
    return content is None or (isinstance(content, Cell) and content.value is None and content.formula is None)


def trimmed(row: Row) -> Row:
    """A row without the empty cells at its end; may shorten the list that it is given."""
    while row and row[-1] is None:
        row.pop()
    return row


def with_value(old: Content, value: Value, formula: str | None = None, style: Format | None = None) -> Content:
    """A cell with another value; its format and note stay."""
    if isinstance(value, str) and len(value) > LONGEST:
        raise Invalid(f"Your input contains more than the maximum of {LONGEST} characters in a single cell.")
    if value == "" and formula is None and isinstance(value, str):
        value = None
    if not isinstance(old, Cell) and formula is None and style is None and not isinstance(value, Mistake):
        return value
    kept = old if isinstance(old, Cell) else Cell()
    if style is not None and not (kept.style or {}).get("numberFormat"):
        kept = replace(kept, style={**(kept.style or {}), **style})
    return replace(kept, value=value, formula=formula).simplest()


def raw(old: Content, given: object) -> Content:
    """The content of a cell written RAW, or as a typed value: text stays text."""
    if isinstance(given, bool | str):
        return with_value(old, given)
    if isinstance(given, int | float):
        return with_value(old, formats.number(given))
    raise Invalid(f"Invalid value: {given!r}")


def entered(old: Content, given: object, locale: str) -> Content:
    """The content of a cell written as if a person typed it: formulas, numbers, dates and booleans are parsed."""
    if not isinstance(given, str):
        return raw(old, given)
    if given.startswith("'"):
        return with_value(old, given[1:])
    if (style_of(old) or {}).get("numberFormat", {}).get("type") == "TEXT":
        return with_value(old, given)
    if given.startswith("=") and len(given) > 1:
        return with_value(old, evaluated(given), given)
    text = given.strip()
    if text.upper() in ("TRUE", "FALSE"):
        return with_value(old, text.upper() == "TRUE")
    found = formats.typed_number(text, locale) or formats.typed_date(text, locale)
    if found is not None:
        return with_value(old, found[0], None, found[1])
    if text.startswith("+") and len(text) > 1:
        return with_value(old, evaluated("=" + text), "=" + text)
    return with_value(old, given)


_OPERATIONS: dict[type[ast.AST], Callable[..., float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}


def evaluated(formula: str) -> Value:
    """The value of a formula of plain arithmetic or of one text; of any other, an honest mistake."""
    mistake = Mistake("ERROR", "#ERROR!", "Formula parse error.")
    if re.search(r"[^\W\d]", re.sub(r'"[^"]*"', "", formula)):
        mistake = Mistake("NAME", "#NAME?", "Unknown function or range.")
    try:
        value = _worth(ast.parse(formula[1:].strip().replace("^", "**"), mode="eval").body)
    except ZeroDivisionError:
        return Mistake("DIVIDE_BY_ZERO", "#DIV/0!", "Function DIVIDE parameter 2 cannot be zero.")
    except (SyntaxError, KeyError, TypeError, ValueError, OverflowError, RecursionError, MemoryError):
        return mistake
    return formats.number(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _worth(node: ast.AST) -> Any:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float | str):
        return node.value
    if isinstance(node, ast.Name) and node.id.upper() in ("TRUE", "FALSE"):
        return node.id.upper() == "TRUE"
    if isinstance(node, ast.BinOp):
        return _OPERATIONS[type(node.op)](_worth(node.left), _worth(node.right))
    if isinstance(node, ast.UnaryOp):
        return _OPERATIONS[type(node.op)](_worth(node.operand))
    raise ValueError(ast.dump(node))


def shown(content: Content) -> str:
    """A cell as a person sees it."""
    value, style = (content.value, content.style) if isinstance(content, Cell) else (content, None)
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, Mistake):
        return value.shown
    return formats.shown(value, style)


def unformatted(content: Content, days_as_text: bool = False) -> Any:
    """The value of a cell in JSON."""
    value = value_of(content)
    if isinstance(value, Mistake):
        return value.shown
    if days_as_text and isinstance(value, int | float) and not isinstance(value, bool):
        kind = (style_of(content) or {}).get("numberFormat", {}).get("type")
        return shown(content) if kind in formats.TIMES else value
    return "" if value is None else value


def extended(value: Value) -> dict[str, Any]:
    """A value as an ExtendedValue."""
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, str):
        return {"stringValue": value}
    if isinstance(value, Mistake):
        return {"errorValue": {"type": value.kind, "message": value.message}}
    return {"numberValue": value}


def from_extended(old: Content, given: Mapping[str, Any] | None) -> Content:
    """A cell with the value that an ExtendedValue gives; none empties it."""
    if not given:
        return with_value(old, None)
    for name, value in given.items():
        if value is None:
            continue
        if name == "stringValue":
            return with_value(old, str(value))
        if name == "numberValue":
            return with_value(old, formats.number(float(value)))
        if name == "boolValue":
            return with_value(old, bool(value))
        if name == "formulaValue":
            text = str(value)
            return with_value(old, evaluated(text), text) if text.startswith("=") else with_value(old, text)
        raise Invalid("ErrorValue cannot be set.")
    return with_value(old, None)


def normal_style(style: Mapping[str, Any]) -> dict[str, Any]:
    """A format as the service keeps it: each colour also as a style, without the parts that are zero."""
    result: dict[str, Any] = {}
    for name, value in style.items():
        if value is None:
            continue
        if name.endswith("Color") and isinstance(value, dict):
            result[name] = colour(value)
            result[name + "Style"] = {"rgbColor": colour(value)}
        elif name.endswith("ColorStyle") and isinstance(value, dict):
            if isinstance(value.get("rgbColor"), dict):
                result[name] = {"rgbColor": colour(value["rgbColor"])}
                result[name.removesuffix("Style")] = colour(value["rgbColor"])
            elif value.get("themeColor"):
                result[name] = value
        else:
            result[name] = normal_style(value) if isinstance(value, dict) else value
    return result


def colour(given: Mapping[str, Any]) -> dict[str, Any]:
    """A colour as the service keeps it: each part in 256 steps, told in single precision, without what is zero."""
    steps = {name: int(part * 255 + 1e-6) / 255 for name, part in given.items() if part}
    return {name: _single(part) for name, part in steps.items() if part}


def _single(part: float) -> float:
    exact = struct.unpack("f", struct.pack("f", part))[0]
    return formats.number(float(f"{exact:.8g}"))


Change = Callable[[Content, Mapping[str, Any]], Content]
KNOWN = {"userEnteredValue", "userEnteredFormat", "note", "dataValidation", "hyperlink", "textFormatRuns"}


def changing(mask: fields.Mask) -> Change:
    """A function that copies the masked fields of a CellData into a cell."""
    names = set(mask) or KNOWN
    if names == {"userEnteredValue"}:
        return lambda old, data: from_extended(old, data.get("userEnteredValue"))

    def change(old: Content, data: Mapping[str, Any]) -> Content:
        new = from_extended(old, data.get("userEnteredValue")) if "userEnteredValue" in names else old
        cell = new if isinstance(new, Cell) else Cell(new)
        if "userEnteredFormat" in names:
            given = normal_style(data.get("userEnteredFormat") or {})
            cell = replace(cell, style=fields.merged(dict(cell.style or {}), given, _styled(mask)) or None)
        if "note" in names:
            cell = replace(cell, note=data.get("note") or None)
        if "textFormatRuns" in names:
            runs = data.get("textFormatRuns")
            cell = replace(cell, more={"textFormatRuns": runs} if runs else None)
        return cell.simplest()

    return change


def _styled(mask: fields.Mask) -> fields.Mask:
    """A mask in which a colour named is named as a style, too."""
    style = mask.get("userEnteredFormat", fields.EVERYTHING)

    def both(part: fields.Mask) -> fields.Mask:
        result: fields.Mask = {}
        for name, under in part.items():
            result[name] = both(under)
            if name.endswith("Color"):
                result[name + "Style"] = {}
            elif name.endswith("ColorStyle"):
                result[name.removesuffix("Style")] = {}
        return result

    return both(style)

"""Field masks: `sheets(properties(title,index),data/rowData)` as a tree, and what they leave of a reply."""

from collections.abc import Iterator
from typing import Any

from .refusals import Invalid

Mask = dict[str, "Mask"]
"""A field mask: the fields below each name; an empty mask means all fields."""
EVERYTHING: Mask = {}


def parsed(text: str) -> Mask:
    """The tree of a mask; '*' is everything."""
    mask, rest = _read(text.replace(" ", ""), 0)
    if rest != len(text.replace(" ", "")):
        raise Invalid(f"Invalid field mask: {text}")
    return EVERYTHING if "*" in mask else mask


def _read(text: str, at: int) -> tuple[Mask, int]:
    mask: Mask = {}
    while True:
        node, name, whole = mask, "", False
        while True:
            start = at
            while at < len(text) and text[at] not in ".,/()":
                at += 1
            name = text[start:at]
            if not name:
                raise Invalid(f"Invalid field mask: {text}")
            known = name in node
            child = node.setdefault(name, {})
            # What was asked for as a whole stays whole when a part of it is named too.
            whole = whole or (known and not child)
            if at < len(text) and text[at] in "./":
                node, at = child, at + 1
                continue
            if at < len(text) and text[at] == "(":
                inner, at = _read(text, at + 1)
                if at >= len(text) or text[at] != ")":
                    raise Invalid(f"Invalid field mask: {text}")
                at += 1
                if "*" not in inner and not whole:
                    child.update(inner)
            elif not whole:
                child.clear()
            break
        if at < len(text) and text[at] == ",":
            at += 1
            continue
        return mask, at


def kept(value: Any, mask: Mask) -> Any:
    """The part of a JSON value that a mask keeps."""
    if not mask or "*" in mask:
        return value
    if isinstance(value, list):
        return [kept(one, mask) for one in value]
    if isinstance(value, dict):
        return {name: kept(value[name], below) for name, below in mask.items() if name in value}
    return value


def below(mask: Mask, *names: str) -> Mask | None:
    """The mask under a path of names; None when it is not asked for."""
    for name in names:
        if not mask:
            return mask
        if name not in mask:
            return None
        mask = mask[name]
    return mask


def paths(mask: Mask, before: str = "") -> Iterator[str]:
    """Each path that a mask names in full."""
    for name, under in mask.items():
        if under:
            yield from paths(under, f"{before}{name}.")
        else:
            yield before + name


def merged(old: dict[str, Any], new: dict[str, Any], mask: Mask) -> dict[str, Any]:
    """An object in which what the mask names is taken from the new one, and is gone where that has nothing."""
    if not mask:
        return {name: value for name, value in new.items() if value is not None}
    result = dict(old)
    for name, under in mask.items():
        value = new.get(name)
        if under and (isinstance(value, dict) or value is None):
            value = merged(result.get(name) or {}, value or {}, under) or None
        if value is None:
            result.pop(name, None)
        else:
            result[name] = value
    return result

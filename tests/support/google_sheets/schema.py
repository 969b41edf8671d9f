"""Google's own description of its services, and the validation of requests by it."""

import json
import re
from collections.abc import Callable, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from .fields import Mask
from .refusals import Refusal, violation

Json = dict[str, Any]
Check = Callable[[Any], None]
NUMBERS = (int, float)
LIMITS = {"int32": 2**31, "uint32": 2**32}
TYPES = {"string": "TYPE_STRING", "boolean": "TYPE_BOOL", "integer": "TYPE_INT32", "number": "TYPE_DOUBLE"}


class Misfit(Exception):
    """Something in a request that the description does not have; `path` is put together from the inside out."""

    def __init__(self, unknown: str = "", kind: str = "", value: object = None) -> None:
        super().__init__(unknown or kind)
        self.unknown = unknown
        self.kind = kind
        self.value = value
        self.path = ""

    def under(self, step: str) -> "Misfit":
        """The same, told from one step further out."""
        self.path = step + ("." if self.path and not self.path.startswith("[") else "") + self.path
        return self

    def refusal(self, before: str = "") -> Refusal:
        """The error reply; `before` is the field of the request that the body goes into."""
        path = (before + "." if before and self.path else before) + self.path
        if self.unknown:
            place = f" at '{path}'" if path else ""
            sentence = f'Invalid JSON payload received. Unknown name "{self.unknown}"{place}: Cannot find field.'
        elif self.kind == "struct":
            return violation(path, f"Invalid {path}: struct_value {json.dumps(self.value)[:100]}")
        else:
            given = json.dumps(self.value, ensure_ascii=False)
            sentence = f"Invalid value at '{path}' ({self.kind}), {given[:200]}"
        return violation(path, sentence)


@cache
def document(service: str) -> Json:
    """The description of a service: 'sheets.v4' or 'drive.v3'."""
    found = find_spec("googleapiclient")
    assert found is not None
    assert found.origin is not None, "google-api-python-client holds the descriptions of the services"
    path = Path(found.origin).parent / "discovery_cache" / "documents" / f"{service}.json"
    result: Json = json.loads(path.read_text(encoding="utf-8"))
    return result


def snake(name: str) -> str:
    """A name as messages spell it: camelCase becomes camel_case."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()


@cache
def check_of(service: str, name: str) -> Check:
    """A function that raises Misfit for an object which is not as the schema says."""
    properties = document(service)["schemas"][name].get("properties", {})
    checks: dict[str, Check] = {}

    # Some schemas hold themselves, so what a property needs is looked up when it is first met.
    def check(value: Any) -> None:
        if type(value) is not dict:
            raise Misfit(kind=f"type.googleapis.com/google.apps.sheets.v4.{name}", value=value)
        for key, one in value.items():
            if one is None:
                if key not in properties:
                    raise Misfit(unknown=key)
                continue
            known = checks.get(key)
            if known is None:
                if key not in properties:
                    raise Misfit(unknown=key)
                known = checks[key] = _compiled(service, properties[key], key)
            try:
                known(one)
            except Misfit as misfit:
                raise misfit.under(snake(key)) from None

    return _quick_cell(check) if name == "CellData" else check


def _quick_cell(check: Check) -> Check:
    """Most cells hold one typed value and nothing else: those are seen at once."""
    kinds: dict[str, tuple[type, ...]] = {
        "stringValue": (str,),
        "numberValue": (int, float),
        "boolValue": (bool,),
        "formulaValue": (str,),
    }

    def quick(value: Any) -> None:
        if type(value) is dict and len(value) == 1:
            inner = value.get("userEnteredValue")
            if type(inner) is dict and len(inner) == 1:
                ((key, one),) = inner.items()
                if type(one) in kinds.get(key, ()):
                    return
        if value != {}:
            check(value)

    return quick


def _compiled(service: str, what: Mapping[str, Any], name: str) -> Check:
    if "$ref" in what:
        return check_of(service, what["$ref"])
    kind = what["type"]
    if kind == "array":
        return _array(service, what["items"], name)
    if kind == "object":
        return _mapping(service, what, name)
    if kind == "any":
        return _scalar
    if "enum" in what:
        return _enumeration(frozenset(what["enum"]), name)
    return _simple(kind, what.get("format", ""))


def _array(service: str, items: Mapping[str, Any], name: str) -> Check:
    inner = _compiled(service, items, name)
    kind = "type.googleapis.com/google.protobuf.ListValue" if items.get("type") == "array" or name == "values" else ""

    def check(value: Any) -> None:
        if type(value) is not list:
            raise Misfit(kind=kind or "TYPE_MESSAGE", value=value)
        at = 0
        try:
            for at, one in enumerate(value):  # noqa: B007 - the place is told when something is wrong there
                inner(one)
        except Misfit as misfit:
            raise misfit.under(f"[{at}]") from None

    return check


def _mapping(service: str, what: Mapping[str, Any], name: str) -> Check:
    inner = _compiled(service, what["additionalProperties"], name) if "additionalProperties" in what else None

    def check(value: Any) -> None:
        if type(value) is not dict:
            raise Misfit(kind="TYPE_MESSAGE", value=value)
        if inner is not None:
            for one in value.values():
                inner(one)

    return check


def _scalar(value: Any) -> None:
    if isinstance(value, dict | list):
        raise Misfit(kind="struct", value=value)


def _enumeration(names: frozenset[str], name: str) -> Check:
    def check(value: Any) -> None:
        if type(value) is not str or value not in names:
            raise Misfit(kind=f"type.googleapis.com/google.apps.sheets.v4.{name[0].upper()}{name[1:]}", value=value)

    return check


def _simple(kind: str, form: str) -> Check:
    type_name = form.upper() if form in LIMITS else TYPES[kind].removeprefix("TYPE_")

    def check(value: Any) -> None:
        if kind == "string":
            fits = type(value) is str
        elif kind == "boolean":
            fits = type(value) is bool
        elif kind == "number":
            fits = type(value) in NUMBERS
        else:
            fits = type(value) in NUMBERS and value == int(value) and abs(value) < LIMITS.get(form, 2**63)
        if not fits:
            raise Misfit(kind=f"TYPE_{type_name}", value=value)

    return check


def refuse_body(service: str, name: str, body: Any, before: str = "") -> None:
    """Refuse a body that does not fit the schema of a request."""
    try:
        check_of(service, name)(body)
    except Misfit as misfit:
        raise misfit.refusal(before) from None


@cache
def method(service: str, id: str) -> Json:
    """The description of a method, by its id without the service's name: 'spreadsheets.values.get'."""
    found: Json = document(service)
    *resources, name = id.split(".")
    for resource in resources:
        found = found["resources"][resource]
    result: Json = found["methods"][name]
    return result


def refuse_query(service: str, id: str, query: Mapping[str, list[str]]) -> None:
    """Refuse parameters that a method does not have, and values that a parameter does not take."""
    own, for_all = method(service, id).get("parameters", {}), document(service)["parameters"]
    for name, values in query.items():
        known = own.get(name) or for_all.get(name)
        if known is None or known.get("location") == "path":
            raise violation(
                "",
                f'Invalid JSON payload received. Unknown name "{name}": Cannot bind query parameter. '
                f"Field '{name}' could not be found in request message.",
            )
        for value in values:
            kind = known.get("type")
            fits = (
                (kind == "boolean" and value.lower() in ("true", "false"))
                or (kind == "integer" and re.fullmatch(r"-?\d+", value))
                or (kind == "string" and ("enum" not in known or value in known["enum"]))
            )
            if not fits and not (value == "" and "enum" not in known):
                raise Misfit(kind=TYPES.get(str(kind), "TYPE_ENUM"), value=value).under(snake(name)).refusal()


def unknown_path(service: str, name: str, mask: Mask) -> str:
    """The first path of a mask that a schema does not have; '' when it has them all."""
    properties = document(service)["schemas"][name].get("properties", {})
    for key, under in mask.items():
        if key == "*":
            continue
        if key not in properties:
            return key
        what = properties[key]
        while what.get("type") == "array":
            what = what["items"]
        if under and "$ref" in what and (wrong := unknown_path(service, what["$ref"], under)):
            return f"{key}.{wrong}"
    return ""

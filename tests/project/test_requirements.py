"""The requirements name every library that is installed with the program, with its version."""

from importlib.metadata import distribution

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.conftest import PROJECT


def _pinned() -> dict[str, str]:
    """The version of each library, by its name, as far as it is meant for this Python."""
    lines = (PROJECT / "requirements.txt").read_text("utf-8").splitlines()
    named = [Requirement(each) for each in lines if each and not each.startswith("#")]
    return {
        canonicalize_name(each.name): str(each.specifier).removeprefix("==")
        for each in named
        if each.marker is None or each.marker.evaluate()
    }


def _needed(name: str, extras: frozenset[str], found: dict[tuple[str, frozenset[str]], str]) -> None:
    """Adds a library with all that it needs here to what was found."""
    if (name, extras) in found:
        return
    library = distribution(name)
    found[name, extras] = library.version
    for each in map(Requirement, library.requires or ()):
        if each.marker is None or any(each.marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            _needed(canonicalize_name(each.name), frozenset(each.extras), found)


def test_all_libraries_are_pinned_those_of_libraries_too() -> None:
    pinned = _pinned()
    found: dict[tuple[str, frozenset[str]], str] = {}
    for name in pinned:
        _needed(name, frozenset(), found)
    assert {name: version for (name, _), version in found.items()} == pinned

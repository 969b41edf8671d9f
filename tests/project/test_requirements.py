"""The requirements name every library that is installed with the program, with its version."""

from importlib.metadata import distribution

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.conftest import PROJECT


def _pinned() -> dict[str, str]:
    """The version of each library, by its name, as far as it is meant for this Python."""
    lines = (PROJECT / "requirements.txt").read_text("utf-8").splitlines()
    named = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {
        canonicalize_name(requirement.name): str(requirement.specifier).removeprefix("==")
        for requirement in named
        if requirement.marker is None or requirement.marker.evaluate()
    }


def _needed(name: str, extras: frozenset[str], found: dict[tuple[str, frozenset[str]], str]) -> None:
    """Add a library with all that it needs here to what was found."""
    if (name, extras) in found:
        return
    library = distribution(name)
    found[name, extras] = library.version
    for requirement in map(Requirement, library.requires or ()):
        if requirement.marker is None or any(requirement.marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            _needed(canonicalize_name(requirement.name), frozenset(requirement.extras), found)


def test_all_libraries_are_pinned_with_their_dependencies() -> None:
    pinned = _pinned()
    found: dict[tuple[str, frozenset[str]], str] = {}
    for name in pinned:
        _needed(name, frozenset(), found)
    assert {name: version for (name, _), version in found.items()} == pinned

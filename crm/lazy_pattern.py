"""`re.compile` for modules that every start loads: a pattern is compiled when it is first used.

The standard library compiles in Python: the ninety patterns that a list of clients loads take as long as reading its
rows, and it matches two or three of them.
"""

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    lazy_pattern = re.compile
else:

    def lazy_pattern(text: str, flags: int = 0) -> "_Pattern":
        """Return what `re.compile` returns; a mistake in the pattern is found at its first use."""
        return _Pattern(text, flags)


class _Pattern:
    """A pattern that is compiled when its first method is asked for; from then on it has those of `re.Pattern`."""

    def __init__(self, text: str, flags: int) -> None:
        self.pattern = text
        self._flags = flags

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        compiled = re.compile(self.pattern, self._flags)
        # Found without this function the next time, and as quickly as those of the pattern itself.
        vars(self).update({method: getattr(compiled, method) for method in dir(compiled) if method[0] != "_"})
        return getattr(compiled, name)

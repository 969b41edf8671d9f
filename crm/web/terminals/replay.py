"""The replay of a terminal's screen, kept short, for a page that comes later."""

import re

# Erasing the whole screen begins a page of the menu: nothing before it can be seen any more.
_ERASED = b"\x1b[2J"
_MODES = re.compile(rb"\x1b\[\?([\d;]+)([hl])")
_MOST = 200_000


class Replay:
    """The output since the screen was last erased, at most 200 KB of it, and the modes that were set before."""

    def __init__(self) -> None:
        self._output = bytearray()
        self._modes: dict[bytes, bytes] = {}

    def add(self, output: bytes) -> None:
        """Take in what was written to the terminal."""
        # The sequence may have come in two pieces.
        start = max(0, len(self._output) - len(_ERASED) + 1)
        self._output += output
        erased = self._output.rfind(_ERASED, start)
        if erased > 0:
            self._drop(erased)
        if len(self._output) > _MOST:
            # A line's end is never in the midst of a sequence or a character.
            line = self._output.find(b"\n", len(self._output) - _MOST * 3 // 4)
            self._drop(line + 1 if line >= 0 else len(self._output))

    def _drop(self, end: int) -> None:
        for numbers, state in _MODES.findall(self._output[:end]):
            self._modes.update(dict.fromkeys(numbers.split(b";"), state))
        del self._output[:end]

    def screen(self) -> bytes:
        """The output that brings a fresh terminal of the same size to the same screen."""
        modes = b"".join(b"\x1b[?%b%b" % mode for mode in self._modes.items())
        return modes + bytes(self._output)

"""The name of this program, as the person who started it typed it."""

import sys
from pathlib import Path

_INSTALLED, _SCRIPT = "crm", "run.py"


def name() -> str:
    """The name of the program: `crm` where it is installed, else `run.py`."""
    # The process behind a menu in a browser was started under another name.
    is_installed = Path(sys.argv[0]).stem == _INSTALLED or not (Path(__file__).parents[1] / "pyproject.toml").is_file()
    return _INSTALLED if is_installed else _SCRIPT


def command(words: str = "") -> str:
    """What has to be typed to start it: `crm sign-in`, or `python run.py sign-in`."""
    called = name()
    return f"{called if called == _INSTALLED else f'python {called}'} {words}".strip()

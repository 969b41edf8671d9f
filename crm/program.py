"""The name of this program, as the person who started it typed it."""

import sys
from contextlib import suppress
from pathlib import Path
from shutil import which

INSTALLED, _SCRIPT, _VENV = "crm", "run.py", Path(".venv")
FOLDER = Path(__file__).parents[1]


def name() -> str:
    """The name of the program: `crm` where it is installed, else `run.py`."""
    # The process behind a menu in a browser was started under another name.
    is_installed = Path(sys.argv[0]).stem == INSTALLED or not (FOLDER / "pyproject.toml").is_file()
    return INSTALLED if is_installed else _SCRIPT


def command(words: str = "") -> str:
    """The command line that starts it: `crm sign-in`, or in its folder `.venv/bin/python run.py sign-in`."""
    called = name()
    return f"{called if called == INSTALLED else f'{_python()} {called}'} {words}".strip()


def _python() -> str:
    """The Python that has what the program needs, as it is called in the program's folder."""
    running = Path(sys.executable)
    interpreter = which("python")
    if interpreter is None or Path(interpreter).parent != running.parent:
        for path in (_VENV / "bin/python", _VENV / "Scripts/python.exe"):
            with suppress(OSError):
                if (FOLDER / path).parent.samefile(running.parent):
                    return str(path)
    return "python"

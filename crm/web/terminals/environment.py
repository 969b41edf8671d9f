"""The environment of a menu: of the server's own what is listed here, and nothing else."""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from crm.config import ENVIRONMENT, SQLITE
from crm.errors import FieldError
from crm.model.paths import path_of

_PROGRAM = Path(__file__).absolute().parents[3]
# Language, time and where data lies; how the network is reached; and what Python needs to start on some hosts.
_PASSED = (
    "LANG", "LC_ALL", "LC_MONETARY", "TZ", "HOME", "XDG_DATA_HOME", "CREDS", "DATABASE_URL", "NO_COLOR",
    "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE",
    "LD_LIBRARY_PATH", "PYTHONHOME", "PYTHONPATH",
)  # fmt: skip
# What lets commands run unattended is for none of those who sign in.
_OF_THE_SHELL = ("CRM_KEY", "CRM_KEY_FILE")
_FIXED = {
    "TERM": "xterm-256color",
    "COLORTERM": "truecolor",
    # Answers of the terminal would be typed into the menu.
    "PROMPT_TOOLKIT_NO_CPR": "1",
    "PYTHONIOENCODING": "utf-8",
    # Modules come from this program, and never from the folder that it was started in.
    "PYTHONSAFEPATH": "1",
    # Memory that a menu has given back is given back to the machine, and there is one heap to share.
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_TRIM_THRESHOLD_": "131072",
}


def menu_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of every menu. Paths in it are absolute: each menu works in a folder of its own."""
    named = {*_PASSED, *(option.variable for option in ENVIRONMENT)}
    passed = {name: value for name, value in environment.items() if name in named or name.startswith("CRM_")}
    for name in _OF_THE_SHELL:
        passed.pop(name, None)
    store = passed.get("CRM_STORE", "")
    if store.startswith(SQLITE) and store != SQLITE:
        passed["CRM_STORE"] = f"{SQLITE}{_absolute(store.removeprefix(SQLITE))}"
    if passed.get("CRM_CREDS"):
        passed["CRM_CREDS"] = _absolute(passed["CRM_CREDS"])
    modules = [str(_PROGRAM), *(_absolute(part) for part in passed.get("PYTHONPATH", "").split(os.pathsep) if part)]
    return {**passed, **_FIXED, "PYTHONPATH": os.pathsep.join(modules)}


def _absolute(path: str) -> str:
    # What names no file is left as it is: the menu says why.
    with suppress(FieldError):
        return str(path_of(path).absolute())
    return path

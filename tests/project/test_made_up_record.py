"""A made-up record, added by one folder in each layer, works in every door, store and page."""

import subprocess
from pathlib import Path

import pytest

from tests.conftest import PROJECT, PYTHON, child_environment

FOLDER = Path(__file__).parent / "made_up"
# What every record and command of the program has to keep, the made-up ones too.
RULES = (
    "tests/model/test_model_registry.py",
    "tests/commands/test_register.py::test_every_empty_list_has_its_own_message",
    "tests/terminal/toolkit/test_hints.py",
)


# Its menus are processes of their own, which takes longer.
@pytest.mark.parametrize("cases", ["not slow", pytest.param("slow", marks=pytest.mark.slow)])
def test_a_record_declared_once_works_everywhere(cases: str) -> None:
    environment = child_environment()
    environment.pop("PYTEST_ADDOPTS", None)
    environment["PYTHONPATH"] = f"{environment['PYTHONPATH']}:{FOLDER}"
    options = [f"-p{name}" for name in ("made_up_subject", "no:cacheprovider")]
    tried = subprocess.run(
        [PYTHON, "-m", "pytest", *options, "-n0", "-m", cases, FOLDER / "cases.py", *RULES],
        cwd=PROJECT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert tried.returncode == 0, tried.stdout + tried.stderr

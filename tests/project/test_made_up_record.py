"""A made-up record, added by one folder in each layer, works in every door, store and page."""

import subprocess
from pathlib import Path

import pytest

from tests.conftest import PROJECT, PYTHON, child_environment

FOLDER = Path(__file__).parent / "made_up"


@pytest.mark.slow
def test_a_record_declared_once_works_everywhere() -> None:
    environment = child_environment()
    environment.pop("PYTEST_ADDOPTS", None)
    environment["PYTHONPATH"] = f"{environment['PYTHONPATH']}:{FOLDER}"
    options = [f"-p{name}" for name in ("made_up_subject", "no:cacheprovider")]
    tried = subprocess.run(
        [PYTHON, "-m", "pytest", *options, FOLDER / "cases.py"],
        cwd=PROJECT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert tried.returncode == 0, tried.stdout + tried.stderr

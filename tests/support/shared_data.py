"""Real data of other people for tests: not in the repository, but beside the checkout if there is any."""

import os
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("CRM_SHARED_DATA") or Path(__file__).resolve().parents[3] / "shared")
WHY = f"needs data that is not in the repository: {SHARED} (or where CRM_SHARED_DATA says)"


def shared(name: str) -> Path:
    """A file or a folder of that data; the test is skipped where it is not there."""
    path = SHARED / name
    if not path.exists():
        pytest.skip(WHY)
    return path

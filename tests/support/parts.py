"""The quarter of the slow tests that CI tries with this commit."""

import os
import subprocess
from pathlib import Path
from zlib import crc32

PARTS = 4
# Names the part, to repeat a run of CI on another commit or to try the other parts.
VARIABLE = "TEST_PART"


def part(project: Path) -> int:
    """0 to 3 by the number of commits, so that four commits after one another try all rows. Where only the last
    commits are there, by the last one's name; without git 0."""
    if named := os.environ.get(VARIABLE):
        return int(named) % PARTS
    if _git(project, "rev-parse", "--is-shallow-repository") == "true":
        return int(_git(project, "rev-parse", "HEAD"), 16) % PARTS
    return int(_git(project, "rev-list", "--count", "HEAD") or 0) % PARTS


def part_of(row: str) -> int:
    """The part in which a row is tried, by its name alone: other rows may come and go."""
    return crc32(row.encode()) % PARTS


def _git(project: Path, *words: str) -> str:
    # Only the project's own history counts, not that of a folder around an unpacked archive.
    if not (project / ".git").exists():
        return ""
    try:
        return subprocess.run(
            ["git", "-C", str(project), *words], capture_output=True, text=True, check=False
        ).stdout.strip()
    except OSError:
        return ""

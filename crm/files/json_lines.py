"""Writing objects as a list in a JSON file, one a line."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from crm.files.safe_writing import replacing
from crm.model.encoding import plain


def write_objects(path: Path, objects: Iterable[Any]) -> int:
    """Write records, reports or mappings one after the other, and say how many. Raises FileError."""
    count = 0
    with replacing(path) as file:
        file.write(b"[")
        for entry in objects:
            line = json.dumps(plain(entry), ensure_ascii=False)
            file.write((b",\n" if count else b"\n") + line.encode("utf-8", "replace"))
            count += 1
        file.write(b"\n]\n")
    return count

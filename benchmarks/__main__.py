"""Runs the benchmarks, all or those named, and prints each figure beside its floor; exits 1 where a claim fails."""

import sys
import tempfile
from importlib import import_module
from pathlib import Path

from rich.console import Console
from rich.table import Table

NAMES = (
    "start", "page", "search", "timeline", "record_sale", "review", "import_clients", "reports", "pipeline", "board",
    "outbox", "spreadsheet", "web",
)  # fmt: skip


def main(names: list[str]) -> int:
    """Measures and prints; 0 where every claim holds."""
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        print(f"no benchmark {unknown[0]}; there are {', '.join(NAMES)}")
        return 2
    table = Table(title="Claims and their floors (medians)")
    for column in ("", "measured", "floor", "ratio", "claim", "holds", ""):
        table.add_column(column)
    holds = True
    with tempfile.TemporaryDirectory(prefix="crm-benchmark-") as folder:
        for name in names or NAMES:
            for result in import_module(f"benchmarks.{name}").measure(Path(folder)):
                holds &= result.holds
                table.add_row(
                    result.name,
                    _shown(result.measured, result.name),
                    f"{_shown(result.floor, result.name)} {result.floor_name}",
                    f"{result.ratio:.2f}",
                    result.limit,
                    "yes" if result.holds else "NO",
                    result.note,
                )
    Console(width=200).print(table)
    return 0 if holds else 1


def _shown(figure: float, name: str) -> str:
    if "(MB)" in name:
        return f"{figure:.0f} MB"
    return f"{figure:.2f} s" if figure >= 1 else f"{figure * 1000:.3f} ms"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

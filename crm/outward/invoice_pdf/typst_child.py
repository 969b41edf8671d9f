"""The process that compiles: it reads requests from its input until that ends, and answers each on its output.

A template of the team's own is code, so it runs here, with a time limit that the other side holds, without a network,
and with no file but those of the request. A request and an answer are a line of JSON with the length of the bytes that
follow it.
"""

import contextlib
import json
import shutil
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any, BinaryIO

FONTS = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSans-Oblique.ttf")
_TEXTS = (".typ", ".xml")


def main() -> None:
    """Answer requests until there are no more."""
    import typst

    incoming, outgoing = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr
    with tempfile.TemporaryDirectory(prefix="crm-pdf-") as folder:
        fonts = Path(folder) / "fonts"
        fonts.mkdir()
        (Path(folder) / "empty").mkdir()
        for path in font_files():
            shutil.copy(path, fonts)
        ours = typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=[fonts])
        everybodys: Any = None
        while line := incoming.readline():
            request = json.loads(line)
            chosen = ours
            if request["system_fonts"]:
                everybodys = everybodys or typst.Fonts(font_paths=[fonts])
                chosen = everybodys
            files = {name: incoming.read(length) for name, length in request["files"]}
            answer(outgoing, *compiled(typst, chosen, request, files, Path(folder)))


def font_files() -> list[Path]:
    """The fonts that come with matplotlib, which the program needs anyway: the same on every machine."""
    package = find_spec("matplotlib")
    if package is None or package.origin is None:
        return []
    folder = Path(package.origin).parent / "mpl-data" / "fonts" / "ttf"
    return [folder / name for name in FONTS if (folder / name).is_file()]


def compiled(
    typst: Any, fonts: Any, request: dict[str, Any], files: dict[str, bytes], folder: Path
) -> tuple[str, bytes]:
    """The answer to a request: '' and the file, or what typst said is wrong."""
    # typst takes texts from memory, but no pictures: they go into a folder that nobody else has anything in.
    texts = {name: data for name, data in files.items() if name.endswith(_TEXTS)}
    if len(texts) == len(files):
        return _compiled(typst, fonts, request, texts, folder / "empty")
    with tempfile.TemporaryDirectory(dir=folder) as name:
        root = Path(name)
        for file, data in files.items():
            if file not in texts:
                (root / file).write_bytes(data)
        return _compiled(typst, fonts, request, texts, root)


def _compiled(
    typst: Any, fonts: Any, request: dict[str, Any], texts: dict[str, bytes], root: Path
) -> tuple[str, bytes]:
    try:
        # Packages would be fetched; there are none here, and no network.
        compiler = typst.Compiler(
            texts,
            root=root,
            font_paths=fonts,
            sys_inputs={"data": request["data"]},
            package_path=root / "none",
            package_cache_path=root / "none",
        )
        made = compiler.compile(
            format=request["format"],
            pdf_standards=request["standards"],
            timestamp=request["timestamp"],
            ppi=request.get("ppi"),
        )
    except typst.TypstError as error:
        return f"{error.message}\n{error.diagnostic}", b""
    except RuntimeError as error:
        return str(error), b""
    except Exception as error:
        return f"{type(error).__name__}: {error}", b""
    return "", made if isinstance(made, bytes) else made[0]


def answer(outgoing: BinaryIO, error: str, data: bytes) -> None:
    """Send an answer."""
    outgoing.write(json.dumps({"error": error, "length": len(data)}).encode() + b"\n" + data)
    outgoing.flush()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
        main()

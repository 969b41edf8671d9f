"""The files that the terminal's page is made of, and where the browser finds them."""

import shlex
import sysconfig
from pathlib import Path

from crm.errors import FileError

_OWN = Path(__file__).resolve().parent.parent / "terminal_assets"
PAGE = _OWN / "terminal.html"
# Each file is named here: nothing else of what npm brought along can be asked for.
_FROM_NPM = {
    "xterm.css": "xterm/css/xterm.css",
    "xterm.mjs": "xterm/lib/xterm.mjs",
    "addon-clipboard.mjs": "addon-clipboard/lib/addon-clipboard.mjs",
    "addon-fit.mjs": "addon-fit/lib/addon-fit.mjs",
    "addon-unicode-graphemes.mjs": "addon-unicode-graphemes/lib/addon-unicode-graphemes.mjs",
    "addon-web-links.mjs": "addon-web-links/lib/addon-web-links.mjs",
}
_SERVED = (".js", ".css", ".svg", ".png", ".webmanifest")


def assets() -> dict[str, Path]:
    """Each address with its file. Raises FileError where the parts from npm were not installed."""
    own = {f"/assets/{file.name}": file for file in sorted(_OWN.iterdir()) if file.suffix in _SERVED}
    folder = _npm_folder()
    npm = folder / "node_modules" / "@xterm"
    files = own | {f"/assets/{name}": npm / path for name, path in _FROM_NPM.items()}
    missing = [file for file in files.values() if not file.is_file()]
    if missing:
        raise FileError(
            f"The web terminal's page is not complete: {missing[0].name} is missing. Run `npm ci --prefix"
            f" {shlex.quote(str(folder))}` (Node.js 18 or newer), then start again."
        )
    return files


def _npm_folder() -> Path:
    """The folder of package.json, where npm puts what it names: that of run.py, or where the program was installed."""
    checkout = Path(__file__).resolve().parents[3]
    return checkout if (checkout / "package.json").is_file() else Path(sysconfig.get_path("data")) / "share" / "crm"

"""The sign-ins that this machine remembers, so that the shell does not ask for each command."""

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from crm.atomic_write import atomic_write
from crm.errors import FileError
from crm.model.paths import display_path
from crm.private_files import private_folder


class SavedSessions:
    """The tokens of sign-ins, one for each store, in a file that only its owner reads."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "sign-ins.json"

    def token(self, store: str) -> str:
        """The token for a store (its URL); '' where there is none."""
        return self._read().get(store, "")

    def keep(self, store: str, token: str) -> None:
        """Remember a sign-in; '' forgets it. Raises FileError."""
        kept = {**self._read(), store: token}
        try:
            private_folder(self._path.parent)
            with atomic_write(self._path, 0o600) as file:
                file.write(json.dumps({url: held for url, held in kept.items() if held}).encode())
        except OSError as error:
            raise FileError(
                f"The sign-in cannot be saved: {display_path(self._path)} cannot be written ({error.strerror})."
            ) from error

    def _read(self) -> Mapping[str, str]:
        with suppress(OSError, ValueError):
            content = json.loads(self._path.read_text("utf-8"))
            if isinstance(content, dict):
                return {str(url): str(token) for url, token in content.items()}
        return {}

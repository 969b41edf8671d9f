"""The settings of services that are saved on this computer: a file for each, and its password in the system's keyring
where one works, else in that file, which only its owner may read."""

import json
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from crm.atomic_write import atomic_write
from crm.errors import FieldError, FileError, OutwardError
from crm.model import Conventions
from crm.model.paths import display_path
from crm.outward.services import FILE, KEYRING, Service, Values
from crm.private_files import private_folder


class SavedServices:
    """The settings that are saved in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def values(self, service: Service) -> Values:
        """The fields of a service; nothing where it is not saved. Raises FileError."""
        content = self._read(service)
        by, values = Conventions(), {}
        try:
            for name, value in content.get("values", {}).items():
                if name in service.fields:
                    values[name] = service.fields[name].check.read(str(value), by)
        except (FieldError, AttributeError) as error:
            raise self._damaged(service) from error
        return {**values, "keep": self.kept_in(service)} if content else {}

    def kept_in(self, service: Service) -> str:
        """The place where the secret of a service is kept: 'keyring', 'file', or '' where there is none. Raises
        FileError."""
        content = self._read(service)
        return KEYRING if content.get("keyring") else FILE if content.get("secret") else ""

    def secret(self, service: Service) -> str:
        """The secret of a service, '' where there is none. Raises OutwardError."""
        try:
            content = self._read(service)
        except FileError as error:
            raise OutwardError(error.sentence, reason="refused") from error
        if not (name := content.get("keyring")):
            return str(content.get("secret", ""))
        from crm.outward.system_keyring import KeyringError, fetch

        try:
            return fetch(str(name))
        except KeyringError as error:
            raise OutwardError(
                f"The {service.secret.label.lower()} for {service.title.lower()} is in the keyring of this computer,"
                " and cannot be read now: it may be locked, or not be available, as in cron jobs. Unlock it, or"
                f" keep it in a file: `{service.name} setup --keep file`.",
                reason="refused",
            ) from error

    def save(self, service: Service, values: Values, secret: str, keep: str) -> str:
        """Save a service; `keep` is 'keyring' or 'file', '' for the keyring where one works. Returns where the secret
        is kept. Raises FileError and FieldError; what was saved before is then as it was."""
        import secrets

        before = self._before(service)
        content: dict[str, Any] = {"values": {name: value for name, value in values.items() if name != "keep"}}
        if secret and keep != FILE:
            from crm.outward.system_keyring import keep as keep_in_keyring

            name = f"{service.name} {secrets.token_hex(8)}"
            if keep_in_keyring(name, secret):
                content["keyring"] = name
            elif keep == KEYRING:
                label = service.fields["keep"].label
                raise FieldError("no keyring here that works; choose file", field="keep", label=label)
        if secret and "keyring" not in content:
            content["secret"] = secret
        try:
            self._write(service, content)
        except FileError:
            _forget(content)
            raise
        _forget(before)
        return KEYRING if "keyring" in content else FILE if secret else ""

    def forget(self, service: Service) -> bool:
        """Remove a service and its secret; whether there was one. Raises FileError."""
        before = self._before(service)
        path = self._path(service)
        try:
            path.unlink()
        except FileNotFoundError:
            return False
        except OSError as error:
            raise FileError(f"{display_path(path)} cannot be deleted: {error.strerror}.") from error
        _forget(before)
        return True

    def _path(self, service: Service) -> Path:
        return self._folder / f"{service.name}.json"

    def _before(self, service: Service) -> Mapping[str, Any]:
        """The settings as far as they can be read: they are about to be replaced."""
        with suppress(FileError):
            return self._read(service)
        return {}

    def _read(self, service: Service) -> Mapping[str, Any]:
        path = self._path(service)
        try:
            with path.open("rb") as file:
                self._refuse_open(path, os.fstat(file.fileno()))
                content = json.loads(file.read())
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except OSError as error:
            raise FileError(f"{display_path(path)} cannot be read: {error.strerror}.") from error
        except (ValueError, RecursionError) as error:
            raise self._damaged(service) from error
        if not isinstance(content, dict):
            raise self._damaged(service)
        return content

    def _refuse_open(self, path: Path, about: os.stat_result) -> None:
        """Raise FileError for a file that others could have read or written."""
        if os.name != "posix":
            return
        where = display_path(path)
        if about.st_uid not in (os.geteuid(), 0):
            raise FileError(
                f"{where}, which holds settings for e-mail or SMS, belongs to another user of this computer. It was not"
                " read. Delete it, and set them up again."
            )
        if stat.S_IMODE(about.st_mode) & 0o077:
            raise FileError(
                f"{where}, which may contain a password, can be read or changed by other users of this computer. It was"
                f" not read. Close it to them: chmod 600 {where}. If others use this computer, change the password with"
                " your provider."
            )

    def _damaged(self, service: Service) -> FileError:
        return FileError(
            f"{display_path(self._path(service))} cannot be understood. Delete it, and set up again:"
            f" `{service.name} setup`."
        )

    def _write(self, service: Service, content: Mapping[str, Any]) -> None:
        path = self._path(service)
        try:
            private_folder(path.parent)
            # A link would lead the password to where others put it.
            if path.is_symlink():
                path.unlink()
            with atomic_write(path, 0o600) as file:
                file.write(json.dumps(content, ensure_ascii=False, indent=2).encode() + b"\n")
        except OSError as error:
            raise FileError(
                f"{display_path(path)} cannot be written: {error.strerror}. Nothing was changed."
            ) from error


def _forget(content: Mapping[str, Any]) -> None:
    """Remove from the keyring what a file names."""
    if name := content.get("keyring"):
        from crm.outward.system_keyring import remove

        remove(str(name))

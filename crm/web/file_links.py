"""Files on their way between a terminal and its browser."""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from anyio import to_thread
from starlette.background import BackgroundTask
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from crm.accounts import SignedIn
from crm.web.pages import notice
from crm.web.site import Site

_CHUNK = 1 << 20
_LONGEST_NAME = 120
_NOT_WAITING = "The terminal is no longer waiting for this file. Start the import again."


class FileLinks:
    """Links that work once, for a short while, and in the session whose terminal made them."""

    def __init__(self, site: Site) -> None:
        self._site = site
        # One at a time of each session: what arrives takes room on the disk before it is handed over.
        self._arriving: set[int] = set()

    def routes(self) -> Sequence[Route]:
        """The routes."""
        return (
            Route("/files/{token:str}", self._send, methods=["GET"]),
            Route("/files/{token:str}", self._take, methods=["POST"]),
        )

    async def _send(self, request: Request) -> Response:
        who = await self._allowed(request)
        # Asking about a file must not use its link up.
        offer = who and request.method == "GET" and self._site.terminals.offered(who.session, _token(request))
        if not offer or not offer.path.is_file():
            message = "This link was already used, is too old, or belongs to another session. Make the file again."
            return notice("No such file", message, 404)
        path = offer.path
        return FileResponse(
            path,
            media_type="application/octet-stream",
            filename=safe_name(offer.name),
            content_disposition_type="attachment",
            background=BackgroundTask(path.unlink, missing_ok=True),
        )

    async def _take(self, request: Request) -> Response:
        who = await self._allowed(request)
        if not who:
            return PlainTextResponse("Your session is over. Sign in again.", 403)
        if not self._site.terminals.asks(who.session, _token(request)):
            return PlainTextResponse(_NOT_WAITING, 404)
        if who.session in self._arriving:
            return PlainTextResponse("Another file is still on its way. Wait until it has arrived.", 409)
        self._arriving.add(who.session)
        try:
            return await self._taken(request, who.session)
        finally:
            self._arriving.discard(who.session)

    async def _taken(self, request: Request, session: int) -> Response:
        try:
            sent = await request.form(max_files=1, max_fields=2)
        except MultiPartException:
            return PlainTextResponse("Only part of the file arrived. Send it again.", 400)
        try:
            file = sent.get("file")
            if not isinstance(file, UploadFile):
                return PlainTextResponse("No file was sent. Choose one, and send it again.", 400)
            taken = await self._hand_over(session, _token(request), file)
        finally:
            await sent.close()
        if not taken:
            return PlainTextResponse(_NOT_WAITING, 404)
        return PlainTextResponse("The file has arrived.")

    async def _hand_over(self, session: int, token: str, file: UploadFile) -> bool:
        number, name = tempfile.mkstemp(prefix="crm-upload-")
        arrived = Path(name)
        try:
            with os.fdopen(number, "wb") as target:
                while chunk := await file.read(_CHUNK):
                    await to_thread.run_sync(target.write, chunk)
            return await self._site.terminals.uploaded(session, token, arrived, safe_name(file.filename or ""))
        finally:
            arrived.unlink(missing_ok=True)

    async def _allowed(self, request: Request) -> SignedIn | None:
        who = await self._site.signed_in(request)
        return who if who and not who.must_change else None


def _token(request: Request) -> str:
    return str(request.path_params["token"])[:200]


def safe_name(name: str) -> str:
    """The name of a file as every system takes it: no folders, no signs that cannot be seen, not hidden."""
    last = name.replace("\\", "/").rpartition("/")[2]
    kept = "".join(sign if sign.isprintable() and sign not in '<>:"|?*' else "_" for sign in last).strip(" .")
    stem, dot, ending = kept.rpartition(".")
    if dot and len(kept) > _LONGEST_NAME:
        kept = f"{stem[: _LONGEST_NAME - 10]}.{ending[:9]}"
    return kept[:_LONGEST_NAME] or "file"

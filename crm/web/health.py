"""Health checks: alive and ready, for machines, and of no use to strangers."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from time import monotonic

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from crm.web.access_log import log

_FRESH = 5.0
_PATIENCE = 4.0


class Health:
    """The answers to health checks. `look` returns where all is well, and else raises; it is asked at most
    every few seconds, however often strangers come."""

    def __init__(self, look: Callable[[], Awaitable[None]]) -> None:
        self._look = look
        self._looked = float("-inf")
        self._ready = False
        self._looking = asyncio.Lock()

    def routes(self) -> Sequence[Route]:
        """The routes."""
        return (
            Route("/healthz", self._alive, methods=["GET"]),
            Route("/readyz", self._is_ready, methods=["GET"]),
        )

    async def _alive(self, _: Request) -> Response:
        return PlainTextResponse("alive\n")

    async def _is_ready(self, _: Request) -> Response:
        async with self._looking:
            if monotonic() - self._looked >= _FRESH:
                try:
                    async with asyncio.timeout(_PATIENCE):
                        await self._look()
                    self._ready = True
                except Exception as error:
                    log.warning("not ready", exc_info=error)
                    self._ready = False
                self._looked = monotonic()
        return PlainTextResponse("ready\n") if self._ready else PlainTextResponse("not ready\n", 503)

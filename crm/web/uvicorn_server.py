"""The uvicorn server: how it listens, serves and ends."""

import resource
import socket
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import uvicorn

from crm.errors import UsageError
from crm.web.connections import Connection, Waiting

if TYPE_CHECKING:
    from crm.web.terminals import Terminals

# Heroku kills after 30 s; terminals are ended first, and pages are given so many seconds to finish.
_FINISH = 4
_CONNECTIONS = 1000
# Connections, terminals (three each), files and the store.
_OPEN_FILES = 4096
_LARGEST_FRAME = 256 * 1024
STOPS = "The server is being restarted. What was saved is kept. Open the menu again in a minute."


def settings(app: object) -> uvicorn.Config:
    """The settings by which uvicorn serves an application."""
    return uvicorn.Config(
        app,  # type: ignore[arg-type]
        http=cast(Any, partial(Connection, waiting=Waiting())),
        ws="websockets-sansio",
        ws_max_size=_LARGEST_FRAME,
        # The terminals send heartbeats of their own; what is compressed beside what an attacker chose can be guessed.
        ws_ping_interval=None,
        ws_per_message_deflate=False,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        # Whose word counts is decided by the application.
        proxy_headers=False,
        limit_concurrency=_CONNECTIONS,
        h11_max_incomplete_event_size=32 * 1024,
        timeout_keep_alive=60,
        timeout_graceful_shutdown=_FINISH,
    )


class Server(uvicorn.Server):
    """A server that reports when it listens (`listens` is called), and tells everybody in their terminal before it
    closes their connections."""

    def __init__(self, config: uvicorn.Config, terminals: "Terminals", listens: Callable[[], None]) -> None:
        super().__init__(config)
        self._terminals = terminals
        self._listens = listens

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until it is asked to end."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (_open_files(soft, hard), hard))
        super().run(sockets)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start everything and accept connections."""
        await super().startup(sockets)
        if self.started:
            self._listens()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the terminals, let pages finish, and stop."""
        await self._terminals.stop(STOPS)
        await super().shutdown(sockets)


def _open_files(soft: int, hard: int) -> int:
    """The number of files that this program wants to have open, of what the system allows it now and at most."""
    # On macOS only the first of the two is limited.
    unlimited = resource.RLIM_INFINITY
    if soft == unlimited:
        return soft
    return max(soft, _OPEN_FILES if hard == unlimited else min(hard, _OPEN_FILES))


def listen(host: str, port: int) -> socket.socket:
    """A socket that is bound there. Raises UsageError where it cannot be."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Only of a socket that says that it is TCP does asyncio know that it must not hold keys and pages back.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
    except (OSError, OverflowError) as error:
        listening.close()
        raise UsageError(
            f"The program cannot use port {port} of {host} ({getattr(error, 'strerror', error)})."
            " Choose another with --port."
        ) from error
    return listening

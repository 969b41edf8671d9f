"""Open connections: how long one may wait without a request, and how many may."""

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

from crm.accounts.attempts import neighbourhood

# The head of a request is here within so many seconds of the connection, or of its first byte.
HEAD_SECONDS = 10.0
# So many connections of one address, and of all, may wait for a request or between two.
_MOST_OF_ADDRESS, _MOST = 200, 400


class Waiting:
    """The connections on which nothing is being answered. Where there are too many, the one that has waited longest is
    closed, of the same address first: a browser opens another when it needs it. Behind a proxy all have one
    address."""

    def __init__(self, most_of_address: int = _MOST_OF_ADDRESS, most: int = _MOST) -> None:
        self._most_of_address = most_of_address
        self._most = most
        # In the order in which they began to wait.
        self._connections: dict[Connection, str] = {}

    def enter(self, connection: "Connection") -> None:
        """Count a connection as waiting from now on."""
        self.leave(connection)
        address = neighbourhood(connection.client[0]) if connection.client else ""
        self._connections[connection] = address
        own = [connection for connection, other in self._connections.items() if other == address]
        if len(own) > self._most_of_address:
            own[0].give_up()
        elif len(self._connections) > self._most:
            next(iter(self._connections)).give_up()

    def leave(self, connection: "Connection") -> None:
        """Count a connection as answered or closed."""
        self._connections.pop(connection, None)


class Connection(H11Protocol):
    """A connection of uvicorn's that does not wait for ever for what it is asked for."""

    def __init__(self, *arguments: Any, waiting: Waiting, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._waiting = waiting
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Note a new connection."""
        super().connection_made(transport)
        self._look(begun=True)

    def data_received(self, data: bytes) -> None:
        """Note that something was sent."""
        super().data_received(data)
        self._look(begun=True)

    def on_response_complete(self) -> None:
        """Note that a request was answered; uvicorn itself closes the connection where nothing follows."""
        super().on_response_complete()
        self._look(begun=False)

    def handle_websocket_upgrade(self, event: Any) -> None:
        """Note that it is a WebSocket from here on."""
        self._go_on()
        super().handle_websocket_upgrade(event)

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that it is closed."""
        self._go_on()
        super().connection_lost(exc)

    def give_up(self) -> None:
        """Close a connection on which nothing is being answered."""
        self._go_on()
        self.transport.abort()

    def _look(self, *, begun: bool) -> None:
        if self not in self.connections or self.transport.is_closing():
            return
        if self.cycle is not None and not self.cycle.response_complete:
            self._go_on()
            return
        if self._deadline is None:
            self._waiting.enter(self)
            if begun:
                self._deadline = self.loop.call_later(HEAD_SECONDS, self.give_up)

    def _go_on(self) -> None:
        self._waiting.leave(self)
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

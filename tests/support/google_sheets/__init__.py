"""A stand-in for Google Sheets and Drive, for tests: the same requests, the same replies, on this machine."""

import threading
from pathlib import Path
from types import TracebackType

from .control import Control, Door
from .direct import Direct
from .refusals import Invalid
from .server import Server
from .service import Service

__all__ = ["Control", "Direct", "Door", "Invalid", "StandIn"]


class StandIn(Door):
    """The stand-in in a thread of this process. Latency is in milliseconds; `looks` is how often (seconds) it looks
    whether it is to stop."""

    def __init__(
        self, quota: bool = True, latency: float = 0, port: int = 0, state: Path | None = None, looks: float = 0.01
    ) -> None:
        service = Service()
        if state is not None and state.exists():
            service.load(state)
        service.traffic.quota, service.traffic.latency = quota, latency / 1000
        self.server = Server(port, service)
        self.state = state
        super().__init__(service, self.server.url)
        self._thread = threading.Thread(target=self.server.serve_forever, args=(looks,), daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Answer no more; what is there is kept in the file, if there is one."""
        self.server.shutdown()
        self.server.hang_up()
        self.server.server_close()
        self._thread.join()
        if self.state is not None:
            self._service.save(self.state)

    def __enter__(self) -> "StandIn":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

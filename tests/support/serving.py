"""A real web server on loopback, in a thread of the test."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import uvicorn
from httpx._transports import default

from crm.web.uvicorn_server import listen, settings

# To read the certificates of all authorities takes 20 ms, and httpx does it for each client.
default.create_ssl_context = cache(default.create_ssl_context)


@contextmanager
def served(app: object, address: str = "127.0.0.1") -> Iterator[str]:
    """Serve the application as the program does; give its origin."""
    listening = listen(address, 0)
    server = uvicorn.Server(settings(app))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        until = time.monotonic() + 60
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            assert time.monotonic() < until, "the server does not start"
            time.sleep(0.01)
        yield f"http://{address}:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(15)
        assert not thread.is_alive(), "the server does not end"

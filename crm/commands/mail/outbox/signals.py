"""Ctrl-C while something is under way that has to come to an end first."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

# Said of what was stopped so.
INTERRUPTED = "You have stopped it."


@contextmanager
def interruptible(stop: threading.Event) -> Iterator[None]:
    """Ctrl-C only sets `stop` meanwhile; a second one does what it always does."""

    def stop_or_interrupt(number: int, frame: FrameType | None) -> Any:
        if stop.is_set():
            signal.default_int_handler(number, frame)
        stop.set()

    is_ours = threading.current_thread() is threading.main_thread()
    if not is_ours or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, stop_or_interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)

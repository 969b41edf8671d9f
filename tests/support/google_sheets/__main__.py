"""Start the stand-in: its address is printed on one line, and it answers until it is told to stop."""

import argparse
import gc
import signal
import threading
from pathlib import Path

from tests.support.clocks import move_the_machines

from . import StandIn, book


def main() -> None:
    """Serve until a signal comes."""
    parser = argparse.ArgumentParser(prog="python -m tests.support.google_sheets", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="where to listen; 0 is any free port")
    parser.add_argument("--no-quota", action="store_true", help="let any number of requests through")
    parser.add_argument("--latency", type=float, default=0, metavar="MS", help="how long each request takes")
    parser.add_argument("--state", type=Path, metavar="FILE", help="where the spreadsheets are kept between two runs")
    parser.add_argument("--most-cells", type=int, default=book.MOST_CELLS, help="how many cells a spreadsheet may have")
    given = parser.parse_args()
    book.MOST_CELLS = given.most_cells
    # Large requests are many small objects that are in use or not, and never in rings: looking for rings is in vain.
    gc.set_threshold(200_000, 50, 100)
    move_the_machines()
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    with StandIn(not given.no_quota, given.latency, given.port, given.state) as google:
        print(google.url, flush=True)
        stopped.wait()


if __name__ == "__main__":
    main()

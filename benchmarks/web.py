"""The web terminal: the time to the menu, the cost of thirty people at work, and the echo of keys."""

import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from pathlib import Path

from websockets.asyncio.client import ClientConnection, connect

from benchmarks.made_up import NOON, store_of
from benchmarks.measuring import OutOfTime, Result, seconds
from benchmarks.start import to_menu

BUDGET = 180
# Times of what a bare child takes, of what a key takes with nobody else at work, and the memory of a dyno.
LIMIT_OF_MENU, LIMIT_OF_ECHO = 10.0, 3.0
MEMORY, SESSIONS = 512, 30
_CLIENTS = 10_000
_RUNS, _KEYS = 11, 250
# Everybody who is at work presses a key every second, and reads what comes.
_PAUSE = 1.0
_DEADLINE = 30.0


def measure(folder: Path) -> Iterator[Result]:
    """Show what has been measured when the time is up."""
    results: list[Result] = []
    store = store_of(folder, _CLIENTS)
    with (
        _serving("benchmarks.web_server:menu", store) as (port, server),
        _serving("benchmarks.web_server:bare", store) as (floor, _),
    ):
        in_time = False
        with suppress(TimeoutError):
            asyncio.run(asyncio.wait_for(_measure(results, port, floor, server, store), BUDGET - 40))
            in_time = True
        yield from results
    if not in_time:
        raise OutOfTime


@contextmanager
def _serving(menu: str, store: Path) -> Iterator[tuple[int, int]]:
    """A web server in a process of its own; its port and its process."""
    environment = {**os.environ, "CRM_STORE": f"sqlite:///{store}", "CRM_NOW": NOON.isoformat()}
    command = [sys.executable, "-m", "benchmarks.web_server", menu]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield int(process.stdout.readline()), process.pid
        process.stdin.close()
        process.wait(20)


class _Person:
    """Somebody at a terminal, who reads everything that comes."""

    def __init__(self, line: ClientConnection) -> None:
        self._line = line
        self._read = 0
        self.shown = b""

    async def sees(self, words: bytes) -> None:
        """Wait for words in what came since the last key."""
        async with asyncio.timeout(_DEADLINE):
            while words not in self.shown:
                await self._take()

    async def _take(self) -> None:
        message = await self._line.recv()
        if isinstance(message, bytes):
            self.shown += message
            self._read += len(message)
            await self._line.send(json.dumps({"type": "ack", "bytes": self._read}))

    async def press(self, keys: str) -> None:
        self.shown = b""
        await self._line.send(keys.encode())

    async def settle(self, quiet: float = 0.05) -> None:
        """Read until nothing more is drawn."""
        while True:
            try:
                await asyncio.wait_for(self._take(), quiet)
            except TimeoutError:
                return

    async def act(self, pause: float) -> None:
        """Look for a client, open the card, and go back to the menu; a key after each pause."""
        for keys in ("/", "ber", "\r", "\x1b", "\x1b"):
            await self.press(keys)
            await self.read_for(pause)

    async def read_for(self, seconds: float) -> None:
        """Read whatever comes for so long."""
        try:
            async with asyncio.timeout(seconds):
                while True:
                    await self._take()
        except TimeoutError:
            return


async def _arrive(stack: AsyncExitStack, port: int, session: int) -> _Person:
    cookie = {"Cookie": f"session={session}"}
    line = await stack.enter_async_context(
        connect(f"ws://127.0.0.1:{port}/terminal?columns=100&lines=30", additional_headers=cookie, compression=None)
    )
    person = _Person(line)
    await person.sees(b"Exit")
    return person


async def _measure(results: list[Result], port: int, floor: int, server: int, store: Path) -> None:
    results.append(await _first_menu(port, floor, store))
    async with AsyncExitStack() as stack:
        people = [await _arrive(stack, port, 1000 + at) for at in range(SESSIONS)]
        await _at_work(results, people, server)


async def _first_menu(port: int, floor: int, store: Path) -> Result:
    """From asking for the WebSocket to the last line of the menu, beside a bare child and a process of its own."""

    async def once(where: int, session: int) -> float:
        async with AsyncExitStack() as stack:
            started = time.perf_counter()
            person = await _arrive(stack, where, session)
            taken = time.perf_counter() - started
            # It is left, so that its memory is not counted with that of the others.
            await person.press("0")
            return taken

    pairs = [(await once(port, run), await once(floor, run)) for run in range(1, _RUNS + 1)][1:]
    measured = statistics.median(pair[0] for pair in pairs)
    fresh = statistics.median([await asyncio.to_thread(_time_to_menu, store) for _ in range(5)])
    return Result(
        "web: first menu", measured, statistics.median(pair[1] for pair in pairs), "a bare forked child", LIMIT_OF_MENU,
        f"wall, median of {len(pairs)}", f"a process of its own: {fresh * 1000:.0f} ms",
    )  # fmt: skip


def _time_to_menu(store: Path) -> float:
    return seconds(lambda: to_menu(store), "wall")


async def _at_work(results: list[Result], people: list[_Person], server: int) -> None:
    """The memory of all, and the echo of one key after another of one person while the others work."""
    one, *others = people

    stopped = asyncio.Event()

    async def work(person: _Person, since: float) -> None:
        # People do not press their keys all at the same moment.
        await person.read_for(since)
        while not stopped.is_set():
            await person.act(_PAUSE)

    alone = await _echo(one)
    busy = [asyncio.create_task(work(other, at * _PAUSE / len(others))) for at, other in enumerate(others)]
    with_others = await _echo(one)
    stopped.set()
    await asyncio.gather(*busy)
    await one.act(_PAUSE)
    p95 = _p95(with_others)
    results.append(
        Result(
            f"web: key to echo, {len(people)} at work", p95, _p95(alone), "nobody else at work", LIMIT_OF_ECHO,
            f"wall, p95 of {_KEYS}",
            f"p50 {statistics.median(with_others) * 1000:.1f} ms, alone {statistics.median(alone) * 1000:.1f} ms",
        )
    )  # fmt: skip
    family = _family(server)
    memory = sum(_pss(each) for each in family)
    children = [_pss(each) for each in family[2:]]
    fresh = await asyncio.to_thread(_fresh_memory)
    results.append(
        Result(
            f"web: memory of {len(people)} at work", memory, MEMORY, "of a dyno", 1.0, "PSS, once",
            f"{statistics.mean(children):.1f} MB each; a process of its own {fresh:.0f} MB;"
            f" the web server {_pss(server):.0f} MB", "MB",
        )
    )  # fmt: skip


async def _echo(person: _Person) -> list[float]:
    """The times until each of some hundred keys is seen in the line of a question."""
    await person.press("/")
    await person.settle(0.3)
    taken = []
    for at in range(_KEYS):
        key = "qxzj"[at % 4]
        started = time.perf_counter()
        await person.press(key)
        await person.sees(key.encode())
        taken.append(time.perf_counter() - started)
        await person.settle(0.03)
        if at % 20 == 19:
            await person.press("\x01\x0b")
            await person.settle()
    await person.press("\x1b")
    await person.settle(0.2)
    return taken


def _p95(taken: list[float]) -> float:
    return sorted(taken)[int(len(taken) * 0.95)]


def _family(pid: int) -> list[int]:
    """A process and all that came of it."""
    found = [pid]
    for each in found:
        for thread in Path(f"/proc/{each}/task").iterdir():
            found += [int(child) for child in (thread / "children").read_text().split()]
    return found


def _pss(pid: int) -> float:
    """The memory of a process in MB, with its share of what it shares."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(next(line for line in rollup.splitlines() if line.startswith("Pss:")).split()[1]) / 1000


def _fresh_memory() -> float:
    """The memory of a menu that shares nothing but Python's own files."""
    program = "import sys; sys.path.insert(0, '.'); from crm.web.terminals.warm_up import warm_up; warm_up(); input()"
    with subprocess.Popen(
        [sys.executable, "-c", f"{program}"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
    ) as process:
        time.sleep(3)
        taken = _pss(process.pid)
        process.kill()
        return taken

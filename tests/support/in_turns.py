"""Threads that run one at a time, in an order that a seed decides: what happens under load once in a thousand runs
happens in each."""

import random
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

# How often one is left waiting at a pause, and for how many pauses of the others at most.
_HELD_UP, _LONGEST = 0.1, 60


class InTurns:
    """An order of threads: at each `pause` chance decides which one goes on."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._sleep = time.sleep
        self._here = threading.local()
        self._gates: list[threading.Semaphore] = []
        self._ready: list[int] = []
        self._held_up_until: dict[int, int] = {}
        self._turn = 0
        self._failed: list[BaseException] = []

    def run(self, acts: Sequence[Callable[[], Any]]) -> None:
        """Run all to their end. Raises the first error."""
        self._gates = [threading.Semaphore(0) for _ in acts]
        self._ready = list(range(len(acts)))
        threads = [threading.Thread(target=self._run, args=(at, act)) for at, act in enumerate(acts)]
        for thread in threads:
            thread.start()
        self._gates[self._next()].release()
        for thread in threads:
            thread.join()
        if self._failed:
            raise self._failed[0]

    def _run(self, at: int, act: Callable[[], Any]) -> None:
        self._gates[at].acquire()
        self._here.at = at
        try:
            act()
        except BaseException as error:
            self._failed.append(error)
        finally:
            self._ready.remove(at)
            if self._ready:
                self._gates[self._next()].release()

    def pause(self, seconds: float = 0.0) -> None:
        """Let another one go on, or the same; in a thread that is none of them, sleep."""
        at = getattr(self._here, "at", None)
        if at is None:
            self._sleep(seconds)
            return
        if self._chance.random() < _HELD_UP:
            self._held_up_until[at] = self._turn + self._chance.randint(1, _LONGEST)
        following = self._next()
        if following != at:
            self._gates[following].release()
            self._gates[at].acquire()

    def _next(self) -> int:
        self._turn += 1
        free = [at for at in self._ready if self._held_up_until.get(at, 0) <= self._turn]
        return self._chance.choice(free or self._ready)

    def around(self, ask: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """A request with a pause on its way, and one on the way of its answer."""

        def asked(request: Any) -> Any:
            self.pause()
            answer = ask(request)
            self.pause()
            return answer

        return asked

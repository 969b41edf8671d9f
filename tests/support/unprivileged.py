"""Work as a user without rights, also where the tests run as root."""

import os
import signal
from collections.abc import Callable

NOBODY = 65534


def as_nobody(work: Callable[[], object], seconds: float = 20) -> str:
    """Do some work in a child process that is not root; the error's class and sentence, or the result."""
    reading, writing = os.pipe()
    forked = os.fork()
    if not forked:
        answer = "died"
        try:
            os.close(reading)
            signal.alarm(int(seconds))
            if os.getuid() == 0:
                os.setgid(NOBODY)
                os.setuid(NOBODY)
            answer = f"done: {work()}"
        except BaseException as error:
            answer = f"{type(error).__name__}: {error}"
        finally:
            os.write(writing, answer.encode()[:4000])
            os._exit(0)
    os.close(writing)
    with open(reading) as pipe:  # noqa: PTH123 - a descriptor
        answer = pipe.read()
    os.waitpid(forked, 0)
    return answer

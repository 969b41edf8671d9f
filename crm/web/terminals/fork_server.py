"""The process that menus are forked from: everything is imported and drawn once before, and shared by all.

Started as `python -m crm.web.terminals.fork_server MENU FOLDER` with a SOCK_SEQPACKET socket as its input.
It knows nothing of the web, holds no connection to anything, and has one thread, so that it can be forked.
"""

import gc
import json
import os
import selectors
import shutil
import signal
import socket
import sys
import termios
import threading
import time
import tty
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from crm.web.terminals import child

_LEAVES_WITHIN = 2.0


class ForkServer:
    """A server that forks menus on request and reports their end. Each is known by the number that the web server gave
    it."""

    def __init__(self, web: socket.socket, serve: child.Serve) -> None:
        self._web = web
        self._serve = serve
        self._running: dict[int, int] = {}
        self._woken, waker = socket.socketpair()
        self._woken.setblocking(False)
        waker.setblocking(False)
        self._waker = waker
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)

    def run(self) -> None:
        """Serve until the web server is gone, then end every menu."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._web, selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            self._say(ready=True)
            while True:
                for key, _ in selector.select():
                    if key.fileobj is self._woken:
                        with suppress(BlockingIOError):
                            self._woken.recv(4096)
                        self._reap()
                        continue
                    try:
                        packet = self._web.recv(child.PACKET)
                    except ConnectionResetError:
                        packet = b""
                    if not packet:
                        self._end_all()
                        return
                    self._do(json.loads(packet))

    def _do(self, request: dict[str, Any]) -> None:
        number: int = request["number"]
        if "signal" in request:
            for pid in [pid for pid, web_number in self._running.items() if web_number == number]:
                os.kill(pid, request["signal"])
            return
        try:
            self._open(number, request)
        except OSError as error:
            self._say(refused=number, why=error.strerror or "")

    def _open(self, number: int, request: dict[str, Any]) -> None:
        master, slave = os.openpty()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            termios.tcsetwinsize(master, (request["lines"], request["columns"]))
            # What is typed before the first question is kept for it, and not written across the screen.
            tty.setcbreak(slave, termios.TCSANOW)
            pid = os.fork()
            if pid == 0:
                self._become_menu(slave, master, ours, theirs, request)
            self._running[pid] = number
            message = json.dumps({"opened": number, "pid": pid}).encode()
            socket.send_fds(self._web, [message], [master, ours.fileno()])
        finally:
            os.close(master)
            os.close(slave)
            ours.close()
            theirs.close()

    def _become_menu(
        self, slave: int, master: int, ours: socket.socket, theirs: socket.socket, request: dict[str, Any]
    ) -> None:
        """Go on as a menu; never returns."""
        code = child.CRASHED
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.close(master)
            os.login_tty(slave)
            for end in (self._web, self._woken, self._waker, ours):
                end.close()
            code = child.run(self._serve, request["opening"], Path(request["folder"]), theirs)
        finally:
            # Cleanup of the fork server's own objects (an open file) must not run a second time.
            os._exit(code)

    def _reap(self) -> None:
        while self._running:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            self._say(ended=self._running.pop(pid), status=os.waitstatus_to_exitcode(status))

    def _say(self, **message: object) -> None:
        with suppress(OSError):
            self._web.send(json.dumps(message).encode())

    def _end_all(self) -> None:
        """End the menus that have not left by themselves when their terminals were closed with the web server."""
        for signals in (signal.SIGTERM, signal.SIGKILL):
            ends = time.monotonic() + _LEAVES_WITHIN
            while self._running and time.monotonic() < ends:
                self._reap()
                time.sleep(0.02)
            for pid in self._running:
                os.kill(pid, signals)
        while self._running:
            self._reap()
            time.sleep(0.02)


def menu_named(name: str) -> child.Serve:
    """The function that a dotted name, `package.module:function`, means; what it may need is loaded.

    Where its module has a function `preload`, that is called once."""
    module_name, _, function = name.partition(":")
    module = import_module(module_name)
    serve: child.Serve = getattr(module, function)
    if hasattr(module, "preload"):
        module.preload()
    return serve


def main() -> None:
    """Load and try out the menu, then serve the socket that is the input."""
    menu, folder = sys.argv[1:]
    child.parent_death_signal(0)
    # Ctrl-C in the web server's terminal is the web server's to answer.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Where every process is asked to end at once, the web server says goodbye to everyone, and this process ends with
    # it.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    web = socket.socket(fileno=os.dup(0))
    quiet = os.open(os.devnull, os.O_RDWR)
    os.dup2(quiet, 0)
    os.dup2(quiet, 1)
    serve = menu_named(menu)
    from crm.web.terminals.warm_up import warm_up

    warm_up()
    if threading.active_count() > 1:
        raise RuntimeError(f"{menu} leaves threads behind when it is loaded; a process with threads cannot be forked")
    gc.collect()
    gc.freeze()
    # A collection here would only write to what is shared.
    gc.disable()
    try:
        ForkServer(web, serve).run()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()

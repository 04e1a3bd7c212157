"""A cell as seen from the worker that it belongs to: started, asked, and stopped."""

import os
import pickle
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from io import BufferedReader
from pathlib import Path
from queue import Empty, SimpleQueue

from gradcheck.running.orders import Preparation, Reply, Task

# A cell ends itself when the time is over; if it cannot, it is killed a little later.
_GRACE = 2.0
_LIBRARIES = ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "VECLIB_MAXIMUM", "BLIS")
_PICKLE = b"\x80"
# Where a cell starts: Python finds gradcheck there, and nothing of the user's that is called like a library.
_BESIDE_GRADCHECK = Path(__file__).parents[2]
_cells: "set[Cell]" = set()


class CellLostError(Exception):
    """A cell has died; or its time was over, and ``trace`` says where it was."""

    def __init__(self, reason: str, trace: str | None = None) -> None:
        super().__init__(reason)
        self.trace = trace


class CellStoppedError(Exception):
    """A cell was stopped since nobody waits for its reply any more."""


class Cell:
    """A process that carries out what it is asked, and the pipes to it."""

    def __init__(self, preparation: Preparation) -> None:
        self.preparation, self.owner = preparation, os.getpid()
        self.is_stopped = self.is_busy = False
        # As many cells as workers compute at the same time: one thread each, unless the user says something else.
        threads = {f"{library}_NUM_THREADS": "1" for library in _LIBRARIES}
        # Nothing is ever written to the lifeline: it ends with this process, however that ends.
        lifeline, self.lifeline = os.pipe()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gradcheck.running.cell", str(lifeline)],
            pass_fds=(lifeline,),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=_BESIDE_GRADCHECK,
            env={**threads, **os.environ},
            start_new_session=True,  # Ctrl-C is for the planner, which stops the workers
        )
        os.close(lifeline)
        self.replies: SimpleQueue[Reply | str] = SimpleQueue()
        threading.Thread(target=_listen, args=(self.process.stdout, self.replies), daemon=True).start()
        _cells.add(self)

    @property
    def is_alive(self) -> bool:
        """Whether it can be asked; not if this process is a fork of the one that it belongs to."""
        return self.owner == os.getpid() and self.process.poll() is None

    def ask(self, request: Preparation | Task, timeout: float | None = None) -> Reply:
        """Its reply; raise CellLostError if there is none, CellStoppedError if nobody wants it."""
        reply: Reply | str = ""
        assert self.process.stdin is not None
        self.is_busy = True
        try:
            pickle.dump(request, self.process.stdin)
            self.process.stdin.flush()
            reply = self.replies.get(timeout=None if timeout is None else timeout + _GRACE)
        except (OSError, ValueError):
            pass  # it has died, or was stopped, while it had nothing to do
        except Empty:
            self.stop()
            raise CellLostError("stopped", trace="") from None
        if isinstance(reply, dict):
            self.is_busy = False
            return reply
        if self.is_stopped:
            raise CellStoppedError
        self.stop()
        raise CellLostError(_ending(self.process.wait()), trace=reply or None)

    def stop(self) -> None:
        """End the process: let it go if it has nothing to do, else kill it."""
        if self.owner != os.getpid() or self.is_stopped:
            return
        self.is_stopped = True
        _cells.discard(self)
        if self.is_busy:
            self.process.kill()
        assert self.process.stdin is not None
        with suppress(OSError):  # what was still to be written has no reader
            self.process.stdin.close()
        try:
            self.process.wait(timeout=_GRACE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.lifeline)


def _listen(stream: BufferedReader, replies: "SimpleQueue[Reply | str]") -> None:
    """Pass replies on; the last one is text: where the cell was when its time was over, or nothing."""
    with stream:
        try:
            while stream.peek(1)[:1] == _PICKLE:
                replies.put(pickle.load(stream))
            replies.put(stream.read().decode(errors="replace"))
        except (EOFError, OSError, pickle.UnpicklingError):
            replies.put("")


def _ending(status: int) -> str:
    """How a process has ended, in words."""
    if status >= 0:
        return f"it ended with exit status {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    return f"{name}, as when memory runs out" if name == "SIGKILL" else name


def stop_cells(preparation: Preparation) -> None:
    """End the cells of this process that have been prepared for a run."""
    for cell in list(_cells):  # another thread may be making one
        if cell.preparation == preparation:
            cell.stop()

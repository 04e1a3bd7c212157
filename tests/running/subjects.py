"""Files with modules for the tests of workers: some log what they do, some crash, some hang."""

import json
import time
from pathlib import Path
from typing import Any

from gradcheck.running.plan import Plan, plan_targets
from gradcheck.surfaces.formats.as_data import results_as_json
from gradcheck.values.results import CaseResult
from gradcheck.values.settings import Settings

MODULE = """
import os, re, signal, time
from pathlib import Path
import gradcheck

HERE = Path(__file__).parent

class Base(gradcheck.Module):
    inputs = {"x": gradcheck.real("N D")}
    parameters = {"weight": gradcheck.real("D")}

    def forward(self, x, weight):
        self.before()
        return x * weight, (x, weight)

    def backward(self, saved, a_bar):
        return {"x": a_bar * saved[1], "weight": (a_bar * saved[0]).sum(axis=0)}

    def before(self):
        pass
"""
GOOD = """
@gradcheck.register
class Good(Base):
    pass
"""
BAD = """
@gradcheck.register
class Bad(Base):
    def backward(self, saved, a_bar):
        return {"x": 2 * a_bar * saved[1], "weight": (a_bar * saved[0]).sum(axis=0)}
"""
RAISES = """
@gradcheck.register
class Raises(Base):
    def before(self):
        raise ValueError(f"out of order: {self.before}")
"""
KILLS = """
@gradcheck.register
class Kills(Base):
    def before(self):
        os.kill(os.getpid(), signal.SIGKILL)
"""
# In C, and without ever letting Python run.
HANGS = """
@gradcheck.register
class Hangs(Base):
    def before(self):
        re.match(r"(a+)+$", "a" * 60 + "b")
"""
# A line for every forward: which process, so that a test can tell who did what.
LOGS = """
@gradcheck.register
class Logs(Base):
    def before(self):
        with (HERE / "log").open("a") as log:
            log.write(f"{os.getpid()}\\n")
        time.sleep(0.01)
"""


def planned(folder: Path, *classes: str, keywords: tuple[str, ...] = (), settings: Settings | None = None) -> Plan:
    """The plan of a file with these classes."""
    file = folder / "verify.py"
    file.write_text(MODULE + "".join(classes))
    made = plan_targets([str(file)], keywords, settings)
    assert made.items
    assert not made.problems
    return made


def without_seconds(cases: Any) -> list[Any]:
    """Everything in results but the time that they took; to the last bit, since floats are shown in full."""
    made: list[CaseResult] = list(cases)
    data: list[Any] = json.loads(results_as_json(made, ()))["cases"]
    return [{**case, "seconds": None} for case in data]


def wait_for(condition: Any, seconds: float = 30.0) -> None:
    """Wait until something is so, on a machine that may be slow."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)

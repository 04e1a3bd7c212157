"""A specimen of behaviour: a module that misbehaves in use although its Jacobian may be right, or one that is right."""

from collections.abc import Callable
from dataclasses import dataclass, field

from gradcheck.values.module import Module


@dataclass(frozen=True)
class Specimen:
    """One module, made anew for every test.

    Arguments:
        title: what is wrong with it, or what is unusual about a correct one.
        make: makes the module.
        probe: the probe that has to find the bug; empty for a correct module.
        thread: where a real project had this kind of bug, such as ``pytorch/pytorch#194719``.
        waive: probes that a correct module waives, with the reason.
    """

    title: str
    make: Callable[[], Module]
    probe: str = ""
    thread: str = ""
    waive: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.probe}: {self.title}" if self.probe else self.title

"""A row of the table: an operator of torch, and what it is given."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import numpy as np
import pytest

import gradcheck
from gradcheck.surfaces.report import Report
from gradcheck.values.aliases import Array
from tests.plugins.torch.operators.draws import Draw

torch: Any = pytest.importorskip(
    "torch", reason="torch is not installed; make test-all installs it", exc_type=ImportError
)

from_torch: Any = import_module("gradcheck.plugins.torch_adapter").from_torch

SINGLE = {"f": np.float32, "c": np.complex64}


@dataclass(frozen=True, eq=False)
class Operator:
    """A function of tensors.

    Arguments:
        draws: how the value of each argument is drawn. Integers and bools are not differentiable; whatever else the
            operator takes is in the function.
        rejected_by_torch: why torch's own checker rejects it, if it does.
        wrong_in_single: what is wrong with its gradient in single precision, if anything is.
        waive: behaviour probes that it does not stand, each with the reason.
    """

    name: str
    function: Callable[..., Any]
    draws: Mapping[str, Draw]
    rejected_by_torch: str = ""
    wrong_in_single: str = ""
    waive: Mapping[str, str] = field(default_factory=dict)

    def arguments(self, generator: np.random.Generator) -> dict[str, Array]:
        """Values in float64 or complex128, or of integers."""
        return {name: draw(generator) for name, draw in self.draws.items()}

    def tensors(self, single: bool = False, seed: int = 0) -> dict[str, Any]:
        """The arguments as tensors, in double or single precision; always the same ones for a seed."""
        arguments = self.arguments(np.random.default_rng(seed))
        return {name: torch.from_numpy(in_single(value) if single else value) for name, value in arguments.items()}

    def report(self, single: bool = False, seed: int = 0, **options: Any) -> Report:
        """What gradcheck says of it as it is: at the default threshold, or in single precision at the loosest one.

        Takes what ``from_torch`` takes besides.
        """
        known = {"name": self.name, "dtype": "native", "waive": self.waive}
        module = from_torch(self.function, arguments=self.tensors(single, seed), **known, **options)
        return gradcheck.check(module, {}, threshold=1e-4 if single else 1e-5)


def of_one(function: Callable[..., Any], name: str, draw: Draw) -> Operator:
    """An operator of one tensor, which it is given by position."""
    return Operator(name, lambda x: function(x), {"x": draw})


def in_single(value: Array) -> Array:
    """The values rounded to float32 or complex64; integers and bools as they are."""
    return np.asarray(value, dtype=SINGLE.get(value.dtype.kind, value.dtype))

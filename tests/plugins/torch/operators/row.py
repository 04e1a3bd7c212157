"""A row of the table: an operator of torch, and what it is given."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from gradcheck.values.aliases import Array
from tests.plugins.torch.operators.draws import Draw

torch: Any = pytest.importorskip(
    "torch", reason="torch is not installed; make test-all installs it", exc_type=ImportError
)

SINGLE = {"f": np.float32, "c": np.complex64}


@dataclass(frozen=True)
class Operator:
    """A function of tensors, how the value of each is drawn, and why torch's own checker rejects it, if it does.

    Integers and bools among the arguments are not differentiable; whatever else the operator takes is in the function.
    """

    name: str
    function: Callable[..., Any]
    draws: Mapping[str, Draw]
    rejected_by_torch: str = ""

    def arguments(self, generator: np.random.Generator) -> dict[str, Array]:
        """Values in float64 or complex128, or of integers."""
        return {name: draw(generator) for name, draw in self.draws.items()}

    def tensors(self, single: bool = False, seed: int = 0) -> dict[str, Any]:
        """The arguments as tensors, in double or single precision; always the same ones for a seed."""
        arguments = self.arguments(np.random.default_rng(seed))
        return {name: torch.from_numpy(in_single(value) if single else value) for name, value in arguments.items()}


def of_one(function: Callable[..., Any], name: str, draw: Draw) -> Operator:
    """An operator of one tensor, which it is given by position."""
    return Operator(name, lambda x: function(x), {"x": draw})


def in_single(value: Array) -> Array:
    """The values rounded to float32 or complex64; integers and bools as they are."""
    return np.asarray(value, dtype=SINGLE.get(value.dtype.kind, value.dtype))

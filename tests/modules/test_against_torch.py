"""The bundled modules against torch: the same values, and the gradients that torch finds by itself."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from gradcheck import modules as own
from gradcheck.algebra.sampling import case_specs, draw_case, generator_for
from gradcheck.calculus.calls import call_backward, call_forward
from gradcheck.running.registry import modules_of
from gradcheck.values.aliases import Array
from gradcheck.values.case import CaseSpec
from gradcheck.values.module import Module
from tests.modules.torch_counterparts import COUNTERPARTS, NOT_IN_TORCH, torch

TOLERANCE = 1e-10
SEEDS = range(3)
MODULES = [module for target in own.catalogue() for module in modules_of(target)]


def specs(module: Module) -> Iterator[CaseSpec]:
    """The cases at which a module is verified, and the first of them without samples."""
    yield from case_specs(module)
    first = case_specs(module)[0]
    over_samples = {axis.lstrip("*") for leaf in module.inputs.values() for axis in leaf.dimensions.axes[:1]}
    sizes = {
        symbol: size if symbol not in over_samples else (0, *size[1:]) if isinstance(size, tuple) else 0
        for symbol, size in first.sizes.items()
    }
    yield CaseSpec("empty", sizes)


def gaps(module: Module, counterpart: Callable[..., Any], spec: CaseSpec, seed: int) -> Iterator[str]:
    """Outputs and gradients that are not those of torch at one case, for a cotangent drawn at random."""
    leaves = draw_case(module, spec, seed).leaves
    forward = call_forward(module, leaves, seed)
    cotangent = generator_for(seed, module.name, spec.name, "cotangent").normal(size=forward.layout.size)
    gradients = call_backward(module, forward, cotangent)

    tensors = {name: torch.tensor(value) for name, value in leaves.items()}
    trained = [tensors[name].requires_grad_() for name in gradients]
    stream = {"rng": generator_for(seed, "forward")} if module.stochastic else {}
    outputs = counterpart(module, **tensors, **stream)
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    cotangents = [torch.tensor(part) for part in forward.structured(cotangent).values()]
    theirs = torch.autograd.grad(outputs, trained, cotangents)

    pairs = [
        *zip(forward.outputs.items(), outputs, strict=True),
        *zip(((f"∂/∂{name}", gradient) for name, gradient in gradients.items()), theirs, strict=True),
    ]
    for (name, ours), their in pairs:
        gap = relative_gap(np.asarray(ours), their.detach().numpy())
        if not gap <= TOLERANCE:
            yield f"{spec.name}, seed {seed}: {name} differs by {gap:.1e}"


def relative_gap(ours: Array, theirs: Array) -> float:
    """The largest difference beside the largest entry of an array; NaN and another shape are infinitely far."""
    if ours.shape != theirs.shape or ours.dtype != theirs.dtype or np.isnan(ours).any() or np.isnan(theirs).any():
        print(ours, theirs)
        return np.inf
    gap, largest = (np.max(np.abs(array), initial=0.0) for array in (ours - theirs, theirs))
    return float(gap / largest) if gap else 0.0


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_values_and_gradients_are_those_of_torch(module: Module) -> None:
    counterpart = COUNTERPARTS[type(module)]
    assert [gap for spec in specs(module) for seed in SEEDS for gap in gaps(module, counterpart, spec, seed)] == []


def test_no_module_is_forgotten() -> None:
    assert {*COUNTERPARTS, *NOT_IN_TORCH} == {type(module) for module in MODULES}

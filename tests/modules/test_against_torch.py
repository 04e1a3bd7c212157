"""The bundled modules against torch: the same values, and the gradients that torch finds by itself."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from gradcheck.algebra.sampling import case_specs, draw_case, generator_for
from gradcheck.calculus.calls import call_backward, call_forward
from gradcheck.modules import Exp, catalogue
from gradcheck.running.registry import modules_of
from gradcheck.values.aliases import Array, Saved
from gradcheck.values.case import CaseSpec
from gradcheck.values.declarations import real
from gradcheck.values.module import Example, Module
from tests.modules.batches import with_samples
from tests.modules.torch_counterparts import COUNTERPARTS, NOT_IN_TORCH, torch

# |ours - theirs| <= TOLERANCE · max |theirs| for every array, the maximum being over all of its entries: rounding is
# beside the largest terms. Where all of theirs is 0, ours is.
TOLERANCE = 1e-10
SMALLEST = 1e-300
# The largest gap at these seeds is 1.5e-12. Others may draw nearly equal cotangents for the two samples of BatchNorm's
# example: what is left of x̄ is their difference times ε, as far from torch's as both are from the truth.
SEEDS = range(3)
MODULES = [module for target in catalogue() for module in modules_of(target)]


def specs(module: Module) -> Iterator[CaseSpec]:
    """The cases at which a module is verified, one without samples, and one at the kinks.

    The subgradient at a kink is a convention, and torch's is the same.
    """
    yield from case_specs(module)
    yield with_samples(module, 0)
    if any(module.kinks.values()):
        leaves = {name: value.copy() for name, value in draw_case(module, case_specs(module)[0], 0).leaves.items()}
        for name, kinks in module.kinks.items():
            leaves[name].flat[: len(kinks)] = kinks
        yield CaseSpec("at kinks", {}, Example(leaves, None))


def disagreements(module: Module, counterpart: Callable[..., Any], spec: CaseSpec, seed: int) -> Iterator[str]:
    """Outputs and gradients that are not those of torch at one case, for a cotangent drawn at random."""
    leaves = draw_case(module, spec, seed).leaves
    forward = call_forward(module, leaves, seed)
    cotangent = generator_for(seed, module.name, spec.name, "cotangent").normal(size=forward.layout.size)
    gradients = call_backward(module, forward, cotangent)
    trained = [name for name, declared in module.leaves.items() if declared.differentiable]

    tensors = {name: torch.tensor(value, requires_grad=name in trained) for name, value in leaves.items()}
    stream = {"rng": generator_for(seed, "forward")} if module.stochastic else {}
    returned = counterpart(module, **tensors, **stream)
    outputs = returned if isinstance(returned, tuple) else (returned,)
    cotangents = [torch.tensor(part) for part in forward.structured(cotangent).values()]
    theirs = torch.autograd.grad(outputs, [tensors[name] for name in trained], cotangents)

    values = zip(forward.outputs.items(), outputs, strict=True)
    slopes = zip(((f"gradient of {name}", gradients[name]) for name in trained), theirs, strict=True)
    for (name, array), tensor in (*values, *slopes):
        gap = relative_gap(np.asarray(array), tensor.detach().numpy())
        if not gap <= TOLERANCE:
            yield f"{spec.name}, seed {seed}: {name} differs by {gap:.1e}"


def relative_gap(ours: Array, theirs: Array) -> float:
    """The largest difference beside the largest entry; infinite between shapes and dtypes, NaN if there is one."""
    if ours.shape != theirs.shape or ours.dtype != theirs.dtype:
        return np.inf
    gap, largest = (float(np.max(np.abs(array), initial=0.0)) for array in (ours - theirs, theirs))
    return gap / max(largest, SMALLEST)


@pytest.mark.parametrize(
    "module", [module for module in MODULES if type(module) in COUNTERPARTS], ids=lambda module: module.name
)
def test_values_and_gradients_are_those_of_torch(module: Module) -> None:
    counterpart = COUNTERPARTS[type(module)]
    assert [
        text for spec in specs(module) for seed in SEEDS for text in disagreements(module, counterpart, spec, seed)
    ] == []


def test_no_module_is_forgotten() -> None:
    assert not set(COUNTERPARTS) & set(NOT_IN_TORCH)
    assert {*COUNTERPARTS, *NOT_IN_TORCH} == {type(module) for module in MODULES}


@dataclass(frozen=True)
class AlmostExp(Module):
    value: float = 1.0
    slope: float = 1.0

    inputs = {"x": real("N D")}
    outputs = {"a": "N D"}

    def forward(self, x: Array) -> tuple[Array, Saved]:
        return np.exp(x) * self.value, np.exp(x) * self.slope

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        return {"x": a_bar * saved}


@pytest.mark.parametrize(
    ("almost", "wrong"),
    [
        (AlmostExp(), []),
        (AlmostExp(value=1 + 1e-9), ["a"]),
        (AlmostExp(slope=1 - 1e-9), ["gradient of x"]),
        (AlmostExp(np.nan, np.nan), ["a", "gradient of x"]),
    ],
)
def test_what_is_off_by_a_billionth_disagrees(almost: Module, wrong: list[str]) -> None:
    found = list(disagreements(almost, COUNTERPARTS[Exp], case_specs(almost)[0], seed=0))
    assert [text.split(": ")[1].split(" differs")[0] for text in found] == wrong

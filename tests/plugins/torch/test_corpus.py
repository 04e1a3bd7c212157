"""Every specimen and every bug of the corpus as an autograd.Function: it has the verdict of its numpy form."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import pytest

import gradcheck
from gradcheck import Verdict
from gradcheck.surfaces.report import Report
from tests.corpus.collection import SPECIMENS
from tests.corpus.specimen import Backward, Bug, Point, Specimen
from tests.plugins.torch.judging import Function, from_torch, torch

pytestmark = pytest.mark.sweep

SEED = 0
CASES = [pytest.param(specimen, None, id=specimen.name) for specimen in SPECIMENS] + [
    pytest.param(specimen, bug, id=f"{specimen.name}: {bug.title}") for specimen in SPECIMENS for bug in specimen.bugs
]


def function_of(specimen: Specimen, backward: Backward, point: Point) -> Any:
    """A specimen as people write it for torch: numpy inside, called with tensors in the order of the leaves."""

    class Specimened(Function):
        @staticmethod
        def forward(ctx: Any, *given: Any) -> Any:
            ctx.leaves = {name: tensor.detach().numpy().copy() for name, tensor in zip(point, given, strict=True)}
            outputs = specimen.forward(**ctx.leaves)
            ctx.names = tuple(outputs) if isinstance(outputs, Mapping) else ()
            if not ctx.names:
                return tensor_of(outputs)
            return tuple(tensor_of(outputs[name]) for name in ctx.names)

        @staticmethod
        def backward(ctx: Any, *cotangents: Any) -> Any:
            arrays = [cotangent.numpy().copy() for cotangent in cotangents]
            cotangent = dict(zip(ctx.names, arrays, strict=True)) if ctx.names else arrays[0]
            gradients = backward(ctx.leaves, cotangent)
            return tuple(tensor_of(gradients[name]) if name in gradients else None for name in point)

    return Specimened


def tensor_of(value: Any) -> Any:
    return None if value is None else torch.from_numpy(np.array(value, order="C"))


@cache
def point_of(specimen: Specimen) -> Point:
    return specimen.point(np.random.default_rng(SEED))


def expected(bug: Bug | None, of_numpy: Mapping[str, Verdict]) -> Mapping[str, Verdict]:
    """For torch None is a gradient of zeros: wrong where it is returned, and no reason to refuse the others."""
    if bug is None or "missing gradient" not in bug.causes:
        return of_numpy
    assert set(of_numpy.values()) == {Verdict.ERROR}
    return {leaf: Verdict.FAIL if leaf in bug.leaves else Verdict.PASS for leaf in of_numpy}


def verdicts(report: Report) -> dict[str, Verdict]:
    (case,) = report.verification.cases
    return {check.leaf: check.verdict for check in case.checks if check.check == "gradient"}


@pytest.mark.parametrize(("specimen", "bug"), CASES)
def test_an_autograd_function_has_the_verdict_of_its_numpy_form(specimen: Specimen, bug: Bug | None) -> None:
    backward, point = specimen.backward if bug is None else bug.backward, point_of(specimen)
    options: dict[str, Any] = {"threshold": specimen.threshold, "seed": SEED, "checks": ["gradient"]}
    of_numpy = gradcheck.check(gradcheck.from_functions(specimen.forward, backward), point, **options)
    tensors = {name: torch.from_numpy(array.copy()) for name, array in point.items()}
    module = from_torch(function_of(specimen, backward, point), arguments=tensors, dtype="native")
    of_torch = gradcheck.check(module, {}, **options)
    assert verdicts(of_torch) == expected(bug, verdicts(of_numpy)), f"{of_torch}\n{of_numpy}"

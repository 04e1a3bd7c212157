"""The corpus as primitives of autograd: every verdict on a gradient is that of the numpy form."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

import gradcheck
from gradcheck import Verdict
from gradcheck.values.module import Module
from tests.corpus.collection import SPECIMENS
from tests.corpus.specimen import Backward, Point, Specimen

REASON = "autograd is not installed; make test-all installs it"
extend: Any = pytest.importorskip("autograd.extend", reason=REASON, exc_type=ImportError)
pytestmark = pytest.mark.sweep


def as_primitive(specimen: Specimen, backward: Backward, names: list[str]) -> Any:
    """The specimen as a primitive, with one VJP for each of its leaves."""

    def forward(*arrays: Any) -> Any:
        return specimen.forward(**dict(zip(names, arrays, strict=True)))

    def vjp(name: str) -> Callable[..., Any]:
        def maker(ans: Any, *arrays: Any) -> Callable[[Any], Any]:
            leaves = dict(zip(names, arrays, strict=True))
            # For complex numbers autograd's cotangents are the conjugates of ours.
            return lambda g: np.conj(backward(leaves, conjugated(g))[name])

        return maker

    function = extend.primitive(forward)
    extend.defvjp(function, *map(vjp, names))
    return function


def conjugated(cotangent: Any) -> Any:
    if isinstance(cotangent, Mapping):
        return {name: np.conj(array) for name, array in cotangent.items()}
    return np.conj(cotangent)


def verdicts(specimen: Specimen, target: Any, point: Point) -> dict[str, Verdict]:
    report = gradcheck.check(target, point, threshold=specimen.threshold, seed=0, checks=["gradient"])
    return {check.leaf: check.verdict for case in report.verification.cases for check in case.checks}


def in_numpy(specimen: Specimen, backward: Backward) -> Module:
    return gradcheck.from_functions(specimen.forward, backward)


@pytest.mark.parametrize("specimen", SPECIMENS, ids=lambda specimen: specimen.name)
def test_verdicts_are_those_of_the_numpy_form(specimen: Specimen) -> None:
    point = specimen.point(np.random.default_rng(0))
    for title, backward in [("", specimen.backward), *((bug.title, bug.backward) for bug in specimen.bugs)]:
        expected = verdicts(specimen, in_numpy(specimen, backward), point)
        assert verdicts(specimen, as_primitive(specimen, backward, list(point)), point) == expected, title

"""Modules in a row: names, dimensions, what does not fit."""

from typing import Any

import numpy as np
import pytest

import gradcheck
from gradcheck import Verdict
from gradcheck.algebra.layout import Layout
from gradcheck.algebra.sampling import case_specs, draw_case
from gradcheck.calculus.calls import call_forward
from gradcheck.modules import Dropout, EuclideanLoss, Linear, ReLU, Sequential, Sigmoid


def test_a_sequential_names_its_leaves_by_path_and_binds_dimensions_along_the_row() -> None:
    row = Sequential({"one": Linear(), "two": Linear(), "loss": EuclideanLoss()})
    assert list(row.inputs) == ["x", "loss.y"]
    assert list(row.parameters) == ["one.weight", "one.bias", "two.weight", "two.bias"]
    assert {path: str(leaf.dimensions) for path, leaf in row.leaves.items()} == {
        "x": "N D",
        "loss.y": "N M2",
        "one.weight": "D M",
        "one.bias": "M",
        "two.weight": "M M2",
        "two.bias": "M2",
    }
    assert row.outputs == {"loss": ""}


def test_stages_that_do_not_fit_are_named_when_they_are_put_together() -> None:
    with pytest.raises(
        gradcheck.DeclarationError,
        match=r"edge loss.loss → two.x: 'two' \(Linear\), x 'N2 D2' does not fit what 'loss' \(EuclideanLoss\)",
    ):
        Sequential({"loss": EuclideanLoss(), "two": Linear()})
    with pytest.raises(gradcheck.DeclarationError, match="Sequential has no stages"):
        Sequential({})
    bare = gradcheck.from_functions(lambda x: x, lambda leaves, a: {"x": a}, name="bare")
    with pytest.raises(gradcheck.DeclarationError, match=r"stage 'only' \(bare\) declares 0 inputs and 0 outputs"):
        Sequential({"only": bare})


def test_a_stochastic_stage_gets_its_stream_and_kinks_their_distance() -> None:
    row = Sequential({"relu": ReLU(), "drop": Dropout(), "dense": Linear()})
    assert row.stochastic
    assert row.kinks["x"] == (0.0,)
    assert gradcheck.check(row).verdict is Verdict.PASS


def test_layout_of_a_composite_is_that_of_its_output() -> None:
    row = Sequential({"dense": Linear(), "squash": Sigmoid()})
    leaves = draw_case(row, case_specs(row)[0], 0).leaves
    assert call_forward(row, leaves, 0).layout == Layout((("a", (2, 5)),))


@pytest.mark.parametrize("stages", [[Linear()], {"a": Linear}, {"a": np.tanh}])
def test_stages_must_be_modules(stages: Any) -> None:
    with pytest.raises(gradcheck.DeclarationError, match=r"Sequential has the stages .*; expected a dict such as"):
        Sequential(stages)


def test_an_object_whose_sizes_are_unknown_is_no_stage() -> None:
    class Sized:
        def __init__(self, D: int) -> None: ...

    sized = gradcheck.from_object(Sized, inputs={"x": gradcheck.real("N D")}, outputs={"a": "N D"})
    with pytest.raises(gradcheck.DeclarationError, match="Sized cannot be made: the size of D is told neither"):
        Sequential({"a": sized})

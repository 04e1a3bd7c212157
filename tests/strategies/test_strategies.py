"""The strategies: everything that is drawn is legal, and what breaks formulas is among it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import hypothesis
import numpy as np
import pytest
from hypothesis import given

import gradcheck
from gradcheck import (
    complex_valued,
    interval,
    labels,
    mask,
    nonzero,
    one_hot,
    positive,
    real,
    simplex,
)
from gradcheck.adapters.functions import FunctionModule
from gradcheck.algebra.strides import strides_of
from gradcheck.modules import Conv2d, CrossEntropyLoss, Linear, MaxPool2d, ReLU
from gradcheck.strategies import arrays_for, calls_of, sizes_for
from gradcheck.strategies.entries import palette_of
from gradcheck.strategies.sizes import is_smaller
from gradcheck.values.declarations import Declaration
from gradcheck.values.dimensions import bind
from gradcheck.values.domains import Interval, Nonzero
from gradcheck.values.module import Module

pytestmark = pytest.mark.sweep

DECLARATIONS = [
    real("N D"),
    real("*B D"),
    real(""),
    real("N 3", dtype="float32"),
    positive("N"),
    nonzero("N D"),
    interval("N", -1, 1),
    interval("N", 5, 5.5),
    interval("N", 5, 5.5, dtype="float16"),
    interval("N", 0, 1e-20),
    interval("N", -np.inf, -3),
    interval("N", 7, np.inf),
    simplex("N K"),
    complex_valued("N"),
    labels("N", classes="K"),
    labels("N", classes=3),
    one_hot("N K"),
    mask("N D"),
]


def module_of(**inputs: Declaration) -> Module:
    return gradcheck.from_functions(lambda **leaves: np.zeros(()), lambda leaves, a_bar: {}, inputs=inputs)


def has_axes(axes: int, arrays: Mapping[str, Any]) -> bool:
    return bool(arrays["x"].ndim == axes and arrays["x"].size > 0)


def found(module: Module, condition: Callable[[Mapping[str, Any]], Any]) -> Mapping[str, Any]:
    """The simplest arrays that fulfil a condition."""
    settings = hypothesis.settings(max_examples=2000, database=None, deadline=None, derandomize=True)
    return hypothesis.find(arrays_for(module), lambda arrays: bool(condition(arrays)), settings=settings)


@pytest.mark.parametrize("declared", DECLARATIONS, ids=lambda d: f"{d.domain} {d.dimensions} {d.dtype}")
def test_what_is_drawn_fits_its_declaration(declared: Declaration) -> None:
    module = module_of(x=declared)

    @hypothesis.settings(max_examples=150, deadline=None, suppress_health_check=list(hypothesis.HealthCheck))
    @given(arrays_for(module))
    def fits(arrays: Mapping[str, Any]) -> None:
        sizes, problems = bind({"x": declared.dimensions}, {"x": arrays["x"].shape})
        assert not problems
        assert arrays["x"].dtype == declared.dtype
        assert np.isfinite(arrays["x"]).all()
        # The number of classes is not told by the shape of labels.
        known = {"K": 6, **sizes}
        assert not arrays["x"].size or declared.domain.violation(arrays["x"], known) is None

    fits()


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (lambda x: x.shape == (1, 1), [[0.0]]),
        (lambda x: 0 in x.shape, []),
        (lambda x: x.shape[0] == x.shape[1] == 3, [[0.0] * 3] * 3),
        (lambda x: (x == 1).any(), [[1.0]]),
        (lambda x: (x == -1).any(), [[-1.0]]),
        (lambda x: (np.abs(x) > 100).any(), [[1e4]]),
        (lambda x: ((x != 0) & (np.abs(x) < 1e-3)).any(), [[1e-4]]),
        (lambda x: x.size and x.shape[1] > 1 and len(set(x[0])) == 1 and x[0, 0] == 2, [[2.0, 2.0]]),
    ],
    ids=["one entry", "none", "square", "one", "minus one", "huge", "tiny", "a tie"],
)
def test_special_shapes_and_values_are_among_it_and_shrink(condition: Callable[[Any], Any], expected: Any) -> None:
    assert found(module_of(x=real("N D")), lambda arrays: condition(arrays["x"]))["x"].tolist() == expected


def test_kinks_and_edges_are_among_it() -> None:
    assert 0.0 in palette_of(Interval(), kinks=(0.25,)).ordinary
    assert {0.25, 0.25 + 1e-3, 0.25 - 1e-3} <= set(palette_of(Interval(), kinks=(0.25,)).extreme)
    assert 0.0 not in (*palette_of(Nonzero()).ordinary, *palette_of(Nonzero()).extreme)
    assert max(palette_of(Interval(-1, 1)).extreme) > 0.9999
    found(ReLU(), lambda arrays: ((arrays["x"] != 0) & (np.abs(arrays["x"]) < 0.02)).any())


@pytest.mark.parametrize(
    "order",
    [
        lambda x: x.flags.f_contiguous and not x.flags.c_contiguous,
        lambda x: x.shape[0] > 1 and x.strides[0] < 0,
        lambda x: not x.flags.forc and x.strides[0] > 0,
    ],
    ids=["Fortran order", "negative strides", "gaps"],
)
def test_memory_layouts_are_among_it(order: Callable[[Any], Any]) -> None:
    arrays = found(module_of(x=real("N D")), lambda arrays: order(arrays["x"]))
    assert strides_of(arrays["x"]) is not None
    assert arrays["x"].size == 2 or arrays["x"].shape == (2, 2)


def test_without_layouts_and_at_given_sizes() -> None:
    @hypothesis.settings(max_examples=50, deadline=None)
    @given(arrays_for(Linear(), sizes={"N": 2, "D": 3, "M": 1}, layouts=False))
    def is_plain(arrays: Mapping[str, Any]) -> None:
        assert {leaf: array.shape for leaf, array in arrays.items()} == {"x": (2, 3), "weight": (3, 1), "bias": (1,)}
        assert all(strides_of(array) is None for array in arrays.values())

    is_plain()


def test_labels_repeat_masks_keep_all_or_nothing() -> None:
    assert found(module_of(k=labels("N", classes=24)), lambda a: len(a["k"]) > len(set(a["k"])))["k"].tolist() == [0, 0]
    assert not found(module_of(k=mask("N")), lambda a: a["k"].size and not a["k"].any())["k"].any()
    assert found(module_of(k=mask("N")), lambda a: a["k"].size > 2 and a["k"].all())["k"].tolist() == [True] * 3
    arrays = found(CrossEntropyLoss(), lambda arrays: arrays["x"].size > 2)
    assert set(arrays) == {"x", "y"}


def test_sizes_of_a_module_that_gives_its_own_are_legal_often_enough() -> None:
    taken = 0

    @hypothesis.settings(max_examples=100, deadline=None, database=None, derandomize=True)
    @given(arrays_for(Conv2d()))
    def count(arrays: Mapping[str, Any]) -> None:
        nonlocal taken
        height, width = arrays["weight"].shape[2:]
        taken += arrays["x"].shape[2] >= height and arrays["x"].shape[3] >= width

    count()
    assert taken > 50


def test_large_leaves_are_drawn_as_a_whole() -> None:
    @hypothesis.settings(max_examples=20, deadline=None)
    @given(arrays_for(module_of(x=real("200"))))
    def is_whole(arrays: Mapping[str, Any]) -> None:
        assert len(set(arrays["x"].tolist())) in (1, 200)

    is_whole()


def test_starred_dimensions_have_any_number_of_axes() -> None:
    shapes = {0: (), 1: (1,), 3: (1, 1, 1)}
    for axes, shape in shapes.items():
        arrays = found(module_of(x=real("*B")), partial(has_axes, axes))
        assert arrays["x"].shape == shape
    sizes = hypothesis.find(
        sizes_for(module_of(x=real("*B D"))),
        lambda sizes: isinstance(sizes["B"], tuple) and 0 in sizes["B"],
        settings=hypothesis.settings(max_examples=2000, database=None, derandomize=True),
    )
    assert sizes == {"B": (0,), "D": 1}


def test_calls_are_of_one_of_several_modules() -> None:
    variants = [MaxPool2d(), MaxPool2d(size=(3, 2))]
    seen: set[str] = set()

    @hypothesis.settings(max_examples=50, deadline=None)
    @given(calls_of(variants))
    def note(call: Any) -> None:
        seen.add(call.module.name)
        assert set(call.arrays) == {"x"}

    note()
    assert seen == {module.name for module in variants}


@pytest.mark.parametrize(
    ("sizes", "limit", "smaller"),
    [
        ({"N": 1, "D": 2}, {"N": 2, "D": 2}, True),
        ({"N": 2, "D": 2}, {"N": 2, "D": 2}, False),
        ({"N": 1, "D": 3}, {"N": 2, "D": 2}, False),
        ({"B": (2,)}, {"B": (2, 1)}, True),
        ({"B": (1, 1)}, {"B": (2,)}, False),
    ],
)
def test_smaller_is_smaller_in_every_dimension(sizes: Any, limit: Any, smaller: bool) -> None:
    assert is_smaller(sizes, limit) is smaller


def test_a_module_made_for_given_sizes_is_made_for_those_that_are_drawn() -> None:
    class Scale:
        def __init__(self, D: int) -> None:
            self.params = {"s": np.ones(D)}

        def forward(self, x: Any) -> Any:
            self.x = x
            return x * self.params["s"]

        def backward(self, da: Any) -> Any:
            self.grads = {"s": (self.x * da).sum(axis=0)}
            return da * self.params["s"]

    module = gradcheck.from_object(Scale, inputs={"x": real("N D")})

    @hypothesis.settings(max_examples=30, deadline=None)
    @given(arrays_for(module))
    def fits(arrays: Mapping[str, Any]) -> None:
        assert arrays["s"].shape == arrays["x"].shape[1:]

    fits()


def test_kinks_that_a_module_declares_reach_its_strategy() -> None:
    class Kinked(FunctionModule):
        kinks = {"x": (1.75,)}

    module = Kinked(lambda x: np.abs(x - 1.75), lambda leaves, a_bar: {}, inputs={"x": real("N")})
    assert found(module, lambda arrays: (arrays["x"] == 1.75).any())["x"].tolist() == [1.75]


def test_a_domain_of_somebody_else_is_drawn_from_by_itself() -> None:
    class Odd:
        """Odd numbers."""

        differentiable = True

        def draw(self, generator: np.random.Generator, shape: Any, sizes: Any) -> Any:
            return 2.0 * generator.integers(-5, 5, shape) + 1

        def violation(self, values: Any, sizes: Any) -> str | None:
            return None if np.all(values % 2 == 1) else "holds even numbers"

        def room(self, values: Any) -> Any:
            return np.full(values.shape, 0.5)

    module = FunctionModule(lambda x: x, lambda leaves, a_bar: {}, inputs={"x": replace(real("N"), domain=Odd())})

    @hypothesis.settings(max_examples=30, deadline=None)
    @given(arrays_for(module))
    def fits(arrays: Mapping[str, Any]) -> None:
        assert np.all(arrays["x"] % 2 == 1)

    fits()

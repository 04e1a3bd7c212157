from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gradcheck
from gradcheck.values.declarations import Declaration
from gradcheck.values.errors import DeclarationError

SIZES = {"N": 3, "K": 4}
DECLARATIONS: dict[str, Callable[[], Declaration]] = {
    "real": lambda: gradcheck.real("N K"),
    "positive": lambda: gradcheck.positive("N K"),
    "interval": lambda: gradcheck.interval("N K", -1.0, 1.0),
    "upper bound": lambda: gradcheck.interval("N K", -np.inf, -3.0),
    "nonzero": lambda: gradcheck.nonzero("N K"),
    "simplex": lambda: gradcheck.simplex("N K"),
    "one_hot": lambda: gradcheck.one_hot("N K"),
    "labels": lambda: gradcheck.labels("N K", classes=7),
    "mask": lambda: gradcheck.mask("N K"),
}


@pytest.mark.parametrize("name", DECLARATIONS)
@given(seed=st.integers(0, 2**32 - 1))
def test_what_is_drawn_is_legal_and_has_room(name: str, seed: int) -> None:
    declaration = DECLARATIONS[name]()
    values = declaration.draw(np.random.default_rng(seed), SIZES)
    assert values.shape == (3, 4)
    assert declaration.domain.violation(values, SIZES) is None
    room = declaration.domain.room(values)
    assert np.all(room > 0.01) if declaration.differentiable else np.all(room == 0)


@pytest.mark.parametrize("name", ["real", "positive", "interval", "nonzero"])
@given(seed=st.integers(0, 2**32 - 1))
def test_drawn_values_are_distinct_so_that_there_are_no_ties(name: str, seed: int) -> None:
    values = np.abs(DECLARATIONS[name]().draw(np.random.default_rng(seed), {"N": 20, "K": 30}))
    assert len(np.unique(values)) > (599 if name != "interval" else 0)


def test_large_arrays_can_be_drawn_too() -> None:
    values = gradcheck.real("N K").draw(np.random.default_rng(0), {"N": 100, "K": 100})
    assert len(np.unique(values)) == 10_000


@pytest.mark.parametrize(
    ("declaration", "values", "message"),
    [
        (gradcheck.positive("N"), [0.0, 1.0], "must lie strictly between 0 and inf"),
        (gradcheck.nonzero("N"), [0.0, 1.0], "must not be zero"),
        (gradcheck.simplex("N"), [0.5, 0.6], "must be positive and sum to 1"),
        (gradcheck.one_hot("N"), [1.0, 1.0], "exactly one 1"),
        (gradcheck.labels("N", classes="N"), [0, 2], "whole numbers from 0 to 1"),
        (gradcheck.labels("N", classes=2), [0.0, 1.0], "whole numbers from 0 to 1"),
        (gradcheck.mask("N"), [0, 1], "must be True or False"),
    ],
)
def test_illegal_values_are_described(declaration: Declaration, values: list[float], message: str) -> None:
    violation = declaration.domain.violation(np.array(values), {"N": 2})
    assert violation is not None
    assert message in violation


def test_dtype_is_kept() -> None:
    assert gradcheck.real("N", dtype="float32").draw(np.random.default_rng(0), {"N": 2}).dtype == np.float32


def test_an_empty_interval_is_refused() -> None:
    with pytest.raises(DeclarationError, match=r"interval \(1, 1\) is empty: expected lower < upper"):
        gradcheck.interval("N", 1.0, 1.0)


def test_classes_must_be_one_axis() -> None:
    with pytest.raises(DeclarationError, match="must name one axis"):
        gradcheck.labels("*B", classes="B").draw(np.random.default_rng(0), {"B": (2, 3)})

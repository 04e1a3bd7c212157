from typing import Any

import numpy as np
import pytest

import gradcheck
from gradcheck import Module, Verdict, real
from gradcheck.modules import Linear, Sequential, Tanh


class Misdeclared(Module):
    """Puts out something else than it declares."""

    inputs = {"x": real("N D")}
    outputs = {"a": "N D"}

    def forward(self, x: Any) -> Any:
        return x[:, :-1], x.shape

    def backward(self, saved: Any, a_bar: Any) -> Any:
        return {"x": np.pad(a_bar, ((0, 0), (0, 1)))}


class Broadcasting(Module):
    """Gives back a gradient of another shape than its input has, which numpy would broadcast."""

    inputs = {"x": real("N D")}
    outputs = {"a": "N D"}

    def __init__(self, gradient: Any) -> None:
        self.gradient = gradient

    def forward(self, x: Any) -> Any:
        return 2 * x, None

    def backward(self, saved: Any, a_bar: Any) -> Any:
        return {"x": self.gradient(a_bar)}


def test_what_does_not_fit_when_put_together_names_the_edge_both_modules_and_both_dimensions() -> None:
    with pytest.raises(
        gradcheck.DeclarationError,
        match=r"edge sum\.loss → second\.x: 'second' \(Linear\), x 'N2 D2' does not fit what 'sum' \(Loss\), loss ''",
    ):
        Sequential({"sum": Loss(), "second": Linear()})


class Loss(Module):
    inputs = {"x": real("N D")}
    outputs = {"loss": ""}

    def forward(self, x: Any) -> Any:
        return x.sum(), x.shape

    def backward(self, saved: Any, a_bar: Any) -> Any:
        return {"x": np.full(saved, a_bar)}


def test_an_output_that_is_not_as_declared_names_the_edge_both_modules_and_both_shapes() -> None:
    report = gradcheck.check(Sequential({"cut": Misdeclared(), "squash": Tanh()}))
    assert report.verdict is Verdict.ERROR
    assert "edge cut.a → squash.x has shape (2, 2), declared 'N D': D is 2 here but 3 in x (2, 3)" in str(report)
    assert "'cut' (Misdeclared), a 'N D' does not put out what 'squash' (Tanh), x 'N D' takes" in str(report)


@pytest.mark.parametrize(
    ("gradient", "given"),
    [(lambda a: a.sum(axis=0), r"a gradient of shape (3,)"), (lambda a: None, "no gradient")],
)
def test_a_gradient_that_does_not_fit_on_the_way_back_names_the_edge(gradient: Any, given: str) -> None:
    report = gradcheck.check(Sequential({"squash": Tanh(), "double": Broadcasting(gradient)}))
    assert report.verdict is Verdict.ERROR
    expected = (
        f"edge squash.a → double.x: 'double' (Broadcasting), x 'N D' gives back {given}; 'squash' (Tanh), a 'N D' put"
    )
    assert expected in str(report)


def test_arrays_that_do_not_fit_each_other_name_both_leaves() -> None:
    module = Sequential({"first": Linear(), "second": Linear()})
    arrays = {
        "x": np.ones((2, 3)),
        "first.weight": np.ones((3, 5)),
        "first.bias": np.ones(5),
        "second.weight": np.ones((4, 2)),
        "second.bias": np.ones(2),
    }
    with pytest.raises(gradcheck.PointError, match=r"second\.weight has shape \(4, 2\).*5 in first\.weight \(3, 5\)"):
        gradcheck.check(module, arrays)

"""Objects and numbers that a probe must not misjudge, and things of the user that it must not touch."""

from typing import Any

import numpy as np
import pytest

import gradcheck
from gradcheck import Verdict, real
from tests.probing.test_messages import Locked, X, functions, of, square


class Given:
    """Weights that are the caller's, given to every object that is made."""

    def __init__(self, weight: Any) -> None:
        self.W = weight

    def forward(self, x: Any) -> Any:
        self.x = x
        return x @ self.W

    def backward(self, da: Any) -> Any:
        self.dW = self.x.T @ da
        return da @ self.W.T


def test_weights_that_objects_have_in_common_are_the_callers_and_stay_as_they_are() -> None:
    weight = np.arange(6.0).reshape(3, 2) - 2.5
    before = weight.copy()
    module = gradcheck.from_object(
        lambda: Given(weight), inputs={"x": real("N 3")}, outputs={"a": "N 2"}, gradients={"W": "dW"}
    )
    assert gradcheck.check(module).verdict is Verdict.PASS
    np.testing.assert_array_equal(weight, before)


class Lazy:
    def __init__(self) -> None:
        self.params: dict[str, Any] = {}
        self.grads: dict[str, Any] = {}

    def forward(self, x: Any) -> Any:
        self.params.setdefault("w", np.ones(x.shape[1]))
        return x * self.params["w"]

    def backward(self, da: Any) -> Any:
        return da * self.params["w"]


def test_leaves_name_a_parameter_that_is_made_later() -> None:
    message = of("leaves", gradcheck.from_object(Lazy, inputs=X, outputs={"a": "N D"})).message
    assert message.startswith("params['w'] is made in the first forward and is verified by nothing")


def test_what_cannot_be_copied_is_said_once_and_by_its_name() -> None:
    report = gradcheck.check(gradcheck.from_object(Locked, inputs=X), checks=["gradient"])
    assert report.verdict is Verdict.ERROR
    assert "the object cannot be copied, and every evaluation works on a copy" in str(report)


class Alternating:
    """Insists on a backward after every forward."""

    x: Any = None

    def forward(self, x: Any) -> Any:
        assert self.x is None, "backward first"
        self.x = x
        return x**2

    def backward(self, da: Any) -> Any:
        gradient, self.x = 2 * self.x * da, None
        return gradient


def test_an_object_may_insist_on_a_backward_after_every_forward() -> None:
    assert gradcheck.check(gradcheck.from_object(Alternating, inputs=X, outputs={"a": "N D"})).verdict is Verdict.PASS


def test_sums_in_another_order_are_no_fault_of_the_module() -> None:
    total = gradcheck.from_functions(lambda x: x.sum(0), lambda leaves, a: {"x": np.tile(a, (len(leaves["x"]), 1))})
    point = {"x": np.random.RandomState(0).randn(64, 20).astype(np.float16)}
    assert gradcheck.check(total, point, checks=["layouts"]).verdict is Verdict.PASS


def test_a_gradient_that_cancels_to_zero_is_no_fault_of_the_module() -> None:
    def backward(leaves: Any, a: Any) -> Any:
        x = leaves["x"]
        return {"x": 2 * (a.sum(1) + a.sum(0))[:, None] * x - 2 * (a + a.T) @ x}

    distances = gradcheck.from_functions(
        lambda x: (x * x).sum(1)[:, None] + (x * x).sum(1)[None] - 2 * x @ x.T, backward
    )
    point = {"x": np.random.RandomState(0).randn(30, 20)}
    assert gradcheck.check(distances, point, checks=["layouts"]).verdict is Verdict.PASS


def test_numpy_s_global_generator_is_put_back() -> None:
    def seeding(x: Any) -> Any:
        np.random.seed(7)
        return 2 * x

    state = str(np.random.get_state())
    gradcheck.check(functions(seeding, lambda x, a: 2 * a))
    assert str(np.random.get_state()) == state


def test_a_selection_of_which_nothing_applies_is_no_success() -> None:
    report = gradcheck.check(square(lambda x, a: 2 * x * a), checks=["structure"])
    assert report.verdict is Verdict.ERROR
    assert not report.passed
    with pytest.raises(gradcheck.GradientMismatch, match="nothing was checked"):
        report.raise_for_failure()


def test_from_object_refuses_a_waiver_without_a_reason() -> None:
    with pytest.raises(gradcheck.ConfigurationError, match="waive gives no reason for state"):
        gradcheck.from_object(Lazy, inputs=X, waive={"state": ""})

"""A module that misbehaves is named, with what it did and what was expected."""

from typing import Any

import numpy as np
import pytest

import gradcheck
from gradcheck import Verdict
from gradcheck.calculus.calls import call_forward

X = {"x": np.array([0.5, 1.5])}


def module(forward: Any, backward: Any = lambda leaves, a: {"x": a}) -> gradcheck.Module:
    return gradcheck.from_functions(forward, backward, name="Mine")


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (None, r"Mine: forward returned output 'a' as None; expected an array of floating-point or complex numbers"),
        (np.array([object()]), r"as an array of dtype object and shape \(1,\)"),
        (np.array([1, 2]), r"as an array of dtype int64"),
        (np.array([True]), r"as an array of dtype bool"),
        ("text", r"as a str"),
    ],
)
def test_outputs_must_be_arrays_of_numbers(output: Any, message: str) -> None:
    with pytest.raises(gradcheck.ModuleError, match=message):
        call_forward(module(lambda x: output), X, 0)


class NoPair(gradcheck.Module):
    inputs = {"x": gradcheck.real("N")}

    def forward(self, x: Any) -> Any:
        return x

    def backward(self, _saved: Any, a_bar: Any, /) -> Any:
        return {"x": a_bar}


def test_forward_must_return_output_and_saved() -> None:
    with pytest.raises(gradcheck.ModuleError, match=r"NoPair: forward returned an array .*; expected the pair"):
        call_forward(NoPair(), X, 0)


def test_an_exception_is_named_with_its_place_and_kept_for_debugging() -> None:
    def broken(x: Any) -> Any:
        raise ValueError("no good")

    report = gradcheck.check(module(broken), X)
    assert report.verdict is Verdict.ERROR
    (_, check), *_ = report.verification.failures
    assert check.message.startswith("Mine: forward raised ValueError: no good (test_calls.py, line ")
    assert "Traceback" in check.detail
    assert "Traceback" not in str(report)


def test_an_exception_in_backward_is_named() -> None:
    report = gradcheck.check(module(lambda x: x, lambda leaves, a: {"x": a["nothing"]}), X)
    assert "Mine: backward raised IndexError" in str(report)


def test_a_step_that_raises_is_no_error_of_the_module() -> None:
    def picky(x: Any) -> Any:
        if np.any(x > 1.5):
            raise ValueError("too large")
        return np.sqrt(1.6 - x)

    report = gradcheck.check(module(picky, lambda leaves, a: {"x": -0.5 * a / np.sqrt(1.6 - leaves["x"])}), X)
    assert report.verdict is Verdict.PASS


def test_a_point_with_no_value_beside_it_is_inconclusive() -> None:
    def isolated(x: Any) -> Any:
        if np.any(x != X["x"]):
            raise ValueError("not there")
        return x

    report = gradcheck.check(module(isolated, lambda leaves, a: {"x": a.copy()}), X)
    assert report.verdict is Verdict.INCONCLUSIVE
    assert "no finite value on both sides of the point" in str(report)


def test_outputs_must_keep_their_shape() -> None:
    def growing(x: Any) -> Any:
        return np.ones(3) if np.any(x != X["x"]) else np.ones(2)

    report = gradcheck.check(module(growing), X)
    assert "expected the same shapes" in str(report)


def test_a_stochastic_module_gets_the_same_stream_every_time() -> None:
    class Dropout(gradcheck.Module):
        inputs = {"x": gradcheck.real("N D")}
        stochastic = True

        def forward(self, x: Any, rng: Any) -> Any:
            kept = rng.random(x.shape) < 0.5
            return x * kept * 2, kept

        def backward(self, saved: Any, a_bar: Any, /) -> Any:
            return {"x": a_bar * saved * 2}

    assert gradcheck.check(Dropout(), threshold=1e-7).verdict is Verdict.PASS

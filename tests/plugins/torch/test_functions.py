"""Functions of tensors: how they are called, which of their arguments are leaves, which outputs count."""

from typing import Any, NamedTuple

import numpy as np
import pytest

import gradcheck
from gradcheck import PointError, TargetError, Verdict
from tests.plugins.torch.judging import drawn, fails, leaves_of, passes, torch


def test_every_floating_tensor_is_a_leaf_wherever_it_is() -> None:
    def mixed(x: Any, state: Any, options: Any, times: int = 2, *, mode: str) -> Any:
        assert (mode, options["n"], options["none"]) == ("sum", 3, None)
        return times * x * state[0] + state[1]["h"] * options["scale"]

    arguments = {
        "x": drawn(3),
        "state": (drawn(3, seed=1), {"h": drawn(3, seed=2)}),
        "options": {"scale": drawn(1), "n": 3, "none": None},
        "mode": "sum",
    }
    report = passes(mixed, arguments)
    assert leaves_of(report) == ["x", "state[0]", "state[1].h", "options.scale"]


def test_containers_come_as_they_were_given() -> None:
    class State(NamedTuple):
        h: Any
        c: Any

    def cell(x: Any, state: State, parts: list[Any]) -> Any:
        assert type(parts) is list
        return x * state.h + state.c * parts[0]

    report = passes(cell, {"x": drawn(2), "state": State(drawn(2), drawn(2, seed=1)), "parts": [drawn(2, seed=2)]})
    assert leaves_of(report) == ["x", "state[0]", "state[1]", "parts[0]"]


def test_integers_and_masks_are_passed_on() -> None:
    def picked(x: Any, index: Any, mask: Any) -> Any:
        return torch.where(mask, x[index], 0.0)

    arguments = {"x": drawn(4), "index": torch.tensor([3, 1, 1]), "mask": torch.tensor([True, False, True])}
    assert leaves_of(passes(picked, arguments)) == ["x"]


def test_if_some_tensors_require_a_gradient_the_others_are_passed_on() -> None:
    def loss(x: Any, target: Any) -> Any:
        return ((x - target.detach()) ** 2).sum()

    assert leaves_of(passes(loss, {"x": drawn(3).requires_grad_(), "target": drawn(3, seed=1)})) == ["x"]
    # If none does, all are perturbed, and a gradient that is cut off is found.
    fails(loss, {"x": drawn(3), "target": drawn(3, seed=1)}, "gradient", "analytical 0")


def test_arrays_are_taken_as_tensors() -> None:
    def function(x: Any, options: Any) -> Any:
        return torch.sin(x) * options["scale"]

    report = passes(function, {"x": np.arange(1.0, 4), "options": {"scale": drawn(1)}})
    assert leaves_of(report) == ["x", "options.scale"]


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        pytest.param(torch.sin, {"input": drawn(3)}, id="by its own name"),
        pytest.param(torch.sin, {"x": drawn(3)}, id="by another name"),
        pytest.param(torch.add, {"x": drawn(3), "y": drawn(3, seed=1), "alpha": 2}, id="with an option behind a star"),
        pytest.param(torch.ops.aten.sin, {"x": drawn(3)}, id="an operator of the dispatcher"),
        pytest.param(torch.Tensor.sin, {"self": drawn(3)}, id="a method"),
        pytest.param(torch.func.vmap(torch.sin), {"x": drawn(3)}, id="a wrapper"),
        pytest.param(torch.nn.functional.softsign, {"x": drawn(3)}, id="of Python, by another name"),
        pytest.param(lambda *parts: torch.cat(parts), {"parts": [drawn(2), drawn(3)]}, id="spread"),
        pytest.param(lambda x, *rest: x * rest[0], {"x": drawn(2), "rest": (drawn(2, seed=1),)}, id="behind another"),
        pytest.param(lambda x, **rest: x * rest["y"], {"x": drawn(2), "y": drawn(2, seed=1)}, id="by any name"),
        pytest.param(lambda x, k=1, *, y: x**k * y, {"x": drawn(2), "y": drawn(2, seed=1)}, id="with a default"),
    ],
)
def test_a_function_is_called_as_it_can_be(function: Any, arguments: Any) -> None:
    passes(function, arguments, checks=["gradient", "dimensions"])


def test_outputs_have_paths() -> None:
    def several(x: Any) -> Any:
        return {"double": 2 * x, "parts": (x.sin(), [x.cos()])}

    report = passes(several, {"x": drawn(2)})
    dimensions = next(c for case in report.verification.cases for c in case.checks if c.check == "dimensions")
    assert "a.double (2,), a.parts[0] (2,), a.parts[1][0] (2,)" in dimensions.message


def test_integer_outputs_are_left_out() -> None:
    passes(lambda x: torch.max(x, dim=1), {"x": drawn(3, 4)})


def test_an_output_that_is_cut_off_has_a_gradient_of_zeros() -> None:
    fails(lambda x: (2 * x, 3 * x.detach()), {"x": drawn(2)}, "gradient", "a[1]", "analytical 0")


def test_a_leaf_without_influence_has_a_gradient_of_zeros() -> None:
    passes(lambda x, y: 2 * x, {"x": drawn(2), "y": drawn(2, seed=1)})


def test_a_function_that_works_in_place_is_given_clones() -> None:
    given = drawn(3)
    kept = given.clone()
    passes(lambda x: x.mul_(3).sin(), {"x": given})
    passes(torch.relu_, {"x": given})
    assert torch.equal(given, kept)


def test_a_function_that_hands_its_argument_on_is_right() -> None:
    passes(lambda x: x, {"x": drawn(3)})
    passes(lambda x, y: x + y, {"x": drawn(3), "y": drawn(3, seed=1)})  # torch gives both the same gradient


def test_dropout_draws_the_same_mask_every_time_and_leaves_the_generator_as_it_was() -> None:
    state = torch.get_rng_state()
    passes(lambda x: torch.nn.functional.dropout(x, 0.5), {"x": drawn(8)})
    assert torch.equal(state, torch.get_rng_state())


def test_a_function_that_draws_from_another_generator_is_not_repeatable() -> None:
    generator = torch.Generator().manual_seed(0)
    fails(lambda x: x * torch.rand(3, generator=generator), {"x": drawn(3)}, "repeatability", "is not repeatable")


def test_the_mode_of_the_caller_does_not_matter() -> None:
    with torch.no_grad():
        passes(torch.sin, {"x": drawn(3)})
    with torch.inference_mode():
        constant = {"x": drawn(3).requires_grad_(), "k": drawn(3, seed=1)}
        passes(lambda x, k: x * k, constant, checks=["gradient", "state"])
        passes(torch.nn.BatchNorm1d(2), {"x": drawn(3, 2)}, checks=["gradient"])
        assert torch.is_inference_mode_enabled()


@pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")
def test_scripts_are_functions_too() -> None:
    passes(torch.jit.trace(lambda x: x.sin(), (drawn(3),)), {"x": drawn(3)}, checks=["gradient"])
    passes(torch.jit.script(torch.nn.Linear(3, 2)), {"input": drawn(2, 3)}, checks=["gradient"])


def test_compiled_functions_are_functions() -> None:
    passes(torch.compile(lambda x: x.sin() * 2, backend="eager"), {"x": drawn(3)}, checks=["gradient"])


def test_a_point_that_is_not_contiguous_is_given_as_it_lies() -> None:
    seen: list[Any] = []

    def function(x: Any) -> Any:
        seen.append(x.stride())
        return x.sin()

    passes(function, {"x": drawn(4, 3).T}, checks=["gradient"])
    assert set(seen) == {(1, 3)}


@pytest.mark.parametrize(
    ("target", "arguments", "error", "message"),
    [
        (torch.sin, None, None, "sin is not"),
        (
            torch.nn.Linear(2, 2),
            None,
            PointError,
            r"Linear was given no arguments; expected what it is called with, by n",
        ),
        (torch.nn.Linear(2, 2), [drawn(2)], PointError, r"Linear was given a list; expected what it is called with"),
        (torch.nn.Linear, {"x": drawn(2)}, TargetError, r"given the class Linear; expected .*make an object, Linear\("),
        (3, {"x": drawn(2)}, TargetError, r"given 3, of type int; expected an autograd.Function class, an nn.Module"),
        (
            torch.neg,
            {"x": torch.arange(3)},
            PointError,
            r"neg: no argument holds floating-point numbers.*x\.double\(\)",
        ),
        (
            lambda x, y: x,
            {"x": drawn(2), "yy": drawn(2)},
            PointError,
            r"no argument 'yy'; it takes x, y; did you mean 'y'",
        ),
        (lambda x, y: x, {"x": drawn(2)}, PointError, r"does not take the given arguments: missing .* 'y'"),
        (lambda x: x, {"a": drawn(2), "b": drawn(2)}, PointError, r"does not take the given arguments: too many"),
    ],
)
def test_what_cannot_be_verified_says_why(target: Any, arguments: Any, error: Any, message: str) -> None:
    if error is not None:
        with pytest.raises(error, match=message):
            gradcheck.check(target, arguments)


def test_an_object_with_forward_and_backward_is_told_to_take_arrays() -> None:
    class Own:
        def forward(self, x: Any) -> Any:
            return x

        def backward(self, g: Any) -> Any:
            return g

    with pytest.raises(TargetError, match="an object with forward and backward takes numpy arrays"):
        gradcheck.check(Own(), {"x": drawn(2)})


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (torch.argmax, r"argmax: forward returned no tensor that can be differentiated, only a tensor of torch.int64"),
        (lambda x: None, "returned no tensor that can be differentiated, only a NoneType"),
        (lambda x: (), "returned no tensor that can be differentiated, only nothing"),
        (
            torch.linalg.cholesky,
            "forward raised RuntimeError: linalg.cholesky: The input tensor A must have at least 2",
        ),
        (lambda x: x + len(3), "forward raised TypeError: object of type 'int' has no len()"),  # type: ignore[arg-type]  # it is what raises
        (lambda x: x.foo, "forward raised AttributeError: 'Tensor' object has no attribute 'foo'"),
    ],
)
def test_what_a_function_does_wrong_is_in_the_report(function: Any, message: str) -> None:
    report = gradcheck.check(function, {"x": drawn(3)}, checks=["gradient"])
    assert report.verdict is Verdict.ERROR
    assert message in str(report).replace("\n", " ")

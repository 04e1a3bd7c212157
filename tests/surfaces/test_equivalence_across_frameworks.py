"""One module written for numpy, torch and JAX: the implementations against each other."""

from typing import Any

import numpy as np
import pytest

import gradcheck
from gradcheck import check_equivalent
from gradcheck.modules import Linear

torch: Any = pytest.importorskip("torch", reason="torch is not installed; make test-all installs it")
jax: Any = pytest.importorskip("jax", reason="jax is not installed; make test-all installs it")

RNG = np.random.default_rng(8)
POINT = {"x": RNG.normal(size=(4, 3)), "weight": RNG.normal(size=(3, 2)), "bias": RNG.normal(size=2)}
TENSORS = {name: torch.tensor(array) for name, array in POINT.items()}


class Affine(torch.autograd.Function):  # type: ignore[misc]  # torch is loaded by name
    """x θ + b, with a gradient of the weight that may be off by a factor."""

    factor = 1.0

    @staticmethod
    def forward(ctx: Any, x: Any, weight: Any, bias: Any) -> Any:
        ctx.save_for_backward(x, weight)
        return x @ weight + bias

    @staticmethod
    def backward(ctx: Any, a_bar: Any) -> Any:
        x, weight = ctx.saved_tensors
        return a_bar @ weight.T, Affine.factor * x.T @ a_bar, a_bar.sum(0)


@jax.jit  # type: ignore[untyped-decorator]  # JAX is not there when types are checked
def affine_in_jax(x: Any, weight: Any, bias: Any) -> Any:
    return jax.numpy.dot(x, weight) + bias


def affine_in_torch(x: Any, weight: Any, bias: Any) -> Any:
    return torch.nn.functional.linear(x, weight.T, bias)


PAIRS = {
    "numpy and a torch Function": (Linear(), Affine, POINT),
    "numpy and a function of tensors": (Linear(), affine_in_torch, TENSORS),
    "a torch Function and JAX": (Affine, affine_in_jax, POINT),
    "a function of tensors and JAX": (affine_in_torch, affine_in_jax, TENSORS),
    "JAX and numpy": (affine_in_jax, Linear(), POINT),
}


@pytest.mark.parametrize(("a", "b", "arrays"), PAIRS.values(), ids=PAIRS)
def test_right_implementations_agree_in_value_and_in_every_gradient(a: Any, b: Any, arrays: Any) -> None:
    report = check_equivalent(a, b, arrays, threshold=1e-6)
    assert report.passed, str(report)
    (case,) = report.verification.cases
    assert [check.label for check in case.checks] == ["values", "values[x]", "values[weight]", "values[bias]"]


@pytest.mark.parametrize("b", [Linear(), affine_in_jax])
def test_a_wrong_function_of_torch_is_told_from_the_right_one(b: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Affine, "factor", 1.001)
    report = check_equivalent(Affine, b, POINT)
    (failed,) = [check for _, check in report.verification.failures]
    assert failed.label == "values[weight]"
    assert "central differences agree with b\na is Affine" in failed.message


def test_parameters_that_a_module_of_torch_holds_are_those_of_both() -> None:
    layer = torch.nn.Linear(3, 2)
    transposed = gradcheck.from_functions(
        lambda x, weight, bias: x @ weight.T + bias,
        lambda leaves, a_bar: {"x": a_bar @ leaves["weight"], "weight": a_bar.T @ leaves["x"], "bias": a_bar.sum(0)},
    )
    for a, b in ((transposed, layer), (layer, transposed)):
        names = {"x": "input"} if b is layer else {"input": "x"}
        x = {"x" if b is layer else "input": POINT["x"]}
        assert check_equivalent(a, b, x, names=names).passed
    others = {"x": POINT["x"], "weight": POINT["weight"].T, "bias": POINT["bias"]}
    assert check_equivalent(transposed, layer, others, names={"x": "input"}).passed


@pytest.mark.parametrize("swapped", [False, True])
def test_a_loss_with_labels_agrees_between_numpy_and_torch(swapped: bool) -> None:
    def in_torch(x: Any, labels: Any) -> Any:
        return torch.nn.functional.cross_entropy(x, labels)

    point = {"x": torch.tensor(POINT["x"]), "labels": torch.tensor([0, 2, 1, 1])}
    loss = gradcheck.from_functions(
        lambda x, labels: np.asarray(np.mean(np.log(np.exp(x).sum(1)) - x[np.arange(len(x)), labels])),
        lambda leaves, a_bar: {
            "x": a_bar
            * (np.exp(leaves["x"]) / np.exp(leaves["x"]).sum(1, keepdims=True) - np.eye(3)[leaves["labels"]])
            / len(leaves["x"])
        },
    )
    a, b = (in_torch, loss) if swapped else (loss, in_torch)
    report = check_equivalent(a, b, point)
    assert report.passed, str(report)
    (case,) = report.verification.cases
    assert [check.label for check in case.checks] == ["values", "values[x]"]


def test_a_leaf_that_an_object_of_a_framework_has_not_is_named() -> None:
    layer = torch.nn.Linear(3, 2)
    dense = gradcheck.from_functions(lambda x, weight, bias, kernel: x @ kernel.T, lambda leaves, a_bar: {})
    point = {"x": POINT["x"], "kernel": POINT["weight"].T}
    with pytest.raises(
        gradcheck.PointError, match=r"b, Linear, has no leaf 'kernel'; its leaves are .*, bias.*give names"
    ):
        check_equivalent(dense, layer, point, names={"x": "input"})
    with pytest.raises(gradcheck.PointError, match=r"Linear.*where the two call something differently, give names"):
        check_equivalent(dense, layer, point)


def test_a_parameter_that_is_stored_transposed_is_told_by_its_shape() -> None:
    with pytest.raises(
        gradcheck.PointError, match=r"b, Linear, has 'weight' of shape \(2, 3\); given \(3, 2\): if it is"
    ):
        check_equivalent(Linear(), torch.nn.Linear(3, 2), POINT, names={"x": "input"})

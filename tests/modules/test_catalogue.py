"""The bundled modules: verified, stable, and obeying the laws that hold for every linear backward."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gradcheck
from gradcheck import Verdict
from gradcheck.algebra.layout import ravel
from gradcheck.algebra.sampling import case_specs, draw_case
from gradcheck.calculus.analytical import analytical_jacobians
from gradcheck.calculus.calls import call_backward, call_forward
from gradcheck.modules import (
    ELU,
    GELU,
    CrossEntropyLoss,
    Linear,
    LogSoftmax,
    ReLU,
    Sequential,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
    catalogue,
)
from gradcheck.running.registry import modules_of
from gradcheck.values.module import Module
from tests.modules.batches import batch_symbols, with_samples

pytestmark = pytest.mark.sweep

MODULES = [module for target in catalogue() for module in modules_of(target)]
each_module = pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
seeds = st.integers(0, 10_000)


@each_module
def test_every_module_passes_every_check_at_the_strictest_threshold(module: Module) -> None:
    report = gradcheck.check(module, threshold=1e-7)
    assert report.verdict is Verdict.PASS, str(report)


@each_module
def test_every_gradient_passes_at_other_points(module: Module) -> None:
    report = gradcheck.check(module, threshold=1e-7, seed=1, checks=["gradient"])
    assert report.verdict is Verdict.PASS, str(report)


@each_module
def test_every_module_is_verified_at_three_sizes_or_more_and_with_one_sample(module: Module) -> None:
    drawn = [spec.sizes for spec in case_specs(module) if spec.example is None]
    assert len(drawn) >= 3
    assert any(all(sizes[symbol] in (1, (1,), (1, 1), ()) for symbol in batch_symbols(module)) for sizes in drawn)


@each_module
@pytest.mark.parametrize("samples", [0, 4])
def test_every_module_passes_every_check_with_other_numbers_of_samples(module: Module, samples: int) -> None:
    assert batch_symbols(module)
    leaves = draw_case(module, with_samples(module, samples), 0).leaves
    report = gradcheck.check(module, leaves, threshold=1e-7)
    assert report.verdict is Verdict.PASS, str(report)


def test_an_empty_batch_is_no_free_pass() -> None:
    wrong = gradcheck.from_functions(
        lambda x, bias: x + bias,
        lambda leaves, a_bar: {"x": a_bar.copy(), "bias": a_bar.sum(axis=0) / len(a_bar)},
        name="mean over the batch",
    )
    with np.errstate(invalid="ignore"):
        report = gradcheck.check(wrong, {"x": np.zeros((0, 3)), "bias": np.ones(3)})
    assert report.verdict is Verdict.FAIL, str(report)


@each_module
@settings(max_examples=5)
@given(seed=seeds, alpha=st.floats(-1e3, 1e3), beta=st.floats(-1e3, 1e3))
def test_backward_is_linear_in_the_cotangent(module: Module, seed: int, alpha: float, beta: float) -> None:
    case = draw_case(module, case_specs(module)[0], seed)
    forward = call_forward(module, case.leaves, seed)
    u, v = np.random.default_rng(seed).normal(size=(2, forward.layout.size))
    pull = {
        name: call_backward(module, forward, w) for name, w in {"u": u, "v": v, "both": alpha * u + beta * v}.items()
    }
    jacobians = analytical_jacobians(module, forward, case.leaves, tuple(pull["both"]))
    for leaf, both in pull["both"].items():
        parts = alpha * pull["u"][leaf] + beta * pull["v"][leaf]
        # A gradient is a sum that may cancel, and so may what it is made of inside of a composition: rounding is beside
        # the largest terms |āᵢ Jᵢⱼ| of the leaf, not beside the sum.
        terms = (np.abs(alpha * u) + np.abs(beta * v)) @ np.abs(jacobians[leaf].dense())
        np.testing.assert_allclose(both, parts, rtol=0, atol=1e-12 * terms.max() + 1e-300)


@given(seed=seeds)
def test_the_jacobian_of_a_composition_is_the_product_of_the_jacobians(seed: int) -> None:
    row = Sequential({"dense": Linear(), "squash": Tanh(), "softmax": Softmax()})
    leaves = draw_case(row, case_specs(row)[0], seed).leaves
    whole = analytical_jacobians(row, call_forward(row, leaves, 0), leaves, ["x"])["x"].dense()
    product, fed = np.eye(leaves["x"].size), leaves["x"]
    for stage, own in (
        (Linear(), {"weight": leaves["dense.weight"], "bias": leaves["dense.bias"]}),
        (Tanh(), {}),
        (Softmax(), {}),
    ):
        point = {"x": fed, **own}
        forward = call_forward(stage, point, 0)
        product = analytical_jacobians(stage, forward, point, ["x"])["x"].dense() @ product
        (fed,) = forward.outputs.values()
    np.testing.assert_allclose(whole, product, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    "module", [Sigmoid(), Tanh(), Softplus(), SiLU(), GELU(), ReLU(), ELU(), Softmax(), LogSoftmax()], ids=str
)
@pytest.mark.parametrize("magnitude", [0.0, 1e4, 1e300])
def test_extreme_inputs_give_finite_values_and_gradients(module: Module, magnitude: float) -> None:
    forward = call_forward(module, {"x": magnitude * np.array([[1.0, -1.0, 0.5]])}, 0)
    assert np.isfinite(ravel(forward.outputs)).all()
    assert np.isfinite(call_backward(module, forward, np.ones(3))["x"]).all()


def test_cross_entropy_ignores_what_the_label_ignores() -> None:
    loss, saved = CrossEntropyLoss().forward(np.array([[1.0, 0.0]]), np.array([[1.0, 0.0]]))
    assert loss == 0
    assert CrossEntropyLoss().backward(saved, np.array(1.0))["x"].tolist() == [[-1.0, 0.0]]


def test_the_page_about_modules_names_every_module_of_the_catalogue() -> None:
    page = (Path(__file__).parents[2] / "docs" / "modules.md").read_text(encoding="utf-8")
    assert [type(module).__name__ for module in MODULES if f"`{type(module).__name__}`" not in page] == []

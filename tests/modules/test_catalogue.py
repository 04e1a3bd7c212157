"""The bundled modules: verified, stable, and obeying the laws that hold for every linear backward."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gradcheck
from gradcheck import Verdict
from gradcheck.algebra.layout import Layout, ravel
from gradcheck.algebra.sampling import case_specs, draw_case
from gradcheck.calculus.analytical import analytical_jacobians
from gradcheck.calculus.calls import call_backward, call_forward
from gradcheck.modules import (
    CrossEntropyLoss,
    EuclideanLoss,
    Linear,
    ReLU,
    Sequential,
    Sigmoid,
    Softmax,
    SoftmaxCrossEntropyLoss,
    Tanh,
    catalogue,
)
from gradcheck.running.registry import modules_of
from gradcheck.values.module import Module

MODULES = [module for target in catalogue() for module in modules_of(target)]
each_module = pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
seeds = st.integers(0, 10_000)


@each_module
@pytest.mark.parametrize("seed", range(3))
def test_every_module_passes_at_the_strictest_threshold(module: Module, seed: int) -> None:
    report = gradcheck.check(module, threshold=1e-7, seed=seed)
    assert report.verdict is Verdict.PASS, str(report)


@each_module
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
        terms = (np.abs(alpha * u) + np.abs(beta * v)) @ np.abs(jacobians[leaf])
        np.testing.assert_allclose(both, parts, rtol=0, atol=1e-12 * terms.max() + 1e-300)


@given(seed=seeds)
def test_the_jacobian_of_a_composition_is_the_product_of_the_jacobians(seed: int) -> None:
    row = Sequential({"dense": Linear(), "squash": Tanh(), "softmax": Softmax()})
    leaves = draw_case(row, case_specs(row)[0], seed).leaves
    whole = analytical_jacobians(row, call_forward(row, leaves, 0), leaves, ["x"])["x"]
    product, fed = np.eye(leaves["x"].size), leaves["x"]
    for stage, own in (
        (Linear(), {"weight": leaves["dense.weight"], "bias": leaves["dense.bias"]}),
        (Tanh(), {}),
        (Softmax(), {}),
    ):
        point = {"x": fed, **own}
        forward = call_forward(stage, point, 0)
        product = analytical_jacobians(stage, forward, point, ["x"])["x"] @ product
        (fed,) = forward.outputs.values()
    np.testing.assert_allclose(whole, product, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("module", [Sigmoid(), Tanh(), ReLU(), Softmax()], ids=lambda module: module.name)
@pytest.mark.parametrize("magnitude", [0.0, 1e4, 1e300])
def test_extreme_inputs_give_finite_values_and_gradients(module: Module, magnitude: float) -> None:
    forward = call_forward(module, {"x": magnitude * np.array([[1.0, -1.0, 0.5]])}, 0)
    assert np.isfinite(ravel(forward.outputs)).all()
    assert np.isfinite(call_backward(module, forward, np.ones(3))["x"]).all()


def test_cross_entropy_ignores_what_the_label_ignores() -> None:
    loss, saved = CrossEntropyLoss().forward(np.array([[1.0, 0.0]]), np.array([[1.0, 0.0]]))
    assert loss == 0
    assert CrossEntropyLoss().backward(saved, np.array(1.0))["x"].tolist() == [[-1.0, 0.0]]


@pytest.mark.parametrize("loss", [EuclideanLoss, CrossEntropyLoss])
def test_an_unknown_reduction_is_refused(loss: Any) -> None:
    with pytest.raises(gradcheck.ConfigurationError, match=r"reduction is 'max'; expected one of mean, sum"):
        loss("max")


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
    class Dropout(Module):
        inputs = {"x": gradcheck.real("*B")}
        outputs = {"a": "*B"}
        stochastic = True

        def forward(self, x: Any, rng: Any) -> Any:
            kept = rng.random(x.shape) < 0.5
            return x * kept, kept

        def backward(self, saved: Any, a_bar: Any, /) -> Any:
            return {"x": a_bar * saved}

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


@given(seed=seeds)
def test_the_fused_loss_is_the_cascade_of_softmax_and_cross_entropy(seed: int) -> None:
    fused = SoftmaxCrossEntropyLoss()
    cascade = Sequential({"softmax": Softmax(), "loss": CrossEntropyLoss()})
    leaves = draw_case(fused, case_specs(fused)[0], seed).leaves
    one, other = (
        call_forward(fused, leaves, seed),
        call_forward(cascade, {"x": leaves["x"], "loss.y": leaves["y"]}, seed),
    )
    np.testing.assert_allclose(one.outputs["loss"], other.outputs["loss"], rtol=1e-12)
    u = np.array([-1.5])
    gradients = call_backward(fused, one, u)["x"], call_backward(cascade, other, u)["x"]
    np.testing.assert_allclose(*gradients, rtol=1e-10, atol=1e-12)

"""Decomposing a module, or fusing several, changes neither values nor gradients."""

from collections.abc import Iterator, Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradcheck import real
from gradcheck.algebra.layout import ravel
from gradcheck.algebra.sampling import case_specs, draw_case
from gradcheck.calculus.analytical import analytical_jacobians
from gradcheck.calculus.calls import call_backward, call_forward
from gradcheck.modules import (
    Add,
    CrossEntropyLoss,
    Graph,
    Linear,
    Multiply,
    Node,
    RadialBasisCascade,
    RadialBasisNetwork,
    Sequential,
    Sigmoid,
    Sin,
    Softmax,
    SoftmaxCrossEntropyLoss,
    Tanh,
)
from gradcheck.values.aliases import Array, Leaves, Saved
from gradcheck.values.module import Module

seeds = st.integers(0, 10_000)


class SigmoidLinear(Module):
    """a = σ(x θ + b), in one module."""

    inputs = {"x": real("N D")}
    parameters = {"weight": real("D M"), "bias": real("M")}
    outputs = {"a": "N M"}

    def forward(self, x: Array, weight: Array, bias: Array) -> tuple[Array, Saved]:
        a = 1.0 / (1.0 + np.exp(-(x @ weight + bias)))
        return a, (x, weight, a)

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        # With z = x θ + b:  z̄ = ā a (1 - a)
        x, weight, a = saved
        z_bar = a_bar * a * (1.0 - a)
        return {"x": z_bar @ weight.T, "weight": x.T @ z_bar, "bias": z_bar.sum(axis=0)}


def require_same(fused: Module, cascade: Module, seed: int, names: Mapping[str, str]) -> None:
    """Both modules have the same values and gradients at every drawn case of the fused one.

    ``names`` are those of leaves that the cascade calls otherwise.
    """
    for spec in (spec for spec in case_specs(fused) if spec.example is None):
        leaves = draw_case(fused, spec, seed).leaves
        one = call_forward(fused, leaves, seed)
        other = call_forward(cascade, {names.get(leaf, leaf): value for leaf, value in leaves.items()}, seed)
        np.testing.assert_allclose(ravel(one.outputs), ravel(other.outputs), rtol=1e-12, atol=1e-13)
        u = np.random.default_rng(seed).normal(size=one.layout.size)
        gradients, expected = call_backward(fused, one, u), call_backward(cascade, other, u)
        assert {names.get(leaf, leaf) for leaf in gradients} == set(expected)
        for leaf, gradient in gradients.items():
            of_cascade = expected[names.get(leaf, leaf)]
            # A gradient is a sum that may cancel: rounding is beside its terms, so beside its largest entry at least.
            np.testing.assert_allclose(gradient, of_cascade, rtol=1e-10, atol=1e-12 * (1.0 + np.abs(of_cascade).max()))


@settings(max_examples=20)
@given(seed=seeds)
def test_sigmoid_of_linear_is_the_cascade_of_linear_and_sigmoid(seed: int) -> None:
    cascade = Sequential({"linear": Linear(), "sigmoid": Sigmoid()})
    require_same(SigmoidLinear(), cascade, seed, {"weight": "linear.weight", "bias": "linear.bias"})


@pytest.mark.parametrize("reduction", ["sum", "mean", "none"])
@settings(max_examples=20)
@given(seed=seeds)
def test_softmax_cross_entropy_is_the_cascade_of_softmax_and_cross_entropy(reduction: str, seed: int) -> None:
    cascade = Sequential({"softmax": Softmax(), "loss": CrossEntropyLoss(reduction)})
    require_same(SoftmaxCrossEntropyLoss(reduction), cascade, seed, {"y": "loss.y"})


@settings(max_examples=20)
@given(seed=seeds)
def test_the_radial_basis_network_is_its_cascade_of_four(seed: int) -> None:
    require_same(RadialBasisNetwork(), RadialBasisCascade(), seed, {})


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, Node]:
    """Nodes that are fed with x or any nodes before; x and the first node feed at least two."""
    nodes = {"first": Node(draw(st.sampled_from([Sin(), Tanh()])), {"x": "x"})}
    for number in range(draw(st.integers(1, 5))):
        before = st.sampled_from(["x", *nodes])
        module = draw(st.sampled_from([Sin(), Tanh(), Sigmoid(), Softmax(), Add(), Multiply()]))
        nodes[f"node{number}"] = Node(module, {leaf: draw(before) for leaf in module.leaves})
    # Whatever feeds nothing joins the head, so that no node is there in vain.
    feeding = {source for node in nodes.values() for source in node.sources.values()}
    head = "first"
    for number, loose in enumerate([name for name in nodes if name not in feeding] + ["first", "x"]):
        nodes[f"plus{number}"] = Node(Add(), {"x": head, "y": loose})
        head = f"plus{number}"
    return nodes


def products_along_paths(nodes: Mapping[str, Node], values: Leaves, end: str) -> Iterator[Array]:
    """For every path from x to the output of a node the product of the Jacobians of its steps."""
    if end == "x":
        yield np.eye(values["x"].size)
        return
    point = {leaf: values[source] for leaf, source in nodes[end].sources.items()}
    module = nodes[end].module
    steps = analytical_jacobians(module, call_forward(module, point, 0), point, list(point))
    for leaf, source in nodes[end].sources.items():
        for before in products_along_paths(nodes, values, source):
            yield steps[leaf].dense() @ before


@settings(max_examples=30)
@given(nodes=graphs(), seed=seeds)
def test_the_gradient_of_a_graph_is_the_sum_over_all_paths(nodes: dict[str, Node], seed: int) -> None:
    head = list(nodes)[-1]
    # Every output is a head, so that the values on all edges are known.
    graph = Graph(nodes, {name: name for name in nodes})
    x = np.random.default_rng(seed).uniform(-1.0, 1.0, size=(1, 3))
    outputs, _ = graph.forward(x=x)
    assert isinstance(outputs, Mapping)
    products = list(products_along_paths(nodes, {"x": x, **outputs}, head))
    assert len(products) > 2
    whole = Graph(nodes, {"a": head})
    forward = call_forward(whole, {"x": x}, 0)
    u = np.random.default_rng(seed).normal(size=x.size)
    gradient = call_backward(whole, forward, u)["x"].ravel()
    terms = [u @ product for product in products]
    scale = 1.0 + float(np.sum(np.abs(terms)))
    np.testing.assert_allclose(gradient, np.sum(terms, axis=0), rtol=0, atol=1e-13 * scale)

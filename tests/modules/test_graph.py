"""Graphs: order, names, shared leaves, several heads; and what is said when the nodes do not fit."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gradcheck
from gradcheck import Verdict, labels, real
from gradcheck.algebra.sampling import case_specs, draw_case
from gradcheck.calculus.calls import call_backward, call_forward
from gradcheck.modules import (
    Add,
    BatchNorm,
    Conv2d,
    Dropout,
    Embedding,
    EuclideanLoss,
    Flatten,
    Graph,
    GRUCell,
    HingeLoss,
    LayerNorm,
    Linear,
    LSTMCell,
    Multiply,
    Node,
    Residual,
    Sequential,
    Sigmoid,
    Softmax,
    Tanh,
    WeightDecay,
)
from gradcheck.values.aliases import Array
from gradcheck.values.module import Module


def require_verified(module: Module) -> None:
    report = gradcheck.check(module, threshold=1e-7)
    assert report.verdict is Verdict.PASS, str(report)


class Swap(Module):
    """Two inputs, two outputs, crossed; the second output also squared."""

    inputs = {"x": real("N"), "y": real("N")}
    outputs = {"a": "N", "b": "N"}

    def forward(self, x: Array, y: Array) -> Any:
        return {"a": y.copy(), "b": x**2}, x

    def backward(self, saved: Any, cotangent: Any, /) -> Any:
        return {"x": 2 * saved * cotangent["b"], "y": cotangent["a"].copy()}


def test_nodes_are_visited_in_topological_order_whatever_order_they_are_given_in() -> None:
    nodes = {
        "plus": Node(Add(), {"x": "left", "y": "right"}),
        "right": Node(Tanh(), {"x": "dense"}),
        "left": Node(Sigmoid(), {"x": "dense"}),
        "dense": Node(Linear(), {"x": "x"}),
    }
    graph = Graph(nodes, {"a": "plus"})
    turned = Graph(dict(reversed(nodes.items())), {"a": "plus"})
    require_verified(graph)
    leaves: Any = draw_case(graph, case_specs(graph)[0], 0).leaves
    np.testing.assert_array_equal(graph.forward(**leaves)[0], turned.forward(**leaves)[0])


def test_several_inputs_and_outputs_one_of_them_inside() -> None:
    graph = Graph(
        {
            "dense": Node(Linear(), {"x": "image"}),
            "gate": Node(Linear(), {"x": "context"}),
            "product": Node(Multiply(), {"x": "dense", "y": "gate"}),
        },
        heads={"product": "product", "inside": "dense.a", "again": "dense"},
    )
    assert list(graph.inputs) == ["image", "context"]
    assert list(graph.outputs) == ["product", "inside", "again"]
    require_verified(graph)


def test_a_node_with_several_outputs_of_which_one_is_not_used() -> None:
    require_verified(Graph({"swap": Node(Swap(), {"x": "x", "y": "x"})}, {"b": "swap.b"}))
    require_verified(Graph({"cell": LSTMCell()}, {"h": "cell.h"}))


def test_tied_parameters_get_the_sum_of_the_gradients() -> None:
    encoder = Node(Linear(), {"x": "x"})
    again = Node(Linear(), {"x": "encoder", "weight": "encoder.weight", "bias": "encoder.bias"})
    tied = Graph({"encoder": encoder, "again": again}, {"a": "again"})
    assert list(tied.parameters) == ["encoder.weight", "encoder.bias"]
    assert str(tied.parameters["encoder.weight"].dimensions) in ("D D", "M M")
    require_verified(tied)
    named = Graph({"one": Node(Tanh(), {"x": "x"}), "two": Node(Sigmoid(), {"x": "one.x"})}, {"a": "one", "b": "two"})
    assert list(named.inputs) == ["x"]


def test_composite_parameters_are_named_by_path_at_any_depth() -> None:
    block = Sequential({"conv": Conv2d(), "squash": Tanh()})
    sizes = ({"C": 1, "H": 4, "W": 4, "M": 2, "K": 2, "L": 2, "M2": 1, "K2": 2, "L2": 2, "M3": 2, "D": 8},)
    whole = Sequential({"block1": block, "block2": block, "flat": Flatten(), "dense": Linear()})
    assert list(whole.parameters)[:2] == ["block1.conv.weight", "block1.conv.bias"]
    with pytest.raises(gradcheck.DeclarationError, match="dimensions give 'D' the size 8"):
        gradcheck.check(Sequential(dict(whole.stages), sizes=sizes))


def test_labels_and_stochastic_nodes_inside_a_graph() -> None:
    nodes: Mapping[str, Node] = {
        "table": Node(Embedding(), {"index": "word"}),
        "drop": Node(Dropout(), {"x": "table"}),
        "noise": Node(Dropout(0.2), {"x": "drop"}),
    }
    graph = Graph(nodes, {"a": "noise"}, sizes=({"V": 3},))
    assert graph.stochastic
    assert not graph.inputs["word"].differentiable
    require_verified(graph)


def test_trainable_inputs_become_parameters() -> None:
    graph = Graph({"product": Node(Multiply(), {"x": "x", "y": "gain"})}, {"a": "product"}, trainable=["gain"])
    assert (list(graph.inputs), list(graph.parameters)) == (["x"], ["gain"])
    with pytest.raises(gradcheck.DeclarationError, match=r"trainable names gian; the leaves with a gradient are"):
        Graph({"product": Multiply()}, {"a": "product"}, trainable=["gian"])


def test_weight_decay_is_a_term_of_the_loss() -> None:
    nodes = {
        "dense": Node(Linear(), {"x": "x"}),
        "loss": Node(EuclideanLoss(), {"x": "dense", "y": "y"}),
        "decay": Node(WeightDecay(0.5), {"weight": "dense.weight"}),
        "total": Node(Add(), {"x": "loss", "y": "decay"}),
    }
    graph = Graph(nodes, {"total": "total"})
    leaves = draw_case(graph, case_specs(graph)[0], 0).leaves
    alone = Sequential({"dense": Linear(), "loss": EuclideanLoss()})
    own = {"x": leaves["x"], "loss.y": leaves["y"], **{k: v for k, v in leaves.items() if k.startswith("dense")}}
    u = np.ones(1)
    whole = call_backward(graph, call_forward(graph, leaves, 0), u)["dense.weight"]
    part = call_backward(alone, call_forward(alone, own, 0), u)["dense.weight"]
    np.testing.assert_allclose(whole, part + 0.5 * leaves["dense.weight"], rtol=1e-12)


@settings(max_examples=20)
@given(
    seed=st.integers(0, 10_000),
    branches=st.lists(st.sampled_from([Tanh(), Sigmoid(), Softmax()]), min_size=2, max_size=4),
)
def test_the_gradient_of_an_output_that_feeds_several_is_the_sum_over_its_paths(
    seed: int, branches: list[Module]
) -> None:
    joined = {"dense": Node(Linear(), {"x": "x"})}
    before = ""
    for number, branch in enumerate(branches):
        joined[f"branch{number}"] = Node(branch, {"x": "dense"})
        if before:
            joined[f"plus{number}"] = Node(Add(), {"x": before, "y": f"branch{number}"})
        before = f"plus{number}" if before else "branch0"
    graph = Graph(joined, {"a": before})
    leaves = draw_case(graph, case_specs(graph)[0], seed).leaves
    forward = call_forward(graph, leaves, seed)
    u = np.random.default_rng(seed).normal(size=forward.layout.size)
    whole = call_backward(graph, forward, u)
    rows = [Sequential({"dense": Linear(), "branch": branch}) for branch in branches]
    parts = [call_backward(row, call_forward(row, leaves, seed), u) for row in rows]
    for leaf, gradient in whole.items():
        np.testing.assert_allclose(gradient, sum(part[leaf] for part in parts), rtol=1e-12, atol=1e-14)


def test_a_cycle_is_refused_by_name_with_a_pointer_to_recurrent() -> None:
    loop = {"plus": Node(Add(), {"x": "x", "y": "squash"}), "squash": Node(Tanh(), {"x": "plus"})}
    with pytest.raises(
        gradcheck.DeclarationError,
        match=r"cycle (plus → squash → plus|squash → plus → squash), .* unrolled by gradcheck\.modules\.Recurrent",
    ):
        Graph(loop, {"a": "plus"})
    with pytest.raises(gradcheck.DeclarationError, match="the graph has the cycle self → self"):
        Graph({"self": Node(Tanh(), {"x": "self"})}, {"a": "self"})


@pytest.mark.parametrize(
    "row",
    [
        {"one": Conv2d(), "two": Conv2d()},
        {"table": Embedding(), "flat": Flatten()},
        {"squash": Softmax(), "flat": Flatten()},
    ],
    ids=lambda row: " ".join(row),
)
def test_sizes_and_leading_axes_come_from_the_parts(row: dict[str, Module]) -> None:
    require_verified(Sequential(row))


def test_leading_and_trailing_axes_meet_in_the_middle() -> None:
    row = Sequential({"norm": LayerNorm(), "batch": BatchNorm()})
    assert str(row.leaves["x"].dimensions) == "N D2 *B_S D"


def test_labels_may_be_shared() -> None:
    nodes = {"one": Node(HingeLoss(), {"x": "x", "y": "y"}), "two": Node(HingeLoss(margin=2.0), {"x": "z", "y": "y"})}
    require_verified(Graph(nodes, {"a": "one", "b": "two"}))


def test_leaves_that_do_not_fit_are_told_when_it_runs() -> None:
    row: Any = Sequential({"dense": Linear(), "loss": EuclideanLoss()})
    leaves = {
        "x": np.ones((3, 2)),
        "dense.weight": np.ones((2, 4)),
        "dense.bias": np.ones(1),
        "loss.y": np.ones((3, 4)),
    }
    with pytest.raises(gradcheck.ModuleError, match=r"dense.bias has shape \(1,\), declared 'M': M is 1 here but 4 in"):
        row.forward(**leaves)


def test_gradients_of_a_shared_leaf_must_have_one_shape() -> None:
    class Broadcast(Module):
        inputs = {"x": real("N D")}
        parameters = {"bias": real("D")}
        outputs = {"a": "N D"}

        def forward(self, x: Array, bias: Array) -> Any:
            return x + bias, None

        def backward(self, saved: Any, a_bar: Array, /) -> Any:
            return {"x": a_bar.copy(), "bias": a_bar.copy()}

    nodes = {"dense": Node(Linear(), {"x": "x"}), "shift": Node(Broadcast(), {"x": "dense", "bias": "dense.bias"})}
    report = gradcheck.check(Graph(nodes, {"a": "shift"}))
    assert "leaf 'dense.bias' is shared: dense.bias gives back a gradient of shape (5,), another node one of" in str(
        report
    )


def test_defaults_of_the_parts_are_those_of_the_whole() -> None:
    scale = gradcheck.from_object(Scaled, inputs={"x": real("N 3")}, outputs={"a": "N 3"})
    graph = Graph({"scale": Node(scale, {"x": "x"})}, {"a": "scale"})
    assert list(graph.defaults) == ["scale.w"]
    assert gradcheck.check(graph, {"x": np.ones((2, 3))}).verdict is Verdict.PASS


class Scaled:
    def __init__(self) -> None:
        self.params, self.grads = {"w": np.arange(1.0, 4.0)}, {"w": np.zeros(3)}

    def forward(self, x: Array) -> Array:
        self.x = x
        return np.asarray(x * self.params["w"])

    def backward(self, da: Array) -> Array:
        self.grads["w"] = (da * self.x).sum(axis=0)
        return np.asarray(da * self.params["w"])


@pytest.mark.parametrize(
    ("nodes", "heads", "message"),
    [
        ([Linear()], {"a": "dense"}, r"Graph has the nodes \[Linear.*; expected a dict such as"),
        ({"a.b": Linear()}, {"a": "a.b"}, "Graph has the nodes a.b, .*; expected names without dots"),
        ({"dense": Linear()}, ["dense"], r"the heads \['dense'\] and trainable \(\); expected names"),
        ({"dense": Linear()}, {}, "heads are empty; expected outputs of the nodes dense"),
        ({"dense": Linear()}, {"a": "x"}, "heads are 'a': 'x'; expected outputs of the nodes dense"),
        ({"dense": Linear()}, {"a": "dense.x"}, "heads are 'a': 'dense.x'; expected outputs"),
        ({"dense": Linear()}, {"a": "dense.y"}, r"head 'a' comes from 'dense.y'; 'dense' \(Linear\) has the outputs a"),
        ({"cell": LSTMCell()}, {"a": "cell"}, r"head 'a' comes from 'cell'; 'cell' \(LSTMCell\) has the outputs h, c"),
        ({"dense": Node(Linear(), {"y": "x"})}, {"a": "dense"}, "'dense' is fed in y; Linear has the leaves x, weight"),
        (
            {"one": Node(Tanh(), {"x": "two.x"}), "two": Node(Tanh(), {"x": "one.x"})},
            {"a": "one"},
            "the leaves two.x → one.x → two.x name each other",
        ),
        (
            {"one": Node(Linear(), {"x": "x"}), "two": Node(Conv2d(), {"x": "x"})},
            {"a": "one"},
            r"leaf 'x' is shared by one.x and two.x: dimensions 'N D' do not fit 'N2 C H W'",
        ),
        (
            {"cell": GRUCell(), "conv": Node(Conv2d(), {"x": "cell"})},
            {"a": "conv"},
            r"edge cell.h → conv.x: 'conv' \(Conv2d\), x .* does not fit what 'cell' \(GRUCell\), h ",
        ),
    ],
)
def test_nodes_that_do_not_fit_are_named_when_they_are_put_together(nodes: Any, heads: Any, message: str) -> None:
    with pytest.raises(gradcheck.DeclarationError, match=message):
        Graph(nodes, heads)


@pytest.mark.parametrize(("module", "sources"), [(Linear, {}), (Linear(), "x"), (Linear(), {"x": 3})])
def test_a_node_is_a_module_with_names_of_sources(module: Any, sources: Any) -> None:
    with pytest.raises(gradcheck.DeclarationError, match=r"Node\(.*\): expected a module and sources such as Node\("):
        Node(module, sources)


def test_parts_that_do_not_fit_are_told_where_they_are_put_together() -> None:
    with pytest.raises(gradcheck.DeclarationError, match=r"Residual has the body None and .*; expected modules"):
        Residual(None)  # type: ignore[arg-type]  # the mistake
    with pytest.raises(gradcheck.DeclarationError, match=r"edge .* does not fit"):
        Residual(Flatten(), Conv2d())
    with pytest.raises(gradcheck.DeclarationError, match="a stage is named 'x', as is the input of the row"):
        Sequential({"x": Linear()})


def test_a_leaf_cannot_be_two_things_at_once() -> None:
    class Lookup(Module):
        inputs = {"index": labels("N", classes=3)}
        outputs = {"a": "N"}

        def forward(self, index: Array) -> Any:
            return index * 1.0, None

        def backward(self, saved: Any, a_bar: Array, /) -> Any:
            return {}

    with pytest.raises(gradcheck.DeclarationError, match=r"leaf 'x' is shared, but declared as Interval.* as Labels"):
        Graph({"squash": Node(Tanh(), {"x": "x"}), "look": Node(Lookup(), {"index": "x"})}, {"a": "look"})


def test_what_goes_over_an_edge_is_looked_at_when_it_runs() -> None:
    class Liar(Module):
        inputs = {"x": real("N D")}
        outputs = {"a": "N D"}

        def forward(self, x: Array) -> Any:
            return x[:, :1].copy(), x.shape

        def backward(self, saved: Any, a_bar: Array, /) -> Any:
            return {"x": np.zeros(saved)}

    graph = Graph({"liar": Node(Liar(), {"x": "x"}), "plus": Node(Add(), {"x": "liar", "y": "x"})}, {"a": "plus"})
    report = gradcheck.check(graph)
    assert report.verdict is Verdict.ERROR
    assert "edge liar.a → plus.x" in str(report)


def test_a_node_that_gives_no_gradient_back_is_named() -> None:
    class Silent(Module):
        inputs = {"x": real("N D")}
        outputs = {"a": "N D"}

        def forward(self, x: Array) -> Any:
            return 2 * x, None

        def backward(self, saved: Any, a_bar: Array, /) -> Any:
            return {}

    report = gradcheck.check(Sequential({"dense": Linear(), "silent": Silent()}))
    assert "edge dense.a → silent.x: 'silent' (Silent), x 'N M' gives back no gradient" in str(report)

"""Recurrence: unrolled cells, shared parameters, windows of truncated length."""

from typing import Any

import numpy as np
import pytest

import gradcheck
from gradcheck.algebra.sampling import case_specs, draw_case
from gradcheck.modules import Dropout, Embedding, Graph, GRUCell, Linear, LSTMCell, Node, Recurrent, RNNCell
from gradcheck.modules.recurrent import Recurrent as Unrolled
from gradcheck.values.module import Module


class Drifting(Module):
    inputs = {"x": gradcheck.real("N D"), "h": gradcheck.real("N M")}
    outputs = {"h": "N D"}

    def forward(self, **leaves: Any) -> Any: ...

    def backward(self, saved: Any, h_bar: Any, /) -> Any: ...


cells = pytest.mark.parametrize("cell", [RNNCell(), LSTMCell(), GRUCell()], ids=lambda cell: cell.name)


@cells
def test_windows_that_hand_on_their_state_are_one_long_sequence(cell: Module) -> None:
    long, short = Recurrent(cell, length=6), Recurrent(cell, length=2)
    leaves: Any = dict(draw_case(long, case_specs(long)[0], 0).leaves)
    whole: Any = long.forward(**leaves)[0]
    states = {state: leaves[state] for state in cell.outputs}
    parts = []
    for start in (0, 2, 4):
        window: Any = {**leaves, **states, "x": leaves["x"][:, start : start + 2]}
        outputs: Any = short.forward(**window)[0]
        states = {state: outputs[state] for state in cell.outputs}
        parts.append(outputs["a"])
    np.testing.assert_allclose(np.concatenate(parts, axis=1), whole["a"], rtol=1e-14)
    np.testing.assert_array_equal(whole["a"][:, -1], whole[next(iter(cell.outputs))])


@cells
def test_shared_parameters_get_the_sum_over_all_steps(cell: Module) -> None:
    unrolled = Recurrent(cell, length=3)
    leaves: Any = draw_case(unrolled, case_specs(unrolled)[0], 1).leaves
    own = {leaf: leaves[f"cell.{leaf}"] for leaf in cell.parameters}
    outputs: Any
    outputs, saved = unrolled.forward(**leaves)
    cotangent = {name: np.ones_like(value) for name, value in outputs.items()}
    gradients = unrolled.backward(saved, cotangent)
    # The same three steps by hand, forward and back again.
    states = {state: leaves[state] for state in cell.outputs}
    steps = []
    given: Any
    for t in range(3):
        given, residual = cell.forward(x=leaves["x"][:, t], **states, **own)
        states = dict(given) if isinstance(given, dict) else {"h": given}
        steps.append(residual)
    bars: Any = {state: np.ones_like(value) for state, value in states.items()}
    sums = {leaf: np.zeros_like(value) for leaf, value in own.items()}
    for residual in reversed(steps):
        bars["h"] = bars["h"] + 1.0
        back = cell.backward(residual, bars if len(bars) > 1 else bars["h"])
        bars = {state: back[state] for state in bars}
        sums = {leaf: value + back[leaf] for leaf, value in sums.items()}
    for leaf, value in sums.items():
        np.testing.assert_allclose(gradients[f"cell.{leaf}"], value, rtol=1e-12)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: Unrolled(Linear()),
            r"Linear has the inputs x and the outputs a; expected a cell that puts out",
        ),
        (lambda: Unrolled(cell=None), "Recurrent has the cell None; expected a module such as LSTMCell"),  # type: ignore[arg-type]  # the mistake
        (lambda: Unrolled(Drifting()), r"Drifting goes from x 'N D', h 'N M' to h 'N D'; expected states of the same"),
        (lambda: Unrolled(length=0), r"Recurrent: length is 0; expected a whole number >= 1"),
    ],
)
def test_what_cannot_be_unrolled_is_refused(make: Any, message: str) -> None:
    with pytest.raises((gradcheck.DeclarationError, gradcheck.ConfigurationError), match=message):
        make()


def test_a_sequence_of_another_length_is_refused() -> None:
    leaves: Any = draw_case(Recurrent(length=4), case_specs(Recurrent())[0], 0).leaves
    with pytest.raises(
        gradcheck.ModuleError, match=r"Recurrent.*: x has shape \(2, 4, 3\); expected 3 steps on axis 1"
    ):
        Recurrent(length=3).forward(**leaves)


@pytest.mark.parametrize(
    "cell",
    [
        Graph(
            {"drop": Node(Dropout(0.5), {"x": "x"}), "cell": Node(RNNCell(), {"x": "drop", "h": "h"})},
            {"h": "cell"},
        ),
        Graph(
            {"table": Node(Embedding(), {"index": "word"}), "cell": Node(RNNCell(), {"x": "table", "h": "h"})},
            {"h": "cell"},
        ),
    ],
    ids=["dropout inside", "words"],
)
def test_a_cell_may_be_stochastic_or_read_labels(cell: Module) -> None:
    recurrent = Recurrent(cell)
    assert recurrent.stochastic is cell.stochastic
    report = gradcheck.check(recurrent)
    assert report.verdict is gradcheck.Verdict.PASS, str(report)

"""Recurrence: a cell unrolled through time, and backpropagation through time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from gradcheck.modules.cells import RNNCell
from gradcheck.modules.fields import require_whole
from gradcheck.values.aliases import Array, Generator, Leaves, Outputs, Saved, Sizes
from gradcheck.values.declarations import Declaration
from gradcheck.values.dimensions import Dimensions
from gradcheck.values.errors import DeclarationError, ModuleError
from gradcheck.values.module import Module


@dataclass(frozen=True)
class Recurrent(Module):
    """A cell unrolled over ``length`` steps; its parameters are shared by all steps and get the sum of the gradients.

    ``length`` is the truncated length of backpropagation through time: a long sequence is cut into windows of that
    length, the states that a window ends with are those that the next one starts with, and no gradient goes from one
    window to the one before. Each window is then this module, and its gradients are exact.

    Shapes: x (N, length, D), one input for every state of the cell (N, M), a (N, length, M) the first state after
    every step, and one output for every state (N, M) after the last.

    Arguments:
        cell: a module whose outputs are the next values of inputs of the same names, its states; the other input is
            fed from the sequence.
        length: number of steps.

    Raises DeclarationError if the cell is not of that kind, or the length is below 1.

    >>> recurrent = Recurrent(RNNCell(), length=4)
    >>> list(recurrent.inputs), list(recurrent.parameters)
    (['x', 'h'], ['cell.weight', 'cell.recurrent', 'cell.bias'])
    >>> recurrent.outputs
    {'a': 'N 4 M', 'h': 'N M'}
    """

    cell: Module = field(default_factory=RNNCell)
    length: int = 3

    variants = ({}, {"length": 1}, {"length": 5})

    def __post_init__(self) -> None:
        require_whole("Recurrent", 1, length=self.length)
        if not isinstance(self.cell, Module):
            raise DeclarationError(f"Recurrent has the cell {self.cell!r}; expected a module such as LSTMCell()")
        states, inputs = self.cell.outputs, self.cell.inputs
        if not states or not set(states) < set(inputs) or len(inputs) != len(states) + 1 or "a" in states:
            raise DeclarationError(
                f"{self.cell.name} has the inputs {', '.join(inputs)} and the outputs {', '.join(states)}; expected a"
                f" cell that puts out the next value of each of its inputs but one, under the same name (not 'a')"
            )
        arrays = {**{leaf: str(declared.dimensions) for leaf, declared in inputs.items()}, **states}
        kept = all(str(inputs[state].dimensions) == text for state, text in states.items())
        if not kept or any(not text or text.startswith("*") for text in arrays.values()):
            raise DeclarationError(
                f"{self.cell.name} goes from {', '.join(f'{leaf} {str(d.dimensions)!r}' for leaf, d in inputs.items())}"
                f" to {', '.join(f'{state} {text!r}' for state, text in states.items())}; expected states of the same"
                f" dimensions, and samples as the first axis of everything, such as 'N M'"
            )

    @cached_property
    def _fed(self) -> str:
        return next(leaf for leaf in self.cell.inputs if leaf not in self.cell.outputs)

    @cached_property
    def inputs(self) -> Mapping[str, Declaration]:
        return {
            leaf: _over_time(declared, self.length) if leaf == self._fed else declared
            for leaf, declared in self.cell.inputs.items()
        }

    @cached_property
    def parameters(self) -> Mapping[str, Declaration]:
        return {f"cell.{leaf}": declared for leaf, declared in self.cell.parameters.items()}

    @cached_property
    def outputs(self) -> Mapping[str, str]:
        batch, *rest = self.cell.outputs[self._first].split()
        return {"a": " ".join([batch, str(self.length), *rest]), **self.cell.outputs}

    @cached_property
    def _first(self) -> str:
        return next(iter(self.cell.outputs))

    @cached_property
    def dimensions(self) -> Sequence[Sizes]:
        return self.cell.dimensions

    @cached_property
    def stochastic(self) -> bool:
        return self.cell.stochastic

    @cached_property
    def waive(self) -> Mapping[str, str]:
        return self.cell.waive

    @cached_property
    def defaults(self) -> Leaves:
        return {f"cell.{leaf}": value for leaf, value in self.cell.defaults.items() if leaf in self.cell.parameters}

    @cached_property
    def independent(self) -> Sequence[str]:
        return self.cell.independent

    def forward(self, rng: Generator | None = None, **leaves: Array) -> tuple[Outputs, Saved]:
        if leaves[self._fed].shape[1:2] != (self.length,):
            raise ModuleError(
                f"{self.name}: {self._fed} has shape {leaves[self._fed].shape}; expected {self.length} steps on axis 1"
            )
        stream = {"rng": rng} if self.cell.stochastic else {}
        own = {leaf: leaves[f"cell.{leaf}"] for leaf in self.cell.parameters}
        states: dict[str, Any] = {state: leaves[state] for state in self.cell.outputs}
        over_time: list[Array] = []
        saved: list[Saved] = []
        for t in range(self.length):
            outputs, residual = self.cell.forward(**{self._fed: leaves[self._fed][:, t]}, **states, **own, **stream)
            states = self._named(outputs)
            over_time.append(states[self._first])
            saved.append(residual)
        return {"a": np.stack(over_time, axis=1), **states}, saved

    def backward(self, saved: Saved, cotangent: Any, /) -> dict[str, Array]:
        # h_t feeds the output a_t and the next step, so  h̄_t = ā_t + (∂h_{t+1}/∂h_t)ᵀ h̄_{t+1};  the parameters feed
        # every step, so  θ̄ = Σ_t (∂h_t/∂θ)ᵀ h̄_t
        states_bar = {state: cotangent[state] for state in self.cell.outputs}
        fed_bar: list[Array] = []
        sums: dict[str, Array] = {}
        for t in reversed(range(self.length)):
            states_bar[self._first] = states_bar[self._first] + cotangent["a"][:, t]
            alone = next(iter(states_bar.values()))
            gradients = self.cell.backward(saved[t], states_bar if len(states_bar) > 1 else alone)
            fed_bar += [gradients[self._fed]] if self._fed in gradients else []  # labels have none
            states_bar = {state: gradients[state] for state in self.cell.outputs}
            for leaf in self.cell.parameters:
                sums[f"cell.{leaf}"] = sums.get(f"cell.{leaf}", 0.0) + gradients[leaf]
        fed = {self._fed: np.stack(fed_bar[::-1], axis=1)} if fed_bar else {}
        return {**fed, **states_bar, **sums}

    def _named(self, outputs: Outputs) -> dict[str, Array]:
        return dict(outputs) if isinstance(outputs, Mapping) else {self._first: outputs}


def _over_time(declared: Declaration, length: int) -> Declaration:
    """The declaration of a sequence of what is declared, time behind the first axis."""
    batch, *rest = declared.dimensions.axes
    return replace(declared, dimensions=Dimensions((batch, str(length), *rest)))

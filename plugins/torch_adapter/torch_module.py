"""An operation of torch as a Module: arrays in, arrays out, and torch's own graph between forward and backward."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from inspect import Signature
from typing import Any

import numpy as np

from gradcheck.plugins.torch_adapter.calling import Arrangement
from gradcheck.plugins.torch_adapter.conversion import array_of, is_differentiable, is_tensor
from gradcheck.plugins.torch_adapter.facts import Facts
from gradcheck.plugins.torch_adapter.framework import Tensor, torch
from gradcheck.plugins.torch_adapter.grad_mode import recording
from gradcheck.plugins.torch_adapter.higher_orders import pulled_back_twice, pushed_forward, pushed_forward_batch
from gradcheck.plugins.torch_adapter.operations import Operation
from gradcheck.plugins.torch_adapter.places import Place
from gradcheck.plugins.torch_adapter.precision import eps_beyond_numpy
from gradcheck.plugins.torch_adapter.pulling_back import Graph
from gradcheck.plugins.torch_adapter.randomness import seeded
from gradcheck.plugins.torch_adapter.recorded import UNNAMED, Recorded, zeros_like
from gradcheck.plugins.torch_adapter.trees import Slot, filled, flattened
from gradcheck.values.aliases import Array, Leaves, Outputs, Saved
from gradcheck.values.declarations import Declaration
from gradcheck.values.errors import ModuleError
from gradcheck.values.module import Module


@dataclass(frozen=True, eq=False, kw_only=True)
class TorchModule(Module):
    """An operation of torch.

    Arguments:
        tree: the arguments it is called with, with slots for leaves.
        ways: how they are given: as the first of these says; there are several until one has been tried.
        places: how leaves become tensors.
        facts: what has been found out by running it.
    """

    operation: Operation
    name: str
    tree: Mapping[str, Any]
    ways: tuple[Arrangement, ...]
    places: Mapping[str, Place] = field(default_factory=dict)
    facts: Facts = field(default_factory=Facts)
    defaults: Leaves = field(default_factory=dict)
    inputs: Mapping[str, Declaration] = field(default_factory=dict)
    parameters: Mapping[str, Declaration] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    reference: Any = None
    notes: Sequence[str] = ()
    kinks: Mapping[str, Sequence[float]] = field(default_factory=dict)
    waive: Mapping[str, str] = field(default_factory=dict)
    with_jvp: bool = False
    with_double_backward: bool = False
    stochastic: bool = False

    @property
    def origin(self) -> object:
        """What an editor should open."""
        return self.operation.origin

    @property
    def signature(self) -> Signature | None:
        """None: leaves have paths for names, which no function takes."""
        return None

    @property
    def eps(self) -> float:
        """Machine epsilon in which it computes, where the dtypes of its arrays do not tell."""
        return eps_beyond_numpy(place.dtype for place in self.places.values())

    @property
    def has_jvp(self) -> bool:
        """Whether there is a forward mode to verify."""
        return self.with_jvp

    @property
    def has_double_backward(self) -> bool:
        """Whether there is a second order to verify."""
        return self.with_double_backward and self.operation.twice

    @property
    def has_forward_batch(self) -> bool:
        """Whether vmap can be tried."""
        return self.operation.batched and not self.stochastic

    @cached_property
    def around(self) -> dict[str, Callable[[Tensor], Tensor]]:
        """What is made of the values of some leaves, such as sparse tensors."""
        return {name: place.around for name, place in self.places.items() if place.around is not None}

    @cached_property
    def in_order(self) -> tuple[str, ...] | None:
        """The leaves in the order in which they are given, if nothing else is; None otherwise."""
        parts = [self.tree[name] for name in self.ways[0].positional]
        plain = len(parts) == len(self.tree) and all(type(part) is Slot for part in parts)
        return tuple(part.path for part in parts) if plain else None

    def run(self, leaves: Mapping[str, Tensor]) -> Any:
        """Call the operation with tensors for its leaves."""
        given = self._wrapped(leaves)
        if self.operation.worker is not None:
            self.operation.worker.load(given)
        if self.in_order is not None:  # as most are called, and each thousands of times
            return self.operation.call(*[given[leaf] for leaf in self.in_order])
        arguments = {name: filled(part, given) for name, part in self.tree.items()}
        return self.ways[0].call(self.operation.call, arguments)

    def _wrapped(self, leaves: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        around = self.around
        return {**leaves, **{name: make(leaves[name]) for name, make in around.items()}} if around else leaves

    def named(self, returned: Any) -> dict[str, Tensor]:
        """The outputs that can be differentiated, by path."""
        found = {UNNAMED: returned} if is_tensor(returned) else dict(flattened(UNNAMED, returned))
        outputs = {
            name: value if value.layout is torch.strided else value.to_dense()
            for name, value in found.items()
            if is_tensor(value) and is_differentiable(value) and name not in self.facts.dropped
        }
        if not outputs:
            raise ModuleError(
                f"{self.name}: forward returned no tensor that can be differentiated, only"
                f" {', '.join(_described(value) for value in found.values()) or 'nothing'}; expected a tensor of"
                f" floating-point or complex numbers, or several in a tuple or dict"
            )
        return outputs

    def forward(self, /, **leaves: Any) -> tuple[Outputs, Saved]:
        """Run the operation, and let torch record it."""
        seed = None
        if self.stochastic:
            seed = int(leaves.pop("rng").integers(2**63))
            # torch draws in the order of memory: in another layout it would be other numbers.
            leaves = {name: np.asarray(array, order="C") for name, array in leaves.items()}
        with recording():
            tensors = {name: self.places[name].leaf(array) for name, array in leaves.items()}
            given = self._given(tensors)
            clones = {name: value.grad_fn for name, value in given.items() if value.grad_fn}
            with seeded(seed):
                returned = self.run(given)
                outputs = self.named(returned)
        graph = Graph(_with_graph(outputs), _with_graph(tensors), clones)
        recorded = Recorded(tensors, outputs, is_tensor(returned), graph, seed)
        return recorded.arrays(), recorded

    def backward(self, saved: Saved, cotangent: Any, /) -> Mapping[str, Array]:
        """Pull a cotangent back through the graph that torch has recorded."""
        recorded: Recorded = saved
        cotangents = recorded.cotangents(cotangent)
        with recording(False), seeded(recorded.seed):
            found, raw = recorded.graph.returned(cotangents) if cotangents else ({}, {})
        return recorded.gradients(found, raw, cotangents)

    def jvp(self, saved: Saved, tangents: Mapping[str, Array], /) -> Outputs:
        """Push tangents forward by dual numbers."""
        recorded: Recorded = saved
        with recording(False), seeded(recorded.seed):
            found = pushed_forward(self._outputs, recorded.leaves, self._tensors(tangents))
        return recorded.arrays(found)

    def double_backward(self, saved: Saved, cotangent: Any, gradients: Mapping[str, Array], /) -> Mapping[str, Array]:
        """Pull cotangents of the gradients back through the graph of the backward."""
        recorded: Recorded = saved
        with seeded(recorded.seed):
            given = recorded.tensors(cotangent)
            found = pulled_back_twice(recorded.graph, given, self._tensors(gradients))
        return {name: array_of(value) for name, value in found.items()}

    def forward_batch(self, leaves: Leaves, leaf: str, values: Array, /) -> Outputs:
        """Run the operation under vmap over the values of one leaf."""
        tensors, unnamed = self._tensors({**leaves, leaf: values}), False

        def one(value: Tensor) -> dict[str, Tensor]:
            nonlocal unnamed
            returned = self.run(self._given({**tensors, leaf: value}))
            unnamed = is_tensor(returned)
            return self.named(returned)

        with recording(False):
            found = torch.func.vmap(one)(tensors[leaf])
        arrays = {name: array_of(value) for name, value in found.items()}
        return arrays[UNNAMED] if unnamed else arrays

    def backward_batch(self, saved: Saved, cotangents: Any, /) -> Mapping[str, Array]:
        """Pull many cotangents back under vmap."""
        recorded: Recorded = saved
        given = recorded.tensors(cotangents)
        count = len(next(iter(cotangents.values())) if isinstance(cotangents, Mapping) else cotangents)
        with recording(False), seeded(recorded.seed):
            found = recorded.graph.gradients(given, batched=True) if given else {}
        leaves, batches = recorded.graph.leaves, {name: g for name, g in found.items() if g is not None}
        return {
            name: array_of(batches[name]) if name in batches else zeros_like(leaves[name], count) for name in leaves
        }

    def jvp_batch(self, saved: Saved, tangents: Mapping[str, Array], /) -> Outputs:
        """Push many tangents forward at once; all of them, and all results, have an additional first axis."""
        recorded: Recorded = saved
        with recording(False), seeded(recorded.seed):
            found = pushed_forward_batch(self._outputs, recorded.leaves, self._tensors(tangents))
        return recorded.arrays(found)

    def _tensors(self, arrays: Mapping[str, Array]) -> dict[str, Tensor]:
        return {name: self.places[name].tensor(array) for name, array in arrays.items()}

    def cloned(self, leaves: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Clones of the arguments, to which an operation may write; parameters as they are."""
        kept = {name for name in leaves if self.places[name].parameter is not None}
        return {name: value if name in kept else value.clone() for name, value in leaves.items()}

    def _given(self, leaves: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        return self.cloned(leaves) if self.facts.in_place else leaves

    def _outputs(self, leaves: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return self.named(self.run(self._given(leaves)))


def _with_graph(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: value for name, value in tensors.items() if value.requires_grad}


def _described(value: Any) -> str:
    return f"a tensor of {value.dtype}" if is_tensor(value) else f"a {type(value).__name__}"

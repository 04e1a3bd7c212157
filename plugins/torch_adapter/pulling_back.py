"""Gradients as torch computes them, and as a hand-written backward really returned them.

torch mends what an autograd.Function returns, silently: a gradient of another shape is summed to that of the input, one
of another dtype is cast. What is verified is what was returned, so that it is looked at before the engine gets it.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from gradcheck.plugins.torch_adapter.framework import Node, Tensor, torch

_HandWritten = torch.autograd.function.BackwardCFunction


@dataclass(frozen=True, eq=False)
class Feeder:
    """A hand-written backward that alone gives some leaves their gradients.

    Arguments:
        slots: which of the values it returns is the gradient of which leaf.
    """

    node: Node
    slots: tuple[tuple[int, str], ...]


@dataclass(frozen=True, eq=False)
class Graph:
    """A forward that torch has recorded.

    Arguments:
        outputs: the outputs that depend on leaves.
        leaves: the leaves that have gradients.
        clones: the nodes that stand for leaves of which clones were given.
    """

    outputs: Mapping[str, Tensor]
    leaves: Mapping[str, Tensor]
    clones: Mapping[str, Node] = field(default_factory=dict)
    cache: dict[str, tuple[Feeder, ...]] = field(default_factory=dict)

    @property
    def feeders(self) -> tuple[Feeder, ...]:
        """The hand-written backwards whose results can be looked at."""
        if "feeders" not in self.cache:
            self.cache["feeders"] = tuple(_feeders(self))
        return self.cache["feeders"]

    def gradients(self, cotangents: Mapping[str, Tensor], *, batched: bool = False) -> dict[str, Tensor | None]:
        """The gradient of every leaf, None where torch has none, for cotangents of some outputs."""
        outputs = [self.outputs[name] for name in cotangents]
        options = {"retain_graph": True, "allow_unused": True, "is_grads_batched": batched}
        found = torch.autograd.grad(outputs, list(self.leaves.values()), list(cotangents.values()), **options)
        return dict(zip(self.leaves, found, strict=True))

    def returned(self, cotangents: Mapping[str, Tensor]) -> tuple[dict[str, Tensor | None], dict[str, Tensor]]:
        """The gradients as torch has them, and those that hand-written backwards returned for leaves, as they came."""
        with _looking_at(self.feeders) as raw:
            try:
                return self.gradients(cotangents), raw
            except RuntimeError:
                # Another shape that torch cannot mend: it is enough to know it.
                known = set(raw) == set(self.leaves)
                if known and any(_misfit(gradient, self.leaves[name]) for name, gradient in raw.items()):
                    return {}, raw
                raise


def _misfit(gradient: Tensor, leaf: Tensor) -> bool:
    return bool(gradient.shape != leaf.shape or gradient.is_complex() != leaf.is_complex())


def _feeders(graph: Graph) -> Iterator[Feeder]:
    names = {id(leaf): name for name, leaf in graph.leaves.items()}
    clones = {node: name for name, node in graph.clones.items()}

    def leaf_behind(node: Node) -> str:
        return clones.get(node, "") or names.get(id(getattr(node, "variable", None)), "")

    nodes = [node for node in _nodes(graph.outputs.values()) if node not in clones]
    edges = [leaf_behind(following) for node in nodes for following, _ in node.next_functions if following]
    alone = {name for name in graph.leaves if edges.count(name) == 1}
    for node in (node for node in nodes if isinstance(node, _HandWritten)):
        # Both in the order of the arguments: those that need a gradient, and where that goes.
        needing = [index for index, needed in enumerate(node.needs_input_grad) if needed]
        behind = [leaf_behind(following) for following, _ in node.next_functions if following]
        slots = tuple((i, name) for i, name in zip(needing, behind, strict=False) if name in alone)
        if slots:
            yield Feeder(node, slots)


def _nodes(outputs: Sequence[Tensor] | Any) -> Iterator[Node]:
    """Every node of a graph, once."""
    waiting = [output.grad_fn for output in outputs]
    seen: set[Node] = set()
    while waiting:
        node = waiting.pop()
        if node is not None and node not in seen:
            seen.add(node)
            yield node
            waiting += [following for following, _ in node.next_functions]


@contextmanager
def _looking_at(feeders: Sequence[Feeder]) -> Iterator[dict[str, Tensor]]:
    """What the feeders return while this lasts, by leaf."""
    raw: dict[str, Tensor] = {}
    for feeder in feeders:
        feeder.node.apply = _recording(feeder, feeder.node.apply, raw)
    try:
        yield raw
    finally:
        for feeder in feeders:
            del feeder.node.apply


def _recording(feeder: Feeder, apply: Any, raw: dict[str, Tensor]) -> Any:
    def recorded(*cotangents: Tensor | None) -> Any:
        returned = apply(*cotangents)
        values = returned if isinstance(returned, tuple) else (returned,)
        for index, name in feeder.slots:
            if index < len(values) and isinstance(values[index], torch.Tensor):
                raw[name] = values[index]
        return returned

    return recorded

"""Modules that are a fixed graph of others."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from gradcheck.modules.graph import Graph
from gradcheck.values.aliases import Array, Leaves, Outputs, Saved, Sizes
from gradcheck.values.declarations import Declaration
from gradcheck.values.module import Module


class Composite(Module):
    """A module of modules: a subclass is final and says in ``graph`` what it is made of; everything follows from that.

    >>> from gradcheck.modules import Linear, Sigmoid
    >>> from gradcheck.modules.graph import Graph, Node
    >>> class Unit(Composite):
    ...     @property
    ...     def graph(self) -> Graph:
    ...         nodes = {"dense": Node(Linear(), {"x": "x"}), "squash": Node(Sigmoid(), {"x": "dense"})}
    ...         return Graph(nodes, heads={"a": "squash"})
    >>> list(Unit().parameters)
    ['dense.weight', 'dense.bias']
    """

    @property
    @abstractmethod
    def graph(self) -> Graph:
        """The modules, and how they feed each other."""

    # Made once: a forward is called twice for every coordinate.
    @cached_property
    def _graph(self) -> Graph:
        return self.graph

    @cached_property
    def origin(self) -> object:
        return type(self).graph.fget  # type: ignore[attr-defined]  # on the class, `graph` is the property

    @cached_property
    def inputs(self) -> Mapping[str, Declaration]:
        return self._graph.inputs

    @cached_property
    def parameters(self) -> Mapping[str, Declaration]:
        return self._graph.parameters

    @cached_property
    def outputs(self) -> Mapping[str, str]:
        return self._graph.outputs

    @cached_property
    def dimensions(self) -> Sequence[Sizes]:
        return self._graph.dimensions

    @cached_property
    def defaults(self) -> Leaves:
        return self._graph.defaults

    @cached_property
    def kinks(self) -> Mapping[str, Sequence[float]]:
        return self._graph.kinks

    @cached_property
    def stochastic(self) -> bool:
        return self._graph.stochastic

    @cached_property
    def waive(self) -> Mapping[str, str]:
        return self._graph.waive

    def forward(self, **leaves: Any) -> tuple[Outputs, Saved]:
        return self._graph.forward(**leaves)

    def backward(self, saved: Saved, cotangent: Any, /) -> dict[str, Array]:
        return self._graph.backward(saved, cotangent)

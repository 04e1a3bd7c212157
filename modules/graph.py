"""A module of modules: any directed graph without cycles."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

import numpy as np

from gradcheck.algebra.edges import Edge
from gradcheck.modules.wiring import Node as Node
from gradcheck.modules.wiring import Port, Station, declared, edge, resolved, sizes_of_nodes, wired
from gradcheck.values.aliases import Array, Generator, Leaves, Outputs, Saved, Shape, Sizes
from gradcheck.values.declarations import Declaration
from gradcheck.values.dimensions import Dimensions, bind
from gradcheck.values.errors import DeclarationError, ModuleError
from gradcheck.values.module import Module


@dataclass(frozen=True)
class Graph(Module):
    """Modules as nodes, fed by each other; visited in topological order, and backwards in reverse.

    Leaves that no node feeds are the leaves of the whole: named by path, such as ``conv.weight``, or by the name that
    the sources give. A leaf that several nodes share, such as a tied parameter, gets the sum of their gradients, and
    so does an output that feeds several. Dimensions are bound over the edges.

    Arguments:
        nodes: the modules by name, each a Node with the sources of its leaves, or a module that nothing feeds.
        heads: the outputs of the whole by name, each the output of a node.
        trainable: leaves that are parameters of the whole although they are inputs of their nodes.
        sizes: sizes of dimension symbols to verify at, where the default primes do not fit.
        waived: behaviour probes that the whole waives, beside those that its nodes waive, with reasons.

    Raises DeclarationError if the nodes do not fit together, or if there is a cycle, which it names.

    >>> from gradcheck.modules import Add, Linear, Tanh
    >>> skip = Graph(
    ...     {"dense": Node(Linear(), {"x": "x"}), "squash": Node(Tanh(), {"x": "dense"}),
    ...      "plus": Node(Add(), {"x": "squash", "y": "x"})},
    ...     heads={"a": "plus"},
    ... )
    >>> list(skip.leaves), str(skip.leaves["dense.weight"].dimensions)
    (['x', 'dense.weight', 'dense.bias'], 'M M')
    """

    nodes: Mapping[str, "Node | Module"]
    heads: Mapping[str, str]
    trainable: Sequence[str] = ()
    sizes: Sequence[Sizes] = ()
    waived: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if not isinstance(self.nodes, Mapping) or not all(isinstance(n, (Node, Module)) for n in self.nodes.values()):
            raise DeclarationError(
                f"Graph has the nodes {self.nodes!r}; expected a dict such as {{'dense': Node(Linear(), {{'x': 'x'}})}}"
            )
        wrong = [name for name in self.nodes if not isinstance(name, str) or not name or "." in name]
        if wrong or isinstance(self.trainable, str) or not isinstance(self.heads, Mapping):
            raise DeclarationError(
                f"Graph has the nodes {', '.join(map(str, self.nodes))}, the heads {self.heads!r} and trainable"
                f" {self.trainable!r}; expected names without dots, heads such as {{'a': 'dense'}}, a list of leaves"
            )
        # Wired here, so that nodes that do not fit are reported where they are put together.
        _ = self._heads, self._declared
        differentiable = [path for path, leaf in self._declared.items() if leaf.differentiable]
        unknown = [leaf for leaf in self.trainable if leaf not in differentiable]
        if unknown:
            raise DeclarationError(
                f"trainable names {', '.join(unknown)}; the leaves with a gradient are {', '.join(differentiable)}"
            )

    @cached_property
    def name(self) -> str:
        return f"Graph({', '.join(node.module.name for node in self._nodes.values())})"

    @cached_property
    def _nodes(self) -> dict[str, Node]:
        given = {name: node if isinstance(node, Node) else Node(node) for name, node in self.nodes.items()}
        # An object that is only made when its sizes are known has no parameters yet; it says so.
        return {name: Node(node.module.at({}), node.sources) for name, node in given.items()}

    @cached_property
    def _stations(self) -> dict[str, Station]:
        return wired(self._nodes)

    @cached_property
    def _heads(self) -> dict[str, Port]:
        ports = {head: resolved(self._nodes, source, f"head {head!r}") for head, source in self.heads.items()}
        wrong = [f"{head!r}: {port!r}" for head, port in ports.items() if not isinstance(port, Port)]
        if wrong or not ports:
            raise DeclarationError(
                f"heads are {', '.join(wrong) or 'empty'}; expected outputs of the nodes {', '.join(self.nodes)}"
            )
        return {head: port for head, port in ports.items() if isinstance(port, Port)}

    @cached_property
    def _declared(self) -> dict[str, Declaration]:
        # In the order in which the nodes are given.
        return declared([self._stations[name] for name in self.nodes])

    @cached_property
    def _trained(self) -> set[str]:
        own = (p for s in self._stations.values() for leaf, p in s.paths.items() if leaf in s.module.parameters)
        return {*own, *self.trainable}

    @cached_property
    def inputs(self) -> Mapping[str, Declaration]:
        return {path: leaf for path, leaf in self._declared.items() if path not in self._trained}

    @cached_property
    def parameters(self) -> Mapping[str, Declaration]:
        return {path: leaf for path, leaf in self._declared.items() if path in self._trained}

    @cached_property
    def outputs(self) -> Mapping[str, str]:
        return {head: str(self._stations[port.node].outputs[port.output]) for head, port in self._heads.items()}

    @cached_property
    def dimensions(self) -> Sequence[Sizes]:
        return self.sizes or sizes_of_nodes([self._stations[name] for name in self.nodes])

    @cached_property
    def defaults(self) -> Leaves:
        return {
            path: station.module.defaults[leaf]
            for station in self._stations.values()
            for leaf, path in station.paths.items()
            if leaf in station.module.defaults
        }

    @cached_property
    def waive(self) -> Mapping[str, str]:
        of_nodes = {
            probe: f"{name}: {reason}" for name, n in self._nodes.items() for probe, reason in n.module.waive.items()
        }
        return {**of_nodes, **self.waived}

    @cached_property
    def kinks(self) -> Mapping[str, tuple[float, ...]]:
        found: dict[str, tuple[float, ...]] = {}
        for station in self._stations.values():
            for leaf, path in station.paths.items():
                found[path] = (*found.get(path, ()), *station.module.kinks.get(leaf, ()))
        return found

    @cached_property
    def stochastic(self) -> bool:
        return any(node.module.stochastic for node in self._nodes.values())

    def forward(self, rng: Generator | None = None, **leaves: Array) -> tuple[Outputs, Saved]:
        """Visit every node after those that feed it."""
        shapes = {path: np.shape(value) for path, value in leaves.items()}
        leaf_shapes = tuple(shapes.items())
        self._once(leaf_shapes, partial(self._require_leaves, shapes))
        values: dict[Port, Array] = {}
        saved: dict[str, Saved] = {}
        for name, station in self._stations.items():
            arriving = tuple(np.shape(values[port]) for port in station.fed.values())
            self._once((name, arriving, leaf_shapes), partial(self._require_arriving, station, arriving, shapes))
            fed = {leaf: values[port] for leaf, port in station.fed.items()}
            own = {leaf: leaves[path] for leaf, path in station.paths.items()}
            stream = {"rng": rng} if station.module.stochastic else {}
            outputs, saved[name] = station.module.forward(**fed, **own, **stream)
            named = outputs if isinstance(outputs, Mapping) else dict(zip(station.outputs, [outputs], strict=False))
            values.update({Port(name, output): value for output, value in named.items()})
        heads = {head: values[port] for head, port in self._heads.items()}
        forms = {port: (np.shape(value), np.asarray(value).dtype) for port, value in values.items()}
        return heads if len(heads) > 1 else next(iter(heads.values())), (saved, forms)

    def backward(self, saved: Saved, cotangent: Any, /) -> dict[str, Array]:
        """Visit the nodes in reverse: what one gives back for a leaf is the cotangent of the output that fed it."""
        # With L a loss at the end, for every output a and all leaves x that it feeds:
        #     ∂L/∂a = Σ_x (∂a_next/∂x)ᵀ ∂L/∂a_next        and for a leaf θ that nodes share  ∂L/∂θ = Σ_nodes
        residuals, forms = saved
        cotangents: dict[Port, Array] = {}
        for head, port in self._heads.items():
            _add(cotangents, port, cotangent[head] if len(self._heads) > 1 else cotangent)
        gradients: dict[str, Array] = {}
        for name, station in reversed(self._stations.items()):
            own = {output: _cotangent(cotangents, Port(name, output), forms) for output in station.outputs}
            returned = station.module.backward(residuals[name], own if len(own) > 1 else next(iter(own.values())))
            for leaf, port in station.fed.items():
                if station.leaves[leaf].differentiable:
                    self._edges[name, leaf].require_gradient(returned.get(leaf), forms[port][0])
                    _add(cotangents, port, returned[leaf])
            for leaf, path in station.paths.items():
                if leaf in returned:
                    _require_same_shape(gradients, path, f"{name}.{leaf}", returned[leaf])
                    _add(gradients, path, returned[leaf])
        return gradients

    @cached_property
    def _edges(self) -> dict[tuple[str, str], Edge]:
        return {
            (name, leaf): edge(self._stations, port, name, leaf)
            for name, station in self._stations.items()
            for leaf, port in station.fed.items()
        }

    def _once(self, shapes: object, look: Callable[[], None]) -> None:
        """Look at shapes for the first time only: a forward is called twice for every coordinate."""
        if shapes not in self._fitting:
            look()
            self._fitting.add(shapes)

    def _require_leaves(self, shapes: Mapping[str, Shape]) -> None:
        # numpy would broadcast a bias of shape (1,), or targets (N, 1), to whatever goes with them.
        if problems := bind(self._dimensions, shapes)[1]:
            raise ModuleError(f"{self.name}: {'; '.join(problems)}")

    def _require_arriving(self, station: Station, arriving: Sequence[Shape], shapes: Mapping[str, Shape]) -> None:
        for leaf, shape in zip(station.fed, arriving, strict=True):
            self._edges[station.name, leaf].require_fit(shape, self._dimensions, shapes)
        # Of a size that no leaf tells, such as what a convolution makes of a picture, all edges have to say the same.
        declared = {leaf: station.leaves[leaf].dimensions for leaf in station.fed}
        if problems := bind(declared, dict(zip(station.fed, arriving, strict=True)))[1]:
            feeding = ", ".join(self._edges[station.name, leaf].name for leaf in station.fed)
            raise ModuleError(f"{self.name}: what arrives at {station.name!r} ({feeding}) does not fit: {problems[0]}")

    @cached_property
    def _dimensions(self) -> dict[str, Dimensions]:
        return {path: leaf.dimensions for path, leaf in self._declared.items()}

    @cached_property
    def _fitting(self) -> set[object]:
        return set()


def _add(sums: dict[Any, Array], key: object, value: Array) -> None:
    """Add to a sum, out of place: what is added belongs to whoever returned it."""
    sums[key] = sums[key] + value if key in sums else value


def _require_same_shape(sums: Mapping[str, Array], path: str, end: str, value: Array) -> None:
    """Raise ModuleError if a shared leaf gets gradients of different shapes, which numpy would broadcast."""
    if path in sums and np.shape(sums[path]) != np.shape(value):
        raise ModuleError(
            f"leaf {path!r} is shared: {end} gives back a gradient of shape {np.shape(value)}, another node one of"
            f" shape {np.shape(sums[path])}"
        )


def _cotangent(cotangents: Mapping[Port, Array], port: Port, forms: Mapping[Port, tuple[Shape, Any]]) -> Array:
    """The cotangent of an output; 0 if nothing that it feeds has a gradient."""
    return cotangents[port] if port in cotangents else np.zeros(*forms[port])

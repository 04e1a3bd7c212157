"""Wiring of a graph: where every leaf of every node comes from, in which order, with which dimensions."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from graphlib import CycleError, TopologicalSorter
from typing import NamedTuple

from gradcheck.algebra.edges import Edge, End
from gradcheck.algebra.unification import Axes, fresh, substituted, substituted_declaration, unify
from gradcheck.values.aliases import Size
from gradcheck.values.declarations import Declaration
from gradcheck.values.dimensions import Dimensions
from gradcheck.values.domains import Interval, Labels
from gradcheck.values.errors import DeclarationError
from gradcheck.values.module import Module


@dataclass(frozen=True)
class Node:
    """A module in a graph, and where its leaves come from.

    Arguments:
        module: the module.
        sources: for a leaf the output that feeds it, ``"conv.a"`` or just ``"conv"`` for the only one; or a name of
            a leaf of the whole, which several nodes may share (tied parameters), ``"conv.weight"`` being that of
            another node. A leaf without source is one of the whole by its path, such as ``plus.y``.
    """

    module: Module
    sources: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        given = self.sources.items() if isinstance(self.sources, Mapping) else [(None,)]
        if not isinstance(self.module, Module) or not all(isinstance(text, str) for item in given for text in item):
            raise DeclarationError(
                f"Node({self.module!r}, {self.sources!r}): expected a module and sources such as"
                f" Node(Linear(), {{'x': 'image'}})"
            )


class Port(NamedTuple):
    """An output of a node."""

    node: str
    output: str


@dataclass(frozen=True)
class Station:
    """A node in the names and dimension symbols of the whole.

    Arguments:
        fed: the port that feeds a leaf.
        paths: the name in the whole of every other leaf.
        leaves, outputs: declarations and dimensions of all of them, by the names of the module.
        renamed: what the dimension symbols of the module are in the whole.
    """

    name: str
    module: Module
    fed: Mapping[str, Port]
    paths: Mapping[str, str]
    leaves: Mapping[str, Declaration]
    outputs: Mapping[str, Dimensions]
    renamed: Mapping[str, Axes]

    @property
    def symbols(self) -> tuple[str, ...]:
        """All symbols that occur at the station."""
        declared = (symbol for declaration in self.leaves.values() for symbol in declaration.symbols)
        return (*declared, *(symbol for output in self.outputs.values() for symbol in output.symbols))

    def with_symbols(self, substitution: Mapping[str, Axes]) -> "Station":
        """The station with some of its symbols replaced."""
        leaves = {leaf: substituted_declaration(declared, substitution) for leaf, declared in self.leaves.items()}
        outputs = {name: substituted(dimensions, substitution) for name, dimensions in self.outputs.items()}
        renamed = {s: substituted(Dimensions(axes), substitution).axes for s, axes in self.renamed.items()}
        return replace(self, leaves=leaves, outputs=outputs, renamed=renamed)


def edge(stations: Mapping[str, Station], port: Port, target: str, leaf: str) -> Edge:
    """The edge from a port to a leaf of a node."""
    source, end = stations[port.node], stations[target]
    return Edge(
        End(source.name, source.module.name, port.output, source.outputs[port.output]),
        End(end.name, end.module.name, leaf, end.leaves[leaf].dimensions),
    )


def wired(nodes: Mapping[str, Node]) -> dict[str, Station]:
    """The stations of a graph by name, in an order in which every one comes after those that feed it.

    Raises DeclarationError for a source that names no array of its node, a cycle, and dimensions that do not fit.
    """
    apart: dict[str, Station] = {}
    known: set[str] = set()
    for name, node in nodes.items():
        apart[name] = _renamed_apart(name, node, nodes, known)
        known.update(apart[name].symbols)
    stations = {name: apart[name] for name in _topological_order(apart)}
    substitution: dict[str, Axes] = {}
    for path, (first, *others) in _uses(apart).items():
        for other in others:
            substitution = _unified(path, first, other, substitution)
    for station in stations.values():
        for leaf, port in station.fed.items():
            substitution = edge(stations, port, station.name, leaf).unified(substitution)
    unified = {name: station.with_symbols(substitution) for name, station in stations.items()}
    tidy = _tidy([symbol for name in nodes for symbol in unified[name].symbols])
    return {name: station.with_symbols(tidy) for name, station in unified.items()}


def declared(stations: Sequence[Station]) -> dict[str, Declaration]:
    """The declarations of the leaves of the whole; a leaf that is shared may be any number for all nodes but one kind.

    Raises DeclarationError if two nodes want different domains or dtypes.
    """
    found: dict[str, Declaration] = {}
    for station in stations:
        for leaf, path in station.paths.items():
            one, other = found.get(path, station.leaves[leaf]), station.leaves[leaf]
            narrow = [declared for declared in (one, other) if declared.domain != Interval()]
            agree = one.domain == other.domain or (len(narrow) == 1 and narrow[0].differentiable)
            if not agree or one.dtype != other.dtype:
                raise DeclarationError(
                    f"leaf {path!r} is shared, but declared as {one.domain} of {one.dtype} and, in {station.name!r}, as"
                    f" {other.domain} of {other.dtype}"
                )
            found[path] = narrow[0] if narrow else one
    return found


def sizes_of_nodes(stations: Sequence[Station]) -> list[dict[str, Size]]:
    """Sizes to verify the whole at, from those at which its nodes are verified; of several for one symbol the first."""
    settings = max((len(station.module.dimensions) for station in stations), default=0)
    merged: list[dict[str, Size]] = [{} for _ in range(settings)]
    symbols = {symbol for station in stations for leaf in station.paths for symbol in station.leaves[leaf].symbols}
    for station in stations:
        # Those of its symbols that became one symbol of the whole, and of the same kind.
        whole = {own: axes[0] for own, axes in station.renamed.items() if len(axes) == 1 and axes[0] in symbols}
        alike = {own.lstrip("*"): name.lstrip("*") for own, name in whole.items() if ("*" in own) == ("*" in name)}
        for at, sizes in enumerate(station.module.dimensions):
            for symbol, name in alike.items():
                if symbol in sizes:
                    merged[at].setdefault(name, sizes[symbol])
    return [sizes for sizes in merged if sizes]


def resolved(nodes: Mapping[str, Node], source: str, where: str, asked: tuple[str, ...] = ()) -> Port | str:
    """What a source names: the output of a node, or a leaf of the whole.

    Raises DeclarationError if it names a node but no output or leaf of it, or if leaves name each other in a circle.
    """
    name, _, array = (source, "", "") if source in nodes else source.rpartition(".")
    if name not in nodes:
        return source
    node = nodes[name]
    outputs, leaves = list(node.module.outputs), list(node.module.leaves)
    if array in outputs or (not array and len(outputs) == 1):
        return Port(name, array or outputs[0])
    if source in asked:
        raise DeclarationError(f"the leaves {' → '.join((*asked, source))} name each other: give one of them a source")
    if array in leaves:
        # The other node's leaf may come from elsewhere itself.
        own = node.sources.get(array, source)
        return source if own == source else resolved(nodes, own, source, (*asked, source))
    raise DeclarationError(
        f"{where} comes from {source!r}; {name!r} ({node.module.name}) has the outputs {', '.join(outputs)} and the"
        f" leaves {', '.join(leaves)}"
    )


def _renamed_apart(name: str, node: Node, nodes: Mapping[str, Node], known: set[str]) -> Station:
    """A station whose leaves have their names in the whole, and whose symbols occur in none before."""
    module = node.module
    if not module.leaves or not module.outputs:
        raise DeclarationError(
            f"{name!r} ({module.name}) declares {len(module.inputs)} inputs and {len(module.outputs)} outputs; a part"
            f" of a composite has to declare them, such as inputs = {{'x': real('N D')}}, outputs = {{'a': 'N M'}}"
        )
    unknown = [leaf for leaf in node.sources if leaf not in module.leaves]
    if unknown:
        raise DeclarationError(
            f"{name!r} is fed in {', '.join(unknown)}; {module.name} has the leaves {', '.join(module.leaves)}"
        )
    own = {leaf: f"{name}.{leaf}" for leaf in module.leaves}
    # Without a source a leaf is its path, even where an output has the same name, as a state of a cell does.
    origins = {
        leaf: resolved(nodes, node.sources[leaf], path) if leaf in node.sources else path for leaf, path in own.items()
    }
    outputs = {output: Dimensions.parse(text) for output, text in module.outputs.items()}
    symbols = [*module.symbols, *(symbol for dimensions in outputs.values() for symbol in dimensions.symbols)]
    fed = {leaf: origin for leaf, origin in origins.items() if isinstance(origin, Port)}
    paths = {leaf: origin for leaf, origin in origins.items() if not isinstance(origin, Port)}
    station = Station(name, module, fed, paths, module.leaves, outputs, {symbol: (symbol,) for symbol in symbols})
    return station.with_symbols(fresh(dict.fromkeys(symbols), known))


def _tidy(symbols: Sequence[str]) -> dict[str, Axes]:
    """Names without the numbers that kept the symbols of the nodes apart, where they are free again."""
    bare = {symbol.rstrip("0123456789"): symbol for symbol in reversed(symbols)}
    return {symbol: (name,) for name, symbol in bare.items() if name not in symbols}


def _topological_order(stations: Mapping[str, Station]) -> Iterator[str]:
    # Lists and not sets, so that the order is the same every time.
    before = {name: [port.node for port in station.fed.values()] for name, station in stations.items()}
    try:
        yield from TopologicalSorter(before).static_order()
    except CycleError as error:
        cycle = " → ".join(error.args[1])
        raise DeclarationError(
            f"the graph has the cycle {cycle}, so that no order visits every module after those that feed it; a loop"
            f" through time is unrolled by gradcheck.modules.Recurrent"
        ) from None


def _uses(stations: Mapping[str, Station]) -> dict[str, list[tuple[str, Declaration]]]:
    """For every leaf of the whole where it is used: the leaf of a node, as declared there."""
    uses: dict[str, list[tuple[str, Declaration]]] = {}
    for station in stations.values():
        for leaf, path in station.paths.items():
            uses.setdefault(path, []).append((f"{station.name}.{leaf}", station.leaves[leaf]))
    return uses


def _unified(
    path: str, first: tuple[str, Declaration], other: tuple[str, Declaration], known: Mapping[str, Axes]
) -> dict[str, Axes]:
    try:
        found = unify(other[1].dimensions, first[1].dimensions, known)
        ours, theirs = first[1].domain, other[1].domain
        if isinstance(ours, Labels) and isinstance(theirs, Labels):
            return unify(Dimensions((str(theirs.classes),)), Dimensions((str(ours.classes),)), found)
        return found
    except DeclarationError as error:
        raise DeclarationError(f"leaf {path!r} is shared by {first[0]} and {other[0]}: {error}") from error

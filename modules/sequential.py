"""A module of modules, one after the other."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise, zip_longest
from typing import Any

import numpy as np

from gradcheck.algebra.edges import Edge, End
from gradcheck.algebra.unification import fresh, substituted, substituted_declaration
from gradcheck.values.aliases import Array, Generator, Outputs, Saved, Shape
from gradcheck.values.declarations import Declaration
from gradcheck.values.dimensions import Dimensions
from gradcheck.values.errors import DeclarationError
from gradcheck.values.module import Module


@dataclass(frozen=True)
class _Stage:
    """One module of the row, in the names and dimension symbols of the whole.

    Arguments:
        name: its name in the whole.
        fed, fed_dimensions: the input that takes what the stage before puts out.
        paths: the name in the whole of every other leaf, and of the input of the whole.
        declarations: declarations of these leaves, by their names in the whole.
        output: dimensions of the output.
    """

    name: str
    module: Module
    fed: str
    fed_dimensions: Dimensions
    paths: Mapping[str, str]
    declarations: Mapping[str, Declaration]
    output: Dimensions

    @property
    def symbols(self) -> tuple[str, ...]:
        """All symbols that occur in the stage."""
        declared = (symbol for declaration in self.declarations.values() for symbol in declaration.symbols)
        return (*self.fed_dimensions.symbols, *declared, *self.output.symbols)

    def with_symbols(self, substitution: Mapping[str, tuple[str, ...]]) -> "_Stage":
        """The stage with some of its symbols replaced."""
        declarations = {path: substituted_declaration(leaf, substitution) for path, leaf in self.declarations.items()}
        fed, output = (substituted(dimensions, substitution) for dimensions in (self.fed_dimensions, self.output))
        return replace(self, declarations=declarations, fed_dimensions=fed, output=output)

    def edge_to(self, following: "_Stage") -> Edge:
        """The edge over which the output goes on."""
        source = End(self.name, self.module.name, next(iter(self.module.outputs)), self.output)
        return Edge(source, End(following.name, following.module.name, following.fed, following.fed_dimensions))

    def own(self, leaves: Mapping[str, Any]) -> dict[str, Any]:
        """The stage's leaves among those of the whole, by the stage's names."""
        return {leaf: leaves[path] for leaf, path in self.paths.items()}


@dataclass(frozen=True)
class Sequential(Module):
    """Modules in a row, each fed with the output of the one before.

    The first input of each stage is fed; its other inputs (the target of a loss) and its parameters
    become leaves named by path, such as ``dense.weight``. Dimensions are bound along the row: the
    symbols of a stage's first input stand for what the stage before puts out.

    Arguments:
        stages: the modules by name, in their order.
        waived: behaviour probes that the row as a whole waives, beside those that its stages waive, with reasons.

    Raises DeclarationError if a stage has several outputs or does not fit the one before.

    >>> from gradcheck.modules import Linear, Tanh
    >>> list(Sequential({"dense": Linear(), "squash": Tanh()}).parameters)
    ['dense.weight', 'dense.bias']
    """

    stages: Mapping[str, Module]
    waived: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        stages = self.stages
        if not isinstance(stages, Mapping) or not all(isinstance(module, Module) for module in stages.values()):
            raise DeclarationError(
                f"Sequential has the stages {stages!r}; expected a dict such as {{'dense': Linear()}}"
            )
        if not stages:
            raise DeclarationError("Sequential has no stages: expected at least one, such as {'dense': Linear()}")
        # Wired here, so that stages that do not fit are reported where they are put together.
        _ = self._wired

    @cached_property
    def _wired(self) -> tuple[_Stage, ...]:
        apart: list[_Stage] = []
        known: set[str] = set()
        for name, module in self.stages.items():
            apart.append(_renamed_apart(name, module, known, is_first=not apart))
            known.update(apart[-1].symbols)
        substitution: dict[str, tuple[str, ...]] = {}
        for before, stage in pairwise(apart):
            substitution = before.edge_to(stage).unified(substitution)
        return tuple(stage.with_symbols(substitution) for stage in apart)

    @cached_property
    def name(self) -> str:
        return f"Sequential({', '.join(module.name for module in self.stages.values())})"

    @cached_property
    def waive(self) -> Mapping[str, str]:
        of_stages = {
            probe: f"{name}: {reason}" for name, stage in self.stages.items() for probe, reason in stage.waive.items()
        }
        return {**of_stages, **self.waived}

    @cached_property
    def inputs(self) -> Mapping[str, Declaration]:
        return self._declared(lambda module: module.inputs)

    @cached_property
    def parameters(self) -> Mapping[str, Declaration]:
        return self._declared(lambda module: module.parameters)

    def _declared(self, kind: Any) -> dict[str, Declaration]:
        return {
            path: stage.declarations[path]
            for stage in self._wired
            for leaf, path in stage.paths.items()
            if leaf in kind(stage.module)
        }

    @cached_property
    def outputs(self) -> Mapping[str, str]:
        last = self._wired[-1]
        return {next(iter(last.module.outputs)): str(last.output)}

    @cached_property
    def kinks(self) -> Mapping[str, tuple[float, ...]]:
        return {
            path: tuple(stage.module.kinks.get(leaf, ())) for stage in self._wired for leaf, path in stage.paths.items()
        }

    @cached_property
    def stochastic(self) -> bool:
        return any(module.stochastic for module in self.stages.values())

    @cached_property
    def _edges(self) -> tuple[Edge, ...]:
        return tuple(before.edge_to(stage) for before, stage in pairwise(self._wired))

    def forward(self, rng: Generator | None = None, **leaves: Array) -> tuple[Outputs, Saved]:
        fed: dict[str, Any] = {}
        saved: list[tuple[Saved, Shape]] = []
        output: Any = None
        for stage, edge in zip_longest(self._wired, self._edges):
            stream = {"rng": rng} if stage.module.stochastic else {}
            output, residual = stage.module.forward(**fed, **stage.own(leaves), **stream)
            saved.append((residual, np.shape(output)))
            if edge is not None:
                self._require_fit(edge, np.shape(output), leaves)
                fed = {edge.target.array: output}
        return output, saved

    def _require_fit(self, edge: Edge, shape: Shape, leaves: Mapping[str, Array]) -> None:
        """Look at an edge once for all shapes: a forward is called twice for every coordinate."""
        shapes = {name: np.shape(value) for name, value in leaves.items()}
        seen = (edge.name, shape, tuple(shapes.items()))
        if seen not in self._fitting:
            edge.require_fit(shape, {name: leaf.dimensions for name, leaf in self.leaves.items()}, shapes)
            self._fitting.add(seen)

    @cached_property
    def _fitting(self) -> set[object]:
        return set()

    def backward(self, saved: Saved, a_bar: Any, /) -> dict[str, Array]:
        # ∂L/∂a_l = (∂a_{l+1}/∂x_{l+1})ᵀ ∂L/∂a_{l+1}: what a stage gives its fed input is the cotangent
        # of the stage before.
        gradients: dict[str, Array] = {}
        for stage, edge, (residual, shape) in reversed([*zip_longest(self._wired, self._edges, saved)]):
            if edge is not None:
                edge.require_gradient(a_bar, shape)
            returned = stage.module.backward(residual, a_bar)
            gradients.update({stage.paths[leaf]: value for leaf, value in returned.items() if leaf in stage.paths})
            a_bar = returned.get(stage.fed)
        return gradients


def _renamed_apart(name: str, module: Module, known: set[str], *, is_first: bool) -> _Stage:
    """A stage whose leaves have their names in the whole, and whose symbols occur in no stage before."""
    # An object that is only made when its sizes are known has no parameters yet; it says so.
    module = module.at({})
    if not module.inputs or len(module.outputs) != 1:
        raise DeclarationError(
            f"stage {name!r} ({module.name}) declares {len(module.inputs)} inputs and {len(module.outputs)} outputs;"
            f" a stage of a Sequential needs at least one input and exactly one output"
        )
    fed, declared = next(iter(module.inputs.items()))
    output = Dimensions.parse(next(iter(module.outputs.values())))
    new = fresh(dict.fromkeys([*module.symbols, *output.symbols]), known)
    paths = {leaf: f"{name}.{leaf}" for leaf in module.leaves if leaf != fed}
    if is_first:
        paths = {fed: fed, **paths}
    declarations = {path: substituted_declaration(module.leaves[leaf], new) for leaf, path in paths.items()}
    return _Stage(
        name, module, fed, substituted(declared.dimensions, new), paths, declarations, substituted(output, new)
    )

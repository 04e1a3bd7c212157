"""Modules in a row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from gradcheck.modules.composite import Composite
from gradcheck.modules.graph import Graph, Node
from gradcheck.values.aliases import Sizes
from gradcheck.values.errors import DeclarationError
from gradcheck.values.module import Module


@dataclass(frozen=True)
class Sequential(Composite):
    """Modules in a row, each fed with the output of the one before.

    The first input of each stage is fed; its other inputs (the target of a loss) and its parameters
    become leaves named by path, such as ``dense.weight``. Dimensions are bound along the row: the
    symbols of a stage's first input stand for what the stage before puts out.

    Arguments:
        stages: the modules by name, in their order.
        sizes: sizes of dimension symbols to verify at, where the default primes do not fit.
        waived: behaviour probes that the row as a whole waives, beside those that its stages waive, with reasons.

    Raises DeclarationError if a stage has several outputs or does not fit the one before.

    >>> from gradcheck.modules import Linear, Tanh
    >>> list(Sequential({"dense": Linear(), "squash": Tanh()}).parameters)
    ['dense.weight', 'dense.bias']
    """

    stages: Mapping[str, Module]
    sizes: Sequence[Sizes] = ()
    waived: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        stages = self.stages
        if not isinstance(stages, Mapping) or not all(isinstance(module, Module) for module in stages.values()):
            raise DeclarationError(
                f"Sequential has the stages {stages!r}; expected a dict such as {{'dense': Linear()}}"
            )
        if not stages:
            raise DeclarationError("Sequential has no stages: expected at least one, such as {'dense': Linear()}")
        _require_names(stages)
        # Wired here, so that stages that do not fit are reported where they are put together.
        _ = self._graph

    @cached_property
    def name(self) -> str:
        return f"Sequential({', '.join(module.name for module in self.stages.values())})"

    @property
    def graph(self) -> Graph:
        nodes: dict[str, Node] = {}
        before = ""
        for name, module in self.stages.items():
            nodes[name] = _stage(name, module, before)
            before = name
        head = next(iter(nodes[before].module.outputs))
        return Graph(nodes, {head: before}, sizes=self.sizes, waived=self.waived)


def _stage(name: str, module: Module, before: str) -> Node:
    # An object that is only made when its sizes are known has no parameters yet; it says so.
    module = module.at({})
    if not module.inputs or len(module.outputs) != 1:
        raise DeclarationError(
            f"stage {name!r} ({module.name}) declares {len(module.inputs)} inputs and {len(module.outputs)} outputs;"
            f" a stage of a Sequential needs at least one input and exactly one output"
        )
    fed = next(iter(module.inputs))
    return Node(module, {fed: before or fed})


def _require_names(stages: Mapping[str, Module]) -> None:
    fed = next(iter(next(iter(stages.values())).at({}).inputs), "")
    if fed in stages:
        raise DeclarationError(f"a stage is named {fed!r}, as is the input of the row: give the stage another name")

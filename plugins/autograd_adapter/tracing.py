"""A function of named leaves traced by autograd, all leaves at once, and its derivatives.

``autograd.make_vjp`` traces one argument; several have to be put into a tuple, and a gradient that comes out of a tuple
has been added to zeros of the right shape and dtype, which hides that it had another one.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.plugins.autograd_adapter.framework import builtins, core, numpy, toposort, tracer
from gradcheck.plugins.autograd_adapter.trees import is_container, outputs_in

Named = Mapping[str, Any]

COTANGENT = "_bar"


@dataclass(frozen=True, eq=False)
class Trace:
    """What a function did with its leaves.

    Arguments:
        outputs: what it returned, by name, still traced.
        level: of tracing, at which a value has a node.
        several: whether they came in a container.
        end: all of them, in a tuple if they are several; None if none depends on a leaf.
        roots: where each leaf is in the graph.
    """

    outputs: Named
    level: int
    several: bool
    end: Any
    roots: Named

    @property
    def values(self) -> dict[str, Any]:
        """The outputs."""
        return {name: tracer.getval(output) for name, output in self.outputs.items()}

    def pulled_back(self, cotangents: Named) -> dict[str, Any]:
        """The gradients of the leaves that the outputs depend on.

        autograd transposes, ā ↦ Jᵀ ā; a complex gradient is that of Re Σ conj(ā) a, hence x̄ = conj(Jᵀ conj(ā)).
        """
        if self.end is None:
            return {}
        given = [_conjugated(cotangents[name]) for name in self.outputs]
        together = builtins.tuple(given) if len(given) > 1 else given[0]
        names = {root: name for name, root in self.roots.items()}
        gradients: dict[str, Any] = {}
        waiting = {self.end: (together, False)}
        for node in toposort(self.end):
            gradient = waiting.pop(node)[0]
            if node in names:
                gradients[names[node]] = _conjugated(gradient)
            for parent, part in zip(node.parents, node.vjp(gradient), strict=False):
                waiting[parent] = core.add_outgrads(waiting.get(parent), part)
        return gradients

    def pushed_forward(self) -> dict[str, Any]:
        """The tangents of the outputs, of a trace that was made for forward mode."""
        moved = {name: output for name, output in self.outputs.items() if _is_on(output, self.level)}
        still = {name: np.zeros_like(value) for name, value in self.values.items()}
        return {**still, **{name: output._node.g for name, output in moved.items()}}


def traced(
    function: Callable[[Named], Any], leaves: Named, names: tuple[str, ...] = (), tangents: Named | None = None
) -> Trace:
    """Run a function on some leaves and record what it does: for reverse mode, or for forward mode along tangents.

    Arguments:
        names: declared names of its outputs.

    Raises NotImplementedError or KeyError where autograd has no derivative of something by one of the leaves.
    """
    with _level() as level:
        roots = {name: _root(name, tangents) for name in leaves}
        returned = function({name: tracer.new_box(value, level, roots[name]) for name, value in leaves.items()})
        outputs = outputs_in(returned, names)
        values = list(outputs.values())
        end: Any = builtins.tuple(values) if len(values) > 1 and tangents is None else next(iter(values), None)
        return Trace(outputs, level, is_container(returned), end._node if _is_on(end, level) else None, roots)


def pulled_back_twice(function: Callable[[Named], Any], leaves: Named, cotangents: Named, gradients: Named) -> Named:
    """Cotangents of the gradients pulled back to the leaves and to the cotangents, which name the outputs."""
    given = {f"{name}{COTANGENT}": value for name, value in cotangents.items()}

    def gradients_at(both: Named) -> Any:
        inner = traced(function, {name: both[name] for name in leaves}, tuple(cotangents))
        return inner.pulled_back({name: both[f"{name}{COTANGENT}"] for name in inner.outputs})

    return traced(gradients_at, {**leaves, **given}).pulled_back(gradients)


def _is_on(value: Any, level: int) -> bool:
    """Whether a value depends on the leaves that are traced at a level."""
    return bool(tracer.isbox(value)) and value._trace == level


def _root(name: str, tangents: Named | None) -> Any:
    return core.VJPNode.new_root() if tangents is None else core.JVPNode.new_root(tangents[name])


@contextmanager
def _level() -> Iterator[int]:
    """A level of tracing, taken back also if the function raises, which autograd itself forgets."""
    before = tracer.trace_stack.top
    try:
        with tracer.trace_stack.new_trace() as level:
            yield level
    finally:
        tracer.trace_stack.top = before


def _conjugated(array: Any) -> Any:
    return numpy.conj(array) if np.iscomplexobj(tracer.getval(array)) else array

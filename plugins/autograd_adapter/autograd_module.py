"""A function of autograd as a Module: its value as it is traced, and what comes back through the trace."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from inspect import Signature
from typing import Any

import numpy as np

from gradcheck.algebra.sampling import generator_for, prime_sizes
from gradcheck.plugins.autograd_adapter.framework import NOT_DEFINED, tracer
from gradcheck.plugins.autograd_adapter.tracing import COTANGENT, Named, Trace, pulled_back_twice, traced
from gradcheck.plugins.autograd_adapter.trees import is_container, outputs_in
from gradcheck.values.aliases import Array, Leaves, Outputs, Saved
from gradcheck.values.declarations import Declaration
from gradcheck.values.errors import ModuleError
from gradcheck.values.module import Module


@dataclass(frozen=True, eq=False)
class Point:
    """What backward needs: the leaves, and the trace from them; None if no VJP is defined at all."""

    leaves: Leaves
    trace: Trace | None


@dataclass(frozen=True)
class AutogradModule(Module):
    """A function of autograd, differentiated as autograd does it.

    Arguments:
        function: takes the leaves by name, in one mapping.
        order: 2 if derivatives are themselves differentiated, else 1.
    """

    function: Callable[[Named], Any]
    name: str
    inputs: Mapping[str, Declaration] = field(default_factory=dict)
    parameters: Mapping[str, Declaration] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    defaults: Leaves = field(default_factory=dict)
    order: int = 2
    origin: object = None
    signature: Signature | None = None

    def forward(self, **leaves: Array) -> tuple[Outputs, Saved]:
        """The function as it is traced, by all leaves for which that is defined."""
        chosen = self.differentiated(leaves)
        trace = self._traced(leaves, chosen) if chosen else None
        if trace is None:
            return self.value(**leaves), Point(leaves, None)
        return self._named(trace.values, trace.several), Point(leaves, trace)

    def backward(self, saved: Saved, cotangent: Any, /) -> Mapping[str, Array]:
        """The gradients of the leaves for which a VJP is defined."""
        point: Point = saved
        if point.trace is None:
            told = "; ".join(dict.fromkeys(self._undefined.values()))
            raise ModuleError(
                f"autograd has no derivative by {', '.join(self._undefined)} ({told}): define it with defvjp"
            )
        found = point.trace.pulled_back(self._by_name(cotangent, point.trace.outputs))
        missing = {name: np.zeros_like(point.leaves[name]) for name in point.trace.roots if name not in found}
        # A copy, since to autograd all arrays are constants: two leaves may have one array for a gradient.
        return {name: np.array(gradient) for name, gradient in {**found, **missing}.items()}

    def jvp(self, saved: Saved, tangents: Mapping[str, Array], /) -> Outputs:
        """The tangents of the outputs in forward mode."""
        trace = self._forward_mode(saved.leaves, tangents)
        return self._named(trace.pushed_forward(), trace.several)

    def double_backward(self, saved: Saved, cotangent: Any, gradients: Mapping[str, Array], /) -> Mapping[str, Array]:
        """Reverse over reverse: the gradients traced, and pulled back."""
        return self._twice(saved, self._by_name(cotangent, saved.trace.outputs), gradients)

    @property
    def reference(self) -> Callable[..., Outputs]:
        """The value without being traced, from which a function that looks at types may differ."""
        return self.value

    def value(self, **leaves: Array) -> Outputs:
        """The outputs of the function on plain arrays."""
        returned = self.function(leaves)
        return self._named(outputs_in(returned, tuple(self.outputs)), is_container(returned))

    @cached_property
    def has_jvp(self) -> bool:
        """Whether forward mode is defined, if shapes are known beforehand."""
        if self._specimen is None:
            return False
        try:
            self._forward_mode(self._specimen, self._specimen)
        except NOT_DEFINED:
            return False
        return True

    @cached_property
    def has_double_backward(self) -> bool:
        """Whether the backward can be traced, if shapes are known beforehand."""
        if self._specimen is None or self.order < 2:
            return False
        try:
            point = self.forward(**self._specimen)[1]
            if self._undefined:
                return False
            self._twice(point, point.trace.values, {name: self._specimen[name] for name in point.trace.roots})
        except Exception:  # whatever numpy says of arrays that are traced
            return False
        return True

    def differentiated(self, leaves: Named) -> list[str]:
        """The leaves to differentiate by."""
        declared = self.leaves
        floating = [name for name, value in leaves.items() if np.asarray(value).dtype.kind in "fc"]
        return [name for name in floating if name not in declared or declared[name].differentiable]

    def _traced(self, leaves: Named, chosen: list[str]) -> Trace | None:
        """The trace by some leaves, without those for which no VJP is defined."""
        defined = [name for name in chosen if name not in self._undefined]
        try:
            if not defined:
                return None
            return traced(self._of_others(leaves), {name: leaves[name] for name in defined}, tuple(self.outputs))
        except NOT_DEFINED:
            self.value(**leaves)  # what the function raises by itself says nothing of its derivatives
            self._undefined.update(self._undefined_by_itself(leaves, defined))
            if not set(defined) & set(self._undefined):
                raise
        return self._traced(leaves, chosen)

    @cached_property
    def _undefined(self) -> dict[str, str]:
        """For which leaves no VJP is defined, as far as that is known, and what autograd says of it."""
        return {}

    def _undefined_by_itself(self, leaves: Named, names: list[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        for name in names:
            try:
                traced(self._of_others(leaves), {name: leaves[name]})
            except NOT_DEFINED as error:
                found[name] = str(error)
        return found

    def _forward_mode(self, leaves: Named, tangents: Named) -> Trace:
        chosen = {name: leaves[name] for name in self.differentiated(leaves)}
        along = {name: tangents[name] for name in chosen}
        return traced(self._of_others(leaves), chosen, tuple(self.outputs), along)

    def _twice(self, point: Point, cotangents: Named, gradients: Named) -> dict[str, Array]:
        assert point.trace is not None, "has_double_backward is False without a VJP"
        leaves = {name: point.leaves[name] for name in point.trace.roots}
        given = {name: np.asarray(cotangents[name]) for name in point.trace.outputs}
        found = pulled_back_twice(self._of_others(point.leaves), leaves, given, gradients)
        nothing = {**leaves, **{f"{name}{COTANGENT}": value for name, value in given.items()}}
        return {name: np.array(found.get(name, np.zeros_like(value))) for name, value in nothing.items()}

    def _of_others(self, leaves: Named) -> Callable[[Named], Any]:
        """The function of some leaves at the values of all others."""
        return lambda chosen: self.function({**leaves, **chosen})

    def _by_name(self, cotangent: Any, outputs: Named) -> dict[str, Any]:
        given = cotangent.values() if isinstance(cotangent, Mapping) else (cotangent,)
        return dict(zip(outputs, given, strict=True))

    def _named(self, outputs: Named, several: bool) -> Outputs:
        """The outputs as the core takes them: one array by itself, others by name."""
        if not outputs:
            raise ModuleError(
                "the function returned no floating-point numbers; expected an array, or a container of them"
            )
        arrays = {name: np.asarray(tracer.getval(output)) for name, output in outputs.items()}
        return arrays if several else next(iter(arrays.values()))

    @cached_property
    def _specimen(self) -> Leaves | None:
        """Leaves of the right shapes and dtypes, if those are known before any are given."""
        sizes = {**prime_sizes(self.symbols), **next(iter(self.dimensions), {})} if self.leaves else {}
        drawn = {name: leaf.draw(generator_for(0, name), sizes) for name, leaf in self.leaves.items()}
        return {**drawn, **self.defaults} or None

"""A function of JAX as a Module: its own value, and what jax.vjp and jax.jvp make of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from inspect import Signature
from typing import Any

import numpy as np

from gradcheck.algebra.sampling import generator_for, prime_sizes
from gradcheck.plugins.jax_adapter.derivatives import Derivatives, Named
from gradcheck.plugins.jax_adapter.framework import as_numpy, compiled, error_of, is_differentiable, jax, precision_for
from gradcheck.plugins.jax_adapter.trees import Arguments
from gradcheck.values.aliases import Array, Leaves, Outputs, Saved
from gradcheck.values.declarations import Declaration
from gradcheck.values.module import Module

# So many times as many values as are wanted may be computed rather than that another number is compiled for.
_FOR_NOTHING = 16


@dataclass(frozen=True)
class JaxModule(Module):
    """A function of JAX, differentiated as JAX does it.

    Arguments:
        function: takes the arguments by name.
        arguments: how they are put together from leaves; each leaf is an argument if left out.
        jit: whether it is compiled where that is possible.
        order: 2 if derivatives are themselves differentiated, else 1.
        linearised: whether forward mode is that of jax.linearize instead of jax.jvp.
    """

    function: Callable[..., Any]
    name: str
    arguments: Arguments | None = None
    inputs: Mapping[str, Declaration] = field(default_factory=dict)
    parameters: Mapping[str, Declaration] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    defaults: Leaves = field(default_factory=dict)
    jit: bool = True
    order: int = 2
    origin: object = None
    signature: Signature | None = None
    linearised: bool = False

    waive = {"layouts": "arrays of JAX have no strides"}

    def __getstate__(self) -> dict[str, Any]:
        return {part.name: getattr(self, part.name) for part in fields(self)}  # what is compiled is compiled again

    def forward(self, **leaves: Array) -> tuple[Outputs, Saved]:
        """The function itself, not differentiated."""
        with precision_for(leaves):
            return self._returned(self.derivatives.compiled_value(*self.apart(leaves))), leaves

    def backward(self, saved: Saved, cotangent: Any, /) -> Mapping[str, Array]:
        """The gradients by jax.vjp, which runs the forward of a custom rule before its backward."""
        with precision_for(saved):
            return _in_numpy(self.derivatives.compiled_pulled_back(*self.apart(saved), self._by_name(cotangent)))

    def jvp(self, saved: Saved, tangents: Mapping[str, Array], /) -> Outputs:
        """The tangents of the outputs by jax.jvp, or by jax.linearize."""
        differentiated, others = self.apart(saved)
        given = {name: tangents[name] for name in differentiated}
        with precision_for(saved):
            return self._returned(self.derivatives.compiled_pushed_forward(differentiated, others, given))

    def double_backward(self, saved: Saved, cotangent: Any, gradients: Mapping[str, Array], /) -> Mapping[str, Array]:
        """Reverse over reverse: jax.vjp of the gradients."""
        given = self._by_name(cotangent), dict(gradients)
        with precision_for(saved):
            return _in_numpy(self.derivatives.compiled_pulled_back_twice(*self.apart(saved), *given))

    def forward_batch(self, leaves: Leaves, leaf: str, values: Array, /) -> Outputs:
        """Many forwards by jax.vmap."""
        with precision_for(leaves):
            many = _batched(self.derivatives.compiled_values, leaf, self._padded(leaf, values), *self.apart(leaves))
            outputs = self._returned(many)
        return _first(outputs, len(values)) if isinstance(outputs, Mapping) else outputs[: len(values)]

    def backward_batch(self, saved: Saved, cotangents: Any, /) -> Mapping[str, Array]:
        """Many backwards by jax.vmap."""
        named = self._by_name(cotangents)
        padded = {name: self._padded(f"cotangent {name}", value) for name, value in named.items()}
        with precision_for(saved):
            many = _batched(self.derivatives.compiled_pulled_back_many, *self.apart(saved), padded)
        return _first(_in_numpy(many), len(next(iter(named.values()))))

    @property
    def reference(self) -> Callable[..., Outputs]:
        """The value that comes with the derivative, which the rule of a custom_vjp or custom_jvp makes itself."""
        return self.value_under_differentiation

    def value_under_differentiation(self, **leaves: Array) -> Outputs:
        """The outputs as jax.vjp returns them."""
        with precision_for(leaves):
            # Compiled like forward, for once: run operation by operation it might round in another way.
            return self._returned(compiled(self.derivatives.value_under_vjp, self.jit)(*self.apart(leaves)))

    @cached_property
    def has_jvp(self) -> bool:
        """Whether tangents can be pushed forward, if shapes are known beforehand: not through a custom_vjp."""
        if self._specimen is None:
            return False
        differentiated, others = self._specimen
        with precision_for(differentiated):
            error = error_of(self.derivatives.pushed_forward, differentiated, others, differentiated)
        return not isinstance(error, TypeError)

    @cached_property
    def has_double_backward(self) -> bool:
        """Whether the backward can be differentiated once more, if shapes are known beforehand."""
        if self._specimen is None or self.order < 2:
            return False
        with precision_for(self._specimen[0]):
            return error_of(self._twice, *self._specimen) is None

    def _twice(self, differentiated: Named, others: Named) -> Any:
        cotangents = self.derivatives.outputs(self.derivatives.value(differentiated, others))
        return self.derivatives.pulled_back_twice(differentiated, others, cotangents, differentiated)

    @cached_property
    def _specimen(self) -> tuple[dict[str, Array], dict[str, Array]] | None:
        """Leaves of the right shapes and dtypes, if those are known before any are given."""
        sizes = {**prime_sizes(self.symbols), **next(iter(self.dimensions), {})} if self.leaves else {}
        drawn = {name: leaf.draw(generator_for(0, name), sizes) for name, leaf in self.leaves.items()}
        leaves = {**drawn, **self.defaults}
        return self.apart(leaves) if leaves else None

    @cached_property
    def derivatives(self) -> Derivatives:
        """What JAX makes of the function."""
        return Derivatives(self._call, tuple(self.outputs), self.jit, self.linearised)

    def _call(self, leaves: Named) -> Any:
        return self.function(**(leaves if self.arguments is None else self.arguments.filled(leaves)))

    def apart(self, leaves: Named) -> tuple[dict[str, Any], dict[str, Any]]:
        """The leaves that are differentiated, and the others."""
        parts: tuple[dict[str, Any], dict[str, Any]] = {}, {}
        for name, value in leaves.items():
            constant = name in self._constants or not is_differentiable(value)
            parts[constant][name] = value
        return parts

    @cached_property
    def _constants(self) -> frozenset[str]:
        """The leaves that are declared not to be differentiated."""
        return frozenset(name for name, leaf in self.leaves.items() if not leaf.differentiable)

    def _padded(self, what: str, values: Array) -> Array:
        """Values and copies of the last of them, as many as have been compiled for already if those are not too many.

        Every other number of values is compiled anew, which takes longer than to compute a few for nothing.
        """
        count, known = len(values), self._sizes.setdefault(what, set())
        fitting = [size for size in known if count <= size <= _FOR_NOTHING * count]
        step = 1 << max(count.bit_length() - 3, 0)
        size = min(fitting, default=-(-count // step) * step)
        known.add(size)
        return np.concatenate([values, np.repeat(values[-1:], size - count, axis=0)]) if size > count else values

    @cached_property
    def _sizes(self) -> dict[str, set[int]]:
        """How many values and cotangents have been compiled for."""
        return {}

    def _by_name(self, cotangent: Any) -> dict[str, Array]:
        if isinstance(cotangent, Mapping):
            return dict(cotangent)
        return {next(iter(self.outputs), "a"): cotangent}

    def _returned(self, returned: Any) -> Outputs:
        """The outputs as the core takes them: one array by itself, others by name."""
        outputs = _in_numpy(self.derivatives.outputs(returned))
        if jax.tree_util.all_leaves([returned]):
            return next(iter(outputs.values()))
        return outputs


def _in_numpy(arrays: Named) -> dict[str, Array]:
    return {name: as_numpy(array) for name, array in arrays.items()}


def _first(arrays: Mapping[str, Array], count: int) -> dict[str, Array]:
    return {name: array[:count] for name, array in arrays.items()}


def _batched(function: Callable[..., Any], *arguments: Any) -> Any:
    """What vmap makes of a function; raise NotImplementedError where that is not to be had, whatever the reason is."""
    try:
        return function(*arguments)
    except Exception as error:
        raise NotImplementedError(f"jax.vmap does not take the function: {type(error).__name__}: {error}") from error

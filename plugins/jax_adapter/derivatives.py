"""A function of named leaves and its derivatives, as JAX traces them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from gradcheck.plugins.jax_adapter.framework import compiled, is_differentiable, jax
from gradcheck.plugins.jax_adapter.trees import output_names
from gradcheck.values.errors import ModuleError

Named = Mapping[str, Any]

COTANGENT = "_bar"


@dataclass(frozen=True)
class Derivatives:
    """What JAX makes of a function; everywhere the leaves that are differentiated come first, then the others.

    Arguments:
        function: takes all leaves in one mapping, and returns any pytree.
        names: of its outputs; those of the pytree if left out.
        jit: whether it is compiled where that is possible.
        linearised: whether tangents are pushed forward by jax.linearize instead of jax.jvp.
    """

    function: Callable[[Named], Any]
    names: tuple[str, ...] = ()
    jit: bool = True
    linearised: bool = False

    def value(self, differentiated: Named, others: Named) -> Any:
        """What the function returns."""
        return self.function({**differentiated, **others})

    def outputs(self, returned: Any) -> dict[str, Any]:
        """What the function returned, by name; without what has no derivative, such as integers.

        Raises ModuleError if nothing is left.
        """
        found = jax.tree_util.tree_flatten_with_path(returned)[0]
        names = output_names([path for path, _ in found])
        by_name = {name: value for name, (_, value) in zip(names, found, strict=True) if is_differentiable(value)}
        if not by_name:
            raise ModuleError("the function returned no floating-point numbers; expected an array, or a pytree of them")
        if len(self.names) != len(by_name) or set(self.names) == set(by_name):
            return by_name
        return dict(zip(self.names, by_name.values(), strict=True))

    def value_under_vjp(self, differentiated: Named, others: Named) -> Any:
        """What the function returns where it is differentiated."""
        return jax.vjp(lambda leaves: self.value(leaves, others), dict(differentiated))[0]

    def pulled_back(self, differentiated: Named, others: Named, cotangents: Named) -> dict[str, Any]:
        """The gradients.

        JAX transposes, ā ↦ Jᵀ ā; a gradient of complex numbers is that of Re Σ conj(ā) a, hence x̄ = conj(Jᵀ conj(ā)).
        """
        returned, pull = jax.vjp(lambda leaves: self.value(leaves, others), dict(differentiated))
        names = iter(self.outputs(returned))

        def cotangent_of(output: Any) -> Any:
            if is_differentiable(output):
                return _conjugated(cotangents[next(names)])
            return np.zeros(np.shape(output), jax.dtypes.float0)

        (gradients,) = pull(jax.tree_util.tree_map(cotangent_of, returned))
        return {name: _conjugated(gradient) for name, gradient in gradients.items()}

    def pushed_forward(self, differentiated: Named, others: Named, tangents: Named) -> Any:
        """The tangents of what the function returns; what has none stays as it is."""
        given = dict(tangents)
        if self.linearised:
            returned, push = jax.linearize(lambda leaves: self.value(leaves, others), dict(differentiated))
            pushed = push(given)
        else:
            returned, pushed = jax.jvp(lambda leaves: self.value(leaves, others), (dict(differentiated),), (given,))
        return jax.tree_util.tree_map(lambda a, a_dot: a_dot if is_differentiable(a) else a, returned, pushed)

    def pulled_back_twice(self, differentiated: Named, others: Named, cotangents: Named, gradients: Named) -> Named:
        """Cotangents of the gradients pulled back to the leaves and to the cotangents."""

        def gradients_at(leaves: Named, given: Named) -> Named:
            return self.pulled_back(leaves, others, given)

        pull = jax.vjp(gradients_at, dict(differentiated), dict(cotangents))[1]
        by_leaf, by_output = pull({name: _conjugated(gradients[name]) for name in differentiated})
        found = {**by_leaf, **{f"{name}{COTANGENT}": value for name, value in by_output.items()}}
        return {name: _conjugated(value) for name, value in found.items()}

    @cached_property
    def compiled_value(self) -> Callable[..., Any]:
        """The value, compiled."""
        return compiled(self.value, self.jit)

    @cached_property
    def compiled_pulled_back(self) -> Callable[..., Any]:
        """The gradients, compiled."""
        return compiled(self.pulled_back, self.jit)

    @cached_property
    def compiled_pushed_forward(self) -> Callable[..., Any]:
        """The tangents, compiled."""
        return compiled(self.pushed_forward, self.jit)

    @cached_property
    def compiled_pulled_back_twice(self) -> Callable[..., Any]:
        """The second derivatives, compiled."""
        return compiled(self.pulled_back_twice, self.jit)

    @cached_property
    def compiled_values(self) -> Callable[..., Any]:
        """The value for many values of one leaf, of which the name is the first argument, compiled."""

        def values(leaf: str, many: Any, differentiated: Named, others: Named) -> Any:
            return jax.vmap(lambda one: self.value({**differentiated, leaf: one}, others))(many)

        return compiled(values, True, static_argnums=0)

    @cached_property
    def compiled_pulled_back_many(self) -> Callable[..., Any]:
        """The gradients for many cotangents, compiled."""

        def gradients(differentiated: Named, others: Named, cotangents: Named) -> Any:
            return jax.vmap(lambda given: self.pulled_back(differentiated, others, given))(cotangents)

        return compiled(gradients, True)


def _conjugated(array: Any) -> Any:
    return jax.numpy.conj(array) if jax.numpy.iscomplexobj(array) else array

"""Objects of JAX, as gradcheck.check is given them."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from gradcheck.adapters.given_objects import has_both_ways
from gradcheck.plugins.jax_adapter.building import from_jax, name_of
from gradcheck.plugins.jax_adapter.framework import JITTED, jax
from gradcheck.values.adapter import Adapted
from gradcheck.values.errors import PointError, TargetError

_OWN = (jax.custom_vjp, jax.custom_jvp, JITTED)


class JaxAdapter:
    """Recognises what JAX makes of functions, and any function that is given arrays of JAX."""

    def recognises(self, target: object, arguments: Mapping[str, Any] | None) -> bool:
        """Whether the target is a custom_vjp, a custom_jvp or compiled, or an argument holds an array of JAX."""
        bound: list[Any] = [arguments]
        while isinstance(target, partial):
            bound += [target.args, target.keywords]
            target = target.func
        if isinstance(target, _OWN):
            return True
        if not callable(target) or isinstance(target, type) or has_both_ways(target):
            return False
        return any(map(_is_array, _leaves(bound)))

    def adapt(self, target: Any, arguments: Mapping[str, Any] | None) -> Adapted:
        """The function as a Module, in float64 where it takes that, and its arguments as leaves."""
        name = name_of(target)
        if arguments is None:
            raise TargetError(
                f"{name} is a function of JAX, and declares nothing: give its arguments, check({name}, {{'x': ...}}),"
                f" or declare them with gradcheck.plugins.jax_adapter.from_jax({name}, inputs={{'x': real('N D')}})"
            )
        if not isinstance(arguments, Mapping):
            given = type(arguments).__name__
            raise PointError(f"{name} was given a {given}; expected its arguments by name, as in {{'x': array}}")
        if any(isinstance(value, jax.core.Tracer) for value in _leaves(arguments)):
            raise PointError(f"{name} was given a tracer, which has no values; check it outside of jit, grad and vmap")
        structure = jax.tree_util.tree_structure(target)
        if jax.tree_util.treedef_is_leaf(structure):
            module = from_jax(target, arguments=arguments)
        else:
            module = from_jax(_called, arguments={"self": target, **arguments}, name=name)
        return Adapted(module, module.defaults)


def _called(self: Any, **arguments: Any) -> Any:
    """Call an object that is itself a pytree, so that the arrays in it are leaves as well."""
    return self(**arguments)


def _is_array(value: object) -> bool:
    return isinstance(value, jax.Array) and not isinstance(value, jax.core.Tracer)


def _leaves(tree: object) -> list[Any]:
    try:
        return list(jax.tree_util.tree_leaves(tree))
    except (TypeError, ValueError):  # a dict whose keys have no order, which no pytree of JAX has
        return []

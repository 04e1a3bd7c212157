"""Pytrees as named leaves and back: ``params.dense.w``, ``x[0]``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.plugins.jax_adapter.framework import jax
from gradcheck.values.aliases import Array
from gradcheck.values.declarations import Declaration
from gradcheck.values.errors import PointError

_Key = tuple[Any, ...]


@dataclass(frozen=True)
class Arguments:
    """How the leaves of a pytree of arguments are put together.

    Arguments:
        names: of the arguments.
        leaves: names of what is in them, in the order of JAX.
        constants: what is no leaf, by the name it would have.
        structure: of all arguments in a list.
    """

    names: tuple[str, ...]
    leaves: tuple[str, ...]
    constants: Mapping[str, Any]
    structure: Any

    @classmethod
    def of(cls, arguments: Mapping[str, Any], constant: Sequence[str] = ()) -> "tuple[Arguments, dict[str, Any]]":
        """The structure of arguments, and what are leaves of it: arrays, floats and declarations.

        Arguments:
            constant: names of arguments that are none, whatever they hold.
        """
        trees = [None if name in constant else value for name, value in arguments.items()]
        found, structure = jax.tree_util.tree_flatten_with_path(trees, is_leaf=_is_declared)
        names = named([path for path, _ in found], tuple(arguments))
        values = dict(zip(names, (value for _, value in found), strict=True))
        leaves = {name: value for name, value in values.items() if _is_leaf(value)}
        constants = {name: value for name, value in values.items() if name not in leaves}
        whole = {name: arguments[name] for name in constant if name in arguments}
        return cls(tuple(arguments), names, {**constants, **whole}, structure), leaves

    def filled(self, leaves: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments with given leaves.

        Raises PointError if one is missing, or is none of theirs.
        """
        known = {**self.constants, **leaves}
        missing = [name for name in self.leaves if name not in known]
        unknown = [name for name in leaves if name not in self.leaves]
        if missing or unknown:
            told = [f"{' and '.join(missing)} missing"] * bool(missing) + [f"{name!r} unknown" for name in unknown]
            raise PointError(f"the leaves do not fit: {', '.join(told)}; expected {', '.join(self.leaves) or 'none'}")
        trees = jax.tree_util.tree_unflatten(self.structure, [known[name] for name in self.leaves])
        return {name: self.constants.get(name, tree) for name, tree in zip(self.names, trees, strict=True)}


def named(paths: Sequence[_Key], roots: Sequence[str]) -> tuple[str, ...]:
    """A name for every path, which begins with the number of a root; JAX's own spelling where two would be the same."""
    names = tuple(f"{roots[path[0].idx]}{''.join(map(_step, path[1:]))}" for path in paths)
    if len(set(names)) == len(names):
        return names
    return tuple(f"{roots[path[0].idx]}{jax.tree_util.keystr(path[1:])}" for path in paths)


def output_names(paths: Sequence[_Key]) -> tuple[str, ...]:
    """A name for every output: the key of a dict, ``a[0]`` in a tuple."""
    return tuple(name.removeprefix("a.") for name in named([(_ROOT, *path) for path in paths], ("a",)))


def _step(key: Any) -> str:
    if hasattr(key, "name"):
        return f".{key.name}"
    if hasattr(key, "idx"):
        return f"[{key.idx}]"
    return f".{key.key}" if isinstance(key.key, str) else f"[{key.key!r}]"


_ROOT: Any = jax.tree_util.SequenceKey(0)


def _is_declared(value: object) -> bool:
    return isinstance(value, Declaration)


def _is_leaf(value: Any) -> bool:
    """Whether something can be a leaf: not what Python counts and chooses with, nor the key of a generator."""
    if isinstance(value, (float, complex, Declaration, np.ndarray, np.generic)):
        return True
    return isinstance(value, jax.Array) and not jax.numpy.issubdtype(value.dtype, jax.dtypes.extended)


def array_of(value: Any, wide: bool) -> Array:
    """The value of a leaf for numpy, in double precision if that is wanted."""
    array = np.asarray(value)
    if array.dtype.kind not in "fcV" or not (wide or isinstance(value, (float, complex))):
        return array
    kind = np.complex128 if array.dtype.kind == "c" else np.float64
    return array.astype(kind if wide else jax.dtypes.canonicalize_dtype(kind))

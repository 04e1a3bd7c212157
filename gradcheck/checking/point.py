"""The point given by a caller: does it fit the module, and which of its leaves have a gradient?"""

from collections.abc import Mapping

import numpy as np

from gradcheck.algebra.strides import strides_of
from gradcheck.values.aliases import Array, Sizes
from gradcheck.values.case import Case
from gradcheck.values.dimensions import bind
from gradcheck.values.errors import PointError, did_you_mean
from gradcheck.values.module import Module


def is_differentiable(module: Module, leaf: str, value: Array) -> bool:
    """As declared; a leaf without a declaration is differentiable if it holds floating-point numbers."""
    declared = module.leaves.get(leaf)
    return value.dtype.kind in "fc" if declared is None else declared.differentiable


def case_at(module: Module, arrays: Mapping[str, object], name: str = "given point") -> tuple[Module, Case]:
    """Check the arrays against the module's declarations and make a case of copies of them.

    Returns the module for the sizes that the arrays have, and the case, which keeps how they lie in memory.

    Raises PointError naming module, leaf, what was given and what was expected.
    """
    given = _arrays(module, arrays)
    module = module.at(_sizes(module, given))
    leaves = {leaf: np.array(value, order="C") for leaf, value in {**module.defaults, **given}.items()}
    if module.leaves:
        _require_names(module, leaves)
    else:
        _require_arguments(module, leaves)
    sizes = _sizes(module, leaves)
    for leaf, value in leaves.items():
        _require_values(module, leaf, value, sizes)
    order = [leaf for leaf in module.leaves if leaf in leaves] or list(leaves)
    laid_out = {leaf: strides_of(array) for leaf, array in arrays.items() if isinstance(array, np.ndarray)}
    strides = {leaf: found for leaf, found in laid_out.items() if found is not None}
    return module, Case(name, {leaf: leaves[leaf] for leaf in order}, strides=strides)


def _arrays(module: Module, arrays: object) -> dict[str, Array]:
    if not isinstance(arrays, Mapping) or not all(isinstance(leaf, str) for leaf in arrays):
        raise PointError(f"{module.name}: the point is a {type(arrays).__name__}; expected a dict {{leaf: array}}")
    given: dict[str, Array] = {}
    for leaf, value in arrays.items():
        try:
            given[leaf] = np.array(value, order="C")
        except (TypeError, ValueError, RuntimeError) as error:  # the last from tensors that require a gradient
            raise PointError(f"{module.name}: leaf {leaf!r} is no array: {error}") from error
    return given


def _require_arguments(module: Module, leaves: Mapping[str, Array]) -> None:
    """Without declarations it is forward's arguments that tell which leaves there are."""
    if module.signature is not None:
        try:
            module.signature.bind(**leaves)
        except TypeError as error:
            takes = ", ".join(module.signature.parameters) or "nothing"
            raise PointError(
                f"{module.name}: the leaves {', '.join(leaves) or '(none)'} do not fit forward,"
                f" which takes {takes}: {error}"
            ) from error
    if leaves and not any(value.dtype.kind in "fc" for value in leaves.values()):
        dtypes = ", ".join(f"{leaf} {value.dtype}" for leaf, value in leaves.items())
        raise PointError(
            f"{module.name}: no leaf holds floating-point numbers ({dtypes}), and others cannot be perturbed: pass"
            f" x.astype(float)"
        )


def _sizes(module: Module, leaves: Mapping[str, Array]) -> Sizes:
    declared = {leaf: declaration.dimensions for leaf, declaration in module.leaves.items()}
    sizes, problems = bind(declared, {leaf: value.shape for leaf, value in leaves.items()})
    if problems:
        raise PointError(f"{module.name}: {'; '.join(problems)}")
    return sizes


def _require_names(module: Module, leaves: Mapping[str, Array]) -> None:
    declared = list(module.leaves)
    for leaf in leaves:
        if leaf not in declared:
            hint = did_you_mean(leaf, declared)
            raise PointError(f"{module.name} has no leaf {leaf!r}; its leaves are {', '.join(declared)}{hint}")
    missing = [leaf for leaf in declared if leaf not in leaves]
    if missing:
        raise PointError(
            f"{module.name}: no array given for {', '.join(missing)}; expected one for each of {', '.join(declared)}"
        )


def _require_values(module: Module, leaf: str, value: Array, sizes: Sizes) -> None:
    declared = module.leaves.get(leaf)
    where = f"{module.name}: leaf {leaf!r}"
    if value.dtype.kind not in "fiubc":
        raise PointError(f"{where} has dtype {value.dtype}; expected an array of numbers")
    kind = np.dtype(declared.dtype).kind if declared is not None and declared.differentiable else value.dtype.kind
    if "c" in (kind, value.dtype.kind) and kind != value.dtype.kind:
        wanted = "complex" if kind == "c" else "real"
        raise PointError(
            f"{where} has dtype {value.dtype}; it is declared {wanted}: give {wanted} numbers, or declare it"
            f" as {'real' if kind == 'c' else 'complex_valued'}"
        )
    if value.dtype.kind != kind:
        raise PointError(
            f"{where} is to be differentiated but holds {value.dtype}, which cannot be perturbed: pass"
            f" {leaf}.astype(float), or declare it as labels, one_hot or mask"
        )
    if not np.isfinite(value).all():
        index = [int(i) for i in np.argwhere(~np.isfinite(value))[0]]
        place = f" at {index}" if index else ""
        raise PointError(f"{where} is {value[tuple(index)]}{place}; expected finite numbers")
    violation = declared.domain.violation(value, sizes) if declared is not None and value.size else None
    if violation:
        raise PointError(f"{where} {violation}; given values from {value.min()} to {value.max()}")

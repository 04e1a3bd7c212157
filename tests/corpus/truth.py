"""What is true of a bug, from the exact Jacobians of the right and the wrong backward: no checker is involved.

A diagnosis may say more than a bug's labels do, as long as it is true: that a single entry is wrong at the one point
that was drawn, say. Only what says where the wrong entries are, or how they relate to the right ones, is decided here.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from gradcheck.values.aliases import Array
from tests.corpus.specimen import Backward, Point, Specimen

_CLOSE = 1e-6


def true_causes(specimen: Specimen, wrong: Backward, point: Point, leaf: str) -> set[str]:
    """Names of CAUSES that can be read off the two Jacobians of one leaf."""
    right = exact_jacobian(specimen, specimen.backward, point, leaf)
    given = exact_jacobian(specimen, wrong, point, leaf)
    differs = np.abs(right - given) > _CLOSE * np.maximum(np.abs(right), np.abs(given))
    parts = (2,) if np.iscomplexobj(point[leaf]) else ()
    return set(_relations(right, given, differs)) | set(_places(differs, (*np.shape(point[leaf]), *parts)))


def exact_jacobian(specimen: Specimen, backward: Backward, point: Point, leaf: str) -> Array:
    """Rows are one-hot cotangents pulled back, 1 and i for complex outputs; columns are coordinates of the leaf."""
    outputs = specimen.forward(**point)
    named: Mapping[str, Any] = outputs if isinstance(outputs, Mapping) else {"": np.asarray(outputs)}
    rows = []
    for name, array in named.items():
        for index in np.ndindex(np.shape(array)):
            for unit in (1, 1j) if np.iscomplexobj(array) else (1,):
                cotangent = {key: np.zeros_like(np.asarray(value)) for key, value in named.items()}
                cotangent[name][index] = unit
                given = backward(point, cotangent if isinstance(outputs, Mapping) else cotangent[""])
                rows.append(_real(given[leaf], np.iscomplexobj(point[leaf])))
    return np.array(rows)


def _real(gradient: Any, of_complex: bool) -> Array:
    flat = np.ravel(gradient)
    return np.stack([flat.real, flat.imag], axis=-1).ravel() if of_complex else flat


def _relations(right: Array, given: Array, differs: Array) -> Iterator[str]:
    telling = np.abs(right) > _CLOSE * np.max(np.abs(right), initial=0.0)
    if not telling.any():
        return
    ratio = np.median(given[telling] / right[telling])
    if ratio and np.allclose(given, ratio * right, rtol=1e-3, atol=1e-9 * np.abs(right).max()):
        yield "sign flip" if abs(ratio + 1) < 1e-3 else "constant factor"
    if not given.any():
        yield "detached"
    if (telling & ~differs).any():
        if not given[differs].any():
            yield "missing terms"
        if not right[differs].any():
            yield "extra terms"
    sorted_right, sorted_given = np.sort(right, axis=1), np.sort(given, axis=1)
    if np.allclose(sorted_right, sorted_given, rtol=1e-3, atol=1e-9 * np.abs(right).max()):
        yield "permuted"


def _places(differs: Array, shape: tuple[int, ...]) -> Iterator[str]:
    columns = differs.any(axis=0)
    if columns.sum() == 1 and columns.size > 2:
        yield "one entry wrong"
    masks = [np.reshape(columns, shape), differs.any(axis=1)]
    for mask in masks:
        for axis, size in enumerate(mask.shape):
            touched = np.sum(np.any(mask, axis=tuple(k for k in range(mask.ndim) if k != axis)))
            if size > 1 and 0 < touched <= size / 2:
                yield "block wrong"

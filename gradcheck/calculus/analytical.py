"""The analytical Jacobian: one backward for every output coordinate, with a one-hot cotangent."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from gradcheck.algebra.layout import Layout, coordinates, real_view
from gradcheck.algebra.precision import eps_of
from gradcheck.calculus.batches import Batches
from gradcheck.calculus.calls import Forward, as_array, call_backward, call_backwards
from gradcheck.calculus.decoding import decoded_jacobians
from gradcheck.calculus.jacobian import Jacobian, Rows
from gradcheck.calculus.pullbacks import Gradients, PullBacks
from gradcheck.values.aliases import Array, Leaves
from gradcheck.values.errors import ModuleError
from gradcheck.values.module import Module

_FLOAT64 = np.dtype(np.float64)


def analytical_jacobians(
    module: Module, forward: Forward, point: Leaves, leaves: Sequence[str], batches: Batches | None = None
) -> dict[str, Jacobian]:
    """The module's own Jacobian of every given leaf.

    Arguments:
        batches: many backwards at once, if they may be had so.

    Row i of the result is what backward returns for the cotangent that is 1 at output coordinate i and 0
    elsewhere; both outputs and coordinates are in C order.

    Complex numbers are pairs of real coordinates. With L = Re Σ conj(ā) a the cotangent 1 picks Re a, the
    cotangent i picks Im a, and x̄ = ∂L/∂Re x + i ∂L/∂Im x holds both columns of its row.

    Raises ModuleError if backward raises, or returns no gradient of a leaf's shape.
    """
    rows = {leaf: Rows(point[leaf]) for leaf in leaves}
    each = [(leaf, point[leaf], collected.add) for leaf, collected in rows.items()]

    def take(gradients: Mapping[str, object]) -> None:
        for leaf, value, add in each:
            add(_gradient(module, gradients, leaf, value))

    outputs, done = forward.layout.size, 0
    while batches and done < outputs and (count := batches.cotangents_at_once()):
        hot = np.eye(min(count, outputs - done), outputs, done)
        found = batches.gradients(hot, {leaf: point[leaf] for leaf in leaves})
        if found is None:
            break
        for leaf, gradients in found.items():
            rows[leaf].add_coordinates(gradients)
        done += len(hot)
    call_backwards(module, forward.saved, map(forward.one_hot, range(done, outputs)), take)
    return {leaf: collected.jacobian() for leaf, collected in rows.items()}


def expected_entries(module: Module, forward: Forward, point: Leaves) -> dict[str, int]:
    """About how many entries of each leaf's Jacobian are not zero, by a few of its rows."""
    outputs = forward.layout.size
    samples = sorted({0, outputs // 2, outputs - 1}) if outputs else []
    most = dict.fromkeys(point, 0)

    def take(gradients: Mapping[str, object]) -> None:
        for leaf, value in point.items():
            most[leaf] = max(most[leaf], int(np.count_nonzero(_gradient(module, gradients, leaf, value))))

    call_backwards(module, forward.saved, map(forward.one_hot, samples), take)
    return {leaf: count * outputs for leaf, count in most.items()}


def grouped_jacobians(
    module: Module, forward: Forward, point: Leaves, generator: np.random.Generator, batches: Batches | None = None
) -> tuple[dict[str, Jacobian], int] | None:
    """The same from backwards of several outputs at once, and how many of them it took; None if that fails.

    Arguments:
        point: the leaves whose Jacobians are wanted.
        batches: many backwards at once, if they may be had so.
    """

    def pull_back(cotangent: Array, leaves: Iterable[str]) -> dict[str, Array]:
        gradients = call_backward(module, forward, cotangent)
        return {leaf: _coordinates(_gradient(module, gradients, leaf, point[leaf])) for leaf in leaves}

    def pull_back_many(cotangents: Array, leaves: Iterable[str]) -> Gradients | None:
        return batches.gradients(cotangents, {leaf: point[leaf] for leaf in leaves}) if batches else None

    arrays = [*zip(forward.layout.starts[:-1], forward.layout.real_shapes, strict=True)]
    shapes = dict(zip(point, Layout.of(point).real_shapes, strict=True))
    eps = max([module.eps, *(eps_of(value) for value in point.values())])
    at_once = batches.cotangents_at_once() if batches else 0
    pulls = PullBacks(pull_back, tuple(shapes), forward.layout.size, pull_back_many, at_once)
    return decoded_jacobians(pulls, shapes, arrays, eps, generator)


def _coordinates(gradient: Array) -> Array:
    """The coordinates of a gradient, without a copy where none is needed."""
    if gradient.dtype is _FLOAT64 and gradient.flags.c_contiguous:
        return gradient.reshape(-1)
    return real_view(np.ascontiguousarray(gradient)).astype(np.float64, copy=False)


def gradient_of(module: Module, gradients: Mapping[str, object], leaf: str, value: Array) -> Array:
    """The coordinates of a leaf's gradient among those that backward returned.

    Raises ModuleError if there is none of the leaf's shape.
    """
    return coordinates(_gradient(module, gradients, leaf, value))


def _gradient(module: Module, gradients: Mapping[str, object], leaf: str, value: Array) -> Array:
    given = gradients.get(leaf)
    if type(given) is np.ndarray and given.dtype is value.dtype is _FLOAT64 and given.shape == value.shape:
        return given
    gradient = as_array(given)
    kinds = "fiuc" if value.dtype.kind == "c" else "fiu"
    if gradient is None or gradient.dtype.kind not in kinds or gradient.shape != value.shape:
        raise ModuleError(
            f"{module.name}: backward gives no gradient of shape {value.shape} for leaf {leaf!r}"
            f" (see the check 'dimensions')"
        )
    return gradient.astype(np.complex128) if value.dtype.kind == "c" else gradient

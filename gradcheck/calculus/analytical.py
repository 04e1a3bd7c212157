"""The analytical Jacobian: one backward for every output coordinate, with a one-hot cotangent."""

from collections.abc import Mapping, Sequence

import numpy as np

from gradcheck.algebra.layout import coordinates
from gradcheck.calculus.calls import Forward, as_array, call_backward
from gradcheck.values.aliases import Array, Leaves
from gradcheck.values.errors import ModuleError
from gradcheck.values.module import Module


def analytical_jacobians(module: Module, forward: Forward, point: Leaves, leaves: Sequence[str]) -> dict[str, Array]:
    """The module's own Jacobian of every given leaf.

    Row i of the result is what backward returns for the cotangent that is 1 at output coordinate i and 0
    elsewhere. Shapes: (outputs, coordinates), both in C order.

    Complex numbers are pairs of real coordinates. With L = Re Σ conj(ā) a the cotangent 1 picks Re a, the
    cotangent i picks Im a, and x̄ = ∂L/∂Re x + i ∂L/∂Im x holds both columns of its row.

    Raises ModuleError if backward raises, or returns no gradient of a leaf's shape.
    """
    size = forward.layout.size
    # Allocated beforehand and filled by copying: stacking a list would fail for no outputs at all,
    # and a backward may return the same buffer every time.
    jacobians = {leaf: np.empty((size, coordinates(point[leaf]).size)) for leaf in leaves}
    for i in range(size):
        one_hot = np.zeros(size)
        one_hot[i] = 1.0
        gradients = call_backward(module, forward, one_hot)
        for leaf in leaves:
            jacobians[leaf][i] = gradient_of(module, gradients, leaf, point[leaf])
    return jacobians


def gradient_of(module: Module, gradients: Mapping[str, object], leaf: str, value: Array) -> Array:
    """The coordinates of a leaf's gradient among those that backward returned.

    Raises ModuleError if there is none of the leaf's shape.
    """
    gradient = as_array(gradients.get(leaf))
    kinds = "fiuc" if np.iscomplexobj(value) else "fiu"
    if gradient is None or gradient.dtype.kind not in kinds or gradient.shape != value.shape:
        raise ModuleError(
            f"{module.name}: backward gives no gradient of shape {value.shape} for leaf {leaf!r}"
            f" (see the check 'dimensions')"
        )
    return coordinates(gradient.astype(np.complex128) if np.iscomplexobj(value) else gradient)

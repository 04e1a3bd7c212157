"""A specimen of the corpus: a correct module, points to verify it at, and wrong versions of its backward.

Everything is plain numpy and pure: ``forward(**leaves)`` returns an array or a dict of them, ``backward(leaves,
cotangent)`` returns {leaf: gradient}. Any checker of any framework can therefore be given the same specimen.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.values.aliases import Array, Leaves

Forward = Callable[..., Any]
Backward = Callable[[Leaves, Any], dict[str, Any]]
Point = dict[str, Array]

# Kinds of bugs, and of correct modules that are hard to verify.
KINDS = (
    "values",  # a formula is wrong
    "shapes",  # a gradient has another shape or dtype than its leaf, is missing or superfluous
    "axes",  # summed, normalised, transposed, indexed along the wrong axis
    "broadcasting",  # a broadcast leaf's gradient is not summed, or wrongly
    "ties",  # equal entries of a maximum, a sort, a norm; kinks at the point
    "special values",  # 0, negative bases, repeated indices, masks, empty rows
    "tails",  # the last row, column, block, sample, element
    "precision",  # float32, float16 inside; cancellation
    "cotangent",  # the cotangent is ignored, clipped, squared, ...
    "second order",  # the module is a backward itself
    "complex",  # complex leaves or outputs
    "scales",  # hard: tiny, huge, mixed magnitudes, large offsets
    "near kinks",  # hard: 1e-12 ... 1e-4 away from a kink
    "curvature",  # hard: varies on a length far below its argument
    "conditioning",  # hard: solve, inverse, Cholesky, chaotic maps
    "saturation",  # hard: entries of 1e-20 beside 1, masks with -1e9
    "domain",  # hard: near the edge of log, sqrt, arccos
    "sizes",  # hard: axes of size 0 and 1, long sums, scalars
)

# What can be said of a bug from outside: the names that a diagnosis uses.
CAUSES = (
    "sign flip",  # analytical = -numerical
    "constant factor",  # analytical = c * numerical in every entry, c not -1
    "mean for sum",  # c = 1 / size of an axis (or of a product of axes)
    "sum for mean",  # c = size of an axis
    "transposed",  # the gradient's axes are exchanged
    "permuted",  # the right numbers at wrong places: rows exchanged, reversed, shifted, reshaped
    "wrong axis",  # contributions run along another axis of the output
    "detached",  # the whole gradient of the leaf is zero
    "missing terms",  # some entries are zero that should not be, the others are right
    "extra terms",  # some entries should be zero and are not, the others are right
    "block wrong",  # only a slab is wrong: one row, the last sample, a tail, along an axis of leaf or output
    "one entry wrong",  # a single coordinate of the leaf
    "swapped leaves",  # two leaves have each other's gradient
    "extra factor",  # analytical / numerical equals the values of a leaf or of the output (not constant)
    "missing factor",  # numerical / analytical equals the values of a leaf or of the output (not constant)
    "cotangent ignored",  # the gradient does not change with the cotangent's size
    "cotangent distorted",  # clipped, squared, absolute value, normalised
    "constant added",  # backward of a zero cotangent is not zero
    "low precision",  # rounded to float32, float16 or bfloat16
    "one branch",  # wrong only where the leaf lies on one side of a value, such as x < 0
    "tie",  # each entry is a valid subgradient, together they are not
    "kink",  # not between the one-sided derivatives at a kink
    "nan",  # NaN or infinite
    "conjugate",  # complex conjugate of the right gradient
    "shape",  # wrong shape
    "dtype",  # wrong dtype
    "missing gradient",  # None or absent
    "extra gradient",  # a gradient for something that has none
)


@dataclass(frozen=True)
class Bug:
    """A wrong backward.

    Arguments:
        title: what is wrong, in a few words.
        backward: the wrong function.
        leaves: the leaves whose gradient is wrong at every point that the specimen draws.
        causes: all names of CAUSES that are true of it; none if nothing can be named from outside.
        kind: one of KINDS, where it is another one than the specimen's.
        source: a thread in which a bug of this kind was reported.
    """

    title: str
    backward: Backward
    leaves: tuple[str, ...]
    causes: tuple[str, ...] = ()
    kind: str = ""
    source: str = ""


@dataclass(frozen=True)
class Specimen:
    """A correct module with points to verify it at, and its bugs.

    Arguments:
        name: unique in the corpus.
        kind: one of KINDS.
        forward, backward: the correct module.
        point: draws the leaves of one point from a generator.
        bugs: wrong versions of backward.
        hard: why a checker may reject this correct module; empty if it is ordinary.
        threshold: the threshold at which it is verified.
        unresolvable: why central differences cannot tell at this threshold, if they really cannot.
    """

    name: str
    kind: str
    forward: Forward
    backward: Backward
    point: Callable[[np.random.Generator], Point]
    bugs: tuple[Bug, ...] = ()
    hard: str = ""
    threshold: float = 1e-5
    unresolvable: str = ""


def changed(backward: Backward, leaf: str, change: Callable[[Any, Leaves, Any], Any]) -> Backward:
    """The backward with the gradient of one leaf put through change(gradient, leaves, cotangent)."""

    def wrong(leaves: Leaves, cotangent: Any) -> dict[str, Any]:
        gradients = dict(backward(leaves, cotangent))
        gradients[leaf] = change(gradients[leaf], leaves, cotangent)
        return gradients

    return wrong


def defect(specimen: Specimen, bug: Bug, point: Point) -> float:
    """Largest relative difference between a wrong and the right Jacobian, infinite for another shape or a NaN.

    Relative to the larger of the two entries, which is what a threshold is about. Bugs that need another
    cotangent than one-hot ones to show are measured with a generic one.
    """
    worst = 0.0
    for cotangent in _cotangents(specimen.forward(**point)):
        right, wrong = specimen.backward(point, cotangent), bug.backward(point, cotangent)
        if set(right) != set(wrong):
            return np.inf
        for leaf in right:
            expected, given = np.asarray(right[leaf]), np.asarray(wrong[leaf])
            if given.dtype != expected.dtype or given.shape != expected.shape or not np.isfinite(given).all():
                return np.inf
            magnitude = np.maximum(np.abs(expected), np.abs(given))
            gap = np.abs(expected - given)
            worst = max(
                worst, float(np.max(np.divide(gap, magnitude, where=gap > 0, out=np.zeros(gap.shape)), initial=0))
            )
    return worst


def _cotangents(outputs: Any) -> Iterator[Any]:
    named: Mapping[str, Array] = outputs if isinstance(outputs, Mapping) else {"": np.asarray(outputs)}
    zeros = {name: np.zeros_like(np.asarray(value)) for name, value in named.items()}

    def structured(arrays: dict[str, Array]) -> Any:
        return arrays if isinstance(outputs, Mapping) else arrays[""]

    for name, array in zeros.items():
        for index in np.ndindex(array.shape):
            one_hot = array.copy()
            one_hot[index] = 1
            yield structured({**zeros, name: one_hot})
    generator = np.random.default_rng(0)
    yield structured({name: (3 * generator.normal(size=a.shape)).astype(a.dtype) for name, a in zeros.items()})

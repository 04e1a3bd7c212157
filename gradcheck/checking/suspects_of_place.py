"""Suspects that show in the place of the entries: right numbers at wrong places, or wrong ones at some places only."""

from collections.abc import Iterator
from itertools import permutations
from math import comb

import numpy as np

from gradcheck.checking.contrast import Contrast
from gradcheck.values.aliases import Array
from gradcheck.values.results import Diagnosis

# How often some entries out of a few may lie on one side of the others by chance; at 0 there often is a branch.
_CHANCE_AT_ZERO = 0.05
_CHANCE = 0.002
_ALONG_ANOTHER_AXIS = "a sum, an index or a matrix product runs along the wrong axis of the cotangent"


def swapped_leaves(contrast: Contrast) -> Diagnosis | None:
    """Two leaves have each other's gradient."""
    for name, other in contrast.other_leaves():
        if other.analytical.shape != contrast.analytical.shape or contrast.same(
            other.numerical.value, contrast.numerical
        ):
            continue
        if contrast.same(contrast.analytical, other.numerical.value) and contrast.same(
            other.analytical, contrast.numerical
        ):
            return Diagnosis(
                "swapped leaves",
                f"the gradient of {contrast.leaf} is that of {name}, and the other way round",
                "two values of the dict that backward returns are exchanged",
            )
    return None


def transposed(contrast: Contrast) -> Diagnosis | None:
    """The gradient's axes are exchanged."""
    for what, turned in _turned(contrast, contrast.leaf_shape, of_leaf=True):
        if contrast.same(contrast.analytical, turned):
            same_shape = what[1]
            return Diagnosis(
                "transposed" if same_shape else "permuted",
                f"analytical is numerical with the axes of {contrast.leaf} in the order {what[0]}"
                + ("" if same_shape else ", reshaped to its shape"),
                "transpose where the axes are exchanged; reshape does not do that",
            )
    return None


def wrong_axis(contrast: Contrast) -> Diagnosis | None:
    """Contributions run along another axis of the output."""
    for what, turned in _turned(contrast, contrast.output_shape, of_leaf=False):
        if contrast.same(contrast.analytical, turned):
            return Diagnosis(
                "wrong axis",
                f"analytical is numerical with the axes of the output in the order {what[0]}",
                _ALONG_ANOTHER_AXIS,
            )
    right, given = (_axis_of(jacobian, contrast) for jacobian in (contrast.numerical, contrast.analytical))
    if right is None or given is None or right == given:
        return None
    return Diagnosis(
        "wrong axis",
        f"entry j of {contrast.leaf} has influence where index {right} of the output is j, but a gradient from where"
        f" index {given} is j",
        _ALONG_ANOTHER_AXIS,
    )


def _axis_of(jacobian: Array, contrast: Contrast) -> int | None:
    """The only axis of the output whose index has to be j for an entry j of the leaf to matter, if there is one."""
    shape, columns = contrast.output_shape, jacobian.shape[1]
    matters = (np.abs(jacobian) > 2 * contrast.comparison.allowed_error).reshape(*shape, columns)
    axes = []
    for axis, size in enumerate(shape):
        index = np.arange(size).reshape([size if k == axis else 1 for k in range(len(shape))] + [1])
        if matters.any() and not np.any(matters & (index != np.arange(columns))):
            axes.append(axis)
    return axes[0] if len(axes) == 1 else None


def _turned(contrast: Contrast, shape: tuple[int, ...], *, of_leaf: bool) -> Iterator[tuple[tuple[str, bool], Array]]:
    """The numerical Jacobian with the axes of the leaf, or of the output, in every other order."""
    numerical, axes = contrast.numerical, range(len(shape))
    if not 2 <= len(shape) <= 4:
        return
    for order in permutations(axes):
        same_shape = tuple(shape[k] for k in order) == shape
        if list(order) == list(axes) or not (same_shape or of_leaf):
            continue
        if of_leaf:
            turned = numerical.reshape(-1, *shape).transpose(0, *(k + 1 for k in order)).reshape(numerical.shape)
        else:
            turned = numerical.reshape(*shape, -1).transpose(*order, len(shape)).reshape(numerical.shape)
        if not contrast.same(turned, numerical):
            yield (str(order), same_shape), turned


def permuted(contrast: Contrast) -> Diagnosis | None:
    """In every wrong row of the Jacobian the numbers are right, but belong to other entries of the leaf."""
    rows = contrast.wrong.any(axis=1)
    given, right = contrast.analytical[rows], contrast.numerical[rows]
    allowed = 2 * np.max(contrast.comparison.allowed_error[rows], axis=1, keepdims=True)
    order, right_order = np.argsort(given, axis=1), np.argsort(right, axis=1)
    given, right = np.take_along_axis(given, order, axis=1), np.take_along_axis(right, right_order, axis=1)
    with np.errstate(invalid="ignore"):
        if not np.all(np.abs(given - right) <= 1e-3 * np.fmax(np.abs(given), np.abs(right)) + allowed):
            return None
        # Numbers that hardly differ are in any order.
        if np.any(np.max(contrast.comparison.gap[rows], axis=1) < 0.01 * np.max(np.abs(right), axis=1)):
            return None
    return Diagnosis(
        "permuted",
        f"in all {int(rows.sum())} wrong rows of the Jacobian the analytical numbers are the numerical ones in another"
        f" order: they belong to other entries of {contrast.leaf}",
        "entries are exchanged, reversed, shifted or reshaped: is an index, a slice or a permutation wrong?",
    )


def zeros_for_terms(contrast: Contrast) -> Diagnosis | None:
    """All wrong entries are zero on one side, and there are right ones that are not."""
    wrong = contrast.wrong
    right = ~wrong & contrast.telling
    if not right.any():
        return None
    with np.errstate(invalid="ignore"):
        nothing_given = np.abs(contrast.analytical) <= contrast.comparison.allowed_error
        nothing_there = np.abs(contrast.numerical) <= contrast.comparison.allowed_error
    if np.all(nothing_given[wrong]):
        return Diagnosis(
            "missing terms",
            f"all {int(wrong.sum())} wrong entries are 0 in backward; the {int(right.sum())} other entries are right",
            "a path from the leaf to these outputs is not followed back",
        )
    if np.all(nothing_there[wrong]):
        return Diagnosis(
            "extra terms",
            f"all {int(wrong.sum())} wrong entries should be 0; the {int(right.sum())} other entries are right",
            "backward follows a path that forward does not have: is a mask, an index or a batch mixed up?",
        )
    return None


def block(contrast: Contrast) -> Diagnosis | None:
    """Only one slab along an axis of the leaf or of the output is wrong, the first or the last ones above all.

    Beside a kink nothing is said: which entry of a tie is the wrong one is a matter of opinion.
    """
    wrong = contrast.wrong
    if contrast.comparison.kinked.any():
        return None
    columns = np.flatnonzero(wrong.any(axis=0))
    if len(columns) == 1 and wrong.shape[1] > 2:
        index = [int(i) for i in np.unravel_index(columns[0], contrast.leaf_shape)]
        return Diagnosis(
            "one entry wrong",
            f"only the entry {contrast.leaf}{index} has a wrong gradient, the other {wrong.shape[1] - 1} are right",
            "is there a special case for it, or an end of a range that is off by one?",
        )
    output = next(iter(contrast.outputs)) if len(contrast.outputs) == 1 else "the outputs"
    places = (
        (contrast.leaf, np.reshape(wrong.any(axis=0), contrast.leaf_shape)),
        (output, np.reshape(wrong.any(axis=1), contrast.output_shape)),
    )
    for name, mask in places:
        for axis, size in enumerate(mask.shape):
            indices = np.flatnonzero(mask.any(axis=tuple(k for k in range(mask.ndim) if k != axis)))
            at_an_end = indices[0] == 0 or indices[-1] == size - 1
            contiguous = np.array_equal(indices, np.arange(indices[0], indices[-1] + 1))
            if size > 1 and len(indices) <= size / 2 and contiguous and (at_an_end or len(indices) == 1):
                where = f"index {indices[0]}" if len(indices) == 1 else f"index {indices[0]} to {indices[-1]}"
                where = f"{where} of {size} along axis {axis}"
                if name == contrast.leaf and np.iscomplexobj(contrast.value) and axis == mask.ndim - 1:
                    where = f"the {('real', 'imaginary')[indices[0]]} part"
                return Diagnosis(
                    "block wrong",
                    f"only {where} of {name} is wrong, the other{'s are' if size > 2 else ' is'} right",
                    "is the end of a loop, a slice or a window off by one?",
                )
    return None


def one_branch(contrast: Contrast) -> Diagnosis | None:
    """The gradient is wrong only where the leaf lies on one side of a value, and at once by much."""
    wrong = contrast.wrong.any(axis=0)
    value = contrast.value
    chance = 2 / comb(wrong.size, int(wrong.sum()))
    if value.dtype.kind != "f" or value.size != wrong.size or chance > _CHANCE_AT_ZERO:
        return None
    # What fades away towards the right entries is no branch.
    excess = np.max(contrast.comparison.excess, axis=0)[wrong]
    if excess.min() < 0.05 * excess.max():
        return None
    numbers = value.astype(np.float64).ravel()
    bad, good = numbers[wrong], numbers[~wrong]
    if bad.max() < good.min():
        limit, sign = (0.0, "<") if bad.max() < 0 <= good.min() else (float(bad.max()), "≤")
    elif bad.min() > good.max():
        limit, sign = (0.0, ">") if bad.min() > 0 >= good.max() else (float(bad.min()), "≥")
    else:
        return None
    if limit and chance > _CHANCE:
        return None
    side = f"{contrast.leaf} {sign} {limit:.4g}"
    return Diagnosis(
        "one branch",
        f"all {int(wrong.sum())} wrong entries have {side}, and none of the {int((~wrong).sum())} right ones",
        f"look at what backward does where {side}",
    )

"""Suspects that show in the size of the entries: every entry is where it belongs, but is another number."""

from collections.abc import Iterator

import numpy as np

from gradcheck.algebra.precision import shown_eps
from gradcheck.checking.contrast import Contrast
from gradcheck.values.aliases import Array
from gradcheck.values.results import Diagnosis

_NICE = (2.0, 3.0, 4.0, 8.0, 10.0)
_FORMATS = {2.0**-7: "bfloat16", 2.0**-10: "float16", 2.0**-23: "float32"}


def not_finite(contrast: Contrast) -> Diagnosis | None:
    """Backward gives NaN or infinity."""
    count = int(np.sum(~np.isfinite(contrast.analytical)))
    if not count:
        return None
    return Diagnosis(
        "nan",
        f"{count} of {contrast.analytical.size} analytical entries are NaN or infinite; the numerical ones are not",
        "look for 0/0, log(0), or a square root whose gradient is taken at 0",
    )


def detached(contrast: Contrast) -> Diagnosis | None:
    """The gradient is zero throughout."""
    if np.any(contrast.analytical) or not contrast.telling.any():
        return None
    return Diagnosis(
        "detached",
        f"all {contrast.analytical.size} analytical entries are 0; the numerical ones are up to {contrast.scale:.4g}",
        f"backward does not use {contrast.leaf}, or returns zeros for it: is a term of the sum left out?",
    )


def sign_or_factor(contrast: Contrast) -> Diagnosis | None:
    """Analytical = c · numerical in every entry."""
    telling = contrast.telling
    if not telling.any():
        return None
    ratio = float(np.median(contrast.analytical[telling] / contrast.numerical[telling]))
    # Near 1 the ratio has to be as constant as it differs from 1: rounding to few digits is no factor.
    tolerance = min(1e-3, abs(ratio - 1) / 10)
    if ratio == 0 or not contrast.same(contrast.analytical, ratio * contrast.numerical, tolerance):
        return None
    places = f"in all {int(telling.sum())} entries that are not 0"
    if abs(ratio + 1) < 1e-4:
        return Diagnosis("sign flip", f"analytical = -numerical {places}", "a minus sign is missing, or one too many")
    sizes = _sizes(contrast, ratio)
    nice = any(abs(abs(ratio) ** power - number) < 1e-4 * number for number in _NICE for power in (1, -1))
    # A single entry always has some ratio; only a telling one is worth mentioning.
    if np.ptp(np.abs(contrast.numerical[telling])) == 0 and telling.sum() < 2 and not (nice or sizes):
        return None
    return Diagnosis(
        "constant factor",
        f"analytical = {ratio:.4g} × numerical {places}{sizes}",
        "add up where forward adds up, divide where it does" if sizes else "is a factor forgotten, or counted twice?",
    )


def _sizes(contrast: Contrast, ratio: float) -> str:
    """Which axes have the size of the factor, or of its inverse."""
    for number, question in ((abs(ratio), "a mean missing"), (1 / abs(ratio), "a mean where a sum belongs")):
        size = round(number)
        if size < 2 or abs(number - size) > 1e-4 * size:
            continue
        axes = [
            f"axis {k} of {name}" for name, array in contrast.arrays() for k, n in enumerate(array.shape) if n == size
        ]
        totals = [f"the number of entries of {name}" for name, array in contrast.arrays() if array.size == size > 1]
        if axes or totals:
            return f"; {size} is the size of {(axes or totals)[0]}: is there {question}?"
    return ""


def factor_from_an_array(contrast: Contrast) -> Diagnosis | None:
    """Analytical / numerical is not constant, but equals the values of a leaf or an output."""
    telling = contrast.telling & (contrast.analytical != 0)
    if telling.sum() < 2 or np.any(telling != contrast.telling):
        return None
    with np.errstate(all="ignore"):
        ratio = np.where(telling, contrast.analytical / contrast.numerical, np.nan)
    for what, values in _candidates(contrast):
        if np.ptp(values[telling]) <= 0.1 * np.max(np.abs(values[telling])):
            continue
        for cause, numbers in (("extra factor", values), ("missing factor", 1 / np.where(values == 0, np.nan, values))):
            if np.all(np.abs(ratio - numbers)[telling] <= 1e-3 * np.abs(numbers)[telling]):
                verb = "times" if cause == "extra factor" else "divided by"
                return Diagnosis(
                    cause,
                    f"analytical = numerical {verb} {what}, entry by entry, in all {int(telling.sum())} entries",
                    f"is {what} a factor {'too many' if cause == 'extra factor' else 'that was forgotten'}?",
                )
    return None


def _candidates(contrast: Contrast) -> Iterator[tuple[str, Array]]:
    """Arrays with one value for every coordinate or for every output, spread over the Jacobian."""
    rows, columns = contrast.analytical.shape
    for name, array in contrast.arrays():
        if array.dtype.kind != "f" or array.ndim == 0:
            continue
        for shape, along_columns in ((contrast.leaf_shape, True), (contrast.output_shape, False)):
            try:
                flat = np.broadcast_to(array.astype(np.float64), shape).ravel()
            except ValueError:
                continue
            yield name, np.broadcast_to(flat if along_columns else flat[:, None], (rows, columns))


def low_precision(contrast: Contrast) -> Diagnosis | None:
    """The analytical entries are the numerical ones, rounded to fewer digits."""
    given = contrast.analytical[contrast.telling]
    eps = shown_eps(given)
    if not eps or np.unique(given).size < 2:
        return None
    with np.errstate(all="ignore"):
        gap = np.abs(contrast.analytical - contrast.numerical)[contrast.telling] / np.abs(given)
        blur = contrast.comparison.numerical.error[contrast.telling] / np.abs(given)
    if np.any(gap > 4 * eps + blur) or gap.max() < eps / 64:
        return None
    name = _FORMATS[eps]
    return Diagnosis(
        "low precision",
        f"all {given.size} analytical entries are {name} numbers, and are off by up to {gap.max():.1g} relatively:"
        f" {name} has an eps of {eps:.1g}",
        f"something in backward is computed or stored in {name}",
    )


def conjugated(contrast: Contrast) -> Diagnosis | None:
    """The complex conjugate of the right gradient; or that of the derivative in it, with the cotangent left alone."""
    if not np.iscomplexobj(contrast.value):
        return None
    conjugate = contrast.numerical.copy()
    conjugate[:, 1::2] *= -1
    of_derivative = conjugate.copy()
    layout = contrast.evaluation.forward.layout
    for name in layout.complex:
        of_derivative[layout.positions(name)[1::2]] *= -1
    for what, candidate in (("the gradient", conjugate), ("the derivative in it", of_derivative)):
        if contrast.same(contrast.analytical, candidate) and not contrast.same(candidate, contrast.numerical):
            return Diagnosis(
                "conjugate",
                f"analytical is numerical with {what} conjugated, in every entry",
                "gradcheck's convention is L = Re Σ conj(ā) a and x̄ = ∂L/∂Re x + i ∂L/∂Im x: for a holomorphic a(x)"
                " that is x̄ = conj(∂a/∂x) ā",
            )
    return None

"""Extreme legal values: paths from ordinary values of a leaf to the far ends of its domain."""

from collections.abc import Callable, Mapping

import numpy as np

from gradcheck.values.aliases import Array
from gradcheck.values.domains import ComplexPlane, Domain, Interval, Labels, Mask, Nonzero, OneHot, Simplex

# From the given values at 0 to the extreme at 1.
Path = Callable[[float], Array]

_LARGE, _NEAR = 1e4, 1e-12
_SHARPEST = 40.0


def extremes(domain: Domain, values: Array) -> Mapping[str, Path]:
    """Named paths to extreme legal values; each is legal all the way.

    >>> sorted(extremes(Interval(), np.array([0.5, -2.0])))
    ['large', 'large and negative', 'large and positive', 'nearly equal throughout']
    """
    if isinstance(domain, Interval):
        return _of_interval(domain, values)
    if isinstance(domain, (Nonzero, ComplexPlane)):
        return {"large": lambda s: values * _LARGE**s, "near 0": lambda s: values * _NEAR**s}
    if isinstance(domain, Simplex):
        return {"almost one-hot": lambda s: _sharpened(values, 1 + _SHARPEST * s)}
    if isinstance(domain, Mask):
        one = np.zeros(values.shape, bool)
        one[..., :1] = True
        return {"True throughout": lambda s: np.ones(values.shape, bool), "True once in every row": lambda s: one}
    if isinstance(domain, Labels):
        return {"the first class throughout": lambda s: np.zeros_like(values)}
    if isinstance(domain, OneHot):
        first = np.zeros_like(values)
        first[..., 0] = 1
        return {"the first class throughout": lambda s: first}
    return {}


def _of_interval(domain: Interval, values: Array) -> Mapping[str, Path]:
    lower, upper = np.isfinite(domain.lower), np.isfinite(domain.upper)
    if not lower and not upper:
        size, middle = np.abs(values), np.mean(np.abs(values))
        # As near to each other as leaves half of their digits.
        near = float(np.finfo(values.dtype).eps) ** 0.5
        return {
            "nearly equal throughout": lambda s: middle + (size - middle) * near**s,
            "large": lambda s: values * _LARGE**s,
            "large and positive": lambda s: size * _LARGE**s,
            "large and negative": lambda s: -size * _LARGE**s,
        }
    paths: dict[str, Path] = {}
    # A value that is near an edge already must not be rounded onto it.
    if lower:
        paths[f"near {domain.lower:g}"] = lambda s: domain.inside(domain.lower + (values - domain.lower) * _NEAR**s)
    if upper:
        paths[f"near {domain.upper:g}"] = lambda s: domain.inside(domain.upper - (domain.upper - values) * _NEAR**s)
    if not upper:
        paths["large"] = lambda s: domain.lower + (values - domain.lower) * _LARGE**s
    if not lower:
        paths["large and negative"] = lambda s: domain.upper - (domain.upper - values) * _LARGE**s
    return paths


def _sharpened(probabilities: Array, power: float) -> Array:
    weights = probabilities**power
    return np.asarray(np.maximum(weights / weights.sum(axis=-1, keepdims=True), np.finfo(probabilities.dtype).tiny))


def zero_is_legal(domain: Domain) -> bool:
    """Whether a leaf may be 0 throughout."""
    return isinstance(domain, ComplexPlane) or (isinstance(domain, Interval) and domain.lower < 0 < domain.upper)

"""``check_grad`` as SciPy has it, but measured with derivatives that know their own error; and a report instead."""

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck.checking.evaluation import Evaluation
from gradcheck.checking.measurement import measure
from gradcheck.checking.point import case_at
from gradcheck.plugins.scipy_adapter.problems import from_scipy
from gradcheck.surfaces.report import Report, check
from gradcheck.values.aliases import Array
from gradcheck.values.module import Module
from gradcheck.values.settings import Settings

# The coordinate along a direction at x0: no 0 or 1, at which a factor does not show.
_START = 1.5


def check_grad(
    func: Callable[..., Any],
    grad: Callable[..., Any],
    x0: Any,
    *args: Any,
    epsilon: Any = None,
    direction: str = "all",
    rng: Any = None,
    seed: Any = None,
) -> float:
    """The 2-norm of the difference between ``grad`` and the numerical derivative of ``func``, as SciPy's returns it.

    Arguments:
        func, grad, x0, args: as SciPy's takes them.
        epsilon: accepted and not used: every entry is perturbed by a step that suits it and the noise of ``func``.
        direction: ``"all"`` entries, or a single one, ``"random"``, drawn from ``rng`` (or ``seed``, as it was called).

    Raises ValueError for what SciPy's raises it for, and ModuleError if a function raises or returns no numbers.

    >>> from scipy.optimize import rosen, rosen_der
    >>> bool(check_grad(rosen, rosen_der, [1.5, -0.5]) < 1e-6)
    True
    """
    del epsilon
    module, leaves = _problem(func, grad, x0, args, direction, seed if rng is None else rng)
    module, case = case_at(module, leaves)
    with np.errstate(all="ignore"):
        gap = measure(Evaluation(module, case, Settings()), "x").gap
    return float(np.linalg.norm(gap))


def check_grad_report(
    func: Callable[..., Any],
    grad: Callable[..., Any],
    x0: Any,
    *args: Any,
    direction: str = "all",
    rng: Any = None,
    **options: Any,
) -> Report:
    """What ``gradcheck.check`` says to the same arguments; ``options`` are those of ``check``."""
    module, leaves = _problem(func, grad, x0, args, direction, rng)
    return check(module, leaves, **options)


def _problem(
    func: Callable[..., Any], grad: Callable[..., Any], x0: Any, args: tuple[Any, ...], direction: str, rng: Any
) -> tuple[Module, dict[str, Array]]:
    """The function and its derivative at x0, in all directions or along one."""
    point = np.atleast_1d(np.asarray(x0))
    point = point if point.dtype.kind == "f" else point.astype(float)
    if direction == "all":
        return from_scipy(func, grad, args=args), {"x": point}
    if direction != "random":
        raise ValueError(f"direction is {direction!r}; expected 'all' or 'random'")
    if np.ndim(grad(point, *args)) > 1:
        raise ValueError("direction='random' was given for a func that is no scalar; expected 'all'")
    generator = rng if hasattr(rng, "standard_normal") else np.random.default_rng(rng)
    way = generator.standard_normal(size=point.shape)
    along = from_scipy(
        lambda x: func(point + (x - _START) * way, *args),
        lambda x: np.reshape(np.dot(grad(point + (x - _START) * way, *args), way), 1),
        name="along a random direction",
    )
    return along, {"x": np.full(1, _START)}

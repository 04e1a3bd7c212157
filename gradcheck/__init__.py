"""gradcheck: verify hand-written backward passes, entry by entry.

This page is the table of contents. Names are imported when they are first used, so that importing
gradcheck (which pytest does at every start, for the plugin) costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from gradcheck.adapters.functions import from_functions as from_functions
    from gradcheck.adapters.local_derivatives import from_jacobian as from_jacobian
    from gradcheck.adapters.local_derivatives import from_local_derivatives as from_local_derivatives
    from gradcheck.adapters.objects import from_object as from_object
    from gradcheck.running.loading import load as load
    from gradcheck.running.registry import register as register
    from gradcheck.surfaces.equivalence import check_equivalent as check_equivalent
    from gradcheck.surfaces.report import Report as Report
    from gradcheck.surfaces.report import assert_passes as assert_passes
    from gradcheck.surfaces.report import check as check
    from gradcheck.values.declarations import complex_valued as complex_valued
    from gradcheck.values.declarations import interval as interval
    from gradcheck.values.declarations import labels as labels
    from gradcheck.values.declarations import mask as mask
    from gradcheck.values.declarations import nonzero as nonzero
    from gradcheck.values.declarations import one_hot as one_hot
    from gradcheck.values.declarations import positive as positive
    from gradcheck.values.declarations import real as real
    from gradcheck.values.declarations import simplex as simplex
    from gradcheck.values.errors import ConfigurationError as ConfigurationError
    from gradcheck.values.errors import DeclarationError as DeclarationError
    from gradcheck.values.errors import GradcheckError as GradcheckError
    from gradcheck.values.errors import GradientMismatch as GradientMismatch
    from gradcheck.values.errors import ModuleError as ModuleError
    from gradcheck.values.errors import PointError as PointError
    from gradcheck.values.errors import TargetError as TargetError
    from gradcheck.values.module import Example as Example
    from gradcheck.values.module import Module as Module
    from gradcheck.values.verdict import Verdict as Verdict

_HOMES = {
    "gradcheck.adapters.functions": ("from_functions",),
    "gradcheck.adapters.local_derivatives": ("from_jacobian", "from_local_derivatives"),
    "gradcheck.adapters.objects": ("from_object",),
    "gradcheck.running.registry": ("register",),
    "gradcheck.running.loading": ("load",),
    "gradcheck.surfaces.equivalence": ("check_equivalent",),
    "gradcheck.surfaces.report": ("Report", "assert_passes", "check"),
    "gradcheck.values.declarations": (
        "complex_valued",
        "interval",
        "labels",
        "mask",
        "nonzero",
        "one_hot",
        "positive",
        "real",
        "simplex",
    ),
    "gradcheck.values.errors": (
        "ConfigurationError",
        "DeclarationError",
        "GradcheckError",
        "GradientMismatch",
        "ModuleError",
        "PointError",
        "TargetError",
    ),
    "gradcheck.values.module": ("Example", "Module"),
    "gradcheck.values.verdict": ("Verdict",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}
__all__ = ["__version__", *sorted(_HOME_OF)]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'gradcheck' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_HOME_OF[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

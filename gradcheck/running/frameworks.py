"""The adapters of other frameworks: found by entry points, imported when the framework of one has been."""

import sys
from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Any

from gradcheck.values.adapter import Adapted, Adapter
from gradcheck.values.errors import GradcheckError, TargetError

GROUP = "gradcheck.adapters"


def adapted(target: object, arguments: Mapping[str, Any] | None) -> Adapted | None:
    """An object of a framework as a Module, by the adapter that recognises it; None if none does.

    Raises TargetError if an adapter cannot be imported or fails, and what an adapter says of what it was given.
    """
    for name, adapter in _adapters().items():
        try:
            if adapter.recognises(target, arguments):
                return adapter.adapt(target, arguments)
        except GradcheckError:
            raise
        except Exception as error:
            raise TargetError(f"the adapter {name!r} raised {type(error).__name__}: {error}") from error
    return None


def _adapters() -> dict[str, Adapter]:
    """The adapters of the frameworks that are imported, by name."""
    found: dict[str, Adapter] = {}
    for point in sorted(entry_points(group=GROUP), key=lambda point: (point.name, point.value)):
        if point.name not in sys.modules:
            continue
        try:
            found[point.name] = point.load()
        except Exception as error:
            raise TargetError(
                f"the adapter {point.name} = {point.value!r} cannot be imported: {type(error).__name__}: {error}"
            ) from error
    return found

"""The adapters of other frameworks: found by entry points, imported when the framework of one has been."""

import sys
from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Any

from gradcheck.values.adapter import Adapted, Adapter
from gradcheck.values.errors import TargetError

GROUP = "gradcheck.adapters"


def adapted(target: object, arguments: Mapping[str, Any] | None) -> Adapted | None:
    """An object of a framework as a Module, by the adapter that recognises it; None if none does.

    Raises TargetError if an adapter cannot be imported, and what an adapter raises.
    """
    for name, adapter in _adapters().items():
        try:
            recognised = adapter.recognises(target, arguments)
        except Exception as error:
            raise TargetError(f"the adapter {name!r} raised {type(error).__name__}: {error}") from error
        if recognised:
            return adapter.adapt(target, arguments)
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

"""The seam for other people's frameworks: what turns their objects into Modules."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from gradcheck.values.aliases import Leaves
from gradcheck.values.module import Module


@dataclass(frozen=True)
class Adapted:
    """An object of a framework and its arguments, as what everything here works with.

    Arguments:
        module: the object as a Module, with numpy arrays for leaves.
        leaves: the value of every leaf that was given; of the others ``module.defaults`` has one.
    """

    module: Module
    leaves: Leaves


class Adapter(Protocol):
    """Turns the objects of one framework into Modules.

    It is registered under the entry-point group ``gradcheck.adapters``, by the name under which its framework is
    imported, and is itself imported when that is: nothing is imported that the user has not imported.
    """

    def recognises(self, target: object, arguments: Mapping[str, Any] | None) -> bool:
        """Whether an object is one of this framework, by its type or by those of its arguments.

        Arguments:
            target: what ``gradcheck.check`` was given.
            arguments: what it was given beside: by name, whatever the framework takes; None if nothing.
        """
        ...

    def adapt(self, target: Any, arguments: Mapping[str, Any] | None) -> Adapted:
        """The object as a Module, and its arguments as leaves.

        Raises TargetError, or PointError for the arguments, that says what was given, what was expected and what to do.
        """
        ...

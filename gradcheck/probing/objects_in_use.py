"""Objects as a program uses them: one object, called again and again, without a copy in between."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np

from gradcheck.adapters.object_module import ObjectModule
from gradcheck.algebra.contents import contents, share_parts
from gradcheck.values.aliases import Array, Generator, Outputs, Saved
from gradcheck.values.errors import DeclarationError, ModuleError
from gradcheck.values.module import Module


@dataclass(frozen=True, kw_only=True)
class ObjectInUse(ObjectModule):
    """A module of which every forward and every backward work on the same object; a fresh one if none is given."""

    given: Any = None

    @cached_property
    def object(self) -> Any:
        """The object in use."""
        return self.worker() if self.given is None else self.given

    def forward(self, rng: Generator | None = None, **leaves: Array) -> tuple[Outputs, Saved]:
        return self.run_forward(self.object, leaves, rng), self.object

    def backward(self, saved: Saved, cotangent: Any, /) -> Mapping[str, Array]:
        return self.run_backward(saved, cotangent)

    def rewind(self) -> None:
        """Set the generators of the object to where they were when it was made: the next forward draws as the first."""
        initial = dict(contents(self.prototype, (np.random.Generator, np.random.RandomState)))
        for path, generator in contents(self.object, (np.random.Generator, np.random.RandomState)):
            if path in initial:
                _set_state(generator, initial[path])


def _set_state(generator: Any, like: Any) -> None:
    if isinstance(generator, np.random.Generator):
        generator.bit_generator.state = copy.deepcopy(like.bit_generator.state)
    else:
        generator.set_state(like.get_state())


def in_use(module: ObjectModule, given: Any = None) -> ObjectInUse:
    """The module of an object whose calls all meet the same object: the given one, or a fresh one."""
    settings = {setting.name: getattr(module, setting.name) for setting in fields(ObjectModule)}
    return ObjectInUse(**settings, given=given)


def made_anew(module: ObjectModule) -> Any:
    """Another object, made and not copied; None if it is the same, or has parts in common with the first.

    What several have in common is the user's, such as weights that are given to each, and is not to be written to.

    Raises ModuleError if it has other parameters than the first.
    """
    again = replace(module)
    made = again.prototype
    try:
        same = again.storage.slots.keys() == module.storage.slots.keys()
    except DeclarationError as error:
        raise ModuleError(
            f"{error}; a first one does not: instances share something, such as a default argument"
        ) from error
    if not same:
        raise ModuleError(f"{module.name}: a second instance has the parameters {', '.join(again.storage.slots)}")
    defaults = [getattr(type(made).__init__, "__defaults__", None) or ()]
    if share_parts(made, defaults):
        raise ModuleError(f"{module.name}: instances share an array, which is the default of an argument: make it anew")
    return None if made is module.prototype or share_parts(made, module.prototype) else made


def as_used(module: Module) -> Module:
    """A module as a program uses it: an object without copies in between, any other module as it is."""
    return in_use(module) if isinstance(module, ObjectModule) else module

"""Objects that keep state between forward and backward, as people write them, as a Module."""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, cast

import numpy as np

from gradcheck.adapters.construction import (
    constructed,
    drawing_from,
    required_arguments,
    takes,
    takes_no_argument,
    unknown_arguments,
)
from gradcheck.adapters.storage import Storage, storage_of
from gradcheck.values.aliases import Array, Generator, Leaves, Outputs, Saved, Sizes
from gradcheck.values.declarations import Declaration, like
from gradcheck.values.errors import DeclarationError, ModuleError
from gradcheck.values.module import Module


@dataclass(frozen=True, kw_only=True)
class ObjectModule(Module):
    """A class whose ``forward`` stores state and whose ``backward`` gives dx and fills gradients.

    Every forward works on a deep copy of one prototype, and every backward on a deep copy of what
    forward left behind, so that no state gets from one evaluation into another.
    """

    make: Callable[..., Any]
    inputs: Mapping[str, Declaration]
    declared_parameters: Mapping[str, Declaration]
    outputs: Mapping[str, str]
    gradients: Mapping[str, str] | None
    returns: Sequence[str]
    name: str
    exclude: Sequence[str] = ()
    stochastic: bool = False
    accumulates: bool | None = None
    stacked: bool = False
    waive: Mapping[str, str] = field(default_factory=dict)
    sizes: Sizes = field(default_factory=dict)

    @cached_property
    def origin(self) -> object:
        return getattr(self.make, "backward", self.make)

    @cached_property
    def sizes_of_construction(self) -> tuple[str, ...]:
        """The dimension symbols whose sizes an object is made for."""
        return tuple(symbol for symbol in self.sizes if takes(self.make, symbol))

    @cached_property
    def symbols(self) -> tuple[str, ...]:
        declared = {**self.inputs, **self.declared_parameters}
        found = [symbol for leaf in declared.values() for symbol in leaf.symbols]
        return tuple(dict.fromkeys([*found, *required_arguments(self.make)]))

    @cached_property
    def parameters(self) -> Mapping[str, Declaration]:
        if unknown_arguments(self.make, self.sizes):
            return self.declared_parameters
        absent = [leaf for leaf in self.declared_parameters if leaf not in self.defaults]
        if absent:
            raise DeclarationError(
                f"{self.name} has no parameter {', '.join(absent)}; it has {', '.join(self.defaults) or 'none'}"
            )
        return {leaf: self.declared_parameters.get(leaf, like(value)) for leaf, value in self.defaults.items()}

    @cached_property
    def defaults(self) -> Leaves:
        return {} if unknown_arguments(self.make, self.sizes) else self.storage.parameters(self.prototype)

    def at(self, sizes: Sizes) -> "ObjectModule":
        sizes = {**self.sizes, **sizes}
        unknown = unknown_arguments(self.make, sizes)
        if unknown:
            raise DeclarationError(
                f"{self.name} cannot be made: the size of {', '.join(unknown)} is told neither by the arrays nor by"
                f" the declarations; give a function without arguments, from_object(lambda: {self.name}(...), ...)"
            )
        return replace(self, sizes=sizes)

    @cached_property
    def prototype(self) -> Any:
        """One object for these sizes, never run itself."""
        return constructed(self.make, self.sizes, self.name)

    @cached_property
    def storage(self) -> Storage:
        """Where the object keeps parameters and gradients."""
        return storage_of(self.prototype, self.gradients, self.exclude, self.name)

    def worker(self) -> Any:
        """An object of one's own: a copy of the prototype, with all its parts.

        Raises ModuleError if it holds something that cannot be copied.
        """
        try:
            return copy.deepcopy(self.prototype)
        except Exception as error:
            raise ModuleError(
                f"the object cannot be copied, and every evaluation works on a copy ({error}): keep modules, locks,"
                f" files and generators outside of it, or define __deepcopy__"
            ) from error

    def forward(self, rng: Generator | None = None, **leaves: Array) -> tuple[Outputs, Saved]:
        worker = self.worker()
        return self.run_forward(worker, leaves, rng), worker

    def run_forward(self, worker: Any, leaves: Mapping[str, Array], rng: Generator | None = None) -> Outputs:
        """Run forward on a given object, with parameters and inputs as the leaves say."""
        self.storage.set_parameters(worker, {leaf: leaves[leaf] for leaf in self.parameters})
        inputs = [leaves[leaf] for leaf in self.inputs]
        if rng is None:
            return self._named(worker.forward(*inputs))
        with drawing_from(rng):
            stream = {"rng": rng} if takes(worker.forward, "rng") else {}
            return self._named(worker.forward(*inputs, **stream))

    def _named(self, outputs: Any) -> Outputs:
        """Outputs as they come, but several in a tuple by their declared names."""
        if not isinstance(outputs, tuple):
            return cast(Outputs, outputs)
        if len(outputs) != len(self.outputs):
            raise ModuleError(
                f"forward returned a tuple of {len(outputs)}, but {len(self.outputs)} outputs are declared: name"
                f" them in order, outputs={{'a': 'N M', ...}}"
            )
        return dict(zip(self.outputs, outputs, strict=True))

    def backward(self, saved: Saved, cotangent: Any, /) -> Mapping[str, Array]:
        return self.run_backward(copy.deepcopy(saved), cotangent)

    def run_backward(self, worker: Any, cotangent: Any) -> dict[str, Any]:
        """Run backward on a given object, and collect what it returns and what it fills in."""
        if takes_no_argument(worker.backward):
            # A loss whose backward takes no cotangent stands for the cotangent 1; x̄ = Jᵀ ā does the rest.
            gradients = {**self._returned(worker.backward()), **self.storage.gradients(worker)}
            return {leaf: _times(gradient, cotangent) for leaf, gradient in gradients.items()}
        several = isinstance(cotangent, dict)
        returned = worker.backward(*cotangent.values()) if several else worker.backward(cotangent)
        return {**self._returned(returned), **self.storage.gradients(worker)}

    def _returned(self, returned: object) -> dict[str, Any]:
        """Gradients by leaf, from what backward returned in order."""
        if isinstance(returned, Mapping):
            return dict(returned)
        if returned is None and not self.returns:
            return {}
        in_order = isinstance(returned, tuple) or (isinstance(returned, list) and len(self.returns) > 1)
        values = tuple(cast("tuple[Any, ...]", returned)) if in_order else (returned,)
        names = tuple(self.returns)
        if len(values) == len(self.inputs) > len(names):
            names = tuple(self.inputs)  # labels and masks among them, for which None is returned
        if len(values) != len(names):
            raise ModuleError(
                f"backward returned {len(values)} values; expected one for each of {', '.join(names)}:"
                f" name what it returns, in order, with returns=(...)"
            )
        given = zip(names, values, strict=True)
        return {leaf: value for leaf, value in given if value is not None or leaf in self.returns}


def _times(gradient: Any, cotangent: Any) -> Any:
    if np.size(cotangent) != 1:
        raise ModuleError("backward takes no cotangent, which only a module with a single number as output can do")
    return None if gradient is None else np.asarray(gradient) * np.reshape(cotangent, ())

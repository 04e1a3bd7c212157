"""Calling the module under verification, and turning its misbehaviour into errors that name it."""

import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from gradcheck.adapters.derived import pushed_forward
from gradcheck.algebra.layout import Layout, ravel, real_view
from gradcheck.algebra.sampling import generator_for
from gradcheck.values.aliases import Array, Leaves, Saved
from gradcheck.values.entry import entry_path
from gradcheck.values.errors import GradcheckError, ModuleError
from gradcheck.values.module import Module

T = TypeVar("T")
UNNAMED_OUTPUT = "a"
_FLOAT64 = np.dtype(np.float64)


@dataclass(frozen=True)
class Forward:
    """One forward pass: the outputs by name, what backward needs, and whether they came as a dict."""

    outputs: dict[str, Array]
    saved: Saved
    named: bool

    @cached_property
    def layout(self) -> Layout:
        """Where every output lies in the vector of all of them."""
        return Layout.of(self.outputs)

    @cached_property
    def _usual(self) -> Array | None:
        """The only output, if it is one of float64 by itself."""
        first = next(iter(self.outputs.values()))
        return first if not self.named and first.dtype is _FLOAT64 else None

    def structured(self, vector: Array) -> dict[str, Array]:
        """A vector over all outputs as arrays by name, in the dtypes of the outputs."""
        return {name: part.astype(self.outputs[name].dtype) for name, part in self.layout.split(vector).items()}

    def cotangent(self, vector: Array) -> Any:
        """A vector over all outputs in the structure in which forward returned them, as fresh arrays."""
        if self._usual is not None:
            return vector.astype(np.float64).reshape(self._usual.shape)
        return self.as_returned(self.structured(vector))

    def one_hot(self, i: int) -> Any:
        """The cotangent that is 1 at one coordinate of the outputs and 0 elsewhere, as they were returned."""
        if self._usual is not None:
            one = np.zeros(self._usual.size)
            one[i] = 1
            return one.reshape(self._usual.shape)
        hot, offset = self.layout.place(i)
        parts = {name: np.zeros(output.shape, output.dtype) for name, output in self.outputs.items()}
        real_view(parts[hot])[offset] = 1
        return self.as_returned(parts)

    def cotangents(self, vectors: Array) -> Any:
        """Many vectors over all outputs (cotangents, outputs), each output with that additional first axis."""
        count, starts, parts = len(vectors), self.layout.starts, {}
        for (name, output), start, stop in zip(self.outputs.items(), starts[:-1], starts[1:], strict=True):
            part = np.ascontiguousarray(vectors[:, start:stop], np.float64)
            part = part.view(np.complex128) if output.dtype.kind == "c" else part
            parts[name] = part.astype(output.dtype).reshape(count, *output.shape)
        return self.as_returned(parts)

    def as_returned(self, parts: Mapping[str, Array]) -> Any:
        """One array for every output in the structure in which forward returned them."""
        return dict(parts) if self.named else next(iter(parts.values()))


def call_forward(module: Module, leaves: Leaves, seed: int) -> Forward:
    """Run the module's forward; raise ModuleError if it raises or returns anything but arrays."""
    returned = guarded(module, "forward", lambda: module.forward(**leaves, **stream(module, seed)))
    return forward_of(module, returned)


def stream(module: Module, seed: int) -> dict[str, np.random.Generator]:
    """What a stochastic module draws from; it depends on nothing but the seed, so that a reference draws the same."""
    return {"rng": generator_for(seed, "forward")} if module.stochastic else {}


def forward_of(module: Module, returned: object) -> Forward:
    """What forward returned, if that is what it has to be."""
    if not isinstance(returned, tuple) or len(returned) != 2:
        raise ModuleError(
            f"{module.name}: forward returned {_describe(returned)}; expected the pair (output, saved):"
            f" the output array, or a dict of them, and whatever backward needs"
        )
    outputs, saved = returned
    named = isinstance(outputs, Mapping)
    by_name = outputs if isinstance(outputs, Mapping) else {next(iter(module.outputs), UNNAMED_OUTPUT): outputs}
    if not by_name:
        raise ModuleError(f"{module.name}: forward returned a dict without outputs; expected at least one")
    return Forward({name: _output(module, name, value) for name, value in by_name.items()}, saved, named)


def require_finite(module: Module, forward: Forward) -> None:
    """Raise ModuleError if an output is NaN or infinite."""
    values = ravel(forward.outputs)
    wrong = np.flatnonzero(~np.isfinite(values))
    if wrong.size:
        name, index = forward.layout.locate(int(wrong[0]))
        raise ModuleError(
            f"{module.name}: forward returned {values[wrong[0]]} in {entry_path(name, index)} at the point itself"
            f" ({wrong.size} of {values.size} outputs are not finite); expected finite outputs: give a point"
            f" inside the domain, or mend the forward"
        )


def as_array(value: object) -> Array | None:
    """The array that a value is; None for what numpy can make no array of, such as rows of unequal length."""
    try:
        return np.asarray(value)
    except (TypeError, ValueError):
        return None


def _output(module: Module, name: object, value: object) -> Array:
    array = as_array(value)
    if not isinstance(name, str) or array is None or array.dtype.kind not in "fc":
        raise ModuleError(
            f"{module.name}: forward returned output {name!r} as {_describe(value)}; expected an array of"
            f" floating-point or complex numbers"
        )
    return array


def call_backward(module: Module, forward: Forward, cotangent: Array) -> Mapping[str, Any]:
    """Run the module's backward on a vector over all outputs; what it returns is not judged here."""
    return call_backward_with(module, forward.saved, forward.cotangent(cotangent))


def call_backward_with(module: Module, saved: Saved, cotangent: Any) -> Mapping[str, Any]:
    """Run the module's backward on a cotangent as it is; raise ModuleError if it raises or returns no gradients."""
    return _gradients(module, guarded(module, "backward", lambda: module.backward(saved, cotangent)))


def call_backwards(
    module: Module, saved: Saved, cotangents: Iterable[Any], take: Callable[[Mapping[str, Any]], None]
) -> None:
    """Run the module's backward on many cotangents and hand over what each returns, before the next one is made."""

    def run() -> None:
        for cotangent in cotangents:
            take(_gradients(module, module.backward(saved, cotangent)))

    guarded(module, "backward", run)


def _gradients(module: Module, returned: object) -> Mapping[str, Any]:
    if type(returned) is not dict and not isinstance(returned, Mapping):
        raise ModuleError(
            f"{module.name}: backward returned {_describe(returned)}; expected a dict with a gradient for"
            f" every differentiable leaf"
        )
    for name in returned:
        if not isinstance(name, str):
            nameless = [name for name in returned if not isinstance(name, str)]
            raise ModuleError(f"{module.name}: backward returned gradients for {nameless}; expected names of leaves")
    return returned


def call_jvp(module: Module, forward: Forward, leaves: Leaves, tangents: Leaves) -> dict[str, Array]:
    """Run the module's jvp; leaves without a tangent get zeros. Raise ModuleError if the result has another shape."""
    floating = {name: value for name, value in leaves.items() if value.dtype.kind in "fc"}
    given = {name: tangents.get(name, np.zeros_like(value)) for name, value in floating.items()}
    outputs = forward.outputs if forward.named else next(iter(forward.outputs.values()))
    return guarded(module, "jvp", lambda: pushed_forward(outputs, module.jvp(forward.saved, given)))


def guarded(module: Module, what: str, call: Callable[[], T]) -> T:
    """What a call of the module's forward, backward or jvp gives; ModuleError if it raises."""
    try:
        with np.errstate(all="ignore"):
            return call()
    except GradcheckError as error:
        # An adapter has found something wrong and said so; it does not know the module's name.
        text = str(error)
        raise ModuleError(text if text.startswith(module.name) else f"{module.name}: {text}") from error.__cause__
    except (Exception, SystemExit) as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        raise ModuleError(
            f"{module.name}: {what} raised {type(error).__name__}: {error}"
            f" ({Path(frame.filename).name}, line {frame.lineno})"
        ) from error


def _describe(value: object) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of dtype {value.dtype} and shape {value.shape}"
    if isinstance(value, tuple):
        return f"a tuple of length {len(value)}"
    return "None" if value is None else f"a {type(value).__name__}"

"""The checkers of the duel, all given the same numpy forward and backward; every one runs at its own defaults.

A peer takes arguments by position, so it sees the differentiable leaves in the order of the point. Integer and bool
leaves are closed over. The corpus has torch's convention for complex gradients; jax's and autograd's is its conjugate.
Peers are imported by name where they are used: what is not installed is not needed until then.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from importlib import import_module
from typing import Any

import numpy as np

import gradcheck
from gradcheck.checking.checks import CHECKS
from gradcheck.values.aliases import Array
from tests.corpus.specimen import Backward, Forward, Point

# Peers judge derivatives; the behaviour probes would be an unfair advantage.
DERIVATIVES = [check.name for check in CHECKS if not check.probe and not check.survey]

FRAMEWORK_DTYPES = ("float16", "float32", "float64", "complex64", "complex128")
SCIPY_RULE = 1e-4


class Outcome(Enum):
    """What a checker says of a backward; INEXPRESSIBLE if it cannot be asked."""

    CAUGHT = "caught"
    PASSED = "passed"
    INCONCLUSIVE = "inconclusive"
    INEXPRESSIBLE = "inexpressible"


@dataclass(frozen=True)
class Trial:
    """A forward with a right or wrong backward at a point, and what gradcheck is told: threshold and seed."""

    forward_function: Forward
    backward_function: Backward
    point: Point
    threshold: float
    seed: int

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The differentiable leaves."""
        return tuple(name for name, value in self.point.items() if np.asarray(value).dtype.kind in "fc")

    @cached_property
    def leaves(self) -> tuple[Array, ...]:
        """Their values."""
        return tuple(np.array(self.point[name]) for name in self.names)

    @cached_property
    def outputs(self) -> tuple[Array, ...]:
        """The outputs at the point."""
        return self.forward(*self.leaves)

    @cached_property
    def output_names(self) -> tuple[str, ...]:
        """Names of the outputs, none if forward returns a plain array."""
        returned = self.forward_function(**self._point_with(self.leaves))
        return tuple(returned) if isinstance(returned, Mapping) else ()

    @cached_property
    def returned(self) -> dict[str, Array]:
        """What backward gives for a generic cotangent; its names, shapes and dtypes are what matters."""
        return self.backward(self.leaves, self.generic_cotangent())

    @cached_property
    def unknown(self) -> tuple[str, ...]:
        """Names of gradients that belong to no leaf."""
        return tuple(name for name in self.returned if name not in self.point)

    @property
    def has_gradient_of_constant(self) -> bool:
        """Whether backward gives a gradient for a leaf that is closed over."""
        return not set(self.returned).issubset({*self.names, *self.unknown})

    def has_dtypes(self, leaves: Sequence[str], outputs: Sequence[str] = FRAMEWORK_DTYPES) -> bool:
        """Whether all leaves and outputs have one of these dtypes."""
        return all(x.dtype.name in leaves for x in self.leaves) and all(y.dtype.name in outputs for y in self.outputs)

    def forward(self, *arrays: Any) -> tuple[Array, ...]:
        """The outputs as a tuple."""
        returned = self.forward_function(**self._point_with(arrays))
        outputs = returned.values() if isinstance(returned, Mapping) else [returned]
        return tuple(np.array(output) for output in outputs)

    def single_or_all(self, outputs: Sequence[Any]) -> Any:
        """An array if forward returns one, else a tuple in the order of its dict."""
        return tuple(outputs) if self.output_names else outputs[0]

    def backward(self, arrays: Sequence[Any], cotangents: Sequence[Any]) -> dict[str, Array]:
        """The gradients that are not None."""
        given = [np.array(ct, dtype=y.dtype) for ct, y in zip(cotangents, self.outputs, strict=True)]
        cotangent = dict(zip(self.output_names, given, strict=True)) if self.output_names else given[0]
        gradients = self.backward_function(self._point_with(arrays), cotangent)
        return {name: np.array(gradient) for name, gradient in gradients.items() if gradient is not None}

    def gradients(self, arrays: Sequence[Any], cotangents: Sequence[Any]) -> list[Array | None]:
        """The gradients by position; those of no leaf come after those of the leaves."""
        gradients = self.backward(arrays, cotangents)
        return [gradients.get(name) for name in (*self.names, *self.unknown)]

    def generic_cotangent(self) -> tuple[Array, ...]:
        """Normal numbers in the shapes and dtypes of the outputs."""
        generator = np.random.default_rng(self.seed)
        return tuple(_normal(generator, output) for output in self.outputs)

    def _point_with(self, arrays: Sequence[Any]) -> Point:
        # Copies: torch perturbs its arguments in place, jax hands out arrays that cannot be written to.
        return {**self.point, **{name: np.array(x) for name, x in zip(self.names, arrays, strict=True)}}


def _normal(generator: np.random.Generator, like: Array) -> Array:
    drawn: Array = generator.normal(size=like.shape)
    if like.dtype.kind == "c":
        drawn = drawn + 1j * generator.normal(size=like.shape)
    return np.asarray(drawn, dtype=like.dtype)


def by_gradcheck(trial: Trial) -> Outcome:
    """A verdict of fail or error is caught."""
    module = gradcheck.from_functions(trial.forward_function, trial.backward_function)
    settings = {"threshold": trial.threshold, "seed": trial.seed, "checks": DERIVATIVES}
    verdict = gradcheck.check(module, trial.point, **settings).verdict  # type: ignore[arg-type]  # of several types
    return {"pass": Outcome.PASSED, "inconclusive": Outcome.INCONCLUSIVE}.get(verdict.value, Outcome.CAUGHT)


def by_torch(trial: Trial, fast: bool) -> Outcome:
    """torch.autograd.gradcheck of an autograd.Function; it raises where something is wrong."""
    torch: Any = import_module("torch")
    torch.set_num_threads(1)

    def forward(ctx: Any, *tensors: Any) -> Any:
        ctx.arrays = [tensor.detach().numpy().copy() for tensor in tensors]
        return trial.single_or_all([torch.from_numpy(output) for output in trial.forward(*ctx.arrays)])

    def backward(ctx: Any, *cotangents: Any) -> Any:
        gradients = trial.gradients(ctx.arrays, [ct.resolve_conj().resolve_neg().numpy() for ct in cotangents])
        return tuple(None if g is None else torch.from_numpy(g) for g in gradients)

    methods = {"forward": staticmethod(forward), "backward": staticmethod(backward)}
    function = type("Function", (torch.autograd.Function,), methods)
    # numpy's empty arrays have strides of 0, which torch takes for overlapping memory; a clone has torch's own.
    tensors = [torch.tensor(leaf).clone(memory_format=torch.contiguous_format) for leaf in trial.leaves]
    arguments = [tensor.requires_grad_() for tensor in tensors]
    accepted = torch.autograd.gradcheck(function.apply, arguments, fast_mode=fast)  # type: ignore[attr-defined]  # untyped
    return Outcome.PASSED if accepted else Outcome.CAUGHT


def by_jax(trial: Trial) -> Outcome:
    """jax.test_util.check_grads of a custom_vjp; only reverse, since that has no other mode."""
    jax: Any = import_module("jax")
    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_cpu_enable_async_dispatch", False)  # a callback that waits for its caller never ends

    def struct(array: Array) -> Any:
        return jax.ShapeDtypeStruct(array.shape, array.dtype)

    def pull_back(arrays: Sequence[Any], cotangents: Sequence[Any]) -> dict[str, Array]:
        gradients = trial.backward(arrays, [np.conj(ct) for ct in cotangents])
        return {name: np.conj(gradient) for name, gradient in gradients.items()}

    # Declared are the shapes and dtypes that backward does return: whether they fit is for jax to say.
    outputs, gradients = tuple(map(struct, trial.outputs)), {n: struct(g) for n, g in trial.returned.items()}

    @jax.custom_vjp  # type: ignore[untyped-decorator]  # untyped
    def function(*arrays: Any) -> Any:
        return jax.pure_callback(trial.forward, outputs, *arrays)

    def backward(arrays: Any, cotangents: Any) -> Any:
        given = jax.pure_callback(pull_back, gradients, arrays, cotangents)
        return tuple(given.get(name) for name in (*trial.names, *trial.unknown))

    function.defvjp(lambda *arrays: (function(*arrays), arrays), backward)
    import_module("jax.test_util").check_grads(function, trial.leaves, order=1, modes=("rev",))
    return Outcome.PASSED


def by_autograd(trial: Trial) -> Outcome:
    """autograd.test_util.check_grads of a primitive; only reverse, since no JVP is defined."""
    extend: Any = import_module("autograd.extend")
    np.random.seed(trial.seed)  # it draws its directions from numpy's global generator

    @extend.primitive  # type: ignore[untyped-decorator]  # untyped
    def function(*arrays: Any) -> Any:
        return trial.single_or_all(trial.forward(*arrays))

    def vjp_of(name: str) -> Callable[..., Any]:
        def pull_back(arrays: Sequence[Any], cotangent: Any) -> Array:
            cotangents = cotangent if trial.output_names else (cotangent,)
            return np.conj(trial.backward(arrays, [np.conj(ct) for ct in cotangents])[name])

        return lambda _, *arrays: lambda cotangent: pull_back(arrays, cotangent)

    extend.defvjp(function, *[vjp_of(name) if name in trial.returned else None for name in trial.names])
    check_grads = import_module("autograd.test_util").check_grads
    check_grads(function, tuple(range(len(trial.names))), modes=["rev"], order=1)(*trial.leaves)
    return Outcome.PASSED


def by_scipy(trial: Trial) -> Outcome:
    """scipy.optimize.check_grad of Re ⟨p, y⟩, p random and fixed; the rule that makes its number a verdict is ours."""
    optimize: Any = import_module("scipy.optimize")
    projection = trial.generic_cotangent()
    ends = np.cumsum([leaf.size for leaf in trial.leaves])

    def arrays(flat: Array) -> list[Array]:
        parts = zip(np.split(flat, ends[:-1]), trial.leaves, strict=True)
        return [part.reshape(leaf.shape).astype(leaf.dtype) for part, leaf in parts]

    def objective(flat: Array) -> float:
        outputs = trial.forward(*arrays(flat))
        return float(sum(np.sum(np.real(np.conj(p) * y)) for p, y in zip(projection, outputs, strict=True)))

    def gradient(flat: Array) -> Array:
        gradients = trial.gradients(arrays(flat), projection)
        return np.concatenate([np.ravel(g) for g in gradients if g is not None])

    point = np.concatenate([leaf.ravel() for leaf in trial.leaves])
    error, norm = optimize.check_grad(objective, gradient, point), np.linalg.norm(gradient(point))
    return Outcome.PASSED if np.isfinite(error) and error <= SCIPY_RULE * norm else Outcome.CAUGHT


@dataclass(frozen=True)
class Checker:
    """A row of the table: how it is run, what it can be asked, and which settings its verdict comes from."""

    name: str
    package: str
    run: Callable[[Trial], Outcome]
    expresses: Callable[[Trial], bool]
    rule: str


def _in_framework(trial: Trial) -> bool:
    return trial.has_dtypes(FRAMEWORK_DTYPES) and not trial.has_gradient_of_constant


CHECKERS = (
    Checker("gradcheck", "gradcheck", by_gradcheck, lambda trial: True, "the specimen's threshold"),
    Checker("torch", "torch", lambda trial: by_torch(trial, fast=False), _in_framework, "atol 1e-5, rtol 1e-3"),
    Checker("torch, fast", "torch", lambda trial: by_torch(trial, fast=True), _in_framework, "as torch, projected"),
    Checker("jax", "jax", by_jax, _in_framework, "atol and rtol 1e-5 for float64, reverse only"),
    Checker("autograd", "autograd", by_autograd, lambda trial: _in_framework(trial) and not trial.unknown,
            "absolute or relative error below 1e-6, reverse only"),
    Checker("scipy", "scipy", by_scipy, lambda trial: trial.has_dtypes(FRAMEWORK_DTYPES[:3])
            and not trial.has_gradient_of_constant, f"ours: error ≤ {SCIPY_RULE:.0e} · ‖grad‖, as it gives no verdict"),
)  # fmt: skip

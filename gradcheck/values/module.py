"""The contract: a Module is a pure forward and a pure backward with explicit residuals."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from functools import cached_property
from inspect import Signature, signature
from typing import Any

from gradcheck.values.aliases import Array, Leaves, Outputs, Saved, Sizes
from gradcheck.values.declarations import Declaration

_LONGEST_FIELD = 40


@dataclass(frozen=True)
class Example:
    """A known input and its known output: if I run sin(π/2), does it return 1?

    Arguments:
        leaves: value of every leaf.
        outputs: the expected output; a mapping from names if there are several.
        tolerance: largest |output - expected| / max(1, |expected|) that counts as equal.
    """

    leaves: Mapping[str, Any]
    outputs: Any
    tolerance: float = 1e-9


class Module(ABC):
    """A differentiable module ``a = h(x; θ)``: subclass it and write ``forward`` and ``backward``.

    A subclass is final, its hyper-parameters are fields of a frozen dataclass, and it declares its
    leaves. Everything else is optional. Nothing is stored on ``self`` between the calls: what
    ``backward`` needs, ``forward`` returns.

    >>> from gradcheck import real
    >>> class Square(Module):
    ...     inputs = {"x": real("N")}
    ...
    ...     def forward(self, x):
    ...         return x**2, x
    ...
    ...     def backward(self, saved, a_bar):
    ...         return {"x": 2 * saved * a_bar}
    >>> Square().name
    'Square'
    """

    # Cached properties, because a subclass may replace one by whatever suits it: a class attribute, a
    # dataclass field, a property.

    @cached_property
    def inputs(self) -> Mapping[str, Declaration]:
        """Declared inputs by name."""
        return {}

    @cached_property
    def parameters(self) -> Mapping[str, Declaration]:
        """Declared parameters by name."""
        return {}

    @cached_property
    def outputs(self) -> Mapping[str, str]:
        """Dimensions of every output by name; without it any output is accepted."""
        return {}

    @cached_property
    def variants(self) -> Sequence[Mapping[str, Any]]:
        """Configurations to verify: values of the dataclass fields, one mapping a configuration."""
        return ({},)

    @cached_property
    def dimensions(self) -> Sequence[Sizes]:
        """Sizes of dimension symbols to verify at, where the default primes do not fit."""
        return ()

    @cached_property
    def batch(self) -> str:
        """The symbol that is also tried at size 1: N, or else the first axis of an input with several."""
        first = next((leaf.dimensions.symbols for leaf in self.inputs.values()), ())
        return first[0] if "N" not in self.symbols and len(first) > 1 else "N"

    @cached_property
    def examples(self) -> Sequence[Example]:
        """Known input-output pairs."""
        return ()

    @cached_property
    def reference(self) -> "Module | type[Module] | Callable[..., Outputs] | None":
        """What must agree: another module with the same leaves, in value and gradient; a function, in value."""
        return None

    @cached_property
    def kinks(self) -> Mapping[str, Sequence[float]]:
        """Values of a leaf at which the module has no derivative; drawn points keep away from them."""
        return {}

    @cached_property
    def stochastic(self) -> bool:
        """Whether ``forward`` draws random numbers; it then gets ``rng=``, the same stream every time."""
        return False

    @cached_property
    def eps(self) -> float:
        """Machine epsilon in which it computes, where that is larger than the dtypes of its arrays tell; else 0."""
        return 0.0

    @cached_property
    def jacobian(self) -> str:
        """``"diagonal"`` claims that an output entry depends on the same entry of each input only; verified."""
        return ""

    @cached_property
    def independent(self) -> Sequence[str]:
        """Symbols along which the slices do not influence each other, such as the samples of a batch; verified."""
        return ()

    @cached_property
    def waive(self) -> Mapping[str, str]:
        """Behaviour probes that do not apply, each with the reason, which the report prints."""
        return {}

    @cached_property
    def notes(self) -> Sequence[str]:
        """What the report is to say of the module, such as that it is verified in float32."""
        return ()

    @cached_property
    def defaults(self) -> Leaves:
        """Values of leaves that need not be given, such as the parameters an object was made with."""
        return {}

    @cached_property
    def name(self) -> str:
        """The name in reports: the class, and the fields that differ from their defaults."""
        return type(self).__name__ + _fields_suffix(self)

    @cached_property
    def origin(self) -> object:
        """The function that an editor should open: the backward, or what makes the module."""
        return type(self).backward

    @cached_property
    def signature(self) -> Signature | None:
        """What forward takes, where Python can tell."""
        return signature_of(self.forward)

    @cached_property
    def leaves(self) -> Mapping[str, Declaration]:
        """All declared leaves, inputs first."""
        return {**self.inputs, **self.parameters}

    @cached_property
    def symbols(self) -> tuple[str, ...]:
        """The dimension symbols that have to be given sizes, in order of appearance."""
        found = (symbol for leaf in self.leaves.values() for symbol in leaf.symbols)
        return tuple(dict.fromkeys(found))

    def at(self, sizes: Sizes) -> "Module":
        """The module for given sizes; itself, unless its construction depends on them."""
        del sizes
        return self

    @abstractmethod
    def forward(self, *args: Any, **leaves: Any) -> tuple[Outputs, Saved]:
        """Compute the output(s) from the leaves, given by name, and what ``backward`` needs."""

    @abstractmethod
    def backward(self, saved: Saved, cotangent: Any, /) -> Mapping[str, Array]:
        """Pull the cotangent of the output(s) back to a gradient for every differentiable leaf."""

    def jvp(self, saved: Saved, tangents: Mapping[str, Array], /) -> Outputs:
        """Push a tangent of every differentiable leaf forward to one of the output(s); optional."""
        raise NotImplementedError(f"{self.name} has no jvp")

    def double_backward(self, saved: Saved, cotangent: Any, gradients: Mapping[str, Array], /) -> Mapping[str, Array]:
        """Pull cotangents of the gradients back to every leaf and to the cotangent of the output(s); optional.

        The gradient for the cotangent of an output ``a`` is named ``a_bar``.
        """
        raise NotImplementedError(f"{self.name} has no double_backward")

    def forward_batch(self, leaves: Leaves, leaf: str, values: Array, /) -> Outputs:
        """Compute the output(s) for many values of one leaf at once; optional.

        Arguments:
            leaves: the value of every leaf.
            leaf, values: the leaf that has many of them instead, and these (values, *shape of the leaf).

        Returns what ``forward`` returns first, each output with that additional first axis. What it computes is
        compared with ``forward`` before it is used.
        """
        raise NotImplementedError(f"{self.name} has no forward_batch")

    def backward_batch(self, saved: Saved, cotangents: Any, /) -> Mapping[str, Array]:
        """Pull many cotangents back at once; optional. They, and all gradients, have an additional first axis."""
        raise NotImplementedError(f"{self.name} has no backward_batch")

    def jvp_batch(self, saved: Saved, tangents: Mapping[str, Array], /) -> Outputs:
        """Push many tangents forward at once; optional. They, and all outputs, have an additional first axis."""
        raise NotImplementedError(f"{self.name} has no jvp_batch")

    @property
    def has_jvp_batch(self) -> bool:
        """Whether many tangents may be pushed forward at once."""
        return type(self).jvp_batch is not Module.jvp_batch

    @property
    def has_forward_batch(self) -> bool:
        """Whether many forwards may be had at once."""
        return type(self).forward_batch is not Module.forward_batch

    @property
    def has_backward_batch(self) -> bool:
        """Whether many backwards may be had at once."""
        return type(self).backward_batch is not Module.backward_batch

    @property
    def has_jvp(self) -> bool:
        """Whether there is a ``jvp`` to verify."""
        return type(self).jvp is not Module.jvp

    @property
    def has_double_backward(self) -> bool:
        """Whether there is a ``double_backward`` to verify."""
        return type(self).double_backward is not Module.double_backward


def signature_of(function: Callable[..., Any]) -> Signature | None:
    """The signature of a function; None for one that is not written in Python, such as a ufunc."""
    try:
        return signature(function)
    except (TypeError, ValueError):
        return None


def _fields_suffix(module: Module) -> str:
    if not is_dataclass(module):
        return ""
    # By repr, since fields may be arrays, which compare to arrays.
    texts = {f.name: repr(getattr(module, f.name)) for f in fields(module) if f.repr}
    defaults = {f.name: repr(f.default) for f in fields(module)}
    shown = [f"{name}={_short(text)}" for name, text in texts.items() if text != defaults[name]]
    return f"({', '.join(shown)})" if shown else ""


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_FIELD else f"{text[:_LONGEST_FIELD]}…"

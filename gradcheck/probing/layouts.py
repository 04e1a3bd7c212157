"""Layouts: equal values give equal results, however they lie in memory."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from gradcheck.calculus.calls import Forward
from gradcheck.checking.check import Check
from gradcheck.checking.evaluation import Evaluation
from gradcheck.probing.answers import Answer, answer_of, difference, incomparable, judged, rounding_beside
from gradcheck.values.aliases import Array
from gradcheck.values.errors import ModuleError
from gradcheck.values.results import CheckResult


def _every_other(array: Array) -> Array:
    spaced = np.full((*array.shape[:-1], 2 * array.shape[-1]), _filler(array), array.dtype)
    spaced[..., ::2] = array
    return spaced[..., ::2]


def _window(array: Array) -> Array:
    """A part in the middle of a larger array, so that what reads past an end reads something wrong."""
    larger = np.full([size + 2 for size in array.shape], _filler(array), array.dtype)
    inner = larger[tuple(slice(1, -1) for _ in array.shape)]
    inner[...] = array
    return inner


def _backwards(array: Array) -> Array:
    everything = (slice(None, None, -1),) * array.ndim
    return array[everything].copy()[everything]


def _transposed(array: Array) -> Array:
    """Fortran order; of a vector the column of a matrix in it."""
    return np.asfortranarray(array) if array.ndim > 1 else np.asfortranarray(np.stack([array, array], axis=1).T)[0]


def _read_only(array: Array) -> Array:
    copy = array.copy()
    copy.flags.writeable = False
    return copy


def _foreign(array: Array) -> Array:
    return array.astype(array.dtype.newbyteorder())


def _filler(array: Array) -> float | int | bool:
    return np.nan if array.dtype.kind in "fc" else array.reshape(-1)[0].item()


# An answer whose rounding is so large a part of it says nothing.
_LOST = 1e-3


@dataclass(frozen=True)
class _Layout:
    """A way in which the same values can lie in memory.

    Arguments:
        make: a copy of an array in this layout.
        suits: for how many axes it means something.
        refusable: whether refusing it is as good as taking it: numpy itself allows it, many libraries do not.
    """

    name: str
    make: Callable[[Array], Array]
    suits: Callable[[int], bool] = lambda axes: axes > 0
    refusable: bool = False


_LAYOUTS = (
    _Layout("non-contiguous", _every_other),
    _Layout("Fortran order", _transposed),
    _Layout("negative strides", _backwards),
    _Layout("a window in a larger buffer", _window),
    _Layout("a numpy scalar", lambda array: array[()], suits=lambda axes: axes == 0),
    _Layout("write protection", _read_only, suits=lambda axes: True),
    _Layout("non-native byte order", _foreign, suits=lambda axes: True, refusable=True),
)


def check_layouts(evaluation: Evaluation) -> CheckResult:
    """Give inputs, and then cotangents, in other layouts, and compare with the answer to plain ones."""
    if noise := incomparable("layouts", evaluation):
        return noise
    forward = evaluation.forward
    cotangent = forward.structured(evaluation.cotangent)
    plain = _Given(evaluation, forward, evaluation.case.leaves, cotangent)
    found = [*_of_inputs(plain), *_of_cotangents(plain), *_of_broadcast(plain)]
    refused = dict.fromkeys(one.layout for one in found if one.accepted)
    passed = f"the same answer for inputs and cotangents in {len(_LAYOUTS)} layouts, broadcast ones among them"
    passed += f"; refuses {', '.join(refused)}" if refused else ""
    return judged("layouts", [one.text for one in found if not one.accepted], passed)


@dataclass(frozen=True)
class _Found:
    """That the answer to a layout is another one, or that the layout is refused, which may be accepted."""

    layout: str
    text: str
    accepted: bool = False


@dataclass(frozen=True)
class _Given:
    """What was given in plain layout, to be varied."""

    evaluation: Evaluation
    forward: Forward
    leaves: Mapping[str, Array]
    cotangent: Mapping[str, Array]

    def answer(self, leaves: Mapping[str, Array], cotangent: Mapping[str, Array]) -> Answer:
        structured = self.forward.as_returned(cotangent)
        return answer_of(self.evaluation.module, leaves, structured, self.evaluation.settings.seed)

    def differs(
        self,
        what: str,
        layout: str,
        leaves: Mapping[str, Array] | None = None,
        cotangent: Mapping[str, Array] | None = None,
        *,
        refusable: bool = False,
        invented: bool = False,
    ) -> _Found | None:
        """What is found if the answer is another one than to the same values in plain layout.

        Arguments:
            invented: whether the values are none that were given.
        """
        given, pulled = leaves or self.leaves, cotangent or self.cotangent
        try:
            plain = self.answer(_plain(given), _plain(pulled))
        except ModuleError:
            return None  # it is the values that it refuses, such as a matrix of equal rows
        try:
            answer, threshold = self.answer(given, pulled), self.evaluation.settings.threshold
            found = difference(plain, answer, threshold)
            rounding = self._rounding(given, pulled) if found else {}
            found = difference(plain, answer, threshold, rounding) if found else ""
        except ModuleError as error:
            return _Found(layout, f"{what} {layout}: {error}", accepted=refusable)
        # Nothing is left of an answer there but rounding: the matrix of equal rows is singular.
        if found and invented and any(_is_lost(value, rounding[name]) for name, value in plain.arrays.items()):
            return None
        return _Found(layout, f"{what} {layout}: {found}") if found else None

    def _rounding(self, leaves: Mapping[str, Array], cotangent: Mapping[str, Array]) -> dict[str, float]:
        """Sums over another layout go in another order: what that may change."""
        pulled, case = _plain(cotangent), replace(self.evaluation.case, leaves=_plain(leaves))
        return rounding_beside(replace(self.evaluation, case=case), lambda near: self.answer(near, pulled))


def _is_lost(values: Array, rounding: float) -> bool:
    return not np.all(np.isfinite(values)) or rounding > _LOST * float(np.max(np.abs(values), initial=0.0))


def _plain(arrays: Mapping[str, Array]) -> dict[str, Array]:
    return {name: np.array(value, dtype=value.dtype.newbyteorder("="), order="C") for name, value in arrays.items()}


def _laid_out(arrays: Mapping[str, Array], layout: _Layout) -> dict[str, Array]:
    return {
        name: layout.make(value) if value.size and layout.suits(value.ndim) else value.copy()
        for name, value in arrays.items()
    }


def _of_inputs(plain: _Given) -> Iterator[_Found]:
    """What is found with leaves in another layout, with the leaf named that is enough to see it."""
    for layout in _LAYOUTS:
        laid_out = _laid_out(plain.leaves, layout)
        found = plain.differs("leaves with", layout.name, laid_out, refusable=layout.refusable)
        if found is not None and not found.accepted:
            alone = (
                plain.differs(f"{name} with", layout.name, {**plain.leaves, name: value})
                for name, value in laid_out.items()
            )
            found = next((one for one in alone if one), found)
        if found is not None:
            yield found


def _of_cotangents(plain: _Given) -> Iterator[_Found]:
    for layout in _LAYOUTS:
        laid_out = _laid_out(plain.cotangent, layout)
        if found := plain.differs("a cotangent with", layout.name, cotangent=laid_out, refusable=layout.refusable):
            yield found


def _of_broadcast(plain: _Given) -> Iterator[_Found]:
    """Strides of 0: a cotangent of ones, which `a.sum()` sends, and inputs that repeat one entry along an axis."""
    ones = {name: np.broadcast_to(value.dtype.type(1), value.shape) for name, value in plain.cotangent.items()}
    if found := plain.differs("a cotangent with", "strides of 0, as the backward of a sum sends", cotangent=ones):
        yield found
    for name in plain.evaluation.differentiable:
        value = plain.leaves[name]
        if value.ndim and value.size:
            repeated = {**plain.leaves, name: np.broadcast_to(value[:1], value.shape)}
            if found := plain.differs(f"{name} with", "strides of 0 along its first axis", repeated, invented=True):
                yield found


LAYOUTS = Check(
    name="layouts",
    run=lambda evaluation, leaf: check_layouts(evaluation),
    probe=True,
    summary="equal values give equal results, however they lie in memory",
    what="""\
gives inputs, and then cotangents, non-contiguous, in Fortran order, with negative strides, as a window in a larger
buffer, read-only, broadcast with strides of 0 and in the other byte order, and compares outputs and gradients with
those for plain arrays. Refusing the other byte order is accepted.""",
    why="""\
checkers feed contiguous cotangents; networks do not. The backward of a sum sends strides of 0, that of a transpose or
a concatenation sends views. A kernel that reads its cotangent as if it were contiguous is right in every test and
wrong in use.""",
    bug="""\
module = gradcheck.from_functions(
    lambda x: 2 * x,
    lambda leaves, a_bar: {"x": 2 * a_bar.ravel(order="K").reshape(a_bar.shape)},
    inputs={"x": real("N D")},
)""",
    fix="call np.ascontiguousarray on what is read by position, and use the strides of what is not copied.",
)

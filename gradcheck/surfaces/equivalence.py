"""Two implementations of one module against each other at one point: outputs, Jacobians, and gradients."""

import time
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from gradcheck.adapters.given_objects import has_both_ways, module_of_object
from gradcheck.checking.agreement import USE_NAMES, A, B, Pair
from gradcheck.checking.carrying_out import guarded
from gradcheck.checking.evaluation import Evaluation
from gradcheck.checking.point import case_at
from gradcheck.running.frameworks import adapted
from gradcheck.running.registry import modules_of, source_of
from gradcheck.surfaces.options import settings_with
from gradcheck.surfaces.report import Report
from gradcheck.values.errors import PointError, TargetError, did_you_mean
from gradcheck.values.module import Module, signature_of
from gradcheck.values.results import CaseResult, Verification
from gradcheck.values.settings import Settings
from gradcheck.values.verdict import Verdict


def check_equivalent(
    a: Any,
    b: Any,
    arrays: Mapping[str, Any],
    *,
    names: Mapping[str, str] | None = None,
    threshold: float = 1e-5,
    seed: int = 0,
    memory_limit: int | str = "512MB",
) -> Report:
    """Compare two implementations of one module: outputs, the Jacobian of every leaf, gradients of a generic cotangent.

    Arguments:
        a, b: whatever ``check`` takes together with arrays: Modules, objects with ``forward`` and ``backward``, or
            objects of a framework, not necessarily of the same one.
        arrays: the value of every leaf, by the names that a has for them; for a leaf that is left out, a's own, or b's.
        names: what a calls a leaf or an output, to what b calls it, where that is not the same.
        threshold: relative difference allowed in an entry, from 1e-7 to 1e-4.
        seed, memory_limit: as for ``check``.

    Raises ConfigurationError, PointError or TargetError if the two cannot be compared; how they differ is in the
    report, and with which of them central differences agree.

    >>> import gradcheck
    >>> from gradcheck.modules import Linear
    >>> affine = gradcheck.from_functions(
    ...     lambda x, weight, bias: np.einsum("nd,dm->nm", x, weight) + bias,
    ...     lambda leaves, a_bar: {
    ...         "x": a_bar @ leaves["weight"].T, "weight": leaves["x"].T @ a_bar, "bias": a_bar.sum(axis=0)
    ...     },
    ... )
    >>> point = {"x": np.eye(2, 3), "weight": np.ones((3, 5)), "bias": np.ones(5)}
    >>> gradcheck.check_equivalent(Linear(), affine, point).verdict
    <Verdict.PASS: 'pass'>
    """
    started = time.perf_counter()
    settings = settings_with(Settings(), {"threshold": threshold, "seed": seed, "memory_limit": memory_limit})
    pair = _pair(a, b, arrays, dict(names or {}), settings)
    checks = [guarded("values", "", pair.compare_outputs)]
    if checks[0].verdict is Verdict.PASS:
        checks += [guarded("values", leaf, partial(pair.compare_leaf, leaf)) for leaf in pair.leaves]
    first, second = (evaluation.module for evaluation in (pair.first, pair.second))
    case = CaseResult(
        f"{first.name} and {second.name}",
        pair.first.case.name,
        source_of(first, ""),
        tuple(checks),
        time.perf_counter() - started,
    )
    return Report(Verification((case,), (), settings))


@dataclass(frozen=True)
class _Side:
    """One of the two as a Module, and the value of every leaf that it was given or holds, by its own names.

    Arguments:
        own: all leaves of an object of a framework as it was adapted; None where the module itself tells.
        constants: arguments that are no leaves of it, such as integers in some frameworks.
    """

    who: str
    module: Module
    leaves: Mapping[str, Any]
    own: Mapping[str, Any] | None = None
    constants: Collection[str] = ()

    def evaluation(self, leaves: Mapping[str, Any], settings: Settings) -> Evaluation:
        """The module at a point; raise PointError if that does not fit."""
        given = {leaf: value for leaf, value in leaves.items() if leaf not in self.constants}
        for leaf, value in given.items():
            self._require(leaf, np.shape(value))
        return Evaluation(*case_at(self.module, given), settings)

    def _require(self, leaf: str, shape: tuple[int, ...]) -> None:
        if self.own is None:
            return
        who = f"{self.who}, {self.module.name},"
        if leaf not in self.own:
            hint = did_you_mean(leaf, self.own)
            raise PointError(f"{who} has no leaf {leaf!r}; its leaves are {', '.join(self.own)}{hint}")
        expected = np.shape(self.own[leaf])
        if shape != expected:
            raise PointError(
                f"{who} has {leaf!r} of shape {expected}; given {shape}: if it is stored in another order, call it from"
                f" a function that takes it in this one"
            )


def _pair(a: Any, b: Any, arrays: Mapping[str, Any], names: Mapping[str, str], settings: Settings) -> Pair:
    """Both sides at one point, each with all leaves by its own names."""
    if not isinstance(arrays, Mapping):
        raise PointError(f"the point is a {type(arrays).__name__}; expected a dict {{leaf: array}} by the names of {A}")
    if len(set(names.values())) < len(names):
        raise PointError(f"names gives two things the same name in {B}: {dict(names)}; expected different ones")
    back = {theirs: ours for ours, theirs in names.items()}
    known: Mapping[str, Any] = arrays
    try:
        first, second = _side(A, a, arrays), _side(B, b, _renamed(arrays, names))
        known = leaves = {**_renamed(second.leaves, back), **first.leaves}
        return Pair(first.evaluation(leaves, settings), second.evaluation(_renamed(leaves, names), settings), names)
    except PointError as error:
        hints = (did_you_mean(name, known) for name in names if name not in known)
        raise PointError(f"{error}; {USE_NAMES}{next(filter(None, hints), '')}") from error


def _renamed(leaves: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {names.get(leaf, leaf): value for leaf, value in leaves.items()}


def _side(who: str, target: Any, arrays: Mapping[str, Any]) -> _Side:
    """One of the two, made of whatever was given for it."""
    if not isinstance(target, Module) and (found := _adapted(who, target, arrays)):
        return found
    given = _as_numpy(arrays)
    if has_both_ways(target):
        target = module_of_object(target, given)
    if not isinstance(target, (Module, type)):
        raise TargetError(
            f"{who} is a {type(target).__name__}; expected a gradcheck.Module, an object with forward and backward, or"
            f" an object of a framework: wrap a function with from_functions, or give arrays of its framework"
        )
    modules = modules_of(target)
    if len(modules) != 1:
        raise TargetError(
            f"{who} stands for {len(modules)} variants; expected one: give an instance instead of the class"
        )
    return _Side(who, modules[0], {**modules[0].defaults, **given})


def _adapted(who: str, target: Any, arrays: Mapping[str, Any]) -> _Side | None:
    """An object of a framework; None if no framework knows it.

    It may be known by its type, then numpy's arrays suit all; or as a function, by the type of the arrays.
    """
    for given in (_as_numpy(arrays), arrays):
        passed = given
        try:
            found = adapted(target, given)
        except PointError:
            # Arrays for which it has no argument are values of parameters that it holds.
            taken = _arguments(target)
            passed = {name: value for name, value in given.items() if name in taken}
            if not passed or len(passed) == len(given):
                raise
            found = adapted(target, passed)
        if found is not None:
            own = {**found.module.defaults, **found.leaves}
            rest = {name: value for name, value in given.items() if name not in passed}
            constants = [name for name in passed if name not in own]
            return _Side(who, found.module, {**own, **rest}, own, constants)
    return None


def _as_numpy(arrays: Mapping[str, Any]) -> dict[str, Any]:
    """The arrays for numpy; what it can make none of, such as a tree of arrays, as it is."""
    converted = dict(arrays)
    for name, value in arrays.items():
        if hasattr(value, "__array__"):
            with suppress(Exception):  # a tensor that is on another device, or that has a history
                converted[name] = np.asarray(value)
    return converted


def _arguments(target: Any) -> tuple[str, ...]:
    """What an object is called with: its forward, if it has one."""
    taken = signature_of(getattr(target, "forward", target))
    return () if taken is None else tuple(taken.parameters)

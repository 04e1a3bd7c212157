"""Serialisation: a module that was pickled, or copied, gives the same gradients."""

import copy
import pickle
from collections.abc import Callable, Iterator
from typing import Any

from gradcheck.adapters.object_module import ObjectModule
from gradcheck.calculus.calls import call_forward
from gradcheck.checking.check import Check
from gradcheck.checking.evaluation import Evaluation
from gradcheck.probing.answers import (
    Answer,
    another_point,
    answer_of,
    at_the_point,
    copies,
    difference,
    incomparable,
    judged,
    pulled_back,
)
from gradcheck.probing.objects_in_use import in_use, made_anew
from gradcheck.values.errors import ModuleError
from gradcheck.values.results import CheckResult


class _NotPossibleError(Exception):
    """Something cannot be pickled or copied, which no user can overlook."""


def check_serialisation(evaluation: Evaluation) -> CheckResult:
    """Take copies before and after forward, and compare their gradients with those of the original."""
    if noise := incomparable("serialisation", evaluation):
        return noise
    expected = _of_the_original(evaluation)
    problems: list[str] = []
    impossible: list[str] = []
    for how, duplicate in (("pickling", _pickled), ("copy.deepcopy", _copied)):
        try:
            answers = _of_object if isinstance(evaluation.module, ObjectModule) else _of_module
            for when, answer in answers(evaluation, duplicate):
                if found := difference(expected, answer, evaluation.settings.threshold):
                    problems.append(f"after {how} {when}, {found}: keep in the copy whatever backward needs")
        except _NotPossibleError as error:
            impossible.append(f"{how} is not possible ({error})")
        except ModuleError as error:
            problems.append(f"after {how}: {error}")
    passed = "the same gradients after pickling and copying"
    return judged("serialisation", problems, "; ".join([passed, *impossible]) if len(impossible) < 2 else impossible[0])


def _of_the_original(evaluation: Evaluation) -> Answer:
    """The answer at the point; of an object that was made, not copied, where one can be made."""
    module = evaluation.module
    if not isinstance(module, ObjectModule) or (made := made_anew(module)) is None:
        return at_the_point(evaluation)
    cotangent = evaluation.forward.cotangent(evaluation.cotangent)
    return answer_of(in_use(module, made), evaluation.case.leaves, cotangent, evaluation.settings.seed)


def _pickled(value: Any) -> Any:
    try:
        data = pickle.dumps(value)
    except Exception as error:
        raise _NotPossibleError(f"{type(error).__name__}: {error}") from error
    try:
        return pickle.loads(data)
    except Exception as error:
        raise ModuleError(f"unpickling raised {type(error).__name__}: {error}") from error


def _copied(value: Any) -> Any:
    try:
        return copy.deepcopy(value)
    except Exception as error:
        raise _NotPossibleError(f"{type(error).__name__}: {error}") from error


def _of_module(evaluation: Evaluation, duplicate: Callable[[Any], Any]) -> Iterator[tuple[str, Answer]]:
    leaves, seed = evaluation.case.leaves, evaluation.settings.seed
    cotangent = evaluation.forward.cotangent(evaluation.cotangent)
    module = duplicate(evaluation.module)
    yield "the module", answer_of(module, leaves, cotangent, seed)
    forward = call_forward(evaluation.module, leaves, seed)
    outputs = copies(forward.outputs)
    yield "what forward saved", Answer(outputs, pulled_back(module, duplicate(forward.saved), cotangent))


def _of_object(evaluation: Evaluation, duplicate: Callable[[Any], Any]) -> Iterator[tuple[str, Answer]]:
    module, leaves, seed = evaluation.module, evaluation.case.leaves, evaluation.settings.seed
    cotangent = evaluation.forward.cotangent(evaluation.cotangent)
    assert isinstance(module, ObjectModule)
    yield "the object", answer_of(in_use(module, duplicate(module.worker())), leaves, cotangent, seed)
    used = in_use(module)
    forward = call_forward(used, leaves, seed)
    outputs = copies(forward.outputs)
    twin = duplicate(forward.saved)
    gradients = pulled_back(in_use(module, twin), twin, cotangent)
    yield "the object between forward and backward", Answer(outputs, gradients)
    # A copy that shares a cache with the original overwrites it.
    twin = duplicate(forward.saved)
    try:
        call_forward(in_use(module, twin), another_point(evaluation), seed)
    except ModuleError:
        return  # it says that a backward has to come first
    yield "the object, and a forward of the copy", Answer(outputs, pulled_back(used, forward.saved, cotangent))


SERIALISATION = Check(
    name="serialisation",
    run=lambda evaluation, leaf: check_serialisation(evaluation),
    probe=True,
    summary="a module that was pickled or copied gives the same gradients",
    what="""\
pickles and unpickles the module and what forward saved, or an object before forward and between forward and
backward, does the same with copy.deepcopy, and compares the gradients with those of the original; and lets the copy of
an object run forward before the backward of the original. What cannot be pickled at all is only mentioned.""",
    why="""\
processes, checkpoints and clusters send modules around. A parameter or a mask that `__getstate__` leaves out, or
that two copies share, is not missed until the run on the cluster learns nothing.""",
    bug="""\
class Scale:
    slope = 1.0

    def __init__(self):
        self.slope = 3.0

    def __getstate__(self):
        return {}

    def forward(self, x):
        return self.slope * x

    def backward(self, da):
        return self.slope * da


module = gradcheck.from_object(Scale, inputs={"x": real("N")}, outputs={"a": "N"})""",
    fix="let pickle and copy take the whole `__dict__`, or restore in `__setstate__` what `__getstate__` leaves out.",
)

"""State: the answer depends on this forward and this backward, and on nothing that was called before."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from gradcheck.adapters.object_module import ObjectModule
from gradcheck.calculus.calls import Forward, call_forward
from gradcheck.checking.check import Check
from gradcheck.checking.evaluation import Evaluation
from gradcheck.probing.accumulation import accumulation
from gradcheck.probing.answers import (
    Answer,
    another_point,
    answer_of,
    copies,
    difference,
    generic_cotangent,
    incomparable,
    judged,
    pulled_back,
)
from gradcheck.probing.objects_in_use import ObjectInUse, as_used, in_use, made_anew
from gradcheck.values.aliases import Leaves
from gradcheck.values.errors import GradcheckError, ModuleError
from gradcheck.values.module import Module
from gradcheck.values.results import CheckResult


def check_state(evaluation: Evaluation) -> CheckResult:
    """Call one object, or one module, in the orders in which programs do, and compare with a fresh one each time."""
    if noise := incomparable("state", evaluation):
        return noise
    problems: list[str] = []
    module = evaluation.module
    histories = _OF_OBJECTS if isinstance(module, ObjectModule) else _OF_MODULES
    for when, history in histories.items():
        try:
            found = history(evaluation)
        except GradcheckError as error:
            found = str(error)
        problems += [f"{when}, {found}"] if found else []
    if isinstance(module, ObjectModule):
        problems += accumulation(evaluation, module)
    passed = f"the same answers as a fresh one after {len(histories)} histories of calls"
    return judged("state", problems, passed)


@dataclass(frozen=True)
class _Expected:
    """A point, a cotangent for its output, and what a module that was never called before answers to them."""

    leaves: Leaves
    cotangent: Any
    answer: Answer


def _expected(evaluation: Evaluation, leaves: Leaves) -> _Expected:
    # Found out before a history begins: a cache that instances share would be put right by it.
    module, seed = evaluation.module, evaluation.settings.seed
    forward = call_forward(module, leaves, seed)
    cotangent = forward.as_returned(generic_cotangent(forward))
    return _Expected(leaves, cotangent, answer_of(module, leaves, cotangent, seed))


class _Session:
    """One module, or one object in use, that is called several times."""

    def __init__(self, evaluation: Evaluation, module: Module | None = None) -> None:
        self.module = as_used(evaluation.module) if module is None else module
        self.settings = evaluation.settings

    def forward(self, point: _Expected) -> Forward:
        """Run forward; the outputs are copies."""
        if isinstance(self.module, ObjectInUse):
            self.module.rewind()
        forward = call_forward(self.module, point.leaves, self.settings.seed)
        return replace(forward, outputs=copies(forward.outputs))

    def backward(self, point: _Expected, forward: Forward) -> Answer:
        """Run the backward of a forward, and give both as an answer."""
        return Answer(forward.outputs, pulled_back(self.module, forward.saved, point.cotangent))

    def run(self, point: _Expected) -> Answer:
        """Run forward and backward."""
        return self.backward(point, self.forward(point))

    def compared(self, point: _Expected, given: Answer, *, sums: bool = False) -> str:
        """One clause if an answer is not the expected one; without gradients that an object may be adding up."""
        own = self.module.parameters if isinstance(self.module, ObjectModule) and not sums else ()
        expected, found = (
            Answer(answer.outputs, {k: v for k, v in answer.gradients.items() if k not in own})
            for answer in (point.answer, given)
        )
        return difference(expected, found, self.settings.threshold)


def _here_and_elsewhere(evaluation: Evaluation, *, same_parameters: bool = False) -> tuple[_Expected, _Expected]:
    here, elsewhere = evaluation.case.leaves, dict(another_point(evaluation))
    if same_parameters:
        elsewhere.update({name: here[name] for name in evaluation.module.parameters})
    return _expected(evaluation, here), _expected(evaluation, elsewhere)


def _two_forwards(evaluation: Evaluation) -> str:
    (here, elsewhere), session = _here_and_elsewhere(evaluation), _Session(evaluation)
    session.forward(elsewhere)
    try:
        given = session.run(here)
    except ModuleError:
        return ""  # it says that a backward has to come first, which is as good
    return session.compared(here, given)


def _backward_of_the_first(evaluation: Evaluation) -> str:
    if isinstance(evaluation.module, ObjectModule) and not evaluation.module.stacked:
        return ""
    # An object has one set of parameters, which its backward may read again.
    (here, elsewhere), session = _here_and_elsewhere(evaluation, same_parameters=True), _Session(evaluation)
    first = session.forward(here)
    session.run(elsewhere)
    given = session.backward(here, first)
    if not isinstance(evaluation.module, ObjectModule):
        return session.compared(here, given)
    # An object may have added the gradients of its parameters up, or not.
    both = replace(here, answer=_with_sums(evaluation.module, here.answer, elsewhere.answer))
    return session.compared(here, given, sums=True) and session.compared(both, given, sums=True)


def _with_sums(module: Module, one: Answer, other: Answer) -> Answer:
    added = {leaf: one.gradients[leaf] + other.gradients[leaf] for leaf in module.parameters if leaf in one.gradients}
    return Answer(one.outputs, {**one.gradients, **added})


def _backward_twice(evaluation: Evaluation) -> str:
    here, session = _expected(evaluation, evaluation.case.leaves), _Session(evaluation)
    forward = session.forward(here)
    session.backward(here, forward)
    try:
        again = session.backward(here, forward)
    except ModuleError:
        return ""  # it says that it cannot, which is as good
    return session.compared(here, again)


def _after_a_round(evaluation: Evaluation) -> str:
    (here, elsewhere), session = _here_and_elsewhere(evaluation), _Session(evaluation)
    session.run(elsewhere)
    return session.compared(here, session.run(here))


def _other_batches(evaluation: Evaluation) -> str:
    smaller = _smaller(evaluation)
    if smaller is None:
        return ""
    large, small = _expected(evaluation, evaluation.case.leaves), _expected(evaluation, smaller)
    session = _Session(evaluation)
    session.run(large)
    return session.compared(small, session.run(small)) or session.compared(large, session.run(large))


def _smaller(evaluation: Evaluation) -> Leaves | None:
    """The leaves with the last sample left out; None if no axis is known to be the batch."""
    module, leaves = evaluation.module, evaluation.case.leaves
    batch = next((leaf.dimensions.axes[0] for leaf in module.inputs.values() if leaf.dimensions.axes), "")
    batched = [name for name, leaf in module.inputs.items() if leaf.dimensions.axes[:1] == (batch,)]
    made_for = isinstance(module, ObjectModule) and batch.lstrip("*") in module.sizes_of_construction
    axes = [axis for leaf in module.leaves.values() for axis in leaf.dimensions.axes]
    if not batch or batch.isdigit() or made_for or axes.count(batch) > len(batched):
        return None
    # A starred symbol may stand for no axis at all.
    there = all(leaves[name].ndim >= len(module.inputs[name].dimensions.axes) for name in batched)
    if not there or any(len(leaves[name]) < 2 for name in batched):
        return None
    return {name: value[:-1].copy() if name in batched else value for name, value in leaves.items()}


def _two_instances(evaluation: Evaluation) -> str:
    module = evaluation.module
    assert isinstance(module, ObjectModule)
    here, elsewhere = _here_and_elsewhere(evaluation)
    made = [made_anew(module) for _ in range(2)]
    if made[0] is None:
        return ""
    one, other = (_Session(evaluation, in_use(module, instance)) for instance in made)
    forward = one.forward(here)
    other.run(elsewhere)
    # Gradients of parameters are compared too: nothing else has been added to them.
    return one.compared(here, one.backward(here, forward), sums=True)


def _train_and_eval(evaluation: Evaluation) -> str:
    (here, elsewhere), session = _here_and_elsewhere(evaluation), _Session(evaluation)
    assert isinstance(session.module, ObjectInUse)
    worker = session.module.object
    if not callable(getattr(worker, "train", None)) or not callable(getattr(worker, "eval", None)):
        return ""
    training = bool(getattr(worker, "training", True))
    switch, back = (worker.eval, worker.train) if training else (worker.train, worker.eval)
    switch()
    if training:  # a forward in training changes the statistics that evaluation uses
        session.run(elsewhere)
    back()
    return session.compared(here, session.run(here))


_History = Callable[[Evaluation], str]
_OF_MODULES: Mapping[str, _History] = {
    "after a forward at another point": _two_forwards,
    "for the first of two forwards": _backward_of_the_first,
    "when backward is called twice": _backward_twice,
    "for batches of other sizes, larger and smaller in turn": _other_batches,
}
_OF_OBJECTS: Mapping[str, _History] = {
    **_OF_MODULES,
    "after a forward and a backward at another point": _after_a_round,
    "with another instance in between": _two_instances,
    "after switching between train() and eval() and back": _train_and_eval,
}


STATE = Check(
    name="state",
    run=lambda evaluation, leaf: check_state(evaluation),
    probe=True,
    summary="earlier calls, other batches and other instances do not change the answer",
    what="""\
compares with a fresh module: after a forward at another point and with other parameters, for the first of two forwards
(where that is promised), after a batch of another size, with two instances in turn, when backward is called twice,
after train() and eval(); and follows the gradients of an object over four rounds: always overwritten, or always
added.""",
    why="""\
what is kept between calls is right for as long as the calls come in the order of the test. With shared weights, a
last batch that is smaller, or a validation in between, they do not.""",
    bug="""\
class Scale:
    cached = None

    def forward(self, x):
        if self.cached is None:
            self.cached = x
        return x**2

    def backward(self, da):
        return 2 * self.cached * da


module = gradcheck.from_object(Scale, inputs={"x": real("N")}, outputs={"a": "N"})""",
    fix="store what backward needs anew in every forward, on the object itself, and add to `grads` always or never.",
)

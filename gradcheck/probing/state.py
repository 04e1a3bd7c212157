"""State: the answer depends on this forward and this backward, and on nothing that was called before."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from gradcheck.adapters.object_module import ObjectModule
from gradcheck.calculus.calls import call_backward_with, call_forward
from gradcheck.checking.check import Check
from gradcheck.checking.evaluation import Evaluation
from gradcheck.probing.accumulation import accumulation
from gradcheck.probing.answers import Answer, another_point, answer_of, difference, judged, pulled_back
from gradcheck.probing.objects_in_use import ObjectInUse, as_used, in_use
from gradcheck.values.aliases import Leaves
from gradcheck.values.errors import ModuleError
from gradcheck.values.module import Module
from gradcheck.values.results import CheckResult


def check_state(evaluation: Evaluation) -> CheckResult:
    """Call one object, or one module, in the orders in which programs do, and compare with a fresh one each time."""
    problems: list[str] = []
    module = evaluation.module
    histories = _OF_OBJECTS if isinstance(module, ObjectModule) else _OF_MODULES
    for history in histories:
        try:
            found = history(evaluation)
        except ModuleError as error:
            found = f"{(history.__doc__ or '').rstrip('.').lower()}: {error}"
        problems += [found] if found else []
    if isinstance(module, ObjectModule):
        problems += accumulation(evaluation, module)
    passed = f"the same answers as a fresh one after {len(histories)} histories of calls"
    return judged("state", problems, passed)


class _Session:
    """One module, or one object in use, and what a fresh one would answer."""

    def __init__(self, evaluation: Evaluation, module: Module | None = None) -> None:
        self.evaluation = evaluation
        self.module = as_used(evaluation.module) if module is None else module
        self.seed = evaluation.settings.seed

    def cotangent(self, leaves: Leaves) -> Any:
        """A generic cotangent for the output at these leaves."""
        forward = call_forward(self.evaluation.module, leaves, self.seed)
        return forward.cotangent(np.resize(np.linspace(-1.5, 2.0, 7), forward.layout.size))

    def forward(self, leaves: Leaves) -> Any:
        if isinstance(self.module, ObjectInUse):
            self.module.rewind()
        return call_forward(self.module, leaves, self.seed)

    def fresh(self, leaves: Leaves) -> Answer:
        """The answer of a module that was never called before."""
        return answer_of(self.evaluation.module, leaves, self.cotangent(leaves), self.seed)

    def differs(self, leaves: Leaves, after: str) -> str:
        """Run forward and backward now; one sentence if a fresh module answers something else."""
        forward = self.forward(leaves)
        outputs = {name: value.copy() for name, value in forward.outputs.items()}
        gradients = pulled_back(self.module, forward.saved, self.cotangent(leaves))
        return self.compared(self.fresh(leaves), Answer(outputs, gradients), after)

    def compared(self, expected: Answer, given: Answer, after: str) -> str:
        found = difference(self._without_sums(expected), self._without_sums(given), self.evaluation.settings.threshold)
        return f"{after}, {found}" if found else ""

    def _without_sums(self, answer: Answer) -> Answer:
        """Without gradients that an object may be adding up; the probe looks at those by themselves."""
        own = self.module.parameters if isinstance(self.module, ObjectModule) else ()
        return Answer(answer.outputs, {k: v for k, v in answer.gradients.items() if k not in own})


def _two_forwards(evaluation: Evaluation) -> str:
    """After a forward at another point."""
    session = _Session(evaluation)
    session.forward(another_point(evaluation))
    return session.differs(evaluation.case.leaves, "after a forward at another point")


def _backward_of_the_first(evaluation: Evaluation) -> str:
    """For the first of two forwards."""
    if isinstance(evaluation.module, ObjectModule) and not evaluation.module.stacked:
        return ""
    session, first, second = _Session(evaluation), evaluation.case.leaves, another_point(evaluation)
    one = session.forward(first)
    outputs = {name: value.copy() for name, value in one.outputs.items()}
    other = session.forward(second)
    pulled_back(session.module, other.saved, session.cotangent(second))
    gradients = pulled_back(session.module, one.saved, session.cotangent(first))
    return session.compared(session.fresh(first), Answer(outputs, gradients), "for the first of two forwards")


def _backward_twice(evaluation: Evaluation) -> str:
    """When backward is called twice."""
    session, leaves = _Session(evaluation), evaluation.case.leaves
    forward, cotangent = session.forward(leaves), session.cotangent(leaves)
    outputs = {name: value.copy() for name, value in forward.outputs.items()}
    pulled_back(session.module, forward.saved, cotangent)
    try:
        gradients = pulled_back(session.module, forward.saved, cotangent)
    except ModuleError:
        return ""  # it says that it cannot, which is as good
    return session.compared(session.fresh(leaves), Answer(outputs, gradients), "when backward is called twice")


def _other_batches(evaluation: Evaluation) -> str:
    """After a batch of another size."""
    smaller = _smaller(evaluation)
    if smaller is None:
        return ""
    session, leaves = _Session(evaluation), evaluation.case.leaves
    session.forward(leaves)
    found = session.differs(smaller, "for a smaller batch after a larger one")
    return found or session.differs(leaves, "for a larger batch after a smaller one")


def _smaller(evaluation: Evaluation) -> Leaves | None:
    """The leaves with the last sample left out; None if no axis is known to be the batch."""
    module, leaves = evaluation.module, evaluation.case.leaves
    batch = next((leaf.dimensions.axes[0] for leaf in module.inputs.values() if leaf.dimensions.axes), "")
    batched = [name for name, leaf in module.inputs.items() if leaf.dimensions.axes[:1] == (batch,)]
    made_for = isinstance(module, ObjectModule) and batch.lstrip("*") in module.sizes_of_construction
    axes = [axis for leaf in module.leaves.values() for axis in leaf.dimensions.axes]
    if not batch or batch.isdigit() or made_for or axes.count(batch) > len(batched):
        return None
    if any(leaves[name].ndim == 0 or len(leaves[name]) < 2 for name in batched):
        return None
    return {name: value[:-1].copy() if name in batched else value for name, value in leaves.items()}


def _two_instances(evaluation: Evaluation) -> str:
    """With two instances in turn."""
    module, first, second = evaluation.module, evaluation.case.leaves, another_point(evaluation)
    assert isinstance(module, ObjectModule)
    made = [replace(module).prototype for _ in range(2)]
    if made[0] is made[1]:
        return ""  # a function that gives out one and the same object
    one, other = (_Session(evaluation, in_use(module, instance)) for instance in made)
    forward = one.forward(first)
    outputs = {name: value.copy() for name, value in forward.outputs.items()}
    call_backward_with(other.module, other.forward(second).saved, other.cotangent(second))
    gradients = pulled_back(one.module, forward.saved, one.cotangent(first))
    # Gradients of parameters are in full here: nothing else has been added to them.
    found = difference(one.fresh(first), Answer(outputs, gradients), evaluation.settings.threshold)
    return f"with two instances in turn, the first one's {found}" if found else ""


def _after_a_round(evaluation: Evaluation) -> str:
    """After a forward and a backward at another point."""
    session, other = _Session(evaluation), another_point(evaluation)
    call_backward_with(session.module, session.forward(other).saved, session.cotangent(other))
    return session.differs(evaluation.case.leaves, "after a forward and a backward at another point")


def _train_and_eval(evaluation: Evaluation) -> str:
    """After switching between train() and eval()."""
    session = _Session(evaluation)
    assert isinstance(session.module, ObjectInUse)
    worker = session.module.object
    if not callable(getattr(worker, "train", None)) or not callable(getattr(worker, "eval", None)):
        return ""
    training = bool(getattr(worker, "training", True))
    switch, back = (worker.eval, worker.train) if training else (worker.train, worker.eval)
    switch()
    if training:  # a forward in training changes the statistics that evaluation uses
        session.forward(another_point(evaluation))
    back()
    return session.differs(evaluation.case.leaves, "after switching between train() and eval() and back")


_History = Callable[[Evaluation], str]
_OF_MODULES: tuple[_History, ...] = (_two_forwards, _backward_of_the_first, _backward_twice, _other_batches)
_OF_OBJECTS: tuple[_History, ...] = (*_OF_MODULES, _after_a_round, _two_instances, _train_and_eval)


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

"""Whether an object overwrites the gradients of its parameters or adds to them, and whether it always does."""

from collections.abc import Iterator

import numpy as np

from gradcheck.adapters.object_module import ObjectModule
from gradcheck.calculus.calls import call_forward
from gradcheck.checking.evaluation import Evaluation
from gradcheck.checking.generic_points import generic_points
from gradcheck.probing.answers import differing, generic_cotangent, pulled_back
from gradcheck.probing.objects_in_use import in_use
from gradcheck.values.aliases import Array, Leaves

_ROUNDS = 4
_NAMES = {True: "added", False: "overwritten"}


def accumulation(evaluation: Evaluation, module: ObjectModule) -> Iterator[str]:
    """Problems with the gradients of an object over several rounds of forward and backward."""
    if not module.storage.slots:
        return
    given, alone = _rounds(evaluation, module)
    threshold = evaluation.settings.threshold
    found: dict[str, bool] = {}
    for leaf in (leaf for leaf in module.storage.slots if all(leaf in answers for answers in (*given, *alone))):
        kinds: dict[bool, list[Array]] = {
            True: [np.sum([answers[leaf] for answers in alone[: k + 1]], axis=0) for k in range(_ROUNDS)],
            False: [answers[leaf] for answers in alone],
        }
        rounds = [answers[leaf] for answers in given]
        fits = {adds: _first_misfit(leaf, expected, rounds, threshold) for adds, expected in kinds.items()}
        if _first_misfit(leaf, kinds[True], kinds[False], threshold) is None:
            continue  # it is zero throughout: both are the same
        if all(misfit is not None for misfit in fits.values()):
            first = max(misfit for misfit in fits.values() if misfit is not None)
            yield (
                f"after {first + 1} rounds of forward and backward the gradient of {leaf} is neither that of the last"
                f" round nor the sum of all: add to it always, or overwrite it always"
            )
        else:
            found[leaf] = fits[True] is None
    yield from _declared(module, found)


def _declared(module: ObjectModule, found: dict[str, bool]) -> Iterator[str]:
    adding, overwriting = ([leaf for leaf, adds in found.items() if adds is kind] for kind in (True, False))
    if module.accumulates is None and adding and overwriting:
        yield f"the gradient of {adding[0]} is added to, that of {overwriting[0]} is overwritten: do the same for all"
    for leaf, adds in found.items():
        if module.accumulates is not None and adds is not module.accumulates:
            declared = f"accumulates={module.accumulates}"
            yield f"{declared} is declared, but the gradient of {leaf} is {_NAMES[adds]}, not {_NAMES[not adds]}"


def _rounds(evaluation: Evaluation, module: ObjectModule) -> tuple[list[dict[str, Array]], list[dict[str, Array]]]:
    """The gradients after every round on one object, and those of every round by itself."""
    used = in_use(module)
    given: list[dict[str, Array]] = []
    alone: list[dict[str, Array]] = []
    for number in range(_ROUNDS):
        leaves = _leaves(evaluation, number)
        fresh = call_forward(module, leaves, evaluation.settings.seed)
        cotangent = fresh.as_returned(generic_cotangent(fresh, largest=2.0 + number))
        alone.append(pulled_back(module, fresh.saved, cotangent))
        used.rewind()
        forward = call_forward(used, leaves, evaluation.settings.seed)
        given.append(pulled_back(used, forward.saved, cotangent))
    return given, alone


def _leaves(evaluation: Evaluation, number: int) -> Leaves:
    """Inputs of a round; the parameters stay as they are."""
    leaves, parameters = evaluation.case.leaves, evaluation.module.parameters
    if number == 0 or not generic_points(evaluation):
        return leaves
    other = generic_points(evaluation)[(number - 1) % len(generic_points(evaluation))].case.leaves
    return {name: value if name in parameters else other[name] for name, value in leaves.items()}


def _first_misfit(leaf: str, expected: list[Array], given: list[Array], threshold: float) -> int | None:
    """The number of the first round whose gradient is not the expected one."""
    for number, (one, other) in enumerate(zip(expected, given, strict=True)):
        if differing({leaf: np.asarray(one)}, {leaf: np.asarray(other)}, threshold, {}):
            return number
    return None

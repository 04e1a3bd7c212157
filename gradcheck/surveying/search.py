"""Search: Hypothesis makes up calls until one is wrong, and shrinks that to the smallest wrong one."""

import re
from typing import TYPE_CHECKING

import numpy as np

from gradcheck.checking.check import Check
from gradcheck.checking.evaluation import Evaluation
from gradcheck.values.results import CheckResult
from gradcheck.values.verdict import Verdict

if TYPE_CHECKING:
    from gradcheck.surveying.judging import Tally, WrongCall

_ROUNDS = 4
_REPLAY = re.compile(r"@reproduce_failure\(.*\)")


def check_by_search(evaluation: Evaluation) -> CheckResult:
    """Search for a call at which backward is wrong.

    FAIL or ERROR: the smallest wrong call, with the numbers of the check that saw it. INCONCLUSIVE: nothing could be
    called, or the module answers the same call differently.
    """
    # Loading Hypothesis takes longer than verifying a module, and without a search it is not needed.
    from hypothesis.errors import Flaky, Unsatisfiable

    from gradcheck.surveying.judging import Tally, WrongCall
    from gradcheck.surveying.properties import property_of

    module, tally = evaluation.module, Tally()
    try:
        property_of(module, evaluation.settings, tally)()
    except WrongCall as found:
        return _wrong(_smallest(found, evaluation))
    except Unsatisfiable:
        return _nothing(tally)
    except Flaky as error:
        return CheckResult(
            "search",
            Verdict.INCONCLUSIVE,
            f"the same call was wrong once and right another time, so that nothing can be searched for: {error}",
        )
    if not tally.told:
        return _nothing(tally)
    return CheckResult("search", Verdict.PASS, _covered(tally), notes=tally.notes())


def _nothing(tally: "Tally") -> CheckResult:
    """That nothing was learned from any call: forward has no value, or no entries, or cannot be measured."""
    text = "; ".join(tally.notes()) + ": declare the sizes and the domain that forward takes"
    return CheckResult("search", Verdict.INCONCLUSIVE, text)


def _smallest(found: "WrongCall", evaluation: Evaluation) -> "WrongCall":
    """A wrong call such that another search finds none of smaller dimensions.

    Hypothesis shrinks by small changes, and may end where a smaller call would need several at once.
    """
    from hypothesis.errors import Flaky, Unsatisfiable

    from gradcheck.surveying.judging import Tally, WrongCall
    from gradcheck.surveying.properties import property_of

    for _ in range(_ROUNDS):
        if not any(np.max(size, initial=0) > 1 for size in found.sizes.values()):
            break
        try:
            property_of(evaluation.module, evaluation.settings, Tally(), below=found.sizes)()
        except WrongCall as smaller:
            found = smaller
        except (Unsatisfiable, Flaky):
            break
        else:
            break
    return found


def _wrong(found: "WrongCall") -> CheckResult:
    replay = next((match[0] for note in getattr(found, "__notes__", ()) if (match := _REPLAY.search(note))), "")
    seen = found.result
    return CheckResult(
        "search",
        seen.verdict,
        f"the smallest wrong call is at {found.place}, where {seen.label} says: {seen.message}",
        detail=seen.detail,
        evidence=seen.evidence,
        diagnoses=seen.diagnoses,
        call=dict(found.call.arrays),
        replay=replay,
    )


def _covered(tally: "Tally") -> str:
    return (
        f"backward is right at {tally.judged} calls: {tally.single} with an axis of size 1, {tally.empty} with one of"
        f" size 0, {tally.laid_out} with leaves that are not in C order"
    )


SEARCH = Check(
    name="search",
    run=lambda evaluation, leaf: check_by_search(evaluation),
    applies=lambda module, is_example: bool(module.inputs),
    survey=True,
    summary="backward is right at every call that Hypothesis makes up",
    what="""\
makes up calls from the declarations, with small dimensions (1 and 0 among them), special values (0, ±1, ties, tiny,
huge, beside kinks and edges), labels, masks and memory layouts; carries out `dimensions` and `gradient` at each, looks
where the gap is largest, and shrinks a wrong call to the smallest dimensions and the simplest numbers. It is carried
out on request, once a module: `--also search`, `--gradcheck-hypothesis` in pytest. `examples` says how many calls.""",
    why="""\
the drawn cases have generic values and prime sizes. A backward may be right there and wrong where a batch has one
sample, two entries are equal, a base is negative or an index occurs twice.""",
    bug="""\
module = gradcheck.from_functions(
    lambda x: x**3,
    lambda leaves, a_bar: {"x": np.where(leaves["x"] > 5, 5, 3 * leaves["x"] ** 2) * a_bar},
    inputs={"x": real("N")},
)""",
    fix="""\
run the reproduction that the report prints, and look at the one entry in it; waive the check with the reason if the
module is not meant for such calls, or declare the domain that it is meant for.""",
)

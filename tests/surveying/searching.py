"""Searches for all hidden bugs and prints what was found: `python -m tests.surveying.searching`.

In a process of its own: Hypothesis draws on the constants of all modules that are loaded, so that a search is the same
every time only where the same modules are.
"""

import json
from typing import Any

import hypothesis

import gradcheck
from gradcheck.values.dimensions import bind
from tests.surveying.hidden_bug import HiddenBug
from tests.surveying.hidden_bugs import HIDDEN_BUGS

SEED, BUDGET = 0, 200


def found(bug: HiddenBug) -> dict[str, Any]:
    """Verdict and message of the search, and the dimensions of the call that it shows."""
    report = gradcheck.check(bug.module, checks=["search"], seed=SEED, examples=BUDGET)
    ((result,),) = (case.checks for case in report.verification.cases)
    declared = {leaf: declaration.dimensions for leaf, declaration in bug.module.leaves.items()}
    sizes = bind(declared, {leaf: array.shape for leaf, array in result.call.items()})[0]
    return {"verdict": result.verdict.value, "message": result.message, "sizes": sizes}


if __name__ == "__main__":
    # What a run before has found would be tried first, and nothing be searched for.
    hypothesis.settings.register_profile("forgetful", database=None)
    hypothesis.settings.load_profile("forgetful")
    print(json.dumps({bug.title: found(bug) for bug in HIDDEN_BUGS}))

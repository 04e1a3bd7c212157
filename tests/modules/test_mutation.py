"""Mutation: whatever is changed in the backward of a catalogue module is caught."""

import os
from itertools import groupby

import numpy as np
import pytest

from gradcheck import Module, Verdict
from gradcheck.modules import catalogue
from gradcheck.running.plan import Item, plan
from gradcheck.running.registry import Subject, modules_of
from gradcheck.running.units import evaluation_of, run_item
from gradcheck.values.results import Source
from gradcheck.values.settings import Settings
from tests.modules.mutation import Mutation, mutations, subject

pytestmark = pytest.mark.sweep

MODULES = [module for target in catalogue() for module in modules_of(target)]
KINDS = list(dict.fromkeys(type(module) for module in MODULES))
PER_MODULE = 4
# Changes that change nothing, and why.
BATCHES_ONLY = "it spoils what is computed at once, which is then not used"
NOTHING_IS_ADDED = "no leaf and no output is used twice in a row of modules"
COTANGENTS = "{output: %s_cotangent(cotangents, Port(name, output), forms) for output in station.outputs}"
EQUIVALENT: dict[tuple[str, str], str] = {
    ("MlpConv", f"Graph.backward: {COTANGENTS % ''} → {COTANGENTS % '-'}"): "every leaf is 2, 4 or 6 nodes deep",
    ("Absolute", "Absolute.backward: a_bar * sign → a_bar / sign"): "a sign is 1 or -1",
    ("Sequential", "_add: sums[key] + value → sums[key] - value"): NOTHING_IS_ADDED,
    ("RadialBasisCascade", "_add: sums[key] + value → sums[key] - value"): NOTHING_IS_ADDED,
    ("MlpConv", "_add: sums[key] + value → sums[key] - value"): NOTHING_IS_ADDED,
    ("Conv2d", "_pulled_back: -axes - 2 → -axes + 2"): BATCHES_ONLY,
    ("Conv2d", "_pulled_back: -axes → axes"): BATCHES_ONLY,
}


def is_caught(mutation: Mutation, modules: list[Module]) -> bool:
    """Whether a check fails, looking at small cases first."""
    subjects = [Subject(mutation.of(subject(module)), Source("")) for module in modules]
    settings = Settings(checks=["dimensions", "gradient", "linearity"])
    items = plan(subjects, settings=settings).items
    for _, case in groupby(sorted(items, key=entries), key=lambda item: (item.subject.module.name, item.spec.name)):
        first, *others = case
        evaluation = evaluation_of(first, settings)
        if any(run_item(item, evaluation).verdict in (Verdict.FAIL, Verdict.ERROR) for item in (first, *others)):
            return True
    return False


def entries(item: Item) -> int:
    """How many entries the sizes of a case multiply to."""
    return int(np.prod([np.prod(size) for size in item.spec.sizes.values()]))


def chosen(changes: list[Mutation]) -> list[Mutation]:
    """All changes on request (two minutes), else as many as CI has time for, spread over the backward."""
    if os.environ.get("GRADCHECK_ALL_MUTANTS"):
        return changes
    return [changes[at * len(changes) // PER_MODULE] for at in range(PER_MODULE)] if changes[PER_MODULE:] else changes


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_change_of_a_backward_is_caught(kind: type[Module]) -> None:
    modules = [module for module in MODULES if type(module) is kind]
    changes = [change for change in mutations(kind) if (kind.__name__, change.title) not in EQUIVALENT]
    assert len(changes) >= 3
    assert [change.title for change in chosen(changes) if not is_caught(change, modules)] == []

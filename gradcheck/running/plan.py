"""The plan: which checks are to be carried out on which modules, at which cases, on which leaves."""

import traceback
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from gradcheck.algebra.sampling import case_specs
from gradcheck.checking.checks import planned_checks, planned_surveys, require_valid, require_waivable
from gradcheck.checking.parts import DIVISIBLE, parts_of
from gradcheck.running.loading import load_targets
from gradcheck.running.origin import Origin, origin_of_targets
from gradcheck.running.registry import Subject
from gradcheck.values.aliases import Sizes
from gradcheck.values.case import CaseSpec
from gradcheck.values.declarations import Declaration
from gradcheck.values.errors import DeclarationError, GradcheckError
from gradcheck.values.results import Problem
from gradcheck.values.settings import Settings

# What a survey looks at: no single case.
EVERY_CALL = "every call"


@dataclass(frozen=True)
class Item:
    """One check of one module at one case, on one leaf or on the module as a whole ("").

    Arguments:
        parts: into how many parts it is divided, each of which another worker may carry out.
    """

    subject: Subject
    spec: CaseSpec
    check: str
    leaf: str
    parts: int = 1

    @property
    def case_id(self) -> str:
        """Module and case, such as ``Linear[N=2 D=3 M=5]``."""
        return f"{self.subject.module.name}[{self.spec.name}]"

    @property
    def id(self) -> str:
        """The whole item, such as ``Linear[N=2 D=3 M=5]::gradient[weight]``."""
        return f"{self.case_id}::{self.check}" + (f"[{self.leaf}]" if self.leaf else "")


@dataclass(frozen=True)
class Plan:
    """Items in the order of the report, and modules for which none could be planned.

    Arguments:
        settings: with which they are carried out.
        origin: where another process finds the items; without it they are sent there by value.
    """

    items: tuple[Item, ...]
    problems: tuple[Problem, ...] = ()
    settings: Settings = field(default_factory=Settings)
    origin: Origin | None = None


def plan_targets(targets: Iterable[str], keywords: tuple[str, ...] = (), settings: Settings | None = None) -> Plan:
    """Load targets and plan the checks of what they register, so that another process can do the same.

    Raises what ``plan`` raises; what cannot be loaded is a problem.

    >>> plan_targets(["gradcheck.modules:Tanh"], ("N=1", "gradient")).problems
    ()
    """
    origin = origin_of_targets(targets, keywords)
    loaded = load_targets(origin.targets)
    planned = plan(loaded.subjects, keywords, settings)
    return replace(planned, problems=(*loaded.problems, *planned.problems), origin=origin)


def plan(subjects: Iterable[Subject], keywords: tuple[str, ...] = (), settings: Settings | None = None) -> Plan:
    """Plan the checks of the given modules whose ids contain one of the keywords, in any case.

    Raises ConfigurationError if the settings name a check that there is not. A module that cannot be planned, such as
    one that waives what cannot be waived, is a problem.
    """
    settings = settings or Settings()
    require_valid(settings)
    items: list[Item] = []
    problems: list[Problem] = []
    for subject in subjects:
        try:
            items += _items(subject, settings)
        except GradcheckError as error:
            problems.append(_problem(subject, str(error)))
        except (Exception, SystemExit) as error:
            problems.append(_problem(subject, f"making a case raised {type(error).__name__}: {error}"))
    lowered = [keyword.lower() for keyword in keywords]
    chosen = [item for item in items if not lowered or any(keyword in item.id.lower() for keyword in lowered)]
    return Plan(tuple(chosen), tuple(problems), settings)


def _problem(subject: Subject, text: str) -> Problem:
    name, target = subject.module.name, subject.source.target
    parts = [target, "" if text.startswith(name) else name, text]
    return Problem(target, ": ".join(part for part in parts if part), traceback.format_exc())


def _coordinates(declared: Declaration, sizes: Sizes) -> int:
    count = int(np.prod(declared.dimensions.shape(sizes)))
    return 2 * count if np.dtype(declared.dtype).kind == "c" else count


def _items(subject: Subject, settings: Settings) -> list[Item]:
    module = subject.module
    if not module.inputs:
        raise DeclarationError(
            "declares no inputs, so no case can be drawn for it: give inputs={'x': gradcheck.real('N D')},"
            " or verify it at arrays of your own with gradcheck.check(module, arrays)"
        )
    require_waivable(module.waive)
    items: list[Item] = []
    specs = case_specs(module, settings.cases)
    for spec in specs:
        leaves = module.at(spec.sizes).leaves if spec.example is None else {}
        differentiable = tuple(name for name, declared in leaves.items() if declared.differentiable)
        checks = planned_checks(module, differentiable, spec.example is not None, settings)
        for check, leaf in checks:
            counted = check.name == DIVISIBLE and leaf
            parts = parts_of(_coordinates(leaves[leaf], spec.sizes), settings) if counted else 1
            items.append(Item(subject, spec, check.name, leaf, parts))
    whole = replace(specs[0], name=EVERY_CALL)
    return [*items, *(Item(subject, whole, survey.name, "") for survey in planned_surveys(module, settings))]

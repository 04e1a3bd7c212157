"""What checks return: frozen values that every report reads."""

from dataclasses import dataclass, field

from gradcheck.values.aliases import Leaves, Shape
from gradcheck.values.entry import Entry
from gradcheck.values.picture import Picture
from gradcheck.values.settings import Settings
from gradcheck.values.verdict import Verdict


@dataclass(frozen=True)
class Coverage:
    """How the coordinates of a leaf were perturbed, what it cost, and what it could have seen.

    Arguments:
        coordinates: entries that the leaf has; those that are in none of the following were not looked at.
        alone: entries that were perturbed by themselves.
        grouped: entries that were perturbed together with others, each moving other outputs.
        projected: entries that were perturbed together with all others in random directions only.
        forwards: evaluations of the module's forward that the leaf took.
        backwards: evaluations of its backward, which all leaves share: one for each output, or group of them.
        detectable: smallest error in one Jacobian entry that was looked at that could not have gone unnoticed.
    """

    coordinates: int
    alone: int
    grouped: int
    projected: int
    forwards: int
    backwards: int
    detectable: float

    @property
    def one_by_one(self) -> int:
        """Entries whose columns were looked at: perturbed by themselves, or in groups, which comes to the same."""
        return self.alone + self.grouped


@dataclass(frozen=True)
class GradientEvidence:
    """The comparison of the analytical with the numerical Jacobian of one leaf.

    The Jacobian passes at a threshold exactly if ``relative_error`` and ``numerical_error`` are both at
    most that threshold; a backward that is not linear in the cotangent passes at none.

    Arguments:
        scale: the largest |entry| of the two Jacobians; 0 if the leaf has no influence at this point.
        relative_error: largest relative gap beyond the numerical error, over the entries.
        numerical_error: largest error of a numerical entry, relative to that entry or to the
            leaf's largest entry, whichever is larger.
        delta: the lecture's Δ = ‖∂a/∂θᵢ - g(θᵢ)‖², its largest value over the coordinates.
        ladder: the verdict at each of 1e-4, 1e-5, 1e-6, 1e-7.
        entries, failing, unresolved: how many entries there are, disagree, cannot be told.
        kinks: how many entries are at a kink and were judged by its one-sided derivatives.
        noise: measured noise of the forward, relative to its largest output.
        repeats: what a repetition of the forward differs by, relative to its largest output.
        worst: the entries that decide, worst first; the first one is the worst of all.
        picture: what the Jacobians look like, if that was asked for.
    """

    leaf: str
    role: str
    shape: Shape
    dtype: str
    scale: float
    relative_error: float
    numerical_error: float
    delta: float
    ladder: tuple[tuple[float, Verdict], ...]
    entries: int
    failing: int
    unresolved: int
    kinks: int
    noise: float
    repeats: float
    worst: tuple[Entry, ...]
    coverage: Coverage
    picture: Picture | None = None

    @property
    def strictest(self) -> float | None:
        """The strictest threshold of the ladder at which the leaf passes; None if at none."""
        return min((threshold for threshold, verdict in self.ladder if verdict is Verdict.PASS), default=None)


@dataclass(frozen=True)
class Diagnosis:
    """A suspected cause of a failure.

    Arguments:
        cause: one of the names listed in ``docs/how-it-judges.md``, such as ``constant factor``.
        evidence: what was measured that speaks for it.
        advice: where to look, or what to do.
    """

    cause: str
    evidence: str
    advice: str


@dataclass(frozen=True)
class MutationScore:
    """How many standard bugs were caught, how many were not, and how many changed nothing anywhere."""

    killed: int
    survived: int
    equivalent: int


@dataclass(frozen=True)
class CheckResult:
    """The outcome of one check.

    Arguments:
        check: name of the check, such as ``gradient``.
        leaf: the leaf it is about; empty if it is about the module as a whole.
        message: what was found; for a FAIL or an ERROR, what was expected and what to do.
        detail: traceback of the module's own exception, if there was one.
        evidence: the numbers of a gradient check.
        diagnoses: for a FAIL, what probably went wrong, the most telling first.
        notes: for a PASS, what a reader of a green result should know all the same.
        call: the smallest failing call that a search has found: the array of every leaf.
        mutants: for a self-test by mutation, how many mutants it killed.
        replay: Hypothesis's decorator that makes a search begin with this call.
    """

    check: str
    verdict: Verdict
    message: str
    leaf: str = ""
    detail: str = ""
    evidence: GradientEvidence | None = None
    diagnoses: tuple[Diagnosis, ...] = ()
    notes: tuple[str, ...] = ()
    call: Leaves = field(default_factory=dict, compare=False)  # arrays have no equality that gives one truth
    replay: str = ""
    mutants: MutationScore | None = None

    @property
    def label(self) -> str:
        """Name of the check with its leaf, such as ``gradient[weight]``."""
        return self.check if not self.leaf else f"{self.check}[{self.leaf}]"


@dataclass(frozen=True)
class Source:
    """Where the module under verification is defined.

    Arguments:
        target: through which `gradcheck report` finds it; empty if through none.
        file, line: empty and 0 if unknown.
        load: a target that gives its class, for a program that makes the module again; empty if there is none.
    """

    target: str
    file: str = ""
    line: int = 0
    load: str = ""


@dataclass(frozen=True)
class Problem:
    """A target, or a part of one, that could not be loaded; everything else is still verified."""

    target: str
    message: str
    detail: str = ""


@dataclass(frozen=True)
class CaseResult:
    """All checks of one module at one case; ``seconds`` is left out when results are compared."""

    module: str
    case: str
    source: Source
    checks: tuple[CheckResult, ...]
    seconds: float = field(default=0.0, compare=False)

    @property
    def id(self) -> str:
        """Module and case, such as ``Linear[N=2 D=3 M=5]``."""
        return f"{self.module}[{self.case}]"

    @property
    def verdict(self) -> Verdict:
        """The most severe verdict among the checks."""
        return Verdict.worst(check.verdict for check in self.checks)


@dataclass(frozen=True)
class Partial:
    """How far a run had come when it was interrupted."""

    done: int
    planned: int

    def __str__(self) -> str:
        return f"interrupted: {self.done} of {self.planned} checks were carried out, the others are not verified"


@dataclass(frozen=True)
class Verification:
    """Everything that one run found out: results case by case, and what could not be loaded.

    Arguments:
        partial: for a run that was interrupted, how far it had come.
    """

    cases: tuple[CaseResult, ...]
    problems: tuple[Problem, ...]
    settings: Settings
    partial: Partial | None = None

    @property
    def verdict(self) -> Verdict:
        """The most severe verdict; ERROR if something was not loaded, the run not completed, or nothing verified."""
        if self.partial or self.problems or not any(case.checks for case in self.cases):
            return Verdict.ERROR
        return Verdict.worst(case.verdict for case in self.cases)

    @property
    def failures(self) -> tuple[tuple[CaseResult, CheckResult], ...]:
        """The checks that do not count as success, with their cases."""
        return tuple((c, r) for c in self.cases for r in c.checks if not self.settings.accepts(r.verdict))

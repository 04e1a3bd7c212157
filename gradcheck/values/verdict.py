"""What a check can say, and the thresholds at which it says it."""

from collections.abc import Iterable
from enum import Enum
from typing import Final

STRICTEST_THRESHOLD: Final = 1e-7
LOOSEST_THRESHOLD: Final = 1e-4
LADDER: Final = (1e-4, 1e-5, 1e-6, 1e-7)


class Verdict(Enum):
    """The outcome of a check.

    WAIVED: left out on request, for a stated reason. PASS: verified. INCONCLUSIVE: the measurement cannot tell at
    the required threshold. FAIL: shown to be wrong. ERROR: the check could not be carried out.
    """

    WAIVED = "waived"
    PASS = "pass"
    INCONCLUSIVE = "inconclusive"
    FAIL = "fail"
    ERROR = "error"

    @classmethod
    def worst(cls, verdicts: Iterable["Verdict"]) -> "Verdict":
        """The most severe of several verdicts (WAIVED < PASS < INCONCLUSIVE < FAIL < ERROR); PASS for none.

        >>> Verdict.worst([Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE])
        <Verdict.FAIL: 'fail'>
        """
        order = list(cls)
        return max(verdicts, key=order.index, default=cls.PASS)

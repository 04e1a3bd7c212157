"""Hidden bugs are hidden from the default verification, and are bugs."""

import pytest

import gradcheck
from gradcheck import Verdict
from tests.surveying.hidden_bug import HiddenBug
from tests.surveying.hidden_bugs import HIDDEN_BUGS

pytestmark = pytest.mark.sweep

each_bug = pytest.mark.parametrize("bug", HIDDEN_BUGS, ids=lambda bug: bug.title)


@each_bug
def test_default_verification_does_not_find_it(bug: HiddenBug) -> None:
    assert gradcheck.check(bug.module).verdict is Verdict.PASS


@each_bug
def test_it_fails_at_its_smallest_sizes_where_its_twin_passes(bug: HiddenBug) -> None:
    assert gradcheck.check(bug.module, bug.fails_at).verdict in (Verdict.FAIL, Verdict.ERROR)
    assert gradcheck.check(bug.twin, bug.fails_at).verdict is Verdict.PASS

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gradcheck
from gradcheck import Verdict, real
from gradcheck.checking.check import Check
from gradcheck.checking.checks import CHECKS
from gradcheck.surfaces.formats.explanations import render_checks_page, render_explanation

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_the_bug_that_is_shown_is_caught_by_the_check_that_shows_it(check: Check) -> None:
    names: dict[str, Any] = {"np": np, "gradcheck": gradcheck, "real": real, "__name__": "shown"}
    exec(check.bug, names)
    report = gradcheck.check(names["module"], checks=[check.name])
    assert report.verdict is Verdict.FAIL, str(report)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_an_explanation_has_all_its_parts(check: Check) -> None:
    text = render_explanation(check)
    for part in ("What it does:\n", "Why it matters:\n", "A bug it catches:\n\n    ", "How to fix it:\n"):
        assert part in text
    assert ("How to waive it:\n" in text) is (check.probe or check.survey)
    assert all([check.summary, check.what, check.why, check.bug, check.fix])


def test_the_page_is_made_of_the_same_texts() -> None:
    assert (ROOT / "docs" / "checks.md").read_text(encoding="utf-8") == render_checks_page()
    done = subprocess.run([sys.executable, "-m", "gradcheck", "explain", "--markdown"], capture_output=True, check=True)
    assert done.stdout.decode("utf-8").replace("\r\n", "\n") == render_checks_page()

"""Results with anything in them: every number, and names that try to break out of a report."""

import os

from hypothesis import settings
from hypothesis import strategies as st

from gradcheck.values.entry import Entry
from gradcheck.values.picture import Picture, StepCurve
from gradcheck.values.results import (
    CaseResult,
    CheckResult,
    Coverage,
    Diagnosis,
    GradientEvidence,
    MutationScore,
    Partial,
    Problem,
    Source,
    Verification,
)
from gradcheck.values.settings import Settings
from gradcheck.values.verdict import Verdict

# GRADCHECK_FUZZ_EXAMPLES makes the long run of CONTRIBUTING.md out of every test that fuzzes.
fuzzed = settings(max_examples=int(os.environ.get("GRADCHECK_FUZZ_EXAMPLES", "100")))

HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</code></pre></summary></details>",
    "\x1b[2J\x1b]0;title\x07\x9b31m",
    "a\x00b\x08\x7f\x85",
    "one\ntwo\r\nthree\rfour",
    "\n::error file=other.py,line=1::forged",
    "::set-output name=x::y",
    "##[error]forged",
    "##vso[task.complete result=Succeeded;]",
    "%0A::error::forged%25",
    "a,b:c;d=e",
    "=cmd|'/c calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(A1:A9)",
    "\t=1",
    "＝1",
    "| a | b |\n|---|---|",
    "`` ` ```",
    "```\n# heading\n",
    "[click](javascript:alert(1))",
    "![](http://example.invalid/x.png)",
    "<!-- --> ]]> &amp; &#x3c;",
    "\u202egnp.exe\u2066",
    "half a character: \ud83d",
    "\ufffe\uffff",
    "../../../outside",
    "{0} {1!r} %s $verdict ${summary} {{ 7*7 }}",
    "'; rm -rf ~; '",
)
hostile = st.sampled_from(HOSTILE)
texts = st.text() | hostile | st.builds("{}{}".format, hostile, hostile)

floats = st.floats()
verdicts = st.sampled_from(Verdict)
indices = st.lists(st.integers(0, 9), max_size=3).map(tuple)
entries = st.builds(Entry, texts, indices, texts, indices, floats, floats, floats, floats)
# Few draws for much data: Hypothesis gives up where a single example takes too many.
pairs = st.sampled_from([(), (1e-9,), (1e-9, 1e-3), (0.0, 1.0), (-1.0, float("inf")), (float("nan"), 1e300)])
curves = st.builds(StepCurve, texts, *[pairs] * 3, *[floats] * 3)
rows = st.sampled_from([(), ("",), ("0",), ("0ab", "!fg", "cde"), ("eef0!",), ("a", "b", "g")])
pictures = st.builds(
    Picture,
    shape=st.tuples(st.integers(0), st.integers(0)),
    columns=st.integers(0),
    scale=floats,
    analytical=rows,
    numerical=rows.map(lambda found: tuple(row.replace("a", "A").replace("g", "G") for row in found)),
    gap=rows.map(lambda found: tuple(row.replace("a", "h") for row in found)),
    marks=st.lists(st.tuples(st.integers(0), st.integers(0)), max_size=2).map(tuple),
    histogram=st.integers(0).map(lambda count: (0, count, *[1] * 18)),
    curve=st.none() | curves,
)
evidence = st.builds(
    GradientEvidence,
    leaf=texts,
    role=st.sampled_from(["input", "parameter"]),
    shape=indices,
    dtype=st.just("float64"),
    scale=floats,
    relative_error=floats,
    numerical_error=floats,
    delta=floats,
    ladder=st.just(((1e-4, Verdict.PASS), (1e-5, Verdict.FAIL))),
    entries=st.integers(0),
    failing=st.integers(0),
    unresolved=st.integers(0),
    kinks=st.integers(0),
    noise=floats,
    repeats=floats,
    worst=st.lists(entries, max_size=2).map(tuple),
    coverage=st.builds(Coverage, *[st.integers(0)] * 6, floats),
    picture=st.none() | pictures,
)
diagnoses = st.lists(st.builds(Diagnosis, texts, texts, texts), max_size=2).map(tuple)
notes = st.lists(texts, max_size=2).map(tuple)
checks = st.builds(
    CheckResult,
    st.sampled_from(["gradient", "purity", "layouts"]) | st.text(min_size=1) | hostile,
    verdicts,
    texts,
    texts,
    texts,
    st.none() | evidence,
    diagnoses,
    notes,
    replay=texts,
    mutants=st.none() | st.builds(MutationScore, *[st.integers(0)] * 3),
)
sources = st.builds(Source, texts, texts | st.just(__file__), st.integers(0, 10**6), texts)
cases = st.builds(CaseResult, texts, texts, sources, st.lists(checks, max_size=2).map(tuple), st.floats(0, 1e6))
problems = st.lists(st.builds(Problem, texts, texts, texts), max_size=2).map(tuple)
verifications = st.builds(
    Verification,
    st.lists(cases, max_size=2).map(tuple),
    problems,
    st.builds(Settings, inconclusive=st.sampled_from(["fail", "warn"])),
    st.none() | st.builds(Partial, st.integers(0), st.integers(0)),
)

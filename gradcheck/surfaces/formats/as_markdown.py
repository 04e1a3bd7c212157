"""The report as Markdown: the summary of a CI job, or a comment."""

import re
from collections.abc import Sequence
from itertools import groupby

from gradcheck import __version__
from gradcheck.surfaces.formats.as_text import render_check, render_summary
from gradcheck.surfaces.formats.places import place_in_project
from gradcheck.surfaces.formats.tables import module_table
from gradcheck.surfaces.formats.visible import visible
from gradcheck.values.results import CaseResult, CheckResult, Verification
from gradcheck.values.verdict import Verdict

# The summary of a step may have 1 MiB; a larger one is not shown at all.
_MOST_MODULES, _MOST_FAILURES, _MOST_PROBLEMS = 200, 30, 30
_LONGEST_LINE, _LONGEST_BLOCK = 500, 12_000
_MARKS = {
    Verdict.WAIVED: "⚪",
    Verdict.PASS: "✅",
    Verdict.INCONCLUSIVE: "⚠️",
    Verdict.FAIL: "❌",
    Verdict.ERROR: "💥",
}
_ORDER = list(Verdict)
# What Markdown or HTML could take for markup; as an entity it never is.
_MARKUP = re.compile(r"[!\"#$&'*+:<>@\[\\\]_`|~-]")


def render_markdown(verification: Verification) -> str:
    """A headline, the summary, a table of modules, and every failure in full behind a line to open."""
    shown = visible(verification)
    settings, failures = shown.settings, sorted(shown.failures, key=lambda failure: -_ORDER.index(failure[1].verdict))
    parts = [
        f"## {_marked(shown.verdict)}: gradcheck",
        f"gradcheck {__version__} · threshold {settings.threshold:g} · seed {settings.seed}",
        _block(render_summary(shown)),
        *(_modules(shown.cases, settings.threshold) if shown.cases else ()),
        *(f"- **not loaded** {code(problem.message)}" for problem in shown.problems[:_MOST_PROBLEMS]),
        *_more(len(shown.problems) - _MOST_PROBLEMS, "targets that were not loaded"),
        *(_failure(case, check, shown) for case, check in failures[:_MOST_FAILURES]),
        *_more(len(failures) - _MOST_FAILURES, "failures"),
    ]
    return "\n\n".join(parts) + "\n"


def _marked(verdict: Verdict) -> str:
    return f"{_MARKS[verdict]} {verdict.value.upper()}"


def _more(count: int, what: str) -> list[str]:
    return [f"*and {count} more {what}: see the whole report*"] if count > 0 else []


def _modules(cases: Sequence[CaseResult], threshold: float) -> list[str]:
    """One row for each module, the worst verdicts first; of very many only some."""
    from tabulate import tabulate  # costs more to import than the rest of gradcheck

    groups = [list(group) for _, group in groupby(cases, key=lambda case: (case.source.file, case.module))]
    groups.sort(key=lambda group: -_ORDER.index(Verdict.worst(case.verdict for case in group)))
    rows: list[tuple[str, ...]] = []
    for group in groups[:_MOST_MODULES]:
        table = module_table(group, threshold)
        name, told, margin, leaf, perturbed, seconds = table.rows[0]
        verdict = _marked(Verdict.worst(case.verdict for case in group))
        rows.append((code(name), verdict, told, margin, code(leaf) if leaf else "", perturbed, seconds))
    headers = ("module", "verdict", *module_table((), threshold).headers[1:])
    table_text = tabulate(rows, headers, tablefmt="pipe", disable_numparse=True, colalign=("left",) * len(headers))
    return [table_text, *_more(len(groups) - _MOST_MODULES, "modules")]


def _failure(case: CaseResult, check: CheckResult, verification: Verification) -> str:
    """One check: its verdict and what is suspected in the line that shows, everything else when it is opened."""
    suspects = ", ".join(diagnosis.cause for diagnosis in check.diagnoses)
    line = f"{_marked(check.verdict)} {code(f'{case.id}::{check.label}')}"
    line += f" · {code(f'{file}:{case.source.line}')}" if (file := place_in_project(case.source.file)) else ""
    line += f" · suspect: {code(suspects)}" if suspects else ""
    body = _block(render_check(case, check, verification))
    return f"<details>\n<summary>{line}</summary>\n\n{body}\n\n</details>"


def code(text: str) -> str:
    """A text in one line that stands for itself, in a sentence or in a cell: nothing in it is Markdown or HTML.

    >>> code("weight[0]")
    '<code>weight&#91;0&#93;</code>'
    """
    line = " ".join(text.split())
    line = line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]}…"
    return f"<code>{_MARKUP.sub(lambda found: f'&#{ord(found[0])};', line)}</code>"


def _block(text: str) -> str:
    """Lines that stand for themselves, between fences that are longer than any within."""
    if len(text) > _LONGEST_BLOCK:
        text = f"{text[:_LONGEST_BLOCK]}\n… (shortened)"
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text}\n{fence}"

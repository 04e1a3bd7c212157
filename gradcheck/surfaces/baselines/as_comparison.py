"""A comparison with a baseline as text and as Markdown."""

from collections.abc import Sequence
from pathlib import Path

from gradcheck.surfaces.baselines.regressions import Change, Comparison
from gradcheck.surfaces.formats.as_github import render_command
from gradcheck.surfaces.formats.as_markdown import code
from gradcheck.surfaces.formats.tables import Table, several
from gradcheck.surfaces.formats.visible import visible, visible_name

_MOST_IMPROVEMENTS = 20
# Of a step more are not shown, and those of failures have a claim to be.
_MOST_ANNOTATIONS = 5


def comparison_table(changes: Sequence[Change]) -> Table:
    """One row for each change."""
    rows = tuple((change.what, change.place, change.before or "-", change.after) for change in changes)
    return Table(("what", "where", "before", "now"), rows, ("left",) * 4)


def render_comparison(comparison: Comparison, file: str, *, complete: bool = False) -> str:
    """The comparison for a terminal: regressions one by one, improvements, and a line that counts.

    Arguments:
        file: the baseline, for the headline.
        complete: all improvements, where there are very many.
    """
    comparison = visible(comparison)
    improvements = comparison.improvements if complete else comparison.improvements[:_MOST_IMPROVEMENTS]
    hidden = len(comparison.improvements) - len(improvements)
    parts = [f"compared with {visible_name(file)}", *(f"note  {remark}" for remark in comparison.remarks)]
    parts += [f"regressions\n{_table(comparison.regressions, 'simple')}"] if comparison.regressions else []
    parts += [f"improvements\n{_table(improvements, 'simple')}"] if improvements else []
    parts += [f"and {hidden} more improvements; -v shows all"] if hidden else []
    parts += ["known  " + "\n       ".join(comparison.known)] if comparison.known else []
    return "\n\n".join([*parts, comparison_summary(comparison)]) + "\n"


def render_comparison_markdown(comparison: Comparison, file: str) -> str:
    """The comparison as a section of Markdown, such as for the summary of a CI job."""
    comparison = visible(comparison)
    parts = [f"## Compared with {code(visible_name(file))}", comparison_summary(comparison)]
    parts += [f"> {code(remark)}" for remark in comparison.remarks]
    if comparison.regressions:
        parts.append(f"### Regressions\n\n{_table(comparison.regressions, 'github')}")
    if comparison.improvements:
        table = _table(comparison.improvements, "github")
        parts.append(f"<details><summary>Improvements</summary>\n\n{table}\n\n</details>")
    if comparison.known:
        known = "\n".join(f"- {code(name)}" for name in comparison.known)
        parts.append(f"<details><summary>Failures that the baseline knows</summary>\n\n{known}\n\n</details>")
    return "\n\n".join(parts) + "\n"


def with_comparison_section(page: str, comparison: Comparison, file: str) -> str:
    """The HTML report with the comparison before everything else in it; it needs Jinja2, as the page did."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    loader = FileSystemLoader(Path(__file__).parent)
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    section = environment.get_template("comparison.html.jinja").render(
        comparison=visible(comparison),
        file=visible_name(file),
        summary=comparison_summary(comparison),
        headers=comparison_table(()).headers,
    )
    # What comes before it in the page is escaped, so that this is where it begins.
    before, main, after = page.partition("<main>")
    return f"{before}{main}\n{section}{after}"


def render_comparison_commands(comparison: Comparison) -> str:
    """What is worse as commands to GitHub; what fails has an annotation at its line already."""
    comparison, lines = visible(comparison), []
    for change in [c for c in comparison.regressions if c.what not in ("verdict", "new")][:_MOST_ANNOTATIONS]:
        message = f"{change.place}: {change.before} → {change.after}"
        lines.append(render_command("error", {"title": f"gradcheck: {change.what}"}, message))
    return "".join(f"{line}\n" for line in lines)


def comparison_summary(comparison: Comparison) -> str:
    """How many regressions and improvements there are among how many checks."""
    counts = ((comparison.regressions, "regression"), (comparison.improvements, "improvement"))
    told = [several(len(changes), name) for changes, name in counts]
    told += [f"{len(comparison.known)} known not to pass"] if comparison.known else []
    return f"{several(comparison.compared, 'check')} compared: {', '.join(told)}"


def _table(changes: Sequence[Change], style: str) -> str:
    from tabulate import tabulate  # costs more to import than the rest of gradcheck

    table = comparison_table(changes)
    clean = code if style == "github" else str
    rows = [[clean(cell) for cell in row] for row in table.rows]
    return tabulate(rows, table.headers, tablefmt=style, disable_numparse=True, colalign=table.align)

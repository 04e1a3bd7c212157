"""A comparison with a baseline as text and as Markdown."""

import re
from collections.abc import Sequence

from gradcheck.surfaces.regressions import Change, Comparison
from gradcheck.surfaces.tables import Table
from gradcheck.surfaces.visible import visible_name

_MOST_IMPROVEMENTS = 20
# What Markdown, or the HTML that may be in it, would take for something else than text.
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|~#&])")


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
    improvements = comparison.improvements if complete else comparison.improvements[:_MOST_IMPROVEMENTS]
    hidden = len(comparison.improvements) - len(improvements)
    parts = [f"compared with {visible_name(file)}", *(f"note  {visible_name(remark)}" for remark in comparison.remarks)]
    parts += [f"regressions\n{_table(comparison.regressions, 'simple')}"] if comparison.regressions else []
    parts += [f"improvements\n{_table(improvements, 'simple')}"] if improvements else []
    parts += [f"and {hidden} more improvements; -v shows all"] if hidden else []
    parts += ["known  " + "\n       ".join(map(visible_name, comparison.known))] if comparison.known else []
    return "\n\n".join([*parts, comparison_summary(comparison)]) + "\n"


def render_comparison_markdown(comparison: Comparison, file: str) -> str:
    """The comparison as a section of Markdown, such as for the summary of a CI job."""
    parts = [f"## Compared with {_escaped(file)}", _escaped(comparison_summary(comparison))]
    parts += [f"> {_escaped(remark)}" for remark in comparison.remarks]
    if comparison.regressions:
        parts.append(f"### Regressions\n\n{_table(comparison.regressions, 'github')}")
    if comparison.improvements:
        table = _table(comparison.improvements, "github")
        parts.append(f"<details><summary>Improvements</summary>\n\n{table}\n\n</details>")
    if comparison.known:
        known = "\n".join(f"- {_escaped(name)}" for name in comparison.known)
        parts.append(f"<details><summary>Failures that the baseline knows</summary>\n\n{known}\n\n</details>")
    return "\n\n".join(parts) + "\n"


def comparison_summary(comparison: Comparison) -> str:
    """How many regressions and improvements there are among how many checks."""
    counts = ((comparison.regressions, "regression"), (comparison.improvements, "improvement"))
    told = [f"{len(changes)} {name}{'' if len(changes) == 1 else 's'}" for changes, name in counts]
    told += [f"{len(comparison.known)} known not to pass"] if comparison.known else []
    return f"{comparison.compared} checks compared: {', '.join(told)}"


def _table(changes: Sequence[Change], style: str) -> str:
    from tabulate import tabulate  # costs more to import than the rest of gradcheck

    table = comparison_table(changes)
    clean = _escaped if style == "github" else visible_name
    rows = [[clean(cell) for cell in row] for row in table.rows]
    return tabulate(rows, table.headers, tablefmt=style, disable_numparse=True, colalign=table.align)


def _escaped(text: str) -> str:
    return _SPECIAL.sub(lambda found: f"&#{ord(found[0])};", visible_name(text))

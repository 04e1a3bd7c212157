"""The report as one HTML page, without scripts and without anything from elsewhere."""

from html import escape
from string import Template

from gradcheck import __version__
from gradcheck.surfaces.as_text import render_check, render_summary
from gradcheck.surfaces.tables import Table, leaf_table, module_table, probe_table
from gradcheck.values.results import Verification

_PAGE = Template("""\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>gradcheck: $verdict</title>
<style>
:root { color-scheme: light dark; font-family: system-ui, sans-serif; }
body { margin: 2rem auto; max-width: 75rem; padding: 0 1rem; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
th, td { border-bottom: 1px solid #8886; padding: 0.25rem 0.75rem; text-align: left; white-space: nowrap; }
pre { overflow-x: auto; padding: 1rem; border-left: 0.25rem solid #c33; background: #8882; }
</style>
</head>
<body>
<h1>gradcheck: $verdict</h1>
<p>gradcheck $version · threshold $threshold · seed $seed</p>
<pre style="border-color: #888">$summary</pre>
$sections
</body>
</html>
""")


def render_html(verification: Verification) -> str:
    """The tables of leaves and of other checks, and what failed in full."""
    sections = [
        _table("Modules", module_table(verification.cases, verification.settings.threshold)),
        _table("Leaves", leaf_table(verification.cases)),
        _table("Other checks", probe_table(verification.cases)),
        _texts("Not loaded", [problem.message for problem in verification.problems]),
        _texts("Failures", [render_check(case, check, verification) for case, check in verification.failures]),
    ]
    return _PAGE.substitute(
        verdict=f"{verification.verdict.value}{' (partial)' if verification.partial else ''}",
        version=__version__,
        threshold=f"{verification.settings.threshold:g}",
        seed=verification.settings.seed,
        summary=escape(render_summary(verification)),
        sections="\n".join(section for section in sections if section),
    )


def _table(title: str, table: Table) -> str:
    from tabulate import tabulate  # costs more to import than the rest of gradcheck

    if not table.rows:
        return ""
    # tabulate escapes what stands in the cells.
    body = tabulate(table.rows, table.headers, tablefmt="html", disable_numparse=True, colalign=table.align)
    return f"<h2>{escape(title)}</h2>\n{body}"


def _texts(title: str, texts: list[str]) -> str:
    return "\n".join([f"<h2>{escape(title)}</h2>", *(f"<pre>{escape(text)}</pre>" for text in texts)]) if texts else ""

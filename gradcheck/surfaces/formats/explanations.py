"""What every check does, as ``gradcheck explain`` prints it and as docs/checks.md lists it."""

from textwrap import indent

from gradcheck.checking.check import Check
from gradcheck.checking.checks import CHECKS

_INTRODUCTION = """\
# The checks

What gradcheck verifies, in this order. From `linearity` on they are *behaviour probes*: they look at what a single
Jacobian cannot show, cost a few extra calls, and can be waived by name, with a reason that the report prints. The last
two are *surveys*: they look at a module over many calls, once, and only on request. `gradcheck explain NAME` prints the
same texts; this page is written by `gradcheck explain --markdown`. The examples begin with

```python
import numpy as np
import gradcheck
from gradcheck import real
```
"""


def render_explanation(check: Check) -> str:
    """What a check does, why it matters, the smallest bug that it catches, and what to do about it."""
    parts = [f"{title}:\n{text}" for title, text in _parts(check, bug="\n" + indent(check.bug, "    ")).items()]
    return "\n\n".join([f"{check.name}: {check.summary}", *parts])


def render_checks_page() -> str:
    """docs/checks.md."""
    return "\n".join([_INTRODUCTION, *(_section(check) for check in CHECKS)])


def _section(check: Check) -> str:
    parts = [f"*{title}:*\n{text}" for title, text in _parts(check, f"\n```python\n{check.bug}\n```").items()]
    return "\n\n".join([f"## {check.name}", f"**{check.summary}**", *parts]) + "\n"


def _parts(check: Check, bug: str) -> dict[str, str]:
    """The parts of an explanation by their titles, with the bug as it is to be shown."""
    waiver = {"How to waive it": _waiver(check)} if check.probe or check.survey else {}
    return {
        "What it does": check.what,
        "Why it matters": check.why,
        "A bug it catches": bug,
        "How to fix it": check.fix,
        **waiver,
    }


def _waiver(check: Check) -> str:
    return f"""\
`waive = {{"{check.name}": "the reason"}}` as a fact of the module's class, in from_object or in [tool.gradcheck];
`waive={{...}}` in gradcheck.check; `--waive {check.name}="the reason"` on the command line. The reason is printed."""

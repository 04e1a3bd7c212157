"""What is reported of a check whose worker died or had to be stopped."""

import re

from gradcheck.running.orders import Reply
from gradcheck.running.plan import Item
from gradcheck.values.results import CheckResult
from gradcheck.values.verdict import Verdict


def lost_result(item: Item, reply: Reply) -> CheckResult:
    """An ERROR that names the check, and where the module was if that is known."""
    trace = str(reply.get("trace", ""))
    if "trace" in reply:
        message = (
            f"{item.id}: {reply['lost']}{_place(item.subject.source.file, trace)}: it hangs, or it needs a longer"
            f" --timeout"
        )
    else:
        message = f"{item.id}: {reply['lost']}: it crashes, or it needs more than there is; everything else went on"
    return CheckResult(item.check, Verdict.ERROR, message, item.leaf, trace)


def _place(file: str, trace: str) -> str:
    """The innermost line of the module's own file that was being carried out."""
    match = re.search(rf'File "{re.escape(file)}", line (\d+) in (\S+)', trace) if file else None
    return f", in {match[2]} ({file}, line {match[1]})" if match else ""

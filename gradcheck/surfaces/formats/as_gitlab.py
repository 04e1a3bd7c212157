"""The report as GitLab's code quality: shown in the widget and beside the diff of a merge request."""

import json
from typing import Any

from gradcheck.surfaces.formats.alerts import Alert, alerts_of
from gradcheck.values.results import Verification
from gradcheck.values.verdict import Verdict

_SEVERITIES = {Verdict.ERROR: "blocker", Verdict.FAIL: "critical", Verdict.INCONCLUSIVE: "major"}


def render_gitlab(verification: Verification) -> str:
    """A JSON list with one issue for each alert."""
    issues = [_issue(alert) for alert in alerts_of(verification)]
    return json.dumps(issues, indent=2, ensure_ascii=False) + "\n"


def _issue(alert: Alert) -> dict[str, Any]:
    return {
        "description": f"{alert.title}: {alert.message}",
        "check_name": f"gradcheck/{alert.check}",
        "fingerprint": alert.fingerprint,
        "severity": "info" if alert.accepted else _SEVERITIES[alert.verdict],
        # A place is required; what has none is shown under its name.
        "location": {"path": alert.file or alert.module or "gradcheck", "lines": {"begin": max(alert.line, 1)}},
    }

"""The report as SARIF 2.1.0, which code scanning services and editors show as alerts at lines of code."""

import json
import re
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from gradcheck import __version__
from gradcheck.checking.checks import CHECKS
from gradcheck.surfaces.formats.alerts import LOADING, PARTIAL, Alert, alerts_of
from gradcheck.surfaces.formats.explanations import render_explanation
from gradcheck.values.results import Verification

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_ROOT = "%SRCROOT%"
# Brackets followed by parentheses would become a link, and a number in braces is the place of an argument.
_LINK, _PLACEHOLDER = re.compile(r"\[(?=[^\]]*\]\()"), re.compile(r"\{(\d+)\}")
_NOTIFICATIONS = {LOADING: "a target could not be loaded", PARTIAL: "the run was interrupted"}


def render_sarif(verification: Verification) -> str:
    """A SARIF log of one run: a rule for each check, a result for each alert about a module."""
    alerts = alerts_of(verification)
    results = [alert for alert in alerts if alert.check not in _NOTIFICATIONS]
    rules = _rules(results)
    run = {
        "tool": {"driver": _driver(rules)},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {_ROOT: {"description": {"text": "the root of the repository"}}},
        "invocations": [_invocation([alert for alert in alerts if alert.check in _NOTIFICATIONS])],
        "results": [_result(alert, list(rules).index(alert.check)) for alert in results],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False) + "\n"


def _rules(alerts: Sequence[Alert]) -> dict[str, dict[str, Any]]:
    """Every check by its name, with its explanation as help; and checks of other packages, which have none."""
    rules: dict[str, dict[str, Any]] = {
        check.name: {
            "id": check.name,
            "shortDescription": {"text": check.summary},
            "fullDescription": {"text": _plain(f"{check.what}\n\n{check.why}")},
            "help": {"text": _plain(render_explanation(check))},
            "defaultConfiguration": {"level": "error"},
        }
        for check in CHECKS
    }
    return {**rules, **{alert.check: {"id": alert.check} for alert in alerts if alert.check not in rules}}


def _driver(rules: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return {
        "name": "gradcheck",
        "version": __version__,
        "rules": list(rules.values()),
        "notifications": [{"id": name, "shortDescription": {"text": text}} for name, text in _NOTIFICATIONS.items()],
    }


def _invocation(alerts: Sequence[Alert]) -> dict[str, Any]:
    notifications = [
        {"descriptor": {"id": alert.check}, "level": "error", "message": _message(alert), **_locations(alert)}
        for alert in alerts
    ]
    return {"executionSuccessful": not alerts, "toolExecutionNotifications": notifications}


def _result(alert: Alert, index: int) -> dict[str, Any]:
    return {
        "ruleId": alert.check,
        "ruleIndex": index,
        "level": alert.level,
        "message": _message(alert),
        **_locations(alert),
        "partialFingerprints": {"gradcheck/v1": alert.fingerprint},
        "properties": {"verdict": alert.verdict.value, "module": alert.module, "leaf": alert.leaf},
    }


def _message(alert: Alert) -> dict[str, str]:
    return {"text": _plain(f"{alert.title}\n{alert.message}")}


def _locations(alert: Alert) -> dict[str, Any]:
    label = f"{alert.module}::{alert.check}" + (f"[{alert.leaf}]" if alert.leaf else "")
    logical = {"fullyQualifiedName": label, "kind": "member"}
    physical = {"physicalLocation": _physical(alert)} if alert.file else {}
    return {"locations": [{**physical, "logicalLocations": [logical]}]}


def _physical(alert: Alert) -> dict[str, Any]:
    region = {"region": {"startLine": alert.line}} if alert.line else {}
    uri = quote(alert.file, errors="backslashreplace")
    if PurePath(alert.file).is_absolute():
        return {"artifactLocation": {"uri": f"file:///{uri.lstrip('/')}"}, **region}
    return {"artifactLocation": {"uri": uri, "uriBaseId": _ROOT}, **region}


def _plain(text: str) -> str:
    """A text in which nothing is a link or the place of an argument."""
    return _PLACEHOLDER.sub(r"{{\1}}", _LINK.sub(r"\\[", text))

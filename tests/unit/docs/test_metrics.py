"""docs/metrics.md and the alerts name exactly what /metrics has."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.core import Metric

from ringpost.admin.exposition import families
from ringpost.admin.reading import Facts
from ringpost.completeness_status import Completeness
from worker.ledger import Overview

ROOT = Path(__file__).parents[3]
RULES = ROOT / "deploy" / "prometheus" / "ringpost.rules.yaml"
PAGE = (ROOT / "docs" / "metrics.md").read_text()
EMPTY = Overview.model_validate(
    dict.fromkeys(("due", "bulk", "running", "waiting", "failed"), 0)
    | {"mailboxes": [], "subscriptions": [], "unwatched": [], "budgets": []}
    | {"counts": {}, "polling": False, "problem": None}
)


@pytest.fixture
def exposed() -> dict[str, Metric]:
    """All metrics by the name that queries use."""
    found = families(Facts(EMPTY, {}, None, Completeness(None, None, 0)), 0.0)
    return {
        f"{family.name}_total" if family.type == "counter" else family.name: family
        for family in found
    }


@pytest.fixture
def rules() -> list[dict[str, Any]]:
    """The alerts."""
    (group,) = yaml.safe_load(RULES.read_text())["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


def test_the_page_lists_exactly_the_metrics(exposed: dict[str, Metric]) -> None:
    """Each metric has a row with its labels, and no row is of a metric that is not there."""
    rows = re.findall(r"^\| `(ringpost_\w+)` \|([^|]*)\|", PAGE, re.MULTILINE)
    assert {name for name, _ in rows} == exposed.keys()
    assert len(rows) == len(exposed)
    for name, labels in rows:
        told = [label.strip() for label in labels.split(",") if label.strip()]
        assert told == [*getattr(exposed[name], "_labelnames", ())], name


def test_every_metric_says_what_it_is(exposed: dict[str, Metric]) -> None:
    """HELP has a sentence."""
    assert all(family.documentation.endswith((".", "is.")) for family in exposed.values())


def test_the_rules_ask_for_metrics_that_exist(
    exposed: dict[str, Metric], rules: list[dict[str, Any]]
) -> None:
    """Every name in an expression is exposed, and every state or kind it selects is documented."""
    for rule in rules:
        names = re.findall(r"ringpost_\w+", rule["expr"])
        assert names, rule["alert"]
        assert {*names} <= exposed.keys(), rule["alert"]
        for value in re.findall(r'=~?"([^"]+)"', rule["expr"]):
            assert all(f"`{one}`" in PAGE for one in value.split("|")), rule["alert"]


def test_the_rules_are_what_prometheus_takes(rules: list[dict[str, Any]]) -> None:
    """Known keys, texts that say what to do, durations in Prometheus' form; all in the page."""
    for rule in rules:
        assert rule.keys() <= {"alert", "expr", "for", "labels", "annotations"}
        assert rule["annotations"].keys() >= {"summary", "description"}
        assert re.fullmatch(r"\d+[smh]", rule.get("for", "1m"))
    assert set(re.findall(r"^\| (Ringpost\w+) \|", PAGE, re.MULTILINE)) == {
        rule["alert"] for rule in rules
    }

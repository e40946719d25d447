"""compose.yaml: a file that Compose takes, with a Redis that loses nothing."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

PARTS = ("webhook", "worker", "admin", "beat")


@pytest.fixture(scope="module")
def services(deploy: Path) -> dict[str, Any]:
    services: dict[str, Any] = yaml.safe_load((deploy / "compose.yaml").read_text())["services"]
    return services


def test_it_follows_the_specification(deploy: Path) -> None:
    """The schema of the Compose specification accepts it."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    run = subprocess.run(
        [*command, deploy / "compose.yaml"], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_redis_keeps_everything(services: dict[str, Any]) -> None:
    """Append-only file, nothing evicted, a volume, a health check, not open to the world."""
    redis = services["redis"]
    options = dict(zip(redis["command"][1::2], redis["command"][2::2], strict=True))
    assert options["--appendonly"] == "yes"
    assert options["--maxmemory-policy"] == "noeviction"
    assert redis["volumes"] == ["redis:/data"]
    assert redis["healthcheck"]["test"] == ["CMD", "valkey-cli", "ping"]
    assert "ports" not in redis


def test_the_release_check_comes_first(services: dict[str, Any]) -> None:
    """No part starts before the configuration was found right and Redis answers."""
    assert services["release"]["command"] == ["ringpost", "check", "--config-only"]
    assert services["release"]["restart"] == "no"
    for name in PARTS:
        assert services[name]["depends_on"] == {
            "redis": {"condition": "service_healthy"},
            "release": {"condition": "service_completed_successfully"},
        }


def test_all_parts_come_back_and_go_in_peace(services: dict[str, Any]) -> None:
    """Restarted when they end, given time to stop, without more rights than needed."""
    for name in ("redis", *PARTS):
        assert services[name]["restart"] == "unless-stopped"
        assert services[name]["stop_grace_period"]
        assert services[name]["read_only"] is True
        assert services[name]["cap_drop"] == ["ALL"]
        assert services[name]["security_opt"] == ["no-new-privileges:true"]


def test_the_worker_has_time_to_drain(services: dict[str, Any]) -> None:
    """Longer than the worker's own grace and the time it has to close."""
    grace = "from worker.celery import GRACE_SECONDS; print(GRACE_SECONDS)"
    run = subprocess.run([sys.executable, "-c", grace], capture_output=True, text=True, check=True)
    seconds = int(services["worker"]["stop_grace_period"].removesuffix("s"))
    assert seconds >= float(run.stdout) + 30


def test_the_webhook_is_where_the_port_leads(services: dict[str, Any]) -> None:
    """The published port leads to the one it listens on, and the image's health check holds."""
    webhook = services["webhook"]
    inside = webhook["environment"]["PORT"]
    assert webhook["ports"] == ["${HOST:-127.0.0.1}:${PORT:-8080}:" + inside]
    assert webhook["healthcheck"] == {}


def test_status_and_metrics_are_for_this_machine(services: dict[str, Any]) -> None:
    """There is no login: the port is published on loopback, and leads to where it listens."""
    admin = services["admin"]
    inside = admin["environment"]["ADMIN_PORT"]
    assert admin["ports"] == ["127.0.0.1:${ADMIN_PORT:-8081}:" + inside]
    assert admin["labels"]["prometheus.io/port"] == inside


def test_each_part_gets_what_it_needs(services: dict[str, Any]) -> None:
    """Only the worker and the release check know secrets and see files; the public part neither."""
    webhook = {"HOST", "PORT", "REDIS_URL", "WEBHOOK_URL", "WEBHOOK_VERIFICATION_TOKEN"}
    assert set(services["webhook"]["environment"]) == webhook
    assert set(services["beat"]["environment"]) == {"REDIS_URL"}
    assert set(services["admin"]["environment"]) == {"ADMIN_HOST", "ADMIN_PORT", "REDIS_URL"}
    for name in ("webhook", "admin", "beat"):
        assert not {"env_file", "volumes"} & services[name].keys()
    for name in ("worker", "release"):
        assert services[name]["env_file"] == ".env"
        assert any(volume.startswith("data:") for volume in services[name]["volumes"])


def test_a_changed_configuration_is_seen(services: dict[str, Any]) -> None:
    """Its folder is mounted: a single file would stay the one that an editor has replaced."""
    inside = Path(services["worker"]["environment"]["RINGPOST_CONFIG"]).parent
    assert f"./config:{inside}:ro" in services["worker"]["volumes"]


def test_it_runs_what_the_procfile_runs(services: dict[str, Any], repository: Path) -> None:
    """Both start the same commands."""
    lines = (repository / "Procfile").read_text().splitlines()
    procfile = {name: command.split() for name, command in (line.split(": ") for line in lines)}
    procfile["webhook"] = procfile.pop("web")
    assert procfile == {name: services[name]["command"] for name in ("release", *PARTS)}

"""What a fresh webhook process must not load, to be up at once and to know little."""

import json
import subprocess
import sys

FORBIDDEN = [
    "worker",
    "sandbox",
    "ringpost",
    "celery",
    "kombu",
    "redis",
    "message_store.client",
    "message_store.auth",
    "message_store.message",
    "aiosmtplib",
    "phonenumbers",
    "jinja2",
    "obstore",
]


def test_the_entry_point_loads_no_more_than_it_needs() -> None:
    """The entry point loads no handler, no RingCentral client, no Redis, not even Celery."""
    code = "import webhook.__main__, sys, json; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    loaded = set(json.loads(done.stdout))
    assert "webhook.app" in loaded
    assert [name for name in FORBIDDEN if name in loaded] == []


def test_publishing_loads_no_ledger() -> None:
    """Celery's connection brings the redis library, but never its asyncio half or our worker."""
    code = (
        "import webhook.publisher as p, sys, json, contextlib\n"
        "with contextlib.suppress(Exception): p.CeleryPublisher('redis://127.0.0.1:1/0').connect()\n"
        "print(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    loaded = set(json.loads(done.stdout))
    assert "kombu.transport.redis" in loaded
    assert [name for name in ("worker", "sandbox", "message_store.client") if name in loaded] == []

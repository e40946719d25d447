"""What is installed for production: requirements.lock, and nothing that only developers have."""

import json
import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

# its modules for plug-in authors' own tests need pytest, which they bring
_IMPORT_ALL = """
import json, pkgutil, sys
from importlib import import_module
before = set(sys.modules)
for package in sys.argv[1:]:
    for module in pkgutil.walk_packages(import_module(package).__path__, package + "."):
        if not any(word in module.name for word in ("conformance", "pytest", "__main__")):
            import_module(module.name)
from kombu.transport import resolve_transport
resolve_transport("redis")
print("LOADED", json.dumps(sorted({name.partition(".")[0] for name in set(sys.modules) - before})))
"""
PACKAGES = ("message_store", "metrics", "webhook", "worker", "ringpost", "sandbox")


def test_all_that_is_imported_is_in_the_lock(repository: Path) -> None:
    """A library that only the development environment has would stop an image from starting."""
    lock = (repository / "requirements.lock").read_text()
    pinned = {_plain(name) for name in re.findall(r"^([\w.-]+)==", lock, re.MULTILINE)}
    run = subprocess.run(
        [sys.executable, "-c", _IMPORT_ALL, *PACKAGES], capture_output=True, text=True, check=True
    )
    loaded = json.loads(run.stdout.rpartition("LOADED ")[2])
    distributions = packages_distributions()
    missing = {
        name: distributions[name]
        for name in loaded
        if name in distributions
        and name not in PACKAGES
        and not pinned & {_plain(one) for one in distributions[name]}
    }
    assert not missing


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()

"""`make fuzz`: Schemathesis holds a real webhook process to docs/webhook-openapi.yml.

Twice: as RingCentral, with our verification token, and as a stranger. The broker is away, so that
nothing but the webhook is looked at; its answers must be the same.
"""

import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
DESCRIPTION = ROOT / "docs" / "webhook-openapi.yml"
TOKEN = "fuzz0verification0token"
PORT = 18089
ADDRESS = f"http://127.0.0.1:{PORT}"
SECONDS = "3"
CHECKS = ",".join(
    (
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_schema_conformance",
        "negative_data_rejection",
        "positive_data_acceptance",
        "unsupported_method",
        "allow_header_conformance",
        "ignored_auth",
        "small_answers",
    )
)
STRANGER = ("negative_data_rejection", "positive_data_acceptance", "ignored_auth")


@contextmanager
def webhook(log: Path) -> Iterator[None]:
    """A webhook process that answers."""
    environment = {
        **os.environ,
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "WEBHOOK_URL": f"{ADDRESS}/webhook",
        "WEBHOOK_VERIFICATION_TOKEN": TOKEN,
        "HOST": "127.0.0.1",
        "PORT": str(PORT),
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "webhook"], env=environment, stdout=output, stderr=output
        )
    try:
        _wait(process)
        yield
        assert process.poll() is None, "the webhook has ended"
    finally:
        process.terminate()
        process.wait(20)


def _wait(process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 20
    while process.poll() is None and time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"{ADDRESS}/healthz").close()
        except urllib.error.URLError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("the webhook does not start")


def schemathesis(folder: str, program: str, examples: str, *more: str) -> int:
    """One run, whose notes go to `folder`; 0 if everything held."""
    words = [program, "run", str(DESCRIPTION), "--url", ADDRESS, "--seed", "1"]
    words += ["--max-response-time", SECONDS, "--max-examples", examples, "--phases"]
    words += ["examples,coverage,fuzzing", *more]
    environment = {
        **os.environ,
        "SCHEMATHESIS_HOOKS": "tests.fuzz.answers",
        "PYTHONPATH": str(ROOT),
    }
    return subprocess.run(words, cwd=folder, env=environment, check=False).returncode


def main(program: str, examples: str = "1000") -> int:
    """Both runs against one process, whose log must hold no error of its own."""
    program = str(Path(program).absolute())
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with webhook(log):
            failed = schemathesis(
                *(folder, program, examples, "--checks", CHECKS),
                *("--header", f"Verification-Token: {TOKEN}"),
            )
            of_stranger = ",".join(name for name in CHECKS.split(",") if name not in STRANGER)
            failed |= schemathesis(folder, program, examples, "--checks", of_stranger)
        said = log.read_text()
    sys.stdout.write(said)
    return failed or int("internal error" in said or "Traceback" in said)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

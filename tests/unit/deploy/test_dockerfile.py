"""The image: its Dockerfile, and what may get into it."""

import fnmatch
import re
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def dockerfile(deploy: Path) -> str:
    return (deploy / "Dockerfile").read_text().replace("\\\n", " ")


def copied(dockerfile: str) -> list[str]:
    lines = re.findall(r"^COPY (?!--from)(.+)$", dockerfile, re.MULTILINE)
    return [source for line in lines for source in line.split()[:-1]]


def let_through(ignore: str, path: str) -> bool:
    """Whether the last rule of .dockerignore that fits lets the path through."""
    through = True
    for line in ignore.splitlines():
        rule = line.strip().removeprefix("!")
        if rule and not rule.startswith("#"):
            parents = [path, *map(str, Path(path).parents)]
            names = Path(path).parts if rule.startswith("**/") else ()
            if any(fnmatch.fnmatch(one, rule) for one in parents if one != ".") or any(
                fnmatch.fnmatch(name, rule[3:]) for name in names
            ):
                through = line.startswith("!")
    return through


def test_hadolint_finds_nothing(deploy: Path) -> None:
    """The linter for Dockerfiles is content."""
    hadolint = Path(sys.executable).with_name("hadolint")
    run = subprocess.run(
        [hadolint, "--no-color", deploy / "Dockerfile"], capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


def test_stages_user_and_health(dockerfile: str) -> None:
    """Two stages on slim Debian, no root at the end, and a look at /healthz."""
    stages = re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)
    assert len(stages) == 2
    assert all(re.fullmatch(r"python:3\.\d+-slim-\w+", stage) for stage in stages)
    last = dockerfile[dockerfile.rindex("FROM ") :]
    assert re.findall(r"^USER (.+)$", last, re.MULTILINE) == ["10001:10001"]
    assert re.search(r"^HEALTHCHECK .*/healthz", last, re.MULTILINE)
    assert re.search(r'^CMD \["python", "-m", "webhook"\]$', last, re.MULTILINE)


def test_dependencies_come_from_the_lock(dockerfile: str) -> None:
    """Every installation is held to the hashes of the lock, or to a version."""
    for line in re.findall(r"pip install [^&]+", dockerfile):
        assert "--require-hashes" in line or "--no-deps" in line or "==" in line


def test_the_health_check_speaks_python(dockerfile: str) -> None:
    """The command in HEALTHCHECK is a program that compiles."""
    (code,) = re.findall(r'HEALTHCHECK.*"-c", "(.+)"\]', dockerfile)
    compile(code.replace('\\"', '"'), "HEALTHCHECK", "exec")


def test_what_is_copied_is_there_and_not_ignored(repository: Path, dockerfile: str) -> None:
    """`.dockerignore` lets through all that the build copies."""
    ignore = (repository / ".dockerignore").read_text()
    assert len(copied(dockerfile)) >= 10
    for source in copied(dockerfile):
        assert (repository / source).exists(), source
        assert let_through(ignore, source.removeprefix("./")), source


@pytest.mark.parametrize(
    "path",
    [
        ".env",
        ".git/config",
        "data/token",
        "deploy/.env",
        "ringpost.toml",
        ".venv/bin/python",
        "worker/__pycache__/x.pyc",
        "tests/conftest.py",
    ],
)
def test_what_stays_outside(repository: Path, path: str) -> None:
    """Secrets, data and the working tree are not sent to the builder."""
    assert not let_through((repository / ".dockerignore").read_text(), path)


def test_every_package_is_in_the_image(repository: Path, dockerfile: str) -> None:
    """No package of the project is forgotten."""
    packages = {path.parent.name for path in repository.glob("*/__init__.py")} - {"tests", "bench"}
    assert packages <= set(copied(dockerfile)) | {s.strip("./") for s in copied(dockerfile)}

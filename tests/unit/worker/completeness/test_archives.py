"""Which archives are compared with what RingCentral lists."""

from pathlib import Path

from worker.completeness.archives import archives_in
from worker.handlers.archive import Archive


def test_buckets_are_left_out(tmp_path: Path) -> None:
    """Only folders are compared, each under the name of its step."""
    handlers = {"vault": Archive(to=str(tmp_path)), "cloud": Archive(to="s3://bucket/messages")}
    assert archives_in(handlers) == {"vault": tmp_path}

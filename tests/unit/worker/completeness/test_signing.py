"""A signature holds for the document it was made for, and for nothing else."""

import base64
import os
import stat
from pathlib import Path
from typing import Any

import orjson
import pytest

from worker.completeness.signing import (
    KEY_FILE,
    WrongSignatureError,
    canonical,
    check,
    public_keys,
    signer,
)

KEY = base64.b64encode(os.urandom(32)).decode()
OTHER = base64.b64encode(os.urandom(32)).decode()
DOCUMENT: dict[str, Any] = {"b": [1, {"x": "ü"}], "a": None}


def test_a_signed_document_passes_after_a_detour_through_a_file(tmp_path: Path) -> None:
    """Order and white space are not part of what is signed."""
    one = signer([KEY], tmp_path)
    text = orjson.dumps(one.sign(DOCUMENT), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)
    assert check(orjson.loads(text)) == one.public_key


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda d: d.update(a=1), "it was changed after it was signed"),
        (lambda d: d.update(c=1), "it was changed after it was signed"),
        (lambda d: d["b"].append(2), "it was changed after it was signed"),
        (lambda d: d.pop("signature"), "it is not signed"),
        (lambda d: d["signature"].update(algorithm="none"), "it is not signed with Ed25519"),
        (lambda d: d["signature"].update(value="?"), "no base64"),
        (lambda d: d["signature"].update(value="AAAA"), "it was changed after it was signed"),
        (lambda d: d["signature"].update(public_key="AAAA"), "no base64 of the right length"),
    ],
)
def test_whatever_is_edited_is_found(change: Any, why: str, tmp_path: Path) -> None:
    """The document, the signature, or the key."""
    signed = orjson.loads(orjson.dumps(signer([KEY], tmp_path).sign(DOCUMENT)))
    change(signed)
    with pytest.raises(WrongSignatureError, match=why):
        check(signed)


def test_who_signs_anew_has_another_key(tmp_path: Path) -> None:
    """An editor can sign for himself, but not as us."""
    forged = signer([OTHER], tmp_path).sign({"a": "edited"})
    assert check(forged) not in public_keys([KEY], tmp_path)


def test_a_fleet_with_one_key_signs_alike(tmp_path: Path) -> None:
    """RINGPOST_KEY, in either spelling of base64, gives one public key; nothing is written."""
    urlsafe = KEY.replace("+", "-").replace("/", "_")
    assert signer([KEY], tmp_path / "a").public_key == signer([urlsafe], tmp_path).public_key
    assert not list(tmp_path.iterdir())


def test_keys_that_were_rotated_are_still_known(tmp_path: Path) -> None:
    """The newest signs; a statement from before is still ours."""
    before = signer([OTHER], tmp_path).public_key
    assert signer([KEY, OTHER], tmp_path).public_key != before
    assert before in public_keys([KEY, OTHER], tmp_path)


def test_without_a_key_one_is_made_and_kept(tmp_path: Path) -> None:
    """For its owner alone; a second process reads the same."""
    data = tmp_path / "data"
    assert public_keys([], data) == []
    made = signer([], data).public_key
    assert signer([], data).public_key == made
    assert public_keys([], data) == [made]
    assert stat.S_IMODE((data / KEY_FILE).stat().st_mode) == 0o600
    assert [path.name for path in data.iterdir()] == [KEY_FILE]


def test_canonical_form() -> None:
    """Others can rebuild it: sorted keys, no white space, UTF-8."""
    assert canonical(DOCUMENT) == '{"a":null,"b":[1,{"x":"ü"}]}'.encode()

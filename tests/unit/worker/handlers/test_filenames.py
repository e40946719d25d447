"""Names of files and folders made of what strangers sent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from message_store.message import Attachment
from worker.handlers.filenames import MAX_BYTES, attachment_names, safe_id, safe_name

TAKEN = ("message.json", "manifest.json")


@pytest.mark.parametrize(
    ("given_name", "name"),
    [
        ("Rechnung für Łódź 日本.pdf", "Rechnung für Łódź 日本.pdf"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("C:\\Windows\\x.exe", "C__Windows_x.exe"),
        ("a\x00b\r\nc.txt", "ab c.txt"),
        ("\u202efdp.exe", "fdp.exe"),
        (".bashrc", "bashrc"),
        ("..", "unnamed"),
        ("", "unnamed"),
        ("\u3164\u2800\ufe0f", "unnamed"),
        ("a\u3164.pdf", "a.pdf"),
        ("///", "unnamed"),
        ("con.txt", "_con.txt"),
        ("--checkpoint-action=exec=sh x.png", "_--checkpoint-action=exec=sh x.png"),
        (" -rf", "_-rf"),
        ("COM1", "_COM1"),
        ("name. . .", "name"),
        ("half \ud800 pair", "half pair"),
        ("e\u0301.png", "\u00e9.png"),
    ],
)
def test_safe_name(given_name: str, name: str) -> None:
    """Letters of any script stay; what climbs, hides, ends lines, is a device or an option goes."""
    assert safe_name(given_name) == name


@given(st.text(alphabet=st.characters(exclude_categories=()), max_size=300))
def test_any_text_makes_a_safe_name(text: str) -> None:
    """Whatever comes in, one plain visible file name comes out."""
    name = safe_name(text)
    assert 0 < len(name.encode()) <= MAX_BYTES
    assert name == name.strip(" .")
    assert not name.startswith("-")
    assert not set(name) & set('/\\:*?"<>|\x00\r\n')


def test_a_long_name_keeps_its_extension() -> None:
    """4 KB of name become one that file systems take, with the extension it had."""
    assert safe_name("日" * 4096 + ".pdf").endswith("日.pdf")
    assert len(safe_name("x" * 4096).encode()) == MAX_BYTES


def test_ids() -> None:
    """A plain id is itself; every other one is marked, and no two share a part in any case."""
    assert safe_id("403201507008") == "403201507008"
    hostile = [
        "",
        ".",
        "..",
        "../x",
        "a/b",
        "a_b",
        "A",
        "a",
        "CON",
        "con",
        "nul.",
        "x" * 4096,
        "\0",
    ]
    parts = [safe_id(text) for text in hostile]
    assert len({part.casefold() for part in parts}) == len(hostile)
    assert all(part == safe_name(part) for part in parts)


def names(*parts: tuple[str, str | None, str | None]) -> list[str]:
    attachments = [Attachment(id=i, file_name=name, content_type=kind) for i, name, kind in parts]
    return attachment_names(attachments, TAKEN)


def test_collisions_are_told_apart() -> None:
    """Names equal but for case, or taken by us, carry their attachment's id."""
    pdf = "application/pdf"
    assert names(("1", "A.pdf", pdf), ("2", "a.PDF", pdf), ("3", "b.pdf", pdf)) == [
        "A-1.pdf",
        "a-2.PDF",
        "b.pdf",
    ]
    assert names(("9", "Message.JSON", None)) == ["Message-9.JSON"]
    long = "x" * 500 + ".pdf"
    assert len(set(names(("1", long, pdf), ("2", long, pdf)))) == 2


def test_names_do_not_depend_on_the_order() -> None:
    """A repeat that lists the attachments in another order finds the same files."""
    parts: list[tuple[str, str | None, str | None]]
    parts = [("1", "a.png", "image/png"), ("2", "A.png", "image/png"), ("3", None, "image/png")]
    assert names(*parts) == list(reversed(names(*reversed(parts))))


def test_even_the_same_id_twice() -> None:
    """Two attachments that agree in everything still get a name each."""
    assert len(set(names(("1", "a.pdf", None), ("1", "a.pdf", None), ("1", "a.pdf", None)))) == 3


def test_the_extension_agrees_with_the_type() -> None:
    """What a double click does is decided by the declared type, not by the name's end."""
    assert names(("1", "invoice.exe", "application/pdf")) == ["invoice.exe.pdf"]
    assert names(("1", "photo.JPEG", "image/jpeg")) == ["photo.JPEG"]


def test_names_of_the_nameless() -> None:
    """Without a name it is called after its kind and id."""
    recording = Attachment(id="7", type="AudioRecording", content_type="audio/x-wav")
    assert attachment_names([recording, Attachment(id="8")]) == ["recording-7.wav", "attachment-8"]

"""Bulk forms: which ids are taken, and what each answer says of each of them."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from message_store.batch import MULTIPART_JSON, Entry, by_id, chunks, message_id, message_ids
from message_store.calls import Answer
from message_store.errors import BadAnswer, LimitedMode, NotFound, RingCentralError
from message_store.parsing import NotJsonError

GONE = {"errorCode": "CMN-102", "errors": [{"errorCode": "CMN-102", "parameterName": "messageId"}]}
PREFIX = "https://platform.ringcentral.com/restapi/v1.0/account/7/extension/101/message-store"


def as_json(parts: Any) -> Answer:
    body = parts if isinstance(parts, bytes) else json.dumps(parts).encode()
    return Answer("message-mark", 207, {"Content-Type": MULTIPART_JSON}, body)


def as_mixed(index: Any, *bodies: Any, newline: str = "\r\n") -> Answer:
    documents = [json.dumps(document, ensure_ascii=False) for document in (index, *bodies)]
    lines = []
    for document in documents:
        lines += ["--Boundary_1_2", "Content-Type: application/json", "", document]
    body = newline.join([*lines, "--Boundary_1_2--", ""]).encode()
    kind = {"Content-Type": "multipart/mixed; boundary=Boundary_1_2"}
    return Answer("message", 207, kind, body)


def statuses(*statuses: int) -> dict[str, Any]:
    return {
        "response": [
            {"href": f"{PREFIX}/{n}", "status": status, "responseDescription": "x"}
            for n, status in enumerate(statuses, start=1)
        ]
    }


def kinds(found: dict[str, Entry | RingCentralError]) -> dict[str, type]:
    return {one: type(outcome) for one, outcome in found.items()}


@pytest.mark.parametrize(
    "value", ["*", "", " 1", "1,2", "../1", "1?x", "١٢", "-1", "1" * 21, "1\n"]
)
def test_what_is_no_message_id(value: str) -> None:
    """Only digits become part of a path; `*` above all does not."""
    with pytest.raises(ValueError, match="not a message id"):
        message_id(value)


def test_a_list_of_ids() -> None:
    """Repetitions go, nothing at all is refused, and a text is no list."""
    assert message_ids(["2", "1", "2"]) == ["2", "1"]
    with pytest.raises(ValueError, match="all messages"):
        message_ids([])
    with pytest.raises(ValueError, match="list of message ids"):
        message_ids("123")


def test_chunks_keep_all_in_order() -> None:
    """No id is lost or doubled between calls."""
    ids = [str(n) for n in range(45)]
    assert [len(chunk) for chunk in chunks(ids, 20)] == [20, 20, 5]
    assert [one for chunk in chunks(ids, 20) for one in chunk] == ids


def test_a_json_answer_names_its_parts() -> None:
    """Ids may be numbers or texts and come in any order; a failed part is its error."""
    parts = [
        {"resourceId": 3, "status": 503, "body": {"errors": [{"errorCode": "CMN-211"}]}},
        {"resourceId": "2", "status": 404, "body": GONE},
        {"resourceId": "1", "status": 200, "body": {"id": 1}},
    ]
    found = by_id(as_json(parts), ["1", "2", "3", "4"])
    assert kinds(found) == {"1": Entry, "2": NotFound, "3": LimitedMode, "4": BadAnswer}
    assert "message-mark" in str(found["2"])


def test_an_answer_without_ids_goes_by_the_order() -> None:
    """The parts are those of the ids, if there are as many."""
    parts = [{"status": 204}, {"status": 404, "body": GONE}]
    assert kinds(by_id(as_json(parts), ["8", "9"])) == {"8": Entry, "9": NotFound}
    assert kinds(by_id(as_json(parts), ["8"])) == {"8": BadAnswer}


@pytest.mark.parametrize("newline", ["\r\n", "\n"])
def test_a_mixed_answer(newline: str) -> None:
    """An index and then a part for each id; text is UTF-8."""
    answer = as_mixed(statuses(200, 404), {"id": 1, "subject": "ça ☎"}, GONE, newline=newline)
    found = by_id(answer, ["1", "2"])
    assert kinds(found) == {"1": Entry, "2": NotFound}
    assert found["1"] == Entry("1", 200, {"id": 1, "subject": "ça ☎"})


def test_a_mixed_answer_without_parts_for_failures() -> None:
    """Bodies are then found by their own ids."""
    found = by_id(as_mixed(statuses(404, 200), {"id": 2}), ["1", "2"])
    assert found["2"] == Entry("2", 200, {"id": 2})
    assert isinstance(found["1"], NotFound)


@pytest.mark.parametrize(
    "answer",
    [
        as_json(b"<html>"),
        as_json({"a": 1}),
        as_mixed(["no index"]),
        Answer("x", 207, {"Content-Type": "multipart/mixed"}, b"no boundary"),
        Answer("x", 207, {"Content-Type": "multipart/mixed; boundary=b"}, b""),
    ],
)
def test_an_answer_that_is_no_batch(answer: Answer) -> None:
    """It is a bad answer as a whole."""
    with pytest.raises(BadAnswer):
        by_id(answer, ["1"])


@given(
    st.sampled_from(["multipart/mixed; boundary=b", 'multipart/mixed; boundary="', MULTIPART_JSON]),
    st.binary(max_size=60)
    | st.just(b"--b\r\n\r\n{}\r\n--b--")
    | st.just(b'[{"status": "200", "resourceId": []}, 5]'),
)
def test_any_bytes_have_an_outcome(kind: str, body: bytes) -> None:
    """Whatever comes, each id has an outcome or the whole is a bad answer."""
    try:
        assert set(by_id(Answer("x", 207, {"Content-Type": kind}, body), ["1"])) == {"1"}
    except BadAnswer as error:
        assert not isinstance(error.__cause__, NotJsonError)  # noqa: PT017  # about the cause

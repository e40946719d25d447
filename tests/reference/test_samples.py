"""Every sample that RingCentral publishes is understood by our models."""

import json
from pathlib import Path
from typing import Any

import pytest

from message_store import notification
from message_store.extension import Extension
from message_store.message import Message
from message_store.subscription import Subscription


def test_the_sample(sample: Path) -> None:
    """What is a message, a list of them, a notification or a subscription is parsed, ids kept."""
    text = sample.read_text()
    folder, name = sample.parent.name, sample.name
    documents = list(_parts(text)) if sample.suffix == ".txt" else [json.loads(text)]
    if folder == "notifications" and "uuid" in documents[0]:
        told = notification.parse(text.encode())
        assert told.event == documents[0]["event"]
        assert (told.kind == "message-store") == ("extension" in told.event and _tells(told.event))
    for document in documents:
        for found in _messages(document):
            message = Message.model_validate(found)
            assert message.id == str(found["id"])
            assert [part.id for part in message.attachments] == [
                str(part["id"]) for part in found.get("attachments") or []
            ]
            assert {**found, **message.to_wire()}.keys() == found.keys()
    if name.startswith("subscription-") and folder == "responses":
        for found in documents[0].get("records", documents):
            assert Subscription.model_validate(found).id == found["id"]
    if name == "extension-list.json" and folder == "responses":
        for found in documents[0]["records"]:
            assert Extension.model_validate(found).id == str(found["id"])


def test_there_are_samples(request: pytest.FixtureRequest) -> None:
    """The samples are found at all."""
    found = [item for item in request.session.items if "test_the_sample[" in item.name]
    assert len(found) > 60


def _tells(event: str) -> bool:
    return any(resource in event for resource in ("/message-store", "/voicemail", "/fax"))


def _parts(text: str) -> Any:
    """The JSON parts of a published multipart answer."""
    boundary = text.partition("boundary=")[2].split()[0]
    for part in text.split(f"--{boundary}")[1:-1]:
        yield json.loads(part.partition("\n\n")[2])


def _messages(document: Any) -> Any:
    """Every object that is a message, wherever it is: it has an id and a creation time."""
    if isinstance(document, list):
        for item in document:
            yield from _messages(item)
    elif isinstance(document, dict):
        if {"id", "creationTime", "direction"} <= document.keys():
            yield document
        for member in document.values():
            yield from _messages(member)

"""Answers that hold many records: a page of a list, a step of a synchronisation."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import structlog
from pydantic import TypeAdapter, ValidationError

from message_store.calls import Answer
from message_store.message import Message
from message_store.wire import Moment, Record

log = structlog.get_logger()
_moment: TypeAdapter[datetime] = TypeAdapter(Moment)
Model = TypeVar("Model", bound=Record)


@dataclass(frozen=True, slots=True)
class SyncPage:
    """What changed in a mailbox; `token` leads to the next changes, `time` is when they end."""

    records: list[Message]
    token: str
    time: datetime | None
    older_records_exist: bool


@dataclass(frozen=True, slots=True)
class ListPage:
    """A page of messages, newest first; `total_pages` is None where RingCentral does not count."""

    records: list[Message]
    page: int
    total_pages: int | None
    has_next: bool


def read_sync(answer: Answer) -> SyncPage:
    """The step of a synchronisation in an answer; raises BadAnswer."""
    document = answer.json_object()
    info = document.get("syncInfo")
    token = info.get("syncToken") if isinstance(info, dict) else None
    if not isinstance(info, dict) or not isinstance(token, str) or not token:
        raise answer.unexpected("holds no sync token")
    try:
        time = _moment.validate_python(info.get("syncTime"))
    except ValidationError:
        time = None
    return SyncPage(
        records=read_records(answer, document, Message),
        token=token,
        time=time,
        older_records_exist=info.get("olderRecordsExist") is True,
    )


def read_list(answer: Answer, page: int, per_page: int) -> ListPage:
    """The page of messages in an answer; raises BadAnswer."""
    document = answer.json_object()
    records = read_records(answer, document, Message)
    total, more = read_paging(document, page, len(document["records"]) >= per_page)
    return ListPage(records, page, total, more)


def read_paging(document: dict[str, Any], page: int, full: bool) -> tuple[int | None, bool]:
    """How many pages there are, if told, and whether another follows this one."""
    paging = document.get("paging")
    total = paging.get("totalPages") if isinstance(paging, dict) else None
    total = total if isinstance(total, int) and not isinstance(total, bool) else None
    navigation = document.get("navigation")
    if isinstance(navigation, dict) and navigation:
        return total, isinstance(navigation.get("nextPage"), dict)
    return total, page < total if total is not None else full


def read_records(answer: Answer, document: dict[str, Any], model: type[Model]) -> list[Model]:
    """The records in an answer; those without a usable id are left out, and that is logged."""
    records = document.get("records")
    if not isinstance(records, list):
        raise answer.unexpected("holds no list of records")
    found = [one for one in (read_record(record, model) for record in records) if one is not None]
    if left_out := len(records) - len(found):
        log.warning(
            "records without a usable id left out", operation=answer.operation, records=left_out
        )
    return found


def read_one(answer: Answer, model: type[Model]) -> Model:
    """The one record that is the answer; raises BadAnswer."""
    record = read_record(answer.json_object(), model)
    if record is None:
        raise answer.unexpected("is a record without a usable id")
    return record


def read_record(value: object, model: type[Model]) -> Model | None:
    """The value as a record, None if it has no usable id."""
    try:
        record = model.model_validate(value)
    except ValidationError:
        return None
    return record if record.has_usable_id else None

"""How an object of RingCentral becomes a model: leniently, with nothing of it lost."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    AfterValidator,
    AliasGenerator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_camel


def _id_as_text(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except OverflowError as error:  # the year 1 or 9999, shifted out of the calendar
        raise ValueError("outside the calendar") from error


Id = Annotated[str, BeforeValidator(_id_as_text), Field(min_length=1)]
Moment = Annotated[datetime, AfterValidator(_in_utc)]
Count = Annotated[int, Field(ge=0)]


def objects_only(*, having: str | None = None) -> Callable[[object], list[object]]:
    """A validator's first step: of anything, the list of its objects (that have this member)."""

    def keep(value: object) -> list[object]:
        found = value if isinstance(value, list | tuple) else []
        return [item for item in found if _is_object(item, having)]

    return keep


def texts_only(value: object) -> list[str]:
    """A validator's first step: of anything, the list of its texts."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _is_object(item: object, member: str | None) -> bool:
    if isinstance(item, BaseModel):
        return True
    if not isinstance(item, Mapping):
        return False
    if member is None:
        return True
    value = _id_as_text(item.get(member))
    return isinstance(value, str) and value != ""


class WireModel(BaseModel):
    """A JSON object of RingCentral: camelCase outside, snake_case inside, unknown fields kept.

    A field whose value is not of its type takes its default, and the value stays among the
    unknown fields: a bad date must not cost a message. Only required fields are required.
    """

    model_config = ConfigDict(
        alias_generator=AliasGenerator(alias=to_camel),
        validate_by_name=True,
        validate_by_alias=True,
        coerce_numbers_to_str=True,
        extra="allow",
        frozen=True,
        hide_input_in_errors=True,  # texts and numbers of people
    )

    @model_validator(mode="wrap")
    @classmethod
    def _keep_what_is_good(cls, value: object, handler: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return handler(value)
        except ValidationError as error:
            if not isinstance(value, Mapping):
                raise
            bad = {str(fault["loc"][0]) for fault in error.errors() if fault["loc"]}
        names = {name for name, field in cls.model_fields.items() if {name, field.alias} & bad}
        spelled = names | {cls.model_fields[name].alias for name in names}
        model = handler({key: item for key, item in value.items() if key not in spelled})
        kept = {key: item for key, item in value.items() if key in spelled}
        if model.__pydantic_extra__ is not None:
            model.__pydantic_extra__.update(kept)
        return model

    def to_wire(self) -> dict[str, Any]:
        """The object as RingCentral spells it, unknown fields included, absent ones left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)


class Record(WireModel):
    """An object that is asked for by its id; one whose id is not of `id_form` is not to be used."""

    id_form: ClassVar[re.Pattern[str]]

    id: Id

    @property
    def has_usable_id(self) -> bool:
        """Whether the id can be part of a path, a file name or a line of the ledger."""
        return self.id_form.fullmatch(self.id) is not None

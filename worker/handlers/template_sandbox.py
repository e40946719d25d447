"""What a template may touch and how much it may make: fields only, bounded texts, bounded loops.

Templates are the administrator's own: the bounds keep a slip from holding up the worker.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from inspect import getattr_static
from typing import Any, cast

from jinja2 import ChainableUndefined, TemplateSyntaxError, nodes, pass_context
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from pydantic import BaseModel

from message_store.wire import WireModel
from worker.handlers import template_bounds as bounds

MAX_STEPS = 10_000
_STEPS = "_steps"


class TemplateEnvironment(ImmutableSandboxedEnvironment):
    """Jinja in its sandbox, tightened."""

    intercepted_binops = frozenset({"*", "**", "+", "%"})
    # Joins what macros and `{% set %}` blocks make.
    concat = staticmethod(bounds.joined)

    def __init__(self) -> None:
        # Every field of a message may be absent, so an absent one is empty text, not an error.
        # Without the optimizer nothing is computed before there is a message.
        super().__init__(undefined=ChainableUndefined, finalize=_shown, optimized=False)
        self.globals["range"] = bounds.bounded_range
        del self.globals["lipsum"]
        self.filters = {
            **{name: bounds.bounded_filter(name, call) for name, call in self.filters.items()},
            "_counted": _counted,
            "_checked": bounds.checked,
        }

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Also finds a field by RingCentral's spelling: `message.readStatus`, `message.from`."""
        if isinstance(obj, WireModel):
            attribute = _fields_by_wire_name(type(obj)).get(attribute, attribute)
        if _is_closed(obj, attribute):  # without reading it: that may compute or warn
            return self.unsafe_undefined(obj, attribute)
        return super().getattr(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """As `getattr` for models, which have no items."""
        if isinstance(obj, BaseModel) and isinstance(argument, str):
            return self.getattr(obj, str(argument))
        return super().getitem(obj, argument)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Of a model and a named tuple only the data, see `_is_closed`."""
        return not _is_closed(obj, attr) and super().is_safe_attribute(obj, attr, value)

    def call(self, context: Context, called: Any, /, *args: Any, **kwargs: Any) -> Any:
        """A call costs a step, and neither takes nor gives too much."""
        _step(context)
        bounds.check_call(called, args, kwargs)
        return bounds.checked(super().call(context, called, *args, **kwargs))

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """An operation that can make much of little is looked at first."""
        bounds.check_operation(operator, left, right)
        return bounds.checked(super().call_binop(context, operator, left, right))

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        for loop in list(tree.find_all(nodes.For)):
            if loop.recursive:
                raise TemplateSyntaxError("a loop cannot be recursive here", loop.lineno, name)
            loop.iter = _filtered(cast("nodes.Expr", loop.iter), "_counted")
        for joined in list(tree.find_all(nodes.Concat)):
            whole = nodes.Concat(joined.nodes, lineno=joined.lineno)
            joined.nodes = [_filtered(whole, "_checked")]
        tree.set_environment(self)
        return tree


def with_steps(values: Mapping[str, object]) -> dict[str, object]:
    """The values for one rendering, with what counts its steps."""
    return {**values, _STEPS: iter(range(MAX_STEPS))}


def _filtered(value: nodes.Expr, name: str) -> nodes.Filter:
    return nodes.Filter(value, name, [], [], None, None, lineno=value.lineno)


def _step(context: Context) -> None:
    # In `parent` are the values given; a template's own `set` cannot get at them.
    if next(context.parent[_STEPS], None) is None:
        raise bounds.TooMuchError(f"takes more than {MAX_STEPS} steps")


@pass_context
def _counted(context: Context, items: Iterable[Any]) -> Iterator[Any]:
    for item in items:
        _step(context)
        yield item


@pass_context  # so that Jinja does not compute what looks constant while it compiles
def _shown(_context: Context, value: object) -> object:
    return "" if value is None else bounds.checked(value)


@cache
def _fields_by_wire_name(model: type[WireModel]) -> dict[str, str]:
    return {field.alias or name: name for name, field in model.model_fields.items()}


def _is_closed(obj: object, name: str) -> bool:
    """Whether a name is none of the data: pydantic's and tuples' own methods, some run code."""
    if isinstance(obj, BaseModel):
        return name in _closed_names(type(obj))
    return isinstance(obj, tuple) and hasattr(obj, "_fields") and name not in obj._fields


@cache
def _closed_names(model: type[BaseModel]) -> frozenset[str]:
    return frozenset(dir(model)) - set(model.model_fields) - _properties(model)


def _properties(model: type[BaseModel]) -> set[str]:
    own = set(dir(model)) - set(dir(BaseModel))
    return {name for name in own if isinstance(getattr_static(model, name), property)}

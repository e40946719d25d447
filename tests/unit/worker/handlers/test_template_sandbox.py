"""What a template can reach, and what it can make of it."""

import time
import warnings

import pytest
from pydantic import BaseModel

from message_store.mailbox import Mailbox
from message_store.message import Attachment, Message, Party
from worker.handlers.conformance_cases import MMS
from worker.handlers.contract import PermanentError
from worker.handlers.rendering import check_template, render

PERSON = {"name": "Jane", "phoneNumber": "+1"}
WIRE = {**MMS.wire, "from": PERSON, "coverPageText": "for you", "parse_file": "own", "count": 1}
VALUES = {
    "message": Message.model_validate(WIRE),
    "mailbox": Mailbox("1", "2"),
    "route": "r",
}
MODELS = {"message": Message, "message.from": Party, "message.attachments[0]": Attachment}
REACH = ["{{ %s.%s is defined }}", "{{ %s['%s'] is defined }}", "{{ %s|attr('%s') is defined }}"]


@pytest.mark.parametrize("form", REACH)
@pytest.mark.parametrize("owner", MODELS)
def test_no_method_of_a_model(owner: str, form: str) -> None:
    """Nothing of pydantic's is there, whatever the way to it: some of it runs code."""
    names = sorted({*dir(BaseModel), "to_wire", "_keep_what_is_good", "__pydantic_fields__"})
    with warnings.catch_warnings(record=True) as warned:
        found = [name for name in names if render(form % (owner, name), VALUES) != "False"]
    assert found == []
    assert not warned


@pytest.mark.parametrize(
    "call",
    [
        "message.parse_raw('x', proto='pickle', allow_pickle=true)",
        "message.parse_file('/etc/passwd')",
        "message.model_copy(update={})",
        "[message]|map(attribute='parse_raw')|first('x')",
        "([message]|map('attr', 'parse_raw')|list)[0]('x')",
        "mailbox.parse('1/2')",
        "mailbox._make(['1', '2'])",
        "mailbox['parse']('1/2')",
    ],
)
def test_no_way_around(call: str) -> None:
    """Calls of what is closed fail."""
    with pytest.raises(PermanentError, match=r"a template failed: (SecurityError|TypeError)"):
        render("{{ " + call + " }}", VALUES)
    assert render("{{ '{0.parse_raw}{0.model_config}'.format(message) }}", VALUES) == ""


@pytest.mark.parametrize("model", MODELS.values())
def test_all_data_is_there(model: type[BaseModel]) -> None:
    """Declared fields, unknown ones and the models' own properties can be shown."""
    owner = next(name for name, value in MODELS.items() if value is model)
    names = {name for name in dir(model) if isinstance(getattr(model, name, None), property)}
    for name in (names - set(dir(BaseModel))) | set(model.model_fields):
        assert render(f"{{{{ {owner}.{name} is defined }}}}", VALUES) == "True", name
    assert render("{{ message.coverPageText }} {{ message['readStatus'] }}", VALUES) == (
        "for you Unread"
    )
    assert render("{{ mailbox.account_id }}/{{ mailbox[1] }}", VALUES) == "1/2"


@pytest.mark.parametrize(
    "template",
    [
        "{{ ('a' * 10**9)|length }}",
        "{{ 10**9 * 'a' }}",
        "{{ ([0] * 10**9)|length }}",
        "{{ 9 ** (10 ** 9) }}",
        "{{ 'a'.ljust(10**9) }}",
        "{{ 'a'|center(10**9) }}",
        "{{ 'a'|indent(10**9, true) }}",
        "{{ 'a'|replace('', 'b' * 200000)|replace('b', 'c' * 200000) }}",
        "{{ (range(1000)|list)|join('x' * 100000) }}",
        "{{ range(1000)|map('string')|join('x' * 100000) }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ '%*d' % (10**9, 1) }}",
        "{{ '%.1000000000f'|format(1) }}",
        "{{ '{:1000000000}'.format(1) }}",
        "{{ '{:{}}'.format(1, '1000000000') }}",
        "{{ range(10**9)|list }}",
        "{% set n = namespace(s='aaaa') %}"
        "{% for i in range(60) %}{% set n.s = n.s + n.s %}{% endfor %}",
        "{% set n = namespace(s='aaaa') %}"
        "{% for i in range(60) %}{% set n.s = n.s ~ n.s %}{% endfor %}",
        "{% set n = namespace(s=[1]) %}"
        "{% for i in range(60) %}{% set n.s = n.s + n.s %}{% endfor %}",
        "{% set b = 'x' * 200000 %}{% set s %}"
        "{% for i in range(999) %}{{ b }}{% endfor %}{% endset %}",
        "{% for a in range(999) %}{% for b in range(999) %}{% endfor %}{% endfor %}",
        "{% for a in range(999) %}{% for b in range(999) if false %}{% endfor %}{% endfor %}",
        "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}"
        "{% endmacro %}{{ m(40) }}",
        "{% set _steps = range(9)|list %}"
        "{% for a in range(999) %}{% for b in range(999) %}{% endfor %}{% endfor %}",
    ],
)
def test_a_slip_is_refused_soon(template: str) -> None:
    """What would fill the memory or run for ever is one clean error, and no work at the check."""
    started = time.process_time()
    check_template(template.replace("_steps", "steps"))
    with pytest.raises(PermanentError, match=r"^a template (makes|counts|computes|formats|takes)"):
        render(template, VALUES)
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ '%05.1f' % 3.14159 }} {{ '%s: %s'|format('a', 12345) }}", "003.1 a: 12345"),
        ("{{ '{:>5}|{}'.format('a', 123456) }} 94404 * 100%", "    a|123456 94404 * 100%"),
        ("{{ message.created.strftime('%d.%m.%Y') }}", "23.11.2025"),
        ("{{ message.to|map(attribute='name')|join(', ') }}", "Front desk"),
        ("{% for f in message.files %}{{ loop.index }}/{{ loop.length }} {% endfor %}", "1/2 2/2 "),
        ("{{ '-' * 20 }}{{ 2 ** 10 * 3 + 1 }}", "-" * 20 + "3073"),
        ("{{ message.subject|truncate(5)|upper }} {{ 'a' ~ 1 ~ none }}", "TW... a1None"),
        ("{{ (message.conversationId or '5439834568291730433')|int % 10 }}", "3"),
        ("{% set x %}<{{ route }}>{% endset %}{{ x }}{{ message.to[0].name[:5] }}", "<r>Front"),
        ("{% for x in [] %}{% else %}none{% endfor %}", "none"),
    ],
)
def test_what_people_write_works(template: str, text: str) -> None:
    """The bounds are far from ordinary templates."""
    assert render(check_template(template), VALUES) == text


def test_a_long_text_passes() -> None:
    """The usual filters take a text as long as a message can have."""
    values = {**VALUES, "message": Message.model_validate({**WIRE, "subject": "ab \n" * 15_000})}
    for call in ("upper", "truncate(200)", "replace('\n', ' / ')", "wordwrap(70)", "indent(4)"):
        assert render(f"{{{{ message.text|{call} }}}}", values)


def test_recursive_loops_are_refused() -> None:
    """They could not be counted, and no message is a tree."""
    with pytest.raises(ValueError, match="a loop cannot be recursive here"):
        check_template("{% for x in message.to recursive %}{{ loop(message.to) }}{% endfor %}")

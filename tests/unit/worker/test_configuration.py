"""Reading ringpost.toml: what is accepted, and one exact line for each mistake."""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest

from worker.configuration import Configuration, load
from worker.handlers.built_in import BUILT_IN
from worker.problems import ConfigurationError

ROUTE = '[[routes]]\nname = "Faxes"\nsteps = ["archive"]\n'
VAULT = '[handlers.vault]\nuse = "archive"\nto = "file:///srv"\n'
HOURS = '[hours.office]\nzone = "Europe/Berlin"\nopen = ["Mon-Fri 09:00-17:00"]\n'
CONTACTS = '[contacts.patients]\nfile = "patients.csv"\n'
SYNTAX = '; write key = value, with text in "quotes" and lists in [brackets]'
IN_QUOTES = "must be text, not a number; put it in quotes:"

Load = Callable[..., Configuration]


@pytest.fixture
def loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Load a configuration from its text."""
    monkeypatch.chdir(tmp_path)
    Path("empty.csv").touch()
    Path("loop.toml").symlink_to("loop.toml")
    Path("patients.csv").write_text("number\n101\n")
    Path("wrong.csv").write_text("number,name\n101,Anna\n12x,Bert\n")
    Path("holidays.txt").write_text("2026-12-24\nChristmas\n")

    def load_text(text: str | bytes, **environ: str) -> Configuration:
        path = Path("ringpost.toml")
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return load(path, environ)

    return load_text


def route(lines: str) -> str:
    return f'[[routes]]\nname = "Faxes"\nsteps = ["archive"]\n{lines}\n'


def example(lines: str) -> str:
    return f'{ROUTE}[[tests]]\nname = "A fax"\n{lines}\nexpect = []\n'


def account(lines: str) -> str:
    known = 'name = "clinic"\nclient_id = "c"\nclient_secret = "s"\njwt = "j"'
    return f"{ROUTE}[[accounts]]\n{known}\n{lines}\n"


WRONG: list[tuple[str, str]] = [
    # the syntax of TOML
    ("mailboxes = \n", f"line 1, column 13: invalid value{SYNTAX}"),
    ("a = 1\nmailboxes = all\n", f"line 2, column 13: invalid value{SYNTAX}"),
    ('mailboxes = ["~"', f"at its end: unclosed array{SYNTAX}"),
    ("[sync\n", f"line 1, column 6: expected ']' at the end of a table declaration{SYNTAX}"),
    (
        "[sync]\n[sync]\n",
        "line 2, column 6: cannot declare ('sync',) twice; it is there already; write it once",
    ),
    (
        ROUTE + 'match.type = "Fax"\nmatch.type = "SMS"\n',
        "line 5, column 19: cannot overwrite a value; it is there already; write it once, with "
        "several values in [brackets]",
    ),
    (
        'a = "C:\\srv"\n',
        "line 1, column 10: unescaped '\\' in a string; write text with a \\ in it in "
        "'single quotes'",
    ),
    # the top level
    ("", '"routes": must be at least one [[routes]] table with a name and steps'),
    ("routes = []", '"routes": must be at least one [[routes]] table with a name and steps'),
    ("routes = 3", '"routes": must be [[routes]] tables, not a number'),
    (
        '[routes]\nname = "Faxes"\n',
        '"routes": must be written [[routes]], in double brackets, once for each route',
    ),
    (ROUTE.replace("routes", "route"), '"route": unknown key; did you mean "routes"?'),
    ('mailboxs = ["~"]\n' + ROUTE, '"mailboxs": unknown key; did you mean "mailboxes"?'),
    (
        "zzz = 1\n" + ROUTE,
        '"zzz": unknown key; known are mailboxes, include, accounts, sync, subscriptions, '
        "reconcile, retries, handlers, routes, hours, contacts, tests",
    ),
    (
        ROUTE + 'mailboxes = "all"\n',
        '[[routes]] "Faxes" "mailboxes": unknown key; it belongs at the top of the file, before '
        "the first [table]",
    ),
    (
        '[sync]\ninclude = ["more.toml"]\n' + ROUTE,
        '[sync] "include": unknown key; it belongs at the top of the file, before the first '
        "[table]",
    ),
    # accounts
    ("accounts = 3\n" + ROUTE, '"accounts": must be [[accounts]] tables, not a number'),
    (
        ROUTE + '[accounts]\nname = "clinic"\n',
        '"accounts": must be written [[accounts]], in double brackets, once for each credential',
    ),
    (
        account("").replace('jwt = "j"\n', ""),
        '[[accounts]] "clinic" "jwt": is missing; write such as jwt = "${CLINIC_JWT}"',
    ),
    (account('jwtt = "x"'), '[[accounts]] "clinic" "jwtt": unknown key; did you mean "jwt"?'),
    (
        account('server = "http://example.com"'),
        '[[accounts]] "clinic" "server": "http://example.com" begins with http:// and would show '
        "the token to the network; use https://example.com (http:// is for this machine only)",
    ),
    (
        account("").replace('"j"', '" "'),
        '[[accounts]] "clinic" "jwt": the value is empty; write such as ${CLINIC_JWT}',
    ),
    (
        account("") + account("").removeprefix(ROUTE),
        '"accounts": must have names of their own, and "clinic" is there twice',
    ),
    (
        account("") + account("").removeprefix(ROUTE).replace("clinic", "office"),
        '"accounts": must have credentials of their own, and "office" has those of "clinic"; '
        "put the mailboxes of both into one",
    ),
    (
        account('mailboxes = ["reception"]'),
        '[[accounts]] "clinic" "mailboxes", entry 1: "reception" is no mailbox; write "~", or an '
        "extension's number or id",
    ),
    (
        '[sync]\nowner = "sharde"\n' + ROUTE,
        '[sync] "owner": "sharde" is not known; did you mean "shared"?',
    ),
    # mailboxes
    (
        'mailboxes = "~"\n' + ROUTE,
        '"mailboxes": must be a list such as ["~"], or "all", not text',
    ),
    (
        "mailboxes = 101\n" + ROUTE,
        '"mailboxes": must be a list such as ["~"], or "all", not a number',
    ),
    (
        "mailboxes = []\n" + ROUTE,
        '"mailboxes": must name at least one mailbox; "~" is the signed-in extension',
    ),
    ('mailboxes = ["~", 101]\n' + ROUTE, f'"mailboxes", entry 2: {IN_QUOTES} "101"'),
    (
        'mailboxes = ["reception"]\n' + ROUTE,
        '"mailboxes", entry 1: "reception" is no mailbox; write "~", or an extension\'s number '
        "or id",
    ),
    (
        'mailboxes = ["(650) 555-0100"]\n' + ROUTE,
        '"mailboxes", entry 1: "(650) 555-0100" is a phone number; write the extension\'s number '
        "or id instead",
    ),
    (
        'mailboxes = ["all", "101"]\n' + ROUTE,
        '"mailboxes": must be a list of mailboxes or "all", not both',
    ),
    # sync and subscriptions
    ("sync = 4\n" + ROUTE, '"sync": must be a table, not a number'),
    (
        '[sync]\nstart = "yesterday"\n' + ROUTE,
        '[sync] "start": "yesterday" is no start; write "now", how far back such as "30d", '
        "or a date",
    ),
    (
        '[sync]\nstart = "2926-01-31"\n' + ROUTE,
        '[sync] "start": "2926-01-31" lies in the future, and what comes before it would never '
        "be told",
    ),
    (
        "[sync]\nstart = 30\n" + ROUTE,
        '[sync] "start": must be text such as "now", "30d" or "2026-01-31", not a number',
    ),
    (
        '[sync]\nsweep_interval = "15 minutes"\n' + ROUTE,
        '[sync] "sweep_interval": "15 minutes" is not a length of time; '
        'write such as "90s", "15m", "2h" or "30d"',
    ),
    (
        "[sync]\nsweep_interval = 15\n" + ROUTE,
        '[sync] "sweep_interval": must be a length of time such as "15m", not a number',
    ),
    (
        '[sync]\nsweep_interval = "0m"\n' + ROUTE,
        '[sync] "sweep_interval": must be longer than nothing and shorter than a hundred years',
    ),
    (
        '[sync]\nsweep-interval = "15m"\n' + ROUTE,
        '[sync] "sweep-interval": unknown key; did you mean "sweep_interval"?',
    ),
    (
        '[subscriptions]\ncheck_intervall = "5m"\n' + ROUTE,
        '[subscriptions] "check_intervall": unknown key; did you mean "check_interval"?',
    ),
    (
        '[retries]\nschedule = "30s"\n' + ROUTE,
        '[retries] "schedule": must be a list such as ["30s", "2m", "1h"], not text',
    ),
    (
        "[retries]\nschedule = []\n" + ROUTE,
        '[retries] "schedule": must be a list of 1 to 50 lengths of time such as ["30s", "1h"]',
    ),
    (
        '[retries]\nschedule = ["30s", "soon"]\n' + ROUTE,
        '[retries] "schedule", entry 2: "soon" is not a length of time; '
        'write such as "90s", "15m", "2h" or "30d"',
    ),
    (
        '[retries]\nschedul = ["30s"]\n' + ROUTE,
        '[retries] "schedul": unknown key; did you mean "schedule"?',
    ),
    (
        '[subscriptions]\nfilters = "message-store"\n' + ROUTE,
        '[subscriptions] "filters": must be a list such as ["message-store"], not text',
    ),
    (
        "[subscriptions]\nfilters = []\n" + ROUTE,
        '[subscriptions] "filters": must name at least one filter; "message-store" tells of '
        "everything",
    ),
    (
        '[subscriptions]\nfilters = ["fax", "voice-mail"]\n' + ROUTE,
        '[subscriptions] "filters", entry 2: "voice-mail" is no filter for a mailbox; '
        'did you mean "voicemail"?',
    ),
    (
        '[reconcile]\nevery = "nightly"\n' + ROUTE,
        '[reconcile] "every": "nightly" is not a length of time; '
        'write such as "90s", "15m", "2h" or "30d"',
    ),
    (
        '[reconcile]\nat = "2 am"\n' + ROUTE,
        '[reconcile] "at": "2 am" is no time of day; write such as "02:00", which is UTC',
    ),
    # handlers
    ("handlers = 3\n" + ROUTE, '"handlers": must be tables such as [handlers.vault], not a number'),
    (
        '[handlers]\nvault = "archive"\n' + ROUTE,
        '[handlers.vault]: must be a table with use = "email" or the like, not text',
    ),
    (
        '[handlers.vault]\nto = "file:///srv"\n' + ROUTE,
        '[handlers.vault] "use": is missing; write such as use = "email"',
    ),
    (
        '[handlers.vault]\nuses = "archive"\n' + ROUTE,
        '[handlers.vault] "uses": unknown key; did you mean "use"?',
    ),
    (
        "[handlers.vault]\nuse = 3\n" + ROUTE,
        '[handlers.vault] "use": must be text such as "email", not a number',
    ),
    (
        '[handlers."my vault"]\nuse = "archive"\n' + ROUTE,
        "[handlers.'my vault']: is no name for a handler; use up to 64 letters, digits, - and _",
    ),
    # routes
    (
        '[[routes]]\nsteps = ["archive"]\n',
        '[[routes]] number 1 "name": is missing; write such as name = "Faxes reach the office"',
    ),
    (
        '[[routes]]\nnmae = "Faxes"\nsteps = ["archive"]\n',
        '[[routes]] number 1 "nmae": unknown key; did you mean "name"?',
    ),
    (
        '[[routes]]\nname = 7\nsteps = ["archive"]\n',
        f'[[routes]] number 1 "name": {IN_QUOTES} "7"',
    ),
    (
        '[[routes]]\nname = ""\nsteps = ["archive"]\n',
        '[[routes]] number 1 "name": "" is no name; write up to 100 characters on one line',
    ),
    (
        ROUTE + ROUTE,
        '[[routes]] number 2 "name": "Faxes" is also the name of route number 1; '
        "give each a name of its own",
    ),
    (
        '[[routes]]\nname = "Faxes"\n',
        '[[routes]] "Faxes" "steps": is missing; write such as steps = ["vault"]',
    ),
    (
        '[[routes]]\nname = "Faxes"\nsteps = 3\n',
        '[[routes]] "Faxes" "steps": must be a list of step names, not a number',
    ),
    (
        '[[routes]]\nname = "Faxes"\nsteps = "archive"\n',
        '[[routes]] "Faxes" "steps": must be a list of step names, not text',
    ),
    (
        '[[routes]]\nname = "Faxes"\nsteps = []\n',
        '[[routes]] "Faxes" "steps": must name at least one step',
    ),
    (
        '[[routes]]\nname = "Faxes"\nsteps = ["archive", 3]\n',
        f'[[routes]] "Faxes" "steps", entry 2: {IN_QUOTES} "3"',
    ),
    (
        route('type = "Fax"'),
        '[[routes]] "Faxes" "type": unknown key; did you mean "match.type"?',
    ),
    (
        ROUTE.replace("steps", "handler"),
        '[[routes]] "Faxes" "handler": unknown key; did you mean "steps"?',
    ),
    (
        route('match.sender = "101"'),
        '[[routes]] "Faxes" "match.sender": unknown key; did you mean "from"?',
    ),
    (
        route("match.text = '/urgent/i'"),
        '[[routes]] "Faxes" "match.text": "/urgent/i" has letters after the last /; end with it, '
        "case is ignored anyway",
    ),
    (
        route('match.from = "+1650%"'),
        '[[routes]] "Faxes" "match.from": "+1650%" is no phone number; '
        "write + and the country code, then all its digits",
    ),
    # what a route is on
    (
        route('on = "received"'),
        '[[routes]] "Faxes" "on": "received" is not known; did you mean "created"?',
    ),
    (
        route('on = "created, read"'),
        '[[routes]] "Faxes" "on": "created, read" is not known; for any of several write a list: '
        '["created", "read"]',
    ),
    (
        route('on = "raed"'),
        '[[routes]] "Faxes" "on": "raed" is not known; did you mean "read"?',
    ),
    (
        route('on = ["created", "wholly"]'),
        '[[routes]] "Faxes" "on", entry 2: "wholly" is not known; known are created, transcribed, '
        "sent, delivered, failed, read, deleted",
    ),
    (
        route("on = []"),
        '[[routes]] "Faxes" "on": must name at least one of created, transcribed, sent, delivered, '
        "failed, read, deleted; or leave it out",
    ),
    (
        route("on = true"),
        '[[routes]] "Faxes" "on": must be a list such as ["created"], not true',
    ),
    # steps
    (
        VAULT + '[[routes]]\nname = "Faxes"\nsteps = ["valt"]\n',
        '[[routes]] "Faxes" "steps", entry 1: "valt" is no handler; did you mean "vault"?',
    ),
    (
        '[[routes]]\nname = "Faxes"\nsteps = ["mark_read"]\n',
        '[[routes]] "Faxes" "steps", entry 1: "mark_read" is no handler; did you mean "mark-read"?',
    ),
    (
        '[[routes]]\nname = "Faxes"\nsteps = ["xyzzy"]\n',
        '[[routes]] "Faxes" "steps", entry 1: "xyzzy" is no handler; '
        f"known are {', '.join(BUILT_IN)}",
    ),
    (
        '[[routes]]\nname = "Faxes"\nsteps = ["archive", "archive"]\n',
        '[[routes]] "Faxes" "steps", entry 2: "archive" is there twice; a step runs once',
    ),
    # matches
    (
        route('match = "Fax"'),
        '[[routes]] "Faxes" "match": must be conditions such as match.type = "Fax", not text',
    ),
    (
        route('match.tpye = "Fax"'),
        '[[routes]] "Faxes" "match.tpye": unknown key; did you mean "type"?',
    ),
    (
        route('match.read_status = "Read"'),
        '[[routes]] "Faxes" "match.read_status": unknown key; did you mean "readStatus"?',
    ),
    (
        route('match.type = "Facs"'),
        '[[routes]] "Faxes" "match.type": "Facs" is not known; did you mean "Fax"?',
    ),
    (
        route('match.type = ["SMS", "MSM"]'),
        '[[routes]] "Faxes" "match.type", entry 2: "MSM" is not known; did you mean "SMS"?',
    ),
    (
        route('match.direction = "in"'),
        '[[routes]] "Faxes" "match.direction": "in" is not known; '
        "one of Inbound, Outbound is expected",
    ),
    (
        route('match.readStatus = "unred"'),
        '[[routes]] "Faxes" "match.readStatus": "unred" is not known; did you mean "Unread"?',
    ),
    (
        route('match.messageStatus = "Failed"'),
        '[[routes]] "Faxes" "match.messageStatus": "Failed" is not known; '
        'did you mean "SendingFailed"?',
    ),
    (
        route("match.from = 6505550100"),
        f'[[routes]] "Faxes" "match.from": {IN_QUOTES} "6505550100"',
    ),
    (
        route("match.to = []"),
        '[[routes]] "Faxes" "match.to": must name at least one value; '
        "write one, or leave the condition out",
    ),
    (
        route('match.text = ""'),
        '[[routes]] "Faxes" "match.text": "" is empty; write a value, or leave the condition out',
    ),
    (
        route('match.text = {words = "a"}'),
        '[[routes]] "Faxes" "match.text": must be text or a list of texts, not a table',
    ),
    (
        route('match.type = "Fax, SMS"'),
        '[[routes]] "Faxes" "match.type": "Fax, SMS" is not known; for any of several write a '
        'list: ["Fax", "SMS"]',
    ),
    (
        route('match.from = "+1650555010"'),
        '[[routes]] "Faxes" "match.from": "+1650555010" is no phone number; '
        "write + and the country code, then all its digits",
    ),
    (
        route('match.from = "555-0100"'),
        '[[routes]] "Faxes" "match.from": "555-0100" is no phone number; '
        "write + and the country code, then all its digits",
    ),
    (
        route('match.from = "030 1234567"'),
        '[[routes]] "Faxes" "match.from": "030 1234567" has no country code; '
        "write + and the country code before it",
    ),
    (
        route('match.to = "(650) 555-*"'),
        '[[routes]] "Faxes" "match.to": "(650) 555-*" has no country code; '
        'write such as "+1 650 *"',
    ),
    (
        route('match.to = "+1650[0-4]*"'),
        '[[routes]] "Faxes" "match.to": "+1650[0-4]*" is no pattern of a phone number; '
        'write such as "+1 650 *"',
    ),
    (
        route('match.extension = "+1 650 555 0100"'),
        '[[routes]] "Faxes" "match.extension": "+1 650 555 0100" is a phone number; '
        "write the extension's number, id or name",
    ),
    (
        route('match.extension = "101, 102"'),
        '[[routes]] "Faxes" "match.extension": "101, 102" are several; write a list such as '
        '["101", "102"], or a pattern such as "10?"',
    ),
    (
        route('match.from = "101-110"'),
        '[[routes]] "Faxes" "match.from": "101-110" are several; write a list such as '
        '["101", "102"], or a pattern such as "10?"',
    ),
    (
        route('match.contentType = "pdf"'),
        '[[routes]] "Faxes" "match.contentType": "pdf" is no content type; '
        'write such as "application/pdf" or "image/*"',
    ),
    # more conditions
    (
        route(r'match.text = "/\border/"'),
        '[[routes]] "Faxes" "match.text": "/\\border/" has a control character where \\ was meant; '
        "write it in 'single quotes'",
    ),
    (
        route('match.text = "/(/"'),
        '[[routes]] "Faxes" "match.text": "/(/" is no regular expression of RE2: missing ): (',
    ),
    (
        route('match.from = ["101", "/(?=a)/"]'),
        '[[routes]] "Faxes" "match.from", entry 2: "/(?=a)/" is no regular expression of RE2: '
        "invalid perl operator: (?=",
    ),
    (
        route('match.from = "@patients"'),
        '[[routes]] "Faxes" "match.from": "@patients" names no contacts; '
        "write a table [contacts.NAME]",
    ),
    (
        CONTACTS + route('match.to = "@patiens"'),
        '[[routes]] "Faxes" "match.to": "@patiens" names no contacts; did you mean "@patients"?',
    ),
    (
        route('match.attachment = "yes"'),
        '[[routes]] "Faxes" "match.attachment": must be true or false, not "yes"',
    ),
    (
        route("match.pages = 10"),
        '[[routes]] "Faxes" "match.pages": must be a comparison such as ">= 10", not a number',
    ),
    (
        route('match.pages = "10"'),
        '[[routes]] "Faxes" "match.pages": "10" is no comparison; write such as ">= 10"',
    ),
    (
        route('match.duration = "> 30"'),
        '[[routes]] "Faxes" "match.duration": "> 30" is no comparison; '
        'write such as "> 30s" or "<= 2m"',
    ),
    (
        route('match.hours = "office"'),
        '[[routes]] "Faxes" "match.hours": "office" names no hours; write a table [hours.NAME]',
    ),
    (
        HOURS + route('match.not.hours = "ofice"'),
        '[[routes]] "Faxes" "match.not.hours": "ofice" names no hours; did you mean "office"?',
    ),
    (
        route('match.not = "Fax"'),
        '[[routes]] "Faxes" "match.not": must be conditions such as {type = "Fax"}, not text',
    ),
    (
        route("match.not = {}"),
        '[[routes]] "Faxes" "match.not": must have at least one condition',
    ),
    (
        route('match.not.tpye = "Fax"'),
        '[[routes]] "Faxes" "match.not.tpye": unknown key; did you mean "type"?',
    ),
    (
        route('match.any = {type = "Fax"}'),
        '[[routes]] "Faxes" "match.any": must be a list such as [{type = "Fax"}], not a table',
    ),
    (
        route("match.any = []"),
        '[[routes]] "Faxes" "match.any": must have at least one set of conditions',
    ),
    (
        route('match.any = [{type = "Fax"}, {type = "Facs"}]'),
        '[[routes]] "Faxes" "match.any.type", entry 2: "Facs" is not known; did you mean "Fax"?',
    ),
    (
        route('match.not = {not = {not = {not = {not = {type = "Fax"}}}}}'),
        '[[routes]] "Faxes" "match": must not be nested more than 4 deep; write a second route',
    ),
    (
        route('match.contenttype = "image/*"'),
        '[[routes]] "Faxes" "match.contenttype": unknown key; did you mean "contentType"?',
    ),
    # expressions
    (
        route('if = "message.page > 3"'),
        '[[routes]] "Faxes" "if": "message.page > 3" is no expression: character 8: '
        '"message.page" is not known; did you mean "message.pages"?',
    ),
    (
        route('if = "message.pages >"'),
        '[[routes]] "Faxes" "if": "message.pages >" is no expression: character 16: '
        "it ends in the middle",
    ),
    (
        route('if = "message.pages"'),
        '[[routes]] "Faxes" "if": "message.pages" gives int, not true or false; '
        "compare it with something",
    ),
    (
        route("if = \"message.pages > '3'\""),
        '[[routes]] "Faxes" "if": "message.pages > \'3\'" is no expression: character 15: '
        "found no matching overload for '_>_' applied to '(int, string)'",
    ),
    (
        route("if = true"),
        '[[routes]] "Faxes" "if": must be text, not true',
    ),
    (
        route('if = ""'),
        '[[routes]] "Faxes" "if": "" is empty; write an expression, or leave it out',
    ),
    (
        route("if = \"message.type = 'Fax'\""),
        '[[routes]] "Faxes" "if": "message.type = \'Fax\'" is no expression: character 14: '
        "token recognition error at: '= '; to compare write ==",
    ),
    (
        route('if = "message.pages > 3 and message.pages < 9"'),
        '[[routes]] "Faxes" "if": "message.pages > 3 and message.pages < 9" is no expression: '
        "character 19: mismatched input 'and'; write && for and",
    ),
    (
        route("if = \"message.text.matches('(')\""),
        '[[routes]] "Faxes" "if": "message.text.matches(\'(\')" has a regular expression that is '
        "none of RE2: '(': missing ): (",
    ),
    (
        route("""if = "message.text.matches('\\bsoon')\""""),
        '[[routes]] "Faxes" "if": "message.text.matches(\'\\bsoon\')" has a control character '
        "where \\ was meant; write it in 'single quotes'",
    ),
    # what else a route has
    (
        route('then = ["stop"]'),
        '[[routes]] "Faxes" "then": must be one of go on, stop, not a list',
    ),
    (
        route('then = "continue"'),
        '[[routes]] "Faxes" "then": "continue" is not known; known are go on, stop',
    ),
    (
        route('once_per = "day"'),
        '[[routes]] "Faxes" "once_per": "day" is not a length of time; '
        'write such as "90s", "15m", "2h" or "30d"',
    ),
    (
        route('onceper = "1d"'),
        '[[routes]] "Faxes" "onceper": unknown key; did you mean "once_per"?',
    ),
    (
        route('wait = "4m"'),
        '[[routes]] "Faxes" "wait": must be a table, not text',
    ),
    (
        route('wait.transcription = "4m"'),
        '[[routes]] "Faxes" "wait.transcription": unknown key; did you mean "transcript"?',
    ),
    # hours
    (
        ROUTE + HOURS.replace("Berlin", "Berln"),
        '[hours.office] "zone": "Europe/Berln" is no time zone; did you mean "Europe/Berlin"?',
    ),
    (
        ROUTE + HOURS.replace("Fri", "Fry"),
        '[hours.office] "open", entry 1: "Mon-Fry 09:00-17:00" is no opening time: '
        '"Fry" is no day; days are Mon, Tue, Wed, Thu, Fri, Sat, Sun',
    ),
    (
        ROUTE + HOURS.replace("17:00", "25:00"),
        '[hours.office] "open", entry 1: "Mon-Fri 09:00-25:00" is no opening time: '
        '"25:00" is no time; times are from 00:00 to 24:00',
    ),
    (
        ROUTE + HOURS.replace("17:00", "09:00"),
        '[hours.office] "open", entry 1: "Mon-Fri 09:00-09:00" ends when it begins; '
        'write such as "Mon-Fri 09:00-17:00"',
    ),
    (
        ROUTE + HOURS.replace("Mon-Fri 09:00-17:00", "always"),
        '[hours.office] "open", entry 1: "always" is no opening time; '
        'write such as "Mon-Fri 09:00-17:00"',
    ),
    (
        ROUTE + HOURS + 'holidays = ["2026-12-25", "2026-13-25"]\n',
        '[hours.office] "holidays", entry 2: "2026-13-25" is no date; write such as "2026-12-25"',
    ),
    (
        ROUTE + HOURS + 'holidays = "holidays.txt"\n',
        '[hours.office] "holidays": "holidays.txt" line 2: "Christmas" is no date; '
        'write such as "2026-12-25"',
    ),
    (
        ROUTE + HOURS + 'holidays = "no.txt"\n',
        '[hours.office] "holidays": "no.txt" cannot be read: No such file or directory; '
        "it is to have one date a line",
    ),
    (
        ROUTE + HOURS.replace("[hours.office]", "[hours]"),
        '"hours": must be tables with names such as [hours.office]',
    ),
    # contacts
    (
        ROUTE + CONTACTS.replace("patients.csv", "no.csv"),
        '[contacts.patients] "file": "no.csv" cannot be read: No such file or directory; '
        "it is to be a CSV file",
    ),
    (
        ROUTE + CONTACTS.replace("patients.csv", "wrong.csv"),
        '[contacts.patients] "file": "wrong.csv" line 3: "12x" is no phone number; '
        "write + and the country code, then all its digits",
    ),
    (
        ROUTE + CONTACTS.replace("file", "files"),
        '[contacts.patients] "files": unknown key; did you mean "file"?',
    ),
    (
        ROUTE + CONTACTS.replace("patients.csv", "empty.csv"),
        '[contacts.patients] "file": "empty.csv" is empty; its first line names the columns '
        "number, name, email",
    ),
    # tests
    (
        example('given = {direction = "in"}'),
        '[[tests]] "A fax" "given": must have another "direction"; known are Inbound, Outbound',
    ),
    (
        example('given = {}\nextension.id = "Front desk"'),
        '[[tests]] "A fax" "extension.id": "Front desk" is no id of an extension; write digits, '
        'or a "number" or "name"',
    ),
    (
        example('given = {attachments = [{vmDuration = "30s"}]}'),
        '[[tests]] "A fax" "given": must have another value for "vmDuration", one that '
        "RingCentral may send",
    ),
    (
        example('given = {type = "VoiceMail", transcription = "Hi"}'),
        '[[tests]] "A fax" "given": must not have the field "transcription"; write it beside given',
    ),
    (
        example('given = {type = "Fax"}').replace("expect = []\n", ""),
        '[[tests]] "A fax" "expect": is missing; write such as expect = ["Faxes to accounting"]',
    ),
    (
        example('given = {tpye = "Fax"}'),
        '[[tests]] "A fax" "given": must not have the field "tpye"; did you mean "type"?',
    ),
    (
        example('given.from.number = "101"'),
        '[[tests]] "A fax" "given": must not have the field "from.number"; '
        'did you mean "phoneNumber"?',
    ),
    (
        example('given = {type = "MMS"}'),
        '[[tests]] "A fax" "given": must have type = "SMS" and '
        'attachments = [{type = "MmsAttachment"}] for an MMS, as RingCentral has it',
    ),
    (
        example("given = {}").replace("[]", '["Faxs"]'),
        '[[tests]] "A fax" "expect", entry 1: "Faxs" is no route; did you mean "Faxes"?',
    ),
    (
        example('given = {}\nat = "noon"'),
        '[[tests]] "A fax" "at": "noon" is no time; write such as "2026-12-24T18:00:00+01:00"',
    ),
    (
        example('given = {to = "101"}'),
        '[[tests]] "A fax" "given": must have a list for "to", not text',
    ),
    (
        example('given = {from = "101"}'),
        '[[tests]] "A fax" "given": must have a table for "from", not text',
    ),
    (
        example('given = {faxPageCount = "three"}'),
        '[[tests]] "A fax" "given": must have another value for "faxPageCount", '
        "one that RingCentral may send",
    ),
    # handlers that are like others
    (
        VAULT + '[handlers.other]\nlike = "valt"\n' + ROUTE,
        '[handlers.other] "like": "valt" is no [handlers.NAME] table; did you mean "vault"?',
    ),
    (
        '[handlers.a]\nuse = "archive"\nlike = "a"\n' + ROUTE,
        '[handlers.a] "like": "a" is like itself; let one of them stand alone',
    ),
    # included files; see test_included.py
    (
        'include = "more.toml"\n' + ROUTE,
        '"include": must be a list such as ["routes/*.toml"], not text',
    ),
    (
        'include = ["no.toml"]\n' + ROUTE,
        '"include", entry 1: "no.toml" is not there; it is looked for beside ringpost.toml',
    ),
    (
        'include = ["no/*.toml"]\n' + ROUTE,
        '"include", entry 1: "no/*.toml" names files in no, which is no folder',
    ),
    (
        'include = ["loop.toml"]\n' + ROUTE,
        '"include", entry 1: "loop.toml" brings loop.toml, a link that leads to itself',
    ),
    (
        'include = ["."]\n' + ROUTE,
        '"include", entry 1: "." brings ., a folder; write "./*.toml"',
    ),
    # the environment
    (
        VAULT.replace("file:///srv", "${VAULT}") + ROUTE,
        '[handlers.vault] "to": the environment variable "VAULT" is not set; '
        "set it, or write it in .env",
    ),
    (
        VAULT.replace("file:///srv", "${ARCHIVE_T}") + ROUTE,
        '[handlers.vault] "to": the environment variable "ARCHIVE_T" is not set; '
        'did you mean "ARCHIVE_TO"?',
    ),
    (
        VAULT.replace("file:///srv", "${}") + ROUTE,
        '[handlers.vault] "to": has a ${ that names no variable; '
        "write ${NAME}, or $${ for a plain ${",
    ),
    (
        route('match.type = "${KIND}"'),
        '[[routes]] "Faxes" "match.type": the environment variable "KIND" is not set; '
        "set it, or write it in .env",
    ),
    (
        route('match.from = ["101", "${NUMBER}"]'),
        '[[routes]] "Faxes" "match.from", entry 2: the environment variable "NUMBER" is not set; '
        "set it, or write it in .env",
    ),
]


@pytest.mark.parametrize(("text", "line"), WRONG)
def test_a_wrong_file_gives_its_line(loaded: Load, text: str, line: str) -> None:
    """One mistake, one line: the place, the value, the remedy."""
    with pytest.raises(ConfigurationError) as error:
        loaded(text, ARCHIVE_TO="file:///elsewhere")
    assert error.value.problems == (f"ringpost.toml: {line}",)


def test_all_problems_are_told_at_once(loaded: Load) -> None:
    """Mistakes all over the file come together, each on a line of its own."""
    text = (
        'mailboxs = 1\n[sync]\nstart = "x"\n[handlers.vault]\nuse = 3\nto = "${NO}"\n'
        '[[routes]]\nname = "Faxes"\nmatch.type = ["Facs", 7]\nsteps = ["valt"]\n'
    )
    with pytest.raises(ConfigurationError) as error:
        loaded(text)
    places = [line.split(":")[1].strip() for line in error.value.problems]
    assert sorted(places) == sorted(
        [
            '"mailboxs"',
            '[sync] "start"',
            '[handlers.vault] "use"',
            '[handlers.vault] "to"',
            '[[routes]] "Faxes" "match.type", entry 1',
            '[[routes]] "Faxes" "match.type", entry 2',
            '[[routes]] "Faxes" "steps", entry 1',
        ]
    )
    assert str(error.value) == "\n".join(error.value.problems)


def test_a_file_that_is_not_there(loaded: Load, tmp_path: Path) -> None:
    """A missing file, a folder and a file of the wrong kind give one line each."""
    with pytest.raises(ConfigurationError) as error:
        load(tmp_path / "no.toml", {})
    assert error.value.problems == (
        f"{tmp_path}/no.toml: there is no such file; name another with --config or "
        "RINGPOST_CONFIG, or write one with `ringpost init`",
    )
    with pytest.raises(ConfigurationError) as error:
        load(tmp_path, {})
    assert error.value.problems == (
        f"{tmp_path}: is a directory; name the file in it with --config or RINGPOST_CONFIG",
    )
    with pytest.raises(ConfigurationError) as error:
        loaded(ROUTE.encode() + b"# caf\xe9\n")
    assert error.value.problems == (
        "ringpost.toml: line 4 is not UTF-8 text; save the file as UTF-8",
    )


def test_a_file_that_may_not_be_read(
    loaded: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused by the system: one line with what it said."""

    def refuse(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(ConfigurationError) as error:
        load(Path("ringpost.toml"), {})
    assert error.value.problems == (
        "ringpost.toml: cannot be read: Permission denied; "
        "give the user that runs Ringpost access to it",
    )


def test_values_from_the_environment_are_not_shown(loaded: Load) -> None:
    """A wrong value that came from the environment is shown as it stands in the file."""
    text = (
        'mailboxes = ["${A}"]\n[sync]\nstart = "${A}"\nsweep_interval = "${A}"\n'
        '[[routes]]\nname = "x"\nmatch.type = "${A}"\nsteps = ["${A}"]\n'
        '[[routes]]\nname = "${A}"\nsteps = ["archive"]\n'
        '[[routes]]\nname = "${A}"\nsteps = ["archive"]\n'
    )
    with pytest.raises(ConfigurationError) as error:
        loaded(text, A="s3cr3t")
    assert len(error.value.problems) == 6
    assert "s3cr3t" not in str(error.value)
    text = (
        '[hours.office]\nzone = "${A}"\nopen = ["Mon-${A} 09:00-17:00", "Mon 09:00-${A}"]\n'
        + route('match.from = "@${A}"\nmatch.hours = "${A}"\nmatch.text = "/(${A}/"\nif = "${A} +"')
    )
    with pytest.raises(ConfigurationError) as more:
        loaded(text, A="s3cr3t")
    assert len(more.value.problems) == 7
    assert "s3cr3t" not in str(more.value)
    assert all('"${A}" is' in line for line in error.value.problems)


def test_the_environment_is_put_in_as_text(loaded: Load) -> None:
    """`${NAME}` works in every text, lists too; what comes from there is not read again."""
    text = (
        '[handlers.vault]\nuse = "archive"\nto = "${TO}/$$x$y"\nmore = ["${TO}", {a = "${TO}"}]\n'
        '[[routes]]\nname = "a ${TO}"\nsteps = ["vault"]\n'
    )
    configuration = loaded(text, TO='"]${TO}$$')
    assert configuration.handlers["vault"].options == {
        "to": '"]${TO}$$/$x$y',
        "more": ['"]${TO}$$', {"a": '"]${TO}$$'}],
    }
    assert configuration.routes[0].name == 'a "]${TO}$$'
    assert '"]' not in repr(configuration.handlers)


def test_defaults(loaded: Load) -> None:
    """What a file leaves out is as the design says."""
    configuration = loaded("\ufeff" + ROUTE)
    assert configuration.mailboxes == ("~",)
    assert configuration.sync.start == "now"
    assert configuration.sync.sweep_interval == timedelta(minutes=15)
    assert configuration.subscriptions.check_interval == timedelta(minutes=5)
    assert configuration.reconcile.every == timedelta(days=1)
    assert configuration.reconcile.at == time(2)
    assert configuration.reconcile.repair
    retries = [pause.total_seconds() for pause in configuration.retries.schedule]
    assert retries == [30, 120, 600, 3600, 21600, 86400]
    assert configuration.handlers == {}
    assert configuration.routes[0].steps == ("archive",)
    assert configuration.routes[0].match.conditions == ()


def test_the_nightly_look_can_be_switched_off_or_moved(loaded: Load) -> None:
    """A time of day may be TOML's own or a text; "never" is never."""
    assert loaded('[reconcile]\nevery = "Never"\n' + ROUTE).reconcile.every is None
    assert loaded("[reconcile]\nat = 03:30:00\n" + ROUTE).reconcile.at == time(3, 30)
    assert loaded('[reconcile]\nat = "03:30"\n' + ROUTE).reconcile.at == time(3, 30)


@pytest.mark.parametrize(
    ("written", "mailboxes"),
    [
        ('"all"', ("all",)),
        ('["all"]', ("all",)),
        ('["~", "101", "62264425008"]', ("~", "101", "62264425008")),
        ('["101", "101"]', ("101",)),
    ],
)
def test_mailboxes(loaded: Load, written: str, mailboxes: tuple[str, ...]) -> None:
    """A list of extensions by id or number and `~`, or all."""
    assert loaded(f"mailboxes = {written}\n{ROUTE}").mailboxes == mailboxes


NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "start"),
    [
        ('"now"', NOW),
        ('"30d"', NOW - timedelta(days=30)),
        ('"1h30m"', NOW - timedelta(minutes=90)),
        ('"2026-01-31"', datetime(2026, 1, 31, tzinfo=UTC)),
        ("2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
        ("2026-01-31T08:00:00Z", datetime(2026, 1, 31, 8, tzinfo=UTC)),
        ('"2026-01-31T08:00:00+02:00"', datetime(2026, 1, 31, 6, tzinfo=UTC)),
    ],
)
def test_start(loaded: Load, written: str, start: datetime) -> None:
    """Now, how far back, or a date, quoted or not."""
    assert loaded(f"[sync]\nstart = {written}\n{ROUTE}").sync.start_at(NOW) == start


def test_both_spellings_of_a_match(loaded: Load) -> None:
    """Dotted keys and a table of their own are the same."""
    dotted = loaded(ROUTE + 'match.type = "Fax"\nmatch.from = ["101"]\n')
    table = loaded(ROUTE + '[routes.match]\ntype = ["Fax"]\nfrom = "101"\n')
    assert dotted.routes == table.routes


@pytest.mark.parametrize("value", ["Fax", "fax", "F*", "?MS", "Novel*"])
def test_wildcards_are_never_unknown(loaded: Load, value: str) -> None:
    """Known values in any case, and any pattern, so that new values of RingCentral can be had."""
    assert loaded(route(f'match.type = "{value}"')).routes[0].match.type == (value,)


def test_a_file_that_says_the_same_is_the_same_configuration(loaded: Load) -> None:
    """So that a worker sees whether a file changed while it started; lists count as well."""
    text = (
        'include = ["more.toml"]\n'
        + VAULT
        + HOURS
        + CONTACTS
        + route('match.from = ["@patients", "/1$/"]\nmatch.not.hours = "office"\nif = "at == at"')
    )
    Path("more.toml").write_text('[[tests]]\nname = "t"\ngiven.type = "Fax"\nexpect = []\n')
    first = loaded(text)
    assert first.routes[0].match.conditions
    assert first == loaded(text)
    Path("patients.csv").write_text("number\n102\n")
    assert first != loaded(text)

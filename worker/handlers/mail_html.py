"""The HTML of a mail: legible on a phone, by day and by night, in every mail program.

Styles stand in the tags, because mail programs drop style sheets; the sheet only has what cannot
stand there, the colours of the night. Nothing is loaded from anywhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from jinja2 import Environment

from worker.handlers.undelivered import Undelivered

_MACROS = """\
{% macro picture(one) %}
<p class="quiet" style="margin:0 0 16px;color:#55606e;font-size:14px">
<img src="cid:{{ one.content_id }}" alt="{{ one.name }}" \
style="display:block;max-width:100%;height:auto;border-radius:8px;margin:0 0 4px">{{ one.name }}</p>
{% endmacro %}
{% macro said(text) %}
<p class="said" dir="auto" style="margin:0 0 16px;padding:12px 14px;border-left:4px solid #2f6fde;\
background:#f1f5fc;border-radius:0 8px 8px 0;white-space:pre-wrap;overflow-wrap:anywhere">\
{{ text }}</p>
{% endmacro %}
{% macro link(one) %}
<p style="margin:0 0 8px;overflow-wrap:anywhere"><a class="link" href="{{ one.address }}" \
rel="noreferrer" style="color:#1f5fbf;font-weight:600">{{ one.name }}</a>\
{% if one.size %} <span class="quiet" style="color:#55606e">({{ one.size }})</span>{% endif %}</p>
{% endmacro %}
"""

_PAGE = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(
    _MACROS
    + """\
<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark"><title>{{ page.title }}</title>
<style>
:root{color-scheme:light dark}
@media (prefers-color-scheme:dark){
.page{background:#15181d!important;color:#e8ebf0!important}
.card{background:#20242b!important;border-color:#363c46!important}
.quiet{color:#aab3c0!important}
.said{background:#29303b!important}
.bad{background:#3d2426!important}
.alarm{color:#ff9b94!important}
.link{color:#8ab4f8!important}
}
</style></head>
<body class="page" style="margin:0;padding:12px;background:#eef1f5;color:#1b1f24;\
font:16px/1.5 -apple-system,'Segoe UI',Roboto,Arial,sans-serif">
<div class="card" style="max-width:600px;margin:0 auto;padding:20px 18px 8px;background:#ffffff;\
border:1px solid #d8dde4;border-radius:12px;box-sizing:border-box">
<p class="{{ 'alarm' if page.failures else 'quiet' }}" style="margin:0 0 2px;font-size:15px;\
font-weight:600;color:{{ '#b3261e' if page.failures else '#55606e' }}">{{ page.kind }}</p>
<h1 dir="auto" style="margin:0 0 14px;font-size:21px;line-height:1.3;\
text-wrap:balance;overflow-wrap:anywhere">{{ page.heading }}</h1>
{% for one in page.failures %}
<div class="bad" style="margin:0 0 16px;padding:12px 14px;border-left:4px solid #d93025;\
background:#fdeceb;border-radius:0 8px 8px 0;overflow-wrap:anywhere">
<p style="margin:0 0 4px"><strong>{{ one.recipient }}</strong>: {{ one.reason }}.</p>
<p style="margin:0">{{ one.remedy }}</p></div>
{% endfor %}
{% if page.text %}
{% if page.label %}
<p class="quiet" style="margin:0 0 4px;color:#55606e;font-size:15px">{{ page.label }}</p>
{% endif %}
{{ said(page.text) }}
{% endif %}
{% for one in page.pictures %}{{ picture(one) }}{% endfor %}
{% for one in page.entries %}
<p class="quiet" style="margin:0 0 4px;color:#55606e;font-size:15px;overflow-wrap:anywhere">\
{{ one.heading }}</p>
{% if one.text %}{{ said(one.text) }}{% endif %}
{% for shown in one.pictures %}{{ picture(shown) }}{% endfor %}
{% endfor %}
{% if page.note %}
<p class="quiet" style="margin:0 0 16px;color:#55606e">{{ page.note }}</p>
{% endif %}
{% if page.button %}
<p style="margin:0 0 16px"><a href="{{ page.button }}" rel="noreferrer" style="display:block;\
padding:13px 18px;background:#1f5fbf;color:#ffffff;border-radius:8px;font-weight:600;\
text-align:center;text-decoration:none">Open the message</a></p>
{% endif %}
{% for one in page.links %}{{ link(one) }}{% endfor %}
{% if page.about_links %}
<p class="quiet" style="margin:0 0 16px;color:#55606e;font-size:14px">{{ page.about_links }}</p>
{% endif %}
<table role="presentation" cellpadding="0" cellspacing="0" \
style="border-collapse:collapse;margin:0 0 12px">
{% for name, value in page.facts %}
<tr><td class="quiet" style="padding:2px 14px 2px 0;color:#55606e;vertical-align:top">\
{{ name }}</td><td dir="auto" style="padding:2px 0;overflow-wrap:anywhere">{{ value }}</td></tr>
{% endfor %}
</table>
</div></body></html>
"""
)


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that is shown where it stands: the id of its part of the mail, and its name."""

    content_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Link:
    """A file behind a link: its name, how large it is for people, and the address."""

    name: str
    size: str
    address: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One of several messages: who and when, what it says, and its pictures."""

    heading: str
    text: str
    pictures: Sequence[Picture] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """What stands on a page, from top to bottom; what is empty is left out."""

    title: str
    kind: str
    heading: str
    failures: Sequence[Undelivered] = ()
    label: str = ""
    text: str = ""
    pictures: Sequence[Picture] = ()
    entries: Sequence[Entry] = ()
    note: str = ""
    button: str = ""
    links: Sequence[Link] = ()
    about_links: str = ""
    facts: Sequence[tuple[str, str]] = ()

    def html(self) -> str:
        """The page as HTML, everything escaped."""
        return _PAGE.render(page=self)

    def plain(self) -> str:
        """The same as plain text."""
        return "\n".join(self._lines()).rstrip("\n") + "\n"

    def _lines(self) -> list[str]:
        lines = [self.title, ""]
        for one in self.failures:
            lines += [f"{one.recipient}: {one.reason}.", one.remedy, ""]
        if self.text:
            lines += [*([self.label] if self.label else []), self.text, ""]
        for entry in self.entries:
            lines += [entry.heading, *([entry.text] if entry.text else [])]
            lines += [f"[{picture.name}]" for picture in entry.pictures]
            lines.append("")
        lines += [self.note, ""] if self.note else []
        lines += [f"Open the message: {self.button}", ""] if self.button else []
        for link in self.links:
            size = f" ({link.size})" if link.size else ""
            lines += [f"{link.name}{size}: {link.address}"]
        lines += [""] if self.links else []
        lines += [self.about_links, ""] if self.about_links else []
        return lines + [f"{name}: {value}" for name, value in self.facts]

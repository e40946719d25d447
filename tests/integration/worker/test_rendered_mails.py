"""The default mails in a real browser, on a phone."""

import pytest

from tests.support.browser import browser, browser_path
from tests.support.opened_mails import DEFAULT_MAILS, sent, shown
from worker.handlers.conformance_cases import HOSTILE

PHONE = 390
NARROW = 320
# The contrast of each text with what it stands on (https://www.w3.org/TR/WCAG22/#contrast-minimum).
MEASURED = """(() => {
  const parse = c => (c.match(/[0-9.]+/g) || []).map(Number);
  const light = c => { const [r, g, b] = c.slice(0, 3).map(v => { v /= 255;
    return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const under = e => { for (; e; e = e.parentElement) {
    const c = parse(getComputedStyle(e).backgroundColor);
    if (c.length === 3 || c[3] === 1) return c; } return [255, 255, 255]; };
  let smallest = 100, contrast = 21;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    if (!walker.currentNode.data.trim()) continue;
    const of = walker.currentNode.parentElement, style = getComputedStyle(of);
    const [a, b] = [light(parse(style.color)), light(under(of))].sort((x, y) => y - x);
    smallest = Math.min(smallest, parseFloat(style.fontSize));
    contrast = Math.min(contrast, (a + 0.05) / (b + 0.05));
  }
  return { smallest, contrast, width: document.documentElement.scrollWidth,
    pictures: [...document.images].map(i => [i.naturalWidth > 0, i.getBoundingClientRect().right]),
    scripts: document.scripts.length, ran: window.ran === true };
})()"""


@pytest.mark.skipif(browser_path() is None, reason="no Chromium on this machine")
async def test_the_default_mails_are_legible_on_a_phone() -> None:
    """Nothing is wider than the screen, letters are large and clear by day and night."""
    mails = await sent({**DEFAULT_MAILS, "hostile": HOSTILE})
    async with browser() as tab:
        for name, mail in mails.items():
            assert not [part.defects for part in mail.walk() if part.defects], name
            for width, dark in ((PHONE, False), (PHONE, True), (NARROW, False)):
                await tab.look_like(width=width, dark=dark)
                await tab.show(shown(mail))
                found = await tab.ask(MEASURED)
                assert found["width"] <= width, name
                assert found["smallest"] >= 14, name
                assert found["contrast"] >= 4.5, name
                assert all(is_there and right <= width for is_there, right in found["pictures"])
                assert len(found["pictures"]) == (2 if name == "mms" else 0)
                assert (found["scripts"], found["ran"]) == (0, False)

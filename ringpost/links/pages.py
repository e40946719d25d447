"""The pages that strangers may see: a button before a content, and that there is nothing."""


def _page(title: str, text: str, form: str = "") -> bytes:
    return f"""\
<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<style>
:root{{color-scheme:light dark}}
body{{margin:0;padding:48px 16px;font:17px/1.5 -apple-system,'Segoe UI',Roboto,Arial,sans-serif}}
main{{max-width:420px;margin:0 auto;text-align:center}}
h1{{font-size:22px}}
button{{width:100%;padding:14px 18px;border:0;border-radius:8px;background:#1f5fbf;color:#fff;
font:inherit;font-weight:600}}
</style></head><body><main><h1>{title}</h1><p>{text}</p>{form}</main></body></html>
""".encode()


# A mail scanner looks at links before people do, but presses no buttons.
BUTTON = _page(
    "A message for you",
    "It can be opened only a few times, maybe once. Open it when you have time for it.",
    '<form method="post"><button>Open</button></form>',
)
NOTHING = _page("Nothing is here", "This link has expired, was opened already, or never was one.")
LATER = _page("Not now", "Please try again in a few minutes.")

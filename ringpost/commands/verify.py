"""`ringpost verify`: is a statement as it was signed, and the archive as it says? Asks nobody."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ringpost.commands.options import AsJson
from ringpost.findings import Finding, fail, ok, warn
from ringpost.output import show_json
from ringpost.refusal import Refusal

if TYPE_CHECKING:
    from worker.completeness.verifying import Signature, Statement


_SIGNATURE = "signature"


def verify(
    statement: Annotated[Path, typer.Argument(metavar="STATEMENT", help="What --out wrote.")],
    archive: Annotated[
        list[str] | None,
        typer.Option(
            "--archive",
            metavar="[NAME=]FOLDER",
            help="Where the archive is now; default: where it was. Repeat it for several.",
        ),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(metavar="PUBLIC", help="The key that must have signed; default: ours."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check a statement and the archive against it, without Redis, RingCentral or credentials.

    Exit code 0 if all is well, 1 if something is not, 2 if it cannot be checked.
    """
    found = _findings(statement, archive or [], key)
    if as_json:
        show_json([finding.as_dict() for finding in found])
    else:
        for finding in found:
            finding.show()
    if any(finding.state == "fail" for finding in found):
        raise typer.Exit(1)
    if any(finding.state == "warn" and finding.subject == _SIGNATURE for finding in found):
        raise typer.Exit(2)  # anybody can sign: without a known key nothing is proved


def _findings(path: Path, archives: list[str], key: str | None) -> list[Finding]:
    from ringpost.surroundings import read_settings
    from worker.completeness.signing import public_keys
    from worker.completeness.verifying import (
        UnreadableStatementError,
        parsed,
        read,
        signature_of,
    )

    if key is None:
        settings = read_settings()
        known = public_keys(settings.keys, settings.data)
    else:
        known = [_public_key(key.strip())]
    try:
        document = read(path)
        signature = signature_of(document, known)
        if signature.wrong is not None:
            return [fail(_SIGNATURE, f"{path}: {signature.wrong}", "it proves nothing")]
        said = parsed(document)
    except UnreadableStatementError as error:
        raise Refusal(f"{path}: {error}") from None
    except OSError as error:
        raise Refusal(f"{path}: cannot be read ({error.strerror})") from None
    return [_of_signature(signature), _of_statement(said), *_of_archives(said, archives)]


def _public_key(text: str) -> str:
    from worker.completeness.signing import is_public_key

    if not is_public_key(text):
        raise Refusal(
            f'--key "{text[:60]}": is no public key; write the 44 characters that '
            "`ringpost reconcile --out` prints"
        )
    return text


def _of_signature(signature: "Signature") -> Finding:
    if signature.is_ours is None:
        return warn(
            _SIGNATURE,
            f"fits the statement, but nobody says whose it is: {signature.public_key}",
            "give the public key of those who made it with --key",
        )
    if not signature.is_ours:
        return fail(
            _SIGNATURE, f"is of another key: {signature.public_key}", "ask who made the statement"
        )
    return ok(_SIGNATURE, f"fits the statement and is of the key {signature.public_key}")


def _of_statement(said: "Statement") -> Finding:
    period = f"{said.period.get('since')} to {said.period.get('until')}"
    words = f"made {said.made} by {said.software} of {period}"
    if said.complete:
        return ok("statement", f"{words}: complete")
    gaps = [name for name, one in said.mailboxes.items() if not one.complete]
    return warn("statement", f"{words}: not complete in {', '.join(gaps)}")


def _of_archives(said: "Statement", given: list[str]) -> list[Finding]:
    from worker.archive.verification import Tally
    from worker.completeness.verifying import faults

    found = []
    for name, root in _places(said, given).items():
        if not root.is_dir():
            remedy = "say where it is now with --archive"
            found.append(fail(f"archive {name}", f"{root} is no folder", remedy))
            continue
        tally = Tally()
        try:
            wrong = [
                fail(f"archive {name}", f"{fault.path} {fault.what}")
                for fault in faults(said, name, root, tally)
            ]
        except OSError as error:
            raise Refusal(f"archive {root}: cannot be read ({error.strerror})") from None
        words = f"{root} is as it was: {tally.messages:,} messages, {tally.files:,} files"
        if tally.removed:
            words += f"; {tally.removed:,} removed, their time was over as the chains say"
        found += wrong or [ok(f"archive {name}", words)]
    return found


def _places(said: "Statement", given: list[str]) -> dict[str, Path]:
    places = {name: Path(root) for name, root in said.archives.items()}
    for text in given:
        name, separator, folder = text.partition("=")
        if not separator:
            if len(places) != 1:
                names = ", ".join(places) or "none"
                raise Refusal(f"--archive {text}: write NAME=FOLDER; the statement has {names}")
            name, folder = next(iter(places)), text
        elif name not in places:
            raise Refusal(f"--archive {text}: the statement has {', '.join(places) or 'none'}")
        places[name] = Path(folder)
    return places

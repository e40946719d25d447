"""The class that a name in `use` stands for: built in, installed, or `package.module:Class`."""

import inspect
import re
from importlib import import_module
from importlib.metadata import entry_points

from worker.handlers.built_in import BUILT_IN
from worker.handlers.contract import ClosingHandler, Handler
from worker.problems import Wrong, nearest, one_line, quoted, without_password

GROUP = "ringpost.handlers"
"""The entry point group in which an installed package offers its handlers."""

HandlerClass = type[Handler] | type[ClosingHandler]

_METHODS = ("handle", "amend", "finish", "check", "start", "close")
_REFERENCE = re.compile(r"(\w+(?:\.\w+)*):(\w+)")
_PATH = re.compile(r"\w+(?:\.\w+)+")


def find(use: str) -> HandlerClass:
    """Import the class; raises Wrong with the reason, to be read after the name."""
    reference = BUILT_IN.get(use) or (use if ":" in use else installed().get(use))
    if reference is None:
        raise Wrong(_unknown(use))
    parts = _REFERENCE.fullmatch(reference)
    if parts is None:
        raise Wrong('is no handler; write such as "package.module:Class"')
    module = _imported(parts[1])
    found = getattr(module, parts[2], None)
    if found is None:
        right = nearest(parts[2], [name for name in vars(module) if not name.startswith("_")])
        meant = f"did you mean {quoted(right)}?" if right else "name a class of it"
        raise Wrong(f"names a class that {parts[1]} does not have; {meant}")
    return _checked(found)


def said(error: BaseException) -> str:
    """What an exception of somebody else's code says, on one line of bounded length."""
    text = without_password(one_line(str(error)))[:200]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def installed() -> dict[str, str]:
    """What installed packages offer, by name."""
    return {entry.name: entry.value for entry in entry_points(group=GROUP)}


def _unknown(use: str) -> str:
    offered = installed()
    right = nearest(use, [*BUILT_IN, *offered])
    meant = f'did you mean "{right}"? Built in are' if right else "built in are"
    names = ", ".join(sorted(BUILT_IN))
    others = f", installed are {', '.join(sorted(offered))}" if offered else ""
    if _PATH.fullmatch(use):
        module, _, name = use.rpartition(".")
        others += f'; a class of your own is written "{module}:{name}"'
    return f"is no handler; {meant} {names}{others}"


def _imported(module: str) -> object:
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        absent = error.name or module
        if f"{module}.".startswith(f"{absent}."):
            found = f"names a module that is not there, {absent}"
            raise Wrong(f"{found}; install it beside Ringpost or set PYTHONPATH") from None
        found = f"cannot be imported: {module} needs {absent}"
        raise Wrong(f"{found}; install that beside Ringpost") from None
    except (Exception, SystemExit) as error:  # noqa: BLE001  # a plug-in may raise anything
        raise Wrong(f"cannot be imported: {module} failed with {said(error)}") from None


def _checked(found: object) -> HandlerClass:
    if not (inspect.isclass(found) and issubclass(found, Handler | ClosingHandler)):
        raise Wrong("is no handler; make it a subclass of ringpost.handlers.Handler")
    if inspect.isabstract(found):
        missing = ", ".join(sorted(found.__abstractmethods__))
        raise Wrong(f"is no whole handler; it does not define {missing}")
    for name in _METHODS:
        # It would do its work, and then fail because nothing can be awaited: over and over.
        method = getattr(found, name, None)
        if method is not None and not inspect.iscoroutinefunction(inspect.unwrap(method)):
            raise Wrong(f"is no whole handler; write `async def {name}`, not `def {name}`")
    return found

"""pytest's fixture `ringcentral_sandbox`: a RingCentral of the test's own, in its event loop.

    @pytest.mark.ringcentral(limits="real", window=3)
    async def test_it(ringcentral_sandbox):
        await ringcentral_sandbox.receives_sms("Hello")

The marker takes the members of `sandbox.Settings`. The fixture needs pytest-asyncio; whoever has
this package installed without it, or does not use the fixture, does not notice this module.
"""

from collections.abc import AsyncIterator
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from sandbox.ringcentral import RingCentral

MARKER = "ringcentral(**settings): what the sandbox of this test is like, see sandbox.Settings"


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", MARKER)


if find_spec("pytest_asyncio") is None:

    @pytest.fixture
    def ringcentral_sandbox() -> None:
        """Say what is missing."""
        pytest.fail("ringcentral_sandbox needs pytest-asyncio: pip install pytest-asyncio")

else:
    import pytest_asyncio

    @pytest_asyncio.fixture(name="ringcentral_sandbox")
    async def running_sandbox(request: pytest.FixtureRequest) -> AsyncIterator["RingCentral"]:
        """A running sandbox, stopped when the test is over."""
        from sandbox.ringcentral import RingCentral

        choices = {
            name: value
            for marker in reversed(list(request.node.iter_markers("ringcentral")))
            for name, value in marker.kwargs.items()
        }
        async with RingCentral(**choices) as ringcentral:
            yield ringcentral

"""An emulated company: one account and its extensions."""

from dataclasses import dataclass
from typing import Any

from sandbox.clock import stamp

FIRST_ACCOUNT = 400_131_426_008
ACCOUNT_STEP = 100_000_000
EXTENSION_STEP = 1000
NAMES = ("Ada King", "Grace Hopper", "Alan Turing", "Jean Bartik", "Edsger Dijkstra")


@dataclass(slots=True)
class Extension:
    """One user, queue or menu of the account; `phone` is its direct number."""

    id: str
    account_id: str
    number: str
    name: str
    phone: str
    type: str = "User"
    status: str = "Enabled"


class Account:
    """A company; its first extension is the one that signs in. `place` counts the companies."""

    def __init__(self, uri: str, created: float, place: int = 0) -> None:
        self.id = str(FIRST_ACCOUNT + place * ACCOUNT_STEP)
        self.uri = f"{uri}/restapi/v1.0/account/{self.id}"
        self._exchange = f"+1650{555 + place}"
        self.main_number = f"{self._exchange}0100"
        self.created = created
        self.retention_days = 90
        self.extensions: dict[str, Extension] = {}
        self._count = 0

    @property
    def signed_in(self) -> Extension:
        """The extension whose JWT is known."""
        return next(iter(self.extensions.values()))

    def add(self, *, name: str = "", type_name: str = "User", status: str = "Enabled") -> Extension:
        """One more extension, with the next free numbers."""
        count = self._count
        self._count += 1
        extension = Extension(
            id=str(int(self.id) + (count + 1) * EXTENSION_STEP),
            account_id=self.id,
            number=str(101 + count),
            name=name or f"{NAMES[count % len(NAMES)]}{f' {count}' if count >= len(NAMES) else ''}",
            phone=f"{self._exchange}{101 + count:04d}",
            type=type_name,
            status=status,
        )
        self.extensions[extension.id] = extension
        return extension

    def find(self, text: str) -> Extension | None:
        """The extension with this id, extension number or phone number; `~` is the signed-in."""
        if text == "~":
            return self.signed_in
        if found := self.extensions.get(text):
            return found
        return next((e for e in self.extensions.values() if text in (e.number, e.phone)), None)

    def to_json(self) -> dict[str, Any]:
        """The account as `readAccountInfo` answers it."""
        return {
            "uri": self.uri,
            "id": int(self.id),
            "mainNumber": self.main_number,
            "operator": self._reference(self.signed_in),
            "serviceInfo": {
                "uri": f"{self.uri}/service-info",
                "brand": {
                    "id": "1210",
                    "name": "RingCentral",
                    "homeCountry": {
                        "uri": f"{self.uri.split('/account/')[0]}/dictionary/country/1",
                        "id": "1",
                        "name": "United States",
                    },
                },
            },
            "setupWizardState": "Completed",
            "status": "Confirmed",
        }

    def extension_json(self, extension: Extension) -> dict[str, Any]:
        """One extension as `listExtensions` answers it."""
        first, _, last = extension.name.partition(" ")
        return {
            **self._reference(extension),
            "name": extension.name,
            "type": extension.type,
            "status": extension.status,
            "contact": {
                "firstName": first,
                "lastName": last,
                "company": "Example Company",
                "email": f"extension.{extension.number}@example.com",
            },
            "permissions": {
                "admin": {"enabled": extension is self.signed_in},
                "internationalCalling": {"enabled": False},
            },
            "hidden": False,
            "creationTime": stamp(self.created),
        }

    def _reference(self, extension: Extension) -> dict[str, Any]:
        return {
            "uri": f"{self.uri}/extension/{extension.id}",
            "id": int(extension.id),
            "extensionNumber": extension.number,
        }

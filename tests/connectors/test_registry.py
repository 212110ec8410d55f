"""Connectors are found by entry point, anybody's on equal terms."""

from importlib.metadata import EntryPoint
from typing import Any, ClassVar

import pytest

from connectors import SetupError, registry


class Plugin:
    """A connector of somebody else's package."""


class OldPlugin:
    PROTOCOL: ClassVar[int] = 0


def installed(monkeypatch: pytest.MonkeyPatch, *points: tuple[str, str]) -> None:
    found = [EntryPoint(name, value, registry.GROUP) for name, value in points]

    def entry_points(group: str, name: str | None = None) -> list[Any]:
        assert group == registry.GROUP
        return [point for point in found if name in (None, point.name)]

    monkeypatch.setattr(registry, "entry_points", entry_points)


def test_the_shipped_connectors_are_found() -> None:
    assert registry.names() == ["dynamics", "infobip", "salesforce"]
    for name in registry.names():
        assert registry.load(name).Mappings


def test_a_plugin_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, ("acme", f"{__name__}:Plugin"))
    assert registry.names() == ["acme"]
    assert registry.load("acme") is Plugin


def test_an_unknown_name_is_told_with_those_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, ("acme", f"{__name__}:Plugin"))
    with pytest.raises(SetupError, match="'salesfroce'") as caught:
        registry.load("salesfroce")
    assert "acme" in caught.value.remedy


def test_two_packages_with_one_name_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [("acme", f"{__name__}:{name}") for name in ("Plugin", "OldPlugin")]
    installed(monkeypatch, *points)
    with pytest.raises(SetupError, match="several packages"):
        registry.load("acme")


def test_a_plugin_of_another_protocol_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, ("acme", f"{__name__}:OldPlugin"))
    with pytest.raises(SetupError, match="protocol 0") as caught:
        registry.load("acme")
    assert "install a version" in caught.value.remedy

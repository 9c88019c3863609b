"""The lock files hold every package that any supported Python version needs, not only the one they were made with."""

import re
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
# Debian 12's Python, the newest 3.11, and the versions of later Debian and Ubuntu releases.
PYTHONS = ("3.11.2", "3.11.14", "3.12.3", "3.13.5", "3.14.0")


def pinned(*files: str) -> set[str]:
    text = "\n".join((ROOT / file).read_text(encoding="utf-8") for file in files)
    return {canonicalize_name(name) for name in re.findall(r"^([A-Za-z0-9._-]+)==", text, re.MULTILINE)}


def needed(package: str, python: str) -> set[str]:
    """What an installed package asks for on Linux with this Python, without extras."""
    environment = {
        "python_version": python.rpartition(".")[0],
        "python_full_version": python,
        "implementation_version": python,
        "extra": "",
    }
    wanted = map(Requirement, metadata.distribution(package).requires or [])
    return {
        canonicalize_name(requirement.name)
        for requirement in wanted
        if requirement.marker is None or requirement.marker.evaluate(environment)
    }


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("files", [("requirements.txt",), ("requirements.txt", "requirements-test.txt")])
def test_lock_is_complete(files: tuple[str, ...], python: str) -> None:
    packages = pinned(*files)
    missing = {(package, name) for package in packages for name in needed(package, python) - packages}
    assert missing == set()


@pytest.mark.parametrize("file", ["requirements.txt", "requirements-test.txt", "requirements-node.txt"])
def test_lock_names_no_index_and_hashes_everything(file: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    assert "://" not in text
    entries = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)[1:]
    assert [entry.split("==")[0] for entry in entries if "--hash=sha256:" not in entry] == []

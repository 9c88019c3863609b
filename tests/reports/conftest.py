"""Documents are printed with the free faces that set-up installs, as on a county's machine without licences."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pdfplumber
import pytest

import reports

FANDOL = Path(__file__).parents[2] / "var" / "fonts" / "fandol"


@pytest.fixture(scope="session", autouse=True)
def faces() -> Path:
    assert (FANDOL / "FandolFang-Regular.otf").is_file(), "the Fandol faces are not installed: run the set-up"
    reports.configure([FANDOL])
    return FANDOL


@pytest.fixture
def sample() -> Callable[[str, str], dict[str, Any]]:
    """A fresh copy of a kind's stored sample context."""
    return lambda kind, name: reports.KINDS[kind].samples[name].to_json()


@pytest.fixture
def opened() -> Iterator[Callable[[bytes], pdfplumber.PDF]]:
    """Opens PDF bytes and closes them after the test."""
    documents: list[pdfplumber.PDF] = []

    def open_pdf(content: bytes) -> pdfplumber.PDF:
        documents.append(pdfplumber.open(io.BytesIO(content)))
        return documents[-1]

    yield open_pdf
    for document in documents:
        document.close()

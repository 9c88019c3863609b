"""`docs/add-a-record-type.md` does not lie: its example is as short as promised, and works as it stands there."""

from __future__ import annotations

import os
import subprocess
import sys

from models.base import RECORD_TYPES
from tests.documented import listing

ROOT = listing.DOCUMENT.parent.parent


def test_a_plain_record_type_takes_25_lines_of_model_and_5_of_view() -> None:
    """Imports of the model included; of the view what stands in its class."""
    assert listing.lines(listing.model()) <= 25
    assert listing.lines(listing.view().partition("class ")[2]) <= 5
    assert max(len(line) for code in listing.blocks() for line in code.splitlines()) <= 120, "no line hides two"


def run(*command: str) -> None:
    """Run Python in a process of its own; raises with everything that it said."""
    done = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


def test_the_plain_example_is_a_record_type_by_itself() -> None:
    """Sections 1 and 2, without the step of section 4."""
    run(
        "-c",
        "import models; from tests.documented import listing, plugin\n"
        "from models.base import RECORD_TYPES, fields_of\n"
        "plugin.module('models.training', listing.model()); plugin.module('views.training', listing.view())\n"
        "assert list(fields_of(RECORD_TYPES['training'])) == ['subject', 'manner', 'held_on', 'department']",
    )


def test_the_example_with_its_step_works_as_it_stands_in_the_document() -> None:
    """Through browser and REST, on a database of its own; the migration is written by the command of section 3."""
    stories = [f"tests/documented/{name}.py" for name in ("training_story", "training_step_story")]
    run("-m", "pytest", "-q", "-p", "tests.documented.plugin", "-p", "no:cacheprovider", *stories)
    assert "training" not in RECORD_TYPES

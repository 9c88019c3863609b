"""Every kind with invented data, to look at and to show to the county's document clerks."""

from pathlib import Path

import reports


def render_all(folder: Path) -> list[Path]:
    """Write each kind's samples as ``<kind>-<sample>.pdf`` into ``folder``; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for kind in reports.KINDS.values():
        for name, sample in kind.samples.items():
            path = folder / f"{kind.name}-{name}.pdf"
            path.write_bytes(reports.render(kind.name, sample.to_json()))
            written.append(path)
    return written

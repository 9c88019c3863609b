"""The page of GB/T 9704-2012 and the style sheets that are laid over it.

Layers, each a file in ``styles/``: ``page`` (page box, page number, body text on the grid),
``slip`` (numbered slips), ``letter`` (letter form), ``redhead`` (red-headed documents), ``table`` and
``form`` (forms made of tables), ``sheet`` (room for handwriting). A kind names the layers it wears.
"""

from functools import cache
from pathlib import Path
from string import Template

from reports.faces import ROLES, FaceSet

FACE_SCHEME = "face"
"""Addresses of registered faces; no document can name a file or a host."""

_STYLES = Path(__file__).with_name("styles")

TOP, RIGHT, BOTTOM, LEFT = 37.0, 26.0, 35.0, 28.0
"""Margins of A4, millimetres: the text area is 156 × 225."""
FONT_SIZE, LINE_HEIGHT = 15.785, 28.99
"""Points. The grid is 22 lines of 28 characters; a nominal 16 pt leaves room for 27, so this is
156 mm / 28 and 225 mm / 22, rounded down by a hair so that the last one still fits."""


def face_rules(faces: FaceSet) -> str:
    """The ``@font-face`` rules of all registered faces."""
    return "\n".join(
        f'@font-face {{ font-family: "{face.family}"; src: url("{FACE_SCHEME}:{face.family}");'
        f"{' font-weight: bold;' if face.bold else ''} }}"
        for face in faces.registered.values()
    )


def style(name: str, faces: FaceSet) -> str:
    """The style sheet ``name`` with measures and face stacks filled in."""
    stacks: dict[str, str] = {role: faces.families(role) for role in ROLES}
    return _template(name).substitute(
        stacks,
        margins=f"{TOP}mm {RIGHT}mm {BOTTOM}mm {LEFT}mm",
        size=f"{FONT_SIZE}pt",
        line=f"{LINE_HEIGHT}pt",
    )


@cache
def _template(name: str) -> Template:
    return Template((_STYLES / f"{name}.css").read_text(encoding="utf-8"))

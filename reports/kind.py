"""Document kinds: what each is called, what it is made of, how it is laid out, and printing them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from reports import page, passage
from reports.context import Context
from reports.faces import FaceSet, faces
from reports.headline import headline
from reports.structure import renumbered, structured
from reports.unbroken import unbroken

if TYPE_CHECKING:
    from reports.press import Press

LANGUAGE = "zh-CN"

_TEMPLATES = Path(__file__).with_name("templates")


class MissingGlyph(ValueError):
    """A document holds characters that no available face can print; ``characters`` names them."""

    def __init__(self, characters: list[str]) -> None:
        named = ", ".join(f"{each!r} (U+{ord(each):04X})" for each in characters)
        super().__init__(f"no available face can print {named}")
        self.characters = characters


class PressUnavailable(RuntimeError):
    """The system libraries that PDF printing needs are not installed."""


@dataclass(frozen=True)
class DocumentKind:
    """One kind of document.

    ``texts`` are the factory wordings in the notation of :mod:`reports.passage`; an administrator
    may replace each. ``samples`` are complete contexts by a short name, to look at and to test.
    ``drafts`` are factory wordings of what people edit before it is issued, filled with other values:
    ``draft_sample`` shows them.
    """

    name: str
    title: str
    context: type[Context]
    template: str
    styles: tuple[str, ...]
    texts: Mapping[str, str]
    samples: Mapping[str, Context]
    drafts: Mapping[str, str] = field(default_factory=dict)
    draft_sample: Mapping[str, Any] = field(default_factory=dict)

    def read(self, data: Mapping[str, Any]) -> Context:
        """The stored context as this kind's dataclass; ``ContextError`` names what does not fit."""
        return self.context.from_json(data)

    def check_texts(self, texts: Mapping[str, str]) -> None:
        """Refuse changed wordings that this kind could not print (``PassageError``).

        A wording is only used where its sample uses it, so it must fit every sample.
        """
        for key, text in texts.items():
            if key in self.drafts:
                passage.check(text, self.draft_sample)
                continue
            if key not in self.texts:
                raise passage.PassageError(f"{self.title} has no text named {key!r}")
            for sample in self.samples.values():
                passage.check(text, sample.placeholders())

    def draft(self, values: Mapping[str, Any], texts: Mapping[str, str] | None = None) -> dict[str, str]:
        """What is drafted of this kind from plain values, by the name of each draft, its headings counted on. Raises ``PassageError``."""
        changed = {key: text for key, text in (texts or {}).items() if key in self.drafts}
        drafts = {**self.drafts, **changed}
        return {key: renumbered(passage.parse(text).fill(values)).strip() for key, text in drafts.items()}

    def html(
        self,
        data: Mapping[str, Any],
        texts: Mapping[str, str] | None = None,
        *,
        styles: str = "",
    ) -> str:
        """The document as HTML, with ``styles`` (trusted CSS) inside for a preview."""
        context = self.read(data)
        changed = {key: text for key, text in (texts or {}).items() if key not in self.drafts}
        self.check_texts(changed)
        values = context.placeholders()
        wording = {key: passage.parse(text).fill(values) for key, text in {**self.texts, **changed}.items()}
        return (
            _environment()
            .get_template(self.template)
            .render(
                doc=context,
                about=context.about(),
                wording=wording,
                styles=Markup(styles),
                language=LANGUAGE,
            )
        )


@cache
def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["structured"] = structured
    environment.filters["headline"] = headline
    environment.filters["unbroken"] = unbroken
    return environment


_press: "Press | None" = None


def _press_for(face_set: FaceSet) -> "Press":
    """This process's press; a new one after the faces were configured anew."""
    global _press
    if _press is None or _press.faces is not face_set:
        try:
            from reports.press import Press
        except OSError as error:
            raise PressUnavailable(
                "PDF documents need the system libraries Pango, HarfBuzz and fontconfig"
                " (Debian and Ubuntu: apt-get install libpango-1.0-0 libpangoft2-1.0-0"
                f" libharfbuzz-subset0 fontconfig). Missing: {error}"
            ) from error
        _press = Press(face_set)
    return _press


def print_kind(kind: DocumentKind, data: Mapping[str, Any], texts: Mapping[str, str] | None = None) -> bytes:
    """The PDF of a stored context: the same bytes for the same context, texts and faces.

    Raises ``ContextError``, ``PassageError``, :class:`MissingGlyph` or :class:`PressUnavailable`.
    """
    html = kind.html(data, texts)
    missing = faces().missing(html)
    if missing:
        raise MissingGlyph(missing)
    return _press_for(faces()).print(html, kind.styles)


def preview_kind(kind: DocumentKind, data: Mapping[str, Any], texts: Mapping[str, str] | None = None) -> str:
    """The document as one HTML page with its style sheets, for a screen. Needs no Pango."""
    sheets = "\n".join(page.style(name, faces()) for name in kind.styles)
    return kind.html(data, texts, styles=sheets)

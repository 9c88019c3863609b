"""From HTML to PDF bytes, by WeasyPrint.

Importing this module needs Pango and its companions; :mod:`reports.kind` imports it late so that
everything but the PDF itself works without them. One font configuration and one set of parsed
style sheets serve a whole process: building them costs as much as ten pages.
"""

import gc
import hashlib
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

from reports import page
from reports.faces import FaceSet


class ForbiddenAddress(ValueError):
    """A document asked for a file or a host."""


class FaceFetcher(URLFetcher):
    """Hands out registered faces, ``face:<family>``, and refuses every other address."""

    def __init__(self, faces: FaceSet) -> None:
        super().__init__(allowed_protocols=(page.FACE_SCHEME,), fail_on_errors=True)
        self._faces = faces

    def fetch(self, url: str, headers: Any = None) -> URLFetcherResponse:
        """The bytes of the face; ``ValueError`` for anything that is not one."""
        scheme, _, family = url.partition(":")
        face = self._faces.registered.get(family) if scheme == page.FACE_SCHEME else None
        if face is None or face.content is None:
            raise ValueError(f"a document may not load {url!r}")
        return URLFetcherResponse(url, face.content, {"Content-Type": "font/otf"})


@contextmanager
def uncollected() -> Iterator[None]:
    """Leave the garbage of one document until its end: a bulletin of thirty pages is a million objects that all live until then, and
    looking through them again and again costs it a third of its time."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


class Press:
    """Prints HTML with the faces of one :class:`FaceSet`."""

    def __init__(self, faces: FaceSet) -> None:
        self.faces = faces
        self._fetcher = FaceFetcher(faces)
        self._fonts = FontConfiguration()
        self._sheets: dict[str, CSS] = {}
        # Pango's font map must not be used by two threads at the same time.
        self._lock = threading.Lock()
        self._declared = self._css(page.face_rules(faces))

    def _css(self, text: str) -> CSS:
        return CSS(string=text, font_config=self._fonts, url_fetcher=self._fetcher)

    def _sheet(self, name: str) -> CSS:
        if name not in self._sheets:
            self._sheets[name] = self._css(page.style(name, self.faces))
        return self._sheets[name]

    def print(self, html: str, styles: Sequence[str]) -> bytes:
        """The PDF of ``html`` in the layers ``styles``; the same bytes for the same input.

        Raises :class:`ForbiddenAddress` for HTML that names any file or host.
        """
        try:
            return self._print(html, styles)
        except FatalURLFetchingError as error:
            # WeasyPrint's is no Exception and would end the worker.
            raise ForbiddenAddress(str(error)) from error

    def _print(self, html: str, styles: Sequence[str]) -> bytes:
        with self._lock, uncollected():
            sheets = [self._declared, *map(self._sheet, styles)]
            pdf: bytes = HTML(string=html, url_fetcher=self._fetcher).write_pdf(
                stylesheets=sheets,
                font_config=self._fonts,
                pdf_variant="pdf/ua-1",
                pdf_identifier=hashlib.sha256(html.encode()).hexdigest()[:32],
            )
        return pdf

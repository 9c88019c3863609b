"""Keeps the catalogues in step with the program (`make translations`).

Message ids are English. zh_Hans is written by people and is the authority for wording; zh_Hant is made from it by OpenCC and the reviewed
corrections in `traditional.txt`; en stays empty, so that the message id itself is shown. Nothing here is imported by the program.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import cache
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po, write_po
from opencc import OpenCC

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
LANGUAGES = ("zh_Hans", "zh_Hant", "en")
KEYWORDS = {**DEFAULT_KEYWORDS, "_l": None, "lazy_gettext": None, "lazy_ngettext": (1, 2)}
HEADER = """\
msgid ""
msgstr ""
"Language: {language}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: {plurals}\\n"

"""
"""Without dates and versions of tools, so that a difference in a catalogue is a difference in words."""


def path_of(language: str) -> Path:
    return HERE / language / "LC_MESSAGES" / "messages.po"


def read(language: str) -> Catalog:
    """A language's catalogue as it is kept; an empty one if there is none."""
    if not path_of(language).exists():
        return Catalog(locale=language)
    with path_of(language).open("rb") as kept:
        return read_po(kept, locale=language)


def messages(catalogue: Catalog) -> Iterator[Message]:
    """The messages of a catalogue without its header."""
    return (message for message in catalogue if message.id)


def extract() -> Catalog:
    """Every message of the program, as `babel.cfg` says where they stand, and those of libraries that people can meet."""
    with (ROOT / "babel.cfg").open(encoding="utf-8") as mapping:
        methods, options = parse_mapping_cfg(mapping)
    found = Catalog()
    for name, _line, message, comments, context in extract_from_dir(
        ROOT, methods, options, KEYWORDS, strip_comment_tags=True
    ):
        found.add(message, None, [(name, 0)], auto_comments=comments, context=context)
    with (HERE / "libraries.pot").open("rb") as library:
        for foreign in messages(read_po(library)):
            found.add(foreign.id, None, foreign.locations, context=foreign.context)
    return found


@cache
def corrections() -> tuple[tuple[str, str], ...]:
    """(what OpenCC gives, what is right) of `traditional.txt`, in order."""
    lines = (HERE / "traditional.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line.split() for line in lines if line.strip() and not line.startswith("#"))
    return tuple((wrong, right) for wrong, right in pairs)


OPENCC = OpenCC("s2t")


def converted(text: str) -> str:
    """A text in traditional characters as OpenCC gives it."""
    return str(OPENCC.convert(text))


def traditional(text: str) -> str:
    """A text in traditional characters, with our corrections."""
    text = converted(text)
    for wrong, right in corrections():
        text = text.replace(wrong, right)
    return text


def updated(language: str, extracted: Catalog) -> Catalog:
    """The catalogue of a language for what was extracted: words kept, new messages empty, old ones dropped, zh_Hant made anew."""
    words = read("zh_Hans" if language == "zh_Hant" else language)
    made = Catalog(locale=language)
    for message in messages(extracted):
        kept = words.get(message.id, message.context)
        string = (kept.string if kept is not None else "") or ""
        if language == "zh_Hant":
            string = traditional(string) if isinstance(string, str) else tuple(map(traditional, string))
        made.add(message.id, string, message.locations, auto_comments=message.auto_comments, context=message.context)
    return made


def write(language: str, catalogue: Catalog) -> None:
    """Keep a catalogue: sorted by message, places without line numbers."""
    body = BytesIO()
    write_po(body, catalogue, width=100, omit_header=True, sort_output=True, include_lineno=False)
    header = HEADER.format(language=language, plurals=Catalog(locale=language).plural_forms)
    path_of(language).parent.mkdir(parents=True, exist_ok=True)
    path_of(language).write_text(header + body.getvalue().decode(), encoding="utf-8")


def main() -> int:
    """Bring all catalogues up to date; name the messages that wait for their Chinese."""
    extracted = extract()
    for language in LANGUAGES:
        write(language, updated(language, extracted))
    waiting = [message.id for message in messages(read("zh_Hans")) if not any(message.string)]
    for message_id in waiting:
        print(f"not translated yet: {message_id}")
    return 1 if waiting else 0


if __name__ == "__main__":
    sys.exit(main())

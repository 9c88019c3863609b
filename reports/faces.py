"""The printing faces: which ones are there, in which order they are asked, what they can print.

GB/T 9704 prescribes proprietary faces. A county that holds licences drops their files into a
folder; they win over the free Fandol faces, and Noto stands behind both for rare characters.
Faces are recognised by the names inside the file, whatever the file is called.
"""

import io
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from fontTools.ttLib import TTFont, TTLibError

Role = Literal["title", "fang", "kai", "hei", "song"]

ROLES: dict[Role, tuple[str, ...]] = {
    "title": (
        "FZXiaoBiaoSong-B05S", "方正小标宋简体", "FZXiaoBiaoSong-B05", "方正小标宋_GBK",
        "FandolSong-Bold",
    ),
    "fang": (
        "FangSong_GB2312", "仿宋_GB2312", "FZFangSong-Z02S", "方正仿宋简体",
        "FZFangSong-Z02", "方正仿宋_GBK", "FangSong", "仿宋", "FandolFang-Regular",
    ),
    "kai": (
        "KaiTi_GB2312", "楷体_GB2312", "FZKai-Z03S", "方正楷体简体", "FZKai-Z03", "方正楷体_GBK",
        "KaiTi", "楷体", "FandolKai-Regular",
    ),
    "hei": (
        "SimHei", "黑体", "FZHei-B01S", "方正黑体简体", "FZHei-B01", "方正黑体_GBK",
        "FandolHei-Regular",
    ),
    "song": ("SimSun", "宋体", "FZShuSong-Z01S", "方正书宋简体", "FandolSong-Regular"),
}  # fmt: skip
"""The faces of each role by PostScript or family name, the one to be preferred first."""

_NOTO_FILES = {
    "Noto Serif CJK SC": (
        "NotoSerifCJK-Regular.ttc", "NotoSerifCJKsc-Regular.otf",
    ),
    "Noto Sans CJK SC": (
        "NotoSansCJK-Regular.ttc", "NotoSansCJKsc-Regular.otf",
    ),
}  # fmt: skip
_SYSTEM_FOLDERS = (
    Path("/usr/share/fonts"),
    Path("/usr/local/share/fonts"),
    Path.home() / ".local/share/fonts",
    Path.home() / ".fonts",
)

# Fandol's FangSong and Kai carry figures of a sans and of a script face; Song's sit well in both.
_FIGURES_FROM = "FandolSong-Regular"
_FIGURES_FOR = ("FandolFang-Regular", "FandolKai-Regular", "FandolSong-Regular")
_FIGURES = (*range(0x20, 0x7F), 0x2013, 0x2014)

# Characters without a picture of their own: layout and direction controls, surrogates, private.
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})

_NAME_IDS = (1, 4, 6, 16)


class FacesError(RuntimeError):
    """No Chinese face was found to print with."""


@dataclass(frozen=True)
class Face:
    """A face in the stack. Registered ones have ``content``; installed ones are known by family."""

    family: str
    path: Path
    number: int = -1
    content: bytes | None = None
    bold: bool = False

    @cached_property
    def characters(self) -> frozenset[int]:
        """The code points that this face has a glyph for."""
        source: Path | io.BytesIO = self.path if self.content is None else io.BytesIO(self.content)
        with TTFont(source, fontNumber=self.number, lazy=True) as font:
            return frozenset(font.getBestCmap() or ())


class FaceSet:
    """The faces found in some folders and in the system, ready for style sheets."""

    def __init__(self, folders: Sequence[Path]) -> None:
        files = _by_name(folders)
        self.stacks: dict[Role, list[Face]] = {role: [] for role in ROLES}
        for role, names in ROLES.items():
            for name in names:
                path = files.get(name)
                if path is not None and path not in {face.path for face in self.stacks[role]}:
                    face = Face(path.stem, path, content=path.read_bytes(), bold=role == "title")
                    self.stacks[role].append(face)
        self._add_figures(files)
        self.installed = list(_installed())
        if not self.installed and not any(self.stacks.values()):
            raise FacesError(
                "No Chinese face was found. Install the package fonts-noto-cjk, or put the Fandol"
                " faces or licensed ones into a configured font folder."
            )

    def _add_figures(self, files: dict[str, Path]) -> None:
        source = files.get(_FIGURES_FROM)
        fandol = [files[name] for name in _FIGURES_FOR if name in files]
        if source is None:
            return
        figures = Face("FandolSong-Figures", source, content=_cut(source, _FIGURES, like=fandol[0]))
        for faces in self.stacks.values():
            if faces and faces[0].path in fandol:
                faces.insert(0, figures)

    @cached_property
    def registered(self) -> dict[str, Face]:
        """The faces that style sheets declare themselves, by family."""
        return {face.family: face for faces in self.stacks.values() for face in faces}

    @cached_property
    def characters(self) -> frozenset[int]:
        """Every code point that some face of the stacks can print."""
        faces = (*self.registered.values(), *self.installed)
        return frozenset().union(*(face.characters for face in faces))

    def families(self, role: Role) -> str:
        """The value of ``font-family`` for ``role``.

        Each stack ends with all other faces, so that a character which any face has is never
        left to whatever else the machine has installed.
        """
        serif = role != "hei"
        installed = sorted(self.installed, key=lambda face: ("Serif" in face.family) != serif)
        names = [face.family for face in (*self.stacks[role], *installed)]
        names += [name for name in self.registered if name not in names]
        return ", ".join(f'"{name}"' for name in names)

    def missing(self, text: str) -> list[str]:
        """The characters of ``text`` that cannot be printed, each once, in order of appearance."""
        return [character for character in dict.fromkeys(text) if character != "\n" and not self._prints(character)]

    def _prints(self, character: str) -> bool:
        """Whether some face has a visible glyph for it; remembered, since texts use the same few thousand again and again."""
        known = self._printed.get(character)
        if known is None:
            known = ord(character) in self.characters and unicodedata.category(character) not in _INVISIBLE
            self._printed[character] = known
        return known

    @cached_property
    def _printed(self) -> dict[str, bool]:
        return {}


def _by_name(folders: Iterable[Path]) -> dict[str, Path]:
    """Font files by every name they give themselves; earlier folders win."""
    found: dict[str, Path] = {}
    for folder in folders:
        for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
            if path.suffix.lower() in {".otf", ".ttf"}:
                for name in _names(path):
                    found.setdefault(name, path)
    return found


def _names(path: Path) -> set[str]:
    try:
        with path.open("rb") as file, TTFont(file, lazy=True) as font:
            return {record.toUnicode() for record in font["name"].names
                    if record.nameID in _NAME_IDS}  # fmt: skip
    except (TTLibError, UnicodeDecodeError) as error:
        raise FacesError(f"The font file {path.name} cannot be read: {error}") from error


def _installed() -> Iterator[Face]:
    for family, file_names in _NOTO_FILES.items():
        for path in _system_files(file_names):
            yield Face(family, path, number=_number_in_collection(path, family))
            break


def _system_files(file_names: Iterable[str]) -> Iterator[Path]:
    for folder in _SYSTEM_FOLDERS:
        for name in file_names:
            yield from sorted(folder.rglob(name)) if folder.is_dir() else ()


def _number_in_collection(path: Path, family: str) -> int:
    """Which font of a collection is ``family``; -1 for a file with a single font."""
    if path.suffix.lower() != ".ttc":
        return -1
    number = 0
    while True:
        with TTFont(path, fontNumber=number, lazy=True) as font:
            if font["name"].getDebugName(1) == family:
                return number
        number += 1


def _cut(path: Path, characters: Iterable[int], like: Path) -> bytes:
    """A font file with only these characters, as high and as deep as the face ``like``.

    Cut, because fontconfig drops a face that seems to add nothing to the one before it, so that
    ``unicode-range`` would hide the text face. As high, because the first face of a stack decides
    where the base line stands in a line, and a difference breaks the grid of 22 lines.
    """
    # The time of cutting in the file would make every process print other bytes.
    from fontTools import subset  # costs a third of a second: only where something is printed

    with TTFont(path, lazy=True, recalcTimestamp=False) as font, TTFont(like, lazy=True) as model:
        options = subset.Options(hinting=False, layout_features=["kern"], notdef_outline=True, retain_gids=True)
        cutter = subset.Subsetter(options)
        cutter.populate(unicodes=characters)
        cutter.subset(font)
        font["hhea"].ascent, font["hhea"].descent = model["hhea"].ascent, model["hhea"].descent
        font["OS/2"].sTypoAscender = model["OS/2"].sTypoAscender
        font["OS/2"].sTypoDescender = model["OS/2"].sTypoDescender
        out = io.BytesIO()
        font.save(out)
    return out.getvalue()


_folders: tuple[Path, ...] = ()
_faces: FaceSet | None = None


def configure(font_dirs: Iterable[str | Path]) -> None:
    """Look for faces in these folders, licensed and free ones, the first folder first.

    Call it once at start. A folder that does not exist holds no faces.
    """
    global _folders, _faces
    _folders = tuple(Path(folder) for folder in font_dirs)
    _faces = None


def faces() -> FaceSet:
    """The faces in use; found at the first call after :func:`configure`."""
    global _faces
    if _faces is None:
        _faces = FaceSet(_folders)
    return _faces


def missing_glyphs(text: str) -> list[str]:
    """The characters of ``text`` that no available face can print, each once.

    Control and other invisible characters count as missing; a line feed does not.
    """
    return faces().missing(text)

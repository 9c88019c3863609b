"""The page box of GB/T 9704-2012, measured on the printed page."""

import logging

import pytest

import reports
from reports.faces import faces
from reports.press import FaceFetcher, ForbiddenAddress, Press

MM = 25.4 / 72


@pytest.fixture(scope="module")
def press():
    return Press(faces())


def lines(page):
    """Text lines of the text area, top to bottom, without the page number."""
    area = page.crop((0, 0, page.width, 262 / MM))
    rows: dict[int, str] = {}
    for char in sorted(area.chars, key=lambda char: (round(char["top"]), char["x0"])):
        rows.setdefault(round(char["top"]), "")
        rows[round(char["top"])] += char["text"]
    return list(rows.values())


def test_a_page_holds_22_lines_of_28_characters(press, opened):
    pdf = opened(press.print(f"<body><p>{'县' * (28 * 23 + 5)}</p></body>", ("page",)))
    assert [len(line) for line in lines(pdf.pages[0])] == [28] * 22
    assert len(pdf.pages) == 2
    assert [len(line) for line in lines(pdf.pages[1])] == [28, 5]


def test_the_text_area_is_156_by_225_millimetres_at_its_place(press, opened):
    page = opened(press.print(f"<body><p>{'县' * (28 * 22)}</p></body>", ("page",))).pages[0]
    assert (page.width * MM, page.height * MM) == pytest.approx((210, 297), abs=0.1)
    chars = [char for char in page.chars if char["text"] == "县"]
    assert min(char["x0"] for char in chars) * MM == pytest.approx(28, abs=0.1)
    assert max(char["x1"] for char in chars) * MM == pytest.approx(184, abs=0.3)
    first, last = min(char["top"] for char in chars), max(char["top"] for char in chars)
    assert (last - first) * MM / 21 == pytest.approx(225 / 22, abs=0.01)


def dash_ink(page):
    """Where the ink of the page number's first dash begins, millimetres from the top."""
    dash = next(char for char in page.chars if char["text"] == "—" and char["top"] * MM > 262)
    scale = 20
    image = page.to_image(resolution=25.4 * scale).original.convert("L")
    column = round((dash["x0"] + dash["x1"]) / 2 * MM * scale)
    return next(y for y in range(263 * scale, 290 * scale) if image.getpixel((column, y)) < 200) / scale


def test_page_numbers_stand_outside_7_mm_below_the_text_one_character_in(press, opened):
    pdf = opened(press.print(f"<body><p>{'县' * (28 * 22 * 2)}</p></body>", ("page",)))
    odd, even = ([char for char in page.chars if char["top"] * MM > 262] for page in pdf.pages)
    assert "".join(char["text"] for char in odd) == "— 1 —"
    assert "".join(char["text"] for char in even) == "— 2 —"
    one_character = 14 * MM
    assert max(char["x1"] for char in odd) * MM == pytest.approx(184 - one_character, abs=0.2)
    assert min(char["x0"] for char in even) * MM == pytest.approx(28 + one_character, abs=0.2)
    for page in pdf.pages:
        assert dash_ink(page) == pytest.approx(262 + 7, abs=0.2)


def test_figures_and_rare_characters_come_from_their_own_faces(press, opened):
    page = opened(press.print("<body><p>县2026镕</p></body>", ("page",))).pages[0]
    used = {char["text"]: char["fontname"].split("+")[1] for char in page.chars if char["top"] * MM < 262}
    assert used["县"] == "FandolFang-Regular"
    assert used["2"] == "FandolSong-Figures"
    assert used["镕"].startswith("Noto-Serif-CJK-SC")


@pytest.mark.parametrize(
    "address",
    ["file:///etc/hostname", "http://127.0.0.1:9/x", "https://example.org/x.css", "data:text/css,p{}", "face:Unknown"],
)
@pytest.mark.parametrize(
    "markup",
    ['<img src="{}">', '<link rel="stylesheet" href="{}">', '<link rel="attachment" href="{}">'],
)
def test_no_address_but_registered_faces_is_loaded(press, address, markup):
    with pytest.raises(ForbiddenAddress, match="fetching"):
        press.print(f"<head>{markup.format(address)}</head><body>{markup.format(address)}</body>", ("page",))


def test_the_fetcher_itself_refuses_what_is_not_a_face():
    fetcher = FaceFetcher(faces())
    assert fetcher.fetch("face:FandolFang-Regular").read(4) == b"OTTO"
    with pytest.raises(ValueError, match="may not load"):
        fetcher.fetch("file:///etc/hostname")


def test_style_sheets_hold_nothing_that_the_printer_does_not_understand(caplog):
    with caplog.at_level(logging.WARNING, logger="weasyprint"):
        Press(faces())
        reports.warm_up()
        for kind in reports.KINDS.values():
            fresh = Press(faces())
            fresh.print(kind.html(next(iter(kind.samples.values())).to_json()), kind.styles)
    assert [record.getMessage() for record in caplog.records] == []

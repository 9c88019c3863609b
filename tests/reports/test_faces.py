"""What can be printed, and with which faces."""

import shutil

import pytest

import reports
from reports.faces import FacesError, FaceSet, missing_glyphs


def test_rare_name_characters_can_be_printed():
    assert missing_glyphs("镕喆玥珺昇祎犇垚〔2026〕“乡呼县应”□√—%") == []


def test_what_no_face_has_is_named_once_in_order():
    assert missing_glyphs("水利😀局☑😀") == ["😀", "☑"]


@pytest.mark.parametrize("character", ["\x00", "\t", "\r", "\x1b", "\u200b", "\u202e", "\ufeff", "\u2028", "\ue000"])
def test_invisible_characters_count_as_missing(character):
    assert missing_glyphs(f"甲{character}乙") == [character]


def test_a_line_feed_can_be_printed():
    assert missing_glyphs("甲\n乙") == []


def test_rendering_refuses_a_character_without_glyph_and_names_it(sample):
    data = sample("reminder", "single")
    data["cases"][0]["call_title"] = "渠道😀坍塌"
    with pytest.raises(reports.MissingGlyph, match=r"U\+1F600") as raised:
        reports.render("reminder", data)
    assert raised.value.characters == ["😀"]


def test_a_control_character_is_refused_too(sample):
    data = sample("reminder", "single")
    data["contact"] = "王\x07芳"
    with pytest.raises(reports.MissingGlyph, match=r"U\+0007"):
        reports.render("reminder", data)


def test_a_licensed_face_in_an_earlier_folder_wins_by_the_name_inside_the_file(faces, tmp_path):
    from fontTools.ttLib import TTFont

    with TTFont(faces / "FandolKai-Regular.otf") as font:
        for record in font["name"].names:
            if record.nameID in (4, 6):
                record.string = "FangSong_GB2312"
        font.save(tmp_path / "simfang.otf")
    chosen = FaceSet([tmp_path, faces])
    assert [face.family for face in chosen.stacks["fang"]][:2] == ["simfang", "FandolFang-Regular"]
    assert chosen.families("fang").startswith('"simfang"')


def test_a_damaged_font_file_is_reported_by_name(tmp_path):
    (tmp_path / "broken.otf").write_bytes(b"no font")
    with pytest.raises(FacesError, match=r"broken\.otf"):
        FaceSet([tmp_path])


def test_a_folder_that_does_not_exist_holds_no_faces(tmp_path):
    assert FaceSet([tmp_path / "none"]).registered == {}


def test_without_any_chinese_face_the_message_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr("reports.faces._SYSTEM_FOLDERS", (tmp_path,))
    with pytest.raises(FacesError, match="fonts-noto-cjk"):
        FaceSet([tmp_path])


def test_fandol_alone_prints_all_that_it_claims(faces, tmp_path, monkeypatch):
    monkeypatch.setattr("reports.faces._SYSTEM_FOLDERS", (tmp_path,))
    only = FaceSet([faces])
    assert only.missing("水利局镕") == ["镕"]


def test_every_stack_ends_with_all_other_faces(faces):
    chosen = FaceSet([faces])
    for role in chosen.stacks:
        assert {f'"{family}"' for family in chosen.registered} <= set(chosen.families(role).split(", "))


def test_copies_of_a_folder_give_the_same_stack(faces, tmp_path):
    shutil.copytree(faces, tmp_path / "copy")
    assert FaceSet([tmp_path / "copy"]).families("fang") == FaceSet([faces]).families("fang")

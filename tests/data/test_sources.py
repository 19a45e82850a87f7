import warnings

import numpy as np
import pytest
from PIL import Image

from srgan_lightning.data.files import find_files
from srgan_lightning.data.pairs import match_pairs, pair_key
from srgan_lightning.data.sources import open_source
from srgan_lightning.data.split import split
from srgan_lightning.data.store import pack
from srgan_lightning.errors import UserError


@pytest.mark.parametrize("memory", [0, 1 << 30])
def test_folder_and_store_are_the_same_source(tmp_path, write_pictures, memory):
    expected = write_pictures(tmp_path / "in", ["b.png", "a/c.tif", "a/d.bmp"])
    pack(tmp_path / "in", tmp_path / "s.safetensors")
    for path in (tmp_path / "in", tmp_path / "s.safetensors"):
        source = open_source(str(path), memory=memory)
        assert source.names == sorted(expected)
        assert source.sizes == [(40, 56)] * 3
        for index, name in enumerate(source.names):
            assert np.array_equal(source.image(index), expected[name])
            crop = source.crop(index, 3, 5, 16)
            assert np.array_equal(crop, expected[name][3:19, 5:21])


def test_folders_stores_and_patterns_mix(tmp_path, write_pictures):
    write_pictures(tmp_path / "a", ["1.png"])
    write_pictures(tmp_path / "b", ["2.png"])
    write_pictures(tmp_path / "c(V3)", ["x/4/3_HR.png", "x/4/3_LR4.png", "y/4/5_HR.png"])
    pack(tmp_path / "b", tmp_path / "b.safetensors")
    paths = [tmp_path / "a", tmp_path / "b.safetensors", tmp_path / "c(V3)" / "*" / "4" / "*_HR.*"]
    source = open_source([str(path) for path in paths])
    assert source.names == ["1.png", "2.png", "x/4/3_HR.png", "y/4/5_HR.png"]


def test_small_sets_are_decoded_once_and_large_ones_at_each_crop(tmp_path, write_pictures):
    write_pictures(tmp_path, ["a.png"])
    kept, read_anew = open_source(str(tmp_path)), open_source(str(tmp_path), memory=10)
    assert (kept.decoded, read_anew.decoded) == (True, False)
    before = kept.image(0).copy()
    Image.fromarray(np.zeros((40, 56, 3), np.uint8)).save(tmp_path / "a.png")
    assert np.array_equal(kept.image(0), before)
    assert not read_anew.image(0).any()


@pytest.mark.parametrize("memory", [0, 1 << 30])
def test_unusable_files_are_named_and_left_out(tmp_path, write_pictures, memory):
    write_pictures(tmp_path, ["good.png", "cut.png"])
    write_pictures(tmp_path, ["small.png"], height=10)
    data = (tmp_path / "cut.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(data[:3000])
    (tmp_path / "text.jpg").write_text("no picture")
    with pytest.warns(UserWarning, match="left out") as caught:
        source = open_source(str(tmp_path), min_size=16, memory=memory)
    assert source.names == ["good.png"]
    assert sorted(source.rejected) == ["cut.png", "small.png", "text.jpg"]
    texts = "\n".join(str(warning.message) for warning in caught)
    assert len(caught) == 3
    assert "cut.png: cannot be read as a picture" in texts
    assert "small.png: 10x56 is smaller than the 16 pixels needed" in texts
    assert "text.jpg: cannot be read as a picture" in texts


def test_too_small_pictures_of_a_store_are_left_out(tmp_path, write_pictures):
    write_pictures(tmp_path / "in", ["good.png"])
    write_pictures(tmp_path / "in", ["small.png"], height=10)
    pack(tmp_path / "in", tmp_path / "s.safetensors")
    with pytest.warns(UserWarning, match=r"small\.png: 10x56 is smaller"):
        assert open_source(str(tmp_path / "s.safetensors"), min_size=16).names == ["good.png"]


def test_many_unusable_files_are_summed_up(tmp_path, write_pictures):
    write_pictures(tmp_path, ["good.png"])
    for number in range(30):
        (tmp_path / f"bad{number:02}.png").touch()
    with pytest.warns(UserWarning, match="left out") as caught:
        open_source(str(tmp_path))
    assert len(caught) == 11
    assert all(f"bad{number:02}.png" in str(caught[-1].message) for number in range(10, 30))


def test_no_usable_picture_is_an_error(tmp_path, write_pictures):
    write_pictures(tmp_path, ["small.png"], height=10)
    with (
        pytest.warns(UserWarning, match=r"small\.png"),
        pytest.raises(UserError, match="no usable picture"),
    ):
        open_source(str(tmp_path), min_size=16)
    (tmp_path / "empty").mkdir()
    for place, message in (
        (tmp_path / "empty", "no pictures there"),
        (tmp_path / "none", "no such folder"),
        (tmp_path / "*.webp", "no pictures there"),
        ("samples://test", "known are samples://train and samples://heldout"),
    ):
        with pytest.raises(UserError, match=message):
            open_source(str(place))


def test_samples_are_a_source():
    train, heldout = ({name for name, _ in find_files(f"samples://{s}")} for s in SPLITS)
    assert train
    assert heldout
    assert not train & heldout


SPLITS = ("train", "heldout")


@pytest.mark.parametrize("memory", [0, 1 << 30])
def test_resize_makes_squares_of_folders_and_stores(tmp_path, write_pictures, memory):
    pictures = write_pictures(tmp_path / "in", ["a.png"])
    pack(tmp_path / "in", tmp_path / "s.safetensors")
    expected = Image.fromarray(pictures["a.png"]).resize((32, 32), Image.Resampling.LANCZOS)
    for path in (tmp_path / "in", tmp_path / "s.safetensors"):
        source = open_source(str(path), resize=32, min_size=32, memory=memory)
        assert source.sizes == [(32, 32)]
        assert np.array_equal(source.image(0), expected)
        assert source.crop(0, 8, 8, 8).shape == (8, 8, 3)


def test_split_keeps_files_on_their_side():
    names = [f"{number:04}.png" for number in range(2000)]
    train, validation = split(names, 0.1)
    assert sorted(train + validation) == list(range(2000))
    assert 150 < len(validation) < 250
    fewer = names[::2]
    kept = {fewer[index] for index in split(fewer, 0.1)[1]}
    assert kept == {names[index] for index in validation} & set(fewer)


@pytest.mark.parametrize("share", [1e-9, 0.5, 0.999])
@pytest.mark.parametrize("count", [2, 3, 10])
def test_split_leaves_no_side_empty(share, count):
    names = [f"{number}.png" for number in range(count)]
    train, validation = split(names, share)
    assert train
    assert validation
    assert sorted(train + validation) == list(range(count))


def test_split_of_nothing_and_of_one():
    assert split(["a", "b"], 0) == ([0, 1], [])
    with pytest.raises(UserError, match=r"data\.split: one picture"):
        split(["a"], 0.1)


@pytest.mark.parametrize(
    ("hr", "lr"),
    [
        ("0801.png", "0801x4.png"),
        ("0001.png", "0001x4m.png"),
        ("baby.png", "baby.png"),
        ("baby_HR.png", "baby_LR.bmp"),
        ("babyx4.png", "baby.png"),
        ("Canon_001_HR.png", "Canon_001_LR4.png"),
        ("Nikon/4/Nikon_050_HR.png", "Nikon/4/Nikon_050_LR4.png"),
        ("img_001_SRF_4_HR.png", "img_001_SRF_4_LR.png"),
    ],
)
def test_names_of_pairs_in_the_field(hr, lr):
    assert pair_key(hr) == pair_key(lr)


@pytest.mark.parametrize(
    ("one", "other"),
    [("max.png", "ma.png"), ("a/1.png", "b/1.png"), ("hr.png", "lr.png"), ("0011.png", "001.png")],
)
def test_names_of_different_pictures(one, other):
    assert pair_key(one) != pair_key(other)


@pytest.fixture
def pairs(tmp_path, write_pictures):
    write_pictures(tmp_path / "hr", ["1.png", "2.png"], height=43, width=56)
    write_pictures(tmp_path / "lr", ["2x4.png", "1x4.png"], height=10, width=14)
    return tmp_path


def match(folder, scale=4):
    hr, lr = (open_source(str(folder / name)) for name in ("hr", "lr"))
    return match_pairs(hr, lr, scale=scale)


def test_pairs_come_in_one_order(pairs):
    hr, lr = match(pairs)
    assert hr.names == ["1.png", "2.png"]
    assert lr.names == ["1x4.png", "2x4.png"]


def test_wrong_sizes_name_the_file(pairs):
    with pytest.raises(UserError, match=r"1x4\.png: is 10x14, but a scale of 2.*ask for 21x28"):
        match(pairs, scale=2)


def test_missing_partners_name_the_file(pairs, write_pictures):
    write_pictures(pairs / "hr", ["3.png"], height=43)
    with pytest.raises(UserError, match=r"3\.png: has no LR partner"):
        match(pairs)
    write_pictures(pairs / "lr", ["3.png", "4.png"], height=10, width=14)
    with pytest.raises(UserError, match=r"4\.png: has no HR partner"):
        match(pairs)
    write_pictures(pairs / "lr", ["3x4.png"], height=10, width=14)
    with pytest.raises(UserError, match=r"3x4\.png: cannot be told from 3\.png"):
        match(pairs)


def test_a_pair_goes_when_one_of_it_is_unreadable(pairs):
    (pairs / "lr" / "1x4.png").write_text("no picture")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        hr, lr = match(pairs)
        assert (hr.names, lr.names) == (["2.png"], ["2x4.png"])
        (pairs / "hr" / "2.png").write_text("no picture")
        with pytest.raises(UserError, match="no pair has both"):
            match(pairs)

import pytest

from icefloe.datasets.conditions import (
    CONDITIONS_FILE,
    Conditions,
    read_conditions,
    shared_by,
    write_conditions,
)
from icefloe.errors import IcefloeError

AU, AG = Conditions(material="Au", dose_e_per_A2=423), Conditions(material="Ag", dose_e_per_A2=423)


def test_what_all_images_share_is_told_from_what_they_do_not(tmp_path):
    assert shared_by({"a": AU, "b": AG}) == Conditions(dose_e_per_A2=423)
    write_conditions(tmp_path, {"a": AU, "b": AG})
    assert (tmp_path / CONDITIONS_FILE).read_text() == "image,material\na,Au\nb,Ag\n"
    assert read_conditions(tmp_path) == {"a": Conditions(material="Au"), "b": Conditions(material="Ag")}


def test_what_is_known_of_one_image_only_is_not_shared(tmp_path):
    images = {"a": AU, "b": Conditions()}
    assert shared_by(images) == Conditions()
    write_conditions(tmp_path, images)
    assert read_conditions(tmp_path) == images


def test_images_that_agree_need_no_table(tmp_path):
    write_conditions(tmp_path, {"a": AU, "b": AU})
    assert not (tmp_path / CONDITIONS_FILE).exists()
    assert read_conditions(tmp_path) == {}


def test_what_is_known_goes_over_what_is_less_special():
    assert Conditions(material="CdSe").over(AU) == Conditions(material="CdSe", dose_e_per_A2=423)


@pytest.mark.parametrize("cell", ["much", "-3", "nan"])
def test_a_value_that_is_none_is_refused_with_its_image_and_column(tmp_path, cell):
    (tmp_path / CONDITIONS_FILE).write_text(f"image,dose_e_per_A2\nstack_7,{cell}\n")
    with pytest.raises(IcefloeError, match=r"conditions\.csv: image stack_7: dose_e_per_A2: "):
        read_conditions(tmp_path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"stem,session\na,one\n", "no column names the images"),
        (b"image,session\na,\xff\n", "as a CSV table"),
    ],
)
def test_a_table_that_is_none_is_refused_in_one_line(tmp_path, content, words):
    (tmp_path / "conditions.csv").write_bytes(content)
    with pytest.raises(IcefloeError, match=words) as error:
        read_conditions(tmp_path)
    assert "\n" not in str(error.value)

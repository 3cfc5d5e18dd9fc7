import codecs
import json

import pytest

from icefloe.datasets.annotations.reading import read_annotations
from icefloe.errors import IcefloeError

LABELME = {"shapes": [{"label": "ice", "points": [[10, 8], [40, 8], [40, 30]]}], "imagePath": "a.png"}


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (b"", "utf-8"),
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ],
)
def test_json_of_windows_editors_is_read_with_its_byte_order_mark(tmp_path, mark, encoding):
    (tmp_path / "a.JSON").write_bytes(mark + json.dumps(LABELME).encode(encoding))
    (annotation,) = read_annotations(tmp_path / "a.JSON") or []
    assert len(annotation.regions) == 1


@pytest.mark.parametrize(
    ("content", "tool"),
    [
        ([{"id": 1, "data": {"image": "a.png"}, "annotations": []}], "Label Studio"),
        ([{"image": "a.png", "label": [], "annotation_id": 3}], "Label Studio"),
        ({"a.png123": {"filename": "a.png", "size": 123, "regions": []}}, "the VGG Image Annotator"),
        ({"_via_settings": {}, "_via_img_metadata": {}}, "the VGG Image Annotator"),
        ([{"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4]}], "COCO results"),
        ({"description": "", "objects": [], "size": {"height": 4, "width": 5}}, "Supervisely"),
        ({"type": "FeatureCollection", "features": []}, "GeoJSON"),
        ({"info": {}, "annotations": []}, "a label tool that is unknown here"),
    ],
)
def test_labels_of_other_tools_are_refused_by_name(tmp_path, content, tool):
    (tmp_path / "a.json").write_text(json.dumps(content))
    with pytest.raises(IcefloeError, match=rf"a\.json: labels in the format of {tool}.*Export them as COCO"):
        read_annotations(tmp_path / "a.json")


@pytest.mark.parametrize("text", ['{"voltage": 300}', "[]", "{}", "3", "null", '["a"]'])
def test_json_that_is_no_label_file_is_left_alone(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    assert read_annotations(tmp_path / "a.json") is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "not valid JSON"),
        (b"\xff\xfe\x00", "not valid JSON"),
        (b'{"shapes": [], "shapes": []}', "'shapes' stands twice in one object"),
        (b"[" * 100_000, "not valid JSON"),
    ],
)
def test_what_is_no_json_is_refused_in_one_line(tmp_path, content, message):
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(IcefloeError) as error:
        read_annotations(tmp_path / "a.json")
    assert message in str(error.value)
    assert "\n" not in str(error.value)

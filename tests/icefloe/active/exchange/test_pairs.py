"""Files of images that several people label, or that are shown without the pre-segmentation."""

import numpy as np
from PIL import Image

from icefloe.active.exchange.transfer import export_items, import_labels
from icefloe.active.items import NewItem, Purpose
from icefloe.active.uploads import encode_png
from tests.icefloe.active.conftest import SHAPE, ice


def test_a_file_hides_what_is_hidden_and_labels_in_files_are_first_second_and_no_third(filled, tmp_path):
    data = tmp_path / "workspace" / "data"
    purpose = Purpose("mean-uq", 0.03, 1, "members disagree")
    classes, predicted = ("background", "ice"), encode_png(ice(30))
    new = NewItem(
        "D3", "stack_3", "EA-T1", SHAPE, classes, purpose, predicted, third_below=0.9, arm="without"
    )
    filled.add([new])
    item_id = filled.items()[-1].id

    def exported(name):
        export_items(filled, data, "png", tmp_path / name)
        return {path.stem for path in (tmp_path / name / "masks" / "D3").iterdir()}

    def imported(who, radius):
        masks = tmp_path / who / "masks" / "D3"
        masks.mkdir(parents=True, exist_ok=True)
        Image.fromarray(ice(radius) * np.uint8(255)).save(masks / "stack_3.png")
        return import_labels(filled, tmp_path / who, "png", author=who)

    assert "stack_3" in exported("both")
    shown = np.asarray(Image.open(tmp_path / "both" / "masks" / "D3" / "stack_3.png"))
    assert not shown.any()
    first = imported("ann", 20)
    again = imported("ann", 20)
    assert (len(first.labels), first.n_known, again.n_known) == (1, 0, 1)
    assert first.labels[0].origin.client == "png"
    assert first.labels[0].origin.presegmentation is None
    assert "stack_3" in exported("for the second")
    imported("bob", 40)
    assert filled.item(item_id).task == "decide"
    assert "stack_3" not in exported("for the third")

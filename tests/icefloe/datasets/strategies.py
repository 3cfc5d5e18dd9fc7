"""Label files as tools and people write them: valid, odd and broken.

`pytest --hypothesis-profile long` tries 20,000 of each.
"""

import base64
import io
import json
from typing import Any

import numpy as np
from hypothesis import strategies as st
from PIL import Image
from pycocotools import mask as coco_mask

SHAPE = (24, 32)
"""(H, W) of the images that the labels are for."""

NAMES = ("ice", "ice", "Ice", "background", "_background_", "BACKGROUND", "__ignore__", "ignore", "boundary")
KINDS = ("polygon", "polygon", "polygon", None, "rectangle", "circle")

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=4)
    | st.sampled_from([0, 1, -1, 1e19, "a.png", "b.png", "ice"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
"""Any JSON, small."""

names = st.sampled_from(NAMES)
labels: st.SearchStrategy[Any] = names | st.sampled_from([None, 7, "", "dust", {}, "two\nlines", "x" * 900])


def points(odd: bool, fewest: int = 3, most: int = 7) -> st.SearchStrategy[list[list[float]]]:
    """Points (x, y) within the image; odd ones may be too few, beside it, or in fractions of its size."""

    def coordinates(side: int) -> st.SearchStrategy[float]:
        inside = st.floats(0, side) | st.integers(0, side).map(float)
        return st.one_of(inside, st.floats(-6, side + 6), st.sampled_from([-50.0, 1e19])) if odd else inside

    point = st.tuples(coordinates(SHAPE[1]), coordinates(SHAPE[0])).map(list)
    ordinary = st.lists(point, min_size=fewest, max_size=most)
    fractions = st.lists(
        st.tuples(st.floats(0, 1), st.floats(0, 1)).map(list), min_size=fewest, max_size=most
    )
    return st.one_of(ordinary, st.lists(point, max_size=2), fractions) if odd else ordinary


@st.composite
def bitmaps(draw: st.DrawFn, odd: bool) -> dict[str, Any]:
    """A shape of kind `mask`, as labelme's AI tools write it; an odd one has a box that is wrong."""
    height, width = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    left, top = draw(st.integers(0, SHAPE[1] - width)), draw(st.integers(0, SHAPE[0] - height))
    pixels = np.array(draw(st.lists(st.booleans(), min_size=height * width, max_size=height * width)))
    file = io.BytesIO()
    Image.fromarray(pixels.reshape(height, width).astype(np.uint8) * 255).save(file, format="PNG")
    shift = draw(st.sampled_from([1, 40])) if odd else 0
    return {
        "label": draw(labels if odd else names),
        "shape_type": "mask",
        "points": [[left + shift, top], [left + shift + width - 1 + shift % 2, top + height - 1]],
        "mask": base64.b64encode(file.getvalue()).decode(),
    }


@st.composite
def outlines(draw: st.DrawFn, odd: bool) -> dict[str, Any]:
    """A shape with points."""
    kind = draw(st.sampled_from((*KINDS, "line", "point", "linestrip") if odd else KINDS))
    two = kind in ("rectangle", "circle")
    return {
        "label": draw(labels if odd else names),
        "shape_type": kind,
        "points": draw(points(odd, 2, 2) if two else points(odd)),
    }


@st.composite
def labelme(draw: st.DrawFn) -> Any:
    """The content of a labelme file."""
    odd = draw(st.integers(0, 3)) == 0
    right = {"imageHeight": SHAPE[0], "imageWidth": SHAPE[1]}
    turned = {"imageHeight": SHAPE[1], "imageWidth": SHAPE[0]}
    nothing = {"imageHeight": None, "imageWidth": None}
    content: dict[str, Any] = {
        "version": "5.5.0",
        "shapes": draw(st.lists(outlines(odd) | bitmaps(odd), max_size=4)),
        "imagePath": draw(st.sampled_from(["a.png", "..\\images\\a.png", "b.png", "other.png", None])),
    }
    content |= draw(st.sampled_from([right, turned, {"imageHeight": 24}] if odd else [right, nothing, {}]))
    return draw(perhaps_broken(content))


@st.composite
def run_lengths(draw: st.DrawFn, odd: bool) -> dict[str, Any]:
    """COCO's run lengths of an image, packed or not; odd ones are of another size, or cut off."""
    shape = draw(st.sampled_from([SHAPE, (3, 4)])) if odd else SHAPE
    rng = np.random.default_rng(draw(st.integers(0, 2**20)))
    mask = np.asfortranarray(rng.random(shape) < draw(st.sampled_from([0.3, 0.99, 1.0])), np.uint8)
    packed = coco_mask.encode(mask)["counts"].decode()
    flat = np.r_[0, mask.ravel(order="F")]
    runs = np.diff(np.r_[0, np.flatnonzero(np.diff(flat)), flat.size - 1]).tolist()
    counts: Any = draw(st.sampled_from([packed, runs, packed[:-1], runs[:-1]] if odd else [packed, runs]))
    return {"size": list(shape), "counts": counts}


@st.composite
def coco(draw: st.DrawFn) -> Any:
    """The content of a COCO file for the images a.png and b.png."""
    odd = draw(st.integers(0, 3)) == 0
    files = [["a.png", "x\\b.png"], ["a.png", "a.jpg"], ["a.png", "c.png"]] if odd else [["a.png", "b.png"]]
    ids = draw(st.sampled_from([(1, 2), (1, 1), ("1", "2")] if odd else [(1, 2), (0, 7)]))
    size: dict[str, Any] = {"height": SHAPE[0], "width": SHAPE[1]}
    size = draw(
        st.sampled_from([size, {"height": 32, "width": 24}] if odd else [size, {}, {"height": 0, "width": 0}])
    )
    images = [
        {"id": number, "file_name": name} | size
        for number, name in zip(ids, draw(st.sampled_from(files)), strict=True)
    ]
    classes = (
        draw(st.lists(labels, max_size=3))
        if odd
        else draw(st.lists(names, min_size=1, max_size=3, unique=True))
    )
    categories = [{"id": number, "name": name} for number, name in enumerate(classes, 1)]
    flat = points(odd).map(lambda outline: [number for point in outline for number in point])
    segmentations = st.lists(flat, min_size=0 if odd else 1, max_size=2) | flat | run_lengths(odd)
    annotations = draw(
        st.lists(
            st.fixed_dictionaries(
                {
                    "image_id": st.sampled_from([*ids, 9] if odd else ids),
                    "category_id": st.integers(1, len(categories) + odd) if categories else st.none(),
                    "segmentation": segmentations | st.none() if odd else segmentations,
                },
                optional={"bbox": st.just([1, 2, 3, 4]), "iscrowd": st.integers(0, 1)},
            ),
            max_size=4,
        )
    )
    numbered = [{"id": number} | annotation for number, annotation in enumerate(annotations)]
    return draw(perhaps_broken({"images": images, "annotations": numbered, "categories": categories}))


@st.composite
def perhaps_broken(draw: st.DrawFn, content: Any) -> Any:
    """The content, in one case of four with something in it replaced or taken away."""
    if draw(st.integers(0, 3)):
        return content
    content = json.loads(json.dumps(content))
    places = list(_places(content))
    if not places:
        return draw(values)
    container, key = places[draw(st.integers(0, len(places) - 1))]
    if draw(st.booleans()):
        container[key] = draw(values)
    else:
        del container[key]
    return content


def _places(content: Any) -> Any:
    keys = (
        content.keys()
        if isinstance(content, dict)
        else range(len(content))
        if isinstance(content, list)
        else ()
    )
    for key in keys:
        yield content, key
        yield from _places(content[key])


@st.composite
def encoded(draw: st.DrawFn, content: Any) -> bytes:
    """JSON as bytes: with and without byte order mark, and now and then cut off."""
    encoding = draw(st.sampled_from(["utf-8"] * 5 + ["utf-8-sig", "utf-16"]))
    data = json.dumps(content, ensure_ascii=draw(st.booleans())).encode(encoding, errors="surrogatepass")
    return data[: draw(st.integers(0, len(data)))] if draw(st.integers(0, 19)) == 0 else data


LEVELS = ([0, 255], [0, 1], [0, 1, 255], [255], [1], [0], [0, 2], [0, 128], [0, 1, 2, 3], [0, 254, 255])
COLOURS = (
    (0, 0, 0),
    (255, 255, 255),
    (128, 0, 0),
    (0, 128, 0),
    (255, 0, 0),
    (1, 1, 1),
    (2, 2, 2),
    (90, 90, 90),
)


@st.composite
def mask_pngs(draw: st.DrawFn) -> bytes:
    """A PNG that may be a mask: any kind, depth and palette; now and then damaged."""
    levels = draw(st.sampled_from(LEVELS))
    seed = draw(st.integers(0, 2**20))
    rng = np.random.default_rng(seed)
    grey = rng.choice(np.array(levels, np.uint8), SHAPE)
    kind = draw(st.sampled_from(["L", "L", "1", "P", "P", "RGB", "RGBA", "LA", "I;16", "colour", "ADAPTIVE"]))
    picture = Image.fromarray(grey)
    if kind == "P":
        n_colours = draw(st.integers(1, 4))
        palette = draw(st.lists(st.sampled_from(COLOURS), min_size=n_colours, max_size=n_colours))
        picture = Image.fromarray(rng.integers(0, n_colours, SHAPE, dtype=np.uint8))
        picture.putpalette([level for colour in palette for level in colour])
    elif kind == "ADAPTIVE":
        picture = picture.convert("RGB").convert("P", palette=Image.Palette.ADAPTIVE)
    elif kind == "I;16":
        picture = Image.fromarray(grey.astype(np.uint16) * draw(st.sampled_from([1, 257, 3])))
    elif kind == "colour":
        picture = Image.fromarray(rng.choice(np.array(COLOURS, np.uint8), SHAPE))
    elif kind != "L":
        picture = picture.convert(kind)
    if kind in ("RGBA", "LA"):
        picture.putalpha(draw(st.sampled_from([255, 255, 0, 90])))
    exif = Image.Exif()
    if draw(st.integers(0, 9)) == 0:
        exif[0x0112] = draw(st.sampled_from([1, 2, 3, 4, 6]))
    file = io.BytesIO()
    picture.save(file, format="PNG", exif=exif)
    data = file.getvalue()
    if draw(st.integers(0, 9)) == 0:
        at = draw(st.integers(0, len(data) - 1))
        data = (
            data[:at]
            if draw(st.booleans())
            else data[:at] + bytes([draw(st.integers(0, 255))]) + data[at + 1 :]
        )
    return data

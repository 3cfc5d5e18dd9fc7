"""Label Studio exports as tools and people write them: valid, odd and broken."""

from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.icefloe.datasets.strategies import SHAPE, perhaps_broken, values

NAMES = ("ice", "ice", "Ice", "background", "_background_", "ignore", "__ignore__")
ODD_NAMES = (*NAMES, "dust", "", "ICE ")
ANSWERS = ("choices", "textarea", "rating", "taxonomy", "number", "datetime", "relation")
ODD_KINDS = ("rectanglelabels", "ellipselabels", "keypointlabels", "bitmasklabels", "brush", "labels", None)
IMAGES: tuple[dict[str, Any], ...] = (
    {"image": "/data/local-files/?d=D/a.png", "dataset": "D", "stem": "a", "reason": "why"},
    {"image": "/data/local-files/?d=D/b.png", "dataset": "D", "stem": "b"},
    {"image": "/data/upload/3/ab12cd34-a.png"},
    {"img": "s3://lab/images/D/b.png"},
    {"image": "https://lab.org/images/b.png"},
)
ODD_IMAGES = (
    *IMAGES,
    {},
    {"image": 7},
    {"image": "c.png"},
    {"image": "?d=../a.png"},
    {"dataset": "D", "stem": None},
)


@st.composite
def codes(draw: st.DrawFn, shape: tuple[int, int]) -> list[int]:
    """A brush mask in runs, repeated and literal ones mixed, with sizes of its own."""
    rng = np.random.default_rng(draw(st.integers(0, 2**20)))
    alpha = (rng.random(shape) < draw(st.sampled_from([0.0, 0.02, 0.5, 1.0]))) * rng.choice(
        [1, 127, 128, 255], shape
    )
    pixels = (
        rng.integers(0, 256, (*shape, 4)) if draw(st.booleans()) else np.repeat(alpha[..., None], 4, axis=2)
    )
    pixels[..., 3] = alpha
    data = pixels.ravel()
    sizes = draw(st.sampled_from([(3, 4, 8, 16), (2, 4, 8, 16), (1, 2, 3, 12)]))
    bits = [f"{data.size:032b}00111", *(f"{size - 1:04b}" for size in sizes)]
    at = 0
    while at < data.size:
        which = int(rng.integers(4))
        longest = min(2 ** sizes[which], data.size - at)
        same = int(np.argmax(np.append(data[at : at + longest] != data[at], True)))
        if same > 1 or rng.random() < 0.5:
            bits.append(f"1{which:02b}{same - 1:0{sizes[which]}b}{data[at]:08b}")
            at += same
        else:
            length = int(rng.integers(1, longest + 1))
            words = "".join(f"{word:08b}" for word in data[at : at + length])
            bits.append(f"0{which:02b}{length - 1:0{sizes[which]}b}{words}")
            at += length
    text = "".join(bits)
    text += "0" * (-len(text) % 8)
    return [int(text[start : start + 8], 2) for start in range(0, len(text), 8)]


@st.composite
def regions(draw: st.DrawFn, odd: bool) -> dict[str, Any]:
    """What a person drew: with the brush or as a polygon; odd ones turned, resized, open, of other kinds."""
    kind = draw(st.sampled_from(["brush", "polygon"]))
    name = draw(st.sampled_from(ODD_NAMES if odd else NAMES))
    shape = draw(st.sampled_from([SHAPE, (SHAPE[1], SHAPE[0])])) if odd else SHAPE
    if kind == "brush":
        value: dict[str, Any] = {"format": "rle", "rle": draw(codes(shape)), "brushlabels": [name]}
        if odd:
            value["rle"] = value["rle"][: draw(st.sampled_from([len(value["rle"]), 20]))]
    else:
        low, high = (-30, 140) if odd else (0, 100)
        percent = st.floats(low, high) | st.integers(low, high)
        points = st.lists(st.tuples(percent, percent), min_size=1 if odd else 3, max_size=7)
        value = {"points": draw(points), "polygonlabels": [name]}
        value |= draw(st.sampled_from([{"closed": True}, {}, *([{"closed": False}] if odd else [])]))
    region = {"id": "r", "from_name": kind, "to_name": "image", "type": f"{kind}labels", "value": value}
    region |= {"original_height": shape[0], "original_width": shape[1]}
    region |= draw(st.sampled_from([{}, {"image_rotation": 0}, {"image_rotation": 90 if odd else 0}]))
    return region | ({"type": draw(st.sampled_from(ODD_KINDS))} if odd and draw(st.booleans()) else {})


@st.composite
def answers(draw: st.DrawFn) -> dict[str, Any]:
    """What a person answered about the whole image."""
    kind = draw(st.sampled_from(ANSWERS))
    return {"id": "q", "from_name": "question", "to_name": "image", "type": kind, "value": {kind: ["good"]}}


@st.composite
def annotations(draw: st.DrawFn, odd: bool) -> dict[str, Any]:
    """One person's work on a task."""
    people: list[Any] = [1, None, {"id": 3}, {"email": "ana@lab.org"}]
    annotation: dict[str, Any] = {
        "result": draw(st.lists(regions(odd) | regions(odd) | answers(), max_size=3)),
        "completed_by": draw(st.sampled_from([*people, {"email": "\n"}] if odd else people)),
    }
    times = [None, "2026-03-01T12:00:00.000000Z", *(["noon", 5] if odd else [])]
    optional = {
        "was_cancelled": st.sampled_from([False, False, True, None]),
        "lead_time": st.none() | st.floats(0, 1e5) if not odd else values,
        "updated_at": st.sampled_from(times),
        "created_at": st.sampled_from(times),
    }
    return annotation | draw(st.fixed_dictionaries({}, optional=optional))


@st.composite
def label_studio(draw: st.DrawFn) -> Any:
    """The content of an export of the images D/a and D/b."""
    odd = draw(st.integers(0, 3)) == 0
    images = st.sampled_from(ODD_IMAGES if odd else IMAGES)
    predicted = st.fixed_dictionaries({"result": st.lists(regions(False), max_size=1)})
    tasks = draw(
        st.lists(
            st.fixed_dictionaries(
                {"data": images, "annotations": st.lists(annotations(odd), max_size=2 if odd else 1)},
                optional={
                    "id": st.integers(),
                    "predictions": st.lists(predicted, max_size=1),
                    "drafts": st.just([]),
                },
            ),
            max_size=3 if odd else 2,
        )
    )
    return draw(perhaps_broken(tasks))

"""An independent reading of Label Studio's export: short, slow, and without any check."""

from typing import Any

import numpy as np

from tests.icefloe.datasets.reference import drawn

Mask = np.ndarray[Any, Any]


def rle_pack_decode(code: list[int]) -> list[int]:
    """thi.ng/umbrella's `rle-pack` decoder, word for word."""
    bits = "".join(f"{byte:08b}" for byte in code)
    position = 0

    def read(count: int) -> int:
        nonlocal position
        position += count
        return int(bits[position - count : position], 2)

    total, word, out = read(32), read(5) + 1, []
    sizes = [read(4) + 1 for _ in range(4)]
    while len(out) < total:
        repeated = read(1)
        length = read(sizes[read(2)]) + 1
        out += [read(word)] * length if repeated else [read(word) for _ in range(length)]
    return out


def label_studio_masks(tasks: list[dict[str, Any]], shape: tuple[int, int]) -> dict[str, Mask]:
    """The masks that people drew, by image stem, for the classes background, ice."""
    masks = {}
    for task in tasks:
        done = [one for one in task["annotations"] if not one.get("was_cancelled")]
        if not done:
            continue
        result = done[0]["result"]
        drawings = [region for region in result if region["type"] in ("brushlabels", "polygonlabels")]
        if drawings or not result:
            mask = np.zeros(shape, np.uint8)
            for region in drawings:
                (name,) = region["value"][region["type"]]
                mask[_covered(region, shape)] = _value(name)
            masks[_stem(task["data"])] = mask
    return masks


def _covered(region: dict[str, Any], shape: tuple[int, int]) -> Mask:
    value = region["value"]
    if region["type"] == "brushlabels":
        return np.reshape(rle_pack_decode(value["rle"]), (*shape, 4))[..., 3] > 127
    return drawn(np.array(value["points"]) * (shape[1] / 100, shape[0] / 100), shape, edges=True)


def _value(name: str) -> int:
    plain = name.strip().lower()
    return 0 if "background" in plain else 255 if "ignore" in plain else 1


def _stem(data: dict[str, Any]) -> str:
    if "stem" in data and "dataset" in data:
        return str(data["stem"])
    address = data.get("image") or next(value for value in data.values() if isinstance(value, str))
    name = address.replace("\\", "/").split("/")[-1].rsplit(".", 1)[0]
    return name.removeprefix("ab12cd34-")

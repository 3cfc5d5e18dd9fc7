"""The TIFF matrix: every kind of TIFF that tifffile writes, read by every path, against the values written.

    python benchmarks/tiff_matrix.py write FOLDER
    python benchmarks/tiff_matrix.py count FOLDER

Byte order x type x compression x predictor x photometric interpretation x strips or tiles x pages. Beside
each file lies a `.npy` with the values that it must give: those given to tifffile, which reads them back, as
a viewer shows them. Written and counted apart, so that another version of Icefloe can be counted.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray

TYPES = ("?", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8")
COMPRESSIONS = (None, "lzw", "zlib", "adobe_deflate", "packbits", "zstd", "lzma", "png", "jpeg", "jpeg2000")
PHOTOMETRICS = ("minisblack", "miniswhite", "palette", "rgb")


@dataclass(frozen=True)
class Variant:
    """One kind of TIFF."""

    byteorder: str
    dtype: str
    compression: str | None
    predictor: bool
    photometric: str
    tiled: bool
    n_pages: int

    @property
    def name(self) -> str:
        """File name without its ending."""
        order = {"<": "le", ">": "be"}[self.byteorder]
        dtype = "bool" if self.dtype == "?" else self.dtype
        predictor = "pred" if self.predictor else "nopred"
        shape = "tile" if self.tiled else "strip"
        return f"{dtype}_{order}_{self.compression}_{predictor}_{self.photometric}_{shape}_{self.n_pages}"


def variants() -> Iterator[Variant]:
    """All that TIFF knows; combinations that it does not know are left out."""
    for found in product("<>", TYPES, COMPRESSIONS, (False, True), PHOTOMETRICS, (False, True), (1, 3)):
        variant = Variant(*found)
        dtype, compression = variant.dtype, variant.compression
        is_predicted = compression in ("lzw", "zlib", "adobe_deflate", "zstd") and dtype not in (
            "?",
            "i8",
            "u8",
        )
        if variant.predictor and not is_predicted:
            continue
        if compression == "jpeg" and (dtype != "u1" or variant.photometric in ("palette", "miniswhite")):
            continue
        # Of 16 bit tifffile writes these two in the machine's own order only.
        own_order = variant.byteorder == {"little": "<", "big": ">"}[sys.byteorder]
        if compression in ("png", "jpeg2000") and dtype != "u1" and not (dtype == "u2" and own_order):
            continue
        if variant.photometric == "palette" and dtype not in ("u1", "u2"):
            continue
        if variant.photometric == "miniswhite" and dtype[0] == "f":
            continue
        if variant.photometric == "rgb" and dtype not in ("u1", "u2", "f4"):
            continue
        yield variant


def write(variant: Variant, folder: Path, rng: np.random.Generator) -> None:
    """Write the file, and the values that reading it must give."""
    shape = (variant.n_pages, 24, 40)
    if variant.dtype == "?":
        stored = rng.random(shape) < 0.4
    elif variant.dtype[0] == "f":
        stored = rng.normal(0, 30, shape).round(2).astype(variant.dtype)
    else:
        low, high = np.iinfo(variant.dtype).min, np.iinfo(variant.dtype).max
        low, high = max(low, -(2**22)), min(high, 2**22)  # what float32 holds exactly
        stored = rng.integers(low, high, shape, endpoint=True).astype(variant.dtype)
    options, shown, given = {}, stored, stored
    if variant.photometric == "miniswhite":
        shown = ~stored if variant.dtype != "u8" else np.iinfo("u8").max - stored
    elif variant.photometric == "palette":
        levels = np.arange(2 ** (8 * int(variant.dtype[1])))[::-1]
        levels = levels * 257 if variant.dtype == "u1" else levels
        options["colormap"] = np.stack([levels] * 3).astype(np.uint16)
        shown = (np.iinfo(variant.dtype).max - stored).astype(variant.dtype)
    elif variant.photometric == "rgb":
        given = np.repeat(stored[..., None], 3, axis=-1)
    if variant.compression == "jpeg":
        options["compressionargs"] = {"level": 100}
    path = folder / f"{variant.name}.tif"
    tifffile.imwrite(
        path,
        given if variant.n_pages > 1 else given[0],
        byteorder=variant.byteorder,
        compression=variant.compression,
        predictor=variant.predictor or None,
        photometric=variant.photometric,
        tile=(16, 16) if variant.tiled else None,
        rowsperstrip=None if variant.tiled else 7,
        metadata=None,
        **options,
    )
    read = np.reshape(tifffile.imread(path), given.shape)
    if variant.compression == "jpeg":  # lossy: what tifffile gives is what there is
        shown = read[..., 0] if variant.photometric == "rgb" else read
    elif not np.array_equal(read, given):
        raise ValueError(f"{path}: tifffile does not read what it wrote")
    np.save(path.with_suffix(".npy"), shown)


def wrong_paths(path: Path) -> dict[str, str]:
    """Reading paths whose values differ from those beside the file, and what became of the others.

    Returns
    -------
    dict
        Path of reading: `right`, `wrong`, or `refused: ...`.
    """
    from icefloe.datasets.readers import image_shape, read_image, read_mask, read_stack
    from icefloe.datasets.recordings.opening import open_recording
    from icefloe.errors import IcefloeError

    expected = np.load(path.with_suffix(".npy"))
    as_float = expected.astype(np.float32)
    paths: dict[str, tuple[Callable[[Path], NDArray], NDArray]] = {
        "stack": (read_stack, as_float),
        "recording": (lambda path: np.array(list(open_recording(path).frames())), expected),
    }
    if len(expected) == 1:
        paths["image"] = read_image, as_float[0]
        paths["shape"] = lambda path: np.array(image_shape(path)), np.array(expected.shape[1:])
        is_class = expected.dtype in (np.uint8, np.bool_) and "palette" not in path.stem
        if is_class:
            # tifffile declares every boolean MinIsWhite; in a mask of its writing True is 1 all the same.
            is_boolean = expected.dtype == np.bool_ and "miniswhite" in path.stem
            paths["mask"] = read_mask, ~expected[0] if is_boolean else expected[0]
    outcomes = {}
    for name, (read, right) in paths.items():
        try:
            outcomes[name] = "right" if np.array_equal(read(path), right) else "wrong"
        except IcefloeError as error:
            outcomes[name] = f"refused: {str(error).partition(': ')[2]}"
    return outcomes


def main() -> None:
    """Write or count."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("what", choices=["write", "count"])
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    if arguments.what == "write":
        arguments.folder.mkdir(parents=True, exist_ok=True)
        rng = np.random.default_rng(0)
        for variant in variants():
            write(variant, arguments.folder, rng)
        return
    counts: Counter[tuple[str, str]] = Counter()
    n_wrong = 0
    files = sorted(arguments.folder.glob("*.tif"))
    for path in files:
        outcomes = wrong_paths(path)
        counts.update((name, outcome.partition(":")[0]) for name, outcome in outcomes.items())
        n_wrong += "wrong" in outcomes.values()
        for name, outcome in outcomes.items():
            if outcome != "right":
                print(f"{path.stem} {name}: {outcome}")
    print(f"{len(files)} files, {n_wrong} with wrong values", dict(sorted(counts.items())))
    sys.exit(n_wrong > 0)


if __name__ == "__main__":
    main()

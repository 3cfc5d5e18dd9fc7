"""Label Studio's brush masks: run-length code of an RGBA image whose alpha is the mask.

The code is thi.ng/umbrella's `rle-pack`: a header of 32 bits (number of values), 5 bits (word size - 1) and
four times 4 bits (bits of each of four sizes of run length - 1); then for each run 1 bit (repeated or
literal), 2 bits (which size), the run's length - 1, and one word, or one for each value of a literal run.
"""

import numpy as np
from numpy.typing import NDArray

from icefloe.errors import IcefloeError

CHANNELS = 4
WORD_BITS = 8
HALF = 128
RUN_BITS = (3, 4, 8, 16)
HEADER_BITS = 32 + 5 + 4 * len(RUN_BITS)


def encode_brush(mask: NDArray[np.bool_]) -> list[int]:
    """A mask as Label Studio's `rle` value.

    Parameters
    ----------
    mask : bool, shape (H, W)

    Returns
    -------
    list of int
        Bytes of the run-length code, each 0 to 255.
    """
    # All channels alike, as Label Studio's own converter writes them; one pixel is four equal values.
    pixels = mask.ravel()
    ends = np.append(np.flatnonzero(pixels[1:] != pixels[:-1]), pixels.size - 1) + 1
    lengths = np.diff(ends, prepend=0) * CHANNELS
    bits = [f"{pixels.size * CHANNELS:032b}{WORD_BITS - 1:05b}"]
    bits += [f"{size - 1:04b}" for size in RUN_BITS]
    for length, end in zip(lengths.tolist(), ends.tolist(), strict=True):
        word = "1" * WORD_BITS if pixels[end - 1] else "0" * WORD_BITS
        bits += [_repeated(part, word) for part in _parts(length)]
    text = "".join(bits)
    return np.packbits(np.frombuffer(text.encode(), np.uint8) - ord("0")).tolist()


def decode_brush(rle: object, shape: tuple[int, int], what: str) -> NDArray[np.bool_]:
    """The mask in a `rle` value of Label Studio.

    Parameters
    ----------
    rle
        Value from the export: a list of bytes, each 0 to 255, or anything else.
    shape
        (H, W) of the image.
    what
        The image that an error names.

    Returns
    -------
    bool, shape (H, W)
        True where the brush painted at least half of the pixel.

    Raises
    ------
    IcefloeError
        If it is no such code, is cut off, or is of an image of another size.
    """
    try:
        packed = np.asarray(rle)
        if packed.ndim != 1 or packed.dtype.kind != "i" or packed.min() < 0 or packed.max() > 255:
            raise ValueError("it is no list of bytes")
        values = _decode(np.unpackbits(packed.astype(np.uint8)), shape[0] * shape[1] * CHANNELS)
    except (ValueError, TypeError, OverflowError) as error:
        reason = " ".join(str(error).split())
        raise IcefloeError(
            f"{what}: the brush mask can't be decoded ({reason}). Export it from Label Studio again."
        ) from error
    # A browser paints and erases the pixels along a stroke's edge in part, and alpha is that part.
    painted: NDArray[np.bool_] = values.reshape(*shape, CHANNELS)[..., CHANNELS - 1] >= HALF
    return painted


def _decode(bits: NDArray[np.uint8], expected: int) -> NDArray[np.uint8]:
    text = (bits + ord("0")).tobytes().decode()
    if len(text) < HEADER_BITS:
        raise ValueError("no header")
    total, word_bits = int(text[:32], 2), int(text[32:37], 2) + 1
    run_bits = [int(text[start : start + 4], 2) + 1 for start in range(37, HEADER_BITS, 4)]
    if total != expected:
        raise ValueError(f"it has {total} values, not the {expected} of the image")
    if word_bits != WORD_BITS:
        raise ValueError(f"its words have {word_bits} bits, not {WORD_BITS}")
    values = np.empty(total, np.uint8)
    done, at = 0, HEADER_BITS
    # Filled with a run's longest head, so that a head that is cut off is still read, and then found too long.
    text += "0" * (3 + max(run_bits))
    while done < total:
        size = run_bits[int(text[at + 1 : at + 3], 2)]
        length = int(text[at + 3 : at + 3 + size], 2) + 1
        repeated, at = text[at] == "1", at + 3 + size
        n_words = 1 if repeated else length
        words = np.packbits(bits[at : at + n_words * WORD_BITS])
        at += n_words * WORD_BITS
        if at > len(bits) or done + length > total:
            raise ValueError("it is cut off or damaged")
        values[done : done + length] = words
        done += length
    return values


def _parts(length: int) -> list[int]:
    longest = 2 ** RUN_BITS[-1]
    return [longest] * (length // longest) + ([length % longest] if length % longest else [])


def _repeated(length: int, word: str) -> str:
    which = next(number for number, size in enumerate(RUN_BITS) if length <= 2**size)
    return f"1{which:02b}{length - 1:0{RUN_BITS[which]}b}{word}"

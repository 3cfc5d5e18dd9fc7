"""How much of a GPU a training needs, from the memory that a step of it took."""

MARGIN = 1.25
"""Other batches, and memory in pieces that fit nothing, take more than one step did."""

CONTEXT_BYTES = 700 * 2**20
"""What a process holds of a GPU besides its tensors: CUDA's context, and the kernels of cuDNN and cuBLAS."""

MOST_SHARING = 8
"""With more, processes wait for each other's kernels more than for memory."""


def gpu_share(peak_bytes: int, total_bytes: int) -> float:
    """The part of a GPU to ask Ray for, so that as many trainings share it as its memory has room for.

    Parameters
    ----------
    peak_bytes
        Most memory of tensors in a step at the batch's shape.
    total_bytes
        Memory of the GPU.

    Returns
    -------
    float
        1/n for n trainings side by side; 1 for what fits alone, or hardly.
    """
    needed = MARGIN * peak_bytes + CONTEXT_BYTES
    return 1 / max(1, min(MOST_SHARING, int(total_bytes / needed)))

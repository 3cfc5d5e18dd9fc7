"""Device, precision and determinism of training."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import torch


def pick_device() -> torch.device:
    """The GPU that this process may use, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def resolve_precision(precision: Literal["auto", "fp32", "bf16"], device: torch.device) -> str:
    """`bf16` or `fp32`; `auto` is bf16 where the device computes in it rather than emulating it."""
    if precision != "auto":
        return precision
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
    capabilities = torch.cpu.get_capabilities()
    has_bf16 = any(present for name, present in capabilities.items() if "bf16" in name)
    return "bf16" if has_bf16 else "fp32"


@contextmanager
def reproducible(threads: int) -> Iterator[None]:
    """Use `threads` threads and deterministic algorithms; restore torch's global state afterwards.

    Sums depend on how they are shared out among threads: the number is part of what makes a run repeatable.
    """
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    deterministic: Any = torch.utils.deterministic  # mypy does not see what it has
    fill = deterministic.fill_uninitialized_memory
    benchmark = torch.backends.cudnn.benchmark
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS is deterministic only with one
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True, warn_only=True)  # a few CUDA kernels have no such form
    deterministic.fill_uninitialized_memory = False  # a debugging aid, a tenth of the time
    torch.backends.cudnn.benchmark = False
    try:
        with torch.random.fork_rng():
            yield
    finally:
        torch.set_num_threads(before[0])
        torch.use_deterministic_algorithms(before[1])
        deterministic.fill_uninitialized_memory = fill
        torch.backends.cudnn.benchmark = benchmark

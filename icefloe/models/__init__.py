"""Encoder-decoder networks and their pre-trained weights."""

from icefloe.models import _torchvision  # noqa: F401  must run before anything here imports torchvision

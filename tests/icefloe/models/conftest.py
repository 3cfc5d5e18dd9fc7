"""Tests here import torchvision's users before the models room, which makes that possible."""

import icefloe.models._torchvision  # noqa: F401

"""Encoder-decoder networks and their pre-trained weights.

Modules that need torchvision import `_torchvision` first; specs need neither.
"""

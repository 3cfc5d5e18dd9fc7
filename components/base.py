"""The decorator of all components: Icefloe's own image, nothing installed when a step starts."""

import functools

from kfp import dsl

IMAGE = "icefloe:latest"
"""Stands for `Settings.image`, which is put in on compiling; local runs use their own environment."""

component = functools.partial(
    dsl.component, base_image=IMAGE, packages_to_install=[], install_kfp_package=False
)

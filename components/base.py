"""The decorator of all components: Icefloe's own image, nothing installed when a step starts."""

import functools
import os

from kfp import dsl

IMAGE = os.environ.get("ICEFLOE_IMAGE", "icefloe:latest")
"""Image of compiled pipelines; local runs use the environment that started them."""

component = functools.partial(
    dsl.component, base_image=IMAGE, packages_to_install=[], install_kfp_package=False
)

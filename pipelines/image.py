"""The image that steps of a cluster run in, which has to be an exact one."""

import re

from icefloe.errors import IcefloeError

_TAG = re.compile(r":(?P<tag>[\w][\w.-]*)$")


def check_exact(image: str) -> None:
    """Refuse an image whose name may stand for another content tomorrow.

    Kubeflow takes a step's earlier result where the image has the same name, whatever it holds.

    Raises
    ------
    IcefloeError
        If it has neither a digest nor a tag, or the tag `latest`.
    """
    if "@sha256:" in image:
        return
    tag = _TAG.search(image.rpartition("/")[2])
    if tag is None or tag["tag"] == "latest":
        raise IcefloeError(
            f"image: {image}: Kubeflow reuses results by the image's name, and this one may change its "
            "content. Set ICEFLOE_IMAGE to a version, such as icefloe:0.1.0, or to a digest."
        )

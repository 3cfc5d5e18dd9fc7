"""A workspace, and images of two textures with a session of the first."""

import numpy as np
import pytest
import tifffile

from icefloe.fewshot.grid import Grid
from icefloe.fewshot.session import Session
from icefloe.fewshot.sets import SupportSets
from icefloe.fewshot.source import read_picture
from icefloe.settings import load_settings
from tests.stores import new_store

EDGE = 16


@pytest.fixture
def workspace_settings(tmp_path):
    """Of a folder that is a workspace as far as settings and datasets go, without git and DVC."""
    folder = tmp_path / "workspace"
    (folder / "data").mkdir(parents=True)
    (folder / "icefloe.toml").touch()
    settings = load_settings(folder)
    new_store(settings.state)
    return settings


@pytest.fixture
def save_texture():
    """Write an image of 100 px a side, stripes left of a column and blobs right of it; its true classes."""

    def save(path, boundary=48, noise=0.2, seed=0):
        y, x = np.mgrid[:100, :100]
        stripes, blobs = np.sin(x + y), np.sin(x / 2) * np.sin(y / 2)
        image = np.where(x < boundary, stripes / stripes.std(), blobs / blobs.std())
        image = image + np.random.default_rng(seed).normal(0, noise, x.shape)
        path.parent.mkdir(parents=True, exist_ok=True)
        tifffile.imwrite(path, (1000 * (3 + image)).clip(0, None).astype(np.uint16))
        return (x < boundary).astype(np.uint8)

    return save


@pytest.fixture
def session_of():
    """Write a session of an image that `save_texture` wrote, with supports at its left and right end."""

    def save(image, path, names=("blobs", "stripes")):
        reference = read_picture(image).reference
        grid = Grid(height=100, width=100, edge=EDGE)
        sets = SupportSets().added(names[0], [4, 17, 35]).added(names[1], [0, 12, 25])
        Session(image=reference, grid=grid, sets=sets).save(path)
        return path

    return save

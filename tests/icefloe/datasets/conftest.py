"""Small datasets written to disk."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile

from icefloe.datasets.dataset import Dataset, DatasetInfo
from icefloe.datasets.importer import import_folder
from icefloe.datasets.labels import write_mask
from icefloe.datasets.versions import init_workspace

MakeDataset = Callable[..., Dataset]


@pytest.fixture
def make_dataset(tmp_path: Path, rng: np.random.Generator) -> MakeDataset:
    """Write `data/<name>` with frames of one melting disc; `labelled` says which have masks."""

    def make(
        name: str = "D1",
        n_images: int = 10,
        labelled: range | None = None,
        experiment: str | None = None,
        root: Path | None = None,
    ) -> Dataset:
        folder = (root or tmp_path / "data") / name
        (folder / "images").mkdir(parents=True)
        (folder / "masks").mkdir()
        rows, columns = np.mgrid[:48, :64]
        for index in range(n_images):
            disc = np.hypot(rows - 24, columns - 32) < 18 - 10 * index / n_images
            image = 1000 + 800 * disc + rng.normal(0, 40, disc.shape)
            tifffile.imwrite(folder / "images" / f"stack_{index + 1}.tif", image.astype(np.uint16))
            if labelled is None or index in labelled:
                write_mask(folder / "masks" / f"stack_{index + 1}.png", disc.astype(np.uint8))
        DatasetInfo(name=name, experiment=experiment or name).save(folder)
        return Dataset.load(folder)

    return make


@pytest.fixture
def workspace(tmp_path: Path, make_dataset: MakeDataset, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with D1 (labelled) and D3 (not), not yet committed, and a user without git identity."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "none"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    folder = tmp_path / "study"
    init_workspace(folder, "seed: 0\n")
    make_dataset("D1", n_images=5, root=folder / "data")
    make_dataset("D3", n_images=5, labelled=range(0), root=folder / "data")
    return folder


@pytest.fixture(scope="session")
def ice_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ice")


@pytest.fixture
def ice(real_data: Path, ice_folder: Path) -> tuple[Dataset, Dataset]:
    """The real D1 and D2, imported once a session; tests read them only."""
    for name in ("D1", "D2"):
        if not (ice_folder / name).exists():
            import_folder(real_data / "ice" / name, name, ice_folder)
    return Dataset.load(ice_folder / "D1"), Dataset.load(ice_folder / "D2")

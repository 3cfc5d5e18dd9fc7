import pytest


@pytest.fixture
def make_file(tmp_path, rng):
    """A file of random bytes."""

    def make(size, name="file"):
        (tmp_path / name).write_bytes(rng.bytes(size))
        return tmp_path / name

    return make

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy import ndimage

from icefloe.errors import IcefloeError
from icefloe.imaging.geometry import Geometry
from icefloe.imaging.preprocess import Preprocessing

SHAPES = [(894, 960), (960, 894), (256, 256), (100, 37), (512, 300)]


def smooth_image(rng, shape, sigma=None):
    field = ndimage.gaussian_filter(rng.normal(size=shape), sigma or max(shape) / 12)
    return (100 + 50 * field / field.std()).astype(np.float32)


@pytest.mark.parametrize("shape", SHAPES)
def test_both_axes_are_scaled_alike_to_half_a_pixel(shape):
    geometry = Geometry.fit(shape, 256)
    scale = 256 / max(shape)
    for content, native in zip(geometry.content, shape, strict=True):
        assert abs(content - native * scale) <= 0.5
    assert max(geometry.content) == 256


def test_a_circle_stays_a_circle():
    rows, columns = np.indices((894, 960))
    disc = ((rows - 400) ** 2 + (columns - 500) ** 2 < 200**2).astype(np.uint8)
    placed = Geometry.fit(disc.shape, 256).place_mask(disc) == 1
    height, width = (np.ptp(np.flatnonzero(placed.any(axis=axis))) + 1 for axis in (1, 0))
    assert abs(height - width) <= 1


@pytest.mark.parametrize("shape", SHAPES)
def test_a_map_comes_back_to_where_it_was(rng, shape):
    image = smooth_image(rng, shape, sigma=30)
    geometry = Geometry.fit(shape, 256)
    restored = geometry.restore(geometry.place(image))
    assert restored.shape == shape
    assert np.abs(restored - image).mean() < 0.02 * image.std()


@pytest.mark.parametrize("shape", [(894, 960), (300, 512)])
def test_points_keep_their_place_to_a_tenth_of_a_model_pixel(shape):
    rows, columns = np.indices(shape)
    truth = np.array([0.3 * shape[0], 0.7 * shape[1]])
    spot = np.exp(-((rows - truth[0]) ** 2 + (columns - truth[1]) ** 2) / (2 * 20**2)).astype(np.float32)
    geometry = Geometry.fit(shape, 256)
    restored = geometry.restore(geometry.place(spot))
    np.testing.assert_allclose(ndimage.center_of_mass(restored), truth, atol=0.1 * geometry.pixel_scale)


def test_stacked_maps_are_restored_one_by_one(rng):
    geometry = Geometry.fit((50, 90), 64)
    maps = rng.random((2, 3, 64, 64), dtype=np.float32)
    restored = geometry.restore(maps)
    assert restored.shape == (2, 3, 50, 90)
    np.testing.assert_array_equal(restored[1, 2], geometry.restore(maps[1, 2]))


def test_padding_is_ignored_in_the_mask_and_zero_in_the_image(rng):
    square, geometry = Preprocessing(size=64).apply(smooth_image(rng, (40, 80)))
    mask = geometry.place_mask(np.ones((40, 80), np.uint8))
    outside = np.ones((64, 64), bool)
    outside[geometry.window] = False
    assert outside.sum() == 64 * 32
    assert (mask[outside] == 255).all()
    assert (mask[~outside] == 1).all()
    assert not square[outside].any()


@settings(max_examples=40, deadline=None)
@given(
    st.integers(20, 90),
    st.integers(20, 90),
    st.lists(st.sampled_from([0, 1, 2, 7, 255]), min_size=1),
    st.data(),
)
def test_no_class_is_invented(height, width, classes, data):
    seed = data.draw(st.integers(0, 2**16))
    mask = np.random.default_rng(seed).choice(np.array(classes, np.uint8), (height, width))
    placed = Geometry.fit(mask.shape, 64).place_mask(mask)
    assert set(np.unique(placed)) <= {*classes, 255}


def test_a_shrunken_mask_takes_the_class_that_covers_most():
    mask = np.zeros((128, 128), np.uint8)
    mask[:, 1::4] = mask[:, 2::4] = mask[:, 3::4] = 2
    placed = Geometry.fit(mask.shape, 32).place_mask(mask)
    assert (placed == 2).all()


def test_a_mask_of_another_size_is_refused():
    with pytest.raises(IcefloeError, match="The mask is 512x512 but its image is 960x894"):
        Geometry.fit((894, 960), 256).place_mask(np.zeros((512, 512), np.uint8))


def test_shrinking_does_not_alias():
    columns = np.indices((1024, 1024))[1]
    stripes = (np.sin(2.1 * columns) * 100).astype(np.float32)
    assert Geometry.fit(stripes.shape, 128).place(stripes).std() < 0.05 * stripes.std()


@pytest.mark.parametrize("normalise", ["zscore", "range"])
@pytest.mark.parametrize("shape", [(894, 960), (64, 64), (33, 50)])
def test_preprocessing_twice_equals_preprocessing_once(rng, normalise, shape):
    image = smooth_image(rng, shape, sigma=1)
    preprocessing = Preprocessing(size=64, region=False, normalise=normalise)
    once, _ = preprocessing.apply(image)
    twice, _ = preprocessing.apply(once)
    np.testing.assert_allclose(once, twice, atol=1e-5)


@pytest.mark.parametrize("normalise", ["zscore", "range", "none"])
def test_preprocessing_the_published_images_twice_equals_once(real_data, normalise):
    preprocessing = Preprocessing(size=256, region=True, normalise=normalise)
    for name in ("D1/stack_1.png", "D2/stack_16.png"):
        image = np.asarray(Image.open(real_data / "ice" / name), np.float32)
        once, _ = preprocessing.apply(image)
        without_region, _ = preprocessing.apply(image, done=["stacked", "region"])
        np.testing.assert_array_equal(once, without_region)
        np.testing.assert_allclose(preprocessing.apply(once)[0], once, atol=1e-5)


@pytest.mark.parametrize("normalise", ["zscore", "range"])
def test_gain_and_offset_of_the_camera_do_not_matter(rng, normalise):
    image = smooth_image(rng, (80, 100), sigma=1)
    preprocessing = Preprocessing(size=96, normalise=normalise)
    np.testing.assert_allclose(
        preprocessing.apply(image)[0], preprocessing.apply(3 * image + 500)[0], atol=1e-3
    )


def test_zscore_has_zero_mean_and_unit_deviation_without_the_padding(rng):
    square, geometry = Preprocessing(size=96).apply(smooth_image(rng, (60, 100), sigma=1))
    content = square[geometry.window]
    assert abs(content.mean()) < 0.02
    assert abs(content.std() - 1) < 0.03


def test_local_normalisation_shows_a_faint_edge_in_a_specimen_of_uneven_thickness(rng):
    rows, columns = np.indices((128, 128)) - 64.0
    distance = np.hypot(rows, columns)
    image = np.where(distance < 50, 130 + distance + 4 * (np.abs(distance - 20) < 2), 0).astype(np.float32)
    local, _ = Preprocessing(size=128, normalise="local").apply(image, done=["region"])
    edge, beside = np.abs(distance - 20) < 1, np.abs(np.abs(distance - 20) - 6) < 1
    assert local[edge].mean() - local[beside].mean() > 0.5
    assert not local[distance > 52].any()
    assert np.abs(local).max() <= 1


def test_local_normalisation_does_not_depend_on_the_gain(rng):
    image = smooth_image(rng, (80, 100), sigma=2)
    preprocessing = Preprocessing(size=96, normalise="local")
    np.testing.assert_allclose(preprocessing.apply(image)[0], preprocessing.apply(16 * image)[0], atol=1e-3)


def test_local_normalisation_refuses_a_constant_image():
    with pytest.raises(IcefloeError, match="The image is constant"):
        Preprocessing(size=64, normalise="local").apply(np.ones((80, 80), np.float32))


def test_an_x_ray_hit_does_not_dim_the_image(rng):
    image = smooth_image(rng, (128, 128), sigma=2)
    hit = image.copy()
    hit[64, 64] = 1e6
    preprocessing = Preprocessing(size=64)
    difference = np.abs(preprocessing.apply(image)[0] - preprocessing.apply(hit)[0])
    assert np.median(difference) < 0.02
    assert difference.max() < 5


def test_a_region_that_was_done_is_not_done_again(rng):
    image = smooth_image(rng, (64, 64))
    preprocessing = Preprocessing(size=64, region=True, normalise="none")
    done, _ = preprocessing.apply(image, done=["region"])
    np.testing.assert_array_equal(done, image)
    assert (preprocessing.apply(image)[0] == 0).any()


def test_a_specimen_on_very_few_pixels_is_still_normalised():
    image = np.zeros((64, 64), np.float32)
    image[30:33, 30:33] = np.arange(9).reshape(3, 3) + 100
    for normalise in ("zscore", "range"):
        square, _ = Preprocessing(size=64, normalise=normalise).apply(image)
        assert np.isfinite(square).all()
        assert square.std() > 0


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.ones((8, 8)), "The image is constant"),
        (np.full((8, 8), np.nan), "NaN or infinite"),
        (np.ones((8, 8, 3)), "two axes; this one has 3"),
        (np.ones((1, 1)), "The image is constant"),
    ],
)
def test_what_can_not_be_an_image_is_refused(image, message):
    with pytest.raises(IcefloeError, match=message):
        Preprocessing(size=32).apply(image)


def test_a_size_that_the_encoders_can_not_halve_five_times_is_refused():
    with pytest.raises(ValueError, match="multiple of 32"):
        Preprocessing(size=100)


def test_a_full_micrograph_takes_milliseconds(rng):
    image = smooth_image(rng, (894, 960), sigma=3)
    preprocessing = Preprocessing(size=256, region=True)
    preprocessing.apply(image)
    spent = []
    for _ in range(5):
        start = time.process_time()
        preprocessing.apply(image)
        spent.append(time.process_time() - start)
    assert min(spent) < 0.1  # about 0.02 on an idle core


TILES = Preprocessing(view="tiles", size=64)


def test_tiles_keep_native_pixels_and_pad_only_to_the_networks_stride(rng):
    image = smooth_image(rng, (100, 130))
    placed, geometry = TILES.apply(image)
    assert placed.shape == (128, 160)
    assert geometry.pixel_scale == 1
    content = placed[:100, :130]
    np.testing.assert_allclose(np.corrcoef(content.ravel(), image.ravel())[0, 1], 1, atol=1e-3)
    assert not placed[100:].any()
    assert not placed[:, 130:].any()
    np.testing.assert_array_equal(geometry.restore(placed), content)
    mask = rng.integers(0, 3, (100, 130)).astype(np.uint8)
    placed_mask = geometry.place_mask(mask)
    np.testing.assert_array_equal(placed_mask[:100, :130], mask)
    assert (placed_mask[100:] == 255).all()


def test_tiles_of_a_stated_pixel_size_show_a_thing_at_one_size_whatever_the_images_pixels(rng):
    preprocessing = Preprocessing(view="tiles", size=64, pixel_size_nm=2.0)
    heights = []
    for pixel_size_nm in (1.0, 2.0, 3.0):
        side = round(300 / pixel_size_nm)
        rows, columns = np.indices((side, side)) * pixel_size_nm
        disc = ((rows - 150) ** 2 + (columns - 150) ** 2 < 60**2).astype(np.uint8)
        image = (disc + rng.normal(0, 0.1, disc.shape)).astype(np.float32)
        _, geometry = preprocessing.apply(image, pixel_size_nm=pixel_size_nm)
        assert geometry.content == (150, 150)
        assert geometry.pixel_scale == pytest.approx(2 / pixel_size_nm)
        heights.append(np.ptp(np.flatnonzero((geometry.place_mask(disc) == 1).any(axis=1))) + 1)
    assert max(heights) - min(heights) <= 2
    assert heights[1] == 60 - 1


def test_downsampled_tiles_have_a_grid_pixel_for_every_so_many_native_ones(rng):
    placed, geometry = Preprocessing(view="tiles", size=64, downsampling=4).apply(
        smooth_image(rng, (512, 400))
    )
    assert geometry.content == (128, 100)
    assert placed.shape == (128, 128)
    assert geometry.pixel_scale == 4
    assert geometry.restore(placed).shape == (512, 400)


@pytest.mark.parametrize("scale", [1.0, 0.25, 0.37, 1.7])
def test_rows_restored_one_band_after_another_are_those_restored_at_once(rng, scale):
    geometry = Geometry.scaled((201, 90), scale)
    maps = rng.random((2, *geometry.grid), dtype=np.float32)
    at_once = geometry.restore(maps)
    for start in range(0, 201, 48):
        rows = slice(start, min(start + 48, 201))
        needed = geometry.rows_for(rows)
        band = geometry.restore_rows(maps[:, needed], needed.start, rows)
        np.testing.assert_allclose(band, at_once[:, rows], atol=1e-5)


def test_an_image_without_a_pixel_size_is_refused_where_one_is_stated(rng):
    preprocessing = Preprocessing(view="tiles", pixel_size_nm=0.5)
    with pytest.raises(IcefloeError, match=r"pixel size is not known.*0.5 nm.*Enter pixel_size_nm"):
        preprocessing.apply(smooth_image(rng, (80, 80)))
    with pytest.raises(IcefloeError, match=r"has 5 nm a pixel, 10 times the 0.5 nm"):
        preprocessing.apply(smooth_image(rng, (80, 80)), pixel_size_nm=5.0)


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"pixel_size_nm": 1.0}, "pixel_size_nm is for tiles, but view is whole"),
        ({"downsampling": 2}, "downsampling is for tiles, but view is whole"),
        ({"view": "tiles", "pixel_size_nm": 1.0, "downsampling": 2}, "both set the resolution"),
    ],
)
def test_a_resolution_that_has_no_meaning_is_refused(entries, message):
    with pytest.raises(IcefloeError, match=message):
        Preprocessing(**entries)


def test_a_version_saved_before_there_were_tiles_sees_whole_images():
    assert Preprocessing.model_validate({"size": 64, "region": False, "normalise": "zscore"}).view == "whole"


def test_tiles_of_one_image_are_normalised_alike(rng):
    """A part that is brighter than the rest stays so."""
    image = smooth_image(rng, (200, 200))
    image[:, 100:] += 200
    placed, _ = TILES.apply(image)
    assert placed[:200, 100:200].mean() - placed[:200, :100].mean() > 1


@pytest.mark.parametrize("shape", [(60, 100), (256, 256)])
def test_standardised_pixels_have_mean_0_and_deviation_1_with_the_brightest_among_them(rng, shape):
    image = smooth_image(rng, shape, sigma=1)
    image[10, 10] = 5000
    placed, geometry = Preprocessing(view="tiles", normalise="standard").apply(image)
    content = placed[geometry.window]
    assert content.mean(dtype=np.float64) == pytest.approx(0, abs=1e-5)
    assert content.std(dtype=np.float64) == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(content, (image - image.mean()) / image.std(), atol=1e-3)


@pytest.mark.parametrize(("normalise", "bounds"), [("minmax", (0, 100)), ("percentile", (1, 99))])
def test_rescaling_by_percentiles_is_numpys(rng, normalise, bounds):
    image = smooth_image(rng, (96, 128), sigma=1)
    placed, _ = Preprocessing(view="tiles", normalise=normalise).apply(image)
    low, high = np.percentile(image, bounds)
    np.testing.assert_allclose(placed, (image - low) / (high - low), atol=1e-5)


@pytest.mark.parametrize("normalise", ["standard", "minmax", "percentile"])
def test_a_constant_image_is_refused_by_each_rescaling(normalise):
    with pytest.raises(IcefloeError, match="The image is constant"):
        Preprocessing(view="tiles", normalise=normalise).apply(np.full((64, 64), 7, np.float32))


def test_uneven_light_and_x_rays_are_gone_before_intensities_are_rescaled():
    particles = np.ones((256, 256))
    particles[60:90, 60:90] = particles[150:180, 170:200] = 0.7
    column = np.indices(particles.shape)[1] / 255
    lit = (particles * (4000 - 1500 * (column - 0.3) ** 2)).astype(np.float32)
    lit[20, 30] = 60_000
    recipe = Preprocessing(view="tiles", normalise="standard", xray_counts=1500, flat_field=True)
    corrected, _ = recipe.apply(lit)
    even, _ = Preprocessing(view="tiles", normalise="standard").apply(particles.astype(np.float32))
    assert np.corrcoef(corrected.ravel(), even.ravel())[0, 1] > 0.98
    plain, _ = Preprocessing(view="tiles", normalise="standard").apply(lit)
    assert np.corrcoef(plain.ravel(), even.ravel())[0, 1] < 0.6


def test_steps_that_the_dataset_says_are_done_are_not_done_again(rng):
    image = smooth_image(rng, (128, 128))
    image[5, 5] = 9000
    recipe = Preprocessing(view="tiles", normalise="none", xray_counts=1500, flat_field=True)
    done, _ = recipe.apply(image, done=["spikes", "flat_field"])
    plain, _ = Preprocessing(view="tiles", normalise="none").apply(image)
    np.testing.assert_array_equal(done, plain)


def test_patches_are_of_tiles():
    with pytest.raises(IcefloeError, match="patches_above is for tiles"):
        Preprocessing(patches_above=400)

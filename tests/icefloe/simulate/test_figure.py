from icefloe.simulate.figure import contact_sheet, wide_sheet
from icefloe.simulate.ice import simulate_experiment
from icefloe.simulate.spec import ExperimentSpec


def test_contact_sheet_has_a_row_an_experiment_and_a_column_a_composite(tmp_path):
    spec = ExperimentSpec(size_px=64, pixel_size_nm=7.5, n_composites=4, start_c=0.5, rate_c_per_s=0.2)
    experiments = [
        (name, simulate_experiment(spec, seed, [0, 3])) for seed, name in enumerate(["A", "B", "C"])
    ]
    figure = contact_sheet(experiments)
    assert len(figure.axes) == 6
    texts = {text.get_text() for ax in figure.axes for text in ax.texts}
    assert {"A", "B", "C", "100 nm", "0 s, +0.6 °C", "3 s, +1.2 °C"} <= texts
    figure.savefig(tmp_path / "sheet.png")


def test_the_streams_sheet_shows_each_kind_with_its_clean_image_and_mask():
    figure = wide_sheet(n_columns=2)
    assert len(figure.axes) == 9 * 2
    titles = {axis.get_title(loc="left") for axis in figure.axes} - {""}
    assert titles == {"ice", "nanoparticles", "lattice"}
    masks = [axis.images[0].get_array() for axis in figure.axes[4:6]]
    assert all(set(mask.ravel().tolist()) == {0, 1} for mask in masks)

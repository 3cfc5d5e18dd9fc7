from icefloe.simulate.figure import contact_sheet
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

"""Studies that can't run are refused before anything long begins."""


def test_without_a_data_version(cli, workspace):
    assert cli("-C", workspace, "study", "ea-vs-er").refusal == (
        f"{workspace}: no data version yet. Make one with `icefloe data commit -m MESSAGE`."
    )

"""How the machine is shared out among members."""

import pytest
import ray

from icefloe.training.ray_session import member_resources, members_at_once, threads


@pytest.fixture
def cluster(monkeypatch):
    """Let Ray report nodes with these resources."""

    def of(*resources):
        monkeypatch.setattr(ray, "nodes", lambda: [{"Alive": True, "Resources": part} for part in resources])

    return of


@pytest.mark.parametrize(
    ("n_members", "n_cpus", "share"),
    [(3, 2, 2 / 3), (4, 2, 1 / 2), (2, 2, 1), (1, 2, 2), (5, 2, 1), (3, 16, 5)],
)
def test_no_cpu_is_idle_while_a_member_waits(cluster, n_members, n_cpus, share):
    cluster({"CPU": float(n_cpus)})

    found = member_resources(n_members, 1)

    assert found == {"num_cpus": pytest.approx(share)}
    assert threads(found) == max(1, int(share))
    assert members_at_once(found) == min(n_members, round(n_cpus / share))


def test_on_gpus_each_member_has_its_share_of_one(cluster):
    cluster({"CPU": 8.0, "GPU": 1.0}, {"CPU": 8.0, "GPU": 1.0})

    assert member_resources(6, 0.5) == {"num_cpus": 4, "num_gpus": 0.5}
    assert members_at_once(member_resources(6, 0.5)) == 4

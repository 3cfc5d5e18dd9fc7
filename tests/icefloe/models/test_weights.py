import http.server
import os
import subprocess
import sys
import threading
import time

import pytest
import torch
from huggingface_hub import constants
from safetensors.torch import save_file
from segmentation_models_pytorch.encoders import get_encoder

from icefloe.errors import IcefloeError
from icefloe.models.weights import weights_file
from icefloe.models.zoo import MemberSpec, build

REVISION = "e67aa804e17f7b404b629127eabbd224c4e0690b"
FIRST_FILTERS = "features.0.0.weight"


def published(path, encoder="mobilenet_v2", in_channels=3):
    """A file as the hub has it: an RGB encoder's state, here with random values."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(99)
        state = get_encoder(encoder, in_channels=in_channels).state_dict()
    save_file(state, path)
    return state


def mobilenet(**choices):
    return MemberSpec(encoder="mobilenet_v2", decoder_channels=(32, 16, 16, 8, 8), **choices)


@pytest.mark.parametrize(
    "name",
    [
        "mobilenet_v2.safetensors",
        "mobilenet_v2.imagenet.safetensors",
        "smp-hub/mobilenet_v2.imagenet/model.safetensors",
        "mobilenet_v2.imagenet/model.safetensors",
        f"models--smp-hub--mobilenet_v2.imagenet/snapshots/{REVISION}/model.safetensors",
    ],
)
def test_a_mirror_is_used_under_each_of_its_names(tmp_path, name):
    published(tmp_path / name)
    assert weights_file("mobilenet_v2", "imagenet", tmp_path) == tmp_path / name


@pytest.mark.parametrize(
    ("encoder", "scale"),
    [
        ("mobilenet_v2", 1),
        ("inception_v3", (0.458, 0.448, 0.450)),
        ("resnet18", 1),
        ("densenet121", 1),
        ("efficientnet-b0", 1),
        ("se_resnet50", 1),
        ("vgg19", 1),
    ],
)
def test_every_value_of_the_file_arrives_and_rgb_filters_are_summed_for_our_contrast(
    tmp_path, encoder, scale
):
    state = published(tmp_path / f"{encoder}.safetensors", encoder)
    network = build(MemberSpec(encoder=encoder, weights="imagenet"), 2, tmp_path)
    loaded = network.encoder.state_dict()
    assert loaded.keys() == state.keys()
    summed = [name for name in state if loaded[name].shape != state[name].shape]
    assert len(summed) == 1
    scaled = state[summed[0]] * torch.tensor(scale).reshape(1, -1, 1, 1)
    torch.testing.assert_close(loaded[summed[0]], scaled.sum(1, keepdim=True))
    assert all(torch.equal(loaded[name], state[name]) for name in state if name not in summed)


def test_members_of_one_encoder_share_published_weights_and_differ_in_the_decoder(tmp_path):
    published(tmp_path / "mobilenet_v2.safetensors")
    first, second = (build(mobilenet(seed=seed, weights="imagenet"), 2, tmp_path) for seed in (0, 1))
    for name, value in first.encoder.state_dict().items():
        assert torch.equal(value, second.encoder.state_dict()[name])
    assert not torch.equal(
        first.decoder.state_dict()["blocks.0.conv1.0.weight"],
        second.decoder.state_dict()["blocks.0.conv1.0.weight"],
    )


def test_a_file_of_a_one_channel_encoder_is_taken_as_it_is(tmp_path):
    state = published(tmp_path / "own.safetensors", in_channels=1)
    loaded = build(mobilenet(weights=str(tmp_path / "own.safetensors")), 2).encoder.state_dict()
    assert torch.equal(loaded[FIRST_FILTERS], state[FIRST_FILTERS])


def test_a_file_of_a_whole_member_gives_its_encoder_and_decoder_but_not_its_classes(tmp_path):
    trained = build(mobilenet(seed=8), 2)
    save_file(trained.state_dict(), tmp_path / "member.safetensors")
    network = build(mobilenet(weights=str(tmp_path / "member.safetensors")), 3)
    loaded = network.state_dict()
    for name, value in trained.state_dict().items():
        if not name.startswith("segmentation_head."):
            assert torch.equal(value, loaded[name])


def test_a_file_of_a_whole_member_gives_another_decoder_its_encoder_alone(tmp_path):
    trained = build(mobilenet(seed=8), 2)
    save_file(trained.state_dict(), tmp_path / "member.safetensors")
    wider = MemberSpec(
        encoder="mobilenet_v2",
        decoder_channels=(48, 16, 16, 8, 8),
        weights=str(tmp_path / "member.safetensors"),
    )
    network, random = build(wider, 2), build(wider.model_copy(update={"weights": "none"}), 2)
    for name, value in trained.encoder.state_dict().items():
        assert torch.equal(value, network.encoder.state_dict()[name])
    for name, value in random.decoder.state_dict().items():
        assert torch.equal(value, network.decoder.state_dict()[name])


def test_a_file_of_another_encoder_is_refused(tmp_path):
    published(tmp_path / "other.safetensors", "resnet18")
    with pytest.raises(IcefloeError, match=r"other\.safetensors: these are not the weights of mobilenet_v2"):
        build(mobilenet(weights=str(tmp_path / "other.safetensors")), 2)


def test_a_file_that_is_not_safetensors_is_refused(tmp_path):
    (tmp_path / "broken.safetensors").write_bytes(b"\x80\x02pickle")
    with pytest.raises(IcefloeError, match=r"broken\.safetensors: not a safetensors file"):
        build(mobilenet(weights=str(tmp_path / "broken.safetensors")), 2)


def test_a_missing_file_is_refused():
    with pytest.raises(IcefloeError, match=r"nowhere\.safetensors: no such file"):
        build(mobilenet(weights="nowhere.safetensors"), 2)


@pytest.mark.parametrize("offline", [False, True])
def test_weights_that_can_not_be_had_are_refused_at_once_with_where_to_put_them(
    tmp_path, monkeypatch, offline
):
    # Port 9 (discard) refuses connections: the hub client meets a real failure, nothing leaves the machine.
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", offline)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    start = time.perf_counter()
    with pytest.raises(IcefloeError) as refusal:
        build(mobilenet(weights="imagenet"), 2, tmp_path / "no_mirror")
    assert time.perf_counter() - start < 3
    message = str(refusal.value)
    assert "\n" not in message
    assert message.startswith(
        "mobilenet_v2: its imagenet weights are not on this machine, and http://127.0.0.1:9 cannot be reached"
    )
    assert "mobilenet_v2.imagenet.safetensors and set ICEFLOE_WEIGHTS_DIR" in message


class Hub(http.server.BaseHTTPRequestHandler):
    """As much of a hub as its client needs: one repository with one file."""

    content = b""

    def do_HEAD(self):
        found = self.path in (
            "/",
            "/smp-hub/mobilenet_v2.imagenet/resolve/" + REVISION + "/model.safetensors",
        )
        self.send_response(200 if found else 404)
        self.send_header("ETag", '"abc"')
        self.send_header("X-Repo-Commit", REVISION)
        self.send_header("Content-Length", str(len(self.content) if found else 0))
        self.end_headers()
        return found

    def do_GET(self):
        if self.do_HEAD():
            self.wfile.write(self.content)

    def log_message(self, *_):
        pass


def test_weights_are_downloaded_once_and_what_the_hub_lacks_is_refused(tmp_path):
    state = published(tmp_path / "source.safetensors")
    handler = type("Handler", (Hub,), {"content": (tmp_path / "source.safetensors").read_bytes()})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    # Another process, because the hub library reads its address when it is imported.
    code = (
        "from icefloe.errors import IcefloeError\n"
        "from icefloe.models.weights import weights_file\n"
        "from icefloe.models.zoo import MemberSpec, build\n"
        "path = weights_file('mobilenet_v2', 'imagenet')\n"
        "print(path)\n"
        "network = build(MemberSpec(encoder='mobilenet_v2', weights='imagenet'), 2, None, 3)\n"
        "print(network.encoder.features[0][0].weight.double().sum().item())\n"
        "try:\n"
        "    weights_file('resnet18', 'imagenet')\n"
        "except IcefloeError as error:\n"
        "    print(error)\n"
    )
    environment = {
        **{name: value for name, value in os.environ.items() if "proxy" not in name.lower()},
        "HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}",
        "HF_HUB_OFFLINE": "0",
        "HF_HOME": str(tmp_path / "hub"),
        "HF_HUB_DISABLE_TELEMETRY": "1",
    }
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, env=environment
    )
    server.shutdown()
    server.server_close()
    assert result.returncode == 0, result.stderr
    path, total, refusal = result.stdout.splitlines()
    assert path.startswith(str(tmp_path / "hub"))
    assert float(total) == state[FIRST_FILTERS].double().sum().item()
    assert refusal.startswith("resnet18: its imagenet weights could not be downloaded (")


def three_stages(**choices):
    return MemberSpec(encoder="mobilenet_v2", decoder_channels=(24, 16, 8), **choices)


def test_a_file_of_three_stages_gives_a_member_of_three_all_of_its_encoder(tmp_path):
    trained = build(three_stages(seed=8), 4)
    save_file(trained.state_dict(), tmp_path / "mobilenet_v2.sim.safetensors")
    network = build(three_stages(weights="sim"), 2, tmp_path)
    assert network.encoder.state_dict().keys() == trained.encoder.state_dict().keys()
    for name, value in trained.encoder.state_dict().items():
        assert torch.equal(value, network.encoder.state_dict()[name])


@pytest.mark.parametrize("n_classes", [2, 4])
def test_the_last_convolution_is_taken_where_the_classes_are_as_many(tmp_path, n_classes):
    trained = build(three_stages(seed=8), n_classes)
    save_file(trained.state_dict(), tmp_path / "mobilenet_v2.sim.safetensors")
    network = build(three_stages(weights="sim"), 2, tmp_path)
    for part in ("decoder", "segmentation_head"):
        (first, *_), (taken, *_) = (made.get_submodule(part).parameters() for made in (trained, network))
        assert torch.equal(first, taken) == (part == "decoder" or n_classes == 2)


def test_a_deeper_file_gives_a_member_of_three_stages_those(tmp_path):
    state = published(tmp_path / "mobilenet_v2.sim.safetensors", in_channels=1)
    network = build(three_stages(weights="sim"), 2, tmp_path)
    for name, value in network.encoder.state_dict().items():
        assert torch.equal(value, state[name])


def test_a_member_of_more_stages_than_the_file_is_refused_with_the_command_that_makes_them(tmp_path):
    save_file(build(three_stages(), 2).state_dict(), tmp_path / "mobilenet_v2.sim.safetensors")
    with pytest.raises(IcefloeError) as refusal:
        build(mobilenet(weights="sim"), 2, tmp_path)
    message = str(refusal.value)
    assert (
        "mobilenet_v2.sim.safetensors: it has fewer encoder stages than the 5 of mobilenet_v2-unet-s0"
        in message
    )
    assert message.endswith("Give fewer decoder_channels, or run icefloe pretrain mobilenet_v2 --stages 5.")


def test_filters_stored_in_half_precision_are_used_in_single(tmp_path):
    state = {name: value.half() for name, value in build(three_stages(), 2).state_dict().items()}
    save_file(state, tmp_path / "mobilenet_v2.sim.safetensors")
    network = build(three_stages(weights="sim"), 2, tmp_path)
    assert {value.dtype for value in network.parameters()} == {torch.float32}

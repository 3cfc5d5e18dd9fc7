"""Names: each tool writes its own, and a label must never land on another image."""

import unicodedata
from dataclasses import replace

import pytest

from icefloe.active.exchange.known import Known
from icefloe.errors import IcefloeError


@pytest.fixture
def known(make_queue) -> Known:
    return Known(
        make_queue("Q/c_1", "Q/c_2", "R/c_2", "R/Bild 7 (neu)", "R/wächst", "R/a.b.c", "R/T:-12").items()
    )


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Q/c_1.png", "Q/c_1"),
        ("Q\\c_1.png", "Q/c_1"),
        ("c_1.png", "Q/c_1"),
        ("tasks/images/Q/c_2.png", "Q/c_2"),
        ("images/c_1.PNG", "Q/c_1"),
        ("train\\images\\c_1.tif", "Q/c_1"),
        ("Mask/c_1.png", "Q/c_1"),
        ("R\\T:-12.png", "R/T:-12"),
        ("images/1a2b3c4d-c_1.png", "Q/c_1"),
        ("1a2b3c4d-Bild_7_neu.png", "R/Bild 7 (neu)"),
        ("R/a.b.c.png", "R/a.b.c"),
        (unicodedata.normalize("NFD", "R/wächst.png"), "R/wächst"),
    ],
)
def test_an_image_is_known_by_the_names_that_tools_give_it(known, name, key):
    assert known.by_file(name, "a.json").key == key


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("c_2.png", "could be Q/c_2 or R/c_2. Name the dataset."),
        ("D9/c_1.png", "D9/c_1 is not in the queue. Import labels of exported images only."),
        ("c_9.png", "c_9 is not in the queue."),
        ("Bild_7_neu.png", "Bild_7_neu is not in the queue."),
        ("../Q/c_1.png", "'../Q/c_1.png' is not a safe name, it leads to another folder."),
        ("C:\\data\\Q\\c_1.png", "is not a safe name"),
        ("", "'' is not a safe name"),
        ("/", "'/' is not a safe name"),
    ],
)
def test_an_image_that_is_not_known_for_sure_is_refused(known, name, message):
    with pytest.raises(IcefloeError, match=r"^a.json: ") as error:
        known.by_file(name, "a.json")
    assert message in str(error.value)


def test_a_bare_file_is_of_the_dataset_whose_folder_it_stands_in(known):
    assert known.by_file("c_2.png", "a.json", folder="R").key == "R/c_2"


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("/data/upload/7/1a2b3c4d-c_1.png", "Q/c_1"),
        ("/data/upload/7/1a2b3c4d-Bild_7_neu.png", "R/Bild 7 (neu)"),
        ("/data/local-files/?d=Q/c_2.png", "Q/c_2"),
        ("/data/local-files/?d=lab/tasks/images/R/Bild%207%20%28neu%29.png", "R/Bild 7 (neu)"),
        ("/data/local-files/?d=Q%5Cc_2.png", "Q/c_2"),
        ("s3://bucket/tasks/R/c_2.png", "R/c_2"),
        ("https://lab.org/images/c_1.png?token=x", "Q/c_1"),
        ("c_1.png", "Q/c_1"),
    ],
)
def test_an_image_is_known_by_its_address_in_label_studio(known, address, key):
    assert known.by_address(address, "a.json").key == key


@pytest.mark.parametrize(
    "address", ["/data/local-files/?d=D9/c_1.png", "/data/upload/7/1a2b3c4d-c_9.png", "", "?d=", "http://["]
)
def test_an_address_of_no_known_image_is_refused_with_the_remedy(known, address):
    with pytest.raises(
        IcefloeError, match=r"is not in the queue by that name. Keep the exported names, or give"
    ):
        known.by_address(address, "a.json")


def test_an_image_of_two_rounds_is_known_by_its_round_or_is_the_latest(make_queue):
    item = make_queue("Q/c_1").items()[0]
    later = replace(item, id=7, round="EA-T2")
    known = Known([item, later])
    assert known.by_key("Q", "c_1", "a.json", "EA-T1").id == item.id
    assert known.by_key("Q", "c_1", "a.json").id == 7
    with pytest.raises(IcefloeError, match=r"a.json: Q/c_1 was not queued in the round EA-T9."):
        known.by_key("Q", "c_1", "a.json", "EA-T9")

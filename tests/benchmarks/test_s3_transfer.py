"""The benchmark of transfers: it takes both ways, and leaves nothing in the bucket."""

from benchmarks.s3_transfer import measure


def test_every_way_is_timed_and_nothing_is_left(bucket, tmp_path, rng):
    (tmp_path / "object").write_bytes(rng.bytes(9 << 20))

    seconds = measure(f"s3://{bucket.name}/speed", tmp_path / "object", 2)

    assert list(seconds) == ["up, Icefloe", "up, boto3", "down, Icefloe", "down, boto3", "copy, local"]
    assert all(len(found) == 2 and min(found) > 0 for found in seconds.values())
    assert list(bucket.objects.all()) == []

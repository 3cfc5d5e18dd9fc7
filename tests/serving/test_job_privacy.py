"""Who sees what of jobs on files that people have sent."""

from serving.auth.roles import Role
from serving.jobs.job import BATCH


def test_names_of_files_are_seen_by_their_sender_alone(app, signed_in):
    sender, other, admin = signed_in(Role.LABELER, "Ann"), signed_in(Role.VIEWER), signed_in(Role.ADMIN)
    person = sender.get("/api/v1/me").json()["id"]
    wanted = {"person": person, "upload": "upload-1", "name": "secret sample.tif"}
    job = app.state.jobs.ask("unpack", wanted, BATCH, "Ann")
    app.state.jobs.take("w")
    app.state.jobs.fail(job.id, "w", "secret sample.tif: cut off. Send it again.")
    assert sender.get(f"/api/v1/jobs/{job.id}").json()["arguments"] == wanted
    for browser in (other, admin):
        seen = [browser.get(path).text for path in ("/api/v1/jobs", f"/api/v1/jobs/{job.id}", "/overview")]
        seen.append(browser.get(f"/api/v1/jobs/{job.id}/events").text)
        assert not any("secret sample" in text for text in seen)
        (shown,) = browser.get("/api/v1/jobs").json()
        assert (shown["kind"], shown["state"], shown["actor"]) == ("unpack", "failed", "Ann")
        assert shown["problem"] == "It failed; whoever sent the file sees why."
    assert "secret sample" in sender.get("/overview").text
    assert "secret sample" not in admin.post(f"/api/v1/jobs/{job.id}/retry").text


def test_jobs_on_the_workspaces_own_images_are_seen_by_everybody(app, signed_in):
    wanted = {"dataset": "D1", "stems": None, "version": "EA-T1", "person": None}
    job = app.state.jobs.ask("segment", wanted, BATCH, "Ann")
    assert signed_in(Role.VIEWER).get(f"/api/v1/jobs/{job.id}").json()["arguments"] == wanted

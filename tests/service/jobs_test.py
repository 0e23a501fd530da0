#!/usr/bin/env python3
"""Jobs of a real `unianimate serve` by its REST interface: jobs_test.py PROGRAM PAGE_FOLDER MODEL_FOLDER."""
import hashlib
import json
import pathlib
import sys
import tempfile
import unittest
import urllib.error
import urllib.request

import service

PROGRAM = ""
PAGE = pathlib.Path()
MODEL = pathlib.Path()
SETTINGS = {"frames": 6, "seed": 5, "size": "64x96", "fit": "crop"}


class JobsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.models = tempfile.TemporaryDirectory()
        (pathlib.Path(cls.models.name) / "other").symlink_to(MODEL, target_is_directory=True)
        cls.service = service.Service(PROGRAM, "--models", cls.models.name)
        cls.address, cls.token = cls.service.url.split("/#token=")
        cls.reference = cls.upload("example-person.png")
        cls.motion = cls.upload("example-motion.mp4")

    @classmethod
    def tearDownClass(cls):
        cls.service.close()
        cls.models.cleanup()

    @classmethod
    def ask(cls, method, path, body=None, kind="application/json"):
        request = urllib.request.Request(f"{cls.address}/api/v1{path}", body, method=method, headers={
            "Authorization": f"Bearer {cls.token}", "Content-Type": kind})
        with urllib.request.urlopen(request, timeout=service.WAIT) as answer:
            return answer.read()

    @classmethod
    def upload(cls, name):
        return json.loads(cls.ask("POST", f"/assets?name={name}", (PAGE / name).read_bytes(), "application/octet-stream"))["id"]

    def job(self, **body):
        """When it is over."""
        job = json.loads(self.ask("POST", "/jobs", json.dumps({"reference": self.reference, **body}).encode()))
        while job["state"] in ("queued", "running"):
            job = json.loads(self.ask("GET", f"/jobs/{job['id']}?wait=30&revision={job['revision']}"))
        return job

    def completed(self, **body):
        job = self.job(**body)
        self.assertEqual(("completed", None), (job["state"], job["problem"]))
        return job

    def video(self, job):
        return hashlib.sha256(self.ask("GET", f"/jobs/{job['id']}/video")).hexdigest()

    def test_poses_that_were_looked_at_give_the_video_of_their_motion(self):
        align = {"end": 0.5, "alignment_strength": 0.5}
        poses = self.completed(kind="align", motion=self.motion, align=align)
        of_poses = self.completed(kind="animate", poses=poses["id"], settings=SETTINGS)
        of_motion = self.completed(kind="animate", motion=self.motion, align=align, settings=SETTINGS)
        self.assertEqual(self.video(of_motion), self.video(of_poses))
        self.assertEqual(poses["id"], of_poses["poses_job"])
        plain = self.completed(kind="animate", motion=self.motion, align={"end": 0.5}, settings=SETTINGS)
        self.assertNotEqual(self.video(plain), self.video(of_poses))

    def test_poses_of_a_file_are_taken(self):
        poses = self.completed(kind="align", motion=self.motion, align={"end": 0.5})
        numbers = self.ask("GET", f"/jobs/{poses['id']}/poses/poses.json")
        asset = json.loads(self.ask("POST", "/assets?name=poses.json", numbers, "application/octet-stream"))["id"]
        job = self.completed(kind="animate", poses=asset, settings=SETTINGS)
        self.assertEqual(6, job["result"]["frames"])

    def test_a_plan_tells_what_the_video_is_then(self):
        plan = self.completed(kind="plan", motion=self.motion, settings=SETTINGS)["result"]
        made = self.completed(kind="animate", motion=self.motion, settings=SETTINGS)["result"]
        for name in ("width", "height", "frames", "unet_calls"):
            self.assertEqual(made[name], plan[name], name)
        self.assertEqual(plan["request"]["framing"], made["framing"])
        self.assertNotEqual("whole", made["framing"])
        self.assertGreater(plan["estimated_seconds"], 0)
        self.assertGreater(plan["estimated_bytes"], 0)
        self.assertNotIn("/", json.dumps({**plan, "notes": []}))

    def ask_videos(self, method, path, body=None, kind="application/json"):
        request = urllib.request.Request(f"{self.service.base.rstrip('/')}/v1/videos{path}", body, method=method, headers={
            "Authorization": f"Bearer {self.token}", "Content-Type": kind})
        with urllib.request.urlopen(request, timeout=service.WAIT) as answer:
            return answer.read()

    def test_a_form_gives_the_video_of_the_job_that_it_stands_for(self):
        parts = {'name="prompt"': b"a form", 'name="size"': SETTINGS["size"].encode(), 'name="seconds"': b"0.5",
                 'name="settings"': json.dumps({name: SETTINGS[name] for name in ("frames", "seed", "fit")}).encode(),
                 'name="input_reference"; filename="person.png"': (PAGE / "example-person.png").read_bytes(),
                 'name="motion"; filename="motion.mp4"': (PAGE / "example-motion.mp4").read_bytes()}
        body = b"".join(b"--xyz\r\nContent-Disposition: form-data; " + name.encode() + b"\r\n\r\n" + part + b"\r\n"
                        for name, part in parts.items()) + b"--xyz--\r\n"
        video = json.loads(self.ask_videos("POST", "", body, "multipart/form-data; boundary=xyz"))
        self.assertEqual(("video", "a form", "64x96", "0.5"), tuple(video[name] for name in ("object", "prompt", "size", "seconds")))

        def look():
            return json.loads(self.ask_videos("GET", f"/{video['id']}"))

        done = service.until(lambda: (now := look())["status"] in ("completed", "failed") and now, "its end")
        self.assertEqual(("completed", 100, None), (done["status"], done["progress"], done["error"]))
        content = hashlib.sha256(self.ask_videos("GET", f"/{video['id']}/content")).hexdigest()
        job = self.completed(kind="animate", motion=self.motion, align={"end": 0.5}, settings=SETTINGS)
        self.assertEqual(self.video(job), content)
        self.assertIn(video["id"], [each["id"] for each in json.loads(self.ask_videos("GET", "?limit=100"))["data"]])
        self.assertTrue(json.loads(self.ask_videos("DELETE", f"/{video['id']}"))["deleted"])
        self.assertNotIn(video["id"], [each["id"] for each in json.loads(self.ask_videos("GET", "?limit=100"))["data"]])

    def test_a_job_names_its_models(self):
        system = json.loads(self.ask("GET", "/system"))
        self.assertEqual(["other", "embedded"], [model["name"] for model in system["models"]])
        self.assertEqual("192x256", system["models"][0]["defaults"]["size"])
        videos = {self.video(self.completed(kind="animate", motion=self.motion, settings={**SETTINGS, **choice}))
                  for choice in ({}, {"model": "other"}, {"model": "embedded"})}
        self.assertEqual(1, len(videos))
        for choice, sentence in (({"model": "../other"}, "the server has no model ../other: it has other, embedded"),
                                 ({"loras": [{"name": "style"}]}, "the server has no LoRA style: it has none")):
            with self.assertRaises(urllib.error.HTTPError) as refused:
                self.job(kind="animate", motion=self.motion, settings={**SETTINGS, **choice})
            self.assertEqual((422, sentence), (refused.exception.code, json.load(refused.exception)["detail"]))
        unsaid = self.completed(kind="animate", motion=self.motion, settings=SETTINGS)
        self.assertEqual("other", unsaid["request"]["settings"]["model"])

    def test_settings_that_do_not_go_together_never_wait(self):
        jobs = self.ask("GET", "/jobs")
        for settings, field in (({"preset": "draft", "sampler": "lcm"}, "preset"),
                                ({"extrapolate": True, "guidance_every": 2, "guidance_scale": 2, "steps": 8}, "extrapolate"),
                                ({"context_size": 8, "context_overlap": 8}, "context_overlap")):
            for kind in ("animate", "plan"):
                with self.assertRaises(urllib.error.HTTPError) as refused:
                    self.job(kind=kind, motion=self.motion, settings={**SETTINGS, **settings})
                self.assertEqual(422, refused.exception.code)
                self.assertEqual(f"/settings/{field}", json.load(refused.exception)["errors"][0]["pointer"])
        self.assertEqual(jobs, self.ask("GET", "/jobs"))


def main():
    global PROGRAM, PAGE, MODEL
    PROGRAM, PAGE, MODEL = sys.argv[1], pathlib.Path(sys.argv[2]).resolve(), pathlib.Path(sys.argv[3]).resolve()
    return 0 if unittest.main(argv=[sys.argv[0], *sys.argv[4:]], verbosity=2, exit=False).result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())

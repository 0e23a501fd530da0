#!/usr/bin/env python3
"""The interface of a real `unianimate serve`, as its document says it: conformance_test.py PROGRAM PAGE_FOLDER [TESTS].

With UNIANIMATE_MAX_EXAMPLES schemathesis asks so often of each operation, and so longer (15; CONTRIBUTING.md).
"""
import contextlib
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import unittest

import service
from service import SKIPPED, Service, until

PROGRAM = ""
PAGE = pathlib.Path()
HERE = pathlib.Path(__file__).resolve().parent
NO_WORKERS = ("--workers", "0")


class ServiceTest(unittest.TestCase):
    OPTIONS = NO_WORKERS

    @classmethod
    def setUpClass(cls):
        cls.service = Service(PROGRAM, *cls.OPTIONS)

    @classmethod
    def tearDownClass(cls):
        cls.service.close()

    def setUp(self):
        self.assertEqual({"live": True}, self.service.ask("GET", "/health/live"))

    def tearDown(self):
        self.assertEqual({"live": True}, self.service.ask("GET", "/health/live"), "it lives on")
        self.assertIsNone(self.service.process.poll())

    def assert_problem(self, answer, kind, status, *words):
        self.assertEqual((kind, status), (answer.problem(), answer.status), answer.body[:500])
        problem = answer.json()
        self.assertEqual(status, problem["status"])
        self.assertEqual(answer.headers["X-Request-Id"], problem["request_id"])
        for word in words:
            self.assertIn(word, problem["detail"])

    def request(self, *arguments, **options):
        return self.service.request(*arguments, **options)

    @contextlib.contextmanager
    def connected(self):
        with socket.create_connection(("127.0.0.1", self.service.port), timeout=service.WAIT) as connection:
            yield connection

    def head(self, line, *headers):
        lines = [line, f"Host: 127.0.0.1:{self.service.port}", f"Authorization: Bearer {self.service.token}", *headers]
        return "\r\n".join([*lines, "", ""]).encode()

    def raw(self, text):
        """What is answered to these very bytes."""
        with self.connected() as connection:
            connection.sendall(text)
            return self.read_answer(connection)

    def read_answer(self, connection):
        response = service.http.client.HTTPResponse(connection)
        response.begin()
        return service.Answer(response.status, response.headers, response.read())

    def upload_files(self):
        return {"reference": self.service.upload(PAGE / "example-person.png"),
                "motion": self.service.upload(PAGE / "example-motion.mp4")}


class DocumentTest(ServiceTest):
    def test_schemathesis_finds_nothing(self):
        files = self.upload_files()
        hooks = {"SCHEMATHESIS_HOOKS": "conformance_hooks", "PYTHONPATH": str(HERE),
                 **{f"UNIANIMATE_{name.upper()}": asset for name, asset in files.items()}}
        examples = os.environ.get("UNIANIMATE_MAX_EXAMPLES", "15")
        with tempfile.TemporaryDirectory() as folder:
            # Events have no end: they are asked for below.
            run = subprocess.run(
                [service.ENVIRONMENT / "bin" / "st", "--config-file", HERE / "conformance.toml", "run",
                 f"{self.service.base}/openapi.json", "--header", f"Authorization: Bearer {self.service.token}",
                 "--checks", "all", "--phases", "examples,coverage,fuzzing,stateful", "--seed", "1", "--max-examples", examples,
                 "--no-shrink", "--request-timeout", "60", "--exclude-path", "/api/v1/events", "--no-color"],
                cwd=folder, env={**os.environ, **hooks}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.assertEqual(0, run.returncode, run.stdout)
        print(re.search("Test cases:\n.*", run.stdout).group())
        self.service.ask("PATCH", "/api/v1/queue", {"paused": False})

    def test_what_is_documented_is_there_and_nothing_more(self):
        document = self.service.ask("GET", "/openapi.json")
        paths = document["paths"]
        for path, methods in paths.items():
            target = path.replace("{id}", "j" + 20 * "0").replace("{name}", "poses.json")
            allowed = self.request("OPTIONS", target).headers["Allow"].replace(" ", "").split(",")
            documented = {method.upper() for method in methods}
            self.assertEqual(documented, set(allowed) - {"HEAD", "OPTIONS"}, path)
            answer = self.request("QUERY", target)
            self.assert_problem(answer, "method-not-allowed", 405)

    def test_measures_are_read_by_prometheus(self):
        from prometheus_client.parser import text_string_to_metric_families
        answer = self.request("GET", "/metrics")
        self.assertTrue(answer.headers["Content-Type"].startswith("text/plain; version=0.0.4"))
        families = {each.name: each for each in text_string_to_metric_families(answer.body.decode())}
        self.assertIn("unianimate_build_info", families)
        for family in families.values():
            self.assertTrue(family.name.startswith("unianimate_"), family.name)
            self.assertTrue(family.documentation, family.name)
            self.assertIn(family.type, ("gauge", "counter", "histogram"), family.name)
        seconds = families["unianimate_http_request_seconds"].samples
        buckets = [each.value for each in seconds if each.name.endswith("_bucket")]
        self.assertEqual(sorted(buckets), buckets)
        self.assertEqual(buckets[-1], next(each.value for each in seconds if each.name.endswith("_count")))

    def test_events_tell_what_is_there_and_what_changes(self):
        with self.connected() as connection:
            connection.sendall(self.head("GET /api/v1/events HTTP/1.1"))
            stream = connection.makefile("rb")

            def next_event(kind):
                while (line := stream.readline()):
                    if line.strip() == f"event: {kind}".encode():
                        data = ""
                        while (line := stream.readline().strip()):
                            name, _, value = line.decode().partition(": ")
                            data = value if name == "data" else data
                        return json.loads(data)
                self.fail("the stream ended")

            next_event("queue")
            job = self.service.ask("POST", "/api/v1/jobs", {"kind": "animate", **self.upload_files()}, 201)
            self.assertEqual(job["id"], next_event("job")["id"])
            self.service.ask("DELETE", f"/api/v1/jobs/{job['id']}", status=204)
            self.assertEqual({"id": job["id"]}, next_event("removed"))


class ProblemTest(ServiceTest):
    """Every kind of problem, by the hand of a client."""
    OPTIONS = (*NO_WORKERS, "--max-upload", "1MB", "--max-queue", "1")

    def test_of_messages(self):
        self.assert_problem(self.raw(b"nonsense\r\n\r\n"), "bad-request", 400)
        self.assert_problem(self.raw(self.head("GET /api/v1/jobs/%00 HTTP/1.1")), "bad-request", 400)
        self.assert_problem(self.request("POST", "/api/v1/jobs", b"{", {"Content-Type": "application/json"}), "invalid-json", 400)
        self.assert_problem(self.request("POST", "/api/v1/jobs", b"{}", {"Content-Type": "text/plain"}), "unsupported-type", 415)
        self.assert_problem(self.request("POST", "/api/v1/jobs", {"kind": "fly"}), "invalid-request", 422, "kind")
        self.assert_problem(self.request("GET", "/api/v1/nothing"), "not-found", 404)
        self.assert_problem(self.request("DELETE", "/api/v1/jobs"), "method-not-allowed", 405)
        self.assert_problem(self.request("POST", "/api/v1/assets", b"no picture"), "unsupported-type", 415)

    def test_of_states(self):
        files = self.upload_files()
        headers = {"Idempotency-Key": "one"}
        job = self.request("POST", "/api/v1/jobs", {"kind": "align", **files}, headers).json()["id"]
        again = self.request("POST", "/api/v1/jobs", {"kind": "align", **files}, headers)
        self.assertEqual((200, job), (again.status, again.json()["id"]))
        self.assert_problem(self.request("POST", "/api/v1/jobs", {"kind": "animate", **files}, headers), "conflict", 409)
        self.assert_problem(self.request("POST", f"/api/v1/jobs/{job}/resume", {}), "conflict", 409)
        self.assert_problem(self.request("DELETE", f"/api/v1/assets/{files['motion']}"), "conflict", 409)
        self.assert_problem(self.request("POST", "/api/v1/jobs", {"kind": "animate", **files}), "too-many", 429, "--max-queue")
        content = f"/api/v1/assets/{files['motion']}/content"
        self.assert_problem(self.request("GET", content, headers={"Range": "bytes=99999999-"}), "bad-range", 416)
        self.service.ask("DELETE", f"/api/v1/jobs/{job}", status=204)

    def test_a_disk_that_is_full(self):
        if os.geteuid() != 0:
            self.skipTest("only root may mount a small disk")
        with tempfile.TemporaryDirectory() as folder:
            mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", folder], capture_output=True)
            if mounted.returncode != 0:
                self.skipTest("no small disk may be mounted here")
            full = Service(PROGRAM, *NO_WORKERS, data=folder + "/data")
            try:
                answer = full.request("POST", "/api/v1/assets", (PAGE / "example-person.png").read_bytes())
                self.assert_problem(answer, "quota-exceeded", 507, "kept free")
                self.assertEqual(503, full.request("GET", "/health/ready").status)
            finally:
                full.close()
                subprocess.run(["umount", folder], check=True)


class LimitTest(ServiceTest):
    OPTIONS = (*NO_WORKERS, "--max-upload", "1MB")

    def test_of_heads(self):
        answer = self.raw(self.head("GET /health/live HTTP/1.1", "X-Long: " + 20_000 * "x"))
        self.assertEqual("too-large", answer.problem())
        self.assertIn("16384", answer.json()["detail"])
        self.assert_problem(self.raw(self.head(f"GET /{9_000 * 'x'} HTTP/1.1")), "too-large", 414, "8192")

    def test_of_json(self):
        kind = {"Content-Type": "application/json"}
        large = b'{"label":"' + 1_000_001 * b"x" + b'"}'
        self.assert_problem(self.request("POST", "/api/v1/jobs", large, kind), "too-large", 413, "1000000")
        deep = 40 * b"[" + 40 * b"]"
        self.assert_problem(self.request("POST", "/api/v1/jobs", deep, kind), "invalid-json", 400, "32")
        endless = 200_000 * b"["
        self.assert_problem(self.request("POST", "/api/v1/jobs", endless, kind), "invalid-json", 400)

    def test_of_uploads(self):
        head = self.head("POST /api/v1/assets HTTP/1.1", "Content-Length: 1000001", "Expect: 100-continue")
        self.assert_problem(self.raw(head), "too-large", 413, "1000000", "--max-upload")
        pieces = b"".join(b"%x\r\n%s\r\n" % (100_000, 100_000 * b"x") for _ in range(11)) + b"0\r\n\r\n"
        answer = self.raw(self.head("POST /api/v1/assets HTTP/1.1", "Transfer-Encoding: chunked") + pieces)
        self.assert_problem(answer, "too-large", 413, "--max-upload")
        with self.connected() as connection:
            connection.sendall(self.head("POST /api/v1/assets HTTP/1.1", "Content-Length: 3", "Expect: 100-continue"))
            self.assertEqual(b"HTTP/1.1 100 Continue\r\n\r\n", connection.recv(100))
            connection.sendall(b"abc")
            self.assert_problem(self.read_answer(connection), "unsupported-type", 415)

    def test_of_uploads_at_once(self):
        with contextlib.ExitStack() as stack:
            for _ in range(4):
                connection = stack.enter_context(self.connected())
                connection.sendall(self.head("POST /api/v1/assets HTTP/1.1", "Content-Length: 9", "Expect: 100-continue"))
                self.assertIn(b"100 Continue", connection.recv(100))
            fifth = self.raw(self.head("POST /api/v1/assets HTTP/1.1", "Content-Length: 9"))
            self.assert_problem(fifth, "too-many", 429, "4 uploads")
            self.assertEqual("5", fifth.headers["Retry-After"])
        until(lambda: self.request("POST", "/api/v1/assets", b"x").status == 415, "room for another upload")

    def test_of_connections(self):
        with contextlib.ExitStack() as stack:
            # All of them are taken before one more asks.
            for _ in range(64):
                connection = stack.enter_context(self.connected())
                connection.sendall(self.head("GET /health/live HTTP/1.1"))
                self.assertEqual(200, self.read_answer(connection).status)
            self.assert_problem(self.raw(b""), "too-many", 429, "64 connections of one address")
        until(lambda: self.raw(self.head("GET /health/live HTTP/1.1")).status == 200, "room for another connection")

    def test_of_event_streams(self):
        with contextlib.ExitStack() as stack:
            def from_address(number):
                connection = socket.create_connection(("127.0.0.1", self.service.port), service.WAIT, (f"127.0.1.{number}", 0))
                stack.enter_context(connection)
                connection.sendall(self.head("GET /api/v1/events HTTP/1.1"))
                return connection
            for i in range(200):
                self.assertIn(b"200 OK", from_address(1 + i // 50).recv(12 + 3))
            self.assert_problem(self.read_answer(from_address(9)), "too-many", 429, "200 streams")


class AttackTest(ServiceTest):
    def test_other_names_and_sites(self):
        port = self.service.port
        for host in ("evil.example", f"evil.example:{port}", "127.0.0.1", f"127.0.0.1:{port + 1}", f"127.0.0.1.nip.io:{port}",
                     f"localhost:{port}@evil.example", ""):
            self.assert_problem(self.request("GET", "/health/live", headers={"Host": host}), "wrong-host", 421)
        for origin in ("https://evil.example", "null", f"http://127.0.0.1:{port}.evil.example", f"http://localhost:{port + 1}",
                       f"ftp://127.0.0.1:{port}"):
            answer = self.request("POST", "/api/v1/jobs", {}, {"Origin": origin})
            self.assert_problem(answer, "cross-origin", 403)
            self.assertIsNone(answer.headers["Access-Control-Allow-Origin"])
        cookie = self.request("POST", "/api/v1/session", {"token": self.service.token}, token=False).headers["Set-Cookie"]
        for attribute in ("HttpOnly", "SameSite=Strict", "Path=/"):
            self.assertIn(attribute, cookie)
        headers = {"Cookie": cookie.partition(";")[0]}
        self.assertEqual(200, self.request("GET", "/api/v1/jobs", headers=headers, token=False).status)
        answer = self.request("PATCH", "/api/v1/queue", {"paused": True}, headers, token=False)
        self.assert_problem(answer, "cross-origin", 403)

    def test_tokens(self):
        token = self.service.token
        self.assert_problem(self.request("GET", "/api/v1/jobs", token=False), "unauthorized", 401)
        self.assert_problem(self.request("GET", f"/api/v1/jobs?token={token}", token=False), "unauthorized", 401)
        self.assertNotIn(token, self.service.log_text())
        wrong = {"Authorization": "Bearer " + token[:-1] + ("0" if token[-1] != "0" else "1")}
        kinds = [self.request("GET", "/api/v1/jobs", headers=wrong).problem() for _ in range(11)]
        self.assertEqual(10 * ["unauthorized"] + ["too-many"], kinds)
        self.assertEqual(200, self.request("GET", "/api/v1/jobs").status, "the right one is always taken")
        for path in ("/", "/openapi.json", "/health/live"):
            self.assertNotIn(token.encode(), self.request("GET", path).body)

    def test_paths(self):
        for name in ("../../server.db", "..%2F..%2Fserver.db", "%2e%2e/%2e%2e/token", "..%5Ctoken", "token", "....//token"):
            for path in (f"/{name}", f"/api/v1/assets/{name}", f"/api/v1/assets/{name}/content", f"/api/v1/jobs/{name}/video",
                         f"/api/v1/jobs/{'j' + 20 * '0'}/poses/{name}"):
                answer = self.raw(self.head(f"GET {path} HTTP/1.1"))
                self.assertIn(answer.problem(), ("not-found", "bad-request"), path)

    def test_names_of_files(self):
        picture = (PAGE / "example-person.png").read_bytes()
        for number, name in enumerate(("../../../tmp/evil", "/etc/passwd", 'a";filename=b', "x".ljust(255, "y"), "..", "\u202egnp.exe")):
            sent = service.urllib.parse.quote(name, safe="")
            asset = self.request("POST", f"/api/v1/assets?name={sent}", picture + bytes([number])).json()
            self.assertEqual(name, asset["name"])
            answer = self.request("GET", f"/api/v1/assets/{asset['id']}/content")
            self.assertEqual((200, picture + bytes([number])), (answer.status, answer.body))
            self.assertEqual("sandbox", answer.headers["Content-Security-Policy"])
            self.assertNotIn("\n", answer.headers["Content-Disposition"])
        answer = self.request("POST", "/api/v1/assets?name=a%0D%0ASet-Cookie:%20x=y", picture)
        self.assertIsNone(answer.headers["Set-Cookie"])
        self.assert_problem(answer, "bad-request", 400)
        stored = {path.name for path in (self.service.data / "assets").rglob("*") if path.is_file()} - {".lock"}
        self.assertTrue(all(re.fullmatch(r"[0-9a-f]{64}\.\w+", name) for name in stored), stored)

    def test_smuggled_requests(self):
        body = b"0\r\n\r\nGET /api/v1/jobs HTTP/1.1\r\n\r\n"
        for headers in (["Content-Length: 5", "Transfer-Encoding: chunked"], ["Content-Length: 5", "Content-Length: 6"],
                        ["Transfer-Encoding: gzip, chunked"]):
            self.assert_problem(self.raw(self.head("POST /api/v1/jobs HTTP/1.1", *headers) + body), "bad-request", 400)


class HostileJobTest(ServiceTest):
    OPTIONS = ()

    def test_what_no_decoder_can_read_fails_its_job_alone(self):
        folder = self.service.folder
        person = (PAGE / "example-person.png").read_bytes()
        motion = (PAGE / "example-motion.mp4").read_bytes()
        good = self.upload_files()
        bad = {"picture cut off": (person[:200], None), "video cut off": (None, motion[:3000]),
               "video of noise": (None, motion[:64] + bytes(os.urandom(50_000))), "a picture as video": (None, person[:100])}
        jobs = {}
        for name, (picture, video) in bad.items():
            files = dict(good)
            for kind, content in (("reference", picture), ("motion", video)):
                if content is not None:
                    (folder / "hostile").write_bytes(content)
                    files[kind] = self.service.upload(folder / "hostile")
            jobs[name] = self.service.ask("POST", "/api/v1/jobs", {"kind": "align", **files}, 201)["id"]
        for name, job in jobs.items():
            ended = self.service.wait_for(job, "failed")
            self.assertEqual("input", ended["problem"]["type"].removeprefix("/problems/"), (name, ended["problem"]))
            self.assertNotIn(str(self.service.data), json.dumps(ended))
        job = self.service.ask("POST", "/api/v1/jobs", {"kind": "align", **good}, 201)["id"]
        self.service.wait_for(job, "completed")

    def test_lora_files_are_those_of_the_folder_alone(self):
        files = self.upload_files()
        (self.service.folder / "outside.safetensors").write_bytes(b"secret")
        for name in ("../../etc/passwd", "/etc/passwd", "..", str(self.service.folder / "outside.safetensors")):
            settings = {"loras": [{"name": name, "scale": 1}]}
            answer = self.request("POST", "/api/v1/jobs", {"kind": "animate", **files, "settings": settings})
            if answer.status == 201:  # Its worker sees to that.
                ended = self.service.wait_for(answer.json()["id"], "failed")
                self.assertIn(ended["problem"]["type"].removeprefix("/problems/"), ("input", "usage"), ended["problem"])
                self.assertIn("LoRA", ended["problem"]["detail"])
            else:
                self.assert_problem(answer, "invalid-request", 422)


def main():
    global PROGRAM, PAGE
    service.enter_environment()
    try:
        import prometheus_client  # noqa: F401
        import schemathesis  # noqa: F401
    except ImportError:
        return service.skip("schemathesis and prometheus-client are not installed; run scripts/setup.sh --service-tests")
    PROGRAM, PAGE = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
    return 0 if unittest.main(argv=[sys.argv[0], *sys.argv[3:]], verbosity=2, exit=False).result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())

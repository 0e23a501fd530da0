"""A real `unianimate serve` for tests and measurements, and the Python that they run with."""
import http.client
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
ENVIRONMENT = ROOT / "build" / "service-tests"
SKIPPED = 77  # ctest's SKIP_RETURN_CODE
WAIT = 120  # seconds until something counts as not coming


def enter_environment():
    """Goes on in the virtual environment of `scripts/setup.sh --service-tests`, where there is one."""
    python = ENVIRONMENT / "bin" / "python"
    if python.exists() and pathlib.Path(sys.prefix).resolve() != ENVIRONMENT.resolve():
        os.execv(python, [python, "-B", *sys.argv])


def skip(reason):
    """Says so as scripts/test.sh reads it."""
    name = pathlib.Path(sys.argv[0]).stem
    print(f"{name}: Skipped\n{reason}\n[  SKIPPED ] {name} (0 ms)")
    return SKIPPED


def until(condition, what, seconds=WAIT):
    end = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not come")
        time.sleep(0.05)
    return found


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    def json(self):
        return json.loads(self.body)

    def problem(self):
        """The kind of problem, as in "/problems/not-found"; None where it is none."""
        if self.headers.get("Content-Type") != "application/problem+json":
            return None
        return self.json()["type"].removeprefix("/problems/")


class Service:
    """`serve` on a free port, by default with a data folder of its own that goes with it."""

    def __init__(self, program, *options, data=None, environment=None):
        self._folder = tempfile.TemporaryDirectory(prefix="unianimate-service-", ignore_cleanup_errors=True)
        self.program = program
        self.options = options
        self.environment = {**os.environ, **(environment or {})}
        self.data = pathlib.Path(data) if data else pathlib.Path(self._folder.name) / "data"
        self.folder = pathlib.Path(self._folder.name)
        self.log = self.folder / "log"
        self.start()

    def start(self, port=0):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [self.program, "serve", "--listen", f"127.0.0.1:{port}", "--data", self.data, "--json", *self.options],
                stdout=subprocess.PIPE, stderr=log, env=self.environment)
        lines = (json.loads(line) for line in self.process.stdout)
        self.url = next((line["url"] for line in lines if line["event"] == "listening"), None)
        if self.url is None:
            raise RuntimeError("serve ended at once: " + self.log_text())
        self.base, _, self.token = self.url.partition("/#token=")
        self.port = int(self.base.rpartition(":")[2].rstrip("/"))

    def log_text(self):
        return self.log.read_text(errors="replace")

    def kill(self):
        self.process.kill()
        self.process.wait(WAIT)
        self.process.stdout.close()

    def stop(self):
        """Returns the exit status."""
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(WAIT)
        self.process.stdout.close()
        return status

    def close(self):
        if self.process.poll() is None:
            self.stop()
        self._folder.cleanup()

    def request(self, method, target, body=None, headers=None, token=True):
        """What is sent is exactly this, with the token and, for a dictionary as body, its type."""
        sent = {"Authorization": f"Bearer {self.token}"} if token and self.token else {}
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
            sent["Content-Type"] = "application/json"
        sent.update(headers or {})
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT)
        try:
            connection.request(method, target, body, sent)
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def ask(self, method, target, body=None, status=200):
        answer = self.request(method, target, body)
        assert answer.status == status, f"{method} {target}: {answer.status} {answer.body[:500]}"
        return answer.json() if answer.body else None

    def upload(self, file, name="file"):
        answer = self.request("POST", f"/api/v1/assets?name={name}", pathlib.Path(file).read_bytes())
        assert answer.status in (200, 201), answer.body
        return answer.json()["id"]

    def jobs(self):
        return self.ask("GET", "/api/v1/jobs?limit=500")["jobs"]

    def job(self, job_id):
        return self.ask("GET", f"/api/v1/jobs/{job_id}")

    def wait_for(self, job_id, *states, seconds=WAIT):
        return until(lambda: (job := self.job(job_id))["state"] in states and job, f"{job_id} {states}", seconds)

"""What scripts/prove_service.sh runs."""
import argparse
import contextlib
import datetime
import hashlib
import os
import pathlib
import random
import resource
import signal
import socket
import statistics
import subprocess
import tempfile
import threading
import time

import service
from service import Service, until

PAGE = service.ROOT / "src" / "unianimate" / "server" / "page"
PERSON, MOTION = PAGE / "example-person.png", PAGE / "example-motion.mp4"
SIZE, FRAMES = "64x96", 8
LONG = 900  # seconds until a job counts as lost
MB = 1e6


def check(condition, what):
    if not condition:
        raise SystemExit(f"prove_service: not so: {what}")


def digest(content):
    return hashlib.sha256(content).hexdigest()


def settings(steps, seed):
    return {"size": SIZE, "fit": "crop", "frames": FRAMES, "steps": steps, "seed": seed}


def animate(program, folder, steps, seed, *options):
    """What `animate` alone makes of it, and its seconds of the processor."""
    output = pathlib.Path(folder) / f"alone-{steps}-{seed}.mp4"
    command = [program, "animate", "--reference", PERSON, "--motion", MOTION, "--size", SIZE, "--fit", "crop", "--frames", FRAMES,
               "--steps", steps, "--seed", seed, "--output", output, "--quiet", *options]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return digest(output.read_bytes()), after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


class Client:
    def __init__(self, served):
        self.service = served
        self.files = {"reference": served.upload(PERSON), "motion": served.upload(MOTION)}

    def add(self, steps, seed):
        body = {"kind": "animate", **self.files, "settings": settings(steps, seed)}
        return self.service.ask("POST", "/api/v1/jobs", body, 201)["id"]

    def video(self, job_id):
        answer = self.service.request("GET", f"/api/v1/jobs/{job_id}/video")
        check(answer.status == 200, f"{job_id} has a video")
        return digest(answer.body)

    def check_once(self, job_id, expected):
        job = self.service.wait_for(job_id, "completed", "failed", seconds=LONG)
        check(job["state"] == "completed", f"{job_id} is completed: {job['problem']}")
        results = list((self.service.data / "jobs" / job_id).glob("result-[0-9]*"))
        check(len(results) == 1, f"{job_id} has one result: {results}")
        check(self.video(job_id) == expected, f"the video of {job_id} is that of animate")
        return job


def children(pid):
    """Processes that this one started, with their words."""
    found = {}
    for status in pathlib.Path("/proc").glob("[0-9]*/status"):
        with contextlib.suppress(OSError):
            lines = dict(line.split(":\t", 1) for line in status.read_text().splitlines() if ":\t" in line)
            if int(lines["PPid"]) == pid:
                found[int(status.parent.name)] = (status.parent / "cmdline").read_bytes().decode().split("\0")
    return found


def worker_of(served, lane):
    return until(lambda: next((pid for pid, words in children(served.process.pid).items() if lane in words), None), f"a {lane} worker")


def processor_name():
    names = (line.partition(":")[2].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name"))
    return next(names, "of an unknown kind")


def resident(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise SystemExit(f"prove_service: process {pid} is gone")


def handles(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


# ---- kills, hangs, a full disk


def kills(program, folder, say, times=20, steps=60):
    seeds = (1, 2)
    expected = {seed: animate(program, folder, steps, seed)[0] for seed in seeds}
    served = Service(program)
    client = Client(served)
    jobs = {}

    def keep_busy():
        open_jobs = [job for job in served.jobs() if job["state"] in ("queued", "running")]
        for _ in range(3 - len(open_jobs)):
            seed = random.choice(seeds)
            jobs[client.add(steps, seed)] = seed

    fruitless = 0

    def wait_for_a_moment():
        """Any moment, but that no job loses three attempts in a row before a step of them, which fails it, rightly."""
        nonlocal fruitless
        until(running, "a running job", LONG)
        before = running()
        time.sleep(random.uniform(0, 6))
        if fruitless == 2:
            until(lambda: running() != before, "a step", LONG)
        fruitless = fruitless + 1 if running() == before else 0

    def running():
        """Which job runs, and how many of its steps are done."""
        for job in served.jobs():
            if job["state"] == "running":
                progress = job["progress"] or {}
                return job["id"], progress["done"] if progress.get("phase") == "sample" else 0
        return None

    def waiting():
        return [(job["id"], job["priority"], job["queued"]) for job in served.jobs() if job["state"] == "queued"]

    try:
        for _ in range(times):
            keep_busy()
            wait_for_a_moment()
            os.kill(worker_of(served, "video"), signal.SIGKILL)
            keep_busy()
            wait_for_a_moment()
            served.ask("PATCH", "/api/v1/queue", {"paused": True})
            before, known = waiting(), {job["id"] for job in served.jobs()}
            served.kill()
            served.start()
            check({job["id"] for job in served.jobs()} == known == set(jobs), "the jobs are the same after a restart")
            still = [each for each in waiting() if each in before]
            check(still == before, f"the queue is the same after a restart: {before} {waiting()}")
            served.ask("PATCH", "/api/v1/queue", {"paused": False})
        attempts = [client.check_once(job, expected[seed])["attempt"] for job, seed in jobs.items()]
    finally:
        served.close()
    say(f"| workers killed {times} times and `serve` {times} times, at random moments | {len(jobs)} jobs, {sum(attempts)} attempts: each "
        "completed once, bit for bit the video of `animate`; the queue was the same after each restart |")


def hang(program, folder, say, steps=400):
    expected = animate(program, folder, steps, 1)[0]
    served = Service(program, "--workers", "0")
    client = Client(served)
    start = lambda: subprocess.Popen([program, "worker", "--lane", "video", "--data", served.data, "--quiet"])
    workers = [start()]
    try:
        job = client.add(steps, 1)
        until(lambda: ((served.job(job)["progress"] or {}).get("done") or 0) > 0, "the first step", LONG)
        workers[0].send_signal(signal.SIGSTOP)
        workers.append(start())
        until(lambda: served.job(job)["attempt"] == 2, "another attempt", LONG)
        # Awake again, while the other one is at it or waits for the folder.
        workers[0].send_signal(signal.SIGCONT)
        ended = client.check_once(job, expected)
    finally:
        for worker in workers:
            worker.send_signal(signal.SIGCONT)
            worker.terminate()
            worker.wait(service.WAIT)
        served.close()
    say(f"| a worker stopped (SIGSTOP) past its lease, then awake beside the next one | {ended['attempt']} attempts, one result, bit for bit "
        "that of `animate` |")


def disk(program, folder, say, steps=200):
    if os.geteuid() != 0:
        return say("| a full disk | left out: only root may mount a small one |")
    expected = animate(program, folder, steps, 1)[0]
    small = pathlib.Path(folder) / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2600m", "tmpfs", small], check=True)
    try:
        served = Service(program, data=small / "data")
        try:
            client = Client(served)
            job = client.add(steps, 1)
            until(lambda: ((served.job(job)["progress"] or {}).get("done") or 0) > 0, "the first step", LONG)
            with contextlib.suppress(OSError), open(small / "filler", "wb") as filler:
                while True:
                    filler.write(bytes(1 << 20))
            # The queue lies on the same disk, so that nobody may be able to write that the job has failed.
            full_until = time.monotonic() + 60
            while (state := served.job(job)["state"]) != "failed" and time.monotonic() < full_until:
                check(state != "completed", "a full disk holds the job up")
                time.sleep(1)
            check(served.request("GET", "/health/live").status == 200, "the service lives on")
            check(served.request("GET", "/health/ready").status == 503, "the service says that it is not ready")
            (small / "filler").unlink()
            went_on = "went on by itself"
            if served.job(job)["state"] == "failed":
                went_on = f"failed (`{served.job(job)['problem']['type']}`), resumed"
                served.ask("POST", f"/api/v1/jobs/{job}/resume", {}, 202)
            client.check_once(job, expected)
        finally:
            served.close()
    finally:
        subprocess.run(["umount", small], check=True)
    say(f"| the disk, with the queue on it, full for a minute amid a job | {went_on} once there was room: bit for bit that of `animate` |")


# ---- costs


def processor_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def cost(program, folder, say, rounds=5, steps=300):
    # Threads that wait for each other would take more time than what is measured here.
    threads = ("--threads", "1")
    served = Service(program, *threads)
    try:
        client = Client(served)
        served.wait_for(client.add(2, 1), "completed", seconds=LONG)
        worker = worker_of(served, "video")
        alone, queued = [], []
        for seed in range(rounds):
            expected, processor = animate(program, folder, steps, seed, *threads)
            alone.append(processor)
            before = processor_seconds(worker) + processor_seconds(served.process.pid)
            client.check_once(client.add(steps, seed), expected)
            queued.append(processor_seconds(worker) + processor_seconds(served.process.pid) - before)
        begin = time.monotonic()
        served.wait_for(client.add(1, 1), "completed", seconds=LONG)
        smallest = time.monotonic() - begin
    finally:
        served.close()
    one, other = statistics.median(alone), statistics.median(queued)
    say(f"| processor time of a video on one thread: `animate`, which also loads the models, and `serve` with its worker, which has them open; medians of {rounds} | "
        f"{one:.2f} s, {other:.2f} s ({100 * (other / one - 1):+.1f} %) |")
    say(f"| a job of one step, from asking to done | {smallest:.1f} s |")


def streams(program, folder, say, count=200):
    del folder
    served = Service(program, "--workers", "0")
    try:
        client = Client(served)
        before = resident(served.process.pid)
        with contextlib.ExitStack() as stack:
            connections = []
            for i in range(count):
                connection = socket.create_connection(("127.0.0.1", served.port), service.WAIT, (f"127.0.1.{1 + i // 50}", 0))
                connections.append(stack.enter_context(connection))
                connection.sendall(f"GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\n"
                                   f"Authorization: Bearer {served.token}\r\n\r\n".encode())
                check(b"200 OK" in connection.recv(15), "a stream")
            job = client.add(1, 1).encode()
            for connection in connections:
                text = b""
                while job not in text:
                    text += connection.recv(65536)
            more = resident(served.process.pid) - before
        check(more < 20 * MB, f"{count} streams take less than 20 MB: {more}")
    finally:
        served.close()
    say(f"| memory of `serve` for {count} streams of events, all told of a job | {more / MB:.1f} MB more |")


def upload(program, folder, say, size=1_000_000_000):
    del folder
    served = Service(program, "--workers", "0")
    try:
        before = resident(served.process.pid)
        most = [before]
        piece = bytes(1 << 20)

        def body():
            yield MOTION.read_bytes()[:64]
            for _ in range(size >> 20):
                most.append(resident(served.process.pid))
                yield piece

        begin = time.monotonic()
        length = {"Content-Length": str(64 + (size >> 20 << 20))}
        answer = served.request("POST", "/api/v1/assets?name=large.mp4", body(), length)
        seconds = time.monotonic() - begin
        check(answer.status == 201, answer.body)
        more = max(most) - before
        check(more < 10 * MB, f"an upload takes less than 10 MB: {more}")
    finally:
        served.close()
    say(f"| memory of `serve` for an upload of {size / 1e9:.0f} GB, which took {seconds:.0f} s | {more / MB:.1f} MB more |")


# ---- a long time


class Soak:
    """Clients that ask for small jobs at a rate, stop some of them, and take and remove the rest."""

    def __init__(self, program, minutes, rate=30, clients=4):
        self.served = Service(program)
        self.client = Client(self.served)
        self.end = time.monotonic() + 60 * minutes
        self.minutes = minutes
        self.between = clients * 60 / rate
        self.clients = clients
        self.lock = threading.Lock()
        self.counts = {"completed": 0, "cancelled": 0}
        self.digests = set()
        self.faults = []
        self.samples = []

    def live(self, number):
        random_numbers = random.Random(number)
        try:
            while time.monotonic() < self.end:
                next_at = time.monotonic() + self.between
                self.one_job(random_numbers)
                time.sleep(max(0.0, next_at - time.monotonic()))
        except BaseException as fault:  # told by the main thread
            self.faults.append(f"{type(fault).__name__}: {fault}")

    def one_job(self, random_numbers):
        job = self.client.add(3, 1)
        if random_numbers.random() < 0.2:
            time.sleep(random_numbers.uniform(0, 2))
            self.served.request("POST", f"/api/v1/jobs/{job}/cancel")
        ended = self.served.wait_for(job, "completed", "cancelled", "failed", seconds=LONG)
        check(ended["state"] != "failed", f"{job} does not fail: {ended['problem']}")
        with self.lock:
            self.counts[ended["state"]] += 1
            if ended["state"] == "completed":
                self.digests.add(self.client.video(job))
        self.served.request("DELETE", f"/api/v1/jobs/{job}")

    def sample(self):
        pids = {"serve": self.served.process.pid, **{f"{lane} worker": worker_of(self.served, lane) for lane in ("video", "pose")}}
        self.samples.append({name: (pid, resident(pid), handles(pid)) for name, pid in pids.items()})

    def run(self, say):
        threads = [threading.Thread(target=self.live, args=(number,)) for number in range(self.clients)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            time.sleep(2)
            self.sample()
        left = sum(1 for path in (self.served.data / "jobs").rglob("*") if path.is_file()) if (self.served.data / "jobs").exists() else 0
        self.served.close()
        check(not self.faults, self.faults)
        check(len(self.digests) == 1, "the same job gives the same video each time")
        say(f"| {self.minutes:g} minutes of jobs from {self.clients} clients | {self.counts['completed']} completed, "
            f"{self.counts['cancelled']} cancelled ({sum(self.counts.values()) / self.minutes:.0f} a minute), none failed, one and the same "
            f"video; {left} files left of removed jobs |")
        quarter = max(1, len(self.samples) // 4)
        for name in self.samples[0]:
            check(len({sample[name][0] for sample in self.samples}) == 1, f"the {name} is never started again")
            middle = lambda part, field: statistics.median(sample[name][field] for sample in part)
            second, last = self.samples[quarter:2 * quarter] or self.samples, self.samples[-quarter:]
            say(f"| memory and handles of the {name}, in the second and the last quarter | {middle(second, 1) / MB:.0f} and "
                f"{middle(last, 1) / MB:.0f} MB, {middle(second, 2):.0f} and {middle(last, 2):.0f} |")


HEADER = """# The service, proved

What `scripts/prove_service.sh PROGRAM --output docs/service-measured.md` did to a real service with the embedded model, and what
came of it. The script ends with an error where anything is not so. With `--only` it makes some of the parts anew.
"""


def write(output, parts):
    """Parts that were not run keep what is there."""
    kept = dict(part.split("\n", 1) for part in output.read_text().split("\n## ")[1:]) if output.exists() else {}
    for name, lines in parts.items():
        kept[name] = "\n" + "\n".join(lines) + "\n"
    output.write_text(HEADER + "".join(f"\n## {name}\n{kept[name].rstrip()}\n" for name in [*PARTS, "soak"] if name in kept))


PARTS = {"kills": kills, "hang": hang, "disk": disk, "cost": cost, "streams": streams, "upload": upload}


def main():
    parser = argparse.ArgumentParser(prog="prove_service.sh")
    parser.add_argument("program", type=lambda path: str(pathlib.Path(path).resolve()))
    parser.add_argument("--minutes", type=float, default=60, help="of the soak")
    parser.add_argument("--only", default=",".join([*PARTS, "soak"]))
    parser.add_argument("--output", type=pathlib.Path, help="replaces the parts in this file that are run")
    arguments = parser.parse_args()
    names = arguments.only.split(",")
    if unknown := set(names) - {*PARTS, "soak"}:
        parser.error(f"no part is called {', '.join(unknown)}")
    version = subprocess.run([arguments.program, "--version"], check=True, capture_output=True, text=True).stdout.split("\n")[0]
    parts = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            lines = parts[name] = [f"{datetime.date.today()}, {version}, {os.cpu_count()} cores, {processor_name()}.", "",
                                   "| what | came out |", "| --- | --- |"]

            def say(line, lines=lines):
                print(line, flush=True)
                lines.append(line)

            if name == "soak":
                Soak(arguments.program, arguments.minutes).run(say)
            else:
                PARTS[name](arguments.program, folder, say)
            if arguments.output:
                write(arguments.output, parts)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""The page against a real `unianimate serve`: page_test.py PROGRAM PAGE_FOLDER."""
import pathlib
import sys
import tempfile
import unittest

import browser
import service
from service import WAIT

PROGRAM = ""
PAGE = pathlib.Path()

# The middle pixel and the spread of brightness of the frame that a video shows.
LOOK_AT_VIDEO = """
const [video, done] = arguments;
const look = () => {
  const canvas = document.createElement('canvas');
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  const context = canvas.getContext('2d');
  context.drawImage(video, 0, 0);
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height).data;
  let low = 255, high = 0;
  for (let i = 0; i < pixels.length; i += 4) {
    low = Math.min(low, pixels[i]);
    high = Math.max(high, pixels[i]);
  }
  done({width: canvas.width, height: canvas.height, spread: high - low});
};
video.addEventListener('seeked', look, {once: true});
video.currentTime = video.duration / 2;
"""

# Few jobs are many: the newest one is listed where 200 are asked for, once the test lets it, and two of those that wait
# are told at once.
LISTED_IN_PARTS = """
const answered = window.fetch;
window.others = [];
window.asked = false;
const held = new Promise(resolve => { window.letGo = resolve; });
window.fetch = async (path, options) => {
  if (path.includes('/jobs?limit=200')) {
    window.asked = true;
    await held;
    return answered(path.replace('limit=200', 'limit=1'), options);
  }
  const answer = answered(path.replace('limit=500', 'limit=2'), options);
  if (path.includes('/jobs?')) window.others.push(answer);
  return answer;
};
"""

# Notifications as the browser of a phone or a desk has them, before or after somebody was asked, while nobody looks.
NOTIFICATIONS = """
window.notified = [];
window.Notification = class {
  static permission = '%s';
  constructor(title, options) {
    if (%s) throw new TypeError("Failed to construct 'Notification': Illegal constructor.");
    window.notified.push(options.body);
  }
};
Object.defineProperty(document, 'hidden', {get: () => true});
"""


class PageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.service = service.Service(PROGRAM)
        cls.folder = tempfile.TemporaryDirectory()
        cls.downloads = pathlib.Path(cls.folder.name)
        cls.shared = None

    @classmethod
    def tearDownClass(cls):
        if cls.shared is not None:
            cls.shared.quit()
        cls.service.close()
        cls.folder.cleanup()

    def open(self, own=False, **options):
        """The page as nobody has used it: in a browser that tests share, or in one of its own."""
        cls = type(self)
        if own or options:
            driver = browser.open_browser(self.downloads, **options)
            self.addCleanup(driver.quit)
        elif cls.shared is None:
            driver = cls.shared = browser.open_browser(self.downloads)
        else:
            driver = cls.shared
            driver.execute_script("sessionStorage.clear()")
            driver.get("about:blank")
            browser.show_scheme(driver, False)
            driver.get_log("browser")
        driver.get(self.service.url)
        self.until(driver, lambda: driver.execute_script("return document.documentElement.dataset.ready"), "the page")
        return driver

    def until(self, driver, condition, what):
        from selenium.common.exceptions import StaleElementReferenceException, TimeoutException
        from selenium.webdriver.support.ui import WebDriverWait
        try:
            return WebDriverWait(driver, WAIT, 0.1, [StaleElementReferenceException]).until(lambda _: condition())
        except TimeoutException:
            self.fail(f"{what} did not come; the page says: {driver.find_element('css selector', '#message').text}")

    def find(self, driver, selector):
        return driver.find_elements("css selector", selector)

    def one(self, driver, selector):
        return self.until(driver, lambda: next(iter(self.find(driver, selector)), None), selector)

    def give_files(self, driver):
        self.one(driver, "ua-drop[kind=reference] input[type=file]").send_keys(str(PAGE / "example-person.png"))
        self.one(driver, "ua-drop[kind=motion] input[type=file]").send_keys(str(PAGE / "example-motion.mp4"))
        self.until(driver, lambda: self.one(driver, "ua-plan button").is_enabled(), "the button")

    def field(self, driver, title):
        """The one whose label says so."""
        label = next(each for each in self.find(driver, "label") if each.get_attribute("textContent") == title)
        return driver.find_element("id", label.get_attribute("for"))

    def fill(self, driver, title, text):
        field = self.field(driver, title)
        driver.execute_script("const d = arguments[0].closest('details'); if (d) d.open = true;", field)
        field.clear()
        field.send_keys(text)
        return field

    def animate(self, driver, name, steps):
        self.fill(driver, "Name", name)
        self.fill(driver, "Steps", str(steps))
        self.fill(driver, "Frames", "8")
        self.one(driver, "ua-plan button").click()

    def row(self, driver, name):
        """Of the job of that name in the queue; None where there is none."""
        return next((each for each in self.find(driver, "ua-job") if each.find_element("tag name", "h3").text == name), None)

    def finished(self, driver, name):
        return next((each for each in self.find(driver, "article") if each.find_element("tag name", "h3").text == name), None)

    def wait_for_state(self, driver, name, state):
        return self.until(driver, lambda: (row := self.row(driver, name)) is not None
                          and row.get_attribute("data-state") == state and row, f"{name} {state}")

    def act(self, driver, name, action):
        button = self.row(driver, name).find_element("css selector", f"button.{action}")
        driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", button)
        button.click()

    def answer(self, driver, answer):
        """To the question that is asked."""
        self.until(driver, lambda: self.find(driver, "dialog[open] button"), "the question")
        next(each for each in self.find(driver, "dialog[open] button") if each.text == answer).click()
        self.until(driver, lambda: not self.find(driver, "dialog[open]"), "the end of the question")

    def remove(self, driver, name):
        self.act(driver, name, "remove")
        self.answer(driver, "Delete")
        self.until(driver, lambda: self.row(driver, name) is None, f"the end of {name}")

    def end_of_pause(self, driver, pause, names):
        """The jobs that waited meanwhile are cancelled and removed, and the queue goes on."""
        for name in names:
            self.act(driver, name, "cancel")
            self.wait_for_state(driver, name, "cancelled")
            self.remove(driver, name)
        pause.click()
        self.until(driver, lambda: not driver.find_element("id", "paused").is_displayed(), "the end of the pause")
        self.assert_no_errors(driver)

    def assert_no_errors(self, driver, but=()):
        errors = [line["message"] for line in driver.get_log("browser") if line["level"] in ("SEVERE", "WARNING")]
        self.assertEqual([], [error for error in errors if not any(word in error for word in but)])

    def test_from_two_files_to_a_downloaded_video(self):
        driver = self.open()
        self.assertNotIn("token", driver.current_url)
        self.give_files(driver)
        self.until(driver, lambda: driver.execute_script(
            "const i = document.querySelector('ua-poses img'); return i && i.complete && i.naturalWidth > 0"), "the sheet")
        hint = self.one(driver, "ua-plan .estimate")
        self.until(driver, lambda: "of memory" in hint.text, "the estimate")
        self.assertRegex(hint.text, r"^About \d+ .*memory, 192×256, \d+ frames, [0-9.]+ s of video\.$")
        self.assertTrue(self.one(driver, "ua-frame canvas").is_displayed())
        self.animate(driver, "whole way", 5)
        self.until(driver, lambda: "8 frames" in hint.text, "the newer estimate")
        article = self.until(driver, lambda: self.finished(driver, "whole way"), "the video")
        video = article.find_element("css selector", "video.result")
        driver.execute_script("arguments[0].scrollIntoView()", video)
        self.until(driver, lambda: driver.execute_script("return arguments[0].readyState >= 2", video), "its frames")
        seen = driver.execute_async_script(LOOK_AT_VIDEO, video)
        self.assertGreater(seen["width"], 0)
        self.assertGreater(seen["spread"], 20)
        article.find_element("css selector", "a[download]").click()
        files = self.until(driver, lambda: list(self.downloads.glob("whole*.mp4")), "the download")
        self.assertEqual(b"ftyp", files[0].read_bytes()[4:8])
        self.assert_no_errors(driver)

    def test_a_reload_amid_a_job_changes_nothing(self):
        driver = self.open()
        self.give_files(driver)
        self.animate(driver, "reloaded", 400)
        self.wait_for_state(driver, "reloaded", "running")
        self.until(driver, lambda: "%" in driver.title, "the percentage")
        self.until(driver, lambda: driver.execute_script(
            "const v = document.querySelector('ua-job video'); return !v.hidden && v.videoWidth > 0"), "the live preview")
        driver.refresh()
        self.wait_for_state(driver, "reloaded", "running")
        # The draft is there again, too.
        self.until(driver, lambda: self.one(driver, "ua-plan button").is_enabled(), "the button")
        self.act(driver, "reloaded", "cancel")
        self.wait_for_state(driver, "reloaded", "cancelled")
        # What was saved goes only where somebody is sure.
        job = next(each for each in self.service.jobs() if each["label"] == "reloaded")
        for action in ("fresh", "remove"):
            self.act(driver, "reloaded", action)
            self.answer(driver, "Keep")
            self.assertEqual(job["revision"], self.service.job(job["id"])["revision"])
        self.act(driver, "reloaded", "fresh")
        self.answer(driver, "From the start")
        self.wait_for_state(driver, "reloaded", "running")
        self.act(driver, "reloaded", "cancel")
        self.wait_for_state(driver, "reloaded", "cancelled")
        self.remove(driver, "reloaded")
        self.assert_no_errors(driver)

    def test_two_browsers_show_the_same_and_a_cancelled_job_goes_on(self):
        one, other = self.open(), self.open(own=True)
        self.give_files(one)
        self.animate(one, "stopped", 400)
        self.wait_for_state(other, "stopped", "running")
        self.act(other, "stopped", "cancel")
        self.wait_for_state(one, "stopped", "cancelled")
        self.act(one, "stopped", "resume")
        self.wait_for_state(other, "stopped", "running")
        self.act(one, "stopped", "cancel")
        self.wait_for_state(other, "stopped", "cancelled")
        self.remove(other, "stopped")
        self.until(one, lambda: self.row(one, "stopped") is None, "the end of it")
        self.assert_no_errors(one)
        self.assert_no_errors(other)

    def test_waiting_jobs_are_reordered_and_a_paused_queue_begins_nothing(self):
        driver = self.open()
        self.give_files(driver)
        pause = driver.find_element("id", "pause")
        pause.click()
        self.until(driver, lambda: driver.find_element("id", "paused").is_displayed(), "the pause")
        names = ["first", "second", "third"]
        for name in names:
            self.animate(driver, name, 5)
            self.wait_for_state(driver, name, "queued")
        self.act(driver, "third", "up")
        order = lambda: [each.text for each in self.find(driver, "ua-job h3") if each.text in names]
        self.until(driver, lambda: order() == ["first", "third", "second"], "the new order")
        self.act(driver, "first", "down")
        self.until(driver, lambda: order() == ["third", "first", "second"], "the newer order")
        self.end_of_pause(driver, pause, names)

    def test_places_are_those_of_what_waits_now(self):
        driver = self.open()
        pause = driver.find_element("id", "pause")
        pause.click()
        self.until(driver, lambda: driver.find_element("id", "paused").is_displayed(), "the pause")
        files = {"reference": self.service.upload(PAGE / "example-person.png"),
                 "motion": self.service.upload(PAGE / "example-motion.mp4")}
        add = lambda name, **more: self.service.ask(
            "POST", "/api/v1/jobs", {**files, "kind": "animate", "label": name, "settings": {"frames": 4}, **more}, 201)["id"]
        gone = [add(name) for name in ("gone", "gone too")]
        add("earlier")
        for job in gone:
            self.service.ask("DELETE", f"/api/v1/jobs/{job}", status=204)
        add("later")
        # Poses are made by other workers and stand in nobody's way here.
        poses = self.service.ask("POST", "/api/v1/jobs", {**files, "kind": "align", "priority": 1}, 201)["id"]
        shown = lambda: [(each.find_element("tag name", "h3").text, each.find_element("css selector", ".state").text)
                         for each in self.find(driver, "ua-job")]
        self.until(driver, lambda: shown() == [("Poses", "◷ Waiting, 1 of 1"), ("earlier", "◷ Waiting, 1 of 2"),
                                               ("later", "◷ Waiting, 2 of 2")], "the order")
        self.assertFalse(self.row(driver, "earlier").find_element("css selector", ".up").is_displayed())
        add("urgent", priority=1)
        order = lambda: [name for name, _ in shown() if name != "Poses"]
        self.until(driver, lambda: order() == ["urgent", "earlier", "later"], "the one that comes first")
        self.service.ask("DELETE", f"/api/v1/jobs/{poses}", status=204)
        self.end_of_pause(driver, pause, ("urgent", "earlier", "later"))

    def test_what_ends_while_the_page_begins_does_not_seem_to_wait(self):
        driver = self.open(own=True)
        driver.find_element("id", "pause").click()
        self.until(driver, lambda: driver.find_element("id", "paused").is_displayed(), "the pause")
        files = {"reference": self.service.upload(PAGE / "example-person.png"),
                 "motion": self.service.upload(PAGE / "example-motion.mp4")}
        jobs = {name: self.service.ask("POST", "/api/v1/jobs", {
            **files, "kind": "animate", "label": name, "settings": {"frames": 4}}, 201)["id"]
            for name in ("ended", "first", "second", "third", "fourth", "newest")}
        driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": LISTED_IN_PARTS})
        driver.get(self.service.base)
        self.until(driver, lambda: driver.execute_script("return window.asked"), "the question for jobs")
        driver.execute_async_script("Promise.all(window.others).then(arguments[0])")
        self.service.ask("POST", f"/api/v1/jobs/{jobs['ended']}/cancel", status=202)
        self.service.ask("PATCH", f"/api/v1/jobs/{jobs['newest']}", {"label": "last"})
        driver.execute_script("window.letGo()")
        names = ["first", "second", "third", "fourth", "last"]
        self.until(driver, lambda: [each.text for each in self.find(driver, "ua-job h3")
                                    if each.text in ("ended", *names)] == names, "what waits, in its order")
        for job in jobs.values():
            self.service.ask("DELETE", f"/api/v1/jobs/{job}", status=204)
        self.end_of_pause(driver, driver.find_element("id", "pause"), ())

    def test_a_refusal_stands_beside_the_field_that_it_names(self):
        driver = self.open()
        self.give_files(driver)
        self.fill(driver, "Name", "<b>refused</b>")
        field = self.fill(driver, "Guidance scale", "1000")
        self.one(driver, "ua-plan button").click()
        self.until(driver, lambda: field.get_attribute("aria-invalid") == "true", "the refusal")
        described = [driver.find_element("id", each).text for each in field.get_attribute("aria-describedby").split()]
        self.assertTrue(any("100" in text for text in described[1:]), described)
        self.until(driver, lambda: driver.switch_to.active_element == field, "the focus")
        self.assert_no_errors(driver, but=("status of 422",))

    def test_a_file_that_is_none_is_refused_with_a_sentence(self):
        driver = self.open()
        text = self.downloads / "note.txt"
        text.write_text("no picture")
        self.one(driver, "ua-drop[kind=reference] input[type=file]").send_keys(str(text))
        error = self.one(driver, "ua-drop[kind=reference] > .error")
        self.until(driver, lambda: error.text != "", "the refusal")
        self.assert_no_errors(driver, but=("status of 415",))

    def test_sending_a_file_can_be_stopped(self):
        driver = self.open(own=True)
        driver.execute_cdp_cmd("Network.enable", {})
        driver.execute_cdp_cmd("Network.emulateNetworkConditions", {
            "offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 200_000})
        large = self.downloads / "large.png"
        large.write_bytes((PAGE / "example-person.png").read_bytes() + bytes(5_000_000))
        drop = self.one(driver, "ua-drop[kind=reference]")
        drop.find_element("css selector", "input[type=file]").send_keys(str(large))
        stop = next(each for each in drop.find_elements("tag name", "button") if "Stop" in each.get_attribute("textContent"))
        self.until(driver, stop.is_displayed, "the button that stops it")
        stop.click()
        self.until(driver, lambda: not stop.is_displayed(), "the end of sending")
        self.assertEqual([], drop.find_elements("css selector", ".preview img"))
        self.assert_no_errors(driver)

    def test_several_seeds_at_once_and_settings_used_again(self):
        driver = self.open()
        self.give_files(driver)
        pause = driver.find_element("id", "pause")
        pause.click()
        self.until(driver, lambda: driver.find_element("id", "paused").is_displayed(), "the pause")
        self.fill(driver, "Seed", "7")
        self.fill(driver, "Videos at once", "2")
        self.assertEqual("Animate 2 videos", self.one(driver, "ua-plan button").text)
        self.animate(driver, "many", 12)
        for name in ("many, seed 7", "many, seed 8"):
            self.wait_for_state(driver, name, "queued")
        self.fill(driver, "Seed", "1")
        self.fill(driver, "Steps", "1")
        self.act(driver, "many, seed 8", "again")
        value = lambda title: self.field(driver, title).get_attribute("value")
        self.until(driver, lambda: (value("Seed"), value("Steps"), value("Videos at once")) == ("8", "12", "1"), "the settings")
        self.end_of_pause(driver, pause, ("many, seed 7", "many, seed 8"))

    def test_the_picture_is_shown_as_the_video_will_have_it(self):
        driver = self.open()
        self.give_files(driver)
        self.fill(driver, "Size", "64x128")
        for fit, words in (("pad", "with a border"), ("crop", "cropped around the person"), ("stretch", "stretched")):
            self.one(driver, f"ua-settings input[value={fit}]").click()
            self.until(driver, lambda: (captions := self.find(driver, "ua-frame figcaption"))
                       and captions[0].text == f"64×128, {words}", words)
        self.assert_no_errors(driver)

    def test_what_is_waited_for_and_removed_by_others_is_asked_for_again(self):
        driver = self.open()
        pause = driver.find_element("id", "pause")

        def removed(kind, element):
            """What waits is removed by another client, and asked for again by the button that stands there then."""
            job = self.until(driver, lambda: next((each for each in self.service.ask(
                "GET", f"/api/v1/jobs?kind={kind}&state=queued")["jobs"]), None), f"the job of kind {kind}")
            self.service.ask("DELETE", f"/api/v1/jobs/{job['id']}", status=204)
            error = self.until(driver, lambda: (found := self.find(driver, f"{element} .error")[0]).text and found, "the sentence")
            self.assertIn("removed", error.text)
            again = next(each for each in self.find(driver, f"{element} button") if each.text == "Try again")
            again.click()
            self.until(driver, lambda: not again.is_displayed(), "another try")

        pause.click()
        self.until(driver, lambda: driver.find_element("id", "paused").is_displayed(), "the pause")
        self.give_files(driver)
        removed("align", "ua-poses")
        pause.click()
        sheet = self.one(driver, "ua-poses img")
        hint = self.one(driver, "ua-plan .estimate")
        self.until(driver, lambda: "of memory" in hint.text, "the estimate")
        pause.click()
        self.until(driver, lambda: driver.find_element("id", "paused").is_displayed(), "the pause")
        self.fill(driver, "Frames", "6\t")
        removed("plan", "ua-plan")
        pause.click()
        self.until(driver, lambda: "6 frames" in hint.text, "the estimate")
        poses = sheet.get_attribute("src").split("/")[-3]
        self.service.ask("DELETE", f"/api/v1/jobs/{poses}", status=204)
        self.until(driver, lambda: "removed" in self.one(driver, "ua-poses .error").text, "the sentence")
        next(each for each in self.find(driver, "ua-poses button") if each.text == "Try again").click()
        self.until(driver, lambda: (images := self.find(driver, "ua-poses img")) and poses not in images[0].get_attribute("src"),
                   "other poses")

    def test_a_session_that_ends_amid_the_work_asks_for_the_token_and_goes_on(self):
        driver = self.open(own=True)
        self.give_files(driver)
        sheet = self.one(driver, "ua-poses img").get_attribute("src")

        def end_session():
            driver.delete_all_cookies()

        def give_token():
            field = self.until(driver, lambda: driver.find_element("id", "token").is_displayed()
                               and driver.find_element("id", "token"), "the question")
            field.send_keys(self.service.token + "\n")

        end_session()
        self.one(driver, "ua-poses input[value=left]").click()
        give_token()
        self.until(driver, lambda: (images := self.find(driver, "ua-poses img")) and images[0].get_attribute("src") != sheet,
                   "the other sheet")
        end_session()
        self.one(driver, "ua-drop[kind=reference] input[type=file]").send_keys(str(PAGE / "icon.svg"))
        give_token()
        self.until(driver, lambda: self.one(driver, "ua-drop[kind=reference] > .error").text != "", "the refusal of that file")

    def test_a_file_that_has_no_room_is_refused_with_a_sentence(self):
        small = service.Service(PROGRAM, "--workers", "0", "--quota", "1MB")
        self.addCleanup(small.close)
        large = self.downloads / "too_large.png"
        large.write_bytes((PAGE / "example-person.png").read_bytes() + bytes(20_000_000))
        driver = browser.open_browser(self.downloads)
        self.addCleanup(driver.quit)
        driver.get(small.url)
        self.one(driver, "ua-drop[kind=reference] input[type=file]").send_keys(str(large))
        error = self.one(driver, "ua-drop[kind=reference] > .error")
        self.until(driver, lambda: "--quota" in error.text, "the refusal")
        self.assertTrue(self.one(driver, "ua-drop[kind=reference] input[type=file]").is_displayed())

    def test_a_picture_comes_from_the_camera(self):
        driver = self.open()
        drop = self.one(driver, "ua-drop[kind=reference]")
        press = lambda text: next(each for each in self.find(driver, "button") if each.text == text).click()
        press("Use the camera")
        self.until(driver, lambda: (takes := self.find(driver, "dialog[open] button.main")) and takes[0].is_enabled(), "the camera")
        press("Take it")
        self.until(driver, lambda: "picture of the camera.jpg" in drop.text, "the picture")
        self.assertEqual([], self.find(driver, "dialog[open]"))
        self.assert_no_errors(driver)

    def test_poses_follow_who_is_chosen_and_the_part_of_the_motion(self):
        driver = self.open()
        self.give_files(driver)
        sheet = self.one(driver, "ua-poses img").get_attribute("src")
        self.one(driver, "ua-poses input[value=left]").click()
        self.until(driver, lambda: (images := self.find(driver, "ua-poses img")) and images[0].get_attribute("src") != sheet,
                   "the other sheet")
        self.fill(driver, "From", "1\t")
        self.until(driver, lambda: self.one(driver, "ua-poses .state").text.startswith("16 poses"), "the shorter motion")
        self.until(driver, lambda: "16 frames" in self.one(driver, "ua-plan .estimate").text, "its estimate")
        self.assert_no_errors(driver)

    def test_the_page_goes_on_where_the_service_is_started_anew(self):
        served = service.Service(PROGRAM)
        self.addCleanup(served.close)
        driver = browser.open_browser(self.downloads)
        self.addCleanup(driver.quit)
        driver.get(served.url)
        self.give_files(driver)
        hint = self.one(driver, "ua-plan .estimate")
        self.until(driver, lambda: "of memory" in hint.text, "the estimate")
        self.animate(driver, "outlasting", 400)
        self.wait_for_state(driver, "outlasting", "running")
        self.until(driver, lambda: "8 frames" in hint.text, "the newer estimate")
        banner = driver.find_element("id", "offline")
        for frames, end in ((6, served.stop), (7, served.kill)):
            end()
            self.until(driver, banner.is_displayed, "the word that the service is away")
            self.fill(driver, "Frames", f"{frames}\t")
            error = self.find(driver, "ua-plan .error")[0]
            self.until(driver, lambda: "cannot be reached" in error.text, "the sentence")
            served.start(served.port)
            self.until(driver, lambda: not banner.is_displayed(), "the end of it")
            self.until(driver, lambda: f"{frames} frames" in hint.text, "what was asked for meanwhile")
            self.assertEqual("", error.text)
            self.assertEqual(1, len(self.find(driver, "ua-job")))
            self.until(driver, lambda: self.row(driver, "outlasting").get_attribute("data-state") == "running"
                       and "step" in self.row(driver, "outlasting").text, "its going on")

    def test_many_tabs_are_open_at_once_and_each_that_is_looked_at_knows_all(self):
        driver = self.open(own=True)
        driver.find_element("id", "pause").click()
        self.until(driver, lambda: driver.find_element("id", "paused").is_displayed(), "the pause")
        most = 6  # connections of a browser to one server
        for _ in range(most + 1):
            driver.switch_to.new_window("tab")
            driver.get(self.service.base)
            self.until(driver, lambda: driver.execute_script("return document.documentElement.dataset.ready"), "the page")
        asked = {"kind": "animate", "label": "meanwhile", "reference": self.service.upload(PAGE / "example-person.png"),
                 "motion": self.service.upload(PAGE / "example-motion.mp4"), "settings": {"frames": 4}}
        job = self.service.ask("POST", "/api/v1/jobs", asked, 201)["id"]
        for tab in driver.window_handles:
            driver.switch_to.window(tab)
            self.wait_for_state(driver, "meanwhile", "queued")
        self.service.ask("DELETE", f"/api/v1/jobs/{job}", status=204)
        for tab in driver.window_handles:
            driver.switch_to.window(tab)
            self.until(driver, lambda: self.row(driver, "meanwhile") is None, "its end")
        driver.find_element("id", "pause").click()
        self.until(driver, lambda: not driver.find_element("id", "paused").is_displayed(), "the end of the pause")
        self.assert_no_errors(driver)

    def test_what_cannot_go_on_is_not_offered_to(self):
        driver = self.open()
        damaged = self.downloads / "damaged.png"
        damaged.write_bytes((PAGE / "example-person.png").read_bytes()[:500])
        asked = {"kind": "animate", "motion": self.service.upload(PAGE / "example-motion.mp4"), "settings": {"frames": 4}}
        self.service.ask("POST", "/api/v1/jobs", {**asked, "label": "damaged", "reference": self.service.upload(damaged)}, 201)
        row = self.wait_for_state(driver, "damaged", "failed")
        offered = lambda: {each.get_attribute("data-action") for each in row.find_elements("css selector", "button") if each.is_displayed()}
        self.assertEqual({"again", "remove"}, offered())
        self.remove(driver, "damaged")
        driver.find_element("id", "pause").click()
        self.until(driver, lambda: driver.find_element("id", "paused").is_displayed(), "the pause")
        self.service.ask("POST", "/api/v1/jobs", {
            **asked, "label": "never begun", "reference": self.service.upload(PAGE / "example-person.png")}, 201)
        row = self.wait_for_state(driver, "never begun", "queued")
        self.act(driver, "never begun", "cancel")
        self.wait_for_state(driver, "never begun", "cancelled")
        self.assertEqual({"resume", "seed", "again", "remove"}, offered())
        self.assertEqual("Queue again", row.find_element("css selector", ".resume").text)
        self.end_of_pause(driver, driver.find_element("id", "pause"), ())
        self.remove(driver, "never begun")

    def test_a_finished_video_is_deleted_only_by_who_is_sure(self):
        driver = self.open()
        self.give_files(driver)
        self.animate(driver, "to be deleted", 1)
        article = self.until(driver, lambda: self.finished(driver, "to be deleted"), "the video")
        for answer in ("Keep", "Delete"):
            article.find_element("css selector", ".remove").click()
            self.answer(driver, answer)
            if answer == "Keep":
                self.assertIsNotNone(self.finished(driver, "to be deleted"))
        self.until(driver, lambda: self.finished(driver, "to be deleted") is None, "the end of it")
        self.assertEqual("Done", driver.switch_to.active_element.text)

    def test_what_nothing_takes_goes_with_the_video_or_the_draft(self):
        driver = self.open()
        own = self.downloads / "nobody else's.png"
        own.write_bytes((PAGE / "example-person.png").read_bytes() + b"other bytes")
        self.one(driver, "ua-drop[kind=motion] input[type=file]").send_keys(str(PAGE / "example-motion.mp4"))
        self.one(driver, "ua-drop[kind=reference] input[type=file]").send_keys(str(own))
        poses = lambda: self.until(driver, lambda: (images := self.find(driver, "ua-poses div:not(.old) img"))
                                   and images[0].get_attribute("src").split("/")[-3], "the poses")
        status = lambda path: self.service.request("GET", f"/api/v1/{path}").status
        gone = lambda path: self.until(driver, lambda: status(path) == 404, f"the end of {path}")
        first = poses()
        self.animate(driver, "takes them", 1)
        self.until(driver, lambda: self.finished(driver, "takes them"), "the video")
        video = next(each for each in self.service.jobs() if each["label"] == "takes them")
        self.assertEqual(first, video["poses_job"])
        self.one(driver, "ua-poses input[value=left]").click()
        second = self.until(driver, lambda: (found := poses()) != first and found, "other poses")
        self.one(driver, "ua-drop[kind=reference] input[type=file]").send_keys(str(PAGE / "example-person.png"))
        self.until(driver, lambda: poses() not in (first, second), "the poses of the other picture")
        # No video takes them.
        gone(f"jobs/{second}")
        reference = video["request"]["reference"]
        self.assertEqual([200, 200], [status(f"jobs/{first}"), status(f"assets/{reference}")])
        article = self.finished(driver, "takes them")
        driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", article)
        article.find_element("css selector", ".remove").click()
        self.answer(driver, "Delete")
        gone(f"jobs/{video['id']}")
        # Another page could be about to take them; with the next draft they go.
        self.assertEqual(200, status(f"jobs/{first}"))
        self.one(driver, "ua-poses input[value=right]").click()
        gone(f"jobs/{first}")
        # Drafts of other pages may hold it.
        self.assertEqual(200, status(f"assets/{reference}"))
        # What an estimate still takes goes with a later draft.
        self.assert_no_errors(driver, but=("409 (Conflict)",))

    def test_notifications_are_offered_where_they_can_be_made(self):
        damaged = self.downloads / "damaged.png"
        damaged.write_bytes((PAGE / "example-person.png").read_bytes()[:400])
        asked = {"kind": "animate", "label": "told of", "reference": self.service.upload(damaged),
                 "motion": self.service.upload(PAGE / "example-motion.mp4"), "settings": {"frames": 4}}
        driver = self.open(own=True)
        pause = lambda paused: self.service.ask("PATCH", "/api/v1/queue", {"paused": paused})
        for permission, throws in (("default", False), ("default", True), ("granted", False), ("granted", True)):
            with self.subTest(permission=permission, throws=throws):
                script = driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {
                    "source": NOTIFICATIONS % (permission, str(throws).lower())})["identifier"]
                driver.refresh()
                self.until(driver, lambda: driver.execute_script("return document.documentElement.dataset.ready"), "the page")
                offered = [each.text for each in self.find(driver, "#notify button")]
                self.assertEqual([] if throws or permission == "granted" else ["Notify me when done"], offered)
                if permission == "granted":
                    pause(True)
                    job = self.service.ask("POST", "/api/v1/jobs", asked, 201)["id"]
                    self.wait_for_state(driver, "told of", "queued")
                    pause(False)
                    self.wait_for_state(driver, "told of", "failed")
                    self.assertEqual("told of failed.", driver.find_element("id", "announcement").get_attribute("textContent"))
                    told = driver.execute_script("return window.notified")
                    self.assertEqual([] if throws else ["told of failed."], told)
                    self.service.ask("DELETE", f"/api/v1/jobs/{job}", status=204)
                self.assert_no_errors(driver)
                driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", {"identifier": script})

    def test_names_are_text(self):
        driver = self.open()
        self.give_files(driver)
        name = "<img src=x onerror=alert(1)>"
        driver.find_element("id", "pause").click()
        self.animate(driver, name, 5)
        self.wait_for_state(driver, name, "queued")
        self.act(driver, name, "cancel")
        self.wait_for_state(driver, name, "cancelled")
        self.remove(driver, name)
        driver.find_element("id", "pause").click()
        self.assert_no_errors(driver)

    def test_by_keyboard_alone(self):
        from selenium.webdriver.common.action_chains import ActionChains
        from selenium.webdriver.common.keys import Keys
        driver = self.open()

        def press(key):
            ActionChains(driver).send_keys(key).perform()

        def go_to(text):
            """By the tab key; the focus has to be seen."""
            for _ in range(200):
                press(Keys.TAB)
                focused = driver.switch_to.active_element
                name = focused.get_attribute("aria-label") or focused.text
                if text in name:
                    self.assertTrue(driver.execute_script(
                        "return getComputedStyle(arguments[0]).outlineStyle !== 'none'", focused), text)
                    return focused
            self.fail(f"{text} is not reached by the tab key")

        for what in ("picture of the person", "video of the motion"):
            go_to(f"Try with an example: {what}")
            press(Keys.ENTER)
            self.until(driver, lambda: not self.find(driver, "ua-drop progress:not([hidden])"), "the upload")
        self.until(driver, lambda: self.one(driver, "ua-plan button").is_enabled(), "the button")
        go_to("Animate")
        press(Keys.ENTER)
        name = "example person"
        self.until(driver, lambda: self.row(driver, name) or self.finished(driver, name), "the job")
        self.until(driver, lambda: self.finished(driver, name), "the video")
        self.assertEqual("Animate", driver.switch_to.active_element.text)
        slider = self.finished(driver, name).find_element("css selector", "input[type=range]")
        slider.send_keys(Keys.ARROW_RIGHT)
        self.assertEqual("1 % covered", slider.get_attribute("aria-valuetext"))
        self.assert_no_errors(driver)

    def test_a_phone_needs_no_scrolling_to_the_side(self):
        driver = self.open(width=390, height=844)
        self.give_files(driver)
        self.one(driver, "ua-poses img")
        for details in self.find(driver, "details"):
            driver.execute_script("arguments[0].open = true", details)
        self.assertLessEqual(driver.execute_script("return document.documentElement.scrollWidth"), 390)
        small = [each.text for each in self.find(driver, "button")
                 if each.is_displayed() and (each.size["height"] < 40 or each.size["width"] < 40)]
        self.assertEqual([], small)
        self.assert_no_errors(driver)

    def test_axe_finds_nothing_but_what_is_planted(self):
        driver = self.open()
        self.give_files(driver)
        self.animate(driver, "looked at", 5)
        self.until(driver, lambda: self.finished(driver, "looked at"), "the video")
        for details in self.find(driver, "details"):
            driver.execute_script("arguments[0].open = true", details)
        for dark in (False, True):
            browser.show_scheme(driver, dark)
            self.assertEqual([], browser.faults(driver), "dark" if dark else "light")
        driver.execute_script("document.querySelector('main').append(document.createElement('input'))")
        self.assertTrue(any(fault.startswith("label") for fault in browser.faults(driver)))

    def test_a_token_is_asked_for_and_a_wrong_one_refused(self):
        driver = browser.open_browser(self.downloads)
        self.addCleanup(driver.quit)
        address, token = self.service.url.split("#token=")
        driver.get(address)
        field = self.until(driver, lambda: driver.find_element("id", "token").is_displayed()
                           and driver.find_element("id", "token"), "the question")
        field.send_keys("wrong\n")
        self.until(driver, lambda: driver.find_element("id", "token-error").text != "", "the refusal")
        field.clear()
        field.send_keys(token + "\n")
        self.until(driver, lambda: driver.execute_script("return document.documentElement.dataset.ready"), "the page")
        self.assert_no_errors(driver, but=("status of 401",))


def main():
    global PROGRAM, PAGE
    service.enter_environment()
    if reason := browser.missing():
        return service.skip(reason)
    PROGRAM, PAGE = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
    return 0 if unittest.main(argv=[sys.argv[0], *sys.argv[3:]], verbosity=2, exit=False).result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())

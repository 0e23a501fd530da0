#!/usr/bin/env python3
"""Takes the picture of the page in README.md: take_picture.py PROGRAM PAGE_FOLDER OUTPUT.jpg."""
import base64
import pathlib
import sys
import tempfile

import service
from service import Service, until

WIDTH = 1200
SCALE = 0.6
SHOW_A_FRAME = """
const done = arguments[0], video = document.querySelector('article video.result');
for (const other of document.querySelectorAll('ua-drop video')) other.currentTime = other.duration / 2;
video.pause();
video.addEventListener('seeked', () => requestAnimationFrame(() => setTimeout(done, 500)), {once: true});
video.currentTime = video.duration / 2;
"""


def take_picture(program, page, output):
    import browser  # of the environment
    served = Service(program)
    try:
        with tempfile.TemporaryDirectory() as downloads, browser.browser(downloads, width=WIDTH) as driver:
            look = lambda selector: next(iter(driver.find_elements("css selector", selector)), None)
            driver.get(served.url)
            for kind, name in (("reference", "example-person.png"), ("motion", "example-motion.mp4")):
                until(lambda: look(f"ua-drop[kind={kind}] input[type=file]"), kind).send_keys(str(page / name))
            until(lambda: look("ua-poses img"), "the poses")
            until(lambda: look("ua-plan button").is_enabled(), "the button")
            look("ua-plan button").click()
            until(lambda: (video := look("article video.result")) and video.get_property("readyState") >= 2, "the video", 600)
            until(lambda: "worked out" not in look("ua-plan").text, "the plan")
            driver.execute_script("document.activeElement.blur(); document.querySelectorAll('video').forEach(v => v.controls = false);")
            # Videos beyond the window are not painted.
            height = driver.execute_script("return document.documentElement.scrollHeight")
            driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                   {"width": WIDTH, "height": height, "deviceScaleFactor": 1, "mobile": False})
            driver.execute_async_script(SHOW_A_FRAME)
            shot = driver.execute_cdp_cmd("Page.captureScreenshot", {
                "format": "jpeg", "quality": 80, "captureBeyondViewport": True,
                "clip": {"x": 0, "y": 0, "width": WIDTH, "height": height, "scale": SCALE}})
            output.write_bytes(base64.b64decode(shot["data"]))
    finally:
        served.close()


if __name__ == "__main__":
    service.enter_environment()
    take_picture(sys.argv[1], pathlib.Path(sys.argv[2]).resolve(), pathlib.Path(sys.argv[3]))

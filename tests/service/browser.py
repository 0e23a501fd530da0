"""A headless chromium that looks at the page of a real `unianimate serve`."""
import contextlib
import pathlib
import shutil

from service import WAIT


def missing():
    """What is not here that the tests need, as a sentence; None where all is."""
    try:
        import selenium  # noqa: F401
        import axe_playwright_python  # noqa: F401
    except ImportError:
        return "selenium and axe are not installed; run scripts/setup.sh --service-tests"
    for program in ("chromium", "chromedriver"):
        if shutil.which(program) is None:
            return f"{program} is not installed; run scripts/setup.sh --service-tests"
    return None


def open_browser(downloads, width=1200, height=1000, dark=False):
    from selenium import webdriver
    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu",
                     "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
                     f"--window-size={width},{height}", "--autoplay-policy=no-user-gesture-required"):
        options.add_argument(argument)
    options.binary_location = shutil.which("chromium")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
    driver.set_page_load_timeout(WAIT)
    driver.set_script_timeout(WAIT)
    # Windows have a least width that is more than a phone's.
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                           {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500})
    show_scheme(driver, dark)
    return driver


def show_scheme(driver, dark):
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {
        "features": [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})


def faults(driver):
    """What axe finds wrong with the page as it is."""
    import axe_playwright_python
    axe = pathlib.Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text()
    driver.execute_script(axe)
    found = driver.execute_async_script(
        "const done = arguments[0]; axe.run().then(result => done(result.violations), error => done([{id: String(error)}]));")
    return [f"{fault['id']}: {[node['html'][:120] for node in fault.get('nodes', [])]}" for fault in found]


@contextlib.contextmanager
def browser(*arguments, **options):
    driver = open_browser(*arguments, **options)
    try:
        yield driver
    finally:
        driver.quit()

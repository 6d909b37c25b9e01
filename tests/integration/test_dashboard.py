"""The dashboard in a real browser: charts have marks, nothing is complained of, nothing leaves the page."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.support.cli import Cli


def browser(tmp_path: Path):  # type: ignore[no-untyped-def]
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not chromium or not driver:
        if os.environ.get("CI"):
            pytest.fail("chromium and chromedriver must be there in CI")
        pytest.skip("chromium and chromedriver are not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in (
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        f"--user-data-dir={tmp_path / 'profile'}",
    ):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(options=options, service=Service(driver))


def test_the_page_in_a_browser(archive: Cli, tmp_path: Path) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    page = archive.current / "dashboard.html"
    driver = browser(tmp_path)
    try:
        driver.get(page.as_uri())
        WebDriverWait(driver, 60).until(lambda d: d.find_element(By.TAG_NAME, "body").get_attribute("data-ready") == "true")
        charts = driver.find_elements(By.CSS_SELECTOR, ".chart svg")
        assert len(charts) == 4
        for chart in charts:
            assert len(chart.find_elements(By.CSS_SELECTOR, ".mark-line path, .mark-rule line, .mark-symbol path, .mark-rect path")) > 0
        assert len(driver.find_elements(By.CSS_SELECTOR, "tbody tr")) >= 10
        complaints = [entry for entry in driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]
        assert complaints == []
        asked = [e["message"] for e in driver.get_log("performance") if "Network.requestWillBeSent" in e["message"]]
        assert [m for m in asked if '"url":"http' in m] == []
        assert "2026-11-23" in driver.find_element(By.TAG_NAME, "body").text
    finally:
        driver.quit()

"""The pages in a real browser: marks, words, choices, sliders, downloads, in both languages and at both widths; nothing leaves the page."""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
import threading
from collections.abc import Iterator
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.dashboard.build import find_pages
from pipelines.economics import OnPremServer, break_even_utilisation, on_prem_usd_per_hour, residual_share
from pipelines.platform.locale import load_locale
from tests.support.cli import Cli

MARKS = ".chart svg :is(.mark-line path, .mark-rule line, .mark-symbol path, .mark-rect path, .mark-area path)"
PAGES = find_pages()


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    made = browser(tmp_path_factory.mktemp("browser"))
    try:
        yield made
    finally:
        made.quit()


def browser(folder: Path) -> Any:
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
        f"--user-data-dir={folder / 'profile'}",
    ):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(options=options, service=Service(driver))


def show(driver: Any, address: str, *, wide: bool = True) -> None:
    from selenium.webdriver.support.ui import WebDriverWait

    width, height = (1280, 1000) if wide else (390, 844)
    driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": not wide}
    )
    driver.get("about:blank")
    driver.get(address)
    WebDriverWait(driver, 60).until(lambda d: d.execute_script("return document.body.dataset.ready") == "true")


def again(driver: Any) -> None:
    from selenium.webdriver.support.ui import WebDriverWait

    WebDriverWait(driver, 60).until(lambda d: d.execute_script("return document.body.dataset.ready") == "true")


def choose(driver: Any, name: str, value: str) -> None:
    driver.execute_script(
        "const s = document.querySelector(`select[name=${arguments[0]}]`); s.value = arguments[1];"
        "s.dispatchEvent(new Event('change', {bubbles: true}))",
        name,
        value,
    )
    again(driver)


def address(archive: Cli, page: str, language: str = "en", choice: str = "") -> str:
    folder = archive.current / "dashboard" / ("" if language == "en" else language)
    return (folder / f"{page}.html").as_uri() + (f"#{choice}" if choice else "")


def answer(driver: Any) -> str:
    text: str = driver.find_element("id", "answer").text
    return text


@pytest.mark.parametrize("wide", [True, False], ids=["desktop", "phone"])
@pytest.mark.parametrize(("language", "currency"), [("en", "USD"), ("fr", "EUR")])
@pytest.mark.parametrize("page", list(PAGES))
def test_a_page_shows_its_figures(archive: Cli, driver: Any, page: str, language: str, currency: str, wide: bool) -> None:
    driver.get_log("browser"), driver.get_log("performance")
    show(driver, address(archive, page, language), wide=wide)
    locale = load_locale(language, Path(__file__).parents[2] / "pipelines" / "dashboard" / "locales")
    assert driver.find_element("tag name", "h1").text == locale.text(f"page.{page}.title")
    assert driver.find_element("tag name", "html").get_attribute("lang") == language
    charted = [figure.name for figure in PAGES[page].figures if figure.chart]
    names = []
    for figure in charted:
        section = driver.find_element("css selector", f"[data-figure={figure}]")
        assert int(section.get_attribute("data-rows")) > 0, figure
        assert section.find_elements("css selector", MARKS), figure
        names.append(section.find_element("css selector", ".chart").get_attribute("aria-label"))
        assert section.find_elements("css selector", "tbody tr"), figure
    assert len(set(names)) == len(charted) and all(names), "each chart has a name of its own"
    assert len(answer(driver)) > 60
    text = driver.find_element("tag name", "body").text
    assert "undefined" not in text and "NaN" not in text and not re.search(r"\{\w+\}", text)
    if page in ("index", "market", "cost", "own", "sovereignty"):
        assert {"USD": "$" if language == "en" else "$US", "EUR": "€"}[currency] in text
    assert driver.execute_script("return document.documentElement.scrollWidth <= innerWidth")
    assert [entry for entry in driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")] == []
    asked = [e["message"] for e in driver.get_log("performance") if "Network.requestWillBeSent" in e["message"]]
    assert asked and [message for message in asked if '"url":"http' in message] == []


def test_the_old_entry_leads_to_the_pages(archive: Cli, driver: Any) -> None:
    driver.get((archive.current / "dashboard.html").as_uri())
    again(driver)
    assert driver.current_url.split("#")[0] == address(archive, "index")


def test_the_answer_is_that_of_the_view(archive: Cli, driver: Any, published: duckdb.DuckDBPyConnection) -> None:
    locale = load_locale("en", Path(__file__).parents[2] / "pipelines" / "dashboard" / "locales")
    asked = "SELECT * FROM bi.own_or_rent WHERE country_group = 'world' AND rival_answer IS NOT NULL ORDER BY model, precision, workload"
    cursor = published.execute(asked)
    names = [column[0] for column in cursor.description]
    for values in cursor.fetchall()[::9]:
        row = dict(zip(names, values, strict=True))
        choice = f"model={row['model']}&precision={row['precision']}&workload={row['workload']}&group=world&currency=USD"
        show(driver, address(archive, "index", choice=choice))
        said = answer(driver)
        assert locale.money(row["base_usd_per_million_output_tokens"], "USD") in said
        assert locale.share(row["saving_share"]) in said
        if row["seller_count"]:
            assert f"sellers known: {row['seller_count']} " in said and row["sellers"].split(", ")[0] in said
            assert locale.money(row["median_usd_per_gpu_hour"], "USD") in said


def test_a_requirement_says_how_old_its_price_is(archive: Cli, driver: Any, published: duckdb.DuckDBPyConnection) -> None:
    asked = """
        SELECT price_age_days, seller_count FROM bi.sovereignty
        WHERE gpu = 'h100-sxm-80' AND option = 'on_demand' AND requirement = 'in_the_eu'
    """
    [(days, sellers)] = published.execute(asked).fetchall()
    choice = "gpu=h100-sxm-80&option=on_demand"
    show(driver, address(archive, "sovereignty", choice=choice))
    assert f"Sellers: {sellers}; the price is {days} days old" in answer(driver)
    assert "salaries of the owned server" not in answer(driver), "the Union and France are weighed with their own"
    show(driver, address(archive, "sovereignty", "fr", choice))
    assert f"{days} jours" in answer(driver)


def test_a_group_is_answered_for_its_own_place(archive: Cli, driver: Any) -> None:
    for language, said in (("en", "Electricity, space and salaries: {}."), ("fr", "Électricité, hébergement et salaires\u00a0: {}.")):
        locale = load_locale(language, Path(__file__).parents[2] / "pipelines" / "dashboard" / "locales")
        for group, place in (("FR", "FR"), ("EU", "EU27_2020"), ("US", "US")):
            show(driver, address(archive, "index", language, f"group={group}"))
            assert said.format(locale.text(f"place.{place}")).replace("\u00a0", " ") in answer(driver).replace("\u00a0", " ").replace(
                "\u202f", " "
            )


def test_a_choice_stands_in_the_address_and_comes_back(archive: Cli, driver: Any) -> None:
    show(driver, address(archive, "cost"))
    choose(driver, "workload", "steady_1024_1024")
    choose(driver, "currency", "EUR")
    there, said = driver.current_url, answer(driver)
    assert "workload=steady_1024_1024" in there and "currency=EUR" in there and "€" in said
    show(driver, there)
    assert answer(driver) == said
    french = driver.find_element("css selector", ".languages a[lang=fr]").get_attribute("href")
    show(driver, french)
    assert "€" in answer(driver) and driver.execute_script("return breakeven.state.workload") == "steady_1024_1024"


@pytest.mark.parametrize("currency", ["USD", "EUR"])
@pytest.mark.parametrize("page", [page for page in PAGES if page != "own"])
def test_csv_is_what_is_shown(archive: Cli, driver: Any, page: str, currency: str) -> None:
    show(driver, address(archive, page, choice=f"currency={currency}"))
    for figure in PAGES[page].figures:
        text, shown = driver.execute_script(
            "const f = breakeven.setup.figures.find((x) => x.name === arguments[0]);"
            "return [breakeven.asCsv(f, breakeven.rowsOf(f)),"
            " [...document.querySelectorAll(`[data-figure=${f.name}] tbody tr`)].map((r) => [...r.cells].map((c) => c.textContent))]",
            figure.name,
        )
        rows = list(csv.DictReader(io.StringIO(text)))
        assert len(rows) == int(driver.find_element("css selector", f"[data-figure={figure.name}]").get_attribute("data-rows"))
        assert len(shown) == min(len(rows), 200)
        locale = load_locale("en")
        # What a choice fixes is in every row of the CSV, and not in the table.
        state = driver.execute_script("return breakeven.state")
        fixed = {column: state[choice] for choice, column in figure.where.items() if state.get(choice)}
        for row, cells in zip(rows, shown, strict=False):
            assert all(row[column.name] in (fixed[column.name], "") for column in figure.columns if column.name in fixed)
            for column, cell in zip((c for c in figure.columns if c.name not in fixed), cells, strict=True):
                name = column.name.replace("usd", "eur") if currency == "EUR" and column.kind == "usd" else column.name
                if column.kind == "usd":
                    assert cell == locale.money(float(row[name]) if row[name] else None, currency)
                elif column.kind in ("days", "count"):
                    assert cell == locale.count(int(float(row[name])) if row[name] else None)


@pytest.mark.parametrize("site", ["US", "FR", "CA-QC"])
def test_sliders_agree_with_the_formulas(archive: Cli, driver: Any, published: duckdb.DuckDBPyConnection, site: str) -> None:
    base = dict(published.execute("SELECT assumption, base FROM marts.cost_assumption WHERE scope IS NULL").fetchall())
    [(load_kw, electricity, colocation, staff)] = published.execute(
        """
        SELECT base_load_kw, c.electricity_usd_per_kwh, c.colocation_usd_per_kw_month, c.staff_usd_per_fte_year
        FROM marts.owned_server_cost AS s
        INNER JOIN bi.site_cost AS c ON c.electricity_area = ?
        WHERE hardware = '8x-h100-sxm-80' AND on_date = (SELECT max(on_date) FROM marts.owned_server_cost)
        """,
        [site],
    ).fetchall()
    locale = load_locale("en")
    for use, price, kwh, rent in [(0.3, 250_000, electricity, 6.88), (0.55, 310_000, 0.2, 3.8), (0.9, 120_000, 0.05, 2.1)]:
        server = OnPremServer(
            server_usd=price,
            network_share=base["network_share"],
            residual_share=residual_share(base["life_years"], base["residual_decline_per_year"]),
            discount_rate=base["discount_rate"],
            life_years=base["life_years"],
            maintenance_share=base["maintenance_share"],
            idle_kw=load_kw * base["idle_share_of_load"],
            load_kw=load_kw,
            pue=base["pue"],
            electricity_usd_per_kwh=kwh,
            colocation_usd_per_month=colocation * load_kw,
            staff_usd_per_year=base["staff_fte_per_node"] * staff,
        )
        fixed = on_prem_usd_per_hour(server, 0.0)
        variable = on_prem_usd_per_hour(server, 1.0) - fixed
        choice = f"server=8x-h100-sxm-80&site={site}&use={use}&server_usd={price}&electricity={kwh}&rent={rent}&currency=USD"
        show(driver, address(archive, "own", choice=choice))
        packing = driver.execute_script("return breakeven.hour().s.packing_share")
        even = break_even_utilisation(fixed, variable, rent * 8 / packing)
        said = answer(driver)
        assert locale.money((fixed + use * variable) / use, "USD") in said
        assert locale.money(rent * 8 / packing, "USD") in said
        assert (locale.share(even, 1) in said) if even is not None else ("cheaper at any use" in said)


def test_another_place_has_its_own_electricity(archive: Cli, driver: Any, published: duckdb.DuckDBPyConnection) -> None:
    show(driver, address(archive, "own", choice="electricity=0.5&currency=USD"))
    [(france,)] = published.execute("SELECT electricity_usd_per_kwh FROM bi.site_cost WHERE electricity_area = 'FR'").fetchall()
    choose(driver, "site", "FR")
    assert driver.find_element("css selector", "output[data-of=electricity]").text == load_locale("en").money(france, "USD") + "/kWh"
    assert "France" in answer(driver)
    first = driver.find_element("css selector", "[data-figure=cost_parts] tbody tr").text
    choose(driver, "site", "FI")
    assert "France" in first and "Finland" in driver.find_element("css selector", "[data-figure=cost_parts] tbody tr").text


def test_figures_are_written_as_the_locale_writes_them(archive: Cli, driver: Any) -> None:
    values = [0, 0.0123456, 0.6012, 1.003, 9.999, 14.07, 99.996, 123.4, 785340.4, -3.8, 1e7]
    for language in ("en", "fr"):
        show(driver, address(archive, "health", language))
        locale = load_locale(language)
        for currency in ("USD", "EUR"):
            found = driver.execute_script("return arguments[0].map((v) => breakeven.money(v, arguments[1]))", values, currency)
            assert found == [locale.money(value, currency) for value in values]
        found = driver.execute_script("return ['2026-07-01', '2026-11-23'].map(breakeven.day)")
        assert found == [locale.day(date.fromisoformat(d)) for d in ("2026-07-01", "2026-11-23")]


def test_health_lists_what_failed(archive: Cli, driver: Any, published: duckdb.DuckDBPyConnection) -> None:
    show(driver, address(archive, "health"))
    shown = {row.text.split(" ")[0] for row in driver.find_elements("css selector", "[data-figure=sources] tbody tr")}
    assert shown == {source for (source,) in published.execute("SELECT source FROM bi.data_health").fetchall()}
    assert "offline" in answer(driver)


def test_the_record_is_said_in_the_language_of_the_page(archive: Cli, driver: Any) -> None:
    show(driver, address(archive, "health", "fr"))
    said = driver.find_elements("css selector", "[data-figure=sources] tbody td:last-child")
    assert len(said) > 50 and not [cell.text for cell in said if cell.get_attribute("lang")]
    assert any("n\u2019a pas été interrogé" in cell.text for cell in said)
    # What has no words of its own is marked, for the reader and for who reads aloud.
    others = driver.find_elements("css selector", "[data-figure=checks] tbody td:last-child")
    assert others and all(cell.get_attribute("lang") == "en" and cell.text.startswith("(en anglais) ") for cell in others)


def test_every_option_has_a_word_and_is_drawn(archive: Cli, driver: Any, published: duckdb.DuckDBPyConnection) -> None:
    asked = "SELECT DISTINCT purchase_option FROM bi.price UNION SELECT DISTINCT option FROM bi.cost_per_million_tokens"
    options = [option for (option,) in published.execute(asked).fetchall()]
    for language in ("en", "fr"):
        show(driver, address(archive, "history", language))
        words = driver.execute_script("return arguments[0].map((option) => breakeven.word('option', option))", options)
        assert [word for word in words if "_" in word or word in ("marketplace", "reserved") * (language == "fr")] == []
        symbols = driver.find_elements("css selector", "[data-figure=moves] .mark-symbol.role-mark path")
        drawn = [symbol for symbol in symbols if symbol.get_attribute("fill") not in (None, "", "undefined", "transparent")]
        assert len(drawn) == int(driver.find_element("css selector", "[data-figure=moves]").get_attribute("data-rows"))


@pytest.mark.parametrize(
    ("page", "figure"),
    [("index", "ways"), ("cost", "cost_today"), ("own", "break_even"), ("sovereignty", "requirements"), ("health", "sources")],
)
def test_bars_have_the_width_of_a_phone(archive: Cli, driver: Any, page: str, figure: str) -> None:
    show(driver, address(archive, page, "fr"), wide=False)
    plot, place = driver.execute_script(
        "const chart = document.querySelector(`[data-figure=${arguments[0]}] .chart`);"
        "return [chart.querySelector('.mark-group.role-frame .background').getBoundingClientRect().width, chart.clientWidth]",
        figure,
    )
    assert plot > 0.85 * place


@pytest.mark.parametrize(
    ("page", "figure"),
    [
        ("index", "ways"),
        ("cost", "cost_today"),
        ("own", "cost_parts"),
        ("own", "break_even"),
        ("sovereignty", "requirements"),
        ("sovereignty", "groups"),
        ("health", "sources"),
    ],
)
def test_names_and_bars_do_not_overlap_on_a_phone(archive: Cli, driver: Any, page: str, figure: str) -> None:
    show(driver, address(archive, page, "fr"), wide=False)
    overlaps = driver.execute_script(
        "const chart = document.querySelector(`[data-figure=${arguments[0]}] .chart`);"
        "const boxes = (s) => [...chart.querySelectorAll(s)].map((e) => e.getBoundingClientRect());"
        "const names = boxes('.role-axis-label text'), bars = boxes('.mark-rect path');"
        "return names.filter((n) => bars.some((b) => Math.min(n.bottom, b.bottom) - Math.max(n.top, b.top) > 4"
        " && Math.min(n.right, b.right) - Math.max(n.left, b.left) > 4)).length",
        figure,
    )
    assert overlaps == 0


def printed(driver: Any) -> None:
    """As Chromium lays the page out on A4, without printing it."""
    driver.execute_script("dispatchEvent(new Event('beforeprint'))")
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": 718, "height": 1047, "deviceScaleFactor": 1, "mobile": False})


CUT = (
    "return [...document.querySelectorAll('.chart svg, .table table')].filter((e) =>"
    " e.getBoundingClientRect().right > e.closest('.figure').getBoundingClientRect().right + 1)"
    ".map((e) => e.closest('.figure').dataset.figure + ' ' + e.tagName)"
)


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("page", list(PAGES))
def test_nothing_is_cut_off_at_a_desk_or_on_paper(archive: Cli, driver: Any, page: str, language: str) -> None:
    show(driver, address(archive, page, language))
    assert driver.execute_script(CUT) == []
    try:
        printed(driver)
        assert driver.execute_script(CUT) == []
        small, lost = driver.execute_script(
            "const all = [...document.querySelectorAll('.chart svg')], box = (e) => e.getBoundingClientRect();"
            "return [all.filter((e) => box(e).width / e.getAttribute('width') < 0.75).length,"
            " all.flatMap((e) => [...e.querySelectorAll('text')].filter((t) => box(t).right > box(e).right + 2).map((t) => t.textContent))]"
        )
        assert (small, lost) == (0, []), "a chart is drawn for paper, not only shrunk to it"
    finally:
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


@pytest.mark.parametrize("page", list(PAGES))
def test_a_table_shows_its_figure_on_a_phone(archive: Cli, driver: Any, page: str) -> None:
    show(driver, address(archive, page, "fr"), wide=False)
    hidden = driver.execute_script(
        "return [...document.querySelectorAll('.table:has(table)')].filter((t) => t.querySelector('th.number')"
        ".getBoundingClientRect().right > t.getBoundingClientRect().right).map((t) => t.closest('.figure').dataset.figure)"
    )
    assert hidden == []


def test_codes_of_places_and_sellers_are_words(archive: Cli, driver: Any) -> None:
    show(driver, address(archive, "market", "fr"))
    texts = driver.execute_script(
        "return [...document.querySelectorAll('[data-figure=market_today] td:not(.number), select[name=group] option')]"
        ".map((e) => e.textContent)"
    )
    assert "États-Unis" in texts and "Inde" in texts
    assert [text for text in texts if re.fullmatch(r"[A-Z]{2}|all|datacenter|community|secure", text)] == []


def test_requirements_that_nobody_meets_are_named(archive: Cli, driver: Any, published: duckdb.DuckDBPyConnection) -> None:
    locale = load_locale("en", Path(__file__).parents[2] / "pipelines" / "dashboard" / "locales")
    asked = "SELECT requirement FROM bi.sovereignty WHERE gpu = 'h200-sxm-141' AND option = 'on_demand' AND seller_count = 0"
    unmet = [requirement for (requirement,) in published.execute(asked).fetchall()]
    show(driver, address(archive, "sovereignty", choice="gpu=h200-sxm-141&option=on_demand"))
    [said] = [line for line in answer(driver).splitlines() if line.startswith("No offer of H200")]
    assert unmet and all(locale.text(f"requirement.{requirement}") in said for requirement in unmet)


def test_quartiles_of_a_few_sellers_are_not_said(archive: Cli, driver: Any, published: duckdb.DuckDBPyConnection) -> None:
    asked = """
        SELECT model, precision, workload, country_group, seller_count FROM bi.own_or_rent
        WHERE country_group IN ('world', 'EU', 'US', 'FR')
        QUALIFY row_number() OVER (PARTITION BY seller_count ORDER BY country_group, model, precision, workload) = 1 ORDER BY seller_count
    """
    counts = set()
    for model, precision, workload, group, count in published.execute(asked).fetchall():
        show(driver, address(archive, "index", choice=f"model={model}&precision={precision}&workload={workload}&group={group}"))
        assert ("a quarter ask" in answer(driver)) == (count >= 4)
        counts.add(count)
    assert counts & {1, 2, 3} and max(counts) >= 4


def test_first_view_is_small(archive: Cli) -> None:
    folder = archive.current / "dashboard"
    shared = sum(path.stat().st_size for path in (folder / "assets").iterdir())
    for page in PAGES:
        assert shared + (folder / f"{page}.html").stat().st_size + (folder / "data" / f"{page}.js").stat().st_size <= 1_500_000, page


@pytest.mark.parametrize("page", list(PAGES))
def test_axe_finds_no_serious_or_moderate_fault(archive: Cli, driver: Any, page: str) -> None:
    """With the axe-core of the package, or a newer one where BREAKEVEN_AXE names its axe.min.js."""
    packaged = resources.files("axe_core_python") / "axe.min.js"
    script = Path(os.environ.get("BREAKEVEN_AXE", str(packaged))).read_text(encoding="utf-8")
    for language in ("en", "fr"):
        show(driver, address(archive, page, language), wide=language == "en")
        driver.execute_script(script)
        found = driver.execute_async_script(
            "const done = arguments[0]; axe.run(document, {preload: false}).then((r) => done(r.violations))"
        )
        assert [(v["id"], v["impact"], [n["html"][:120] for n in v["nodes"]]) for v in found if v["impact"] != "minor"] == []


def test_bundling_goes_on_while_the_pages_are_written(archive: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes longer than all else together where no script was kept."""
    from pipelines.dashboard import build

    is_bundling, rows_are_written = threading.Event(), threading.Event()
    write_rows = build._write_rows

    def vega_script(kept_in: Path) -> str:
        is_bundling.set()
        assert rows_are_written.wait(20)
        return "bundled"

    def rows_of(*arguments: Any) -> None:
        assert is_bundling.wait(20)
        write_rows(*arguments)
        rows_are_written.set()

    monkeypatch.setattr(build, "vega_script", vega_script)
    monkeypatch.setattr(build, "_write_rows", rows_of)
    shutil.copyfile(archive.current / "breakeven.duckdb", tmp_path / "breakeven.duckdb")
    build.write(tmp_path, [], tmp_path / "kept")
    assert (tmp_path / "dashboard" / "assets" / "vega.js").read_text() == "bundled"


@pytest.mark.parametrize("page", list(PAGES))
def test_everything_is_reached_and_used_by_keyboard(archive: Cli, driver: Any, page: str) -> None:
    from selenium.webdriver import ActionChains
    from selenium.webdriver.common.keys import Keys

    show(driver, address(archive, page, "fr"))
    wanted = driver.execute_script(
        "window.path = [...document.querySelectorAll('a, select, input, button, .table:has(table)')].filter((e) => e.offsetParent);"
        "return path.length"
    )
    reached = []
    for _ in range(wanted):
        ActionChains(driver).send_keys(Keys.TAB).perform()
        at, is_seen = driver.execute_script(
            "const e = document.activeElement, s = getComputedStyle(e); return [path.indexOf(e), s.outlineStyle !== 'none']"
        )
        assert is_seen, driver.execute_script("return document.activeElement.outerHTML")[:200]
        reached.append(at)
    assert reached == list(range(wanted)), "in the order of the page, nothing twice"
    ActionChains(driver).send_keys(Keys.TAB).perform()
    after = driver.execute_script("return document.activeElement.outerHTML.slice(0, 200)")
    assert after.startswith("<body"), "nothing that is empty takes a step"


def test_a_slider_moves_by_keyboard_and_says_what_it_shows(archive: Cli, driver: Any) -> None:
    from selenium.webdriver import ActionChains
    from selenium.webdriver.common.keys import Keys

    show(driver, address(archive, "own", "fr"))
    for name in ("use", "server_usd", "electricity", "rent"):
        before = answer(driver)
        driver.execute_script("document.querySelector(`input[name=${arguments[0]}]`).focus()", name)
        ActionChains(driver).send_keys(Keys.ARROW_RIGHT).perform()
        again(driver)
        spoken, shown = driver.execute_script(
            "return [document.querySelector(`input[name=${arguments[0]}]`).getAttribute('aria-valuetext'),"
            " document.querySelector(`output[data-of=${arguments[0]}]`).textContent]",
            name,
        )
        assert spoken == shown and answer(driver) != before
        assert driver.execute_script("return document.activeElement.name") == name


def test_a_blocked_refresh_shows_itself_on_every_page(archive: Cli, tmp_path: Path) -> None:
    from pipelines.platform.settings import Settings
    from pipelines.refresh.lifecycle import close_failed

    for part in ("published", "ops"):
        shutil.copytree(archive.data / part, tmp_path / part, symlinks=True)
    before = {path.name: path.read_bytes() for path in (archive.current / "dashboard").glob("*.html")}
    failed = close_failed(Settings(data=tmp_path), "00000000-blocked", "a rule of this <test> did not hold")
    assert failed.version is not None and failed.version.name.endswith("-blocked")
    for folder in ("dashboard", "dashboard/fr"):
        for page in PAGES:
            text = (failed.version / folder / f"{page}.html").read_text()
            assert 'role="alert"' in text and "a rule of this &lt;test&gt; did not hold" in text
    assert before == {path.name: path.read_bytes() for path in (archive.current / "dashboard").glob("*.html")}

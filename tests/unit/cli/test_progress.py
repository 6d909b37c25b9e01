"""The line of progress on a terminal."""

from __future__ import annotations

import io
import logging

from pipelines.cli.progress import ProgressLine


def test_one_line_counts_and_what_matters_stays() -> None:
    terminal = io.StringIO()
    line = ProgressLine(terminal)
    log = logging.Logger("of a test")
    log.addHandler(line)
    log.info("source akash ok")
    log.info("source aws_spot ok: newest of a day")
    log.info("table  marts.fx_rate  10 rows")
    log.info("published 20261126")
    log.warning("source slow to answer")
    line.close()
    written = terminal.getvalue()
    assert "sources 1: akash" in written and "sources 2: aws_spot" in written and "sources 2, tables 1: marts.fx_rate" in written
    kept = [part.split("\x1b[2K")[-1] for part in written.split("\n")]
    assert kept == ["published 20261126", "source slow to answer", ""]

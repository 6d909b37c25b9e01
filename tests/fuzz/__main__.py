"""Every parser of an answer, fed with changed answers: `python -m tests.fuzz [INPUTS] [SEED]`, as `make fuzz`.

A finding is any exception but ParseError, a panic included, or a frame with other columns than the raw table has. Prints a line per source
and the count of all; exit code 1 where there is a finding, whose first input lies in the folder that is named.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from polars.exceptions import PanicException

from pipelines.catalogue.contracts import RAW_LINEAGE, Contract, catalogue
from pipelines.ingest.registry import SourceModule, discover
from pipelines.ingest.scaffold import stored_answers
from pipelines.sources.lib.errors import ParseError
from tests.fuzz.mutations import mutated


def fuzzed(module: SourceModule, contract: Contract, inputs: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """What became of each input: `rows`, `ParseError`, or the name of what should not have happened; with the input."""
    draw = random.Random(f"{module.name} {seed}")
    seeds = [path.read_bytes() for path in stored_answers(module.name)]
    left_out = (*RAW_LINEAGE, *(["source"] if module.shares_table else []))
    expected = {name: kind for name, kind in contract.polars_schema().items() if name not in left_out}
    for _ in range(inputs):
        content = mutated(draw.choice(seeds), draw)
        try:
            found = dict(module.parse(content).schema)
        except ParseError:
            yield "ParseError", content
        except (Exception, PanicException) as error:
            yield type(error).__name__, content
        else:
            yield ("rows" if found == expected else "other columns"), content


def fuzz(modules: Mapping[str, SourceModule], inputs: int, seed: int) -> int:
    """So many inputs over all parsers of fetched sources; gives the number of findings."""
    known, folder, total, findings = catalogue(), Path(tempfile.mkdtemp(prefix="fuzz-")), 0, 0
    fetched = [module for module in modules.values() if not module.source.is_bundled and stored_answers(module.name)]
    for module in fetched:
        began, counts = time.monotonic(), Counter[str]()
        for outcome, content in fuzzed(module, known.tables[module.table], -(-inputs // len(fetched)), seed):
            counts[outcome] += 1
            if outcome not in ("rows", "ParseError") and counts[outcome] == 1:
                (folder / f"{module.name}-{outcome}").write_bytes(content)
        total += counts.total()
        bad = counts.total() - counts["rows"] - counts["ParseError"]
        findings += bad
        print(f"{module.name:28} {time.monotonic() - began:7.1f} s  {dict(counts)}", flush=True)
    print(f"{total:,} inputs over {len(fetched)} parsers, {findings:,} findings" + (f": {folder}" if findings else ""))
    return findings


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    raise SystemExit(fuzz(discover(catalogue()), *(given or [20_000]), *([] if len(given) > 1 else [1])) > 0)

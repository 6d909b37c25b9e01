"""Row rules in polars: the good rows, and the bad ones with rule and reason.

Belongs here: applying the row rules of a contract to a frame. Does not belong here: what the rules are (`catalogue.rules`), where
quarantined rows are kept and how a person works with them (`quarantine`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from pipelines.catalogue.contracts import Contract
from pipelines.catalogue.rules import Effect, RowRule
from pipelines.quality.results import CheckError, RuleResult

QUARANTINE_SCHEMA = pl.Schema({"row_key": pl.String(), "rule": pl.String(), "reason": pl.String(), "row_json": pl.String()})
SHARE_RULE = "quarantined_share"


@dataclass(frozen=True)
class Checked:
    """A frame after its checks: the good rows, the bad ones with rule and reason, all verdicts, and how many rows no rule could judge:
    each rule that compares them lacked something.
    """

    good: pl.DataFrame
    quarantined: pl.DataFrame
    results: list[RuleResult] = field(default_factory=list)
    not_judged_count: int = 0

    @property
    def blocks(self) -> bool:
        """True where any verdict must stop the publication."""
        return any(result.blocks for result in self.results)

    @property
    def rejects(self) -> bool:
        """True where any verdict says that the frame must not be used."""
        return any(result.rejects for result in self.results)

    def summary(self) -> str:
        """The verdicts that reject the frame, in one line."""
        return "; ".join(f"{r.rule}: {r.detail}" for r in self.results if r.rejects)


def check_rows(
    contract: Contract,
    frame: pl.LazyFrame,
    *,
    may_quarantine: bool,
    rows_beside: int = 0,
    share_effect: Effect = "blocked",
    released: pl.DataFrame | None = None,
) -> Checked:
    """Apply the row rules. Raises CheckError where one cannot be evaluated.

    With `may_quarantine`, rows that break a critical rule are taken out and kept with rule and reason, and only too large a share of
    them has an effect on the rest, `share_effect`: of the frame, or of the `rows_beside` that are there already where they are more, so
    that one bad row of the three that are new on a quiet day stops nothing. Rows that a person `released` (row_key and rule) pass.
    Without it (marts, where a bad row is a bug) a broken critical rule blocks.
    """
    rules = contract.row_rules()
    broken, unknown = [f"__bad_{i}" for i in range(len(rules))], [f"__unknown_{i}" for i in range(len(rules))]
    flags = [rule.broken.alias(name) for rule, name in zip(rules, broken, strict=True)]
    flags += [rule.not_judged.alias(name) for rule, name in zip(rules, unknown, strict=True)]
    try:
        marked = frame.with_columns(flags).collect()
    except pl.exceptions.PolarsError as error:
        raise CheckError(f"{contract.table}: a row rule could not be evaluated: {error}") from error
    bad_counts = marked.select(pl.col(broken).sum()).row(0) if rules else ()
    unknown_counts = marked.select(pl.col(unknown).sum()).row(0) if rules else ()
    results = [
        RuleResult(
            rule.name,
            "row",
            rule.severity,
            bad == 0,
            bad,
            marked.height,
            _detail(rule, bad, not_judged, marked.height),
            "quarantined" if may_quarantine else "blocked",
            not_judged,
        )
        for rule, bad, not_judged in zip(rules, bad_counts, unknown_counts, strict=True)
    ]
    judging = [name for name, rule in zip(unknown, rules, strict=True) if rule.on_null == "not_judged"]
    no_verdict = marked.select(pl.all_horizontal(judging).sum()).item() if judging and marked.height else 0
    marked = marked.drop(unknown)
    critical = [(name, rule) for name, rule in zip(broken, rules, strict=True) if rule.severity == "critical"]
    good, quarantined = marked.drop(broken), pl.DataFrame(schema=QUARANTINE_SCHEMA)
    if may_quarantine and any(marked.get_column(name).any() for name, _ in critical):
        first_broken = pl.coalesce(pl.when(pl.col(name)).then(pl.lit(index)) for index, (name, _) in enumerate(critical)).alias("__broken")
        with_verdict = marked.with_columns(first_broken)
        good = with_verdict.filter(pl.col("__broken").is_null()).drop([*broken, "__broken"])
        bad_rows = with_verdict.filter(pl.col("__broken").is_not_null())
        quarantined = _quarantined(contract, bad_rows, [rule for _, rule in critical])
        if released is not None and not released.is_empty():
            passed = quarantined.select(
                pl.struct("row_key", "rule").is_in(released.select(pl.struct("row_key", "rule")).to_series().implode())
            )
            good = pl.concat([good, bad_rows.filter(passed.to_series()).drop([*broken, "__broken"])])
            quarantined = quarantined.filter(~passed.to_series())
        results.append(_share(contract, quarantined.height, max(marked.height, rows_beside), share_effect))
    return Checked(good, quarantined, results, no_verdict)


def _detail(rule: RowRule, bad: int, not_judged: int, rows: int) -> str:
    unknown = f", {not_judged} lack what it compares" if not_judged else ""
    return f"{bad} of {rows} rows break it{unknown}: {rule.reason}"


def _share(contract: Contract, bad: int, rows: int, effect: Effect) -> RuleResult:
    limit = contract.max_quarantined_share
    detail = f"{bad} of {rows} rows are quarantined, at most {limit:.0%} may be"
    return RuleResult(SHARE_RULE, "table", "critical", bad <= rows * limit, bad, rows, detail, effect)


def _quarantined(contract: Contract, bad: pl.DataFrame, rules: list[RowRule]) -> pl.DataFrame:
    broken = pl.col("__broken")
    return quarantined_rows(
        contract,
        bad,
        rule=broken.replace_strict({i: rule.name for i, rule in enumerate(rules)}, return_dtype=pl.String),
        reason=broken.replace_strict({i: rule.reason for i, rule in enumerate(rules)}, return_dtype=pl.String),
    )


def quarantined_rows(contract: Contract, bad: pl.DataFrame, *, rule: pl.Expr, reason: pl.Expr) -> pl.DataFrame:
    """Bad rows of a table as rows of the quarantine."""
    # JSON has neither dates nor NaN: every value is kept as the text in which it is shown.
    as_text = pl.struct(pl.col(c).cast(pl.String) for c in contract.column_names).struct.json_encode()
    # Without the times at which it was stated: a statement that is made again tomorrow is the same one.
    names = [c.name for c in contract.columns if c.name in contract.grain and c.type != "timestamp"]
    key = pl.concat_str([pl.col(name).cast(pl.String).fill_null("") for name in names], separator=" | ")
    return bad.select(row_key=key, rule=rule, reason=reason, row_json=as_text)

"""AWS price list files of EC2 by region: on demand and Reserved of machines with accelerators, without a key.

A file has hundreds of thousands of rows and hundreds of megabytes. It is read as it arrives, and kept are its header and the lines of
Linux machines with accelerators on shared hardware: that is what is stored, and what the parser reads.
"""

from __future__ import annotations

import csv
import re
from codecs import BOM_UTF8
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal

import polars as pl

from pipelines.sources.lib.amounts import below_zero
from pipelines.sources.lib.aws import MACHINE_USAGE, regions_of_the_day
from pipelines.sources.lib.decode import number_of, parser
from pipelines.sources.lib.errors import ParseError, SourceError
from pipelines.sources.lib.fetching import each_answer
from pipelines.sources.lib.http import Request
from pipelines.sources.lib.offers import OFFER_TABLE, offers
from pipelines.sources.lib.source import FetchContext, Payload, Source

# Read each day: those of the examples and the largest of Europe. The others take turns within a week.
_REGIONS = ("us-east-1", "eu-central-1", "eu-west-1", "eu-west-3")

SOURCE = Source(
    title="AWS price list files, EC2",
    homepage="https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/using-price-list-query-api.html",
    licence="public price list; figures with attribution",
    semantics="reading",
    precedence=100,
    base_url="https://pricing.us-east-1.amazonaws.com",
    timeout_seconds=240.0,
    table=OFFER_TABLE,
    certainty="documented",
    gives="on-demand and Reserved prices of machines with accelerators in four regions each day and in all others once a week",
)
_WHAT = "offer file"
_PREAMBLE_LINES = 6
# A line has about 2,000 bytes. Without an end it would be held, and copied, piece after piece.
_LONGEST_LINE_BYTES = 1 << 20
# The word that fewest lines have is looked for first.
_PLAIN = (b'"RunInstances"', b'"Linux"', b'"Shared"', b'"Used"', b'"No License required"', b'"USD"')
_WANTED = {
    "Tenancy": ("Shared",),
    "Operating System": ("Linux",),
    "CapacityStatus": ("Used",),
    "Pre Installed S/W": ("NA", ""),
    "License Model": ("No License required",),
    "operation": ("RunInstances",),
    "Currency": ("USD",),
    # Rows of capacity blocks cost nothing by the hour: they are paid when they are booked.
    "MarketOption": ("OnDemand", ""),
    "Location Type": ("AWS Region",),
}
_NEEDED = (*_WANTED, "SKU", "OfferTermCode", "TermType", "Unit", "PricePerUnit", "LeaseContractLength", "PurchaseOption")
_NEEDED += ("EffectiveDate", "OfferingClass", "Instance Type", "Region Code", "Location")
_TERM = re.compile(r"(\d{1,2}) ?(yr|year|mo|month)s?", re.IGNORECASE)
_PAID = {"No Upfront": "none", "Partial Upfront": "partial", "All Upfront": "all"}
_HOURS_OF_A_MONTH = 730


def fetch(context: FetchContext) -> Iterable[Payload]:
    """One file per region, as CSV, of which the lines that matter are kept."""
    path, regions = "/offers/v1.0/aws/AmazonEC2/current/{}/index.csv", regions_of_the_day(context, _REGIONS)
    return each_answer(context, {region: Request(context.base_url + path.format(region), keep=lines_kept) for region in regions})


def lines_kept() -> Callable[[bytes], bytes]:
    """Gives of the pieces of a file, one after the other and b"" at the end, the header and the lines of machines with accelerators."""
    rest, lines_seen = b"", 0

    def keep(piece: bytes) -> bytes:
        nonlocal rest, lines_seen
        if not piece:
            last, rest = rest, b""
            return b"".join(_lines_of_machines(last, 0))
        text = rest + piece
        end = text.rfind(b"\n") + 1
        rest = text[end:]
        if len(rest) > _LONGEST_LINE_BYTES:
            raise SourceError(f"{_WHAT}: a line of more than {_LONGEST_LINE_BYTES:,} bytes; it is no price list")
        head = 0
        while lines_seen < _PREAMBLE_LINES and head < end:
            head = text.index(b"\n", head) + 1
            lines_seen += 1
        return b"".join([text[:head], *_lines_of_machines(text[:end], head)])

    return keep


def _lines_of_machines(text: bytes, begin: int) -> Iterable[bytes]:
    """Lines from a place on. One search over all of it: most lines are of storage and of machines without accelerators."""
    end = begin
    for found in MACHINE_USAGE.finditer(text, begin):
        if found.start() >= end:
            start = text.rfind(b"\n", end, found.start()) + 1 or end
            end = text.find(b"\n", found.end()) + 1 or len(text)
            # Looked for in place: a copy of each line would cost more than the search.
            for word in _PLAIN:
                if text.find(word, start, end) < 0:
                    break
            else:
                yield text[start:end]


@parser(_WHAT)
def parse(content: bytes) -> pl.DataFrame:
    """One offer per machine on demand, and one per term, payment and class of Reserved: its hourly fee and its upfront by the hour.

    Raises ParseError for another preamble, a header without a column that is needed, and a file without a price.
    """
    *preamble, body = content.removeprefix(BOM_UTF8).split(b"\n", _PREAMBLE_LINES)
    if len(preamble) < _PREAMBLE_LINES or not preamble[0].startswith(b'"FormatVersion",'):
        raise ParseError(f"{_WHAT}: expected FormatVersion and {_PREAMBLE_LINES - 1} lines before the rows")
    header = _fields(preamble[-1])
    missing = [name for name in _NEEDED if name not in header]
    if missing:
        raise ParseError(f"{_WHAT}: column {missing[0]} is missing")
    last = body.rstrip().rpartition(b"\n")[2]
    if last and len(_fields(last)) != len(header):
        raise ParseError(f"{_WHAT}: the last line has {len(_fields(last))} fields, expected {len(header)}: it was cut off")
    lines = _columns(preamble[-1].strip(), body)
    plain = lines.filter(pl.col(name).is_in(values) for name, values in _WANTED.items()).rows(named=True)
    found = [*_on_demand(plain), *_reserved(plain)]
    if lines.height and not found:
        raise ParseError(f"{_WHAT}: none of {lines.height} lines is a price of a Linux machine")
    return offers(found, provider="aws", currency="USD", price_unit="instance_hour")


def _fields(line: bytes) -> list[str]:
    return next(csv.reader([line.decode()], strict=True))


def _columns(header: bytes, body: bytes) -> pl.DataFrame:
    """The columns that are needed, as text, of the lines that fit the header: one with more fields has a value under `beyond`."""
    beyond = "__beyond"
    lines = pl.read_csv(
        header + f',"{beyond}"\n'.encode() + body,
        columns=[*_NEEDED, beyond],
        infer_schema=False,
        truncate_ragged_lines=True,
    )
    return lines.fill_null("").filter(pl.col(beyond) == "").drop(beyond)


def _on_demand(rows: Iterable[dict[str, str]]) -> Iterable[dict[str, object]]:
    for row in rows:
        if row["TermType"] == "OnDemand" and row["Unit"] == "Hrs" and number_of(row["PricePerUnit"]) != 0:
            yield {**_machine(row), "sku": row["Instance Type"], "native_amount": row["PricePerUnit"]}


def _reserved(rows: Iterable[dict[str, str]]) -> Iterable[dict[str, object]]:
    terms: dict[tuple[str, str, str], list[dict[str, str]]] = defaultdict(list)
    for row in rows:
        if row["TermType"] == "Reserved":
            terms[row["SKU"], row["OfferTermCode"], row["EffectiveDate"]].append(row)
    for parts in terms.values():
        row = parts[0]
        months = _months(row["LeaseContractLength"])
        stated = [(part["Unit"], number_of(part["PricePerUnit"])) for part in parts]
        amounts = [(unit, amount) for unit, amount in stated if amount is not None and unit in ("Hrs", "Quantity")]
        is_known = len(amounts) == len(stated)
        yield {
            **_machine(row),
            "sku": f"{row['Instance Type']} {row['OfferingClass']}",
            "purchase_option": "commitment",
            "purchase_option_as_named": f"Reserved, {row['OfferingClass']}, {row['PurchaseOption']}",
            "payment_option": _PAID.get(row["PurchaseOption"], row["PurchaseOption"]),
            "commitment_months": months,
            "native_amount": _by_the_hour(amounts, months) if months and is_known else None,
        }


def _months(term: str) -> int | None:
    found = _TERM.fullmatch(term.strip())
    return None if found is None else int(found[1]) * (12 if found[2].lower().startswith("y") else 1)


def _by_the_hour(amounts: Sequence[tuple[str, Decimal]], months: int) -> str:
    hours = Decimal(months * _HOURS_OF_A_MONTH)
    total = sum((amount / (1 if unit == "Hrs" else hours) for unit, amount in amounts), Decimal(0))
    return below_zero(amounts) or f"{total:.8f}"


def _machine(row: dict[str, str]) -> dict[str, object]:
    return {"region": row["Region Code"] or row["Location"], "instance_type": row["Instance Type"], "starts_on": row["EffectiveDate"]}

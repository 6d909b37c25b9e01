"""What the AWS sources share: the machines to ask for, the regions of a day, and with a key a client per region and errors told apart.

Belongs here: boto3, imported only when a source is fetched. Does not belong here: what any answer means.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from importlib import resources
from typing import Any

from pipelines.platform.clock import utc_now
from pipelines.platform.text import fit_to_show
from pipelines.sources.lib.decode import field_of, read_json
from pipelines.sources.lib.errors import OfflineError, SourceError
from pipelines.sources.lib.source import FetchContext, Payload

NOMINAL_URL = "https://ec2.amazonaws.com"
CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
# Keys of roles and of single sign-on hold only together with it.
SESSION_TOKEN = ("AWS_SESSION_TOKEN",)
_HOME_REGION = "us-east-1"
_REGIONS_AT_ONCE = 8
_MAX_CODE = 80
# An account that has not switched a region on is told so; that is no fault. A missing permission is another code.
_NOT_ENABLED = ("AuthFailure", "OptInRequired")
# In the usage type of a price: hours of a machine with accelerators.
MACHINE_USAGE = re.compile(rb"BoxUsage:(?:p|gr?|trn|inf|dl)[0-9]")
_REGION_INDEX = "/offers/v1.0/aws/AmazonEC2/current/region_index.json"
_REGION = re.compile(r"^(?!cn-|us-gov-|us-iso)[a-z]{2}-[a-z]+-[0-9]$")
_DAYS_OF_A_ROUND = 7


def gpu_instance_types() -> list[str]:
    """EC2 types that hold accelerators, from the curated table."""
    text = resources.files("pipelines").joinpath("reference/instance_gpu.csv").read_text(encoding="utf-8")
    return sorted({row["instance_type"] for row in csv.DictReader(io.StringIO(text)) if row["provider"] == "aws"})


def regions_of_the_day(context: FetchContext, daily: Sequence[str] = ()) -> list[str]:
    """The `daily` regions and a seventh of the others, another one each day of the week: a file of a region is long, and changes rarely.

    Which regions there are stands in the price list's own index; where that cannot be read the table of regions says it.
    """
    try:
        index = read_json(context.http.get(context.base_url + _REGION_INDEX).content, "index of regions")
        listed = field_of(index, "regions")
    except OfflineError:
        raise
    except SourceError as error:
        context.problem(f"index of regions: {error}")
        listed = None
    # Local zones and other partitions have longer names, or are not sold to everybody.
    known = [code for code in listed if _REGION.match(code)] if isinstance(listed, dict) else _regions_of_the_table()
    others = sorted(set(known) - set(daily))
    return [*daily, *others[context.as_of.toordinal() % _DAYS_OF_A_ROUND :: _DAYS_OF_A_ROUND]]


def _regions_of_the_table() -> list[str]:
    text = resources.files("pipelines").joinpath("reference/region_country.csv").read_text(encoding="utf-8")
    return [row["region"] for row in csv.DictReader(io.StringIO(text)) if row["provider"] == "aws" and _REGION.match(row["region"])]


def by_region(context: FetchContext, rows_of: Callable[[Any], Iterable[dict[str, Any]]]) -> Iterable[Payload]:
    """One payload per region of the account: the rows that `rows_of(client)` gives, as JSON with ISO times.

    Raises OfflineError where the first region cannot be reached, SourceError where the account is refused. A region that fails later
    is a problem of its own.
    """
    make_client = _client_maker(context)
    regions = _account_regions(context, make_client)
    refused: list[SourceError] = []
    answered = 0

    def one(region: str) -> list[dict[str, Any]] | SourceError | None:
        return _rows_or_error(context, region, make_client, rows_of)

    with ThreadPoolExecutor(max_workers=_REGIONS_AT_ONCE, thread_name_prefix="aws") as pool:
        for region, found in zip(regions, pool.map(one, regions), strict=True):
            if isinstance(found, SourceError):
                context.problem(f"region {region}: {found}")
                refused.append(found)
            elif found is not None:
                answered += 1
                content = json.dumps({"region": region, "rows": found}, default=_plain, sort_keys=True).encode()
                yield Payload(region, f"{context.base_url}/?Region={region}", content, utc_now())
    if refused and not answered:
        raise SourceError(f"all of {len(regions)} regions are refused or out of reach: {refused[0]}")


def _client_maker(context: FetchContext) -> Callable[[str], Any]:
    import boto3  # noqa: PLC0415  (slow to import; only where there is a key)
    from botocore.config import Config  # noqa: PLC0415

    config = Config(connect_timeout=5, read_timeout=30, retries={"mode": "standard", "max_attempts": 4}, max_pool_connections=4)
    keys = {
        "aws_access_key_id": context.credentials[CREDENTIALS[0]],
        "aws_secret_access_key": context.credentials[CREDENTIALS[1]],
        "aws_session_token": context.credentials.get(SESSION_TOKEN[0]),
    }
    endpoint = None if context.base_url == NOMINAL_URL else context.base_url

    def make(region: str) -> Any:
        # A session of its own: sessions are not safe to share between threads.
        return boto3.Session(**keys).client("ec2", region_name=region, endpoint_url=endpoint, config=config)

    return make


def _account_regions(context: FetchContext, make_client: Callable[[str], Any]) -> list[str]:
    from botocore import exceptions  # noqa: PLC0415

    host = f"ec2.{_HOME_REGION}.amazonaws.com"
    context.http.breaker.before(host)
    try:
        answer = make_client(_HOME_REGION).describe_regions(AllRegions=False)
    except (exceptions.EndpointConnectionError, exceptions.ConnectTimeoutError) as error:
        context.http.breaker.unreachable(host)
        raise OfflineError(f"{host}: {type(error).__name__}") from None
    except exceptions.ClientError as error:
        context.http.breaker.answered()
        raise SourceError(f"DescribeRegions was refused: {_code(error)}") from None
    context.http.breaker.answered()
    return sorted(region["RegionName"] for region in answer["Regions"])


def _rows_or_error(
    context: FetchContext, region: str, make_client: Callable[[str], Any], rows_of: Callable[[Any], Iterable[dict[str, Any]]]
) -> list[dict[str, Any]] | SourceError | None:
    from botocore import exceptions  # noqa: PLC0415

    try:
        return list(rows_of(make_client(region)))
    except exceptions.ClientError as error:
        # The region is not switched on for this account: nothing is missing that could be bought.
        return None if _code(error) in _NOT_ENABLED else SourceError(f"{error.operation_name} is refused: {_code(error)}")
    except exceptions.BotoCoreError as error:
        return SourceError(type(error).__name__)


def _code(error: Any) -> str:
    return fit_to_show(str(error.response.get("Error", {}).get("Code", "without a code")), _MAX_CODE)


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no form in JSON")

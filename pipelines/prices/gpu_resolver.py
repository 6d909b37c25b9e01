"""From an accelerator's name in a source's own words to its canonical id, or to NULL: a form factor is never guessed.

Belongs here: normalising names and applying the ordered alias rules and the memory stated beside the name. Does not belong here: the
rules themselves (`reference/gpu_alias_rule.csv`), machine types (`reference/instance_gpu.csv`).
"""

from __future__ import annotations

import polars as pl

_PUNCTUATION = r"[_/\-+(),:\[\]®™]"
_BRAND_WORDS = r"\b(NVIDIA|AMD|INSTINCT|RADEON|INTEL|GOOGLE|ACCELERATOR|GPU|GRAPHICS|TENSOR CORE|GENERATION|EDITION)\b|TESLA ?|GEFORCE ?"
# A stated memory further than this from the device's own means that name and memory speak of different devices: decimal against binary
# units and what drivers report lie within it, an SXM module of 94 GB (that is the NVL's memory) does not.
_MEMORY_TOLERANCE = 0.12
# Words that say that less than a whole device is sold: MIG and vGPU profiles, partitions, fractions, shared and time-sliced devices.
_SLICE = (
    r"\bMIGS?\d*\b|\b\d+C?\.?\d*G\.\d+GB\b|\bV(?:GPU|WS|DWS|PC|CS|APPS?)\b|\bGRID\b|\bSHAR(?:ED?|ING)\b|TIME.?(?:SLIC|SHAR)|\bMPS\b|\b\d*VFS?\b"
    r"|\bSR.?IOV\b|PARTITION|\b(?:[CDQT]PX|NPS[24])\b|FRACTION|\bSLICE|\bVIRTUAL\b|\bHALF\b|\bQUARTER\b"
    r"|\b(?:ONE|1)[ -](?:THIRD|FOURTH|FIFTH|SIXTH|SEVENTH|EIGHTH)|\b(?:THIRD|FOURTH|FIFTH|SIXTH|SEVENTH|EIGHTH)S? OF\b"
)
# The same as numbers and suffixes, which stand for other things in the name of a product.
_SLICE_OF_NAME = _SLICE + (
    r"|[- ]\d+[QCAB]\b|\b0?[.,]\d+ ?[X×]|[X×*] ?0?[.,]\d|(?:^|[- ])0[.,]\d+\b"
    r"|\b\d+ ?/ ?\d+\b|/ ?[2-9]$|\b\d+ ?OF ?\d+\b|\b\d+ ?%|[½⅓⅔¼¾⅕⅙⅐⅛⅜⅝⅞]"
)
# Words that compare with a device or leave open which one it is.
_NOT_ITSELF = (
    r"\bOR (?:BETTER|BEST|SIMILAR|HIGHER|ABOVE|EQUIVALENT)\b|\bUP TO\b|\bEQUIVALENT\b|\bALTERNATIVE\b|\bCOMPARABLE\b|\bSIMILAR\b|\bCLASS\b"
)
# Families of devices: a name with two of them speaks of two devices, and of neither for sure.
_FAMILY = (
    r"\b(?:GB300|GB200|GH200|B300|B200|H200|H100|H800|H20|A100X?|A800|L40S|L40|L20|L4|L2|A10G|A10M?|A16|A30|A40|A2|T4G|T4|V100S?|P100|P40|P4|K80|M60"
    r"|MI\d{2,3}[XA]?|GAUDI ?\d?|TRAINIUM ?\d?|INFERENTIA ?\d?|(?:RTX|GTX) ?(?:PRO ?)?A?\d{4}|A\d{4})\b"
)
_FORM = r"\b(SXM\d?|HGX|PCIE?|NVL|NVLINK|OAM|MEGA|PLUS|HBM3)\b"

_name, _memory = pl.col("__name"), pl.col("__memory")


def normalised(name: pl.Expr) -> pl.Expr:
    """Upper case, one space between words, without brand words, punctuation and a leading count (`8x `)."""
    return (
        name.str.to_uppercase()
        .str.replace_all(_PUNCTUATION, " ")
        .str.replace_all(_BRAND_WORDS, " ")
        .str.replace_all(r"\s+", " ")
        .str.strip_chars()
        .str.replace(r"^\d+ ?[X×] ?", "")
        .str.replace_all(r"(\d)(SXM|PCIE|NVL|HGX)", "$1 $2")
    )


def is_less_than_whole(product: pl.Expr) -> pl.Expr:
    """True where a product's own name says that it is a part of a device (`gpu_1x_h100_mig`); unknown where there is no name."""
    return _in_words(product).str.contains(_SLICE)


def _in_words(text: pl.Expr) -> pl.Expr:
    # An underscore is a letter to an expression.
    return text.str.to_uppercase().str.replace_all("_", " ")


def with_form_of_product(name: pl.Expr, product: pl.Expr) -> pl.Expr:
    """The name of a device with the form that the product's name says (`gpu_8x_h100_sxm5`), where its own says none."""
    words = product.str.to_uppercase().str.replace_all(r"[\s_\-/.]+", " ")
    form = (
        pl.when(words.str.contains(r"\b(SXM\d?|HGX)\b"))
        .then(pl.lit(" SXM"))
        .when(words.str.contains(r"\bPCIE?\b"))
        .then(pl.lit(" PCIe"))
        .when(words.str.contains(r"\bNVL\b"))
        .then(pl.lit(" NVL"))
        .otherwise(pl.lit(""))
    )
    is_said = normalised(name).str.contains(_FORM)
    return pl.when(is_said | product.is_null()).then(name).otherwise(pl.concat_str(name, form))


def memory_of_product(name: pl.Expr, product: pl.Expr) -> pl.Expr:
    """The memory that the product's name says of a device that is made with two (A100 of 40 and 80 GB); NULL for all others."""
    said = product.str.to_uppercase().str.extract(r"(?:^|[\s_\-/.])(40|80) ?(?:GB?|GIB)(?:$|[\s_\-/.])", 1).cast(pl.Float64)
    return pl.when(normalised(name).str.contains(r"\bA100\b")).then(said)


def resolve(names: pl.LazyFrame, rules: pl.LazyFrame, gpus: pl.LazyFrame) -> pl.LazyFrame:
    """Add `gpu` and `is_gpu_conflict` to distinct pairs of `gpu_as_named` and `gpu_memory_gib_stated` (NULL or 0 where not stated).

    `rules` has rule_order, pattern, except_pattern, gpu; `gpus` has gpu, gpu_memory_gb. A conflict is a name and a memory that cannot
    belong to one device; its gpu is NULL. So is the gpu of a name of two devices, of a slice, of an unknown device, and of one that
    would need a guess.
    """
    stated = pl.col("gpu_memory_gib_stated")
    stated_in_name = _name.str.extract(r"\b(\d{1,3}) ?(?:GB|GIB|G)\b", 1).cast(pl.Float64)
    read = (
        names.select("gpu_as_named", "gpu_memory_gib_stated")
        .unique()
        .with_columns(__name=normalised(pl.col("gpu_as_named")))
        # A stated 0 stands for unknown. The memory in a GH200's name is its processor's.
        .with_columns(__memory=pl.coalesce(_known(stated), _known(pl.when(~_name.str.contains("GH200")).then(stated_in_name))))
    )
    by_rule = (
        read.select("__name")
        .unique()
        .join(rules.rename({"gpu": "__rule_gpu"}), how="cross")
        .filter(_name.str.contains(pl.col("pattern")) & ~_name.str.contains(pl.col("except_pattern")).fill_null(False))
        .sort("rule_order")
        .unique("__name", keep="first", maintain_order=True)
        .select("__name", "__rule_gpu")
    )
    joined = read.join(by_rule, on="__name", how="left").with_columns(
        __by_memory=_decided_by_memory(), __is_ambiguous=_is_rtx_6000() | _is_a100()
    )
    decided = pl.when(pl.col("__is_ambiguous")).then("__by_memory").otherwise(_refined(pl.col("__rule_gpu")))
    device_memory = gpus.select(pl.col("gpu").alias("__gpu"), pl.col("gpu_memory_gb").alias("__device_memory"))
    ratio = _memory / pl.col("__device_memory")
    names_one_device = (
        ~_name.str.contains(r"\bX\d+\b.*\bX\d+\b")
        & (_name.str.extract_all(_FAMILY).list.eval(pl.element().str.replace_all(" ", "")).list.unique().list.len() <= 1)
        & ~_in_words(pl.col("gpu_as_named")).str.contains(f"{_SLICE_OF_NAME}|{_NOT_ITSELF}")
    )
    return (
        joined.with_columns(__gpu=pl.when(names_one_device).then(decided))
        .join(device_memory, on="__gpu", how="left")
        .with_columns(
            is_gpu_conflict=(
                (names_one_device & pl.col("__is_ambiguous") & pl.col("__by_memory").is_null())
                | ((ratio < 1 - _MEMORY_TOLERANCE) | (ratio > 1 + _MEMORY_TOLERANCE))
            ).fill_null(False)
        )
        .select(
            "gpu_as_named",
            "gpu_memory_gib_stated",
            gpu=pl.when(~pl.col("is_gpu_conflict")).then("__gpu"),
            is_gpu_conflict="is_gpu_conflict",
        )
    )


def _known(memory: pl.Expr) -> pl.Expr:
    return pl.when(memory > 0).then(memory)


def _is_rtx_6000() -> pl.Expr:
    named_fully = _name.str.contains(r"ADA|PRO|BLACKWELL|Q(UADRO)? ?RTX")
    return _memory.is_not_null() & _name.str.contains(r"\bRTX ?6000\b") & ~named_fully


def _is_a100() -> pl.Expr:
    return _memory.is_not_null() & _name.str.contains(r"\bA100\b")


def _decided_by_memory() -> pl.Expr:
    """Names that several devices share, where the memory decides."""
    form = pl.when(_name.str.contains("SXM|HGX")).then(pl.lit("sxm")).when(_name.str.contains("PCI")).then(pl.lit("pcie"))
    size = pl.when(_memory.is_between(36, 44)).then(pl.lit("40")).when(_memory.is_between(72, 88)).then(pl.lit("80"))
    rtx = (
        pl.when(_memory.is_between(12, 36, closed="left"))
        .then(pl.lit("quadro-rtx-6000-24"))
        .when(_memory.is_between(36, 60))
        .then(pl.lit("rtx-6000-ada-48"))
        .when(_memory.is_between(84, 108))
        .then(pl.lit("rtx-pro-6000-96"))
    )
    a100 = pl.concat_str([pl.lit("a100-"), form.otherwise(pl.lit("any")), pl.lit("-"), size])
    return pl.when(_is_rtx_6000()).then(rtx).when(_is_a100()).then(a100)


def _refined(gpu: pl.Expr) -> pl.Expr:
    """Devices of one name in two memory sizes."""
    return (
        pl.when((gpu == "h100-any-80") & _memory.is_between(92, 96.5))
        .then(pl.lit("h100-nvl-94"))
        .when((gpu == "v100-16") & (_memory > 24))
        .then(pl.lit("v100-32"))
        .when((gpu == "gh200-96") & (_memory > 120))
        .then(pl.lit("gh200-144"))
        .when((gpu == "h20-96") & (_memory > 120))
        .then(pl.lit("h20-141"))
        .when((gpu == "rtx-pro-5000-48") & (_memory > 60))
        .then(pl.lit("rtx-pro-5000-72"))
        .otherwise(gpu)
    )

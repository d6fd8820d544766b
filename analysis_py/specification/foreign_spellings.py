"""Spellings of Stata that people bring along, and what to write instead."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

_NAME = r"[^\W\d]\w*"
_NAMES = rf"{_NAME}(?:\s+{_NAME})+"


def advise_on_term(text: str) -> str:
    """What to write instead of a term in Stata's spelling; '' where it is none."""
    text = text.strip()
    for pattern, advice in _TERM_RULES:
        hit = pattern.fullmatch(text)
        if hit:
            return advice(hit)
    return ""


def advise_on_column(text: str) -> str:
    """What to write instead of a fixed effect or cluster in Stata's spelling; '' where it is none."""
    text = text.strip()
    weight = re.fullmatch(rf"\[?\s*(?:a|p|f|i)?(?:weight|w)\s*=\s*({_NAME})\s*\]?", text)
    if weight:
        return f"write the column alone: {weight[1]} (weights are analytic, Stata's aweights)"
    if text.lower() == "none":
        return "write [] for none"
    if re.fullmatch(_NAMES, text):
        return f"write a list: [{', '.join(text.split())}]"
    parts = [p.strip() for p in re.split(r"##|#|\*", text)]
    if not all(re.fullmatch(rf"(?:(?:i|ib\d*|c)\.)?{_NAME}", p) for p in parts):
        return ""
    bare = [p.split(".")[-1] for p in parts]
    slopes = [p.removeprefix("c.") for p in parts if p.startswith("c.")]
    if slopes and len(parts) > 1:
        dummies = [f"i.{b}" for b, p in zip(bare, parts, strict=True) if not p.startswith("c.")]
        return f"slopes by group are a term, not a fixed effect: controls: [{'*'.join([*dummies, *slopes])}]"
    written = "^".join(bare)
    return f"write {written}, without i. or #: a^b is the interaction of a and b" if written != text else ""


def advise_on_key(key: str, known: Collection[str]) -> str:
    """The key of a study file that an option of Stata stands for; '' where none of ``known`` does."""
    for targets, options, advice in _KEY_RULES:
        if key.lower() in options and all(t in known for t in targets):
            return advice
    return ""


def advise_on_choice(key: str, value: str) -> str:
    """What to write under ``key`` instead of the name of a Stata command; '' where it is none."""
    words = re.findall(r"\w+", value.lower())
    for place, commands, advice in _CHOICE_RULES:
        if key == place and words and words[0] in commands:
            return advice.format(command=words[0])
    return ""


def advise_on_expression(text: str) -> str:
    """What to write instead of a condition or formula in Stata's spelling; '' where it is none."""
    bare = re.sub(r"'[^']*'|\"[^\"]*\"", " ", text).strip()
    return next((advice for pattern, advice in _EXPRESSION_RULES if pattern.search(bare)), "")


def advise_on_covariance(given: object) -> str:
    """The covariance meant by ``cluster id``, ``vce(cluster id)``, ``{cluster: id}`` or ``xtscc``; '' otherwise."""
    if isinstance(given, dict):
        given = " ".join(f"{key} {value}" for key, value in given.items())
    if str(given).strip().startswith("xtscc"):
        return "write {type: driscoll_kraay, lag: 2}"
    clusters = rf"(?:vce\s*\(?)?\s*(?:cl|cluster|clustered)[\s(]+({_NAME}(?:\s+{_NAME})*)[\s)]*"
    hit = re.fullmatch(clusters, str(given).strip())
    return f"write {{type: cluster, by: [{', '.join(hit[1].split())}]}}" if hit else ""


def _lag(hit: re.Match[str]) -> str:
    return f"write {hit[1].upper()}{hit[2]}.{hit[3]}, with a capital {hit[1].upper()}"


def _several_lags(hit: re.Match[str]) -> str:
    first, last = int(hit[2]), int(hit[3])
    if last - first not in range(1, 12):
        return f"write each lag as a term of its own: {hit[1].upper()}.{hit[4]}"
    letter = hit[1].upper()
    listed = [f"{letter}{k}.{hit[4]}" if k else hit[4] for k in range(first, last + 1)]
    return f"write each as a term of its own: {', '.join(listed)}"


def _difference(hit: re.Match[str]) -> str:
    return (
        f"there are no differences ({hit[1]}.) and no SQL like '{hit[2]} - L.{hit[2]}'; enter {hit[2]} and L.{hit[2]}"
        " as two terms, or bring the difference as a column of the panel"
    )


def _product(hit: re.Match[str]) -> str:
    text = hit[0]
    parts = [re.sub(r"^c\.", "", p.strip()) for p in re.split("##|#", text)]
    parts = [_level(p) for p in parts]
    product = "*".join(parts)
    parts = list(dict.fromkeys(parts))
    if "##" in text:
        return f"write the terms one by one: {', '.join([*parts, product])} (or use estimator: moderation)"
    return f"write {product}"


def _level(part: str) -> str:
    """``i.x`` for one level of a factor, ``1.x``: terms have all levels but the lowest."""
    return re.sub(rf"^(?:ib?\d+|\d+)\.(?={_NAME}$)", "i.", part)


def _one_level(hit: re.Match[str]) -> str:
    return (
        f"write {hit[2]} if it is 0/1, or i.{hit[2]} for all levels but the lowest; one level alone is SQL under a name"
        f' of its own: transforms: {{d: "{hit[2]} = {hit[1]}"}}'
    )


def _power(hit: re.Match[str]) -> str:
    return f"write {'*'.join([hit[1]] * int(hit[2]))}"


def _formula(hit: re.Match[str]) -> str:
    plus_one = re.fullmatch(rf"({_NAME})\s*\+\s*1|1\s*\+\s*({_NAME})", hit[0])
    if plus_one:
        return f"ln(1 + {plus_one[1] or plus_one[2]}) is written log1p({plus_one[1] or plus_one[2]})"
    return f'give it a name: transforms: {{new_name: "{hit[0]}"}}, then use new_name as a term'


def _names_in_brackets(hit: re.Match[str]) -> str:
    return f"write each as a term of its own: {', '.join(f'{hit[1].upper()}.{name}' for name in hit[2].split())}"


_TERM_RULES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"[^#]+(?:##?[^#]+)+", re.DOTALL), _product),
    (re.compile(rf"([LFlf])(?:\(\d+/\d+\)|\d*)\.\(({_NAME}(?:\s+{_NAME})*)\)"), _names_in_brackets),
    (re.compile(r"([LFlf])\((\d+)/(\d+)\)\.(.+)", re.DOTALL), _several_lags),
    (re.compile(r"([lf])(\d*)\.(.+)", re.DOTALL), _lag),
    (re.compile(r"([DdSs]\d*)\.(.+)", re.DOTALL), _difference),
    (re.compile(r"c\.(.+)", re.DOTALL), lambda hit: f"write {hit[1]}, without c."),
    (
        re.compile(r"ib\w*\.(.+)", re.DOTALL),
        lambda hit: f"write i.{hit[1]}: the lowest level is left out",
    ),
    (re.compile(rf"(\d+)\.({_NAME})"), _one_level),
    (re.compile(rf"({_NAME})\s*(?:\^|\*\*)\s*([2-4])"), _power),
    (re.compile(_NAMES), lambda hit: f"write a list: [{', '.join(hit[0].split())}]"),
    (re.compile(rf"(?:{_NAME}|[\d.]+)(?:\s*[-+/*^]\s*(?:{_NAME}|[\d.]+))+"), _formula),
    (re.compile(r"(?:exp|sqrt|abs|round|floor|ceil|sign)\(.+\)", re.DOTALL), _formula),
    (
        re.compile(r"\(?([^=()]+?)\s*=\s*([^\W\d][^=()]*)\)?"),
        lambda hit: f"write endogenous: [{', '.join(hit[1].split())}] and instruments: [{', '.join(hit[2].split())}]",
    ),
    (re.compile(r"std\((.+)\)"), lambda hit: f"write {hit[1]} and transforms: {{{hit[1]}: standardise}}"),
    (re.compile(r"_all|[^*\s]*\*|[^?\s]*\?"), lambda hit: "there are no wildcards: name each column"),
)

_NO_EQUIVALENT = "'{command}' has no equivalent here (docs/how-to/from-stata.md lists what has none)"

#: Keys an option stands for, the option in Stata's commands, what to write.
_KEY_RULES: tuple[tuple[tuple[str, ...], tuple[str, ...], str], ...] = (
    (
        ("covariance",),
        ("vce", "robust", "r", "cluster", "cl", "se", "errors"),
        "write covariance: hc1, or covariance: {type: cluster, by: [city_code]}",
    ),
    (("fixed_effects",), ("absorb", "a", "fe", "effects"), "write fixed_effects: [city_code, year]"),
    (("sample",), ("if", "in", "keep", "drop", "where", "subset", "filter"), 'write sample: "year >= 2010"'),
    (("outcome",), ("y", "depvar", "dependent", "dep_var", "lhs"), "write outcome: CP"),
    (
        ("treatment", "controls"),
        ("x", "indepvars", "regressors", "rhs", "covariates", "independent"),
        "write treatment: [..] for what the table is about and controls: [..] for the rest",
    ),
    (("endogenous",), ("endog",), "write endogenous: [AI]"),
    (("instruments",), ("instrument", "inst", "ivs", "z"), "write instruments: [L.AI]"),
    (("weights",), ("weight", "aweight", "aw", "pweight", "pw", "fweight", "fw"), "write weights: column"),
    (("winsor",), ("winsor2", "winsorize", "winsorise"), "write winsor: {columns: [CP], limits: [1, 99]}"),
    (("limits",), ("cuts", "p"), "write limits: [1, 99]"),
    (("mechanism",), ("mediator", "mediators"), "write estimator: mechanism and mechanism: {mediators: [UIS]}"),
    (("split",), ("by", "group", "over"), "write estimator: heterogeneity and split: {by: column}"),
    (("variable",), ("qx", "q"), "write variable: Fin"),
    (("regime_terms",), ("rx",), "write regime_terms: [AI]"),
    (("count",), ("thnum",), "write count: 2"),
    (("bootstrap",), ("bs", "reps"), "write bootstrap: [300]"),
    (("by",), ("group",), "write by: column"),
    (("draws",), ("reps", "bootstrap"), "write draws: 1000"),
    (("unit", "time"), ("xtset", "tsset"), "write unit: city_code and time: year, each a key of the file"),
    (("unit",), ("panelvar", "id", "i"), "write unit: city_code"),
    (("time",), ("timevar", "t"), "write time: year"),
    (
        ("covariance",),
        ("level",),
        "limits are at 95 percent; others follow from estimate, std_error and df of the JSON",
    ),
    (("estimator",), ("command", "cmd", "method", "model"), "write estimator: twfe"),
)

#: Key, commands of Stata, what to write there.
_CHOICE_RULES: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("estimator", ("reghdfe", "xtreg", "areg"), "write estimator: twfe (the default) and convention: {command}"),
    (
        "estimator",
        ("regress", "reg", "ols", "fe"),
        "write estimator: twfe, the default; without fixed effects (fixed_effects: []) it is Stata's regress",
    ),
    (
        "estimator",
        ("ivreg2", "xtivreg2", "ivreghdfe", "ivregress"),
        "write estimator: iv and convention: {command}",
    ),
    ("estimator", ("xtivreg",), "write estimator: iv and convention: xtivreg2"),
    ("estimator", ("xthreg",), "write estimator: threshold and convention: xthreg"),
    ("estimator", ("ppmlhdfe", "ppml", "xtpoisson"), "write estimator: poisson"),
    ("estimator", ("summarize", "sum", "tabstat", "su"), "write estimator: descriptive"),
    (
        "estimator",
        ("bdiff", "suest", "chowtest"),
        "write estimator: heterogeneity and split: {{by: column, tests: [permutation, suest]}}",
    ),
    ("estimator", ("sgmediation", "sgmediation2", "b1x2"), "write estimator: mechanism"),
    ("estimator", ("margins",), "write estimator: moderation and margins: {{at: [..]}}"),
    ("estimator", ("boottest",), "write covariance: {{type: wild, by: [column]}}"),
    (
        "estimator",
        (
            *("xtabond2", "xtabond", "xtdpdsys", "xtdpdgmm", "gmm", "sgmm", "re", "be", "tobit", "logit", "probit"),
            *("qreg", "xtscc", "heckman", "sfpanel", "psmatch2", "rdrobust", "synth", "nbreg", "mixed"),
        ),
        _NO_EQUIVALENT,
    ),
    ("tests", ("bdiff",), "write permutation; permute: rows deals rows as bdiff does"),
    ("method", ("gmm", "gmm2s", "cue"), _NO_EQUIVALENT),
    (
        "convention",
        ("regress", "reg", "ols"),
        "without fixed effects (fixed_effects: []) every convention is Stata's regress; leave the key out",
    ),
    ("convention", ("ppmlhdfe",), "write convention: reghdfe, which counts as ppmlhdfe does under estimator: poisson"),
)

#: What is found in a condition or formula outside quotes, and what to write instead; the first hit counts.
_EXPRESSION_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"^drop\s+if\b", re.IGNORECASE), "write the rows to keep: not (the condition of drop if)"),
    (re.compile(r"^(?:keep\s+)?if\b", re.IGNORECASE), "write the condition alone, without if"),
    (
        re.compile(r"\b(?:bysort|bys|egen|gen|generate|replace)\s+\w|^by\s+[\w\s]+:|,\s*by\s*\("),
        "write the value alone; a mean by group is: avg(CP) over (partition by city_code)",
    ),
    (re.compile(r"\binrange\("), "inrange(x, a, b) is: x between a and b"),
    (re.compile(r"\binlist\("), "inlist(x, a, b) is: x in (a, b)"),
    (re.compile(r"\bmi(?:ssing)?\("), "missing(x) is: x is null; !missing(x) is: x is not null"),
    (re.compile(r"\bcond\("), "cond(c, a, b) is: case when c then a else b end"),
    (
        re.compile(r"[<>=]\s*\.(?!\d)"),
        "a missing value is null: x is null, x is not null; a comparison with it is never fulfilled",
    ),
    (re.compile(r"\[\s*_n|\b_[nN]\b"), "rows have no number here; lags by calendar time are terms: L.x"),
    (re.compile(r"(?<!&)&(?!&)"), "write and instead of &"),
    (re.compile(r"(?<!\|)\|(?!\|)"), "write or instead of |"),
    (re.compile(r"~="), "write <> instead of ~="),
    (re.compile(r"!(?!=)"), "write not instead of !"),
)

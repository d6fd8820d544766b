"""Do-files of exports: there is no Stata here, so their structure is checked, and the .dta is read again."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis_py.errors import CarbonpanelError
from analysis_py.export.data_files import code
from analysis_py.export.equation import CONSTANT, Export
from analysis_py.export.folder import write_folder
from analysis_py.export.writing import export_files
from tests.unit.export_case import every_model, export_row, models_of, small_study, study_in, uneven_panel

TEXT = every_model()
IDS = models_of(TEXT)

#: Words of Stata that stand in the commands of the scripts; whatever else stands there must be a variable.
_WORDS = frozenset(
    word
    for line in (
        "xtreg areg reghdfe regress ppmlhdfe xtpoisson poisson ivreg2 xtivreg2 ivreghdfe ivregress xthreg boottest",
        "fe absorb noabsorb vce cluster robust unadjusted keepsingletons if e sample quietly capture noisily xi",
        "tolerance hc2 hc3 oim aw pw iw small liml fuller kclass ffirst 2sls noconstant rx qx thnum grid trim bs reps",
        "seed nograph weighttype webb bootcluster xtset egen long group generate double summarize detail lincom test",
        "tabulate i c ibn preserve restore by set maxvar matsize",
    )
    for word in line.split()
)


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Export]:
    study = study_in(tmp_path_factory.mktemp("battery"), TEXT)
    return {name: export_row(study, name) for name in IDS}


def _commands(text: str) -> list[str]:
    """The commands of a do-file: continued lines joined, comments gone."""
    joined = re.sub(r" ///\n\s*", " ", text)
    found = [re.sub(r"\s{2,}// .*$", "", line).strip() for line in joined.splitlines()]
    return [line for line in found if line and not line.startswith("*")]


def _dta(export: Export) -> tuple[pd.DataFrame, dict[str, str], dict[str, dict[int, str]]]:
    content = export_files(export, "do")[f"{export.file_stem}.dta"]
    with pd.io.stata.StataReader(io.BytesIO(content), convert_categoricals=False) as reader:
        return reader.read(), reader.variable_labels(), reader.value_labels()


def _script(export: Export) -> str:
    return export_files(export, "do")[f"{export.file_stem}.do"].decode()


@pytest.mark.parametrize("name", IDS)
def test_structure(name: str, exports: dict[str, Export]) -> None:
    export = exports[name]
    text = _script(export)
    assert all(len(line) <= 130 for line in text.splitlines() if not line.startswith("*"))
    commands = _commands(text)
    assert all(line.count('"') % 2 == 0 and line.count("(") == line.count(")") for line in commands)
    assert not re.search(r"\b(nan|inf|None)\b", text), text
    data, _, _ = _dta(export)
    known = {*data.columns} | _made(commands)
    estimation = (
        "xtreg",
        "areg",
        "reghdfe",
        "regress",
        "quietly reghdfe",
        "ppml",
        "xtp",
        "poisson",
        "iv",
        "xi:",
        "capture",
        "boot",
    )
    fits = [c for c in commands if c.startswith((*estimation, "lincom", "test ", "xtset", "generate", "egen", "summ"))]
    for command in fits:
        bare = re.sub(r"(?<![\w.])-?\d+\.?\d*(e[-+]?\d+)?(?![\w.])", " ", command)
        words = re.findall(r"(?<!\w)[A-Za-z_]\w*", bare)
        strange = [w for w in words if w not in known and w not in _WORDS and not w.startswith("is_")]
        assert not strange, (command, strange)


def _made(commands: list[str]) -> set[str]:
    """Variables the script makes itself."""
    return {m[1] for c in commands if (m := re.match(r"(?:generate double|egen long) (\w+) =", c)) is not None}


@pytest.mark.parametrize("name", IDS)
def test_assertions_carry_our_numbers(name: str, exports: dict[str, Export]) -> None:
    export = exports[name]
    asserted = " ".join(c for c in _commands(_script(export)) if c.startswith("assert"))
    numbers = {float(v) for v in re.findall(r"-?\d+\.?\d*(?:e[-+]?\d+)?", asserted)}
    for equation in export.equations:
        for expected in equation.expected:
            if expected.term != CONSTANT:
                assert expected.estimate in numbers or -expected.estimate in numbers
    kind = export.model.covariance.type
    if export.equations and kind in ("iid", "hc1", "cluster", "hc3") and "given" not in name:
        first = export.equations[0].expected[0]
        assert first.std_error in numbers or "hansen" in name
    for row in export.run.descriptives:
        assert {row.mean, row.sd, row.median} <= numbers


COMMANDS = {
    "ls_xtreg_iid": ("xtreg y AI POP v_2 i.year, fe", ""),
    "ls_xtreg_cluster": ("xtreg y AI POP v_2 i.year, fe vce(cluster city)", ""),
    "ls_xtreg_hc1": ("areg y AI POP v_2 i.year, absorb(city) vce(robust)", ""),
    "ls_reghdfe_iid": ("reghdfe y AI POP v_2, absorb(city year) vce(unadjusted)", ""),
    "ls_reghdfe_twoway": ("reghdfe y AI POP v_2, absorb(city year) vce(cluster city year)", ""),
    "ls_fixest_hc1": ("reghdfe y AI POP v_2, absorb(city year) vce(robust) keepsingletons", ""),
    "ls_areg_cluster": ("areg y AI POP v_2 i.year, absorb(city) vce(cluster city)", ""),
    "ls_areg_hc3": ("regress y AI POP v_2 i.city i.year, vce(hc3)", ""),
    "ls_reghdfe_hc2": ("regress y AI POP v_2 i.city i.year if e(sample), vce(hc2)", ""),
    "count_reghdfe_cluster": ("ppmlhdfe count AI POP, absorb(city year) vce(cluster city) tolerance(1e-10)", ""),
    "count_xtreg_iid": ("xtpoisson count AI POP i.year, fe", ""),
    "iv_ivreg2_hc1": ("ivreg2 y POP i.city i.year (AI = z z3), robust ffirst", "assert reldif(e(j),"),
    "iv_xtivreg2_cluster": ("xi: xtivreg2 y POP i.year (AI = z z3), fe cluster(city) ffirst", "e(widstat)"),
    "iv_ivreghdfe_twoway": ("ivreghdfe y POP (AI = z z3), absorb(city year) cluster(city year)", "e(idstat)"),
    "iv_ivregress_liml": ("ivregress liml y POP i.city i.year (AI = z z3), vce(robust)", ""),
    "threshold_xthreg_2": ("capture noisily xthreg y POP i.year, rx(AI) qx(q) thnum(2) grid(60) trim(0.05 0.05)", ""),
    "moderation_xtreg": ("xtreg y AI ER c.AI#c.ER POP v_2 i.year, fe vce(cluster city)", "lincom (1.0)*AI + ("),
    "groups_reghdfe_iid": ("if group == 2, absorb(city year) vce(unadjusted)", "test (1.group#c.AI = 2.group#c.AI)"),
    "groups_median_reghdfe": ("reghdfe y i.group ibn.group#c.AI POP v_2, absorb(city year)", "assert reldif(r(F), "),
    "ls_xtreg_wild": ("boottest AI, cluster(city) reps(99) seed(1) nograph", ""),
    "crossed_reghdfe": ("egen long v_by_year = group(v year)", "absorb(city v_by_year)"),
    "describe": ("summarize L_AI, detail", "assert abs(r(p50)"),
}


@pytest.mark.parametrize("name", list(COMMANDS))
def test_the_fields_own_commands(name: str, exports: dict[str, Export]) -> None:
    export = exports[name]
    text = "\n".join(_commands(_script(export)))
    names = export.names.mapping
    for wanted in COMMANDS[name]:
        wanted = wanted.replace("v_2", names.get("人口密度", "v_2"))
        if "v_by_year" in wanted:
            place = names["省份"]
            wanted = wanted.replace("v_by_year", names["省份^year"]).replace("(v ", f"({place} ")
        assert wanted in text


@pytest.mark.parametrize("name", ["ls_xtreg_province", "groups_reghdfe_hc1", "terms", "iv_initial", "threshold_given"])
def test_dta_read_again(name: str, exports: dict[str, Export]) -> None:
    export = exports[name]
    data, labels, values = _dta(export)
    assert len(data) == len(export.table)
    for column in export.table.columns:
        plain = export.names[column]
        assert labels[plain] == column[:80]
        if column not in export.identifiers:
            assert np.array_equal(data[plain].to_numpy(), export.table[column].to_numpy(dtype=float))
        elif export.table[column].dtype == object:
            spelled = data[plain].map(values[plain])
            assert list(spelled) == list(export.table[column])
    if name.startswith("groups"):
        assert values["group"] == {1: "region=east", 2: "region=west", 3: "region=中部"}


def test_identifiers_become_codes() -> None:
    whole, none = code(pd.Series([2003, 2001, 2003]))
    assert list(whole) == [2003, 2001, 2003]
    assert none == {}
    below, labels = code(pd.Series([-1.0, 0.5, -1.0]))
    assert list(below) == [1, 2, 1]
    assert labels == {1: "-1", 2: "0.5"}
    text, labels = code(pd.Series(["京", "a", "京"]))
    assert list(text) == [2, 1, 2]
    assert labels == {1: "a", 2: "京"}


def test_notes_of_a_simulated_panel(tmp_path: Path) -> None:
    study = small_study(tmp_path, "models:\n  - {id: A, outcome: y, treatment: [AI], sample: year > 2005}\n")
    export = export_row(study, "A", uneven_panel().assign(is_simulated=True))
    for program in ("do", "R"):
        head = export_files(export, program)[f"A.{program}"].decode()[:700]
        assert "SIMULATED - not evidence about China" in head
        assert "Rows: year > 2005, complete in every variable" in head
    plain = export_row(study, "A")
    assert "SIMULATED" not in _script(plain)


def test_a_model_without_a_number(tmp_path: Path) -> None:
    study = small_study(
        tmp_path,
        """\
        models:
          - {id: A, outcome: y, treatment: [AI], sample: year > 2050}
          - {id: B, outcome: y, treatment: [AI], estimator: did, did: {method: twfe, first_treated: year}}
        """,
    )
    with pytest.raises(CarbonpanelError, match="no row satisfies") as empty:
        export_row(study, "A")
    assert empty.value.code == "CP-EXPORT-STATUS"
    with pytest.raises(CarbonpanelError, match=r"was not run.*not available in this version"):
        export_row(study, "B")


def test_folder_is_whole_or_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "deep" / "place"
    written = write_folder(place, {"a.dta": b"1", "a.do": b"2"})
    assert [p.read_bytes() for p in written] == [b"1", b"2"]
    with pytest.raises(CarbonpanelError, match=r"a\.do is there already"):
        write_folder(place, {"b.csv": b"3", "a.do": b"4"})
    assert sorted(p.name for p in place.iterdir()) == ["a.do", "a.dta"]
    write_folder(place, {"a.csv": b"3", "a.R": b"4"})
    write_folder(place, {"a.dta": b"5", "a.do": b"6"}, force=True)
    assert (place / "a.do").read_bytes() == b"6"
    assert (place / "a.R").read_bytes() == b"4"

    moved = Path.replace

    def fail_on_script(self: Path, target: Path) -> Path:
        if self.name == "a.do" and ".part" in str(self.parent):
            raise OSError(28, "No space left on device")
        return moved(self, target)

    monkeypatch.setattr(Path, "replace", fail_on_script)
    with pytest.raises(CarbonpanelError, match="No space left"):
        write_folder(place, {"a.dta": b"7", "a.do": b"8"}, force=True)
    assert (place / "a.dta").read_bytes() == b"5"
    assert (place / "a.do").read_bytes() == b"6"
    assert [p.name for p in place.parent.iterdir()] == ["place"]


def test_folder_that_cannot_be(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("x", encoding="utf-8")
    for place in (file, file / "below"):
        with pytest.raises(CarbonpanelError) as found:
            write_folder(place, {"a.do": b"1"})
        assert found.value.code == "CP-FILE-UNWRITABLE"
    assert file.read_text(encoding="utf-8") == "x"

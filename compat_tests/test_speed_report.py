"""Tables, warnings and pictures of the comparison of speeds, from made-up times."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path

import pytest

from compat_tests.speed import __main__ as command
from compat_tests.speed import compare, report, results, works
from compat_tests.speed.results import Measured, Outcome, Point

MB = 2**20


def measured(seconds: list[float], units: int = 1, result: float = 0.5, peak: int = 300, grown: int = 0) -> Measured:
    peaks = [(peak + grown * number) * MB for number in range(len(seconds))]
    return Measured(units, 10 * units, result, 2 * seconds[0], seconds, seconds, peaks, peaks)


def outcome(name: str, points: list[Point], grows_with: str = "", flat: bool = False) -> Outcome:
    return Outcome(name, "Something.", "epoch", grows_with, 0.1, {}, bool(grows_with), False, flat, (1.0, None), points)


def single(flat: bool = False, **changes: Measured) -> Outcome:
    peers = {
        "kjax": measured([1.0, 2.0, 3.0]),
        "keras-jax": measured([2.0, 8.0, 4.0]),
        "torch": measured([5.0, 5.0, 5.0], units=1),
    }
    return outcome("mlp", [Point(1, {**peers, **changes})], flat=flat)


def growing() -> Outcome:
    def point(size: int) -> Point:
        slow = {} if size > 8 else {"keras-jax": measured([size / 2, size / 4])}
        return Point(size, {"kjax": measured([size / 8, size / 16]), **slow})

    return outcome("depth", [point(size) for size in (4, 8, 16)], grows_with="layers")


def cells(text: str, start: str) -> list[str]:
    (line,) = [line for line in text.splitlines() if line.startswith(f"| {start}")]
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_ratio_is_taken_in_each_round() -> None:
    row = cells(report.section(single()), "keras-jax")
    # Ratios 1/2, 1/4, 3/4; medians 2 and 4 s.
    assert row == ["keras-jax", "4.00 s", "2.00 s .. 8.00 s", "400 ms", "0.50", "0.25 .. 0.75", "315 MB", "0.5"]
    assert cells(report.section(single()), "kjax")[4:6] == ["", ""]


def test_shorter_rounds_are_counted_by_their_units_and_said() -> None:
    made = single(kjax=measured([100.0, 100.0, 100.0], units=100), torch=measured([30.0, 30.0, 30.0], units=10))
    row = cells(report.section(made), "torch")
    assert row[:2] == ["torch (10 epochs a round)", "3.00 s"]
    assert row[3:5] == ["300 ms", "0.33"]


def test_different_results_are_said() -> None:
    assert "not the same work" not in report.section(single(torch=measured([1.0] * 3, result=0.55)))
    assert "results differ by 16.7%" in report.section(single(torch=measured([1.0] * 3, result=0.6)))
    assert "not the same work" in report.section(single(torch=measured([1.0] * 3, result=float("nan"))))


def test_excused_result_is_not_compared() -> None:
    made = single(torch=measured([1.0] * 3, result=0.6))
    text = report.section(dataclasses.replace(made, excused={"torch": "It rounds."}))
    assert "not the same work" not in text
    assert "Not compared: the result of torch. It rounds." in text


def test_growing_memory_is_said_where_it_must_not_grow() -> None:
    leak = measured([1.0, 1.0, 1.0], units=100, grown=20)
    assert "flat" not in report.section(single(kjax=leak))
    text = report.section(single(flat=True, kjax=leak))
    assert "kjax's memory is not flat: 42 MB more after another 200 units" in text
    assert cells(text, "torch")[-2] == "0 MB"


def test_growth_has_a_column_for_each_size() -> None:
    text = report.section(growing())
    # kjax takes a quarter of the other's time, in both rounds.
    first, compiled = [line for line in text.splitlines() if line.startswith("| keras-jax")]
    assert first == "| keras-jax | 1.50 s (0.25) | 3.00 s (0.25) |  | 315 MB |"
    assert compiled == "| keras-jax | 4.00 s | 8.00 s |  |"


def test_absolute_table_has_microseconds_per_step() -> None:
    text = report.absolute([single(), growing()])
    assert cells(text, "mlp") == ["mlp", "200,000.0", "400,000.0", "500,000.0"]
    assert cells(text, "depth, layers 16") == ["depth, layers 16", "150,000.0", "", ""]


def test_summary_leaves_growth_out() -> None:
    text = report.summary([single(), growing()])
    assert cells(text, "mlp") == ["mlp", "0.50", "0.40"]
    assert "depth" not in text


def test_json_gives_back_what_was_measured(tmp_path: Path) -> None:
    made = [single(flat=True), growing()]
    report.write(tmp_path, {"processor": "x"}, made)
    assert results.read(tmp_path / "speed.json") == made
    found = json.loads((tmp_path / "speed.json").read_text())
    kept = found["works"]["mlp"]["points"][0]["peers"]["keras-jax"]
    assert (kept["median"], kept["ratios"]) == (4.0, [0.5, 0.25, 0.75])
    assert (tmp_path / "speed.md").read_text().startswith("# Speed\n\nprocessor x.\n")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(123.4, "123 s"), (1.0, "1.00 s"), (0.0123, "12.3 ms"), (4.56e-6, "4.56 us"), (7.8e-8, "78.0 ns")],
)
def test_times_have_three_digits(seconds: float, text: str) -> None:
    assert report.time_text(seconds) == text


@pytest.mark.parametrize(
    ("ratio", "text"), [(12.345, "12.35"), (0.5, "0.50"), (0.0998, "0.10"), (0.0123, "0.012"), (0.00100, "0.0010")]
)
def test_ratios_have_two_digits(ratio: float, text: str) -> None:
    assert report.ratio_text(ratio) == text


def test_pictures_show_ratios_and_growth(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed: `pip install kjax[plot]`")
    from compat_tests.speed import plots

    found = plots.draw(tmp_path, [single(), growing()])
    assert [path.name for path in found] == ["ratios.png", "growth.png", "memory.png"]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in found)
    assert [path.name for path in plots.draw(tmp_path, [growing()])] == ["growth.png", "memory.png"]


def test_pictures_have_the_numbers() -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed: `pip install kjax[plot]`")
    from compat_tests.speed import plots

    bars = plots.bars([single()])
    assert {axes.get_title(): [text.get_text() for text in axes.texts] for axes in bars.axes} == {
        "Keras 3 on JAX": ["0.50"],
        "PyTorch by hand": ["0.40"],
    }
    steady, first = plots.curves([growing()]).axes
    assert [line.get_ydata().tolist() for line in steady.lines] == [[0.375, 0.75, 1.5], [1.5, 3.0]]
    assert [line.get_ydata().tolist() for line in first.lines] == [[1.0, 2.0, 4.0], [4.0, 8.0]]
    held = plots.dots([single(), growing()]).axes[0]
    # Three peers of the first, two of the second; 300 MiB each.
    assert [line.get_xdata().tolist() for line in held.lines] == [pytest.approx([300 * MB / 1e6])] * 5


def test_command_goes_on_after_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def measure(work: works.Work, *rest: object) -> Outcome:
        if work.name == "xor":
            raise RuntimeError("torch doing xor failed")
        return dataclasses.replace(single(), name=work.name)

    monkeypatch.setattr(compare, "compare", measure)
    monkeypatch.setattr(sys, "argv", ["speed", "--work", "xor", "mlp", "--out", str(tmp_path)])
    with pytest.raises(SystemExit, match="failed: xor"):
        command.main()
    assert "**torch doing xor failed**" in capsys.readouterr().out
    assert [each.name for each in results.read(tmp_path / "speed.json")] == ["mlp"]

"""`softmaxce explain`: how its options are read, and what it prints."""

from __future__ import annotations

import json
import math
import re
from subprocess import CompletedProcess

import pytest
from helpers import run_command, run_process
from rich.cells import cell_len


def run(*arguments: str, stdin: str = "", **environment: str) -> CompletedProcess[str]:
    run_one = run_process if "PYTHONIOENCODING" in environment else run_command
    env = {"LC_ALL": "C.UTF-8", **environment}
    outcome = run_one("explain", *arguments, stdin=stdin.encode(), env=env)
    return CompletedProcess(arguments, outcome.exit_code, outcome.stdout, outcome.stderr)


def explained(*arguments: str) -> dict:
    done = run(*arguments, "--format", "json")
    assert done.returncode == 0, done.stderr
    assert done.stderr == "" or "decimal commas?" in done.stderr
    return json.loads(done.stdout)


def test_the_numbers_of_the_readme():
    done = run("--logits", "0.2", "0.3", "--label", "0")
    assert done.returncode == 0
    assert done.stderr == ""
    for shown in ("0.4", "0.6", "0.475", "0.525", "0.744"):
        assert shown in done.stdout
    assert "\x1b" not in done.stdout


def test_json_fields():
    result = explained("--logits", "0.2", "0.3", "--label", "1")
    assert result["schema_version"] == 1
    assert result["command"] == "explain"
    assert result["logits"] == [0.2, 0.3]
    assert result["label"] == 1
    # by hand: p₁ = 1 / (1 + e^−0.1)
    assert result["probabilities"][1] == pytest.approx(1 / (1 + math.exp(-0.1)), rel=1e-15)
    assert result["cross_entropy"] == pytest.approx(math.log1p(math.exp(-0.1)), rel=1e-15)
    assert all(proof["holds"] for step in result["steps"] for proof in step["proofs"])


@pytest.mark.parametrize(
    ("arguments", "logits"),
    [
        (["--logits", "-1", "2", "-.5", "1e1"], [-1, 2, -0.5, 10]),
        (["--logits=-1,2"], [-1, 2]),
        (["--logits", "-1,2", "3"], [-1, 2, 3]),
        (["--logits", "-1e-3", "+2", "−4"], [-0.001, 2, -4]),
        (["--label", "1", "--logits", "1", "2."], [1, 2]),
        (["--logits", "1", "--logits", "2"], [1, 2]),
        (["--logits", "1", "2", "--label", "0"], [1, 2]),
    ],
)
def test_any_count_of_logits(arguments, logits):
    assert explained(*arguments)["logits"] == logits


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--logits", "1", "nan"], "'nan' is not finite"),
        (["--logits", "1", "-inf"], "'-inf' is not finite"),
        (["--logits", "Infinity", "1"], "'Infinity' is not finite"),
        (["--logits", "1", "1e999"], "'1e999' is too large"),
        (["--logits", "1", "two"], "'two' is not a number"),
        (["--logits", "1", "1_0"], "'1_0' is not a number"),
        (["--logits", "1"], "at least two numbers"),
        (["--logits=5"], "at least two numbers"),
        (["--logits"], "--logits"),
        (["--logits", "--label", "0"], "--logits"),
        (["--logits="], "numbers"),
        ([], "--logits 0.2 0.3"),
        (["--logits", "1", "2", "--label", "2"], "labels are 0 to 1"),
        (["--logits", "1", "2", "--label", "bird"], "no class 'bird'"),
        (["--logits", *["1"] * 1001], "2 to 1000"),
    ],
)
def test_wrong_usage_is_one_line(arguments, named):
    done = run(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert named in done.stderr
    assert done.stderr.startswith("Error: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("logits", "probabilities", "loss"),
    [
        (
            ["1000", "999"],
            [1 / (1 + math.exp(-1)), 1 / (1 + math.exp(1))],
            math.log1p(math.exp(-1)),
        ),
        (["-1e308", "1e308"], [0.0, 1.0], 0.0),
        (
            ["-800", "-801"],
            [1 / (1 + math.exp(-1)), 1 / (1 + math.exp(1))],
            math.log1p(math.exp(-1)),
        ),
    ],
)
def test_logits_of_any_size_are_right_and_quiet(logits, probabilities, loss):
    result = explained("--logits", *logits)
    assert result["probabilities"] == pytest.approx(probabilities, rel=1e-15)
    assert result["cross_entropy"] == pytest.approx(loss, rel=1e-15)


@pytest.mark.parametrize("n_classes", [2, 3, 12, 13, 100, 1000])
def test_many_classes(n_classes):
    done = run("--logits", *(str(k % 7) for k in range(n_classes)))
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) < 330
    assert bool(re.search(r"… \d+ more", done.stdout)) == (n_classes > 12)


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("n_classes", [2, 3, 10])
def test_text_is_readable_at_60_columns_without_colour(language, n_classes):
    logits = [str(k * 0.7 - 1) for k in range(n_classes)]
    done = run("--logits", *logits, "--more", "--lang", language, COLUMNS="60", NO_COLOR="1")
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout
    for line in done.stdout.splitlines():
        assert cell_len(line) <= 60, line
        assert not re.search("[─━│┃┌┐└┘]", line)  # a screen reader would read each aloud


def test_infinity_is_shown_as_such():
    done = run("--probabilities", "1", "0", "0", "--label", "2")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "only −log p[true] is left, here ∞" in done.stdout
    assert (
        explained("--probabilities", "1", "0", "0", "--label", "2")["cross_entropy"] == "Infinity"
    )


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("output_format", ["text", "json", "markdown", "html"])
def test_every_format_and_language_writes_a_file(tmp_path, output_format, language):
    path = tmp_path / "lesson"
    options = ["--format", output_format, "--lang", language]
    done = run("--logits", "2", "1", "-1", *options, "-o", str(path))
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    text = path.read_text("utf-8")
    written = json.dumps(json.loads(text), ensure_ascii=False) if output_format == "json" else text
    assert {"en": "Squared error", "ko": "제곱오차"}[language] in written
    assert text == run("--logits", "2", "1", "-1", *options).stdout


def test_markdown_has_formulas_and_harmless_names():
    done = run("--logits", "1", "2", "--format", "markdown", "--classes", "a|b", "*c*<i>")
    assert "$$\n" + r"p_k = \frac{e^{z_k}}{\sum_j e^{z_j}}" + "\n$$" in done.stdout
    assert r"a\|b" in done.stdout
    assert r"\*c\*\<i\>" in done.stdout


def test_names_are_shown_and_never_interpreted():
    done = run("--logits", "1", "2", "--classes", "[red]x[/red]", "\x1b[31my", "--label", "0")
    assert done.returncode == 0, done.stderr
    assert "[red]x[/red]" in done.stdout
    assert "\x1b" not in done.stdout
    page = run("--logits", "1", "2", "--format", "html", "--classes", "</script><b>", "y").stdout
    assert "</script><b>" not in page


def test_the_same_seed_gives_the_same_exercises():
    def sheet(*words):
        return run("--exercise", "9", "--seed", "3", *words)

    assert sheet().stdout == sheet().stdout
    assert sheet().stdout != run("--exercise", "9", "--seed", "4").stdout
    assert "Answers" not in sheet().stdout
    assert "Answers" in sheet("--answers").stdout
    items = json.loads(sheet("--format", "json").stdout)["exercises"]
    assert len(items) == 9
    assert all(set(item) == {"kind", "question"} for item in items)
    answered = json.loads(sheet("--format", "json", "--answers").stdout)["exercises"]
    assert all({"working", "answer"} <= set(item) for item in answered)
    assert "풀이와 답" in sheet("--answers", "--lang", "ko", "--format", "markdown").stdout


def test_the_quiz_asks_before_it_shows():
    typed = "3\n1/2\n20.09\n66.5%\n0\n0.18\n0.41\ninf\n-0.335\n"
    done = run("--logits", "3", "2", "1", "--quiz", stdin=typed)
    assert done.returncode == 0, done.stderr
    assert done.stdout.index("What is the share of class cat?") < done.stdout.index(
        "First idea: shares of the total"
    )
    assert "9 of 9 correct." in done.stdout
    assert "Read again" not in done.stdout


def test_the_quiz_gives_a_hint_and_a_second_try():
    typed = "abc\n1\n2\n0.3\n\n"  # 1: a regression model; 0.3: the logit itself, then no answer
    done = run("--logits", "0.2", "0.3", "--quiz", stdin=typed)
    said = " ".join(done.stdout.split())
    assert "That is not a number. Type one, or only Enter to see the answer:" in said
    assert "One number is what a regression model gives" in said
    assert "Try once more: Correct: 2" in said
    assert "That is its logit, not yet divided by the sum, 0.5. Try once more:" in said
    assert "The answer is 0.6" in said
    assert "1 of 2 correct. Read again: First idea: shares of the total." in said


def test_an_answer_that_is_wrong_in_no_known_way_gets_a_hint_too():
    done = run("--logits", "0.2", "0.3", "--quiz", stdin="2\n77\n78\n")
    said = " ".join(done.stdout.split())
    assert "Divide its logit, 0.3, by the sum of the logits, 0.5. Try once more:" in said
    assert "The answer is 0.6" in said


def test_the_quiz_does_not_ask_for_what_there_is_not():
    done = run("--logits", "1", "-1", "--quiz", stdin="2\n")  # the logits cancel: no shares
    assert "What is the share" not in done.stdout
    assert "1 of 1 correct" in done.stdout


def test_the_quiz_ends_with_its_input():
    done = run("--logits", "0.2", "0.3", "--quiz", stdin="2\n0.6\n")
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("2 of 2 correct.\n")


@pytest.mark.parametrize("language", ["en", "ko"])
def test_exercises_keep_to_their_columns(language):
    done = run("--exercise", "8", "--answers", "--lang", language)
    assert max(map(cell_len, done.stdout.splitlines())) <= 80


def test_what_the_quiz_counts_as_correct():
    from softmaxce.lesson.quiz import is_right

    assert is_right("0.48", 0.475)
    assert is_right(" 1/2 ", 0.5)
    assert is_right("−2", -2.0)
    assert is_right("0,744", 0.7444)
    assert is_right("∞", math.inf)
    assert is_right("무한대", math.inf)
    assert is_right("2000", 1999)
    assert not is_right("0.5", 0.475)
    assert not is_right("", 0.0)
    assert not is_right("nan", 0.0)
    assert not is_right("1/0", 1.0)
    assert not is_right("inf", 3.0)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--probabilities", "0.5", "0.6"], "sum to 1.1"),
        (["--probabilities", "1"], "at least two"),
        (["--logits", "1", "2", "--probabilities", "0.5", "0.5"], "cannot be combined"),
        (["--logits", "1", "2", "--classes", "a"], "give 2 names, one per number; got 1"),
        (["--logits", "1", "2", "--temperature", "0"], "temperature"),
        (["--logits", "1", "2", "--temperature", "nan"], "'nan' is not finite"),
        (["--logits", "1", "2", "--save-images", "x"], "needs an IMAGE"),
        (["--logits", "1", "2", "--answers"], "--exercise"),
        (["--exercise", "0"], "between 1 and 200"),
        (["--logits", "1", "2", "--quiz", "--format", "json"], "--quiz"),
        (["--logits", "1", "2", "--lang", "de"], "no language 'de': there are en, ko"),
    ],
)
def test_options_that_do_not_fit_are_refused(arguments, named):
    done = run(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert named in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_file_that_cannot_be_written_is_named_first(tmp_path):
    path = tmp_path / "none" / "lesson.html"
    done = run("--logits", "1", "2", "--format", "html", "-o", str(path))
    assert done.returncode == 1
    assert "none" in done.stderr


def test_an_ascii_terminal_shows_infinity_as_inf():
    done = run("--probabilities", "1", "0", "--label", "1", PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert "only -log p[true] is left, here inf" in done.stdout


def test_long_class_names_fold_and_are_never_cut():
    name = "a-very-long-class-name-that-goes-on-and-on-and-on-and-on-and-on"
    done = run("--logits", "1", "2", "--classes", name, "b", COLUMNS="60")
    assert max(map(cell_len, done.stdout.splitlines())) <= 60
    assert name in re.sub(r"\s", "", done.stdout)

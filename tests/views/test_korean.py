"""Results, reports, findings and progress with --lang ko: no English is left, names stay."""

from __future__ import annotations

import re
import shutil

import numpy as np
import pytest
from helpers import draw_classes
from PIL import Image
from rich.cells import cell_len

from softmaxce import translation
from softmaxce.findings import Finding, Verdict
from softmaxce.views import findings
from softmaxce.workflows.progress import Progress, of_fits

NAMES = {"개": 12, "고양이": 14, "새": 5}
# What stays as it is: commands, options, files, units, formats and the names of scores.
KEPT = re.compile(
    r"(?m)^(다음:|   →).*$|softmaxce \S+.*$|--?[a-z][-a-z]*( [a-z]+)?|'evaluate'|\S*[/.]\S*"
    r"|(?<![A-Za-z])(ln|nat|log|RGBA?|MB|PNG|JPEG|GIF|EXIF|SHA)(?![A-Za-z])|[0-9a-f]{64}"
)


def english_in(text: str) -> list[str]:
    """The English words of a text, without what is never translated."""
    return re.findall(r"[A-Za-z]{2,}", KEPT.sub("", text))


@pytest.fixture(scope="module")
def korean():
    """Messages of this process in Korean."""
    translation.use("ko")
    yield translation.translate
    translation.use("en")


@pytest.fixture
def data(tmp_path):
    """A folder of three classes, the same as test images in other numbers."""
    draw_classes(tmp_path / "자료" / "train", NAMES)
    draw_classes(tmp_path / "자료" / "test", dict.fromkeys(NAMES, 4), seed=1)
    return tmp_path / "자료"


@pytest.fixture
def model(softmaxce, data):
    """A model with all details, trained on the folder."""
    assert softmaxce("train", data, "-o", "모델.npz", "-q").exit_code == 0
    return "모델.npz"


@pytest.mark.parametrize("columns", [60, 80])
@pytest.mark.parametrize("options", [(), ("--hidden", 4), ("--features", "patches:8")])
def test_training(softmaxce, data, columns, options):
    words = ("train", data, "--details", *options, "--lang", "ko")
    outcome = softmaxce(*words, env={"COLUMNS": str(columns)})
    assert outcome.exit_code == 0, outcome.stderr
    assert not english_in(outcome.stdout)
    assert not english_in(outcome.stderr)
    assert_aligned(outcome.stdout)
    lines = [line for line in outcome.stdout.splitlines() if not re.search("/|→|▁", line)]
    assert max(map(cell_len, lines)) <= columns


def assert_aligned(text: str) -> None:
    """Every row of a table ends where its rule ends, or earlier if it ends with text."""
    lines = text.splitlines()
    for place, line in enumerate(lines):
        if line.startswith("───"):
            rows = [lines[place - 1]]
            for row in lines[place + 1 :]:
                if not row or not re.search(r"\d %?\]?$|·$", row):
                    break
                rows.append(row)
            assert {cell_len(row.rstrip()) for row in rows} == {len(line)}, rows


@pytest.mark.parametrize("columns", [60, 80])
def test_evaluation(softmaxce, data, model, columns):
    words = ("evaluate", data / "test", "-m", model, "--details", "--coverage", 0.5)
    outcome = softmaxce(*words, "--lang", "ko", env={"COLUMNS": str(columns)})
    assert outcome.exit_code == 0, outcome.stderr
    assert not english_in(outcome.stdout)
    assert_aligned(outcome.stdout)
    assert "혼동 행렬" in outcome.stdout


def test_other_results(softmaxce, data, model):
    image = data / "test" / "개" / "000.png"
    for words in (
        ("predict", image, "-m", model, "--coverage", 0.5, "--label", "개", "-k", 1),
        ("predict", data / "test", "-m", model, "--label", "개"),
        ("info", model),
        ("compare", model, model, data / "test"),
        ("check", data),
        ("cache", "info"),
    ):
        outcome = softmaxce(*words, "--lang", "ko")
        assert outcome.exit_code == 0, outcome.stderr
        assert not english_in(outcome.stdout), outcome.stdout


def test_names_are_never_translated(softmaxce, tmp_path):
    draw_classes(tmp_path / "data", {"images": 12, "train": 12, "class": 12})
    image = shutil.copy(tmp_path / "data" / "train" / "000.png", tmp_path / "No problem found")
    assert softmaxce("train", "data", "-q").exit_code == 0
    for words in (("predict", image.name), ("info", "model.npz"), ("check", "data")):
        english, korean = (softmaxce(*words, "--lang", name).stdout for name in ("en", "ko"))
        names = r"(?m)^(images|train|class|No problem found)\b" if words[0] != "check" else ""
        assert re.findall(names, korean)[-3:] == re.findall(names, english)[-3:]
        assert english != korean
    assert "\nNo problem found\n" in softmaxce("predict", image.name, "--lang", "ko").stdout


def test_json_and_csv_stay_english(softmaxce, data, model):
    for form in ("json", "jsonl", "csv"):
        words = ("evaluate", data / "train", "-m", model, "--format", form)
        assert softmaxce(*words, "--lang", "ko").stdout == softmaxce(*words).stdout


@pytest.mark.parametrize("options", [(), ("--features", "patches:8"), ("--hidden", 4)])
def test_reports(softmaxce, data, tmp_path, options):
    words = ("train", data, "-q", "--report", "r.html", "--save-plots", "plots", *options)
    assert softmaxce(*words, "--lang", "ko").exit_code == 0
    words = ("evaluate", data / "train", "-q", "--report", "e.html", "--coverage", 0.5)
    assert softmaxce(*words, "--lang", "ko").exit_code == 0
    for path in (tmp_path / "r.html", tmp_path / "e.html", *(tmp_path / "plots").glob("*.svg")):
        page = path.read_text("utf-8")
        assert path.suffix == ".svg" or '<html lang="ko">' in page
        shown = re.sub(r"(?s)<style>.*?</style>|<pre.*?</pre>|<code>.*?</code>", "", page)
        said = re.findall(r'(?:title|alt|aria-label)="([^"]*)"', shown)
        text = re.sub(r"&\w+;|&#\w+;", " ", re.sub(r"<[^>]*>", "\n", shown))
        assert not english_in("\n".join([text, *said]))


def test_problems_that_check_finds(softmaxce, tmp_path):
    random = np.random.default_rng(0)
    train, test = tmp_path / "자료" / "train", tmp_path / "자료" / "test"
    draw_classes(train, {"개": 120, "고양이": 4, "비슷": 12, "비_슷": 3})
    draw_classes(test, {"개": 3, "모름": 3}, seed=1)
    (train / "빈폴더").mkdir()
    shutil.copy(train / "개" / "001.png", train / "개" / "같음.png")
    shutil.copy(train / "개" / "002.png", train / "고양이" / "같음.png")
    shutil.copy(train / "개" / "003.png", test / "개" / "같음.png")
    pixels = Image.fromarray(random.integers(0, 256, (8, 8, 3), np.uint8))
    frames = [Image.fromarray(random.integers(0, 256, (8, 8, 3), np.uint8)) for _ in range(2)]
    exif = Image.Exif()
    exif[0x112] = 6
    frames[0].save(train / "개" / "움직임.gif", save_all=True, append_images=frames[1:])
    pixels.save(train / "개" / "돌림.jpg", exif=exif)
    pixels.convert("RGBA").rotate(90).save(train / "개" / "투명.png")
    pixels.convert("L").rotate(180).save(train / "개" / "회색.png")
    pixels.rotate(270).save(train / "개" / "아님.jpg", format="PNG")
    pixels.save(train / "밖.png")
    Image.fromarray(random.integers(0, 65535, (8, 8)).astype(np.uint16)).save(
        train / "개" / "16.png"
    )
    for name in ("개/빈.png", "개/글.txt", "개/.숨김.png", "개/@eaDir/x.png"):
        (train / name).parent.mkdir(exist_ok=True)
        (train / name).touch()
    outcome = softmaxce("check", "자료", "--lang", "ko")
    assert not english_in(outcome.stdout), outcome.stdout
    kinds = {f["kind"] for f in softmaxce("check", "자료", "--format", "json").json["findings"]}
    assert len(kinds) >= 15, kinds


EVIDENCE = {
    "class": "개",
    "predicted": "고양이",
    "classes": ["개", "새"],
    "count": 1,
    "n_images": 3,
    "n_classes": 1,
    "n_correct": 0,
    "support": 9,
    "n_more": 2,
    "n_training": 3,
    "n_training_all": 40,
    "split": "test",
    "interval": (0.1, 0.25),
    "accuracy": 0.5,
    "training_accuracy": 0.9,
    "seconds_of_patches": 200.0,
    "largest_class": "개",
    "largest": 50,
    "smallest_class": "새",
    "smallest": 2,
    "before": 0.1,
    "after": 0.2,
    "end": "smallest",
    "majority_class": "개",
    "majority_baseline": 0.4,
    "n_copies": 3,
    "n_shared": 2,
    "accuracy_without": 0.3,
}
OTHER = {"split": None, "count": 3, "n_classes": 2, "n_correct": 2, "n_more": 1, "end": "largest"}


@pytest.mark.parametrize("evidence", [EVIDENCE, EVIDENCE | OTHER, EVIDENCE | {"n_more": 0}])
@pytest.mark.parametrize("kind", findings._SENTENCES)
def test_every_finding(korean, kind, evidence):
    sentence = korean(findings.finding_text(Finding(kind, evidence)))
    assert not english_in(sentence)
    assert not re.search(r"\s\s|\.\.|\{", sentence)


VERDICTS = ("untested", "copies", "one_class", "reused", *findings._GRADES)


@pytest.mark.parametrize("evidence", [EVIDENCE, EVIDENCE | {"accuracy_without": None}])
@pytest.mark.parametrize("kind", VERDICTS)
def test_every_verdict(korean, kind, evidence):
    sentence = korean(findings.verdict_text(Verdict(kind, evidence)))
    assert not english_in(sentence)


def test_a_finding_in_good_korean(korean):
    found = Finding("missed_classes", EVIDENCE | {"n_correct": 2, "n_more": 1})
    assert korean(findings.finding_text(found)) == (
        "'개' 클래스를 거의 알아보지 못합니다(이미지 9장 중 2장). 훈련 이미지 40장 중 3장이 이 "
        "클래스입니다. 다른 클래스 1개도 마찬가지입니다."
    )
    shared = Finding("validation_in_test", {"count": 3, "n_images": 3})
    assert korean(findings.finding_text(shared)).startswith("테스트 이미지 3장 모두가 검증 이미지")
    shared = Finding("validation_in_test", {"count": 2, "n_images": 3})
    assert korean(findings.finding_text(shared)).startswith(
        "테스트 이미지 3장 중 2장이 검증 이미지"
    )


def test_only_a_number_can_be_counted(korean):
    assert korean("1,200 images") == "이미지 1,200장"
    assert korean("my images") == "my images"
    assert korean("Few of my images") == "Few of my images"
    assert translation.listed("images, of and 7 more") == "images, of 외 7개"


@pytest.mark.parametrize(
    "progress",
    [
        Progress("Reading images", 0.5, "1,000 of 2,000"),
        Progress("Reading validation images", 0.1, "1 of 2,000"),
        Progress("Computing the features of the train images", 0.1, "1 of 2,000"),
        Progress("Reading images for model 2", 1, "1 of 2,000"),
        Progress("Learning patches", 0.5),
        of_fits(["l2 0.1"], 0.5, 1.5),
        of_fits(["fit"], 0.5, 1.5),
    ],
)
def test_progress(korean, progress):
    from softmaxce.views.progress import _line

    assert not english_in(korean(_line(progress)))


def test_a_gate_that_fails(softmaxce, data, model):
    gates = ("--fail-under", "accuracy=1", "--fail-under", "cross_entropy<=0", "--lang", "ko")
    outcome = softmaxce("evaluate", data / "test", "-m", model, *gates)
    assert outcome.exit_code == 3
    assert english_in(outcome.stderr.replace("cross_entropy", "")) == []

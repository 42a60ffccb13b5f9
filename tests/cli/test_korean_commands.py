"""Help, notes and errors in Korean."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from helpers import PETS, run_process
from rich.cells import cell_len

KO = {"LC_ALL": "ko_KR.UTF-8"}
ESCAPE = re.compile(r"\\[xuU][0-9a-f]{2}")
COMMANDS = (
    "train",
    "predict",
    "evaluate",
    "explain",
    "check",
    "compare",
    "info",
    "export",
    "cache info",
)
# Words of English prose; names of files, options, columns and array functions stay as they are.
ENGLISH = re.compile(r"(?<![\w-])(the|is|are|it|not|no|of|to|with|and|or|must|use|cannot)(?![\w-])")


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """Files and folders with which something is wrong."""
    images, labels = np.zeros((4, 4, 4), np.uint8), np.arange(4) % 2
    np.savez(tmp_path / "float.npz", x=images + 0.5, y=labels)
    np.savez(tmp_path / "flat.npz", x=np.zeros((4, 50), np.uint8), y=labels)
    np.savez(tmp_path / "objects.npz", x=np.array([None]), y=labels)
    np.savez(tmp_path / "one.npz", x=images, y=labels * 0)
    (tmp_path / "a.pkl").write_bytes(b"")
    (tmp_path / "label.csv").write_text("path,label\na.png,\n")
    (tmp_path / "quoted.csv").write_text('path,label\n"a.png,x\n')
    (tmp_path / "missing.csv").write_text("path,label\na.png,x\nb.png,y\n")
    (tmp_path / "pixels.csv").write_text(
        f"label,{','.join(f'p{i}' for i in range(16))}\n1{',0.5' * 16}\n"
    )
    for name in ("images", "some/images"):
        (tmp_path / name).mkdir(parents=True)
    return tmp_path


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("foo", "'foo' 명령은 없습니다 (도움말: softmaxce --help)"),
        ("trian x", "'trian' 명령은 없습니다. 혹시 softmaxce train x 아닌가요?"),
        ("train", "'DIR'을 주어야 합니다 (도움말: softmaxce train --help)"),
        ("train x -o", "'-o' 옵션에는 값이 필요합니다 (도움말"),
        ("train x --force=1", "'--force' 옵션에는 값을 줄 수 없습니다 (도움말"),
        ("train x --foo", "'--foo' 옵션은 없습니다 (도움말"),
        ("train x --epochs 3", "'--epochs' 옵션은 없습니다: 학습은 수렴하면 저절로 끝납니다 ("),
        ("train x --seeds 3", "'--seeds' 옵션은 없습니다: 혹시 --seed 아닌가요? ("),
        ("train x --coverage 1", "--coverage는 predict, evaluate의 옵션입니다 ("),
        (
            "train x --fit foo",
            "'foo'는 쓸 수 없는 값입니다. 쓸 수 있는 값: 'stretch', 'crop', 'pad'",
        ),
        ("train x --size foo", "'--size' 값이 잘못되었습니다: 'foo'는 이미지 크기가 아닙니다."),
        ("train x --jobs 0", "'--jobs' 값이 잘못되었습니다: 0은 1 이상이어야 합니다 ("),
        ("train x --validation 1", "1은 0 이상 1 미만이어야 합니다(20 %는 0.2) ("),
        ("train x -o --force", "--output 다음, --force 앞에 파일 이름이 필요합니다."),
        ("train x y", "남는 인자가 있습니다: y. 사용법: softmaxce train DIR ("),
        ("predict 0.2 0.3", "숫자에는 --logits가 필요합니다: softmaxce explain --logits 0.2 0.3"),
        ("explain --logits 1 2 --label 5", "레이블은 0~1, 또는 개, 고양이입니다"),
        ("explain --logits 1 2 --exercise 3", "--logits, --exercise 가운데 하나만 주세요"),
        ("train nowhere", "그런 폴더가 없습니다: nowhere"),
        ("train imges", "그런 폴더가 없습니다: imges. 혹시 images 아닌가요?"),
        ("train images", "클래스 폴더가 없습니다: images: 클래스마다 이미지 폴더가 하나씩"),
        ("train some", "클래스가 하나뿐입니다: some: 'images'. 분류하려면 클래스가 둘 이상"),
        ("train a.pkl", "a.pkl: 피클 파일입니다. 피클은 어떤 프로그램이든 실행할 수 있어"),
        ("train float.npz", "픽셀의 자료형이 float64이고 값이 0.5~0.5입니다. 0~255의 uint8로"),
        ("train flat.npz", "이미지마다 픽셀이 50개라서 정사각형이 되지 않습니다"),
        ("train objects.npz", "objects.npz: x.npy에 Python 객체가 들어 있습니다."),
        ("train one.npz", "클래스가 하나뿐입니다: one.npz: '0'."),
        ("train label.csv", "label.csv: 2번째 줄: 행마다 경로와 레이블이 있어야 합니다"),
        ("train quoted.csv", "매니페스트가 잘못되었습니다: quoted.csv: 데이터가 중간에 끊겼습니다"),
        ("train missing.csv", "읽을 수 없는 이미지 2장: a.png: 그런 파일이 없습니다; b.png: 그런"),
        ("train pixels.csv", "2번째 줄: 픽셀 '0.5'가 0~255의 정수가 아닙니다. 값이 0~1이면"),
        ("train one.npz -o images", "쓸 수 없습니다: images: 폴더입니다. 파일 이름을 주세요"),
        (
            "predict --files-from x -m a.pkl",
            "이미지 목록을 읽을 수 없습니다: x: 그런 파일이 없습니다",
        ),
        ("cache info --cache a.pkl/x", "a.pkl/x: 폴더가 아닙니다"),
    ],
)
def test_errors_are_korean(softmaxce, sources, words, expected):
    outcome = softmaxce(*words.split(), env=KO)
    assert outcome.exit_code in (1, 2)
    assert outcome.stderr.startswith("오류: ")
    assert expected in outcome.stderr
    assert not ENGLISH.search(outcome.stderr)
    assert outcome.stderr.count("\n") == 1


def test_the_reason_of_an_unreadable_image_is_korean(softmaxce, pets_model):
    outcome = softmaxce("explain", "a.png", "-m", pets_model, env=KO)
    assert outcome.stderr == "오류: a.png: 그런 파일이 없습니다\n"


def test_notes_are_korean(softmaxce, tmp_path):
    images = [image.read_bytes() for image in sorted((PETS / "train" / "cat").iterdir())[:8]]
    for number, name in enumerate(("Cat", "cat", "dog", "lost+found")):
        (tmp_path / "data" / name).mkdir(parents=True)
        for n, image in enumerate(images[2 * number : 2 * number + 2]):
            (tmp_path / "data" / name / f"{n}.png").write_bytes(image)
    (tmp_path / "data" / "Cat" / "2.png").write_bytes(images[4])
    (tmp_path / "data" / "5.png").write_bytes(images[4])
    outcome = softmaxce("train", "data", "--size", 4, "-o", "m.pkl", "--no-progress", env=KO)
    assert outcome.exit_code == 0
    assert outcome.stderr.splitlines() == [
        "알림: m.pkl은 .pkl 파일이 아니라 softmaxce 모델(.npz)이 됩니다",
        "알림: 무시한 시스템 폴더 1개: data/lost+found",
        "알림: 클래스 폴더 밖에 있어 무시한 이미지 1장: data/5.png",
        "알림: 이름이 비슷한 클래스 1묶음: 'Cat' = 'cat'",
        "알림: 둘 이상의 클래스에 있는 같은 이미지 1묶음(잘못된 레이블이 있음): "
        "data/Cat/2.png = data/dog/0.png",
    ]


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_the_help_is_korean_and_fits_the_screen(softmaxce, command):
    shown = softmaxce(*command.split(), "--help", env=KO).stdout
    prose = [line for line in shown.splitlines() if "softmaxce" not in line and "find" not in line]
    assert shown.startswith("사용법: softmaxce")
    assert not ENGLISH.search("\n".join(prose))
    assert max(map(cell_len, prose)) <= 80
    assert "\ue001" not in shown


def test_a_default_that_is_a_word_of_ours_stays_as_it_is_typed(softmaxce):
    assert "[기본값: pixels]" in softmaxce("train", "--help", "--lang", "ko").stdout


@pytest.mark.parametrize("words", [("train", "--foo"), ("--help",), ("train", "--help")])
def test_a_korean_console_shows_no_escapes(words):
    outcome = run_process(*words, env={**KO, "PYTHONIOENCODING": "cp949"})
    assert not ESCAPE.search(outcome.stdout + outcome.stderr)

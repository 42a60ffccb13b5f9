"""Exported models, run: an ONNX file in onnxruntime, a C header by a compiled program."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

GCC = ("gcc", "-std=c99", "-O1", "-Wall", "-Wextra", "-Werror", "-fsanitize=address,undefined")
PROGRAM = """
#include <stdio.h>
#include "model.h"

int main(int n_words, char **words)
{
    unsigned char pixels[SOFTMAXCE_N_PIXELS];
    float probabilities[SOFTMAXCE_N_CLASSES];
    (void)words;
    if (n_words > 1) { /* the names, and the header's own test */
        float largest = 0;
        softmaxce_predict(softmaxce_test_pixels, probabilities);
        for (int k = 0; k < SOFTMAXCE_N_CLASSES; k++) {
            float difference = fabsf(probabilities[k] - softmaxce_test_probabilities[k]);
            largest = difference > largest ? difference : largest;
            printf("%s%c", softmaxce_class_names[k], 0);
        }
        return largest < 0.000001f ? 0 : 1;
    }
    while (fread(pixels, sizeof pixels, 1, stdin) == 1) {
        softmaxce_predict(pixels, probabilities);
        fwrite(probabilities, sizeof probabilities, 1, stdout);
    }
    return 0;
}
"""


def compiled(header: Path) -> Path:
    """A program with the header, which must be called model.h."""
    source, program = header.with_name("main.c"), header.with_name("program")
    source.write_text(PROGRAM)
    done = subprocess.run([*GCC, "-o", program, source, "-lm"], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return program


def run_c(program: Path, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The probabilities (n, n_classes) that the program gives for pixels (n, n_pixels)."""
    done = subprocess.run([program], input=pixels.tobytes(), capture_output=True, check=True)
    return np.frombuffer(done.stdout, np.float32).reshape(len(pixels), -1)


def run_onnx(content: bytes, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What onnxruntime gives for a picture or for pixels."""
    from onnxruntime import InferenceSession

    session = InferenceSession(content, providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()
    return session.run(["probabilities"], {given.name: picture})[0]

"""The text of the two steps that need an image, as in `templates`."""

from __future__ import annotations

from dataclasses import replace

from softmaxce.lesson.step import Check, Column, Formula, Question, Sentence, StepTemplate
from softmaxce.lesson.templates import LOGIT, LOGITS, class_table, table

IMAGE = StepTemplate(
    name="image",
    title="From image to input",
    claim="An image is a grid of pixels. Its rows, laid end to end, form the input vector.",
    formula=Formula(
        "index = (row · width + column) · channels + channel",
        r"\text{index} = (\text{row} \cdot \text{width} + \text{column}) \cdot "
        r"\text{channels} + \text{channel}",
    ),
    sentences=(
        Sentence(
            "The model sees {height} rows of {width} pixels: {n_places} pixels, each with a "
            "brightness from 0 (black) to 255 (white), one of 256 values.",
            "grey",
        ),
        Sentence(
            "The model sees {height} rows of {width} pixels: {n_places} pixels, each with three "
            "brightnesses from 0 to 255 (256 values), for red, green and blue.",
            "coloured",
        ),
        Sentence("A full-HD image has 1920 × 1080 = 2,073,600 pixels."),
        Sentence(
            "Each value is one input feature: {n_pixels} in total, from {first_values} … to "
            "… {last_values}."
        ),
        Sentence(
            "Counting from 0, row {row}, column {column} holds the brightest value, "
            "{brightness}. In the vector its index is {index}. Around it, columns "
            "{first_column} to {last_column}:"
        ),
    ),
    tables=(table(Column("row", "rows"), Column("brightness", "cells", "text")),),
    checks=(
        Check("The vector holds height × width × channels values", "n_pixels", "product"),
        Check("Grid and vector hold the same value there", "in_vector", "brightness"),
        Check("Values that differ between the joined rows and the vector", "rows_end_to_end", 0.0),
    ),
    question=Question("How many values does the input vector hold?", "n_pixels"),
)

LOGITS_OF_IMAGE = replace(
    LOGITS,
    formula=Formula("z = xW + b", r"z = xW + b"),
    sentences=(
        *LOGITS.sentences[:-1],
        Sentence(
            "The forward pass: each brightness, divided by 255, is multiplied by its weight for "
            "the class. The products and the bias sum to the logit.",
            "linear",
        ),
        Sentence(
            "The forward pass goes through {n_layers} layers. Here a pixel's contribution is "
            "gradient × input, an approximation that holds while the same hidden nodes stay "
            "active.",
            "hidden",
        ),
        LOGITS.sentences[-1],
        Sentence(
            "Class {winner} has the highest logit. Below: what each region of the image adds to "
            "it, and the pixels that change it most."
        ),
    ),
    tables=(
        class_table(Column("pixels", "sums"), Column("bias", "biases"), LOGIT),
        table(
            Column("region", "regions", "word"),
            Column("brightness", "region_brightness"),
            Column("contribution", "region_sums"),
            when="has_regions",
        ),
        table(
            Column("row", "pixel_rows"),
            Column("column", "pixel_columns"),
            Column("brightness", "pixel_brightness"),
            Column("weight", "pixel_weights"),
            Column("contribution", "pixel_contributions"),
        ),
    ),
    checks=(
        Check(
            "Pixels and bias sum to the model's logits",
            "sums_and_biases",
            "logits",
            tolerance=1e-9,
        ),
    ),
    question=Question("How many logits does the model give?", "n_classes"),
)

"""The words of the two steps that only an image has, as in `script`."""

from __future__ import annotations

from softmaxce.lesson.script import CLASS
from softmaxce.lesson.step import Claim, Column, Formula, Question, Script, Sentence, Table

IMAGE = Script(
    name="image",
    title="From image to input",
    claim="A picture is a grid of pixels. Its rows, laid end to end, are the input vector.",
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
            "The model sees {height} rows of {width} pixels: {n_places} pixels, each with a "
            "brightness from 0 to 255, one of 256 values, for red, for green and for blue.",
            "coloured",
        ),
        Sentence("A full-HD picture has 1920 × 1080 = 2,073,600 pixels."),
        Sentence(
            "Each value is one input feature: {n_pixels} in all, from {first_values} … to "
            "… {last_values}."
        ),
        Sentence(
            "Counting from 0, row {row}, column {column} holds the brightest value, "
            "{brightness}. In the vector it stands at index {index}. Around it, columns "
            "{first_column} to {last_column}:"
        ),
    ),
    tables=(
        Table((Column("row", "rows"), Column("brightness", "cells", "text")), per_class=False),
    ),
    claims=(
        Claim("The vector holds height × width × channels values", "n_pixels", "product"),
        Claim("Grid and vector hold the same value there", "in_vector", "brightness"),
        Claim("Rows laid end to end differ from the vector nowhere", "rows_end_to_end", 0.0),
    ),
    question=Question("How many values does the input vector hold?", "n_pixels"),
)

LOGITS_OF_IMAGE = Script(
    name="logits",
    title="From input to logits",
    claim="The last layer has one node per class, so it gives one number per class: the logits.",
    formula=Formula("z = xW + b", r"z = xW + b"),
    sentences=(
        Sentence("Two classes: this is binary classification.", "binary"),
        Sentence("{n_classes} classes: this is multi-class classification.", "multi_class"),
        Sentence(
            "A model of one amount, such as the price of a house, would have one node and give "
            "one number: that is regression."
        ),
        Sentence(
            "The forward pass: each brightness, divided by 255, is multiplied by its weight for "
            "the class. The products and the bias sum to the logit.",
            "linear",
        ),
        Sentence(
            "The forward pass goes through {n_layers} layers. A pixel's contribution here is "
            "gradient × input. That is an approximation: it holds while the same hidden nodes "
            "stay active.",
            "hidden",
        ),
        Sentence("A logit may be any number, below 0 too. It is not a probability yet."),
        Sentence(
            "The highest is class {winner}. What each region of the picture adds to it, and the "
            "pixels that moved it most:"
        ),
    ),
    tables=(
        Table(
            (
                CLASS,
                Column("pixels", "sums"),
                Column("bias", "biases"),
                Column("logit z", "logits"),
            )
        ),
        Table(
            (
                Column("region", "regions", "word"),
                Column("brightness", "region_brightness"),
                Column("contribution", "region_sums"),
            ),
            per_class=False,
            when="has_regions",
        ),
        Table(
            (
                Column("row", "pixel_rows"),
                Column("column", "pixel_columns"),
                Column("brightness", "pixel_brightness"),
                Column("weight", "pixel_weights"),
                Column("contribution", "pixel_contributions"),
            ),
            per_class=False,
        ),
    ),
    claims=(
        Claim(
            "Pixels and bias sum to the model's logits",
            "sums_and_biases",
            "logits",
            tolerance=1e-9,
        ),
    ),
    question=Question("How many logits does the model give?", "n_classes"),
)

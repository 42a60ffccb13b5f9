"""The text of the steps about an image whose model has patch features."""

from __future__ import annotations

from dataclasses import replace

from softmaxce.lesson.step import ALWAYS, Check, Column, Formula, Question, StepTemplate
from softmaxce.lesson.templates import (
    ANY_NUMBER,
    EACH_VALUE,
    IMAGE,
    LOGIT,
    LOGITS_OF_IMAGE,
    NODES,
    class_table,
    table,
)

IMAGE_OF_PATCHES = replace(
    IMAGE,
    claim="An image is a grid of pixels. Its rows, laid end to end, form a vector.",
    sentences={
        "The vector has {n_pixels} values, from {first_values} … to … {last_values}."
        if message == EACH_VALUE
        else message: when
        for message, when in IMAGE.sentences.items()
    },
    question=Question("How many values does the vector hold?", "n_pixels"),
)

PATCHES = StepTemplate(
    name="patches",
    title="From image to patches",
    claim="The model compares every {side} × {side} part of the image with {n_patches} patches of "
    "the training images. How well each of them matches is a feature.",
    formula=Formula(
        "sum = Σ weight · max(0, r − t)", r"\text{sum} = \sum \text{weight} \cdot \max(0, r - t)"
    ),
    sentences={
        "There are {n_rows} × {n_columns} = {n_places} places for a patch. A place is named after "
        "the row and column of its top left pixel.": ALWAYS,
        "Contrast normalisation: the mean brightness of a part is subtracted from each of its "
        "brightnesses, and the differences are divided by the square root of (variance + "
        "{contrast}). So bright and dark images of the same thing give nearly the same "
        "numbers.": ALWAYS,
        "The response r to a patch is the sum of these numbers, each multiplied by a number of the "
        "patch's filter, plus a constant. It is high where the image looks like the patch, and "
        "negative where it looks like the patch's negative.": ALWAYS,
        "Patch {patch}, counting from 0, has the highest response, at row {row}, column {column}. "
        "There the {n_values} brightnesses have mean {mean} and variance "
        "{variance}, so the divisor is {divisor}. The response is r = {response}.": ALWAYS,
        "Low responses are mostly noise. Only the excess over a threshold t counts: for t = {low} "
        "it is {excess_low}, for t = {middle} {excess_middle}, for t = {high} {excess_high}. The "
        "excess of −r gives features "
        "of its own.": ALWAYS,
        "The excess is summed over the image, once for each point of a grid of {grid} × {grid}: "
        "the nearer the place, the larger its weight. At the point nearest to this place, the "
        "weight is {weight}, so the place adds {weight} · {excess_low} = {added} to the "
        "sum.": ALWAYS,
        "All places together give {sum}. Multiplied by {scale}, that is {scaled}. Rounded, it is "
        "the feature: {feature}, from 0 to 255 like a brightness.": "fits",
        "All places together give {sum}. Multiplied by {scale}, that is {scaled}. It exceeds 255, "
        "so the feature is {feature}: features are from 0 to 255, like brightnesses.": "cut_off",
        "{n_patches} patches, 3 thresholds, r and −r, {n_points} points: {n_features} features in "
        "total. They, not the pixels, are the input of the layers.": ALWAYS,
        "Mirror symmetry: each sum also counts the matches with the patch's mirror image around "
        "the mirrored point, so an image and its mirror image get the same logits.": "symmetric",
        "Brightness of the part at row {row}, column {column}:": "grey",
        "Brightness of the part at row {row}, column {column}, mean of red, green and "
        "blue:": "coloured",
    },
    tables=(table(Column("row", "rows"), Column("brightness", "cells", "text")),),
    checks=(
        Check(
            "The response, computed again from the formula, is the same but for rounding",
            "response_by_hand",
            "response",
            tolerance=1e-3,
        ),
        Check(
            "The sum, computed again place by place, is the same but for rounding",
            "sum_by_hand",
            "sum",
            tolerance=1e-3,
        ),
        Check("Rounding changes the feature by at most 0.5", "rounding", 0.5, "≤", 1e-3),
    ),
    question=Question("How many features does the model compute?", "n_features"),
)

LOGITS_OF_PATCHES = replace(
    LOGITS_OF_IMAGE,
    sentences={
        **NODES,
        "The forward pass: each feature, divided by 255, is multiplied by its weight for the "
        "class. The products and the bias sum to the logit.": "linear",
        "The forward pass goes through {n_layers} layers. Here a feature's contribution is "
        "gradient × input, an approximation that holds while the same hidden nodes stay "
        "active.": "hidden",
        "A feature is a sum over places. So its contribution is divided among the places, in "
        "proportion to what each adds to the sum.": ALWAYS,
        **ANY_NUMBER,
        "Class {winner} has the highest logit. Below: what each region of the image adds to it, "
        "and the places that change it most. What a place adds is spread evenly over the {side} × "
        "{side} pixels of its patch.": ALWAYS,
    },
    tables=(
        class_table(Column("features", "sums"), Column("bias", "biases"), LOGIT),
        LOGITS_OF_IMAGE.tables[1],
        table(
            Column("row", "place_rows"),
            Column("column", "place_columns"),
            Column("contribution", "place_contributions"),
        ),
    ),
    checks=(
        Check(
            "Features and bias sum to the model's logits",
            "sums_and_biases",
            "logits",
            tolerance=1e-9,
        ),
        Check(
            "Places and bias sum to the logit of class {winner}",
            "places_and_bias",
            "logit_of_winner",
            tolerance=1e-6,
        ),
    ),
)

"""The text of the steps about an image, for models of pixels, patch features and other features."""

from __future__ import annotations

from softmaxce.lesson.step import ALWAYS, Check, Column, Formula, Part, StepTemplate
from softmaxce.lesson.templates import LOGIT, LOGITS, NODES, TARGET_AHEAD, class_table, table

EACH_VALUE = (
    "Each value is one input feature: {n_pixels} in total, from {first_values} … to … "
    "{last_values}."
)
IMAGE = StepTemplate(
    name="image",
    title="From image to input",
    claim="An image is a grid of pixels. Its rows, laid end to end, form the input vector.",
    formula=Formula(
        "index = (row · width + column) · channels + channel",
        r"\text{index} = (\text{row} \cdot \text{width} + \text{column}) \cdot "
        r"\text{channels} + \text{channel}",
    ),
    sentences={
        "The model sees {height} rows of {width} pixels: {n_places} pixels, each with a brightness "
        "from 0 (black) to 255 (white). That makes 256 values; some texts wrongly say “0 to "
        "256”.": "grey",
        "The model sees {height} rows of {width} pixels: {n_places} pixels, each with three "
        "brightnesses from 0 to 255, for red, green and blue. That makes 256 values each; some "
        "texts wrongly say “0 to 256”.": "coloured",
        "A full-HD image has 1,920 × 1,080 = 2,073,600 pixels.": ALWAYS,
        EACH_VALUE: ALWAYS,
        "Counting from 0, row {row}, column {column} holds the brightest value, {brightness}. In "
        "the vector its index is {index}.": ALWAYS,
        "Around it, columns {first_column} to {last_column}:": "grey",
        "The values of the same colour around it, columns {first_column} to "
        "{last_column}:": "coloured",
    },
    tables=(table(Column("row", "rows"), Column("brightness", "cells", "text")),),
    checks=(
        Check(
            "The index of this value",
            "computed_index",
            "index",
            written="({row} · {width} + {column}) · {channels} + {channel}",
        ),
    ),
    more=Part(
        checks=(
            Check("The vector holds height × width × channels values", "n_pixels", "product"),
            Check("Grid and vector hold the same value there", "in_vector", "brightness"),
            Check(
                "Values that differ between the joined rows and the vector", "rows_end_to_end", 0.0
            ),
        )
    ),
)

CONTRIBUTIONS = class_table(Column("pixels", "sums"), Column("bias", "biases"), LOGIT)
REGIONS = table(
    Column("region", "regions", "word"),
    Column("brightness", "region_brightness"),
    Column("contribution", "region_sums"),
    when="has_regions",
)
ALL_LOGITS = Check(
    "The same for every class, compared with the model's own logits",
    "sums_and_biases",
    "logits",
    tolerance=1e-9,
)
LOGITS_OF_IMAGE = LOGITS._replace(
    sentences={
        **NODES,
        "The forward pass: each brightness, divided by 255, is multiplied by its weight for the "
        "class. The products and the bias sum to the logit.": "linear",
        "The forward pass goes through {n_layers} layers. Here a pixel's contribution is gradient "
        "× input, an approximation that holds while the same hidden nodes stay active.": "hidden",
        **TARGET_AHEAD,
        "Class {winner} has the highest logit. Below: the pixels that change it most.": ALWAYS,
    },
    tables=(
        CONTRIBUTIONS,
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
            "Pixels and bias sum to the logit of class {winner}",
            "winner_sum_and_bias",
            "winner_logit",
            tolerance=1e-9,
            written="{winner_sum} + {winner_bias}",
        ),
    ),
    more=Part(
        sentences={"What each region of the image adds to the logit of class {winner}:": ALWAYS},
        tables=(REGIONS,),
        checks=(ALL_LOGITS,),
    ),
)

IMAGE_OF_PATCHES = IMAGE._replace(
    claim="An image is a grid of pixels. Its rows, laid end to end, form a vector.",
    sentences={
        "The vector has {n_pixels} values, from {first_values} … to … {last_values}."
        if message == EACH_VALUE
        else message: when
        for message, when in IMAGE.sentences.items()
    },
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
        "Contrast normalisation: each brightness of a part is divided by the square root of "
        "(variance + {contrast}) and rounded to sixteenths; then the mean of the results is "
        "subtracted. So bright and dark images of the same thing give nearly the same "
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
    checks=(Check("Rounding changes the feature by at most 0.5", "rounding", 0.5, "≤", 1e-3),),
    more=Part(
        checks=(
            Check(
                "The response, computed again from the formula, is the same",
                "response_by_hand",
                "response",
                tolerance=1e-9,
            ),
            Check(
                "The sum, computed again place by place, is the same but for rounding",
                "sum_by_hand",
                "sum",
                tolerance=1e-3,
            ),
        )
    ),
)

SUMS_OF_FEATURES = class_table(Column("features", "sums"), Column("bias", "biases"), LOGIT)
GRADIENT_TIMES_FEATURE = (
    "The forward pass goes through {n_layers} layers. Here a feature's contribution is gradient × "
    "input, an approximation that holds while the same hidden nodes stay active."
)
LOGITS_OF_PATCHES = LOGITS_OF_IMAGE._replace(
    sentences={
        **NODES,
        "The forward pass: each feature, divided by 255, is multiplied by its weight for the "
        "class. The products and the bias sum to the logit.": "linear",
        GRADIENT_TIMES_FEATURE: "hidden",
        "A feature is a sum over places. So its contribution is divided among the places, in "
        "proportion to what each adds to the sum.": ALWAYS,
        **TARGET_AHEAD,
        "Class {winner} has the highest logit. Below: the places that change it most. What a place "
        "adds is spread evenly over the {side} × {side} pixels of its patch.": ALWAYS,
    },
    tables=(
        SUMS_OF_FEATURES,
        table(
            Column("row", "place_rows"),
            Column("column", "place_columns"),
            Column("contribution", "place_contributions"),
        ),
    ),
    checks=(
        Check(
            "Features and bias sum to the logit of class {winner}",
            "winner_sum_and_bias",
            "winner_logit",
            tolerance=1e-9,
            written="{winner_sum} + {winner_bias}",
        ),
    ),
    more=LOGITS_OF_IMAGE.more._replace(
        checks=(
            ALL_LOGITS,
            Check(
                "Places and bias sum to the logit of class {winner}",
                "places_and_bias",
                "winner_logit",
                tolerance=1e-6,
            ),
        ),
    ),
)

LOGITS_OF_FEATURES = LOGITS_OF_PATCHES._replace(
    sentences={
        **NODES,
        "{path} has {n_features} features, which another program computed. They are the input of "
        "the layers.": "of_program",
        "A pretrained network turns {path} into {n_features} features, the input of the layers. "
        "Everything from these features on is shown exactly; how the network computes them is not "
        "explained.": "of_network",
        "The forward pass: each feature is multiplied by its weight for the class. The products "
        "and the bias sum to the logit.": "linear",
        GRADIENT_TIMES_FEATURE: "hidden",
        **TARGET_AHEAD,
        "Class {winner} has the highest logit. Below: the features that change it most.": ALWAYS,
    },
    tables=(
        SUMS_OF_FEATURES,
        table(
            Column("feature", "feature_names", "text"),
            Column("value", "feature_values"),
            Column("weight", "feature_weights"),
            Column("contribution", "feature_contributions"),
        ),
    ),
    checks=tuple(c._replace(tolerance="rounding") for c in LOGITS_OF_PATCHES.checks),
    more=Part(checks=(ALL_LOGITS._replace(tolerance="rounding"),)),
)

"""Results that show themselves in a notebook, in the language of the locale."""

from __future__ import annotations

from importlib import import_module
from operator import attrgetter
from os import PathLike
from typing import ClassVar

from softmaxce.language import default_language
from softmaxce.model import model_file
from softmaxce.model.softmax_model import SoftmaxModel
from softmaxce.translation import use

use(default_language())


class Shown:
    """cell: the function of views.cells that makes the HTML; named: attributes in the text."""

    cell: ClassVar[str]
    named: ClassVar[tuple[str, ...]]

    def _repr_html_(self) -> str:
        cells = import_module("softmaxce.views.cells")  # only a notebook needs the views
        return str(getattr(cells, self.cell)(self))

    def __repr__(self) -> str:
        values = (f"{name.rpartition('.')[2]}={attrgetter(name)(self)!r}" for name in self.named)
        return f"{type(self).__name__}({', '.join(values)})"


class Model(Shown, SoftmaxModel):
    """A trained model."""

    cell, named = "model", ("class_names", "preprocessing")


def load_model(path: str | PathLike[str]) -> Model:
    """The model in the file `path`. Raises ModelError, which names the file and the fault."""
    return Model(**vars(model_file.load_model(path)))

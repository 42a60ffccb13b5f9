"""Results that show themselves in a notebook, in the language of the locale."""

from __future__ import annotations

from importlib import import_module
from os import PathLike

from softmaxce.language import default_language
from softmaxce.model import model_file
from softmaxce.model.softmax_model import SoftmaxModel
from softmaxce.translation import use

use(default_language())


class Shown:
    """Shows itself as HTML, by the function of views.cells with the name of the class."""

    def _repr_html_(self) -> str:
        cells = import_module("softmaxce.views.cells")  # only a notebook needs the views
        return str(getattr(cells, type(self).__name__.lower())(self))

    def __repr__(self) -> str:
        return f"<softmaxce.{type(self).__name__}>"


class Model(Shown, SoftmaxModel):
    """A trained model."""


def load_model(path: str | PathLike[str]) -> Model:
    """The model in the file `path`. Raises ModelError, which names the file and the fault."""
    return Model(**vars(model_file.load_model(path)))

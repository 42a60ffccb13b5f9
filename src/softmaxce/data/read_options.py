"""How image files are read, whatever they contain: by whom, from which cache, how many at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from softmaxce.data.decoding import OnDecoded
from softmaxce.data.pixel_cache import PixelCache
from softmaxce.images.decoded import DecodedImages
from softmaxce.images.info import ImageInfo
from softmaxce.networks.features import NetworkFeatures
from softmaxce.preprocessing import Preprocessing


class DecodingBackend(Protocol):
    """Reads image files somewhere else than in this process and its children."""

    def check_size(self, n_pixels: int, n_classes: int) -> None:
        """Raise TrainingError if a classifier of this size cannot be trained on its images."""
        ...

    def headers(self, paths: Sequence[str]) -> list[ImageInfo]:
        """Size and colour of each readable file, from its header."""
        ...

    def decode(
        self, paths: Sequence[str], preprocessing: Preprocessing, on_decoded: OnDecoded | None
    ) -> DecodedImages:
        """As `decode_files`; the pixels may stay where they were decoded."""
        ...


@dataclass(frozen=True)
class ReadOptions:
    """skip_bad: skip unreadable images instead of raising DataError; cache: where decoded pixels
    are kept (None: nowhere; a backend ignores it); jobs: decoding processes, or threads with a
    network (None: one per core); on_decoded: called with (images decoded so far, all images);
    backend: reads the files elsewhere; group_by: what names the group of an image, as
    `data.grouping` says (None: nothing); network: computes the features of images while they are
    decoded; their pixels are not kept, but decoded again where they are needed (`DecodedRows`).
    """

    skip_bad: bool = False
    cache: PixelCache | None = None
    jobs: int | None = None
    on_decoded: OnDecoded | None = None
    backend: DecodingBackend | None = None
    group_by: str | None = None
    network: NetworkFeatures | None = None

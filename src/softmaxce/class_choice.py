"""Which classes are used, and which are merged into one; a model keeps this choice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from softmaxce.class_names import closest, normalized
from softmaxce.errors import InputError, first_and_more


@dataclass(frozen=True)
class ClassChoice:
    """only: the classes to use, by their names after merging; all if there are none. merged: pairs
    of a class and the class that it is merged into."""

    only: tuple[str, ...] = ()
    merged: tuple[tuple[str, str], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.only or self.merged)

    def as_json(self) -> dict[str, Any]:
        """This choice in JSON types."""
        return {"only": list(self.only), "merged": dict(self.merged)}

    def name_of(self, name: str) -> str:
        """What a class is called after merging."""
        targets = {normalized(source): target for source, target in self.merged}
        return targets.get(normalized(name), name)

    def chosen(self, names: Iterable[str]) -> dict[str, str]:
        """The classes that are used, in the order of `names`, and their names after merging."""
        only = set(map(normalized, self.only))
        after = {name: normalized(self.name_of(name)) for name in names}
        return {name: new for name, new in after.items() if not only or new in only}

    def check(self, names: Iterable[str]) -> None:
        """Raise InputError if this choice contradicts itself, or does not suit these classes."""
        targets = dict(self.merged)
        for name, target in self.merged:
            other = name if targets[name] != target else target
            if other in targets and targets[other] != target:
                raise InputError(
                    f"cannot merge the class: '{name}' into '{target}': --merge also turns "
                    f"'{other}' into '{targets[other]}'; choose one of the two targets"
                )
        before = [*map(normalized, names)]
        _require("--merge", targets, before, {})
        _require("--only", self.only, [*dict.fromkeys(map(self.name_of, before))], targets)
        if len(left := {*self.chosen(before).values()}) < 2:
            raise InputError(
                f"too few classes: --only and --merge leave only '{min(left)}'; a classifier needs "
                "at least two"
            )


ALL_CLASSES = ClassChoice()


def _require(
    option: str, wanted: Iterable[str], names: Sequence[str], targets: Mapping[str, str]
) -> None:
    """Raise InputError if a class that an option names is missing from `names`."""
    for name in wanted:
        if name not in names:
            meant = targets.get(name) or closest(name, names, 0.6)
            known = first_and_more([f"'{known}'" for known in names])
            raise InputError(
                f"unknown class: {option}: '{name}'; the classes are {known}"
                + (f"; did you mean '{meant}'?" if meant else "")
            )

"""What a failed command may have meant: names from other tools, arguments in the wrong place."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import click

from softmaxce.cli.types import OPTION, VARIADIC
from softmaxce.errors import first_and_more
from softmaxce.typed_numbers import number, split_numbers

_MODEL_HINTS = {
    **dict.fromkeys(("predict", "evaluate", "explain"), "{0} is a model: did you mean -m {0}?"),
    "train": "{0} is a model: did you mean -o {0}?",
    "check": "{0} is a model: softmaxce info {0} shows what it contains",
    "compare": "the order is: softmaxce compare MODEL_A MODEL_B DIR",
}
# Options of other tools: what they are called here, or (after |) why they do not exist.
_OTHER_NAMES = {
    "epochs epoch n-epochs num-epochs max-iter iterations steps": "|training stops by itself",
    "lr eta learning-rate": "--learning-rate|the solver chooses its steps by itself",
    "optimizer optim solver momentum": "|the solver is chosen automatically",
    "batch batch-size bs b": "|the batch size is chosen automatically",
    "loss criterion": "|the loss is always the cross-entropy",
    "device gpu gpus cuda cpu": "|softmaxce runs only on the CPU",
    "imgsz img-size image-size input-size resize": "--size",
    "workers num-workers n-jobs threads j": "--jobs",
    "model weights m": "--model --output|give the model without an option",
    "data dataset data-dir input source d i": "|give the folder or image without an option",
    "weight-decay wd l1 alpha c dropout": "--l2",
    "val val-split validation-split test-size": "--validation",
    "random-state random-seed": "--seed",
    "pretrained backbone arch": "--features",
    "augment flip": "--mirror",
    "units layers hidden-units hidden-layer-sizes": "--hidden",
    "num-classes nc": "--classes|the classes are the names of the folders",
    "language locale": "--lang",
    "html": "--report",
    "verbose v": "|progress is shown unless -q is given",
    "output out o save": "--output|write stdout to a file with > FILE",
}


def usage_message(error: click.ClickException, words: Sequence[str]) -> str:
    """The message of an error of Click's, with the name here for one from another tool."""
    message, context = error.format_message(), getattr(error, "ctx", None)
    if context is None:
        return message
    if isinstance(error, click.NoSuchOption):
        typed = error.option_name
        typed = next((word for word in words if word.startswith(typed)), typed).partition("=")[0]
        if hint := _option_hint(typed.lstrip("-").replace("_", "-").lower(), context):
            message = f"No such option '{typed}': {hint}"
    elif match := re.match(r"Got unexpected extra arguments? \((.*)\)", message, re.DOTALL):
        usage = " ".join(context.command.collect_usage_pieces(context)[1:])
        extra = first_and_more(match[1].split(" "), 3, " ")
        message = f"unexpected: {extra}; {context.command_path} takes {usage or 'no arguments'}"
    return f"{message} (see '{context.command_path} --help')"


def _option_hint(name: str, context: click.Context) -> str | None:
    """What the option `name` is called in the command, or why it does not exist; or None."""
    here = {text: p for p in context.command.params for text in p.opts}
    if name in getattr(here.get("--format", click.Option(["-x"])).type, "choices", ()):
        return f"write --format {name}" + " -o lesson.html" * (name == "html")
    texts = (text for names, text in _OTHER_NAMES.items() if name in names.split())
    options, _, reason = next(texts, f"--{name}").partition("|")
    for option in options.split():
        if option in here:
            return f"did you mean {option}?" if name == option[2:] else f"here it is {option}"
    group = context.find_root().command
    commands = group.commands.items() if isinstance(group, click.Group) else ()
    having = [n for n, c in commands if any(options in p.opts for p in c.params)]
    return reason or (f"option of {', '.join(having)}: {options}" if having else None)


def better_message(message: str, words: Sequence[str]) -> str:
    """A message, with the words of its command, that says what may have been meant."""
    command, arguments = words[0] if words else "", _arguments(words)
    if command in _MODEL_HINTS and (model := _misplaced_model(command, arguments)):
        hint = _MODEL_HINTS[command].format(model)
        return f"{message}; {hint}" if "it is a model" in message else hint
    for word in words[1:]:
        if re.match(r"[—–]+[a-z]", word):
            return f"{word} starts with a dash; write two hyphens: --{word.lstrip('—–')}"
    is_misspelt = re.match("No such option '-+[a-z]", message, re.IGNORECASE)
    if not is_misspelt and (numbers := _numbers(command, arguments)):
        option = "--probabilities" if "%" in numbers else "--logits"
        return f"numbers go behind {option}: softmaxce explain {option} {numbers}"
    if "no such f" in message:
        for word in words[1:]:
            if word in message and not os.path.exists(word) and (meant := _similar(word)):
                return f"{message}; did you mean {meant}?"
    return message


def _arguments(words: Sequence[str]) -> list[str]:
    """The words that are neither options nor, most likely, their values."""
    arguments, takes_all = list[str](), False
    for before, word in pairwise(words):
        if OPTION.match(word):
            takes_all = word.partition("=")[0] in VARIADIC
        elif not (takes_all or OPTION.match(before)):
            arguments.append(word)
    return arguments


def _misplaced_model(command: str, arguments: Sequence[str]) -> str | None:
    """The first argument that is a model; of `compare`, only the third."""
    files = list(filter(os.path.isfile, arguments[2:] if command == "compare" else arguments))
    if not files:
        return None
    from softmaxce.model.model_file import is_model_file

    return next(filter(is_model_file, files), None)


def _numbers(command: str, arguments: Sequence[str]) -> str:
    """The arguments of `explain` or `predict` if they are numbers, not files; otherwise ''."""
    items = split_numbers(" ".join(arguments))
    if command not in ("explain", "predict") or any(map(os.path.exists, arguments)):
        return ""
    if command == "predict" and "-0" in arguments:  # its option
        return ""
    try:
        return " ".join(items) if [number(item, percent=True) for item in items] else ""
    except ValueError:
        return ""


def _similar(path: str) -> Path | None:
    """The existing path whose parts are spelled most like those of `path`."""
    from difflib import get_close_matches

    found = Path(Path(path).anchor)
    for part in Path(path).parts[len(found.parts) :]:
        if not os.path.exists(found / part) and os.access(found, os.R_OK) and found.is_dir():
            names = {name.casefold(): name for name in os.listdir(found)}
            close = get_close_matches(part.casefold(), list(names)[:2000], 1, 0.7)
            part = names[close[0]] if close else part
        found /= part
    return found if os.path.exists(found) else None

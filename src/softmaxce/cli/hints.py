"""What a failed command may have meant: names from other tools, arguments in the wrong place."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from softmaxce.cli.types import OPTION, VARIADIC
from softmaxce.data.split_names import split_of
from softmaxce.errors import first_and_more
from softmaxce.translation import translate, translate_reason
from softmaxce.typed_numbers import number, split_numbers, with_points

if TYPE_CHECKING:
    from pathlib import Path

_MODEL_HINTS = {
    **dict.fromkeys(("predict", "evaluate", "explain"), "did you mean -m {0}?"),
    "train": "did you mean softmaxce train DIR -o {0}?",
    "check": "softmaxce info {0} shows what it contains",
    "compare": "wrong order; use softmaxce compare MODEL_A MODEL_B DIR",
}
_OTHER_COMMANDS = {
    **dict.fromkeys(("test", "eval", "score", "validate", "val"), "evaluate"),
    "fit": "train",
    "learn": "train",
    "classify": "predict",
    "infer": "predict",
    "show": "info",
}
# Options of other tools: what they are called here, and why a command lacks them. Names after a
# colon are those of one command.
_OTHER_NAMES = {
    "epochs epoch n-epochs num-epochs max-iter iterations steps patience early-stopping tol": (
        "",
        "training stops when it converges",
    ),
    "lr eta learning-rate": (
        "--learning-rate",
        "in training, the step size is chosen automatically",
    ),
    "optimizer optim solver momentum": ("", "in training, the solver is chosen automatically"),
    "batch batch-size bs b": ("", "in training, the batch size is chosen automatically"),
    "loss criterion": ("", "training always minimizes the cross-entropy"),
    "dropout augment augmentation flip l1": ("", "there is none"),
    "pretrained backbone arch": ("", "train --features FILE.onnx uses a pretrained network"),
    "train:model train:weights train:m": ("", "-o names the model file; --hidden adds layers"),
    "check:model check:weights check:m": ("", "check needs no model"),
    "train:classes check:classes include": ("--only", ""),
    "model weights m": ("--model", "write the model without an option: {0}"),
    "data dataset data-dir input source d i": ("", "write the path without an option: {0}"),
    "test-dir test-data": ("", "to score test images, use softmaxce evaluate DIR"),
    "test-size test-split": ("--test", ""),
    "threshold": ("", "the predicted class is always the most probable one"),
    "device gpu gpus cuda cpu": ("", "softmaxce runs only on the CPU"),
    "imgsz img-size image-size input-size resize": ("--size", ""),
    "workers num-workers n-jobs threads j": ("--jobs", ""),
    "weight-decay wd alpha": ("--l2", ""),
    "val val-split validation-split": ("--validation", ""),
    "random-state random-seed": ("--seed", ""),
    "units layers hidden-units hidden-layer-sizes": ("--hidden", ""),
    "num-classes nc": ("--classes", "the classes are the names of the folders"),
    "language locale": ("--lang", ""),
    "html": ("--report", ""),
    "verbose v": ("", "progress is shown unless -q is given"),
    "output out o save": ("--output", "redirect the output instead: > FILE"),
}


def usage_message(
    error: click.UsageError, words: Sequence[str], group: click.Group
) -> tuple[str, str]:
    """The message of an error of Click's, with the name here for one from another tool; and where
    the usage is described."""
    message, context = error.format_message().rstrip("."), _context(words, group)
    if isinstance(error, click.NoSuchOption):
        typed = error.option_name
        typed = next((word for word in words if word.startswith(typed)), typed).partition("=")[0]
        hint = _option_hint(typed.lstrip("-").replace("_", "-").lower(), context)
        message = f"No such option '{typed}'" + f": {hint}" * bool(hint)
    elif match := re.match(r"No such command '(.*?)'", message, re.DOTALL):
        hint = _command_hint(match[1], words, context)
        message = match[0] + f"; did you mean {hint}?" * bool(hint)
    elif match := re.match(r"Got unexpected extra (arguments?) \((.*)\)", message, re.DOTALL):
        from pathlib import Path

        extra = first_and_more(match[2].split(" "), 3, " ")
        message = f"unexpected {match[1]} {extra}; usage: {_usage(context)}"
        folders = [Path(folder) for folder in _parted(words, context)[0]]
        above = ", ".join({str(folder.parent) for folder in folders})
        is_parted = os.path.isdir(above) and all(map(Path.is_dir, folders))
        if words[0] in ("train", "check") and is_parted:
            names = " and ".join(folder.name for folder in folders)
            message = f"{words[0]} takes one folder; did you mean {above}, which contains {names}?"
    return message, f" (see '{context.command_path} --help')"


def _context(words: Sequence[str], group: click.Group) -> click.Context:
    """The context of the command that the words start with."""
    context = click.Context(group, info_name="softmaxce")
    for word in words:
        commands = getattr(context.command, "commands", {})
        if word not in commands:
            break
        context = click.Context(commands[word], context, info_name=word)
    return context


def _usage(context: click.Context) -> str:
    return " ".join([context.command_path, *context.command.collect_usage_pieces(context)[1:]])


def _command_hint(word: str, words: Sequence[str], context: click.Context) -> str:
    """The command meant by a first word that is misspelt or another tool's; or ''."""
    from difflib import get_close_matches

    rest = words[[*words].index(word) + 1 :] if word in words else []
    if word == "help":
        return shlex.join([*context.command_path.split(), *rest, "--help"])
    known = getattr(context.command, "commands", {})
    meant = get_close_matches(_OTHER_COMMANDS.get(word.lower(), word.lower()), known, 1)
    if os.path.exists(word) and "train" in known and not meant:
        meant, rest = ["train" if os.path.isdir(word) else "predict"], [word, *rest]
    return shlex.join([*context.command_path.split(), *meant, *rest]) if meant else ""


def _option_hint(name: str, context: click.Context) -> str | None:
    """What the option `name` is called in the command, or why it does not exist; or None."""
    from difflib import get_close_matches

    root = context.find_root().command
    commands: dict[str, click.Command] = getattr(root, "commands", {})
    having: dict[str, list[str]] = {}
    for command, option in ((n, o) for n, c in commands.items() for p in c.params for o in p.opts):
        having.setdefault(option, []).append(command)
    here = {option: p for p in context.command.params for option in p.opts}
    if name in getattr(here.get("--format", click.Option(["-x"])).type, "choices", ()):
        return f"write --format {name}" + " -o lesson.html" * (name == "html")
    if name in commands and context.command is root:
        return f"write softmaxce {name}"
    others = {n: meant for names, meant in _OTHER_NAMES.items() for n in names.split()}
    meant = others.get(f"{context.command.name}:{name}") or others.get(name)
    option, reason = meant or (f"--{name}", "")
    if option in here:
        return f"did you mean {option}?" if name == option[2:] else f"use {option}"
    if reason or option in having:
        those = " and ".join(", ".join(having.get(option, ())).rsplit(", ", 1))
        return reason.format(_usage(context)) or f"{option} is an option of {those}"
    known = [o[2:] for o in (*here, *having) if o.startswith("--")]
    known += [other for other in others if ":" not in other]
    begun = [o for o in known if len(name) > 2 and o.startswith(name)]
    close = begun or get_close_matches(name, known, 1, 0.7)
    return _option_hint(close[0], context) if close else None


def better_message(message: str, words: Sequence[str], group: click.Group, end: str = "") -> str:
    """A message and its `end`, or one that says what the words of its command may have meant; in
    the reader's language."""
    command = words[0] if words else ""
    arguments, options = _parted(words, _context(words, group))
    if command in _MODEL_HINTS and (model := _misplaced_model(command, arguments)):
        hint = _MODEL_HINTS[command].format(shlex.quote(model))
        start = f"{message};" if "it is a model" in message else f"{model} is a model:"
        return translate(f"{start} {hint}")
    for word in words[1:]:
        if re.match(r"[—–]+[a-z]", word):
            plain = word.lstrip("—–")
            return translate(f"{word} starts with a long dash; use two hyphens: --{plain}")
    is_misspelt = re.match("No such option '-+[a-z]", message, re.IGNORECASE)
    if not is_misspelt and (hint := _numbers_hint(command, arguments, options)):
        return translate(hint)
    if "no such f" in message:
        for word in words[1:]:
            if word and word in message and not os.path.exists(word) and (meant := _similar(word)):
                is_test = "--validation" in message and split_of(meant.name) == "test"
                end = translate(f"; did you mean {meant}?" * (not is_test)) + translate(end)
                break
    said = translate(message)
    return (translate_reason(message) if said == message else said) + translate(end)


def _parted(words: Sequence[str], context: click.Context) -> tuple[list[str], list[str]]:
    """The words that are neither options nor, most likely, their values; and the others."""
    given = (p for p in context.command.params if isinstance(p, click.Option))
    is_flag = {o: p.is_flag for p in given for o in (*p.opts, *p.secondary_opts)}
    arguments, options, n_values = list[str](), list[str](), 0.0
    for word in words[1:]:
        name, equals, _ = word.partition("=")
        if name in is_flag or OPTION.match(word):
            n_values = 0 if equals or word == "--" or is_flag.get(name) else 1
            n_values = float("inf") if name in VARIADIC else n_values
            options.append(word)
        else:
            (options if n_values else arguments).append(word)
            n_values = max(n_values - 1, 0)
    return arguments, options


def _misplaced_model(command: str, arguments: Sequence[str]) -> str | None:
    """The first argument that is a model; of `compare`, only the third."""
    files = list(filter(os.path.isfile, arguments[2:] if command == "compare" else arguments))
    if not files:
        return None
    from softmaxce.model.model_file import is_model_file

    return next(filter(is_model_file, files), None)


def _numbers_hint(command: str, arguments: Sequence[str], options: Sequence[str]) -> str:
    """How to explain the arguments of `explain` or `predict`, if they are numbers; or ''."""
    files = list(filter(os.path.exists, arguments))
    typed = [word for word in arguments if word not in files]
    if command != "explain" and (command != "predict" or files):
        return ""
    items = split_numbers(" ".join(with_points(typed) if len(typed) > 1 else typed))
    try:
        if not [number(item, percent=True) for item in items]:
            return ""
    except ValueError:
        return ""
    option = "--probabilities" if any("%" in item for item in items) else "--logits"
    kept = options if command == "explain" else []
    rewritten = shlex.join(["softmaxce", "explain", option, *items, *kept])
    return (
        "give numbers or an image, not both; " * bool(files) + f"numbers need {option}: {rewritten}"
    )


def _similar(path: str) -> Path | None:
    """The existing path whose parts are spelled most like those of `path`."""
    from difflib import get_close_matches
    from pathlib import Path

    found = Path(Path(path).anchor)
    for part in Path(path).parts[len(found.parts) :]:
        if not os.path.exists(found / part) and os.access(found, os.R_OK) and found.is_dir():
            names = {name.casefold(): name for name in os.listdir(found)}
            close = get_close_matches(part.casefold(), list(names)[:2000], 1, 0.7)
            part = names[close[0]] if close else part
        found /= part
    return found if os.path.exists(found) else None

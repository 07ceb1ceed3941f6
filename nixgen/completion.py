"""What a shell needs to complete a command line: scripts for bash, zsh and fish, made of the parser."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

#: The names of values that are files or directories.
_FILES = re.compile(r"FILE|DIR|PATH|LOCK|INPUT|\bA\b|\bB\b")


@dataclass(frozen=True, kw_only=True)
class Word:
    """What may stand on a command line.

    Attributes:
        names: the spellings of an option, the long one last; one name of a value that may stand by itself.
        help: in a sentence.
        values: how many values follow an option.
        choices: what a value may be; none for any.
        files: whether it is a file or directory.
    """

    names: tuple[str, ...]
    help: str
    values: int = 0
    choices: tuple[str, ...] = ()
    files: bool = False


@dataclass(frozen=True, kw_only=True)
class Verb:
    """A verb with its options, and what may stand by itself.

    Attributes:
        name, help: of the verb.
        options: its options.
        choices: the values that may stand by themselves, where they are known.
        files: whether files may stand by themselves.
    """

    name: str
    help: str
    options: tuple[Word, ...]
    choices: tuple[str, ...]
    files: bool


def verbs_of(parsers: Mapping[str, argparse.ArgumentParser], summaries: Mapping[str, str]) -> list[Verb]:
    """Return what may be typed, of the parsers of the verbs and their summaries."""
    found = []
    for name, parser in parsers.items():
        words = [_word(action) for action in parser._actions if action.help != argparse.SUPPRESS]
        options = tuple(word for word in words if word.names[0].startswith("-"))
        bare = [word for word in words if not word.names[0].startswith("-")]
        found.append(
            Verb(
                name=name,
                help=summaries[name],
                options=options,
                choices=tuple(choice for word in bare for choice in word.choices),
                files=any(word.files for word in bare),
            )
        )
    return found


def _word(action: argparse.Action) -> Word:
    metavar = action.metavar if isinstance(action.metavar, str) else action.dest
    takes = 0 if action.nargs == 0 else action.nargs if isinstance(action.nargs, int) else 1
    return Word(
        names=tuple(sorted(action.option_strings, key=len)) or (action.dest,),
        help=re.sub(r"\s+", " ", (action.help or "").replace("%%", "%"))
        .partition("; ")[0]
        .partition(" (")[0]
        .strip("()"),
        values=takes if action.option_strings else 0,
        choices=tuple(map(str, action.choices or ())),
        files=_FILES.search(metavar or "") is not None,
    )


def _short(text: str) -> str:
    """Return the first sentence of a help text, without what it has in parentheses."""
    return " ".join(text.split()).partition("; ")[0].partition(" (")[0].strip("()")


def bash(verbs: Sequence[Verb], program: str) -> str:
    """Return the script for bash; it needs nothing of bash-completion."""
    names = " ".join(verb.name for verb in verbs)
    lines = [
        f"# bash completion for {program}: made by `{program} completion bash`",
        f"_{program}() {{",
        "    local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} verb= number=1 words= values=",
        "    COMPREPLY=()",
        "    while [ $number -lt $COMP_CWORD ]; do",
        "        case ${COMP_WORDS[number]} in",
        "            -C|--directory) number=$((number + 1)) ;;",
        "            -*) ;;",
        "            *) verb=${COMP_WORDS[number]}; break ;;",
        "        esac",
        "        number=$((number + 1))",
        "    done",
        "    case $verb in",
        f"        '') words='{names} --help --version --directory --quiet --verbose' ;;",
    ]
    for verb in verbs:
        words = [*(name for option in verb.options for name in option.names), *verb.choices]
        lines.append(f"        {verb.name}) words='{' '.join(words)}{' @files' if verb.files else ''}'")
        if cases := [*_valued(verb)]:
            lines.append("            case $before in")
            lines += [f"                {'|'.join(names)}) values='{values}' ;;" for names, values in cases]
            lines.append("            esac")
        lines.append("            ;;")
    lines += [
        "    esac",
        '    [ -z "$verb" ] && case $before in -C|--directory) values=@files ;; esac',
        '    [ -n "$values" ] && words=$values',
        "    case $current/$words in",
        "        -*) ;;",
        '        *@files*) COMPREPLY=($(compgen -f -- "$current")) ;;',
        "    esac",
        "    words=${words//@files/}",
        '    COMPREPLY+=($(compgen -W "${words//@any/}" -- "$current"))',
        "}",
        f"complete -o filenames -F _{program} {program}",
    ]
    return "\n".join(lines) + "\n"


def _valued(verb: Verb) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the options that a value follows, with what it may be; "@any" where nobody knows."""
    for option in verb.options:
        if option.values:
            yield option.names, " ".join(option.choices) or ("@files" if option.files else "@any")


def zsh(verbs: Sequence[Verb], program: str) -> str:
    """Return the script for zsh: a function for a directory of ``fpath``, or to be read by ``eval``."""
    lines = [
        f"#compdef {program}",
        f"_{program}() {{",
        "    local verb= number=2",
        "    local -a found",
        "    while (( number < CURRENT )); do",
        "        case ${words[number]} in",
        "            -C|--directory) (( number++ )) ;;",
        "            -*) ;;",
        "            *) verb=${words[number]}; break ;;",
        "        esac",
        "        (( number++ ))",
        "    done",
        "    if [[ -z $verb ]]; then",
        "        case ${words[CURRENT-1]} in -C|--directory) _files -/; return ;; esac",
        "        found=(",
        *(f"            {_quoted(f'{verb.name}:{verb.help}')}" for verb in verbs),
        "        )",
        "        _describe verb found",
        "        return",
        "    fi",
        "    case $verb in",
    ]
    for verb in verbs:
        lines.append(f"        {verb.name})")
        if cases := [*_valued(verb)]:
            lines.append("            case ${words[CURRENT-1]} in")
            for names, values in cases:
                does = {"@files": "_files", "@any": "_message value"}.get(values, f"compadd -- {values}")
                lines.append(f"                {'|'.join(names)}) {does}; return ;;")
            lines.append("            esac")
        lines.append("            found=(")
        for option in verb.options:
            for name in option.names:
                lines.append(f"                {_quoted(f'{name}:{option.help}')}")
        lines.append("            )")
        if verb.choices:
            lines.append(f"            [[ ${{words[CURRENT]}} != -* ]] && compadd -- {' '.join(verb.choices)}")
        if verb.files:
            lines.append("            [[ ${words[CURRENT]} != -* ]] && _files")
        lines += ["            [[ ${words[CURRENT]} == -* ]] && _describe option found", "            ;;"]
    lines += [
        "    esac",
        "}",
        f'if [[ $funcstack[1] == _{program} ]]; then _{program} "$@"; else compdef _{program} {program}; fi',
    ]
    return "\n".join(lines) + "\n"


def fish(verbs: Sequence[Verb], program: str) -> str:
    """Return the script for fish."""
    names = " ".join(verb.name for verb in verbs)
    lines = [
        f"# fish completion for {program}: made by `{program} completion fish`",
        f"complete -c {program} -f",
        f"complete -c {program} -s C -l directory -r -F -d {_quoted('the directory of the project')}",
    ]
    for verb in verbs:
        unless = f"-n 'not __fish_seen_subcommand_from {names}'"
        lines.append(f"complete -c {program} {unless} -a {verb.name} -d {_quoted(verb.help)}")
        when = f"complete -c {program} -n '__fish_seen_subcommand_from {verb.name}'"
        for option in verb.options:
            spelled = " ".join(f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in option.names)
            value = ""
            if option.values:
                value = f" -r -f -a {_quoted(' '.join(option.choices))}" if option.choices else " -r"
                value += " -F" if option.files else ""
            lines.append(f"{when} {spelled}{value} -d {_quoted(option.help)}")
        if verb.choices:
            lines.append(f"{when} -a {_quoted(' '.join(verb.choices))}")
        if verb.files:
            lines.append(f"{when} -F")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """Return a text as a word of any of these shells."""
    return "'" + re.sub(r"[\\']", "", text) + "'"


#: The shells, and what writes their scripts.
SHELLS = {"bash": bash, "zsh": zsh, "fish": fish}

"""`breakeven completion`: a script that lets a shell complete commands, options and their values."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from pipelines.cli.exits import GOOD
from pipelines.platform.settings import Settings

if TYPE_CHECKING:
    from pipelines.cli.commands import Commands

_BASH = """\
_breakeven() {{
  local current="${{COMP_WORDS[COMP_CWORD]}}" before="${{COMP_WORDS[COMP_CWORD-1]}}" words=""
  if [ "$COMP_CWORD" -eq 1 ]; then
    words="{commands}"
  else
    case "${{COMP_WORDS[1]}} $before" in
{values}
      *) case "${{COMP_WORDS[1]}}" in
{options}
      esac ;;
    esac
  fi
  COMPREPLY=( $(compgen -W "$words" -- "$current") )
}}
complete -o default -F _breakeven breakeven
"""
_ZSH = "autoload -U +X bashcompinit && bashcompinit\n"


def add(commands: Commands) -> None:
    """Add the parser."""
    parser = commands.add_parser("completion", help="a completion script: source <(breakeven completion bash)")
    parser.add_argument("shell", choices=("bash", "zsh"))
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Print the script."""
    from pipelines.cli.main import build_parser  # noqa: PLC0415  (the parser finds this module)

    print((_ZSH if options.shell == "zsh" else "") + script(build_parser()), end="")
    return GOOD


def script(parser: argparse.ArgumentParser) -> str:
    """The script for bash, of all commands of a parser."""
    (commands,) = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    options, values = [], []
    for name, command in sorted(commands.choices.items()):
        known = []
        for action in command._actions:
            known += action.option_strings
            choices = " ".join(map(str, action.choices or ()))
            if action.option_strings and choices:
                values.append(f'      {"|".join(f"{chr(34)}{name} {o}{chr(34)}" for o in action.option_strings)}) words="{choices}" ;;')
            elif choices:
                known += choices.split()
        options.append(f'        {name}) words="{" ".join(known)}" ;;')
    return _BASH.format(commands=" ".join(sorted(commands.choices)), values="\n".join(values), options="\n".join(options))

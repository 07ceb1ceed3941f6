# What `nixgen shell` has zsh read first: the user's own file, from where the user has it.
_nixgen_files=$ZDOTDIR
if [[ -n ${NIXGEN_ZDOTDIR+x} ]]; then ZDOTDIR=$NIXGEN_ZDOTDIR; else unset ZDOTDIR; fi
[[ ! -r ${ZDOTDIR:-$HOME}/.zshenv ]] || . "${ZDOTDIR:-$HOME}/.zshenv"
# That file may have moved the others.
if [[ -n ${ZDOTDIR+x} ]]; then NIXGEN_ZDOTDIR=$ZDOTDIR; else unset NIXGEN_ZDOTDIR; fi
ZDOTDIR=$_nixgen_files
unset _nixgen_files

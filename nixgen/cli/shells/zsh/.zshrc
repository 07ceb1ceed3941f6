# What `nixgen shell` has zsh read: the user's own settings first, since they may change PATH and the prompt.
if [[ -n ${NIXGEN_ZDOTDIR+x} ]]; then ZDOTDIR=$NIXGEN_ZDOTDIR; else unset ZDOTDIR; fi
unset NIXGEN_ZDOTDIR
[[ ! -r ${ZDOTDIR:-$HOME}/.zshrc ]] || . "${ZDOTDIR:-$HOME}/.zshrc"
. "$NIXGEN_SHELL/bin/activate"

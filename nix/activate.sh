# Activate the environment that this file belongs to: `. result/bin/activate` in bash, zsh or another POSIX shell that
# sets BASH_SOURCE; `deactivate` restores what was. It holds no path, so every environment shares this one file.

deactivate() {
  if [ -n "${_nixgen_old_path+x}" ]; then
    PATH=$_nixgen_old_path
    export PATH
    unset _nixgen_old_path
  fi
  if [ -n "${_nixgen_old_home+x}" ]; then
    PYTHONHOME=$_nixgen_old_home
    export PYTHONHOME
    unset _nixgen_old_home
  fi
  if [ -n "${_nixgen_old_prompt+x}" ]; then
    PS1=$_nixgen_old_prompt
    unset _nixgen_old_prompt
  fi
  hash -r 2>/dev/null
  unset VIRTUAL_ENV VIRTUAL_ENV_PROMPT
  [ "${1:-}" = keep ] || unset -f deactivate
}

# What another activation has set goes first.
deactivate keep

if [ -n "${ZSH_VERSION:-}" ]; then
  eval '_nixgen_self=${(%):-%x}'
else
  _nixgen_self=${BASH_SOURCE:-}
fi
case $_nixgen_self in
*/*)
  # The path as it was given: a link such as ./result stays one, and so a new build takes effect at once.
  VIRTUAL_ENV=$(cd "${_nixgen_self%/*}/.." && pwd)
  export VIRTUAL_ENV
  VIRTUAL_ENV_PROMPT="(${VIRTUAL_ENV##*/}) "
  export VIRTUAL_ENV_PROMPT
  _nixgen_old_path=$PATH
  PATH=$VIRTUAL_ENV/bin:$PATH
  export PATH
  if [ -n "${PYTHONHOME+x}" ]; then
    _nixgen_old_home=$PYTHONHOME
    unset PYTHONHOME
  fi
  if [ -z "${VIRTUAL_ENV_DISABLE_PROMPT:-}" ]; then
    _nixgen_old_prompt=${PS1-}
    PS1="$VIRTUAL_ENV_PROMPT${PS1-}"
  fi
  hash -r 2>/dev/null
  ;;
*)
  echo "activate: this shell does not say where the file lies; name its directory: . result/bin/activate" >&2
  ;;
esac
unset _nixgen_self

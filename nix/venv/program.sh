# Make, heal and check a virtual environment on top of an environment of the store.
#
# Read by bin/nixgen-venv of every environment, and by nixgen, which set $parts, the directory of this and of its parts. For any POSIX shell; needs no nixgen, and Python only for farms, and for root in a directory of
# somebody else. What is wanted is written to .nixgen/state first, by one rename; all else follows from that file, so that
# whoever comes after an interruption completes what it says.

usage() {
  cat <<'END'
usage: nixgen-venv [--overlay | --farm [--keep] | --mounted | --reset | --rollback | --heal] [--check | --dry-run]
                   [--quiet] [DIR]
       nixgen-venv --unmount [--lazy] [DIR]

Make the virtual environment DIR on top of the environment that this program belongs to, or heal it. What was installed
into DIR stays and wins.

  --overlay   reach the environment by a .pth file: a handful of files, whatever its size (a new DIR's default)
  --farm      one link for each file, so that uv and other installers see and manage every package (the default of a new
              DIR beside a uv.lock, and of the one that $UV_PROJECT_ENVIRONMENT names); packages that were removed from
              DIR, and links that lead nowhere, are put back
  --keep      with --farm: what was removed from a farm stays away
  --mounted   no links: the kernel shows every file under its name, and what is changed in DIR lies in a layer of its own;
              takes root, Linux 6.5 and the environment's image (nixgen build --mounted)
  --reset     of a mounted DIR: drop what was changed in it
  --unmount   take away what is mounted over DIR; --lazy leaves programs what they have open
  --rollback  go back to the environment of before
  --heal      heal DIR on the environment that it has; a DIR that is not there is an error
  --check     change nothing; say what is wrong, and end with code 1 if anything is
  --dry-run   change nothing; say what would be done
  --quiet     do not say what was healed

DIR is the directory of bin/nixgen-venv where that is a virtual environment, else $VIRTUAL_ENV.
exit codes: 0 done, 1 something is wrong (--check), 2 usage, 3 DIR or its environment cannot be used, 7 DIR cannot be
written: no room, no rights
END
}

newline='
'

# fail CODE WHAT WHERE TODO
fail() {
  printf 'nixgen-venv: %s\n  where: %s\n  what to do: %s\n' "$2" "$3" "$4" >&2
  exit "$1"
}

cannot() {
  fail 7 "cannot write" "$PWD/$1" "see the message above; make room, make the directory writable, or run as its owner"
}

# wrong WHAT: count a fault; succeed where it is to be healed now.
wrong() {
  faults=$((faults + 1))
  case $mode in
    look) return 1 ;;
    check) printf '%s: %s\n' "$PWD" "$1"; return 1 ;;
    dry-run) printf '%s: would heal: %s\n' "$PWD" "$1"; return 1 ;;
  esac
  [ -n "$new$quiet" ] || printf '%s: healed: %s\n' "$PWD" "$1" >&2
}

# slurp FILE: set $text to what a small file holds; "" where it cannot be read.
slurp() {
  text=
  [ -f "$1" ] && [ -r "$1" ] || return 1
  while IFS= read -r line || [ -n "$line" ]; do text=$text$line$newline; done <"$1"
}

# holds FILE TEXT: tell whether a real file holds just this text.
holds() {
  [ ! -L "$1" ] && slurp "$1" && [ "$text" = "$2" ]
}

# Find the environment of the store that this program belongs to ($env), or the virtual environment ($own).
find_self() {
  start=$PWD here=$0 env= own= self= image=
  case $here in */*) ;; *) here=$(command -v -- "$here") || return 0 ;; esac
  until bin=${here%/*}; [ -e "$bin/../pyvenv.cfg" ] || [ ! -L "$here" ]; do
    target=$(readlink "$here")
    case $target in /*) here=$target ;; *) here=$bin/$target ;; esac
  done
  cd -P "$bin/.." 2>/dev/null || return 0
  if [ -d .nixgen ]; then own=$PWD
  elif [ -e pyvenv.cfg ] && [ -e bin/nixgen-venv ]; then env=$PWD
  elif [ -e image.erofs ]; then image=$PWD env=$(readlink environment)
  fi
  self=$env
  cd "$start" || exit 3
}

read_arguments() {
  asked= kept= mode=heal given= only= reached= quiet= lazy= known= by=
  for argument in "$@"; do
    case $argument in -*) options=${options:-}${options:+$newline}$argument ;; esac
    case $argument in
      --overlay | --farm | --mounted | --reset | --unmount | --rollback) asked=${argument#--} ;;
      --keep) kept=keep ;;
      --lazy) lazy=--lazy ;;
      --heal) only=heal ;;
      --check | --dry-run) mode=${argument#--} ;;
      --quiet) quiet=quiet ;;
      # Of owner.py and nixgen: the current directory is DIR, or all on the way to DIR is the caller's.
      --here) reached=here ;;
      --mine) reached=mine ;;
      # Of them too: DIR is mounted, and root believes its own record of it.
      --known) known=known ;;
      # Of nixgen: its interpreter, where what DIR says its environment is may be somebody else's work.
      --by=*) by=${argument#--by=} ;;
      --help | -h) usage; exit 0 ;;
      -*) usage >&2; exit 2 ;;
      '') fail 2 "DIR is empty" "the command line" "name a directory" ;;
      *) [ -z "$given" ] || { usage >&2; exit 2; }; given=$argument ;;
    esac
  done
}

# Root works in somebody else's directory with that user's rights, which takes Python: it goes there without following
# links, and starts this program again. Where all on the way is root's, or the caller is not root, nothing is started.
reach() {
  if [ "$reached" = here ]; then cd -P . && given=$PWD; fi
  [ -n "$given" ] || given=${own:-${VIRTUAL_ENV:-}}
  [ -n "$given" ] || { usage >&2; exit 2; }
  case $given in
    *"$newline"*) fail 2 "the name of DIR has a line break" "$given" "choose another name" ;;
    /*) ;;
    *) given=$PWD/$given ;;
  esac
  [ -z "$reached" ] || return 0
  if [ -O / ]; then
    way=$given
    while [ -n "$way" ]; do
      case $way in */) way=${way%/}; continue ;; esac
      # What lies in / itself is root's.
      if [ -L "$way" ]; then case $way in /*/*) break ;; esac; fi
      if [ -e "$way" ] && [ ! -O "$way" ]; then break; fi
      way=${way%/*}
    done
    [ -n "$way" ] || return 0
  elif [ -O "$given" ] || case $(id -u 2>/dev/null) in 0 | '') false ;; esac; then
    return 0
  fi
  [ -n "$env" ] || fail 3 "DIR or the way to it belongs to somebody else, and so does this program" "$given" \
    "run it as its owner, or as root the environment's own: ENV/bin/nixgen-venv DIR, or nixgen fsck DIR"
  [ -x "$env/bin/python" ] ||
    fail 3 "DIR or the way to it belongs to somebody else, and root has no Python here to take that user's rights" \
      "$given" "run this as its owner, or repair the interpreter of $env"
  exec "$env/bin/python" -I -S -B "$parts/owner.py" "$given" "$env" "$env/bin/nixgen-venv" ${options:-}
}

# What is mounted is work for Python, and for root in everybody's directories: mounted.py says with whose rights it does it.
mount_it() {
  [ -n "$env" ] || { [ -n "$state_env" ] && of_store "$state_env"; } || state_env=
  python=${by:-${env:-$state_env}/bin/python}
  [ -n "${by:-}$env$state_env" ] && [ -x "$python" ] || fail 3 "the environment that it stands on is not in the store any more" "$given" "build it again: nixgen venv $given"
  case $mode:$asked in
    heal:mounted) verb=attach ;;
    heal:reset | heal:rollback) verb=$asked ;;
    heal:unmount) verb=detach ;;
    heal:overlay | heal:farm) fail 3 "DIR is mounted" "$given" "take it away first: nixgen umount $given, and remove it; or name another" ;;
    heal:) verb=heal; [ -n "$only$known" ] || [ -z "$env" ] || [ "$env" = "${state_env:-}" ] || verb=attach ;;
    *) verb=$mode ;;
  esac
  mounted=$parts/mounted.py
  # Compiled for the interpreter of that environment.
  [ -z "$image" ] || [ -n "$by" ] || [ ! -e "$image/venv/mounted.pyc" ] || mounted=$image/venv/mounted.pyc
  case $verb in
    attach | reset)
      [ -n "$image" ] || find_image
      set -- --image "$image" ;;
    *) set -- ;;
  esac
  case $given in /*) ;; *) given=$start/$given ;; esac
  cd / || exit 3 # to be nobody who uses what is mounted
  exec "$python" -I -S -B "$mounted" "$verb" "$@" $lazy ${quiet:+--quiet} -- "$given"
}

# Find the image of the environment, where one was built: in a store to which nobody but its owner adds anything. A daemon
# adds what others build, which may be any image; root is to name it then, by its own program.
find_image() {
  [ -n "$env" ] || env=$state_env
  [ -S "${NIX_STATE_DIR:-/nix/var/nix}/daemon-socket/socket" ] || for image in $(nix-store -q --referrers "$env" 2>/dev/null); do
    [ ! "$image/environment" -ef "$env" ] || [ ! -e "$image/image.erofs" ] || return 0
  done
  fail 3 "there is no image of this environment" "$env" "build it: nixgen build --mounted; then run the bin/nixgen-venv that it brings: result/bin/nixgen-venv --mounted DIR"
}

# Enter DIR and read what .nixgen/state says of it.
enter() {
  new=
  # Root waits, and files may be as long as their owner likes.
  [ -z "${NIXGEN_ROOTS_ARE_REGISTERED:-}" ] || ulimit -t 120 2>/dev/null
  if [ ! -d "$given" ]; then
    [ ! -e "$given" ] && [ ! -L "$given" ] || refuse "it is no directory"
    [ -z "$only" ] && [ -n "$env" ] || fail 3 "there is no such environment" "$given" "make it: nixgen venv $given"
    case $mode in
      check) echo "$given: is not there"; exit 1 ;;
      dry-run) echo "$given: would be made on $env"; exit 0 ;;
    esac
    mkdir -p "$given/.nixgen" || fail 7 "cannot make the directory" "$given" "choose another one, or make the one around it writable"
  fi
  if [ "$reached" != here ]; then cd -P -- "$given" || fail 7 "cannot enter the directory" "$given" "run as its owner"; fi
  [ ! -L .nixgen ] || refuse ".nixgen is a link"
  read_state && return
  for entry in .[!.]* ..?* *; do
    case $entry in '.[!.]*' | '..?*' | '*' | .nixgen) ;; *) refuse "it has no .nixgen/state" ;; esac
  done
  [ -n "$env" ] || refuse "it has no .nixgen/state"
  new=yes
}

refuse() {
  fail 3 "this was not made by nixgen, and is left alone: $1" "$given" "name another directory, or remove this one"
}

read_state() {
  state_env= state_previous= state_form= state_path= state_python= state_identity= state_version=
  [ ! -L .nixgen ] && slurp .nixgen/state || return 1
  state=$text
  while IFS= read -r line; do
    case $line in
      'nixgen-venv 1') ;;
      'nixgen-venv '*) fail 3 "a newer nixgen made this" "$PWD/.nixgen/state" "use that one" ;;
      'env '*) state_env=${line#env } ;;
      'previous '*) state_previous=${line#previous } ;;
      'form '*) state_form=${line#form } ;;
      'path '*) state_path=${line#path } ;;
      'python '*) state_python=${line#python } ;;
      'identity '*) state_identity=${line#identity } ;;
      'version '*) state_version=${line#version } ;;
    esac
  done <.nixgen/state
  case $state in 'nixgen-venv 1'"$newline"*) ;; *) return 1 ;; esac
  [ -n "$state_env" ] && [ -n "$state_path" ] || return 1
  [ "$state_form" != mounted ] || return 0
  # The marker and the real path must agree, or the marker and pyvenv.cfg: then it was moved or copied with all it has.
  if [ "$state_path" != "$PWD" ]; then
    slurp pyvenv.cfg
    case $newline$text in *"${newline}nixgen = "*) ;; *)
      refuse "its .nixgen/state is that of $state_path, and its pyvenv.cfg is not nixgen's" ;;
    esac
  fi
  for entry in .nixgen/roots bin lib lib/python* lib/python*/site-packages; do
    [ ! -L "$entry" ] || refuse "$entry is a link"
  done
  for entry in .nixgen .nixgen/roots bin lib lib/python* lib/python*/site-packages; do
    [ -O "$entry" ] || [ ! -O / ] || [ ! -O . ] || [ ! -e "$entry" ] || fail 3 "it belongs to root, but a directory in it to somebody else" \
      "$PWD/$entry" "give all of it to one user: chown -hR USER $PWD"
  done
}

# of_store PATH: tell whether a path that DIR names is a directory of the store itself: that of this program, or Nix's.
of_store() {
  store=${1%/*}
  case ${1##*/} in . | .. | '' | .*) return 1 ;; esac
  case $store in
    /nix/store | "${NIX_STORE_DIR:-/nix/store}") ;;
    "${self%/*}") [ -n "$self" ] || return 1 ;;
    "${parts%/*}") case ${parts##*/} in ????????????????????????????????-*) ;; *) return 1 ;; esac ;;
    *) return 1 ;;
  esac
  # What root's store holds is root's.
  [ -d "$1" ] && [ ! -L "$1" ] && { [ -O "$1" ] || [ ! -O "$store" ]; }
}

# of_uv: tell whether uv says that DIR is the environment of its project. It would install everything again over an overlay.
of_uv() {
  [ ! -f ../uv.lock ] || return 0
  project_environment=${UV_PROJECT_ENVIRONMENT:-}
  case $project_environment in '') return 1 ;; /*) ;; *) project_environment=$start/$project_environment ;; esac
  [ "$project_environment" -ef . ]
}

# Settle what is wanted: $env, $previous, $form, $python, $minor, $version; and the text of the state that says so.
settle() {
  case $asked$kept$state_form in farmkeepfarm) asked= ;; esac
  previous=$state_previous form=${state_form:-overlay}
  [ "$form" = farm ] || form=overlay
  [ -n "$state_form" ] || ! of_uv || form=farm
  case $asked in
    overlay | farm) form=$asked ;;
    rollback)
      [ -n "$previous" ] || fail 3 "there is no environment of before" "$PWD" "nothing: it has had one environment only"
      env=$previous ;;
  esac
  if [ -z "$env" ] || [ "$only" = heal ]; then env=$state_env; fi
  if [ -n "$state_env" ] && [ "$env" != "$state_env" ]; then previous=$state_env; fi
  if [ ! -e "$env/pyvenv.cfg" ] || { [ "$env" != "$self" ] && ! of_store "$env"; }; then
    fault="the environment that it stands on is not in the store any more: $env"
    [ "$mode" != check ] || { printf '%s: %s\n' "$PWD" "$fault"; exit 1; }
    fail 3 "$fault" "$PWD" "build it again: nixgen venv $PWD"
  fi
  for directory in "$env"/lib/python*; do
    [ ! -d "$directory/site-packages" ] || minor=${directory##*/python}
  done
  short=${minor%t} # a free-threaded Python has a t in its directory's name, and none in its own
  # What the environment says counts; asking costs a process.
  python=$state_python
  [ "$env" = "$state_env" ] && [ "$python" -ef "$env/bin/python" ] || python=$(readlink "$env/bin/python")
  identify
  case $version in
    "$short".*) ;;
    *) fail 3 "the interpreter is not the one that the environment was built for, Python $minor" "$python" \
      "build the environment again: nixgen venv $PWD" ;;
  esac
  wanted="nixgen-venv 1${newline}env $env${newline}previous $previous${newline}form $form${newline}path $PWD${newline}"
  wanted="${wanted}python $python${newline}identity $identity${newline}version $version${newline}"
}

# Tell the interpreter's version. It is asked only where its file is another than last time.
identify() {
  [ -x "$python" ] || fail 3 "the interpreter of the environment is gone" "$python" \
    "install it, or build the environment with another one: nixgen venv --python PYTHON $PWD"
  case $python in
    "${env%/*}"/*) identity=store ;;
    *) identity=$(stat -L -c '%s %Y' "$python" 2>/dev/null || stat -L -f '%z %m' "$python" 2>/dev/null) ;;
  esac
  if [ -n "$state_version" ] && [ "$python" = "$state_python" ] && [ "$identity" = "$state_identity" ]; then
    version=$state_version
  elif [ -z "$state_version" ] || [ "$identity" = store ]; then
    slurp "$env/pyvenv.cfg"
    version=${text##*"${newline}version = "} version=${version%%"$newline"*}
  else
    version=$("$env/bin/python" -I -S -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])') || version=
    # Another file of the same version is no fault: nothing but the state has to know.
    if [ "$version" = "$state_version" ] && [ "$python" = "$state_python" ]; then
      relearned=yes
      state="${state%%"identity $state_identity$newline"*}identity $identity${newline}version $version$newline"
    fi
  fi
}

# One at a time. The lock holds the number of its process; one whose process is gone, or that stays too long, is void.
lock() {
  waited=0
  # What is there is not opened, whatever it is: `set -C` alone would write to a pipe.
  until [ ! -e .nixgen/lock ] && [ ! -L .nixgen/lock ] && (set -C; echo $$ >.nixgen/lock) 2>/dev/null; do
    if [ ! -e .nixgen/lock ] && [ ! -L .nixgen/lock ]; then
      (set -C; echo $$ >.nixgen/lock) && break
      [ -e .nixgen/lock ] || [ -L .nixgen/lock ] || cannot .nixgen/lock
    fi
    holder=
    if [ -f .nixgen/lock ] && [ ! -L .nixgen/lock ]; then read -r holder <.nixgen/lock; fi
    waited=$((waited + 1))
    if { [ -n "$holder" ] && ! kill -0 "$holder" 2>/dev/null && [ ! -d "/proc/$holder" ]; } || [ $waited -gt 600 ] ||
      { [ -z "$holder" ] && [ $waited -gt 20 ]; }; then
      stage
      rename .nixgen/lock "$stage/lock" 2>/dev/null || [ ! -e .nixgen/lock ] || cannot .nixgen/lock
      rm -rf "$stage/lock"
    else
      sleep 0.1 2>/dev/null || sleep 1
    fi
  done
  trap 'rm -f .nixgen/lock; [ -z "$stage" ] || rm -rf "$stage"' EXIT
  trap 'exit 130' HUP INT TERM
}

# Have Nix keep the environment and the one of before: links of their own, so that whoever comes later cannot be undone.
keep() {
  for root in .nixgen/roots/*; do
    case ${root##*/} in "${env##*/}" | "${previous##*/}" | '*') ;; *) rm -f "$root" ;; esac
  done
  if [ -n "${NIXGEN_ROOTS_ARE_REGISTERED:-}" ]; then
    # Root has Nix know them: owner.py.
    mkdir -p .nixgen/roots && link "$env" ".nixgen/roots/${env##*/}"
    return
  fi
  command -v nix-store >/dev/null || return 0
  # Beside everything else: nothing waits for it, and where Nix may not, it does not.
  (
    mkdir -p .nixgen/roots && nix-store --realise "$env" --add-root "$PWD/.nixgen/roots/${env##*/}" --indirect
  ) </dev/null >/dev/null 2>&1 &
}

main() {
  unset CDPATH
  # Lists go by lines. Where one is split, `set -f` keeps its words from being patterns.
  IFS=$newline
  missing= state= relearned= settled= stage= options=
  read_arguments "$@"
  find_self
  state_env=
  case $asked$known in mounted | reset | unmount | *known)
    given=${given:-${own:-${VIRTUAL_ENV:-}}}
    [ -n "$given" ] || { usage >&2; exit 2; }
    mount_it ;;
  esac
  reach
  enter
  [ "$state_form" != mounted ] || mount_it
  settle
  if [ "$mode" != heal ]; then
    examine
    [ ! -e .nixgen/lock ] || wrong "a lock is left, or somebody is at work: .nixgen/lock" || :
    [ "$mode" = dry-run ] || [ $faults -eq 0 ] || exit 1
    exit 0
  fi
  mode=look
  examine
  if [ $faults -eq 0 ] && [ ! -e .nixgen/lock ]; then
    [ -z "$relearned" ] || (put .nixgen/state "$wanted"; rmdir "$stage") 2>/dev/null
    exit 0
  fi
  mode=heal
  [ -d .nixgen ] || mkdir .nixgen || cannot .nixgen
  lock
  # Somebody else may have been first.
  before=$state
  if read_state && [ "$state" != "$before" ]; then new= && settle; fi
  examine
  [ -z "$settled" ] || keep
  exit 0
}

. "$parts/heal.sh"
main "$@"

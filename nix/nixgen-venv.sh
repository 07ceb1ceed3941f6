# Make, heal and check a virtual environment on top of an environment of the store.
#
# Read by bin/nixgen-venv of every environment, and by `nixgen venv` and `nixgen fsck`: `sh nixgen-venv.sh --help`. For any
# POSIX shell; needs no Python and no nixgen. What is wanted is written to .nixgen/state first, by one rename; all else
# follows from that file, so that whoever comes after an interruption completes what it says.

usage() {
  cat <<'END'
usage: nixgen-venv [--overlay | --farm | --rollback | --heal] [--check | --dry-run] [DIR]

Make the virtual environment DIR on top of the environment that this program belongs to, or heal it. What was installed
into DIR stays and wins.

  --overlay   reach the environment by a .pth file: a handful of files, whatever its size (a new DIR's default)
  --farm      one link for each file, so that uv and other installers see and manage every package; packages that were
              removed from DIR, and links that lead nowhere, are put back
  --rollback  go back to the environment of before
  --heal      heal DIR on the environment that it has; a DIR that is not there is an error
  --check     change nothing; say what is wrong, and end with code 1 if anything is
  --dry-run   change nothing; say what would be done

DIR is the directory of bin/nixgen-venv where that is a virtual environment, else $VIRTUAL_ENV.
exit codes: 0 done, 1 something is wrong (--check), 2 usage, 3 DIR or its environment cannot be used
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
  fail 3 "cannot write" "$PWD/$1" "see the message above; make the directory writable, or run as its owner"
}

# wrong WHAT: count a fault; succeed where it is to be healed now.
wrong() {
  faults=$((faults + 1))
  case $mode in
    look) return 1 ;;
    check) printf '%s: %s\n' "$PWD" "$1"; return 1 ;;
    dry-run) printf '%s: would heal: %s\n' "$PWD" "$1"; return 1 ;;
  esac
  [ -n "$new" ] || printf '%s: healed: %s\n' "$PWD" "$1" >&2
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

# put FILE TEXT: write a file; by a rename, where there is one already. A part of one is found by what it holds.
put() {
  if [ -e "$1" ] || [ -L "$1" ]; then
    printf %s "$2" >".nixgen/new-$$" && rename ".nixgen/new-$$" "$1"
  else
    printf %s "$2" >"$1"
  fi || cannot "$1"
}

link() {
  if [ -e "$2" ] || [ -L "$2" ]; then ln -s "$1" ".nixgen/new-$$" && rename ".nixgen/new-$$" "$2"; else ln -s "$1" "$2"; fi ||
    cannot "$2"
}

rename() {
  # A link to a directory is to be replaced, not entered: -T says so to GNU, -h to BSD.
  if [ -L "$2" ] && [ -d "$2" ]; then
    mv -fT "$1" "$2" 2>/dev/null || mv -fh "$1" "$2" 2>/dev/null || { rm -f "$2" && mv -f "$1" "$2"; } || cannot "$2"
  else
    # What no rename replaces. Nothing of value has the name of a file that nixgen writes.
    if [ -d "$2" ]; then rm -rf "$2"; fi
    mv -f "$1" "$2" || cannot "$2"
  fi
}

# Find the environment of the store that this program belongs to ($env), or the virtual environment ($own).
find_self() {
  start=$PWD here=$0 env= own=
  case $here in */*) ;; *) here=$(command -v -- "$here") || return 0 ;; esac
  until bin=${here%/*}; [ -e "$bin/../pyvenv.cfg" ] || [ ! -L "$here" ]; do
    target=$(readlink "$here")
    case $target in /*) here=$target ;; *) here=$bin/$target ;; esac
  done
  cd -P "$bin/.." 2>/dev/null || return 0
  if [ -d .nixgen ]; then own=$PWD; elif [ -e pyvenv.cfg ] && [ -e bin/nixgen-venv ]; then env=$PWD; fi
  cd "$start" || exit 3
}

read_arguments() {
  asked= mode=heal given= only=
  for argument in "$@"; do
    case $argument in
      --overlay | --farm) asked=${argument#--} ;;
      --rollback) asked=rollback ;;
      --heal) only=heal ;;
      --check | --dry-run) mode=${argument#--} ;;
      --help | -h) usage; exit 0 ;;
      -*) usage >&2; exit 2 ;;
      '') fail 2 "DIR is empty" "the command line" "name a directory" ;;
      *) [ -z "$given" ] || { usage >&2; exit 2; }; given=$argument ;;
    esac
  done
}

# Enter DIR and read what .nixgen/state says of it.
enter() {
  [ -n "$given" ] || given=${own:-${VIRTUAL_ENV:-}}
  [ -n "$given" ] || { usage >&2; exit 2; }
  case $given in
    *"$newline"*) fail 2 "the name of DIR has a line break" "$given" "choose another name" ;;
    /*) ;;
    *) given=$PWD/$given ;;
  esac
  new=
  if [ ! -d "$given" ]; then
    [ ! -e "$given" ] && [ ! -L "$given" ] || refuse "it is no directory"
    [ -z "$only" ] && [ -n "$env" ] || fail 3 "there is no such environment" "$given" "make it: nixgen venv $given"
    case $mode in
      check) echo "$given: is not there"; exit 1 ;;
      dry-run) echo "$given: would be made on $env"; exit 0 ;;
    esac
    mkdir -p "$given/.nixgen" || fail 3 "cannot make the directory" "$given" "choose another one, or make the one around it writable"
  fi
  cd -P -- "$given" || fail 3 "cannot enter the directory" "$given" "run as its owner"
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
  # The marker and the real path must agree, or the marker and pyvenv.cfg: then it was moved or copied with all it has.
  if [ "$state_path" != "$PWD" ]; then
    slurp pyvenv.cfg
    case $newline$text in *"${newline}nixgen = "*) ;; *)
      refuse "its .nixgen/state is that of $state_path, and its pyvenv.cfg is not nixgen's" ;;
    esac
  fi
  for entry in bin lib lib/python* lib/python*/site-packages; do
    [ ! -L "$entry" ] || refuse "$entry is a link"
  done
}

# Settle what is wanted: $env, $previous, $form, $python, $minor, $version; and the text of the state that says so.
settle() {
  previous=$state_previous form=${state_form:-overlay}
  case $asked in
    overlay | farm) form=$asked ;;
    rollback)
      [ -n "$previous" ] || fail 3 "there is no environment of before" "$PWD" "nothing: it has had one environment only"
      env=$previous ;;
  esac
  if [ -z "$env" ] || [ "$only" = heal ]; then env=$state_env; fi
  if [ -n "$state_env" ] && [ "$env" != "$state_env" ]; then previous=$state_env; fi
  if [ ! -e "$env/pyvenv.cfg" ]; then
    fault="the environment that it stands on is not in the store any more: $env"
    [ "$mode" != check ] || { printf '%s: %s\n' "$PWD" "$fault"; exit 1; }
    fail 3 "$fault" "$PWD" "build it again: nixgen venv $PWD"
  fi
  for minor in "$env"/lib/python*; do minor=${minor##*/python}; done
  if [ "$env" = "$state_env" ] && [ -n "$state_python" ]; then python=$state_python; else python=$(readlink "$env/bin/python"); fi
  identify
  case $version in
    "${minor%t}".*) ;;
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
    version=$("$python" -I -S -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])') || version=
    # Another file of the same version is no fault: nothing but the state has to know.
    if [ "$version" = "$state_version" ] && [ "$python" = "$state_python" ]; then
      relearned=yes state=${state%%"identity $state_identity$newline"*}identity $identity${newline}version $version$newline
    fi
  fi
}

# Look at everything in its order; `wrong` says what to do about it.
examine() {
  faults=0 site=lib/python$minor/site-packages
  [ "$state_path" = "$PWD" ] || move_scripts
  if [ "$state" != "$wanted" ] && { reason; wrong "$why"; }; then
    # Never in part: it is the marker.
    printf %s "$wanted" >".nixgen/new-$$" || cannot .nixgen
    rename ".nixgen/new-$$" .nixgen/state
    state=$wanted settled=yes
  fi
  if [ ! -d bin ] || [ ! -d "$site" ]; then
    if wrong "directories are missing"; then
      stage=.nixgen/new-$$-bin
      mkdir -p "$stage" "$site" || cannot "$site"
      if [ ! -d bin ]; then make_bin; fi
    fi
  fi
  # Commands that an overlay has placed go before those of the packages come, and the other way round.
  [ "$form" = overlay ] || examine_commands
  examine_site
  if [ ! -L .nixgen/env ] || [ ! .nixgen/env -ef "$env" ]; then
    if wrong "the link to the environment, .nixgen/env, is missing or leads elsewhere"; then link "$env" .nixgen/env; fi
  fi
  examine_configuration
  examine_interpreter
  [ "$form" = farm ] || examine_commands
  for old in lib/python*; do
    if [ "$old" != "lib/python$minor" ] && [ -e "$old/site-packages/$pth" ]; then
      if wrong "$old is left of another Python"; then
        rm -f "$old/site-packages/$pth" || cannot "$old"
        rmdir "$old/site-packages" "$old" 2>/dev/null || echo "$PWD: what you installed for ${old#lib/} stays there, unused" >&2
      fi
    fi
  done
  for leftover in .nixgen/new-*; do
    if [ -e "$leftover" ] || [ -L "$leftover" ]; then
      if wrong "an interruption has left $leftover"; then rm -rf "$leftover" || cannot "$leftover"; fi
    fi
  done
}

reason() {
  if [ "$state_path" != "$PWD" ]; then why="it lay at $state_path"
  elif [ "$state_env" != "$env" ]; then why="it stands on another environment, $state_env"
  elif [ "$state_form" != "$form" ]; then why="its form is another one, $state_form"
  elif [ "$state_version" != "$version" ]; then why="its interpreter was Python $state_version, and is $version"
  else why=".nixgen/state has odd lines"; fi
}

# Last by its name: paths that users' .pth files add come before the environment, and win.
pth=zzzz-nixgen.pth

# The first line is for all who read .pth files, such as type checkers; the second processes the .pth files there.
examine_site() {
  below=.nixgen/env/$site
  expected="../../../$below${newline}import site, sys; site.addsitedir(sys.prefix + '/$below')$newline"
  if [ "$form" = overlay ]; then
    if ! holds "$site/$pth" "$expected" && wrong "$site/$pth is missing or damaged"; then put "$site/$pth" "$expected"; fi
    if [ -e .nixgen/farm ] && wrong "links of a farm are left"; then fill_farm clear; fi
  else
    if [ -e "$site/$pth" ] && wrong "$site/$pth is left of an overlay"; then rm -f "$site/$pth" || cannot "$site/$pth"; fi
    slurp .nixgen/farm
    if [ "${text%%"$newline"*}" != "complete $env" ] && wrong "packages are those of another environment, or incomplete"; then
      fill_farm fill "$env" $([ "$asked" != farm ] || echo --all)
    elif [ "$asked$mode" = farmlook ]; then
      faults=$((faults + 1))
    elif [ "$asked$mode" = farmheal ]; then
      fill_farm fill "$env" --all
    fi
  fi
}

# One link for each file is work for Python: that of the environment, whatever bin/python is.
fill_farm() {
  [ -n "${farm:-}" ] || fail 3 "this needs the environment's own program" "$PWD" "run $env/bin/nixgen-venv $PWD"
  "$python" -I -S -B "$farm" "$@" || cannot "$site"
}

examine_configuration() {
  system=false prompt=
  if [ ! -L pyvenv.cfg ] && slurp pyvenv.cfg; then
    # What a user may have set stays. Whoever reads such files takes keys in any case, and any blanks.
    while IFS='=' read -r key value; do
      key=${key%"${key##*[![:space:]]}"} value=${value#"${value%%[![:space:]]*}"} value=${value%"${value##*[![:space:]]}"}
      case $key in
        include-system-site-packages) case $value in [Tt][Rr][Uu][Ee]) system=true ;; esac ;;
        prompt) prompt="prompt = $value$newline" ;;
      esac
    done <pyvenv.cfg
  fi
  expected="home = ${python%/*}${newline}include-system-site-packages = $system${newline}version = $version$newline$prompt"
  expected="${expected}nixgen = $form$newline"
  if ! holds pyvenv.cfg "$expected" && wrong "pyvenv.cfg is missing, or names another interpreter or odd things"; then
    put pyvenv.cfg "$expected"
  fi
}

examine_interpreter() {
  if [ ! -L bin/python ] || [ ! bin/python -ef "$python" ]; then
    if wrong "bin/python is missing or not a link to $python"; then link "$python" bin/python; fi
  fi
  for name in python3 "python$minor"; do
    if [ ! -L "bin/$name" ] || [ ! "bin/$name" -ef "$python" ]; then
      if wrong "bin/$name is missing or not a link to $python"; then link python "bin/$name"; fi
    fi
  done
  for name in bin/python3.*; do
    case ${name#bin/python} in "$minor" | *[!0-9.t]*) continue ;; esac
    if [ -L "$name" ] && wrong "$name is left of another Python"; then rm -f "$name" || cannot "$name"; fi
  done
  if [ -L "$env/lib64" ]; then
    if [ ! -L lib64 ] || [ ! lib64 -ef lib ]; then
      if [ -d lib64 ] && [ ! -L lib64 ]; then
        [ "$mode" != heal ] || rmdir lib64 2>/dev/null || fail 3 "lib64 is a directory of its own, with something in it" \
          "$PWD/lib64" "move what is there to lib, and remove it"
      fi
      if wrong "lib64 is missing or not a link to lib"; then link lib lib64; fi
    fi
  fi
}

# The commands of the environment, in real files: some installers write through links. A launcher is copied, and finds
# the Python beside it; a program gets a few lines that run it. .nixgen/commands says for which environment they are.
examine_commands() {
  slurp .nixgen/commands
  placed=$text missing=
  list_commands
  if [ "${placed%%"$newline"*}" != "$env $form" ]; then
    if wrong "the commands are those of another environment, or incomplete"; then place_commands all; fi
    return
  fi
  set -f; set -- $names; set +f
  for name; do
    [ -e "bin/$name" ] || missing="$missing $name"
  done
  if [ -n "$missing" ] && wrong "commands are missing:$missing"; then place_commands missing; fi
}

# Set $names to what the environment's bin gives to this one, a line for each.
list_commands() {
  names=
  for command in "$env"/bin/*; do
    name=${command##*/}
    case $form:$name in
      *:python | *:python3 | *:"python$minor") ;;
      # In a farm, commands belong to the packages.
      overlay:* | farm:activate* | farm:nixgen-venv) names=$names$name$newline ;;
    esac
  done
}

# Make bin anew, by one rename.
make_bin() {
  list_commands
  set -f; set -- $names; set +f
  fill "$@" python python3 "python$minor"
  mv "$stage" bin || cannot bin
  put .nixgen/commands "$env $form$newline$names"
}

# fill NAME...: put commands and links of the environment into $stage.
fill() {
  wrappers=
  for name; do
    shift
    if [ -L "$env/bin/$name" ] && [ ! -x "$env/bin/$name" ]; then
      slurp "$env/bin/$name"; printf %s "$text" >"$stage/$name" || cannot "$stage"
    elif [ -L "$env/bin/$name" ] && case $name in python | python3 | "python$minor") false ;; esac; then
      write_wrapper "$stage/$name"; wrappers=$wrappers$stage/$name$newline
    else
      set -- "$@" "$env/bin/$name"
    fi
  done
  [ $# -eq 0 ] || cp -P "$@" "$stage/" || cannot "$stage"
  [ -z "$wrappers" ] || { set -f; chmod 755 $wrappers; set +f; } || cannot "$stage"
}

# place_commands all|missing
place_commands() {
  which=$1 stage=.nixgen/new-$$-bin
  mkdir -p "$stage" || cannot "$stage"
  set -f; set -- $names; set +f
  for name; do
    shift
    # A command of the user's own stays.
    if [ ! -e "bin/$name" ] || { [ "$which" = all ] && is_ours "bin/$name"; }; then set -- "$@" "$name"; fi
  done
  fill "$@"
  for name in "$stage"/*; do [ ! -e "$name" ] || { mv -f "$stage"/* bin/ || cannot bin; break; }; done
  set -f; set -- ${placed#*"$newline"}; set +f
  for name; do
    case $newline$names in *"$newline$name$newline"*) continue ;; esac
    if is_ours "bin/$name"; then rm -f "bin/$name" || cannot "bin/$name"; fi
  done
  put .nixgen/commands "$env $form$newline$names"
  rmdir "$stage"
}

# is_ours FILE: tell whether a command is one that nixgen wrote: a launcher (nix/builders/launcher.py) or a wrapper.
is_ours() {
  case $1 in bin/activate*) return 0 ;; esac
  [ -f "$1" ] && [ ! -L "$1" ] && [ -r "$1" ] || return 1
  { IFS= read -r first; IFS= read -r second; IFS= read -r third; } <"$1"
  case $first:$second:$third in
    "#!/bin/sh:''':':here=\$0" | "#!/bin/sh:# nixgen"*) return 0 ;;
  esac
  return 1
}

write_wrapper() {
  cat >"$1" <<'END' || cannot "$1"
#!/bin/sh
# nixgen: run the program of this name in the environment that this virtual environment stands on.
here=$0
case $here in */*) ;; *) here=$(command -v -- "$here") ;; esac
until bin=${here%/*} && [ -e "$bin/../.nixgen/env/bin/${here##*/}" ] || [ ! -L "$here" ]; do
  link=$(readlink "$here")
  case $link in /*) here=$link ;; *) here=$bin/$link ;; esac
done
exec "$bin/../.nixgen/env/bin/${here##*/}" "$@"
END
}

# Scripts that pip and others wrote name the place where the environment lay.
move_scripts() {
  for script in bin/*; do
    [ -f "$script" ] && [ ! -L "$script" ] && [ -r "$script" ] || continue
    { IFS= read -r first; IFS= read -r second; } <"$script" 2>/dev/null
    case $first$newline$second in
      "#!$state_path/bin/"* | '#!/bin/sh'"$newline''"*"exec'"*"$state_path/bin/"*) ;;
      *) continue ;;
    esac
    if wrong "$script names the place where the environment lay"; then
      cp -p "$script" ".nixgen/new-$$" && move_script >".nixgen/new-$$" || cannot "$script"
      rename ".nixgen/new-$$" "$script"
    fi
  done
}

move_script() {
  case $first:$PWD in
    # A #! line can neither hold blanks nor be long: what pip writes then.
    "#!$state_path/bin/python"*:*[[:space:]]* | "#!$state_path/bin/python"*:????????????????????????????????????????????????????????????????????????*)
      program=${first#"#!$state_path"}
      printf "#!/bin/sh\n'''exec' \"%s\" \"\$0\" \"\$@\"\n' '''\n" "$PWD${program%% *}"
      sed 1d "$script" ;;
    *)
      old=$(printf %s "$state_path/bin/" | sed 's/[][\\.*^$|]/\\&/g') now=$(printf %s "$PWD/bin/" | sed 's/[\\&|]/\\&/g')
      sed "1,2s|$old|$now|" "$script" ;;
  esac
}

# One at a time. The lock holds the number of its process; one whose process is gone, or that stays too long, is void.
lock() {
  waited=0
  until (set -C; echo $$ >.nixgen/lock) 2>/dev/null; do
    if [ ! -e .nixgen/lock ]; then
      (set -C; echo $$ >.nixgen/lock) && break
      [ -e .nixgen/lock ] || cannot .nixgen/lock
    fi
    holder=
    read -r holder <.nixgen/lock
    waited=$((waited + 1))
    if { [ -n "$holder" ] && ! kill -0 "$holder" 2>/dev/null && [ ! -d "/proc/$holder" ]; } || [ $waited -gt 600 ] ||
      { [ -z "$holder" ] && [ $waited -gt 20 ]; }; then
      mv -f .nixgen/lock ".nixgen/new-$$-lock" 2>/dev/null || [ ! -e .nixgen/lock ] || cannot .nixgen/lock
      rm -f ".nixgen/new-$$-lock"
    else
      sleep 0.1 2>/dev/null || sleep 1
    fi
  done
  trap 'rm -f .nixgen/lock' EXIT
  trap 'exit 130' HUP INT TERM
}

# Have Nix keep the environment and the one of before: links of their own, so that whoever comes later cannot be undone.
keep() {
  for root in .nixgen/roots/*; do
    case ${root##*/} in "${env##*/}" | "${previous##*/}" | '*') ;; *) rm -f "$root" ;; esac
  done
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
  missing= state= relearned= settled=
  read_arguments "$@"
  find_self
  enter
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
    [ -z "$relearned" ] || (put .nixgen/state "$wanted") 2>/dev/null
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

main "$@"

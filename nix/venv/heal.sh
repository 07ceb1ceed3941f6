# What is looked at in a virtual environment, and how it is healed; read by program.sh, which says what is wanted.

# Look at everything in its order; `wrong` says what to do about it.
examine() {
  faults=0 site=lib/python$minor/site-packages
  [ "$state_path" = "$PWD" ] || move_scripts
  if [ "$state" != "$wanted" ] && { reason; wrong "$why"; }; then
    # Never in part: it is the marker.
    stage
    printf %s "$wanted" >"$stage/state" || cannot .nixgen
    rename "$stage/state" .nixgen/state
    state=$wanted settled=yes
  fi
  # As uv and virtualenv have it: `git add -A` takes nothing of it. One that is there is the user's, whatever it says.
  if [ ! -e .gitignore ] && [ ! -L .gitignore ] && wrong ".gitignore is missing"; then put .gitignore "*$newline"; fi
  if [ ! -d bin ] || [ ! -d "$site" ]; then
    if wrong "directories are missing"; then
      stage
      mkdir -p "$stage/bin" "$site" || cannot "$site"
      if [ ! -d bin ]; then make_bin; fi
    fi
  fi
  # Commands that an overlay has placed go before those of the packages come, and the other way round.
  [ "$form" = overlay ] || examine_commands
  [ "$form" = overlay ] || examine_data
  examine_site
  if [ ! -L .nixgen/env ] || [ ! .nixgen/env -ef "$env" ]; then
    if wrong "the link to the environment, .nixgen/env, is missing or leads elsewhere"; then link "$env" .nixgen/env; fi
  fi
  [ "$form" != overlay ] || examine_data
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
    if [ "$leftover" != "$stage" ] && { [ -e "$leftover" ] || [ -L "$leftover" ]; }; then
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
    filled=
    [ ! -f .nixgen/farm ] || IFS= read -r filled <.nixgen/farm
    if [ "$filled" != "complete $env" ] && wrong "packages are those of another environment, or incomplete"; then
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
  "$env/bin/python" -I -S -B "$parts/farm.py" "$@" || cannot "$site"
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
  for name in python3 "python$short"; do
    if [ ! -L "bin/$name" ] || [ ! "bin/$name" -ef "$python" ]; then
      if wrong "bin/$name is missing or not a link to $python"; then link python "bin/$name"; fi
    fi
  done
  for name in bin/python3.*; do
    case ${name#bin/python} in "$short" | *[!0-9.t]*) continue ;; esac
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

# What wheels put beside their packages (share, etc, include) is looked for below sys.prefix. An overlay has links to these
# files, in real directories: others install there too. What Jupyter's servers hand out (share/jupyter) is copied, where a
# tree has a copy: they refuse links. .nixgen/data says for which environment they are, and lists them.
examine_data() {
  slurp .nixgen/data
  linked=$text missing=
  case $form:${linked%%"$newline"*} in
    overlay:"$env") ;;
    overlay:*)
      data=
      for entry in "$env"/* "$env"/lib/*; do
        case ${entry#"$env"/} in
          bin | lib | lib64 | lib/python* | nix-support | pyvenv.cfg) ;;
          *) list_data "${entry#"$env"/}" ;;
        esac
      done
      if [ -n "$data$linked" ] && wrong "files beside the packages are those of another environment, or incomplete"; then
        drop_data "$data"
        place_data
      fi
      return ;;
    *)
      if [ -n "$linked" ] && wrong "links of an overlay are left"; then drop_data ''; rm -f .nixgen/data || cannot .nixgen; fi
      return ;;
  esac
  data=${linked#*"$newline"}
  set -f; set -- $data; set +f
  for name; do
    [ -e "$name" ] || [ -L "$name" ] || missing=$missing${missing:+, }$name
  done
  if [ -n "$missing" ] && wrong "files beside the packages are missing: $missing"; then place_data; fi
}

# list_data PATH: add the files at a path of the environment, or below it, to $data, a line for each.
list_data() {
  case $1 in *"$newline"*) return ;; esac
  if [ ! -d "$env/$1" ]; then
    if [ -e "$env/$1" ]; then data=$data$1$newline; fi
    return
  fi
  for entry in "$env/$1"/* "$env/$1"/.[!.]*; do
    [ ! -e "$entry" ] || list_data "${entry#"$env"/}"
  done
}

# Link to the files of the environment that $data lists. What is there is the user's, and stays.
place_data() {
  set -f; set -- $data; set +f
  directory=. batch= copied=
  for name; do
    around=.
    case $name in */*) around=${name%/*} ;; esac
    if [ "$around" != "$directory" ]; then
      place_batch
      directory=$around up=
      rest=$around
      if [ "$around" != . ]; then
        while case $rest in */*) ;; *) false ;; esac; do rest=${rest%/*} up=../$up; done
        up=../$up
      fi
    fi
    if [ ! -e "$name" ] && [ ! -L "$name" ]; then
      case $name in
        share/jupyter/*) if [ ! -L "$env/$name" ]; then copied=$copied$env/$name$newline; continue; fi ;;
      esac
      batch=$batch$up.nixgen/env/$name$newline
    fi
  done
  place_batch
  if [ -n "$data" ]; then put .nixgen/data "$env$newline$data"; else rm -f .nixgen/data || cannot .nixgen; fi
}

place_batch() {
  [ -n "$batch$copied" ] && is_real "$directory" || { batch= copied=; return 0; }
  mkdir -p "$directory" || cannot "$directory"
  set -f; set -- $batch; set +f
  [ $# -eq 0 ] || ln -s "$@" "$directory/" || cannot "$directory"
  set -f; set -- $copied; set +f
  batch= copied=
  [ $# -gt 0 ] || return 0
  cp "$@" "$directory/" || cannot "$directory"
  for copy; do shift; set -- "$@" "$directory/${copy##*/}"; done
  # By the environment's time, a copy is known from what the user changes.
  chmod u+w "$@" && touch -r "$env/pyvenv.cfg" "$@" || cannot "$directory"
}

# is_real DIRECTORY: tell whether it is one or can be made, and no link of the user's is on the way.
is_real() {
  way=$1
  while :; do
    if [ -L "$way" ] || { [ -e "$way" ] && [ ! -d "$way" ]; }; then return 1; fi
    case $way in */*) way=${way%/*} ;; *) return 0 ;; esac
  done
}

# is_copy PATH: tell whether a file was copied from an environment, whose times are all the same, and left as it was.
is_copy() {
  case $1 in share/jupyter/*) ;; *) return 1 ;; esac
  [ -f "$1" ] && [ ! -L "$1" ] && [ ! "$1" -nt "$env/pyvenv.cfg" ] && is_real "${1%/*}"
}

# drop_data KEPT: remove the copies that $linked lists, its links but for those of the list KEPT, and directories that are
# empty then.
drop_data() {
  set -f; set -- "$1" ${linked#*"$newline"}; set +f
  kept=$newline$1
  shift
  for name; do
    shift
    if is_copy "$name"; then
      set -- "$@" "$name"
      continue
    fi
    case $kept in *"$newline$name$newline"*) continue ;; esac
    if [ -L "$name" ] && { [ ! -e "$name" ] || [ "$name" -ef ".nixgen/env/$name" ]; } && case $name in
      */*) is_real "${name%/*}" ;; esac; then
      set -- "$@" "$name"
    fi
  done
  [ $# -eq 0 ] || rm -f "$@" || cannot "$1"
  for name; do
    way=$name
    while case $way in */*) ;; *) false ;; esac; do
      way=${way%/*}
      [ "$way" != lib ] && rmdir "$way" 2>/dev/null || break
    done
  done
}

# Set $names to what the environment's bin gives to this one, a line for each.
list_commands() {
  names=
  for command in "$env"/bin/*; do
    name=${command##*/}
    case $form:$name in
      *:python | *:python3 | *:"python$short") ;;
      # In a farm, commands belong to the packages.
      overlay:* | farm:activate* | farm:nixgen-venv) names=$names$name$newline ;;
    esac
  done
}

# Make bin anew, by one rename.
make_bin() {
  list_commands
  set -f; set -- $names; set +f
  fill "$@" python python3 "python$short"
  mv "$stage/bin" bin || cannot bin
  put .nixgen/commands "$env $form$newline$names"
}

# fill NAME...: put commands and links of the environment into $stage/bin.
fill() {
  wrappers=
  for name; do
    shift
    if [ -L "$env/bin/$name" ] && [ ! -x "$env/bin/$name" ]; then
      slurp "$env/bin/$name"; printf %s "$text" >"$stage/bin/$name" || cannot "$stage"
    elif [ -L "$env/bin/$name" ] && case $name in python | python3 | "python$short") false ;; esac; then
      write_wrapper "$stage/bin/$name"; wrappers=$wrappers$stage/bin/$name$newline
    else
      set -- "$@" "$env/bin/$name"
    fi
  done
  [ $# -eq 0 ] || cp -P "$@" "$stage/bin/" || cannot "$stage"
  [ -z "$wrappers" ] || { set -f; chmod 755 $wrappers; set +f; } || cannot "$stage"
}

# place_commands all|missing
place_commands() {
  which=$1
  stage
  mkdir -p "$stage/bin" || cannot "$stage"
  set -f; set -- $names; set +f
  for name; do
    shift
    # A command of the user's own stays.
    if [ ! -e "bin/$name" ] || { [ "$which" = all ] && is_ours "bin/$name"; }; then set -- "$@" "$name"; fi
  done
  fill "$@"
  for name in "$stage"/bin/*; do [ ! -e "$name" ] || { mv -f "$stage"/bin/* bin/ || cannot bin; break; }; done
  set -f; set -- ${placed#*"$newline"}; set +f
  for name; do
    case $newline$names in *"$newline$name$newline"*) continue ;; esac
    if is_ours "bin/$name"; then rm -f "bin/$name" || cannot "bin/$name"; fi
  done
  put .nixgen/commands "$env $form$newline$names"
  rmdir "$stage/bin"
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
      stage
      cp -p "$script" "$stage/script" && move_script >"$stage/script" || cannot "$script"
      rename "$stage/script" "$script"
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

# Make $stage once: a directory of this run's own for what is renamed into place. Nobody guesses its name, and it is made
# or not at all, so that nothing of another one's is written to.
stage() {
  [ -z "$stage" ] || return 0
  random=/proc/sys/kernel/random/uuid
  if [ -r $random ]; then read -r random <$random; else random=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n'); fi
  mkdir -m 700 ".nixgen/new-$random" || cannot .nixgen
  stage=.nixgen/new-$random
}

# put FILE TEXT: write a file; by a rename, where there is one already. A part of one is found by what it holds.
put() {
  if [ -e "$1" ] || [ -L "$1" ]; then
    stage
    printf %s "$2" >"$stage/file" && rename "$stage/file" "$1"
  else
    # Never through a link that comes meanwhile.
    set -C; printf %s "$2" >"$1"; code=$?; set +C
    [ $code -eq 0 ]
  fi || cannot "$1"
}

link() {
  if [ -e "$2" ] || [ -L "$2" ]; then stage; ln -s "$1" "$stage/link" && rename "$stage/link" "$2"; else ln -s "$1" "$2"; fi ||
    cannot "$2"
}

rename() {
  # A link is to be replaced, not followed: -T says so to GNU, -h to BSD; busybox cannot, where it leads to a directory.
  if [ -L "$2" ]; then
    mv -fT "$1" "$2" 2>/dev/null || mv -fh "$1" "$2" 2>/dev/null || { rm -f "$2" && mv -f "$1" "$2"; } || cannot "$2"
  else
    # What no rename replaces. Nothing of value has the name of a file that nixgen writes.
    if [ -d "$2" ]; then rm -rf "$2"; fi
    mv -f "$1" "$2" || cannot "$2"
  fi
}

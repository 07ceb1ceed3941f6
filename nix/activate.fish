# Activate the environment that this file belongs to, in fish: `source result/bin/activate.fish`; `deactivate` restores
# what was. It holds no path, so every environment shares this one file.

function deactivate --description "Leave the environment"
    if set -q _nixgen_old_path
        set -gx PATH $_nixgen_old_path
        set -e _nixgen_old_path
    end
    if set -q _nixgen_old_home
        set -gx PYTHONHOME $_nixgen_old_home
        set -e _nixgen_old_home
    end
    if functions -q _nixgen_old_prompt
        functions -e fish_prompt
        functions -c _nixgen_old_prompt fish_prompt
        functions -e _nixgen_old_prompt
    end
    set -e VIRTUAL_ENV
    set -e VIRTUAL_ENV_PROMPT
    if test "$argv[1]" != keep
        functions -e deactivate
    end
end

# What another activation has set goes first.
deactivate keep

set -l file (status filename)
string match -q '*/*' -- $file; or set file ./$file
# The path as it was given: a link such as ./result stays one. Another shell, since fish has no subshell to go elsewhere in.
set -gx VIRTUAL_ENV (sh -c 'cd "${1%/*}/.." && pwd' sh $file)
set -gx VIRTUAL_ENV_PROMPT "("(string replace -r '.*/' '' -- $VIRTUAL_ENV)") "
set -g _nixgen_old_path $PATH
set -gx PATH $VIRTUAL_ENV/bin $PATH
if set -q PYTHONHOME
    set -g _nixgen_old_home $PYTHONHOME
    set -e PYTHONHOME
end
if not set -q VIRTUAL_ENV_DISABLE_PROMPT; and functions -q fish_prompt
    functions -c fish_prompt _nixgen_old_prompt
    function fish_prompt
        set -l code $status
        printf %s $VIRTUAL_ENV_PROMPT
        # The prompt of the user may show how the last command ended.
        sh -c "exit $code"
        _nixgen_old_prompt
    end
end

#compdef endpointforward
# zsh completion for endpointforward:  source <(endpointforward completions zsh), or a file `_endpointforward` in $fpath
_endpointforward() {
    setopt localoptions extendedglob
    local -a open whole open_shown whole_shown
    local line word typed=${words[CURRENT]%$SUFFIX}
    typed=${(Q)typed#[\'\"]}
    for line in "${(@f)$("${(Q)words[1]}" complete -- "${(@Q)words[2,CURRENT-1]}" "$typed" 2>/dev/null)}"; do
        [[ -n $line ]] || continue
        word=${line%%$'\t'*}
        # Braces need no backslash, and a word that has none stays readable.
        [[ $word =~ '^[A-Za-z0-9:=/{}._,-]*$' ]] || word=${(q)word}
        # Where a brace is open, zsh takes it out of the word, and puts it back by itself.
        [[ $PREFIX == *'{'* || $typed != *'{'* ]] || word=$PREFIX${word#"$typed"}
        # zsh would close that brace's alternatives with a comma in place of a space.
        if [[ $word == *[:=/] || $typed == *'{'[^}]# ]]; then
            open+=("$word"); open_shown+=("${line%%$'\t'*}  -- ${line#*$'\t'}")
        else
            whole+=("$word"); whole_shown+=("${line%%$'\t'*}  -- ${line#*$'\t'}")
        fi
    done
    (( ${#open} )) && compadd -Q -l -S '' -d open_shown -a open
    (( ${#whole} )) && compadd -Q -l -d whole_shown -a whole
    (( ${#open} + ${#whole} ))
}
if [[ $funcstack[1] == _endpointforward ]]; then
    _endpointforward "$@"
else
    compdef _endpointforward endpointforward
fi

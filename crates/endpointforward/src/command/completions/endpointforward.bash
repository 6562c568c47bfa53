# bash completion for endpointforward:  source <(endpointforward completions bash)
_endpointforward() {
    local line=${COMP_LINE:0:COMP_POINT} words current typed candidate
    read -r -a words <<<"$line"
    [[ $line == *[[:space:]] ]] && words+=("")
    current=${words[${#words[@]}-1]}
    case $current in
        # Within quotes, bash takes the whole word.
        [\'\"]*) current=${current:1}; typed= ;;
        # Otherwise it breaks words at colons and equals signs, and replaces what comes behind the last.
        *) typed=${current%"${current##*[:=]}"} ;;
    esac
    [[ $COMP_WORDBREAKS == *:* ]] || typed=
    words[${#words[@]}-1]=$current
    COMPREPLY=()
    while IFS=$'\t' read -r candidate _; do
        [[ $candidate == *[:=/] ]] && compopt -o nospace
        COMPREPLY+=("${candidate#"$typed"}")
    done < <("${words[0]}" complete -- "${words[@]:1}" 2>/dev/null)
}
complete -F _endpointforward endpointforward

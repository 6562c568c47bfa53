# fish completion for endpointforward:  endpointforward completions fish | source
function __endpointforward_complete
    set --local words (commandline --current-process --tokenize --cut-at-cursor)
    $words[1] complete -- $words[2..] (commandline --current-token --cut-at-cursor | string unescape) 2>/dev/null
end
complete --command endpointforward --no-files --arguments '(__endpointforward_complete)'

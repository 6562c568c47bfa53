### -d echo
through
ours ws:9000 "$example"
same "$(ws ws://127.0.0.1:9000/ 'a message')" 'a message'

### -e stdio
same "$(printf ping | endpointforward -e "$example" -d echo 2>>log)" ping

### -d stdio:keep=true
mkfifo in
endpointforward -e 9000 -d "$example" <>in >got 2>>log &
wait_for open_port 9000
for word in one two; do
    printf $word | socat - TCP:127.0.0.1:9000 2>>log &
    wait_for grep -q $word got
done

### -e stdio:raw=true
ours ws:9000 pty:bash
mkfifo keys
exec 8<>keys
printf '#!/bin/sh\nexec endpointforward -e %s -d ws://127.0.0.1:9000/\n' "$example" >attach
chmod +x attach
socat - EXEC:./attach,pty,setsid,ctty <&8 >got 2>>log &
wait_for grep -q '[#$] ' got
printf 'echo $((6*7)); sleep 600\r' >&8
wait_for grep -q 42 got
# Ctrl-C is for the program at the far side, whose echo is the only one.
printf '\003' >&8
printf 'echo $((7*8)); exit\r' >&8
wait_for grep -q 56 got
same "$(grep -o 'echo $((7' got | sort -u | wc -l)" 1

### -e stdio:hold=true
same "$(printf 'ping\n' | endpointforward -e "$example" -d 'process:sh:-c:{read -r word; sleep 0.1; echo $word pong}' 2>>log)" \
    'ping pong'

### -e stdio:message=whole:hold=true
cat >answer.py <<'END'
from websockets.sync.server import serve
def answer(ws):
    message = ws.recv()
    ws.send(f"{len(message)} in one message")
serve(answer, "127.0.0.1", 9000).serve_forever()
END
"$python" answer.py 2>>log &
wait_for open_port 9000
same "$(seq 1000 | endpointforward -e "$example" -d ws://127.0.0.1:9000/ 2>>log)" '3893 in one message'

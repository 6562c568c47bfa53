### -d pty:bash:-l
echo 'echo profile read' >/tmp/home/.bash_profile
printf 'echo $((6*7)); exit\n' | endpointforward -e stdio -d "$example" >got 2>>log
grep -q 'profile read' got
grep -q 42 got

### -d pty:bash:-l:user=${auth.user}:users=ada,bob
user ada 1001
printf 'ada:%s\neve:%s\n' "$(openssl passwd -apr1 secret)" "$(openssl passwd -apr1 secret)" >passwords
ours 'ws:9000:auth={htpasswd:/tmp/passwords}:subprotocol=binary' "$example"
cat >shell.py <<'END'
import sys
from websockets.sync.client import connect
with connect(sys.argv[1], proxy=None, subprotocols=["binary"]) as ws:
    ws.send(b"echo I am $(id -un).; exit\n")
    for message in ws:
        print(message.decode(), end="")
END
"$python" shell.py ws://ada:secret@127.0.0.1:9000/ >got 2>>log
grep -q 'I am ada\.' got
! "$python" shell.py ws://eve:secret@127.0.0.1:9000/ >got 2>>log || fail "eve isn't listed"

### -d pty:vim:notes.txt:cwd=/tmp:term=xterm:rows=50:cols=132
printf ':call writefile([&lines, &columns, expand("%%")], "size")\r:q!\r' | endpointforward -e stdio -d "$example" >got 2>>log
same "$(tr '\n' ' ' <size)" "50 132 notes.txt "

### -d pty:sh:-c:{stty -echo; exec bc -q}:env.LC_ALL=C
printf '6*7\nquit\n' | endpointforward -e stdio -d "$example" >got 2>>log
grep -q 42 got

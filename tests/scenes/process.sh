### -d process:cat
through

### -d process:sh:-c:{exec sort | uniq -c}:cwd=/tmp:env.LC_ALL=C
through $'b\na\na\n' $'      2 a\n      1 b'

### -d process:dd:{if=/dev/zero}:{bs=1k}:{count=4}:stderr=null
same "$(endpointforward -e stdio -d "$example" </dev/null 2>>log | tr '\0' x | wc -c)" 4096
! grep -q records log || fail "dd's report is in the log"

### -d process:./chat.py:framing=lines
cat >chat.py <<END
#!$python -u
import sys
for line in sys.stdin:
    print("you said", line.strip())
END
chmod +x chat.py
ours ws:9000 "$example"
same "$(ws ws://127.0.0.1:9000/ hello)" "you said hello"

### -d process:dir=/srv/scripts:framing=lines:user=nobody:limit.cpu=60
mkdir /srv/scripts
printf '#!/bin/sh\nread -r word; echo "$word: $(id -un) $(ulimit -t)"\n' >/srv/scripts/greet
chmod +x /srv/scripts/greet
ours ws:9000 "$example"
same "$(ws ws://127.0.0.1:9000/greet hello)" "hello: nobody 60"

### -d process:grep:--:${http.query.word}:notes.txt:cwd=/tmp:clearenv=true
printf 'one\ntwo words\n' >notes.txt
ours ws:9000 "$example"
same "$(ws 'ws://127.0.0.1:9000/?word=two' '')" "two words"

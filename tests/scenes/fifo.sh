### -e fifo:/run/app.in:create=660
listen 'file:/tmp/got:access=append:create=600'
same "$(stat -c %a /run/app.in)" 660
echo one >/run/app.in
wait_for grep -q one got
echo two >/run/app.in
wait_for grep -q two got

### -d fifo:/run/app.out:access=write:framing=lines
mkfifo /run/app.out
cat /run/app.out >got &
ours ws:9000 "$example"
ws ws://127.0.0.1:9000/ 'a message' &
wait_for grep -q 'a message' got

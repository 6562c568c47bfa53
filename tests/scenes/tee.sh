### -d tee:{tcp:127.0.0.1:23}:{file:/tmp/session.log:access=append:create=600}
echo_at 127.0.0.1 23
through ping
through pong
same "$(cat /tmp/session.log)" pingpingpongpong

### -d tee:{serial:/dev/ttyUSB0:4800:framing=lines}:{udp:192.0.2.7:10110}:copy=received
device /dev/ttyUSB0 PTY,link=/tmp/receiver,raw,echo=0
socat -u UDP4-RECV:10110,bind=192.0.2.7 - >copied 2>>log &
wait_for open_udp 10110
ours ws:9000 "$example"
ws ws://127.0.0.1:9000/ '' >got &
wait_for grep -q 'open ' log
printf '$GPGGA,1\r\n' >/tmp/receiver
wait_for grep -qF '$GPGGA,1' got
wait_for grep -qF '$GPGGA,1' copied

### -e tee:{tcp:9000:interface=127.0.0.1}:{tcp:127.0.0.1:9001}:copy=received:buffer=64k
socat -u TCP4-LISTEN:9001,bind=127.0.0.1,fork - >copied 2>>log &
wait_for open_port 9001
listen
ask TCP:127.0.0.1:9000
wait_for grep -q ping copied

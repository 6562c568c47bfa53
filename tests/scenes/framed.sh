### -d framed:{tcp:127.0.0.1:10110}:by=lines
says_at 127.0.0.1 10110 $'$GPGGA,1\r\n$GPRMC,2\r\n'
ours ws:9000 "$example"
cat >gps.py <<'END'
from websockets.sync.client import connect
with connect("ws://127.0.0.1:9000/", proxy=None) as ws:
    print(*ws)
END
same "$("$python" gps.py 2>>log)" '$GPGGA,1 $GPRMC,2'

### -d framed:{tcp:192.0.2.7:502}:by=length:width=2:offset=4:header=keep
# A request of Modbus/TCP: transaction, protocol, length, unit, function, address, count.
echo_at 192.0.2.7 502
ours ws:9000 "$example"
cat >modbus.py <<'END'
from websockets.sync.client import connect
requests = [bytes.fromhex("000100000006010300000001"), bytes.fromhex("00020000000401060304")]
with connect("ws://127.0.0.1:9000/", proxy=None) as ws:
    for request in requests:
        ws.send(request)
    assert [ws.recv(15), ws.recv(15)] == requests
END
"$python" modbus.py 2>>log

### -d framed:{tcp:192.0.2.7:53}:by=length:width=2
names_at 192.0.2.7
ours udp:5300:interface=127.0.0.1 "$example"
dig_at 127.0.0.1 5300

### -e framed:{tcp:9000}:separator=%0D%0A%0D%0A:max=64k
cat >heads.py <<'END'
from websockets.sync.server import serve
def answer(ws):
    for message in ws:
        ws.send(f"{len(message)}")
serve(answer, "127.0.0.1", 8080).serve_forever()
END
"$python" heads.py 2>>log &
wait_for open_port 8080
listen ws://127.0.0.1:8080/
receive TCP:192.0.2.1:9000 $'abc\r\n\r\nde\r\n\r\n' 3
wait_for grep -q '^2' got

### -d framed:{serial:/dev/ttyUSB0:115200}:in=slip:out=lines
device /dev/ttyUSB0 PTY,link=/tmp/modem,raw,echo=0
ours ws:9000 "$example"
ws ws://127.0.0.1:9000/ 'AT' >got &
socat -u FILE:/tmp/modem,raw,echo=0 - >sent 2>>log &
wait_for grep -q AT sent
printf '\300a packet\300' >/tmp/modem
wait_for grep -qx 'a packet' got

### -d framed:9000:by=json:timeout=5s:partial=drop
says_at 127.0.0.1 9000 '{"a":1} [2,"unfin'
ours ws:9001 "$example"
same "$(ws ws://127.0.0.1:9001/ '')" '{"a":1}'

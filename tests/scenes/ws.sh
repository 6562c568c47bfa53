### -e ws:{tcp:9000:interface=127.0.0.1}
listen
same "$(ws ws://127.0.0.1:9000/ ping)" ping

### -e ws:9000:path=/serial:subprotocol={mqtt,mqttv3.1}
mosquitto -p 1883 2>>log >>log &
wait_for open_port 1883
listen 1883
"$python" "$peers/mqtt_ws.py" ws://127.0.0.1:9000/serial mqtt
"$python" "$peers/mqtt_ws.py" ws://127.0.0.1:9000/serial mqttv3.1
! ws ws://127.0.0.1:9000/ ping mqtt || fail "another path"

### -e ws:9000:origin={same,https://example.com}
listen
upgrade() {
    curl -sS -o reply -w '%{http_code}' --max-time 1 http://127.0.0.1:9000/ -H "Origin: $1" -H 'Connection: upgrade' \
        -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' 2>>log || :
}
same "$(upgrade https://example.com)" 101
same "$(upgrade http://127.0.0.1:9000)" 101
same "$(upgrade https://example.org)" 403

### -e ws:{tcp:9000:interface=127.0.0.1}:host=term.example:trusted=loopback
host term.example
cat >haproxy.cfg <<'END'
defaults
    mode http
    timeout connect 10s
    timeout client 10s
    timeout server 10s
listen proxy
    bind 198.51.99.80:80
    option forwardfor
    server us 127.0.0.1:9000
END
listen
haproxy -q -f haproxy.cfg 2>>log &
wait_for open_port 80
same "$(ws ws://term.example/ ping)" ping
wait_for grep -q 'peer=198.51' log

### -e ws:9000:framing=lines
listen process:cat
cat >lines.py <<'END'
from websockets.sync.client import connect
with connect("ws://127.0.0.1:9000/", proxy=None) as ws:
    ws.send("one\ntwo")
    ws.send("three")
    print([ws.recv(15) for _ in range(3)])
END
same "$("$python" lines.py 2>>log)" "['one', 'two', 'three']"

### -e ws:9000:page=./public
mkdir public
echo 'a page' >public/index.html
listen
same "$(web http://127.0.0.1:9000/)" 'a page'
same "$(ws ws://127.0.0.1:9000/ ping)" ping

### -e ws:9000:compression={level=6:threshold=512}
listen
cat >long.py <<'END'
from websockets.sync.client import connect
with connect("ws://127.0.0.1:9000/", proxy=None) as ws:
    print(ws.response.headers["Sec-WebSocket-Extensions"].split(";")[0])
    for text in ("short", "long " * 1000):
        ws.send(text)
        assert ws.recv(15) == text
END
same "$("$python" long.py 2>>log)" permessage-deflate

### -e autobahn:tcp\:9000\:interface\=0.0.0.0:url=ws\://localhost\:9000:compress=false
listen
same "$(ws ws://localhost:9000/ ping binary)" ping

### -d ws://127.0.0.1:9000/serial
ours ws:9000:path=/serial echo
through

### -d {ws://127.0.0.1:9000/}:subprotocol=endpointforward.v1
ours ws:9000 process:sort
through $'b\na\n' $'a\nb'

### -d ws:{tcp:192.168.1.5:80}:url={ws://device.local/console}
cat >device.py <<'END'
from websockets.sync.server import serve
def answer(ws):
    request = ws.request
    for message in ws:
        ws.send(f"{request.headers['Host']} {request.path} {message}")
serve(answer, "192.168.1.5", 80).serve_forever()
END
"$python" device.py 2>>log &
wait_for open_port 80
ours ws:9000 "$example"
same "$(ws ws://127.0.0.1:9000/ ping)" 'device.local /console ping'

### -d route:file=/etc/endpointforward/tokens
mkdir /etc/endpointforward
echo 'desk: 127.0.0.1:5901' >/etc/endpointforward/tokens
says_at 127.0.0.1 5901 'RFB 003.008'
ours ws:9000 "$example"
same "$(ws 'ws://127.0.0.1:9000/websockify?token=desk' '')" 'RFB 003.008'
! ws 'ws://127.0.0.1:9000/websockify?token=other' '' || fail "an unknown token"
rm /etc/endpointforward/tokens
mkdir /etc/endpointforward/tokens
echo 'other: 127.0.0.1:5901' >/etc/endpointforward/tokens/more
wait_for ws 'ws://127.0.0.1:9000/websockify?token=other' ''

### -d route:file=./hosts:key=${http.path}:default={tcp:127.0.0.1:5900}
echo '/one: 127.0.0.1:5901' >hosts
says_at 127.0.0.1 5901 one
says_at 127.0.0.1 5900 default
ours ws:9000 "$example"
same "$(ws ws://127.0.0.1:9000/one '')" one
same "$(ws ws://127.0.0.1:9000/two '')" default

### -d route:file=/run/desks:format=names
mkdir /run/desks
echo 127.0.0.1:5901 >/run/desks/one
says_at 127.0.0.1 5901 one
socat UNIX-LISTEN:/run/desks/two,fork SYSTEM:'printf two' 2>>log &
wait_for test -S /run/desks/two
ours ws:9000 "$example"
same "$(ws 'ws://127.0.0.1:9000/?token=one' '')" one
same "$(ws 'ws://127.0.0.1:9000/?token=two' '')" two

### -d route:file=/etc/websocksy/peers:format=websocksy:expression={%endpoint%.txt,default.txt}
mkdir -p /etc/websocksy/peers
echo 'tcp://127.0.0.1:5901 lines newline' >/etc/websocksy/peers/chat.txt
echo 'tcp://127.0.0.1:5902' >/etc/websocksy/peers/default.txt
says_at 127.0.0.1 5901 $'one\ntwo\n'
says_at 127.0.0.1 5902 default
ours ws:9000 "$example"
same "$(ws ws://127.0.0.1:9000/chat '' lines)" one
same "$(ws ws://127.0.0.1:9000/else '')" default

### -d route:exec=./route.py:cache=60
cat >route.py <<END
#!$python
import json, sys
facts = json.load(sys.stdin)
open("asked", "a").write("once\n")
print("127.0.0.1:5901" if facts["http.query.token"] == "desk" else "")
END
chmod +x route.py
says_at 127.0.0.1 5901 desk
ours ws:9000 "$example"
for _ in 1 2; do same "$(ws 'ws://127.0.0.1:9000/?token=desk' '')" desk; done
same "$(wc -l <asked)" 1
! ws 'ws://127.0.0.1:9000/?token=other' '' || fail "an unknown token"

### -d route:http={https://routes.example/where}:bearer-file=/etc/endpointforward/routes.token:allow=private
host routes.example
trusted
mkdir /etc/endpointforward
echo secret >/etc/endpointforward/routes.token
certificate routes.example
cat >routes.py <<'END'
import http.server, json, ssl
class Routes(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        facts = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert self.headers["Authorization"] == "Bearer secret" and self.path == "/where"
        body = facts["http.query.token"].encode() + b":5901"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
server = http.server.ThreadingHTTPServer(("198.51.99.80", 443), Routes)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("routes.example.pem", "routes.example.key")
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
END
"$python" routes.py 2>>log &
wait_for open_port 443
says_at 10.0.0.7 5901 desk
says_at 127.0.0.1 5901 loopback
ours ws:9000 "$example"
same "$(ws 'ws://127.0.0.1:9000/?token=10.0.0.7' '')" desk
! ws 'ws://127.0.0.1:9000/?token=127.0.0.1' '' || fail "it isn't private"

### -d route:http={http://127.0.0.1:8000/routes/%s}
mkdir routes
echo 127.0.0.1:5901 >routes/desk
"$python" -m http.server --bind 127.0.0.1 8000 2>>log &
wait_for open_port 8000
says_at 127.0.0.1 5901 desk
ours ws:9000 "$example"
same "$(ws 'ws://127.0.0.1:9000/?token=desk' '')" desk
! ws 'ws://127.0.0.1:9000/?token=other' '' || fail "an unknown token"

### -d route:redis={tcp:127.0.0.1:6379}:prefix={routes:}:notify=true
redis-server --bind 127.0.0.1 --save '' --dir /tmp --notify-keyspace-events KA >>log &
wait_for redis-cli ping
redis-cli set routes:desk 127.0.0.1:5901 >>log
says_at 127.0.0.1 5901 desk
says_at 127.0.0.1 5902 other
ours ws:9000 "$example"
same "$(ws 'ws://127.0.0.1:9000/?token=desk' '')" desk
redis-cli set routes:desk 127.0.0.1:5902 >>log
changed() { [ "$(ws 'ws://127.0.0.1:9000/?token=desk' '')" = other ]; }
wait_for changed

### -d route:jwt=/etc/endpointforward/jwks.json:aud=vnc:allow=10.0.0.0/8
mkdir /etc/endpointforward
jwks >/etc/endpointforward/jwks.json
says_at 10.0.0.7 5901 desk
ours ws:9000 "$example"
soon=$(($(date +%s) + 600))
same "$(ws "ws://127.0.0.1:9000/?token=$(jwt '{"host":"10.0.0.7","port":5901,"aud":"vnc","exp":'$soon'}')" '')" desk
! ws "ws://127.0.0.1:9000/?token=$(jwt '{"host":"10.0.0.7","port":5901,"aud":"ssh","exp":'$soon'}')" '' || fail "another audience"
! ws "ws://127.0.0.1:9000/?token=$(jwt '{"host":"192.0.2.1","port":5901,"aud":"vnc","exp":'$soon'}')" '' || fail "another network"

### -d route:jwt={https://id.example/jwks.json}:iss={https://id.example}:allow=10.0.0.0/8
host id.example
trusted
mkdir keys
jwks >keys/jwks.json
(echo 'HTTP/1.0 200 OK'; echo "Content-Length: $(wc -c <keys/jwks.json)"; echo; cat keys/jwks.json) >reply
tls_at $site 443 id.example SYSTEM:'cat reply'
says_at 10.0.0.7 5901 desk
ours ws:9000 "$example"
soon=$(($(date +%s) + 600))
same "$(ws "ws://127.0.0.1:9000/?token=$(jwt '{"host":"10.0.0.7","port":5901,"iss":"https://id.example","exp":'$soon'}')" '')" desk
! ws "ws://127.0.0.1:9000/?token=$(jwt '{"host":"10.0.0.7","port":5901,"iss":"https://other.example","exp":'$soon'}')" '' ||
    fail "another issuer"

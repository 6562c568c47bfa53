### -d target:allow={*.example.com,10.0.0.0/8}
host api.example.com
pong_at $site 80
pong_at 10.0.0.7 80
pong_at 192.0.2.81 80
ours socks5:1080 "$example"
same "$(web http://api.example.com/ --proxy socks5h://127.0.0.1:1080)" pong
same "$(web http://10.0.0.7/ --proxy socks5h://127.0.0.1:1080)" pong
! web http://192.0.2.81/ --proxy socks5h://127.0.0.1:1080 2>>log || fail "it isn't listed"

### -d target:address={${http.query.address}}:allow={*.neon.example:5432}
host db.neon.example
echo_at $site 5432
ours ws:9000 "$example"
same "$(ws 'ws://127.0.0.1:9000/v1?address=db.neon.example:5432' ping)" ping
! ws 'ws://127.0.0.1:9000/v1?address=127.0.0.1:5432' ping || fail "it isn't listed"

### -d target:{tcp:${target.host}:${target.port}:allow=*:via={socks5://127.0.0.1:9050}}:udp={udp:192.0.2.53:53}
host example.com
names_at 192.0.2.53
pong_at $site 80
microsocks -i 127.0.0.1 -p 9050 2>proxied &
wait_for open_port 9050
ours socks5:1080 "$example"
same "$(web http://example.com/ --proxy socks5h://127.0.0.1:1080)" pong
grep -q "connected to $site:80" proxied
endpointforward -e udp:5300:interface=127.0.0.1 -d 'udp:192.0.2.99:9:via={socks5://127.0.0.1:1080}' 2>>log &
wait_for open_udp 5300
dig_at 127.0.0.1 5300

### -e tcp:9000
listen
ask TCP:192.0.2.1:9000
ask TCP:127.0.0.1:9000

### -e tcp:9000:interface=127.0.0.1
listen
ask TCP:127.0.0.1:9000
! socat - TCP:192.0.2.1:9000 2>>log </dev/null || fail "other addresses listen too"

### -e 9000
listen
ask TCP:127.0.0.1:9000
! socat - TCP:192.0.2.1:9000 2>>log </dev/null || fail "other addresses listen too"

### -e tcp:9000:interface={::1}
listen
ask TCP6:[::1]:9000

### -d tcp:example.com:80:timeout=5
host example.com
echo_at $site 80
through

### -d tcp:[2001:db8::1]:80
echo_at [2001:db8::1] 80
through

### -d tcp:${target.host}:${target.port}:allow={*.example.com:443,10.0.0.0/8}
host api.example.com
pong_at $site 443
pong_at 10.0.0.7 8080
pong_at 192.0.2.81 8080
ours socks5:1080 "$example"
same "$(web http://api.example.com:443/ --socks5-hostname 127.0.0.1:1080)" pong
same "$(web http://10.0.0.7:8080/ --socks5-hostname 127.0.0.1:1080)" pong
! web http://192.0.2.81:8080/ --socks5-hostname 127.0.0.1:1080 2>>log || fail "it isn't listed"

### -d tcp:example.com:80:via=environment
host example.com
# microsocks ends a connection at the end of either side.
says_at $site 80 hello
through '' hello
microsocks -i 127.0.0.1 -p 1081 2>proxied &
wait_for open_port 1081
export ALL_PROXY=socks5://127.0.0.1:1081
hears hello
wait_for grep -q 'connected to example.com:80' proxied

### -d tcp://192.168.1.50:23
echo_at 192.168.1.50 23
through

### -d 9000
echo_at 127.0.0.1 9000
through

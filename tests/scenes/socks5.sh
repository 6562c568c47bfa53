### -e socks5:1080
listen target:allow=*
host example.com
pong_at $site 80
for version in socks4 socks4a socks5 socks5h; do
    same "$(web http://example.com/ --proxy $version://127.0.0.1:1080)" pong
done
names_at $site
endpointforward -e udp:5300:interface=127.0.0.1 -d "udp:$site:53:via={socks5://127.0.0.1:1080}" 2>>log &
wait_for open_udp 5300
dig_at 127.0.0.1 5300

### -e socks5:1080:udp=false
listen 'tcp:${target.host}:${target.port}:allow=*'
host example.com
pong_at $site 80
same "$(web http://example.com/ --proxy socks5h://127.0.0.1:1080)" pong
! printf ping | endpointforward -e stdio -d 'udp:192.0.2.53:53:via={socks5://127.0.0.1:1080}' 2>>log || fail "datagrams"
wait_for grep -q "doesn't support the command" log

### -d socks5:{tcp:127.0.0.1:9050}:host=example.com:port=80
# In Tor's place: the proxy resolves the name, and nothing else matters here.
says_at 192.0.2.99 80 hello
mkdir -p elsewhere
echo '192.0.2.99 example.com' >elsewhere/hosts
unshare --mount sh -c 'mount --bind elsewhere/hosts /etc/hosts; exec microsocks -i 127.0.0.1 -p 9050' 2>>log &
wait_for open_port 9050
hears hello

### -d socks5:{tcp:proxy.example:1080}:host=192.0.2.7:port=22:user=ada:password-file=/run/secrets/proxy
host proxy.example
says_at 192.0.2.7 22 hello
mkdir /run/secrets
echo secret >/run/secrets/proxy
microsocks -i $site -p 1080 -u ada -P secret 2>>log &
wait_for open_port 1080
hears hello

### -e http-connect:8080
host example.com
pong_at 127.0.0.1 8443
tls_at $site 443 example.com TCP:127.0.0.1:8443
listen 'tcp:${target.host}:${target.port}:allow={*:443}'
same "$(web https://example.com/ --cacert ca.pem --proxy http://127.0.0.1:8080)" pong
pong_at $site 80
! web http://example.com/ --proxytunnel --proxy http://127.0.0.1:8080 2>>log || fail "port 80 isn't listed"

### -d http-connect:{tcp:proxy.example:3128}:host=example.com:port=443
host proxy.example example.com
says_at $site 443 hello
tinyproxy_at $site 3128
hears hello

### -d http-connect:{tls:{tcp:proxy.example:443}}:host=192.0.2.7:port=22:user=ada:password-file=/run/secrets/proxy
host proxy.example
trusted
says_at 192.0.2.7 22 hello
tinyproxy_at 127.0.0.1 3128 'BasicAuth ada secret'
tls_at $site 443 proxy.example TCP:127.0.0.1:3128
mkdir /run/secrets
echo secret >/run/secrets/proxy
hears hello

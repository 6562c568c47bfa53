### -e proxy:{tcp:9000}:trusted=10.0.0.0/8
cat >haproxy.cfg <<'END'
defaults
    mode tcp
    timeout connect 10s
    timeout client 10s
    timeout server 10s
listen balancer
    bind 192.0.2.1:80
    source 10.0.0.3
    server us 10.0.0.1:9000 send-proxy-v2
END
listen
haproxy -q -f haproxy.cfg 2>>log &
wait_for open_port 80
ask TCP:192.0.2.1:80,bind=192.0.2.44
wait_for grep -q 192.0.2.44 log
same "$(printf ping | socat - TCP:192.0.2.1:9000 2>>log || :)" ''

### -e proxy:{unix:/run/forward}:required=false
listen
ask UNIX-CONNECT:/run/forward
ask UNIX-CONNECT:/run/forward $'PROXY TCP4 192.0.2.44 192.0.2.1 5000 80\r\nping' ping
wait_for grep -q 192.0.2.44 log

### -e haproxy:tcp:80:interface=127.0.0.1
listen
ask TCP:127.0.0.1:80 $'PROXY TCP4 192.0.2.44 192.0.2.1 5000 80\r\nping' ping
wait_for grep -q 192.0.2.44 log

### -d proxy:{tcp:127.0.0.1:8080}
cat >haproxy.cfg <<'END'
defaults
    mode http
    timeout connect 10s
    timeout client 10s
    timeout server 10s
frontend server
    bind 127.0.0.1:8080 accept-proxy
    http-request return status 200 content-type text/plain lf-string "%[src]"
END
haproxy -q -f haproxy.cfg 2>>log &
wait_for open_port 8080
ours tcp:9000 "$example"
same "$(web http://192.0.2.1:9000/ --interface 192.0.2.44)" 192.0.2.44

### -d proxy:{unix:/run/backend}:send=v1
socat -t20 UNIX-LISTEN:/run/backend,fork EXEC:cat 2>>log &
wait_for test -S /run/backend
ours tcp:9000 "$example"
ask TCP:192.0.2.1:9000,bind=192.0.2.44:5000 ping $'PROXY TCP4 192.0.2.44 192.0.2.1 5000 9000\r\nping'

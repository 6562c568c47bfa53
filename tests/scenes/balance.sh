### -d balance:{tcp:10.0.0.1:80}:{tcp:10.0.0.2:80}
says_at 10.0.0.1 80 one
socat -t20 TCP4-LISTEN:80,bind=10.0.0.2,fork,reuseaddr SYSTEM:'printf two' 2>>log &
two=$!
wait_for socat - TCP:10.0.0.2:80
ours 9000 "$example"
ask TCP:127.0.0.1:9000 '' one
ask TCP:127.0.0.1:9000 '' two
ask TCP:127.0.0.1:9000 '' one
kill $two
ask TCP:127.0.0.1:9000 '' one
ask TCP:127.0.0.1:9000 '' one

### -d balance:{tcp:10.0.0.1:5900}:{tcp:10.0.0.2:5900}:by=source
says_at 10.0.0.1 5900 one
socat -t20 TCP4-LISTEN:5900,bind=10.0.0.2,fork,reuseaddr SYSTEM:'printf two' 2>>log &
wait_for socat - TCP:10.0.0.2:5900
ours tcp:9000 "$example"
for host in {1..16}; do
    first=$(socat - TCP:192.0.2.1:9000,bind=192.0.2.$host </dev/null)
    echo "$first" >>both
    for _ in 1 2; do ask TCP:192.0.2.1:9000,bind=192.0.2.$host '' "$first"; done
done
same "$(sort -u both | tr '\n' ' ')" 'one two '

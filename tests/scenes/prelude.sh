# The surroundings of an example's scene: a separate machine, with the addresses and names that the examples have, and
# functions for peers. It runs as root in its own namespaces for the network, mounts and processes: nothing in it is the
# machine's. `$example` is the descriptor as it is printed. A scene fails by a status; the log is printed then.
set -euo pipefail
shopt -s inherit_errexit
umask 022

# === the machine ===

mount -t tmpfs none /tmp
mkdir -m 755 /tmp/machine /tmp/machine/{etc,work} /tmp/machine/dev
mount -t overlay overlay -o lowerdir=/etc,upperdir=/tmp/machine/etc,workdir=/tmp/machine/work /etc
for folder in /run /srv /var/log; do mount -t tmpfs -o mode=755 none $folder; done
for device in null zero full random urandom tty; do
    touch /tmp/machine/dev/$device
    mount --bind /dev/$device /tmp/machine/dev/$device
done
mkdir /tmp/machine/dev/{pts,shm}
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts /tmp/machine/dev/pts
ln -s pts/ptmx /tmp/machine/dev/ptmx
ln -s /proc/self/fd /tmp/machine/dev/fd
for number in 0:stdin 1:stdout 2:stderr; do ln -s /proc/self/fd/${number%:*} /tmp/machine/dev/${number#*:}; done
mount --rbind /tmp/machine/dev /dev
ip link set lo up multicast on
# A prefix on `lo` is this machine as a whole.
for prefix in 192.0.2.1/24 192.168.1.1/24 10.0.0.1/8 198.51.0.1/16; do ip address add $prefix dev lo; done
ip address add 2001:db8::1/128 dev lo nodad
mkdir /tmp/home
sed -i 's|:/root:|:/tmp/home:|' /etc/passwd
export HOME=/tmp/home TERM=xterm
cd /tmp
: >log
mkfifo open
exec 7<>open
trap 'status=$?; [ $status = 0 ] || { echo "--- status $status; log:"; cat /tmp/log; } >&2' EXIT

# host NAME...: names of a public address, next to the machine's own.
host() { for name; do echo "$site $name" >>/etc/hosts; done; }
export site=198.51.99.80

# === what is expected ===

fail() { printf 'FAILED: %s\n' "$*" >&2; exit 1; }
same() { [ "$1" = "$2" ] || fail "$(printf 'expected %q, got %q' "$2" "$1")"; }
# wait_for COMMAND...: until it succeeds; the time limit is the test's.
wait_for() { until "$@" >/dev/null 2>&1; do sleep 0.02; done; }
# open_port PORT [ADDRESS]
open_port() { ss -Hltn "sport = :$1" | grep -qF "${2-}:$1 "; }
open_udp() { ss -Hlun "sport = :$1" | grep -q .; }

# === ours ===

# ours NEAR FAR [OPTION...]: starts it and waits until it listens.
ours() {
    endpointforward -e "$1" -d "$2" "${@:3}" 2>>log &
    wait_for grep -qF "listening on" log
}
# listen [FAR [OPTION...]]: the example is what it listens on.
listen() { ours "$example" "${1:-echo}" "${@:2}"; }
# through [SENT [RECEIVED]]: the example is the destination.
through() {
    same "$(printf %s "${1-ping}" | endpointforward -e stdio -d "$example" 2>>log)" "${2-${1-ping}}"
}

# hears TEXT [SENT]: the example as a destination sends TEXT to a client whose input stays open.
hears() {
    endpointforward -e stdio -d "$example" <open >got 2>>log &
    [ -z "${2-}" ] || printf %s "$2" >open
    wait_for grep -q -- "$1" got
}

# === clients ===

# ask ADDRESS [SENT [RECEIVED]]: RECEIVED comes back over an address of socat's until its end.
ask() { same "$(printf %s "${2-ping}" | socat -t20 - "$1" 2>>log)" "${3-${2-ping}}"; }
# receive ADDRESS [SENT [RECEIVED]]: as ask, with an input that stays open, of something that doesn't end.
receive() {
    { printf %s "${2-ping}"; exec sleep 600; } | socat -t60 - "$1" >got 2>>log &
    wait_for grep -qF -- "${3-${2-ping}}" got
}
# ask_udp ADDRESS PORT [SENT [RECEIVED]]: one datagram each way.
ask_udp() {
    exec 9<>"/dev/udp/$1/$2"
    printf %s "${3-ping}" >&9
    same "$(dd bs=65536 count=1 status=none <&9)" "${4-${3-ping}}"
    exec 9<&-
}
# web URL [OPTION...]: the body that curl gets.
web() { curl -sS --fail "${@:2}" "$1"; }
# ws URL SENT [SUBPROTOCOL...]: the first message that comes back.
ws() { "$python" "$peers/ws_ask.py" "$@" 2>>log; }

# === servers ===

# echo_at ADDRESS PORT
echo_at() {
    case $1 in *:*) sort=TCP6 ;; *) sort=TCP4 ;; esac
    socat -t20 $sort-LISTEN:"$2",bind="$1",fork,reuseaddr EXEC:cat 2>>log &
    wait_for open_port "$2"
}
# echo_udp_at ADDRESS PORT: socat's would mix up clients that come at once.
echo_udp_at() {
    "$python" - "$@" <<'END' 2>>log &
import socket, sys
address = socket.getaddrinfo(*sys.argv[1:], type=socket.SOCK_DGRAM)[0]
server = socket.socket(*address[:3])
server.bind(address[4])
while True:
    server.sendto(*server.recvfrom(65536))
END
    wait_for open_udp "$2"
}
# says_at ADDRESS PORT TEXT: a server that sends TEXT, and ends.
says_at() {
    printf %s "$3" >"said-$1-$2"
    socat -t20 TCP4-LISTEN:"$2",bind="$1",fork,reuseaddr EXEC:"cat said-$1-$2" 2>>log &
    wait_for open_port "$2" "$1"
}
# pong_at ADDRESS PORT: an HTTP server.
pong_at() {
    cat >pong.sh <<'END'
while read -r line && [ ${#line} -gt 1 ]; do :; done
printf 'HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\npong'
END
    socat -t20 TCP4-LISTEN:"$2",bind="$1",fork,reuseaddr EXEC:'sh /tmp/pong.sh' 2>>log &
    wait_for open_port "$2"
}
# tls_at ADDRESS PORT NAME TO: TLS with a certificate for NAME, in front of another address of socat's.
tls_at() {
    certificate "$3"
    socat -t20 OPENSSL-LISTEN:"$2",bind="$1",fork,reuseaddr,cert="$3.pem",key="$3.key",verify=0 "$4" 2>>log &
    wait_for open_port "$2"
}
names_at() {
    dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --bind-interfaces --user=root \
        --listen-address="$1" --port=53 --log-facility=- --address=/host.test/192.0.2.33 --pid-file 2>>log &
    wait_for open_port 53
}
dig_at() { same "$(dig "@$1" -p "$2" +short +tries=2 +time=10 host.test A)" 192.0.2.33; }

# === files and devices ===

# authority: makes one, in ca.pem; `trusted` adds it to the system's.
authority() {
    [ -f ca.pem ] || openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=Authority" \
        -keyout ca.key -out ca.pem 2>>log
}
trusted() { authority; cat ca.pem >>/etc/ssl/certs/ca-certificates.crt; cp ca.pem /etc/ssl/certs/scene.pem; }
# certificate NAME: NAME.pem and NAME.key, signed by the authority.
certificate() {
    authority
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" -keyout "$1.key" -out "$1.csr" 2>>log
    openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out "$1.pem" 2>>log \
        -extfile <(printf 'subjectAltName=DNS:%s\nextendedKeyUsage=serverAuth,clientAuth' "$1")
}
# device PATH ADDRESS: a serial line with an address of socat's at its other end.
device() {
    socat -t60 PTY,link="$1",raw,echo=0 "$2" 2>>log &
    wait_for test -e "$1"
}
# user NAME: with a home and a shell.
user() {
    echo "$1:x:$2:$2::/tmp/$1:/bin/bash" >>/etc/passwd
    echo "$1:x:$2:" >>/etc/group
    install -d -o "$2" -g "$2" "/tmp/$1"
}

# === proxies ===

# dante_at ADDRESS: a SOCKS server for connections and datagrams, at port 1080.
dante_at() {
    cat >danted.conf <<END
logoutput: stderr
internal: $1 port = 1080
external: $1
clientmethod: none
socksmethod: none
user.privileged: root
user.unprivileged: root
client pass { from: 0.0.0.0/0 to: 0.0.0.0/0 }
socks pass { from: 0.0.0.0/0 to: 0.0.0.0/0 }
END
    danted -f danted.conf 2>>log >>log &
    wait_for open_port 1080
}
# tinyproxy_at ADDRESS PORT [LINE]
tinyproxy_at() {
    printf 'Port %s\nListen %s\nTimeout 600\n%s\n' "$2" "$1" "${3-}" >tinyproxy.conf
    tinyproxy -d -c tinyproxy.conf >>log 2>&1 &
    wait_for open_port "$2"
}
# sshd_at NAME [LINE]: an SSH server at `$site`, which lets in the key `id`, and whose key is known by this name.
sshd_at() {
    mkdir -p -m 755 /run/sshd "/tmp/$1" ~/.ssh
    ssh-keygen -q -t ed25519 -N '' -f "$1/host"
    [ -f id ] || ssh-keygen -q -t ed25519 -N '' -f id
    cat >"$1/config" <<END
${2-}
ListenAddress ${3-$site}:22
HostKey /tmp/$1/host
AuthorizedKeysFile /tmp/id.pub
PidFile none
UsePAM no
StrictModes no
END
    echo "$1 $(cut -d' ' -f1,2 <"$1/host.pub")" >>~/.ssh/known_hosts
    /usr/sbin/sshd -D -e -f "/tmp/$1/config" 2>>log &
    wait_for open_port 22
}
# telnetd_at ADDRESS: telnetd, whose login greets by name and terminal type. telnetd discards what is typed before the
# prompt, and what a login that ends has written last.
telnetd_at() {
    printf '#!/bin/sh\nprintf "login: "\nread -r name\necho "hello $name of $TERM"\nread -r more\n' >login
    chmod +x login
    # `nofork`: telnetd asks who is at the other end of its standard input, so that has to be the socket.
    socat TCP4-LISTEN:23,bind="$1",fork EXEC:'/usr/sbin/telnetd -E /tmp/login',nofork 2>>log &
    wait_for open_port 23
}

# === signed tokens ===

base64url() { base64 -w0 | tr '+/' '-_' | tr -d '='; }
# jwks: a key set with the public half of signing.key, which it makes.
jwks() {
    openssl genpkey -algorithm ed25519 -out signing.key 2>>log
    local x
    x=$(openssl pkey -in signing.key -pubout -outform DER | tail -c32 | base64url)
    printf '{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"one","x":"%s"}]}\n' "$x"
}
# jwt CLAIMS: a token with that key.
jwt() {
    printf %s "$(printf '{"alg":"EdDSA","kid":"one"}' | base64url).$(printf %s "$1" | base64url)" >message
    echo "$(cat message).$(openssl pkeyutl -sign -inkey signing.key -rawin -in message | base64url)"
}

### -d ssh:{tcp:bastion.example:22}:user=ada:host=db.example:port=5432
host bastion.example db.example
user ada 1001
sshd_at bastion.example
cp id ~/.ssh/id_ed25519
echo_at $site 5432
through
example='tcp:db.example:5432:via={ssh://ada@bastion.example}' through

### -d ssh:{tcp:h.example:22}:user=forward:key=/etc/forward/id_ed25519:known-hosts=/etc/forward/known_hosts:host=localhost:port=80
host h.example
user forward 1001
sshd_at h.example
mkdir /etc/forward
mv id /etc/forward/id_ed25519
mv ~/.ssh/known_hosts /etc/forward/
echo_at 127.0.0.1 80
through

### -d ssh:{tcp:h.example:22}:key=agent:unix=/run/docker.sock
host h.example
sshd_at h.example
eval "$(ssh-agent)" >/dev/null
ssh-add -q id
rm id
socat -t20 UNIX-LISTEN:/run/docker.sock,fork EXEC:cat 2>>log &
wait_for test -S /run/docker.sock
through

### -d ssh:{tcp:inner.example:22:via={ssh://ada@outer.example}}:host=localhost:port=80
host outer.example
echo '192.0.2.81 inner.example' >>/etc/hosts
user ada 1001
sshd_at outer.example
sshd_at inner.example '' 192.0.2.81
cp id ~/.ssh/id_ed25519
echo_at 127.0.0.1 80
through

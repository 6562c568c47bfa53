### -d fallback:{tcp:primary.example:5432}:{tcp:standby.example:5432}
echo '192.0.2.81 primary.example' >>/etc/hosts
echo '192.0.2.82 standby.example' >>/etc/hosts
says_at 192.0.2.82 5432 standby
through '' standby
says_at 192.0.2.81 5432 primary
through '' primary

### -d fallback:{unix:/run/app.sock}:{tcp:192.0.2.7:80}:timeout=1s
says_at 192.0.2.7 80 other
through '' other
socat UNIX-LISTEN:/run/app.sock,fork SYSTEM:'printf local' 2>>log &
wait_for test -S /run/app.sock
through '' local

### -d telnet:{tcp:192.0.2.1:23}
telnetd_at 192.0.2.1
hears 'login: '
printf 'somebody\n' >open
wait_for grep -q -- 'hello somebody of' got

### -d {telnet://192.0.2.1}:term=vt100
telnetd_at 192.0.2.1
hears 'login: '
printf 'somebody\n' >open
wait_for grep -q -- 'hello somebody of vt100' got

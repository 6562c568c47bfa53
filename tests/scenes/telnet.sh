### -d telnet:{tcp:192.0.2.1:23}
telnetd_at 192.0.2.1
hears 'hello somebody of' $'somebody\n'

### -d {telnet://192.0.2.1}:term=vt100
telnetd_at 192.0.2.1
hears 'hello somebody of vt100' $'somebody\n'

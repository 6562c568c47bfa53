//! The known programs that run text, files or other programs that they are given.
//!
//! From their man pages. Rows with `under` come first: their names are ordinary words.

use plan::Words;

/// A program that runs text or files that it is given.
pub(super) struct Interpreter {
    /// Its names; one that ends in `*` may go on with a version, as `python3.12`.
    pub(super) names: Words,
    /// The programs whose subcommand this is: the name counts behind one of them only.
    pub(super) under: Words,
    /// The letters of its options whose argument it runs.
    pub(super) letters: &'static str,
    /// The same options in words, with their dashes.
    pub(super) long: Words,
    /// The letters of its options whose argument is a word that it doesn't run.
    pub(super) args: &'static str,
    /// Its options in words without an argument. A word behind another one may be its argument, so it doesn't count
    /// as one of the words that have to come first.
    pub(super) flags: Words,
    /// The number of words before the command, such as the duration of `timeout`.
    pub(super) operands: usize,
    /// These words are no code, so a client may choose them: a container, a pod.
    pub(super) may_choose: bool,
    /// Its command follows `--`. Its other options are too many to know which of them have arguments.
    pub(super) dashes: bool,
    /// Letters of options that have it run all arguments.
    pub(super) all_with: &'static str,
    /// Letters that take a word each in the old style, `tar cIf PROGRAM FILE`: the first argument, without a dash.
    pub(super) bundled: &'static str,
    /// Words that begin with `+` are options that run commands.
    pub(super) plus: bool,
    pub(super) uses: Uses,
}

/// How a program uses its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Uses {
    /// It runs them all, as text.
    All,
    /// The first is a command, or the ones behind it are.
    Command,
    /// The first is text or a file that it runs; those behind it are the script's.
    Script,
    /// It runs the arguments of some options, and nothing else.
    Options,
}

impl Interpreter {
    const fn new(names: &'static str, letters: &'static str) -> Self {
        Self {
            names: Words::of(names),
            under: Words::NONE,
            letters,
            long: Words::NONE,
            args: "",
            flags: Words::NONE,
            operands: 0,
            may_choose: false,
            dashes: false,
            all_with: "",
            bundled: "",
            plus: false,
            uses: Uses::Script,
        }
    }

    /// One that starts another program.
    const fn wrapper(names: &'static str, letters: &'static str) -> Self {
        Self { uses: Uses::Command, ..Self::new(names, letters) }
    }

    /// One that runs the arguments of some options only.
    const fn options(names: &'static str, letters: &'static str) -> Self {
        Self { uses: Uses::Options, ..Self::new(names, letters) }
    }

    const fn all(names: &'static str) -> Self {
        Self { uses: Uses::All, ..Self::new(names, "") }
    }

    const fn under(mut self, under: &'static str) -> Self {
        self.under = Words::of(under);
        self
    }

    const fn long(mut self, long: &'static str) -> Self {
        self.long = Words::of(long);
        self
    }

    const fn args(mut self, args: &'static str) -> Self {
        self.args = args;
        self
    }

    const fn flags(mut self, flags: &'static str) -> Self {
        self.flags = Words::of(flags);
        self
    }

    const fn operands(mut self, operands: usize) -> Self {
        self.operands = operands;
        self
    }

    const fn may_choose(mut self) -> Self {
        self.may_choose = true;
        self
    }

    const fn dashes(mut self) -> Self {
        self.dashes = true;
        self
    }

    const fn all_with(mut self, letters: &'static str) -> Self {
        self.all_with = letters;
        self
    }

    const fn bundled(mut self, letters: &'static str) -> Self {
        self.bundled = letters;
        self
    }

    const fn plus(mut self) -> Self {
        self.plus = true;
        self
    }
}

pub(super) const INTERPRETERS: &[Interpreter] = &[
    // === Subcommands ===
    Interpreter::wrapper("exec", "")
        .under("docker podman nerdctl docker-compose crictl")
        .args("euw")
        .flags("--detach --interactive --privileged --tty")
        .operands(1)
        .may_choose(),
    Interpreter::wrapper("run create", "")
        .under("docker podman nerdctl docker-compose")
        .args("acehlmpuvw")
        .flags("--detach --init --interactive --privileged --publish-all --read-only --rm --tty")
        .operands(1),
    Interpreter::wrapper("exec debug run", "")
        .under("kubectl oc k3s microk8s")
        .long("--image --overrides")
        .args("cfn")
        .flags("--quiet --stdin --tty")
        .operands(1)
        .may_choose()
        .dashes(),
    Interpreter::wrapper("exec", "").under("lxc incus").operands(1).may_choose().dashes(),
    Interpreter::wrapper("enter", "")
        .under("distrobox")
        .args("n")
        .operands(1)
        .may_choose()
        .dashes(),
    Interpreter::wrapper("exec", "").under("ip").operands(1),
    Interpreter::wrapper("shell", "").under("machinectl").args("EM").operands(1),
    Interpreter::wrapper("run exec x dlx", "")
        .args("cdr")
        .under("bun deno flatpak go hatch npm pdm pipenv pipx pnpm poetry snap toolbox uv yarn"),
    Interpreter::all("foreach run").under("git"),
    // === Shells and languages ===
    Interpreter::new("sh bash dash zsh ksh* mksh ash rbash fish csh tcsh", "cC")
        .long("--command --init-command --rcfile --init-file")
        .args("oO")
        .flags(
            "--interactive --login --no-config --noediting --noprofile --norc --posix --private \
             --restricted --verbose",
        )
        .plus(),
    Interpreter::new("python* pypy*", "c").args("WX"),
    // With -n and -p it opens each argument, and one that ends in `|` is a command.
    Interpreter::new("perl*", "eEMmIx").args("I").all_with("np"),
    Interpreter::new("ruby*", "erI").args("CEIr"),
    Interpreter::new("node* nodejs", "epr")
        .long("--eval --print --require --import --loader")
        .args("r")
        .flags(
            "--enable-source-maps --expose-gc --inspect --inspect-brk --no-deprecation \
             --no-warnings --trace-warnings",
        ),
    // A script, or a subcommand.
    Interpreter::wrapper("bun deno", "epr").long("--preload").args("cpr"),
    Interpreter::new("php*", "rBRE").long("--run --process-begin --process-code").args("cdz"),
    Interpreter::new("lua* luajit* Rscript R osascript elixir guile*", "el").args("l"),
    Interpreter::new(
        "clisp clj clojure erl escript ghc gnuplot groovy julia ocaml octave* racket runghc \
         sbcl scala swipl",
        "eELgltx",
    ),
    Interpreter::new("java", "").args("hmp").flags("-jar"),
    Interpreter::new("awk gawk mawk nawk", "efEil")
        .long("--source --file --include --load")
        .args("Fv"),
    // The text of a script that it runs may have `e`, which runs a command.
    Interpreter::new("sed", "ef").long("--file --expression"),
    // `ed '!command'` reads what the command prints; `!` in dc and `syscmd` in m4 run one.
    Interpreter::new("bc crontab dc ed m4 red", "Def"),
    Interpreter::new("mono wine", ""),
    // === Databases, debuggers, editors, pagers ===
    Interpreter::options("psql", "cf").long("--file"),
    Interpreter::options("mysql mariadb", "e"),
    Interpreter::all("sqlite3 duckdb"),
    Interpreter::new("mongo mongosh", "f").long("--file").args("pu"),
    Interpreter::new("gdb", "x")
        .long("-ex -iex -ix --init-eval-command")
        .args("bcdpstx")
        .flags("--args -args --batch --nh --nx --quiet --silent"),
    Interpreter::new("lldb", "KOSkos")
        .long("--source --one-line --source-quietly")
        .args("KOPSacfknops")
        .flags("--batch"),
    Interpreter::options("ex vi vim vimdiff nvi nvim gvim rvim rview view", "SUcsu")
        .long("--remote-expr --remote-send")
        .plus(),
    Interpreter::options("emacs* emacsclient", "efl").long("--funcall --load").plus(),
    Interpreter::options("less more most zless", "k")
        .long("--lesskey-content --lesskey-file --lesskey-src")
        .plus(),
    Interpreter::options("man", "HP").long("--html"),
    // === Other programs with options that run their arguments ===
    Interpreter::options("find", "").long("-ok -okdir"),
    // `-c` sets `alias.x=!command`.
    Interpreter::wrapper("git", "Ocx")
        .long("--config-env --exec-path --open-files-in-pager --receive-pack --upload-pack")
        .args("Cc")
        .flags("--bare --no-optional-locks --no-pager --paginate"),
    Interpreter::wrapper("docker podman nerdctl docker-compose", "").args("Hclf"),
    Interpreter::options("tar gtar", "FI").long("--checkpoint-action").bundled("bCFfgHIKLNTVX"),
    Interpreter::options("bsdtar", "FI").long("--checkpoint-action").bundled("bCFfIsTVWX"),
    Interpreter::options("rsync", "Me").long("--rsync-path"),
    Interpreter::options("zip", "").long("-TT"),
    Interpreter::options("curl", "K").long("--config"),
    Interpreter::options("wget", "e"),
    Interpreter::options("tcpdump", "z"),
    Interpreter::options("split", "").long("--filter"),
    Interpreter::options("nc ncat netcat", "ce"),
    Interpreter::options("start-stop-daemon", "ax").long("--startas"),
    // === Programs that start another one ===
    Interpreter::wrapper("expect tclsh* wish*", "c"),
    Interpreter::wrapper("script", "c").args("BEIOTmo").operands(1),
    // The shell of a user, which is given the rest.
    Interpreter::wrapper("su runuser", "c")
        .long("--session-command")
        .args("Ggsuw")
        .flags("--login --preserve-environment --pty")
        .operands(1),
    Interpreter::wrapper("flock", "c")
        .args("Ew")
        .operands(1)
        .flags("--close --exclusive --no-fork --nonblock --shared --verbose"),
    Interpreter::wrapper("env", "S")
        .long("--split-string")
        .args("CSu")
        .flags("--debug --ignore-environment"),
    Interpreter::wrapper("timeout", "")
        .args("ks")
        .operands(1)
        .flags("--foreground --preserve-status --verbose"),
    Interpreter::wrapper(
        "chroot chrt envdir faketime gdbserver gosu linux32 linux64 s6-setuidgid setarch \
         setlock setuidgid su-exec taskset",
        "",
    )
    .args("DPT")
    .operands(1),
    Interpreter::wrapper("chpst", "").args("/bcdefmnoprtuU"),
    Interpreter::wrapper("doas", "").args("Cu"),
    Interpreter::wrapper("exec", "").args("a"),
    Interpreter::wrapper("ionice", "").args("cn"),
    Interpreter::wrapper("nice", "").args("n"),
    Interpreter::wrapper("nsenter", "").args("GSWt").flags("--all --mount --net --pid"),
    Interpreter::wrapper("softlimit", "").args("acdflmnoprst"),
    Interpreter::wrapper("stdbuf", "").args("eio"),
    Interpreter::wrapper("strace", "").args("EIOPSUXabeopsu"),
    Interpreter::wrapper("ltrace", "").args("ADFaelnopsuwx"),
    Interpreter::wrapper("sudo", "").args("CDRTUghprtu").flags(
        "--background --login --non-interactive --preserve-env --preserve-groups --set-home \
         --shell --stdin",
    ),
    Interpreter::wrapper("systemd-run run0", "")
        .args("DEHMgpu")
        .flags("--collect --pipe --pty --quiet --same-dir --scope --system --user --wait"),
    Interpreter::wrapper("systemd-nspawn", "").args("DEMSijopu").flags("--quiet"),
    Interpreter::wrapper("systemd-cat", "").args("pt"),
    Interpreter::wrapper("time", "").args("fo").flags("--append --verbose"),
    Interpreter::wrapper("xargs", "").args("EILPadns").flags("--no-run-if-empty --null"),
    Interpreter::wrapper("unshare", "").args("GRSlw").flags(
        "--cgroup --fork --ipc --map-current-user --map-root-user --mount --mount-proc --net \
         --pid --user --uts",
    ),
    Interpreter::wrapper("setpriv", "")
        .flags("--clear-groups --init-groups --keep-groups --no-new-privs --reset-env"),
    Interpreter::wrapper("fakeroot", "").args("bils"),
    Interpreter::wrapper("screen", "QXcs").args("QSTXcehpst"),
    Interpreter::wrapper("sshpass", "").args("Pdfp"),
    Interpreter::wrapper("ssh-agent", "").args("Eat"),
    Interpreter::wrapper("xvfb-run", "").args("efnps"),
    Interpreter::wrapper("npx bunx pnpx uvx", "c").long("--call").args("cp"),
    Interpreter::wrapper("cgexec", "").args("g"),
    Interpreter::wrapper("daemonize", "").args("Eacelopu"),
    Interpreter::wrapper("bwrap cpulimit lxc-attach numactl proot", "").dashes(),
    Interpreter::wrapper(
        "busybox catatonit chronic dbus-launch dbus-run-session dumb-init eatmydata entr \
         firejail heaptrack nohup pkexec prlimit proxychains* setsid tini torsocks unbuffer \
         valgrind",
        "",
    )
    .flags("--ctty --fork --wait"),
    // They hand all that they are given to a shell, here or elsewhere.
    Interpreter::all(
        "ansible at autossh batch clush dsh eval mosh parallel pdsh pssh remsh rsh scp sftp \
         ssh watch",
    ),
    // `#(command)` in the name of a session of tmux, `SHELL=…` of make, `exec:` of a descriptor: no word is safe.
    Interpreter::all(
        "bmake endpointforward gmake guix just make nix nix-shell rake socat tmux websocat",
    ),
    Interpreter::all(
        "alacritty foot gnome-terminal kitty konsole lxterminal urxvt wezterm xfce4-terminal \
         xterm",
    ),
];

/// Words in the names of long options that have a program run their argument, whichever it is: `--rsh`,
/// `--to-command`, `--sh-exec`, `-execdir`.
pub(super) const TELLING: Words = Words::of(
    "askpass cmd command editor eval exec execdir execute hook interpreter pager program \
     rsh script shell",
);

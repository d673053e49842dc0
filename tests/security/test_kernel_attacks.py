"""What root in a host asks of the kernel to get out, and that the kernel says no.

Each table is tried at once from the host and, as the control, from a container without our walls,
where the same call is let through: a call that is spelt wrong cannot pass for a good defence. No
call does harm where it is let through.
"""

import errno
import platform
import socket
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import docker
import pytest
from docker.models.containers import Container

from core.ids import new_id
from tests.security.attacked_range import Range, ordinary, said_by

pytestmark = [pytest.mark.engine, pytest.mark.enable_socket]

# The numbers of system calls here and on arm64 (asm/unistd_64.h, asm-generic/unistd.h).
_COLUMN = 0 if platform.machine() == "x86_64" else 1
NUMBERS = {
    name: numbers[_COLUMN]
    for name, numbers in {
        "acct": (163, 89),
        "add_key": (248, 217),
        "bpf": (321, 280),
        "clone3": (435, 435),
        "finit_module": (313, 273),
        "fsopen": (430, 430),
        "init_module": (175, 105),
        "kexec_load": (246, 104),
        "keyctl": (250, 219),
        "mknodat": (259, 33),
        "mount": (165, 40),
        "open_by_handle_at": (304, 265),
        "open_tree": (428, 428),
        "perf_event_open": (298, 241),
        "pivot_root": (155, 41),
        "ptrace": (101, 117),
        "reboot": (169, 142),
        "setdomainname": (171, 162),
        "sethostname": (170, 161),
        "setns": (308, 268),
        "settimeofday": (164, 170),
        "swapon": (167, 224),
        "syslog": (103, 116),
        "umount2": (166, 39),
        "unshare": (272, 97),
        "userfaultfd": (323, 282),
    }.items()
}

# Each is a name and the perl that is -1 when the kernel refuses. `call` is syscall by name.
CALLS = {
    "mount a new file system": 'call("mount", "none", "/mnt", "tmpfs", 0, 0)',
    "mount the machine's processes anew": 'call("mount", "proc", "/mnt", "proc", 0, 0)',
    "mount a cgroup tree, for its release_agent": (
        'call("mount", "cgroup", "/mnt", "cgroup", 0, "freezer")'
        ' == 0 ? 0 : call("mount", "cgroup", "/mnt", "cgroup2", 0, 0)'
    ),
    "make a read-only mount writable": 'call("mount", "none", "/sys", "none", 4128, 0)',
    "mount by the newer calls": 'call("fsopen", "tmpfs", 0)',
    "clone a mount": 'call("open_tree", -100, "/etc", 1)',
    "uncover what is masked": 'call("umount2", "/proc/keys", 2) == -1 && $! == 1 ? -1 : 0',
    "change the root": 'call("pivot_root", "/tmp", "/tmp/no") == -1 && $! == 1 ? -1 : 0',
    "load a kernel module": 'call("init_module", "no module", 9, "") == -1 && $! == 1 ? -1 : 0',
    "load a kernel module by file": (
        'open(my $f, "<", "/etc/passwd"); call("finit_module", fileno $f, "", 0) == -1'
        " && $! == 1 ? -1 : 0"
    ),
    "take back a kernel for kexec": 'call("kexec_load", 0, 0, 0, 0) == -1 && $! == 1 ? -1 : 0',
    "restart the machine": 'call("reboot", 0, 0, 0, 0) == -1 && $! == 1 ? -1 : 0',
    "load a bpf map": 'call("bpf", 0, pack("L18", 2, 4, 4, 1), 72)',
    "be root of a new user namespace": 'call("unshare", 0x10000000)',
    "be root of a new user namespace by clone3": (
        'my $made = call("clone3", pack("Q8", 0x10000000, 0, 0, 0, 17, 0, 0, 0), 64);'
        " exit if $made == 0; $made"
    ),
    "have a mount namespace": 'call("unshare", 0x20000)',
    "have a network namespace": 'call("unshare", 0x40000000)',
    "join a namespace": 'open(my $n, "<", "/proc/self/ns/net"); call("setns", fileno $n, 0)',
    "open a file by its handle (shocker)": (
        'call("open_by_handle_at", -100, pack("LLQ", 8, 1, 2), 0) == -1 && $! == 1 ? -1 : 0'
    ),
    "make a block device": f'call("mknodat", -100, "/tmp/disk", 0060600, {254 << 8})',
    "make a device of the machine's memory": 'call("mknodat", -100, "/tmp/mem", 0020600, 0x101)',
    "put a key into a keyring of the machine": 'call("add_key", "user", "k", "v", 1, -3)',
    "read keyrings": 'call("keyctl", 0, -3, 1)',
    "watch the machine's processor": 'call("perf_event_open", pack("LLQ13", 1, 112), -1, 0, -1, 0)',
    "read the kernel's messages": 'call("syslog", 10, 0, 0)',
    "set the machine's clock": (
        'call("settimeofday", pack("qq", 0, 2000000), 0) == -1 && $! == 1 ? -1 : 0'
    ),
    "swap to a file": 'call("swapon", "/etc/passwd", 0) == -1 && $! == 1 ? -1 : 0',
    "log every process": 'call("acct", "/no/such") == -1 && $! == 1 ? -1 : 0',
    "rename the host": 'call("sethostname", "mine", 4)',
    "rename its domain": 'call("setdomainname", "mine", 4)',
    "stop the kernel in a page fault": 'call("userfaultfd", 0)',
}
WRITTEN = (
    "/proc/sys/kernel/core_pattern",
    "/proc/sys/kernel/modprobe",
    "/proc/sys/kernel/hostname",
    "/proc/sys/kernel/sysrq",
    "/proc/sys/vm/overcommit_memory",
    "/proc/sys/fs/file-max",
    "/proc/sys/net/ipv4/ip_forward",
    "/proc/sys/net/ipv4/conf/all/proxy_arp",
    "/proc/sys/net/ipv6/conf/all/disable_ipv6",
    "/proc/sysrq-trigger",
    "/proc/irq/default_smp_affinity",
    "/sys/kernel/mm/transparent_hugepage/enabled",
    "/sys/devices/virtual/net/lo/mtu",
    "/sys/class/net/lo/mtu",
    "/sys/module/kernel/parameters/panic",
    # Out of its limits, by the older cgroups and by the newer.
    "/sys/fs/cgroup/pids/cgroup.procs",
    "/sys/fs/cgroup/freezer/release_agent",
    "/sys/fs/cgroup/memory/notify_on_release",
    "/sys/fs/cgroup/cgroup.procs",
)
READ = ("/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/latency_stats")

ALL_THAT_MATTER = (
    *("DAC_READ_SEARCH", "NET_ADMIN", "SYSLOG", "SYS_ADMIN", "SYS_BOOT", "SYS_MODULE"),
    *("SYS_PACCT", "SYS_PTRACE", "SYS_RAWIO", "SYS_TIME"),
)
HARMLESS = {f"/dev/{name}" for name in ("full", "null", "random", "tty", "urandom", "zero")}
REACH_PROCESS = """
my $seize = 0x4206; $| = 1;
print +(-e "/proc/$ARGV[0]/stat" and kill(0, $ARGV[0]) and
  syscall(PTRACE, $seize, $ARGV[0] + 0, 0, 0) != -1) ? "reached" : do { kill 0, $ARGV[0]; "$!" };
""".replace("PTRACE", str(NUMBERS["ptrace"]))
ESCAPE = """
sub root { my @s = stat "/"; "$s[0]:$s[1]\n" } my $before = root();
mkdir "/tmp/cell"; opendir my $outside, "/"; chroot "/tmp/cell" or die $!; print root();
chdir $outside or die $!; chdir ".." for 1 .. 64; chroot "." or die $!; print root(), $before;
"""
ASK_ENGINE = """
use IO::Socket::UNIX; my $s = IO::Socket::UNIX->new(Peer => "/var/run/docker.sock");
if ($s) { print $s "GET /version HTTP/1.0\r\n\r\n"; print while <$s> } else { print "$!" }
"""
KNOCK_NAMELESS = """
use Socket; socket(my $s, AF_UNIX, SOCK_STREAM, 0) or die; my $at = pack "Sxa*", AF_UNIX, $ARGV[0];
print connect($s, $at) ? "reached" : "$!";
"""
TRY = """
my %numbers = split /[=,]/, shift; $| = 1;
sub call { my ($name, @given) = @_; syscall($numbers{$name} + 0, @given) }
while (my ($name, $try) = splice @ARGV, 0, 2) {
  pipe my $out, my $in; my $child = fork;
  if (!$child) { alarm 30; $! = 0; my $got = eval $try; my $why = $! + 0;
    syswrite $in, $@ ? "wrong: $@" : defined $got && $got != -1 ? "done" : $why; exit }
  close $in; my $said = join "", <$out>; $said =~ s/\\n/ /g; print "$name\\t$said\\n";
  waitpid $child, 0;
}
"""
_SYSOPEN = 'sysopen(my $f, "{path}", 1) ? 0 : -1'
_READING = (
    'open(my $f, "<", "{path}") or return -1; my $got = sysread $f, my $bytes, 64;'
    " $got ? 0 : ($! ||= 61) && -1"
)
PATHS = {
    **{f"write {path}": (path, _SYSOPEN.format(path=path)) for path in WRITTEN},
    **{f"read {path}": (path, _READING.format(path=path)) for path in READ},
}
TRIES = CALLS | {name: attempt for name, (_, attempt) in PATHS.items()}
# ENOSYS is how the engine's profile refuses clone3, so that libraries take the older call; ENODATA
# is a file that is masked by an empty one, and ENOENT one that is not even there.
REFUSALS = {"EPERM", "EACCES", "EROFS", "ENOSYS", "ENODATA", "ENOENT"}


def tried(output: str) -> Mapping[str, str]:
    """Return `done` or the error's name for each try."""
    said = dict(line.split("\t", 1) for line in output.splitlines())
    return {
        name: errno.errorcode.get(int(word), word) if word.isdigit() else word
        for name, word in said.items()
    }


def command() -> list[str]:
    numbers = ",".join(f"{name}={number}" for name, number in NUMBERS.items())
    pairs = [word for pair in TRIES.items() for word in pair]
    return ["perl", "-e", TRY, numbers, *pairs]


@pytest.fixture(scope="module")
def careless(docker_client: docker.DockerClient) -> Iterator[Container]:
    """Lend a container without our walls; privileged is more than every engine may give."""
    with ordinary(
        docker_client,
        *("sleep", "7200"),  # longer than a busy machine takes for all of them
        CapAdd=[*ALL_THAT_MATTER],
        SecurityOpt=["seccomp=unconfined", "apparmor=unconfined"],
        MaskedPaths=[],
        ReadonlyPaths=[],
        Binds=["/sys:/sys:rw", "/sys/fs/cgroup:/sys/fs/cgroup:rw"],
        PidMode="host",
    ) as container:
        yield container


@pytest.fixture(scope="module")
def inside(attacked: Range) -> Mapping[str, str]:
    return tried(attacked.said(*command()))


@pytest.fixture(scope="module")
def outside(careless: Container) -> Mapping[str, str]:
    return tried(said_by(careless, *command()))


@pytest.mark.parametrize("attack", CALLS)
def test_the_kernel_refuses_a_call(
    inside: Mapping[str, str], outside: Mapping[str, str], attack: str
) -> None:
    assert outside[attack] == "done", "the control: it is let through where it may"
    assert inside[attack] in REFUSALS


@pytest.mark.parametrize("attack", PATHS)
def test_what_belongs_to_the_machine_cannot_be_opened(
    inside: Mapping[str, str], outside: Mapping[str, str], attack: str
) -> None:
    """Not every kernel has all of them; the control opens what there is."""
    path, _ = PATHS[attack]
    assert outside[attack] == ("done" if Path(path).exists() else "ENOENT"), "the control"
    assert inside[attack] in REFUSALS


def test_no_table_is_empty() -> None:
    assert min(len(CALLS), len(WRITTEN), len(READ)) > 3


def test_there_are_no_devices_but_the_harmless_ones(attacked: Range, careless: Container) -> None:
    listing = ["find", "/dev", "-type", "b", "-o", "-type", "c"]
    found = {path for path in attacked.said(*listing).split() if not path.startswith("/dev/pts/")}
    assert found == HARMLESS
    assert set(said_by(careless, *listing).split()) >= HARMLESS, "the control"


def test_no_process_of_the_machine_is_seen_signalled_or_traced(
    attacked: Range, careless: Container
) -> None:
    with subprocess.Popen(["sleep", "60"]) as sleeper:
        try:
            victim = str(sleeper.pid)
            assert said_by(careless, "perl", "-e", REACH_PROCESS, victim) == "reached"
            assert attacked.said("perl", "-e", REACH_PROCESS, victim) == "No such process"
        finally:
            sleeper.kill()


def test_roots_own_first_process_may_be_traced(attacked: Range) -> None:
    """It is the trainee's own; debuggers work."""
    assert attacked.said("perl", "-e", REACH_PROCESS, "1") == "reached"


def test_out_of_a_chroot_root_lands_in_its_own_host(attacked: Range) -> None:
    """SYS_CHROOT is permitted: a root file system is no prison, the mount namespace is."""
    cell, escaped, before = attacked.said("perl", "-e", ESCAPE).splitlines()
    assert cell != before, "the control: it was in the cell"
    assert escaped == before, "and got out of it"
    machine = Path("/").stat()
    assert escaped != f"{machine.st_dev}:{machine.st_ino}"


def test_the_engines_socket_is_not_there(
    attacked: Range, docker_client: docker.DockerClient
) -> None:
    place = "/var/run/docker.sock"
    with ordinary(docker_client, "sleep", "60", Binds=[f"{place}:{place}"]) as mounted:
        assert "ApiVersion" in said_by(mounted, "perl", "-e", ASK_ENGINE), "the control"
    assert attacked.said("perl", "-e", ASK_ENGINE) == "No such file or directory"


def test_a_nameless_socket_of_the_machine_is_out_of_reach(
    attacked: Range, docker_client: docker.DockerClient
) -> None:
    """As CVE-2020-15257 used those of containerd: they live in a network namespace."""
    name = f"siege-{new_id(8)}"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"\0{name}")
        listener.listen()
        with ordinary(docker_client, "sleep", "60", network="host") as neighbour:
            knock = ("perl", "-e", KNOCK_NAMELESS, name)
            assert said_by(neighbour, *knock) == "reached", "the control"
        assert attacked.said(*knock) == "Connection refused"

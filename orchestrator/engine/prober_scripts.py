"""What the self-test runs in the toolbox: Perl, because the base image has it and it can select.

The `perl-base` of Debian has no finer clock than POSIX's ticks, a hundred a second.
"""

_COMMON = r"""
use strict; use warnings; use POSIX (); use Fcntl;
use Socket qw(:DEFAULT IPPROTO_IPV6 IPV6_V6ONLY inet_pton inet_ntop);
use Errno qw(EINPROGRESS ECONNREFUSED ENOENT);
$| = 1;
sub now { (POSIX::times())[0] / 100 }
sub dial {
  my ($address, $port, $link) = @_;
  my $long = $address =~ /:/;
  socket(my $s, $long ? PF_INET6 : PF_INET, SOCK_STREAM, 0) or return (undef, "nothing");
  fcntl($s, F_SETFL, fcntl($s, F_GETFL, 0) | O_NONBLOCK);
  my $place = $long ? pack_sockaddr_in6($port, inet_pton(AF_INET6, $address), $link || 0)
                    : pack_sockaddr_in($port, inet_aton($address));
  return ($s, "answer") if connect($s, $place);
  return ($s, undef) if $! == EINPROGRESS;
  return (undef, $! == ECONNREFUSED ? "refusal" : "nothing");
}
sub dialled {
  my $error = unpack("i", getsockopt($_[0], SOL_SOCKET, SO_ERROR));
  return $error == 0 ? "answer" : $error == ECONNREFUSED ? "refusal" : "nothing";
}
sub reached {
  my ($s, $heard) = dial(@_);
  return $heard if defined $heard;
  vec(my $write = "", fileno $s, 1) = 1;
  return select(undef, $write, undef, 0.2) ? dialled($s) : "nothing";
}
sub addresses_over_ipv6 {
  open my $f, "<", "/proc/net/if_inet6" or do { return if $! == ENOENT; die "if_inet6: $!" };
  return map {
    my ($digits, $link, undef, undef, $flags, $name) = split;
    my $tentative = hex($flags) & 0x40;
    $name eq "lo" ? () : [inet_ntop(AF_INET6, pack "H*", $digits), hex $link, $name, $tentative];
  } <$f>;
}
sub ask {
  my ($server, $name, $id) = @_;
  socket(my $s, PF_INET, SOCK_DGRAM, 0) or return undef;
  my $question = join("", map { pack("C/a", $_) } split /\./, $name) . pack("Cnn", 0, 1, 1);
  my $head = pack("nnnnnn", $id, 0x100, 1, 0, 0, 0);
  send($s, $head . $question, 0, pack_sockaddr_in(53, inet_aton($server)));
  return $s;
}
sub told {
  my ($s) = @_;
  defined recv($s, my $said, 1500, 0) or return ("nothing", "");
  my (undef, $flags, undef, $answers) = unpack("nnnn", $said);
  my $code = $flags & 15;
  return ("refusal", "") if $code == 3 || ($code == 0 && !$answers);
  return ("nothing", "") if $code;
  my $at = 12;
  while (my $n = ord substr($said, $at, 1)) { $at += 1 + $n }
  $at += 5;
  for (1 .. $answers) {
    while (my $n = ord substr($said, $at, 1)) { if ($n >= 192) { $at++; last } $at += 1 + $n }
    my ($type, undef, undef, $length) = unpack("nnNn", substr($said, $at + 1, 10));
    return ("answer", inet_ntoa(substr($said, $at + 11, 4))) if $type == 1;
    $at += 11 + $length;
  }
  return ("refusal", "");
}
"""

LOOK_AROUND = (
    _COMMON
    + r"""
# What the kernel calls setns(2) on each machine; CLONE_NEWNET is the same on all of them.
my %SETNS = (x86_64 => 308, aarch64 => 268, riscv64 => 268, ppc64le => 350, s390x => 339,
             armv7l => 375, i686 => 346);
sub index_of { (split / /, $_[0])[0] }
sub enter {
  my ($process) = @_;
  my $setns = $SETNS{(POSIX::uname())[4]} or die "setns: not known on this machine";
  open my $network, "<", "/proc/$process/ns/net" or die "process $process: $!";
  syscall($setns, fileno $network, 0x40000000) == 0 or die "setns: $!";
  $( = $) = "65534 65534";  # nobody, in no other group
  POSIX::setuid(65534) or die "setuid: $!";
}
sub look {
  my ($number, $patience, $silence, $near, @targets) = @_;
  my $resolver = "127.0.0.11";  # the engine's own, in every network of ours
  my (%open, %waiting, %said);
  my %best = (nothing => 0, own => 0, refusal => 1, answer => 2);
  my $hear = sub {
    my ($i, $heard) = @_;
    my ($word) = split / /, $heard;
    $said{$i} = $heard if !$said{$i} || $best{$word} > $best{$said{$i}};
  };
  my $give_up = now() + $patience;
  select undef, undef, undef, 0.05 while now() < $give_up && grep { $_->[3] } addresses_over_ipv6();
  my @own = addresses_over_ipv6();
  # Who did not tell a link address is asked for it again after a second (RFC 4861, RetransTimer).
  $silence = 1.5 if @own && $silence < 1.5;
  my %links = map { $_->[1] => 1 } @own;
  my @lines = map { "ipv6 $_->[0] " . reached($_->[0], 9, $_->[1]) } @own;
  if (open my $f, "<", "/proc/net/ipv6_route") {
    while (<$f>) {
      my (undef, $bits, undef, undef, $hop, undef, undef, undef, $flags, $name) = split;
      next if $name eq "lo" || hex($flags) & 0x200;  # what is rejected leads nowhere
      push @lines, "beyond " . inet_ntop(AF_INET6, pack "H*", $hop) if $hop =~ /[^0]/ || !hex $bits;
    }
  }
  my $own = 0;
  for my $table (qw(/proc/net/udp /proc/net/udp6)) {
    open my $f, "<", $table or next;
    /^\s*\d+: [0-9A-F]+:0035 / and $own = 1 while <$f>;
  }
  for my $i (0 .. $#targets) {
    if ($targets[$i] =~ /^dial (\S+) (\d+)$/) {
      my ($address, $port) = ($1, $2);
      for my $link ($address =~ /^fe80:/ ? keys %links : 0) {
        my ($s, $heard) = dial($address, $port, $link);
        if ($heard) { $hear->($i, $heard); next }
        $open{"$i $link"} = $s;
        $waiting{"$i $link"} = 1;
      }
    } elsif ($targets[$i] =~ /^name (\S+)$/) {
      if ($own && $i >= $near) { $hear->($i, "own"); next }
      my $s = ask($resolver, $1, $i + 1);
      if ($s) { $open{"$i 0"} = $s } else { $hear->($i, "nothing") }
    }
  }
  my $end;
  while (%open) {
    $end //= now() + $silence if now() > $give_up || !grep { index_of($_) < $near } keys %open;
    my $left = ($end // $give_up) - now();
    last if $end && $left <= 0;
    my ($read, $write) = ("", "");
    for (keys %open) { vec($waiting{$_} ? $write : $read, fileno $open{$_}, 1) = 1 }
    select($read, $write, undef, $left < 0 ? 0 : $left) or next;
    for my $way (keys %open) {
      my ($i, $n) = (index_of($way), fileno $open{$way});
      if ($waiting{$way} && vec($write, $n, 1)) { $hear->($i, dialled($open{$way})) }
      elsif (!$waiting{$way} && vec($read, $n, 1)) { $hear->($i, join " ", told($open{$way})) }
      else { next }
      delete $open{$way};
    }
  }
  push @lines, map { "$_ " . ($said{$_} // "nothing") } 0 .. $#targets;
  print join "", map { "$number $_\n" } @lines, "done";
}
while (my $question = <STDIN>) {
  chomp $question;
  my ($patience, $silence, @looks) = split /\|/, $question;
  for my $number (0 .. $#looks) {
    defined(my $child = fork) or die "fork: $!";
    next if $child;
    my ($process, @words) = split /;/, $looks[$number];
    enter($process);
    look($number, $patience, $silence, @words);
    exit 0;
  }
  1 while wait != -1;
  print "end\n";
}
"""
)
"""Looks around in several networks at one time, for each line `PATIENCE|SILENCE|LOOK|…` it gets.

A LOOK is, with `;` between: the process whose network is entered, NEAR, and a TARGET each. The
first NEAR targets are waited for, PATIENCE seconds at most; then silence lasts SILENCE seconds more
before it counts, 1.5 at least in a network with IPv6. What is heard in a network comes in one
piece, each line after its number, from 0 in the order of the looks: `ipv6 ADDRESS HEARD` for each
IPv6 address of its own and what it heard when it knocked there, `beyond HOP` for each IPv6 route
that leads further, `INDEX HEARD [ADDRESS]` for each target, and `done`. After them all comes `end`.

One process that forks: a program started for each network costs as much again.
"""

SENTINEL = (
    _COMMON
    + r"""
my ($lifetime, $stranger) = @ARGV;
my $end = now() + $lifetime;
socket(my $listener, PF_INET, SOCK_STREAM, 0) or die "socket: $!";
bind($listener, pack_sockaddr_in(0, INADDR_ANY)) or die "bind: $!";
listen($listener, 128) or die "listen: $!";
fcntl($listener, F_SETFL, fcntl($listener, F_GETFL, 0) | O_NONBLOCK);
my ($port) = unpack_sockaddr_in(getsockname $listener);
print "port $port\n";
sub local_addresses {
  open my $f, "<", "/proc/net/fib_trie" or return;
  my ($last, %found);
  while (<$f>) { if (/\|-- (\S+)/) { $last = $1 } elsif (/host LOCAL/) { $found{$last} = 1 } }
  return grep { !/^127\./ } keys %found;
}
sub nameservers {
  open my $f, "<", "/etc/resolv.conf" or return;
  return map { /^\s*nameserver\s+(\d+\.\d+\.\d+\.\d+)/ ? $1 : () } <$f>;
}
my $listener6;
if (socket($listener6, PF_INET6, SOCK_STREAM, 0)) {
  setsockopt($listener6, IPPROTO_IPV6, IPV6_V6ONLY, 1);
  fcntl($listener6, F_SETFL, fcntl($listener6, F_GETFL, 0) | O_NONBLOCK);
  undef $listener6 unless bind($listener6, pack_sockaddr_in6($port, Socket::IN6ADDR_ANY))
    && listen($listener6, 128);
}
sub address_of_link {
  my $asked = pack "a16 x24", $_[0];
  return ioctl($listener, 0x8915, $asked) ? inet_ntoa(substr $asked, 20, 4) : undef;  # SIOCGIFADDR
}
my %local = map { $_ => 1 } local_addresses();
my @servers = nameservers();
my @beyond = (map({ / via (\S+)/ ? $1 : () } `ip -4 route show default`), @servers);
my %asked;
@beyond = grep { !$asked{$_}++ && !$local{$_} && !/^127\./ } @beyond;
my @dials = map { my $address = $_; map { [$address, $_] } 53, 80, 443, 22 } @beyond;
my (%open, %goal);
for my $goal (@dials, ["169.254.169.254", 80]) {
  my ($s, $heard) = dial(@$goal);
  if (defined $heard) { print "outside @$goal 0\n" if $heard ne "nothing" }
  elsif ($s) { $open{fileno $s} = $s; $goal{fileno $s} = $goal }
}
my @questions = grep { defined } map { ask($_, $stranger, 1) } @servers;
my $asked_at = now();
my $patient_until = $asked_at + 0.15;
sub took { sprintf "%.2f", now() - $asked_at }
my %at;
while (now() < $end) {
  for my $address (grep { !$at{$_} } local_addresses()) {
    if (reached($address, $port) eq "answer") { $at{$address} = 1; print "at $address\n" }
  }
  for ($listener6 ? addresses_over_ipv6() : ()) {
    my ($address, $link, $name, $tentative) = @$_;
    next if $tentative || $at{"$address $link"} || -e "/sys/class/net/$name/brport";
    my $beside = address_of_link($name) or next;
    if (reached($address, $port, $link) eq "answer") {
      $at{"$address $link"} = 1;
      print "over-ipv6 $beside $address\n";
    }
  }
  my ($read, $write) = ("", "");
  vec($read, fileno $_, 1) = 1 for grep { defined } $listener, $listener6;
  vec($read, fileno $_, 1) = 1 for @questions;
  vec($write, $_, 1) = 1 for keys %open;
  select($read, $write, undef, 0.2);
  for (grep { defined } $listener, $listener6) { while (accept(my $caller, $_)) { close $caller } }
  for my $n (keys %open) {
    next unless vec($write, $n, 1);
    my $heard = dialled($open{$n});
    print "outside @{$goal{$n}} ", took(), "\n" if $heard ne "nothing" && now() < $patient_until;
    delete $open{$n};
  }
  if (my @ready = grep { vec($read, fileno $_, 1) } @questions) {
    my ($heard) = told($ready[0]);
    print "resolves ", took(), "\n" if $heard ne "nothing";
    @questions = grep { $_ != $ready[0] } @questions;
  }
  %open = () if now() > $patient_until;
}
"""
)
"""Listens at every address of its network and says what that network reaches: `LIFETIME NAME`.

Prints `port N` first, `at ADDRESS` for each address at which it reached itself (also ones that come
later), `over-ipv6 ADDRESS IPV6` for each IPv6 address, with the IPv4 one of the same interface,
`outside ADDRESS PORT SECONDS` for what answers from beyond quickly, and `resolves SECONDS` once a
name service answered for NAME; the seconds are how long that took.
"""

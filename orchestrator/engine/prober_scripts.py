"""What the self-test runs in the toolbox: Perl, because the base image has it and it can select.

The `perl-base` of Debian has no finer clock than POSIX's ticks, a hundred a second.
"""

_COMMON = r"""
use strict; use warnings; use POSIX (); use Socket; use Fcntl;
use Errno qw(EINPROGRESS ECONNREFUSED);
$| = 1;
sub now { (POSIX::times())[0] / 100 }
sub dial {
  my ($address, $port) = @_;
  socket(my $s, PF_INET, SOCK_STREAM, 0) or return (undef, "nothing");
  fcntl($s, F_SETFL, fcntl($s, F_GETFL, 0) | O_NONBLOCK);
  return ($s, "answer") if connect($s, pack_sockaddr_in($port, inet_aton($address)));
  return ($s, undef) if $! == EINPROGRESS;
  return (undef, $! == ECONNREFUSED ? "refusal" : "nothing");
}
sub dialled {
  my $error = unpack("i", getsockopt($_[0], SOL_SOCKET, SO_ERROR));
  return $error == 0 ? "answer" : $error == ECONNREFUSED ? "refusal" : "nothing";
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
my $resolver = "127.0.0.11";  # the engine's own, in every network of ours
my ($near, $patience, $silence, @targets) = @ARGV;
my (%open, %waiting, %said);
my $own = 0;
for my $table (qw(/proc/net/udp /proc/net/udp6)) {
  open my $f, "<", $table or next;
  /^\s*\d+: [0-9A-F]+:0035 / and $own = 1 while <$f>;
}
for my $i (0 .. $#targets) {
  if ($targets[$i] =~ /^dial (\S+) (\d+)$/) {
    my ($s, $heard) = dial($1, $2);
    if ($heard) { $said{$i} = $heard } else { $open{$i} = $s; $waiting{$i} = 1 }
  } elsif ($targets[$i] =~ /^name (\S+)$/) {
    if ($own && $i >= $near) { $said{$i} = "own"; next }
    my $s = ask($resolver, $1, $i + 1);
    if ($s) { $open{$i} = $s; $waiting{$i} = 0 } else { $said{$i} = "nothing" }
  }
}
my $give_up = now() + $patience;
my $end;
while (%open) {
  $end //= now() + $silence if now() > $give_up || !grep { $_ < $near } keys %open;
  my $left = ($end // $give_up) - now();
  last if $end && $left <= 0;
  my ($read, $write) = ("", "");
  for (keys %open) { vec($waiting{$_} ? $write : $read, fileno $open{$_}, 1) = 1 }
  select($read, $write, undef, $left < 0 ? 0 : $left) or next;
  for my $i (keys %open) {
    my $n = fileno $open{$i};
    if ($waiting{$i} && vec($write, $n, 1)) { $said{$i} = dialled($open{$i}) }
    elsif (!$waiting{$i} && vec($read, $n, 1)) { $said{$i} = join " ", told($open{$i}) }
    else { next }
    delete $open{$i};
  }
}
$said{$_} //= "nothing" for keys %open;
print "$_ $said{$_}\n" for sort { $a <=> $b } keys %said;
print "done\n";
"""
)
"""Tries targets at once: `NEAR PATIENCE SILENCE TARGET…`.

The first NEAR targets are waited for, PATIENCE seconds at most; then silence lasts SILENCE seconds
more before it counts. Prints `INDEX HEARD [ADDRESS]` a line, and `done`.
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
    my ($s, $heard) = dial($address, $port);
    if (!defined $heard && $s) {
      vec(my $write = "", fileno $s, 1) = 1;
      $heard = select(undef, $write, undef, 0.2) ? dialled($s) : "nothing";
    }
    if ($heard eq "answer") { $at{$address} = 1; print "at $address\n" }
  }
  my ($read, $write) = ("", "");
  vec($read, fileno $listener, 1) = 1;
  vec($read, fileno $_, 1) = 1 for @questions;
  vec($write, $_, 1) = 1 for keys %open;
  select($read, $write, undef, 0.2);
  while (accept(my $caller, $listener)) { close $caller }
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
later), `outside ADDRESS PORT SECONDS` for what answers from beyond quickly, and `resolves SECONDS`
once a name service answered for NAME; the seconds are how long that took.
"""

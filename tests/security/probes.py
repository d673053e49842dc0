"""Perl programs that hosts run: Debian's smallest perl is in every host of the tests."""

PORT = 8080

# Accepts TCP connections.
LISTEN = (
    "use IO::Socket::INET; my $s = IO::Socket::INET->new("
    f'Listen => 5, LocalAddr => "0.0.0.0:{PORT}", ReuseAddr => 1) or die; '
    "while (1) { my $c = $s->accept; close $c }"
)
# Says what it was asked for as a name service.
RESOLVER = (
    "use IO::Socket::INET; $| = 1; my $s = IO::Socket::INET->new("
    'Proto => "udp", LocalAddr => "0.0.0.0:53") or die; print "ready\\n"; '
    "while ($s->recv(my $q, 512)) { $q =~ s/[^a-z-]/./g; print STDOUT $q, chr(10) }"
)
# Sends a datagram to `port` of an address, from another address.
SPOOF = """
use Socket; my ($from, $to, $port) = @ARGV; socket(my $s, AF_INET, SOCK_DGRAM, 0) or die "$!";
setsockopt($s, 0, 15, 1) or die "freebind: $!"; bind($s, sockaddr_in(0, inet_aton($from))) or die;
print defined send($s, "spoof", 0, sockaddr_in($port, inet_aton($to))) ? "sent" : "$!";
"""
# Asks to change the host's own network, by ioctl: SIOCADDRT, SIOCSIFADDR, SIOCSIFHWADDR, SIOCSARP.
CHANGE = """
use Socket; my ($what, $address, $by) = @ARGV; socket(my $s, AF_INET, SOCK_DGRAM, 0) or die "$!";
my $in = pack "S n a4 x8", AF_INET, 0, inet_aton($address);
my $via = pack "S n a4 x8", AF_INET, 0, inet_aton($by);
my $mask = pack "S n a4 x8", AF_INET, 0, inet_aton("255.255.255.255");
my $link = pack "S H12 x8", 1, "02aabbccddee";
my %ask = (
  route => [0x890B, pack "x8 a16 a16 a16 S x70", $in, $via, $mask, 7],
  address => [0x8916, pack "a16 a16 x8", "eth0", $in],
  hardware => [0x8924, pack "a16 a16 x8", "eth0", $link],
  neighbour => [0x8955, pack "a16 a16 i a16 a16", $in, $link, 6, "", "eth0"],
);
my ($number, $request) = @{$ask{$what}}; print ioctl($s, $number, $request) ? "done" : "$!";
"""
# Says hello to everybody on the link, and to one address, over IPv6.
HELLO = """
use Socket qw(:DEFAULT pack_sockaddr_in6 inet_pton); my ($port, @to) = @ARGV;
my $index = do { local (@ARGV, $/) = "/sys/class/net/eth0/ifindex"; <> } + 0;
socket(my $s, AF_INET6, SOCK_DGRAM, 0) or die "$!";
for my $to (@to) {
  my $at = pack_sockaddr_in6($port, inet_pton(AF_INET6, $to), $index);
  print defined send($s, "hello $to", 0, $at) ? "sent" : "refused", "\\n";
}
"""
# Answers TCP by accepting, UDP by an echo; one process, so that a host is deaf to all or to none.
SERVE = """
use IO::Socket::INET; use IO::Select; my $all = IO::Select->new; my %tcp;
for my $port (@ARGV) {
  my $t = IO::Socket::INET->new(Listen => 9, LocalAddr => "0.0.0.0:$port", ReuseAddr => 1) or die;
  my $u = IO::Socket::INET->new(Proto => "udp", LocalAddr => "0.0.0.0:$port") or die;
  $all->add($t, $u); $tcp{fileno $t} = 1;
}
while (my @ready = $all->can_read) { for my $s (@ready) {
  if ($tcp{fileno $s}) { my $c = $s->accept; close $c if $c } else {
    my $from = $s->recv(my $word, 64); $s->send($word, 0, $from) if defined $from }
} }
"""
# Asks every question of its arguments at once, and prints those that were answered.
ASK = """
use IO::Socket::INET; use Socket;
for my $question (@ARGV) { next if fork; $SIG{ALRM} = sub { exit }; alarm 3;
  my ($kind, $address, $port) = split /:/, $question; my $word;
  if ($kind eq "tcp") { IO::Socket::INET->new(PeerAddr => "$address:$port") or exit }
  elsif ($kind eq "udp") {
    my $s = IO::Socket::INET->new(Proto => "udp", PeerAddr => "$address:$port") or exit;
    $s->send("word"); defined $s->recv($word, 64) and $word eq "word" or exit }
  else { socket(my $s, AF_INET, SOCK_DGRAM, 1) or die; my $to = sockaddr_in(0, inet_aton($address));
    send($s, pack("CCnnn", 8, 0, 0, 0, 1), 0, $to) or exit; recv($s, my $reply, 64, 0) or exit }
  syswrite STDOUT, "$question\\n"; exit }
1 while wait > 0;
"""
# Sends frames in hex: before each stands what the socket says of its type.
SEND = """
my $device = shift; socket(my $s, 17, 3, 0) or die "socket: $!"; $| = 1;
my $index = do { local (@ARGV, $/) = "/sys/class/net/$device/ifindex"; <> } + 0;
while (my ($type, $frame) = splice @ARGV, 0, 2) {
  my $to = pack("S n l S C C a8", 17, hex $type, $index, 0, 0, 6, "");
  print defined send($s, pack("H*", $frame), 0, $to) ? "sent\n" : "refused\n";
}
"""


def arp_frame(sender: str, source: str, address: str) -> str:
    """Return a frame that tells everybody whose address is whose."""
    return f"{'f' * 12}{sender}08060001080006040002{source}{address}{'f' * 12}{address}"

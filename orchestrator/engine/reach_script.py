"""What opens connections beside a host, in the toolbox: Perl, because the base image has it."""

CARRY = r"""
use strict; use warnings; use POSIX (); use Fcntl;
use Socket qw(:DEFAULT getaddrinfo AI_NUMERICHOST IPPROTO_TCP TCP_NODELAY SO_KEEPALIVE);
use Errno qw(EINPROGRESS EINTR EAGAIN ECONNREFUSED ETIMEDOUT ECONNRESET);
$SIG{PIPE} = $SIG{CHLD} = "IGNORE";
my ($PATIENCE, $WINDOW) = @ARGV;
my ($OPEN, $DATA, $EOF, $CLOSE, $CREDIT) = 1 .. 5;
my $PIECE = 65536;
my %way;
binmode $_ for *STDIN, *STDOUT;
sub now { (POSIX::times())[0] / 100 }
sub say_frame {
  my ($id, $kind, $said) = @_;
  my $frame = pack("NCN", $id, $kind, length $said) . $said;
  my $at = 0;
  while ($at < length $frame) {
    my $n = syswrite STDOUT, $frame, length($frame) - $at, $at;
    if (defined $n) { $at += $n } elsif ($! != EINTR) { exit 1 }
  }
}
sub over {
  my ($id, $why) = @_;
  my $w = delete $way{$id} or return;
  kill KILL => $w->{asker} if $w->{asker};
  shutdown $w->{socket}, 2 if $w->{socket};  # an asker may hold it, too
  say_frame($id, $CLOSE, $why) if defined $why;
}
sub word { $! == ECONNREFUSED ? "refused" : $! == ETIMEDOUT ? "silent" : "unreachable" }
my %telling = (unknown => 0, unreachable => 1, silent => 2, refused => 3);
sub try_next {
  my ($id, $why) = @_;
  my $w = $way{$id};
  $w->{why} = $why if !$w->{why} || $telling{$why} > $telling{$w->{why}};
  my $place = shift @{$w->{places}} or return over($id, $w->{why});
  socket($w->{socket}, sockaddr_family($place), SOCK_STREAM, 0) or return try_next($id, word());
  my $s = $w->{socket};
  fcntl($s, F_SETFL, fcntl($s, F_GETFL, 0) | O_NONBLOCK);
  setsockopt($s, IPPROTO_TCP, TCP_NODELAY, 1);
  setsockopt($s, SOL_SOCKET, SO_KEEPALIVE, 1);
  return connected($id) if connect($s, $place);
  return try_next($id, word()) if $! != EINPROGRESS;
  $w->{state} = "connecting";
}
sub connected {
  my ($id) = @_;
  $way{$id}{state} = "open";
  say_frame($id, $OPEN, "");
}
sub begin {
  my ($id, $name, $port) = split / /, "$_[0] $_[1]";
  my $w = $way{$id} = {state => "asking", until => now() + $PATIENCE, out => "",
                       credit => $WINDOW, hears => 1, says => 1, places => []};
  my %hints = (socktype => SOCK_STREAM);
  my ($no, @found) = getaddrinfo($name, $port, {%hints, flags => AI_NUMERICHOST});
  if (!$no) { $w->{places} = [map { $_->{addr} } @found]; return try_next($id, "unreachable") }
  pipe(my $hear, my $tell) or return over($id, "busy");
  my $asker = fork;
  return over($id, "busy") unless defined $asker;
  if (!$asker) {
    ($no, @found) = getaddrinfo($name, $port, \%hints);
    syswrite $tell, join "", map { unpack("H*", $_->{addr}) . "\n" } @found unless $no;
    POSIX::_exit(0);
  }
  @$w{qw(asker pipe answer)} = ($asker, $hear, "");
}
sub take_answer {
  my ($id) = @_;
  my $w = $way{$id};
  return if sysread $w->{pipe}, $w->{answer}, 4096, length $w->{answer};
  delete @$w{qw(asker pipe)};
  $w->{places} = [map { pack "H*", $_ } split /\n/, $w->{answer}];
  try_next($id, "unknown");
}
sub take_connection {
  my ($id) = @_;
  $! = unpack "i", getsockopt($way{$id}{socket}, SOL_SOCKET, SO_ERROR);
  $! == 0 ? connected($id) : try_next($id, word());
}
sub hear {
  my ($id) = @_;
  my $w = $way{$id};
  my $most = $w->{credit} < $PIECE ? $w->{credit} : $PIECE;
  my $piece;
  my $n = sysread $w->{socket}, $piece, $most;
  if (!defined $n) { over($id, "reset") if $! != EAGAIN && $! != EINTR; return }
  if ($n) { $w->{credit} -= $n; say_frame($id, $DATA, $piece); return }
  $w->{hears} = 0;
  say_frame($id, $EOF, "");
  over($id) if !$w->{says};
}
sub send_on {
  my ($id) = @_;
  my $w = $way{$id};
  if (length $w->{out}) {
    my $n = syswrite $w->{socket}, $w->{out}, $PIECE;
    if (!defined $n) { over($id, "reset") if $! != EAGAIN && $! != EINTR; return }
    substr $w->{out}, 0, $n, "";
    say_frame($id, $CREDIT, pack "N", $n);
  }
  return if length $w->{out} || !$w->{ends};
  shutdown $w->{socket}, 1;
  $w->{says} = $w->{ends} = 0;
  over($id) if !$w->{hears};
}
sub obey {
  my ($id, $kind, $said) = @_;
  return begin($id, $said) if $kind == $OPEN;
  my $w = $way{$id} or return;
  if ($kind == $DATA) { $w->{out} .= $said }
  elsif ($kind == $EOF) { $w->{ends} = 1 }
  elsif ($kind == $CREDIT) { $w->{credit} += unpack "N", $said }
  else { over($id) }
}
my $orders = "";
sub take_orders {
  my $n = sysread STDIN, $orders, 4 * $PIECE, length $orders;
  exit 0 unless $n || !defined $n && $! == EINTR;
  my $at = 0;
  while (length($orders) - $at >= 9) {
    my ($id, $kind, $size) = unpack "NCN", substr $orders, $at, 9;
    last if length($orders) - $at - 9 < $size;
    obey($id, $kind, substr $orders, $at + 9, $size);
    $at += 9 + $size;
  }
  substr $orders, 0, $at, "";
}
while (1) {
  my ($read, $write) = ("", "");
  vec($read, 0, 1) = 1;
  my $next;
  while (my ($id, $w) = each %way) {
    if ($w->{state} ne "open") {
      $next = $w->{until} if !defined $next || $w->{until} < $next;
      if ($w->{state} eq "asking") { vec($read, fileno $w->{pipe}, 1) = 1 }
      else { vec($write, fileno $w->{socket}, 1) = 1 }
      next;
    }
    my $n = fileno $w->{socket};
    vec($read, $n, 1) = 1 if $w->{hears} && $w->{credit} > 0;
    vec($write, $n, 1) = 1 if length $w->{out} || $w->{ends};
  }
  my $left = defined $next ? $next - now() : undef;
  $left = 0 if defined $left && $left < 0;
  my $ready = select $read, $write, undef, $left;
  next if $ready < 0;
  for my $id (keys %way) {
    my $w = $way{$id};
    if ($w->{state} eq "asking") { take_answer($id) if vec $read, fileno $w->{pipe}, 1 }
    elsif ($w->{state} eq "connecting") {
      take_connection($id) if vec $write, fileno $w->{socket}, 1;
    } else {
      my $n = fileno $w->{socket};
      send_on($id) if vec $write, $n, 1;
      hear($id) if $way{$id} && $w->{hears} && vec $read, $n, 1;
    }
    over($id, "silent") if $way{$id} && $w->{state} ne "open" && $w->{until} <= now();
  }
  take_orders() if vec $read, 0, 1;
}
"""
"""Carries many TCP connections over its standard input and output: `PATIENCE WINDOW`.

PATIENCE is how long a connection may take to be made, in seconds; WINDOW how many bytes of one may
be on their way each way before the receiver grants more. Frames go both ways: the connection's
number (4 bytes), the kind (1), the length of what follows (4), all big-endian.

| kind   | to it               | from it                           |
|--------|---------------------|-----------------------------------|
| OPEN   | `NAME PORT`         | it is connected                   |
| DATA   | bytes to send       | bytes that came                   |
| EOF    | send no more        | no more comes                     |
| CLOSE  | drop it             | it is over: a word why            |
| CREDIT | bytes taken (uint32)| bytes sent on (uint32)            |

A name is asked of the host's own view in a process apart, because the C library's question waits.
It ends with its input, so that nothing stays when whoever started it is gone.
"""

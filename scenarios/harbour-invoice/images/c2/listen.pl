# The far end of the beacon: it takes connections at $PORT, reads what comes, and says nothing.
use strict; use warnings; use IO::Socket::INET; use IO::Select;
my $server = IO::Socket::INET->new(Listen => 16, LocalPort => $ENV{PORT}, ReuseAddr => 1)
  or die "listen: $!";
my $open = IO::Select->new($server);
while (1) {
  for my $ready ($open->can_read) {
    if ($ready == $server) { $open->add($server->accept || next); next }
    next if sysread $ready, my $said, 4096;
    $open->remove($ready);
    close $ready;
  }
}

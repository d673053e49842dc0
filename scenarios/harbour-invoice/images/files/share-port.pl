# Takes connections at the share's port and says nothing: the share itself is read over SSH.
use strict; use warnings; use IO::Socket::INET;
my $server = IO::Socket::INET->new(Listen => 16, LocalPort => shift, ReuseAddr => 1) or die "listen: $!";
close $_ while $_ = $server->accept;

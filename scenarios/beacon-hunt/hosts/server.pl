# Takes every call, says that it did and keeps when. That is all that it does.
use strict;
use warnings;
use IO::Socket::INET;

my $door = IO::Socket::INET->new(LocalPort => $ENV{PORT}, Listen => 16, ReuseAddr => 1)
    or die "cannot listen: $!";
while (my $caller = $door->accept) {
    open my $calls, '>>', '/var/log/calls' or die "cannot keep calls: $!";
    print {$calls} time, ' ', $caller->peerhost, "\n";
    close $calls;
    print {$caller} "ok\n";
    close $caller;
}

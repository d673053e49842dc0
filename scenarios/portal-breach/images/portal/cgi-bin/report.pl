#!/usr/bin/perl
# "Report a pothole": takes a picture of the damage and the place where it is.
use strict;
use warnings;

my $folder = '/srv/portal/www/uploads';

sub page {
    my ($status, $text) = @_;
    print "Status: $status\r\nContent-Type: text/html; charset=utf-8\r\n\r\n";
    print qq{<!doctype html>\n<html lang="en">\n<title>Report a pothole</title>\n};
    print qq{<h1>Report a pothole</h1>\n$text\n</html>\n};
    exit;
}

page('200 OK', <<'FORM') if ($ENV{REQUEST_METHOD} // '') ne 'POST';
<form method="post" enctype="multipart/form-data">
  <p>Where is it? <input name="place">
  <p>A picture: <input name="photo" type="file" accept="image/*">
  <p><button>Send</button>
</form>
FORM

binmode STDIN;
read STDIN, my $body, $ENV{CONTENT_LENGTH} // 0;
my ($boundary) = ($ENV{CONTENT_TYPE} // '') =~ /boundary="?([^";]+)/;
page('400 Bad Request', '<p>That was not this form.') unless defined $boundary;

for my $part (split /\r\n--\Q$boundary\E|^--\Q$boundary\E\r\n/, $body) {
    my ($head, $content) = split /\r\n\r\n/, $part, 2;
    next unless defined $content and $head =~ /name="photo"; *filename="([^"]*)"/;
    my ($name) = $1 =~ m{([^/\\]+)$};
    page('400 Bad Request', '<p>The picture has no name.') unless defined $name;

    # Only pictures: the browser tells us what it sends.
    page('415 Unsupported Media Type', '<p>Pictures only, please.')
        unless $head =~ m{^Content-Type: *image/}mi;

    $name =~ s/[^A-Za-z0-9._-]/_/g;
    open my $file, '>', "$folder/$name" or page('500 Internal Server Error', '<p>Not now.');
    binmode $file;
    print $file $content;
    close $file;
    page('200 OK', qq{<p>Thank you. We have <a href="/uploads/$name">your picture</a>.});
}
page('400 Bad Request', '<p>There was no picture.');

# Carries bytes: from the socket that was passed in to the command's port, and from a port of the loopback to the egress
# proxy's socket. Ends with the command, and with it ends every process of the sandbox, since this is their first one.
use strict;
our %told;

# Each costs two descriptors; the edge opens at most 256 to a release.
my $connections_max = 400;
my $buffer_bytes_max = 65_536;
# Orphans of the command become our children; this is how long one may stay a zombie while nothing else happens.
my $reap_seconds = 2;
# What the kernel says when there is nothing to do yet: EINTR, EAGAIN, EINPROGRESS.
my %not_yet = map { $_ => 1 } 4, 11, 115;
my %ends;

sub carry {
    my ($command) = @_;
    $SIG{PIPE} = 'IGNORE';
    my $watch = syscall(434, $command, 0);
    die "watch: $!\n" if $watch < 0;
    my @doors = doors();
    while (1) {
        my ($reads, $writes) = interests($watch, \@doors);
        my $ready = select $reads, $writes, undef, $reap_seconds;
        reap($command);
        next if $ready <= 0;
        for my $door (@doors) { enter($door) if vec $reads, fileno $door->{handle}, 1 }
        for my $end (my @present = values %ends) {
            next if $end->{gone};
            drain($end) if vec $writes, $end->{number}, 1;
            fill($end) if !$end->{gone} && vec $reads, $end->{number}, 1;
        }
    }
}

sub reap {
    my ($command) = @_;
    while ((my $pid = waitpid -1, 1) > 0) {
        exit($? & 127 ? 128 + ($? & 127) : $? >> 8) if $pid == $command;
    }
}

sub doors {
    my @doors;
    if ($told{port}) {
        open my $handle, '+<&=', 3 or die "passed-in socket: $!\n";
        push @doors, { handle => $handle, family => 2, address => internet($told{port}) };
    }
    if ($told{egress}) {
        socket(my $handle, 2, 1, 0) or die "socket: $!\n";
        setsockopt $handle, 1, 2, pack('i', 1);
        bind $handle, internet($told{egress}) or die "egress port: $!\n";
        listen $handle, 64 or die "egress port: $!\n";
        push @doors, { handle => $handle, family => 1, address => pack 'S a*', 1, "$told{egress_socket}\0" };
    }
    fcntl $_->{handle}, 4, 2048 for @doors;
    return @doors;
}

sub internet { return pack 'S n C4 x8', 2, $_[0], 127, 0, 0, 1 }

sub interests {
    my ($watch, $doors) = @_;
    my ($reads, $writes) = ('', '');
    vec($reads, $watch, 1) = 1;
    if (keys %ends < 2 * $connections_max) { vec($reads, fileno $_->{handle}, 1) = 1 for @$doors }
    for my $end (values %ends) {
        my $other = $end->{other};
        vec($writes, $end->{number}, 1) = 1 if $end->{connecting} || length $end->{waiting};
        vec($reads, $end->{number}, 1) = 1
            if !$end->{connecting} && !$end->{said_all} && length $other->{waiting} < $buffer_bytes_max;
    }
    return ($reads, $writes);
}

sub enter {
    my ($door) = @_;
    while (keys %ends < 2 * $connections_max && accept(my $came, $door->{handle})) {
        fcntl $came, 4, 2048;
        # 2048 is O_NONBLOCK and SOCK_NONBLOCK alike.
        socket(my $went, $door->{family}, 1 | 2048, 0) or next;
        my $connected = connect $went, $door->{address};
        next if !$connected && !$not_yet{ $! + 0 };
        my $first = { handle => $came, number => fileno $came, waiting => '' };
        my $second = { handle => $went, number => fileno $went, waiting => '', connecting => !$connected };
        ($first->{other}, $second->{other}) = ($second, $first);
        @ends{ $first->{number}, $second->{number} } = ($first, $second);
    }
}

sub fill {
    my ($end) = @_;
    my $count = sysread $end->{handle}, my ($bytes), $buffer_bytes_max;
    if (!defined $count) { return $not_yet{ $! + 0 } ? () : part($end) }
    if ($count == 0) { $end->{said_all} = 1 }
    else { $end->{other}{waiting} .= $bytes }
    drain($end->{other}) if !$end->{other}{connecting};
}

sub drain {
    my ($end) = @_;
    if ($end->{connecting}) {
        my $error = getsockopt $end->{handle}, 1, 4;
        return part($end) if !defined $error || unpack 'i', $error;
        $end->{connecting} = 0;
    }
    if (length $end->{waiting}) {
        my $count = syswrite $end->{handle}, $end->{waiting};
        if (!defined $count) { return $not_yet{ $! + 0 } ? () : part($end) }
        substr($end->{waiting}, 0, $count) = '';
    }
    return if length $end->{waiting} || !$end->{other}{said_all} || $end->{told_all};
    $end->{told_all} = 1;
    shutdown $end->{handle}, 1;
    part($end) if $end->{said_all} && $end->{other}{told_all};
}

# Both ends at once: a connection of which one side is broken is over for the other one too.
sub part {
    my ($end) = @_;
    for my $each ($end, $end->{other}) {
        $each->{gone} = 1;
        delete $ends{ $each->{number} };
        close $each->{handle};
    }
    delete $end->{other}{other};
    delete $end->{other};
}

1;

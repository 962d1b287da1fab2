#!/usr/bin/perl -w
# The first process of a sandbox: it builds the root (unless bubblewrap did), starts the stranger's command with nothing
# but what it was told, and then only carries bytes between the outside and the command's port. Perl, because it starts
# in a few milliseconds, is part of every Debian and can make system calls; no module is loaded, since each costs more
# than all of this. It is told everything on its input, so a stranger's variables never reach a process outside.
use strict;

my ($here) = $0 =~ m{^(.*)/};
our %told = (env => [], arg => [], limit => [], fixture => []);
our %number = numbers(hear());
require "$here/root.pl" if @{ $told{fixture} };

close_from(5);
build_root() if @{ $told{fixture} };
raise_loopback();
# Non-dumpable: a command under the same user can neither trace us nor take our descriptors.
prctl(4, 0);
my $command = fork() // die "fork: $!\n";
run_command() if $command == 0;
drop_rights();
# Only now, since the command is on its way meanwhile; and from where our files are in either root.
require '/opt/proviso/warden/bridge.pl';
carry($command);

sub hear {
    local $/;
    my $text = <STDIN> // '';
    # Whoever starts us may die while telling: half of it is nothing.
    $text =~ s/\0end=1\0\z// or die "expected the whole order, got a part\n";
    for my $line (split /\0/, $text) {
        my ($name, $value) = split /=/, $line, 2;
        if (ref $told{$name}) { push @{ $told{$name} }, $value }
        else { $told{$name} = $value }
    }
    open STDIN, '<', '/dev/null' or die "/dev/null: $!\n";
    return $told{machine};
}

# The few calls that differ between the two machines we know.
sub numbers {
    my ($machine) = @_;
    my %x64 = (prctl => 157, prlimit64 => 302, capset => 126, pivot_root => 155, mount => 165, umount2 => 166);
    my %arm64 = (prctl => 167, prlimit64 => 261, capset => 91, pivot_root => 41, mount => 40, umount2 => 39);
    return %x64 if $machine eq 'x64';
    return %arm64 if $machine eq 'arm64';
    die "expected x64 or arm64, got $machine\n";
}

sub prctl { return syscall($number{prctl}, $_[0], $_[1], $_[2] // 0, 0, 0) }

# Whatever was open in a process outside, somebody's files and sockets, ends here.
sub close_from { syscall(436, $_[0], 0xFFFFFFFF, 0) == 0 or die "descriptors: $!\n" }

sub raise_loopback {
    socket(my $socket, 2, 2, 0) or die "socket: $!\n";
    my $request = pack 'a16 s x14', 'lo', 0x41;
    ioctl($socket, 0x8914, $request) or bubblewrapped() or die "loopback: $!\n";
}

# Bubblewrap has raised it already and left us without the right to do so again.
sub bubblewrapped { return !@{ $told{fixture} } }

sub run_command {
    my @output = $told{complains} ? ('>&', 4) : ('>', '/dev/null');
    open STDERR, $output[0], $output[1] or die "output: $!\n";
    close_from(3);
    for my $limit (@{ $told{limit} }) {
        my ($kind, $most) = map { $_ + 0 } split /:/, $limit;
        syscall($number{prlimit64}, 0, $kind, pack('QQ', $most, $most), 0) == 0 or die "limit $limit: $!\n";
    }
    setpgrp 0, 0;
    setpriority 0, 0, $told{nice} if $told{nice};
    drop_rights();
    chdir $told{folder} or die "$told{folder}: $!\n";
    %ENV = map { split /=/, $_, 2 } @{ $told{env} };
    filter_calls();
    exec { $told{arg}[0] } @{ $told{arg} } or print STDERR "$told{arg}[0]: $!\n";
    exit 127;
}

# The calls that are refused, as our starter has put them together.
sub filter_calls {
    my $program = pack 'H*', $told{filter};
    my $header = pack 'S x6 P', length($program) / 8, $program;
    prctl(22, 2, $header) == 0 or die "filter: $!\n";
}

# No user and no capability of ours is left, and no program can bring one back.
sub drop_rights {
    # PR_SET_SECUREBITS: being root inside a user namespace means nothing at exec. Without the right to set it there is
    # nothing to lose.
    prctl(28, 3);
    prctl(24, $_) for 0 .. 63;
    if ($told{uid}) {
        $) = "$told{uid} $told{uid}";
        $( = $told{uid};
        ($<, $>) = ($told{uid}, $told{uid});
        die "expected user $told{uid}, got $< $>\n" if $< != $told{uid} || $> != $told{uid} || $( + 0 != $told{uid};
    }
    # Changing the user does not take what bubblewrap has made ambient.
    prctl(47, 4);
    my ($version, $nothing) = (pack('LL', 0x20080522, 0), pack('L6', (0) x 6));
    syscall($number{capset}, $version, $nothing) == 0 or die "capabilities: $!\n";
    prctl(38, 1) == 0 or die "no new privileges: $!\n";
}

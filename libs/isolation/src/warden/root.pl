# Builds the root of a sandbox where bubblewrap is missing: a fresh tmpfs with what the order names bound into it read
# only, then the old root is let go. Runs in a mount namespace of its own, so if we die here nothing is left behind.
use strict;
our (%number, %told);

my ($nosuid, $nodev, $noexec, $bind, $recursive) = (2, 4, 8, 4096, 16_384);
my @devices = qw(null zero full random urandom tty);

sub build_root {
    my $root = $told{root};
    mounted('tmpfs', $root, 'tmpfs', $nosuid | $nodev, 'size=1m,mode=755');
    for (@{ $told{fixture} }) {
        my ($kind, $target, $detail) = split /\t/;
        if ($kind eq 'read') { bind_read_only($detail, $root . $target) }
        elsif ($kind eq 'scratch') { scratch($root . $target, $detail) }
        elsif ($kind eq 'link') { symlink $detail, place($root . $target, 'parent') or die "$target: $!\n" }
        else { die "expected a fixture, got $kind\n" }
    }
    mounted('proc', place("$root/proc", 'folder'), 'proc', $nosuid | $nodev | $noexec, '');
    build_devices("$root/dev");
    change_root($root);
}

sub build_devices {
    my ($dev) = @_;
    mounted('tmpfs', place($dev, 'folder'), 'tmpfs', $nosuid, 'size=64k,mode=755');
    for my $name (@devices) { mounted("/dev/$name", place("$dev/$name", 'file'), '', $bind, '') }
    symlink '/proc/self/fd', "$dev/fd";
    symlink "/proc/self/fd/$_->[0]", "$dev/$_->[1]" for [0, 'stdin'], [1, 'stdout'], [2, 'stderr'];
    scratch("$dev/shm", $told{shm_bytes});
    # Devices stay writable on a read-only mount; new files do not come into being.
    attributes($dev, 1, 0);
}

sub change_root {
    my ($root) = @_;
    chdir $root or die "$root: $!\n";
    # The old root is stacked upon the new one and then taken away from above it.
    my $here = '.';
    syscall($number{pivot_root}, $here, $here) == 0 or die "pivot_root: $!\n";
    syscall($number{umount2}, $here, 2) == 0 or die "umount2: $!\n";
    chdir '/' or die "/: $!\n";
    attributes('/', 1, 0);
}

sub bind_read_only {
    my ($source, $target) = @_;
    mounted($source, place($target, -d $source ? 'folder' : 'file'), '', $bind | $recursive, '');
    # Read-only, no set-user-id, no devices; and everything mounted below it too.
    attributes($target, 1 | 2 | 4, 0x8000);
}

sub scratch {
    my ($target, $bytes) = @_;
    # An inode costs the kernel a kilobyte that no size counts.
    my $inodes = 1_024 + int($bytes / 4_096);
    mounted('tmpfs', place($target, 'folder'), 'tmpfs', $nosuid | $nodev, "size=$bytes,mode=1777,nr_inodes=$inodes");
}

sub mounted {
    # Copies, since the kernel is given their addresses.
    my ($source, $target, $kind, $flags, $options) = @_;
    syscall($number{mount}, $source, $target, $kind, $flags, $options) == 0 or die "mount $target: $!\n";
}

# mount_setattr changes only what it is told, where a remount would also drop what we may not drop.
sub attributes {
    my ($target, $set, $flags) = @_;
    my $change = pack 'Q4', $set, 0, 0, 0;
    syscall(442, -100, $target, $flags, $change, 32) == 0 or die "attributes $target: $!\n";
}

sub place {
    my ($path, $kind) = @_;
    my @parts = split m{/}, $path;
    my $last = $kind eq 'folder' ? $#parts : $#parts - 1;
    for my $count (1 .. $last) {
        my $folder = join '/', @parts[0 .. $count];
        mkdir $folder, 0755 or -d $folder or die "$folder: $!\n";
    }
    if ($kind eq 'file' && !-e $path) { open my $file, '>', $path or die "$path: $!\n" }
    return $path;
}

1;

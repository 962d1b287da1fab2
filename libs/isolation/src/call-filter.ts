/**
 * The system calls that a stranger's command may not make, as a program for the kernel (classic BPF): what opens
 * namespaces, mounts, traces, keeps keys, loads code into the kernel, or talks over address families that a network
 * namespace does not hold (AF_VSOCK reaches the machine's own host). All else is left alone, so that ordinary programs do
 * not notice.
 */
export function callFilter(machine: 'x64' | 'arm64'): Buffer {
  const { column, audit, clone, clone3, socket } = MACHINES[machine];
  const program = [
    load(ARCHITECTURE),
    ...[jumpIfEqual(audit, 1, 0), answer(KILL), load(NUMBER)],
    // Calls of the x32 form have numbers of their own, which this list does not know.
    ...[jumpIfAtLeast(X32_BIT, 0, 1), answer(NO_SUCH_CALL)],
    ...REFUSED.flatMap((row) => [jumpIfEqual(row[column], 0, 1), answer(NOT_PERMITTED)]),
    // Its flags lie in memory, where a filter cannot look; the C library then takes clone.
    ...[jumpIfEqual(clone3, 0, 1), answer(NO_SUCH_CALL)],
    ...[jumpIfEqual(clone, 0, 4), load(FIRST_ARGUMENT), jumpIfAnyBit(NEW_NAMESPACES, 0, 1), answer(NOT_PERMITTED)],
    answer(ALLOW),
    ...[jumpIfEqual(socket, 0, FAMILIES.length + 2), load(FIRST_ARGUMENT)],
    ...FAMILIES.map((family, index) => jumpIfEqual(family, FAMILIES.length - index, 0)),
    ...[answer(NO_SUCH_FAMILY), answer(ALLOW)],
  ];
  return Buffer.concat(program);
}

// Name, number on x64, number on arm64.
const REFUSED: readonly (readonly [string, number, number])[] = [
  ['mount', 165, 40],
  ['umount2', 166, 39],
  ['pivot_root', 155, 41],
  ['chroot', 161, 51],
  ['unshare', 272, 97],
  ['setns', 308, 268],
  ['ptrace', 101, 117],
  ['process_vm_readv', 310, 270],
  ['process_vm_writev', 311, 271],
  ['kcmp', 312, 272],
  ['bpf', 321, 280],
  ['perf_event_open', 298, 241],
  ['userfaultfd', 323, 282],
  ['add_key', 248, 217],
  ['request_key', 249, 218],
  ['keyctl', 250, 219],
  ['open_by_handle_at', 304, 265],
  ['kexec_load', 246, 104],
  ['kexec_file_load', 320, 294],
  ['init_module', 175, 105],
  ['finit_module', 313, 273],
  ['delete_module', 176, 106],
  ['reboot', 169, 142],
  ['swapon', 167, 224],
  ['swapoff', 168, 225],
  ['acct', 163, 89],
  ['quotactl', 179, 60],
  ['io_uring_setup', 425, 425],
  ['io_uring_enter', 426, 426],
  ['io_uring_register', 427, 427],
  ['open_tree', 428, 428],
  ['move_mount', 429, 429],
  ['fsopen', 430, 430],
  ['fsconfig', 431, 431],
  ['fsmount', 432, 432],
  ['fspick', 433, 433],
  ['pidfd_getfd', 438, 438],
  ['mount_setattr', 442, 442],
];
const MACHINES = {
  x64: { column: 1, audit: 0xc000003e, clone: 56, clone3: 435, socket: 41 },
  arm64: { column: 2, audit: 0xc00000b7, clone: 220, clone3: 435, socket: 198 },
} as const;
// UNIX, INET, INET6, and NETLINK, by which programs ask for the addresses of this machine.
const FAMILIES = [1, 2, 10, 16] as const;
// All flags of clone that make a namespace.
const NEW_NAMESPACES = 0x7e020000;
const X32_BIT = 0x40000000;

// Where the kernel lays out what a filter may read.
const NUMBER = 0;
const ARCHITECTURE = 4;
const FIRST_ARGUMENT = 16;

const ALLOW = 0x7fff0000;
const KILL = 0x80000000;
// The error numbers EPERM, ENOSYS and EAFNOSUPPORT, as an answer to the caller.
const NOT_PERMITTED = 0x50000 + 1;
const NO_SUCH_CALL = 0x50000 + 38;
const NO_SUCH_FAMILY = 0x50000 + 97;

function load(offset: number): Buffer {
  return instruction(0x20, 0, 0, offset);
}

function jumpIfEqual(value: number, then: number, otherwise: number): Buffer {
  return instruction(0x15, then, otherwise, value);
}

function jumpIfAtLeast(value: number, then: number, otherwise: number): Buffer {
  return instruction(0x35, then, otherwise, value);
}

function jumpIfAnyBit(bits: number, then: number, otherwise: number): Buffer {
  return instruction(0x45, then, otherwise, bits);
}

function answer(value: number): Buffer {
  return instruction(0x06, 0, 0, value);
}

function instruction(code: number, then: number, otherwise: number, value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt16LE(code, 0);
  bytes.writeUInt8(then, 2);
  bytes.writeUInt8(otherwise, 3);
  bytes.writeUInt32LE(value, 4);
  return bytes;
}

import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Case, asksFor, rolesFor } from './cases.ts';
import type { Peer } from './peer.ts';

const rego = `package proviso
import rego.v1

default allow := false

allow if {
  not input.disabled
  not beyond
  some held in input.bindings
  held.role in data.roles[input.kind]
  object.get(held, "prototype", input.prototype) == input.prototype
  object.get(held, "environment", input.environment) == input.environment
  fits(held)
}

beyond if { input.principal == "agent"; input.kind == "ResumeLane" }

fits(_) if input.kind != "Decide"
fits(held) if { apart; concat("/", ["role", held.role]) in input.asks }
fits(held) if { apart; held.role == "approver"; concat("/", ["group", held.group]) in input.asks }

apart if {
  input.principal == "human"
  not input.lent
  not input.id in input.excluded
}
`;

/** OPA's policy compiled to WebAssembly; left out where there is no \`opa\` to compile it with. */
export async function prepareOpa(cases: readonly Case[]): Promise<Peer | null> {
  const folder = await mkdtemp(join(tmpdir(), 'proviso-opa-'));
  try {
    await writeFile(join(folder, 'policy.rego'), rego);
    const built = spawnSync('opa', ['build', '-t', 'wasm', '-e', 'proviso/allow', 'policy.rego'], { cwd: folder });
    if (built.status !== 0) {
      process.stderr.write('peer left out: OPA, expected a program opa on the path\n');
      return null;
    }
    spawnSync('tar', ['xzf', 'bundle.tar.gz', '/policy.wasm'], { cwd: folder });
    const evaluate = await loaded(await readFile(join(folder, 'policy.wasm')), { roles: rolesFor });
    return { name: 'OPA wasm', questions: cases.map((one) => askedOf(one, evaluate)) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function askedOf(one: Case, evaluate: (input: string) => string): () => boolean {
  const { actor, command, promotion, lentBy } = one;
  const input = {
    ...{ id: actor.id, principal: actor.kind, disabled: actor.disabled, bindings: actor.bindings, kind: command.kind },
    ...{ prototype: promotion.prototype, environment: promotion.policy.environment, asks: asksFor(one) },
    ...{ excluded: promotion.exclusions.map(({ person }) => person), lent: lentBy !== null },
  };
  return () => evaluate(JSON.stringify(input)).includes('true');
}

interface Memory {
  readonly buffer: ArrayBuffer;
  readonly grow: (pages: number) => number;
}

/** As much of it as is used here: our library of types is that of the language alone. */
declare const WebAssembly: {
  readonly Memory: new (size: { readonly initial: number }) => Memory;
  readonly instantiate: (
    bytes: Uint8Array,
    given: object,
  ) => Promise<{ readonly instance: { readonly exports: unknown } }>;
};

/** What a compiled policy exports, of its ABI 1.2: https://www.openpolicyagent.org/docs/wasm */
interface Abi {
  readonly opa_malloc: (size: number) => number;
  readonly opa_json_parse: (address: number, size: number) => number;
  readonly opa_heap_ptr_get: () => number;
  readonly opa_eval: (...values: readonly number[]) => number;
}

async function loaded(bytes: Uint8Array<ArrayBuffer>, data: object): Promise<(input: string) => string> {
  const memory = new WebAssembly.Memory({ initial: 16 });
  const none = () => 0;
  const env = {
    ...{ memory, opa_abort: none, opa_println: none, opa_builtin0: none, opa_builtin1: none },
    ...{ opa_builtin2: none, opa_builtin3: none, opa_builtin4: none },
  };
  const { instance } = await WebAssembly.instantiate(bytes, { env });
  const abi = instance.exports as Abi;
  const put = (text: string, at: number): number => {
    const size = Buffer.byteLength(text);
    const missing = Math.ceil((at + size - memory.buffer.byteLength) / 65_536);
    if (missing > 0) memory.grow(missing);
    return new TextEncoder().encodeInto(text, new Uint8Array(memory.buffer, at)).written;
  };
  const text = JSON.stringify(data);
  const start = abi.opa_malloc(Buffer.byteLength(text));
  const parsed = abi.opa_json_parse(start, put(text, start));
  const heap = abi.opa_heap_ptr_get();
  return (input) => {
    const size = put(input, heap);
    const answer = new Uint8Array(memory.buffer, abi.opa_eval(0, 0, parsed, heap, size, heap + size, 0), 64);
    return Buffer.from(answer.subarray(0, answer.indexOf(0))).toString();
  };
}

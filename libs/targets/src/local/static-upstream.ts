import { constants } from 'node:fs';
import { type FileHandle, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseManifest } from './artifact.ts';
import { openConversations } from './conversations.ts';
import { messageOf, TargetFailure } from './failure.ts';
import { planAnswer, type StaticPlan } from './static-answer.ts';
import { type SiteOrder, staticSiteOf } from './static-site.ts';
import type { AnswerFlow, AnswerListener, Upstream } from './upstream.ts';

// Few reads for most files, and never a whole film in memory.
const PART_BYTES = 64 * 1024;

/**
 * Serves an unpacked artifact's files without any process, with the manners of one: the router does not know the
 * difference. `folder` is a verified tree with its manifest beside it.
 */
export async function openStaticUpstream(folder: string, order: SiteOrder): Promise<Upstream> {
  const { files } = parseManifest(await readFile(`${folder}.manifest.json`, 'utf8'));
  const site = staticSiteOf(files, order);
  if (site.find('/', { html: true }).kind !== 'file')
    throw new TargetFailure('start_failed', `static: expected index.html in ${order.root}, got none`, {
      retryable: false,
    });
  const answers = openConversations();
  return {
    send: (call, listener) => {
      const flow = newFlow();
      const over = answers.join({ leave: () => flow.abort(new Error('the release is gone')) });
      // A visitor who sends a body to a folder is not heard, and must not keep the line full.
      call.body?.resume();
      const plan = planAnswer(site, call);
      listener.onRequestStart(flow);
      answer({ folder, plan, flow, listener })
        .catch((error: unknown) => listener.onResponseError(flow, new Error(messageOf(error), { cause: error })))
        .finally(over);
    },
    join: answers.join,
    close: answers.over,
    destroy: async () => answers.leave(),
  };
}

interface Answering {
  readonly folder: string;
  readonly plan: StaticPlan;
  readonly flow: FileFlow;
  readonly listener: AnswerListener;
}

async function answer({ folder, plan, flow, listener }: Answering): Promise<void> {
  if (plan.file === null) {
    listener.onResponseStart(flow, plan.status, plan.headers);
    if (plan.text !== '') listener.onResponseData(flow, Buffer.from(plan.text));
    return listener.onResponseEnd(flow);
  }
  // The tree is verified and read-only; should somebody have put a link there since, it is not followed.
  const handle = await open(join(folder, plan.file.path), constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    listener.onResponseStart(flow, plan.status, plan.headers);
    await passFile(handle, { plan: plan.file, flow, listener });
    listener.onResponseEnd(flow);
  } finally {
    await handle.close();
  }
}

async function passFile(
  handle: FileHandle,
  to: { plan: { start: number; end: number }; flow: FileFlow; listener: AnswerListener },
): Promise<void> {
  const { plan, flow, listener } = to;
  for (let at = plan.start; at < plan.end; ) {
    const length = Math.min(PART_BYTES, plan.end - at);
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(length), 0, length, at);
    if (bytesRead === 0) throw new Error('expected more of a file, got its end');
    at += bytesRead;
    await flow.mayGoOn();
    listener.onResponseData(flow, buffer.subarray(0, bytesRead));
  }
}

interface FileFlow extends AnswerFlow {
  /** Waits while the visitor is slow; throws when the visitor is gone. */
  readonly mayGoOn: () => Promise<void>;
}

function newFlow(): FileFlow {
  let reason: Error | null = null;
  let resumed: Promise<void> | null = null;
  let wake = (): void => undefined;
  return {
    pause: () => {
      resumed ??= new Promise((resolve) => {
        wake = resolve;
      });
    },
    resume: () => {
      resumed = null;
      wake();
    },
    abort: (why) => {
      reason ??= why;
      resumed = null;
      wake();
    },
    mayGoOn: async () => {
      if (resumed !== null) await resumed;
      if (reason !== null) throw reason;
    },
  };
}

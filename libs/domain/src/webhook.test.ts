import { decide, evolve } from './index.ts';
import { type WebhookCommand, overlapMsMax, webhooksMax } from './webhook.ts';
import type { WorkspaceState } from './workspace.ts';

const [workspace, webhook] = ['wsp_1', 'whk_1'] as const;
const types = ['dev.proviso.promotion.*'];
const added = {
  kind: 'AddWebhook',
  workspace,
  webhook,
  name: 'pager',
  origin: 'https://pager.example',
  types,
} as const;
const day = 86_400_000;

/** What comes of commands one after another, at one moment each. */
function after(...commands: readonly (readonly [WebhookCommand, number?])[]) {
  let state: WorkspaceState | null = { id: workspace, name: 'team' };
  let last: ReturnType<typeof decide> | null = null;
  for (const [command, now = 0] of commands) {
    const scene = { workspace: state, now, actor: { id: 'psn_olga' }, lanes: {}, promotion: null };
    last = decide(scene as unknown as Parameters<typeof decide>[0], command);
    for (const draft of last.drafts) state = evolve(state, draft, now) as WorkspaceState;
  }
  const outcome = last?.outcome;
  return { webhooks: state?.webhooks ?? [], code: outcome?.kind === 'refused' ? outcome.refusal.code : null };
}

describe('a webhook', () => {
  it('is told from its adding on, under its first secret', () => {
    expect(after([added]).webhooks).toEqual([
      {
        ...{ id: webhook, name: 'pager', origin: 'https://pager.example', types },
        ...{ active: true, stopped: null, secret: 1, previousUntil: null },
      },
    ]);
  });

  it('has a name of its own, and there are only so many', () => {
    expect(after([added], [{ ...added, webhook: 'whk_2' }]).code).toBe('exists');
    const many = Array.from(
      { length: webhooksMax + 1 },
      (_, n) => [{ ...added, webhook: `whk_${n}`, name: `p${n}` } as const] as const,
    );
    expect(after(...many)).toMatchObject({ code: 'quota_reached', webhooks: { length: webhooksMax } });
  });

  it.each([
    [[]],
    [['dev.proviso.promotion.*', 'no type']],
    [['*.promotion']],
    [Array.from({ length: 51 }, (_, n) => `dev.proviso.x${n}`)],
  ])('is told of types that could be some: not %j', (odd) => {
    expect(after([{ ...added, types: odd }]).code).toBe('webhook_invalid');
    expect(after([added], [{ kind: 'ChangeWebhook', workspace, webhook, types: odd, active: true }]).code).toBe(
      'webhook_invalid',
    );
  });

  it('keeps its secret of before until a time that is at most a week away', () => {
    const rotate = (overlapMs: number) => ({ kind: 'RotateWebhook', workspace, webhook, overlapMs }) as const;
    expect(after([added], [rotate(day), 1_000]).webhooks).toMatchObject([{ secret: 2, previousUntil: 1_000 + day }]);
    expect(after([added], [rotate(overlapMsMax)]).code).toBeNull();
    for (const odd of [overlapMsMax + 1, -1, Number.NaN])
      expect(after([added], [rotate(odd)]).code).toBe('webhook_invalid');
  });

  it('that is gone is stopped once, is sent nothing again, and goes on when a person says so', () => {
    const stop = { kind: 'StopWebhook', workspace, webhook, why: 'gone' } as const;
    const resend = { kind: 'ResendWebhook', workspace, webhook, delivery: 'dlv_1' } as const;
    const change = { kind: 'ChangeWebhook', workspace, webhook, types, active: true } as const;
    expect(after([added], [stop], [stop]).webhooks).toMatchObject([{ active: false, stopped: 'gone' }]);
    expect(after([added], [stop], [resend]).code).toBe('webhook_stopped');
    expect(after([added], [stop], [change]).webhooks).toMatchObject([{ active: true, stopped: null }]);
    expect(after([added], [{ ...change, active: false }]).webhooks).toMatchObject([{ stopped: 'person' }]);
  });

  it('that was removed is not known any more', () => {
    const remove = { kind: 'RemoveWebhook', workspace, webhook } as const;
    expect(after([added], [remove]).webhooks).toEqual([]);
    expect(after([added], [remove], [remove]).code).toBe('not_found');
  });
});
